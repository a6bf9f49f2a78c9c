/** Effects that were given up, for whoever looks after the app. */
import { type Kysely, sql } from "kysely";
import type { Store } from "../model.ts";
import type { Tables } from "../schema.ts";
import { effectOf } from "./effects.ts";

export function deadEffectStore(db: Kysely<Tables>): Pick<Store, "deadEffects" | "reviveEffect"> {
  return {
    async deadEffects(limit, before) {
      const rows = await db
        .selectFrom("effects")
        .selectAll()
        .where("status", "=", "dead")
        // Said again in the words of the index, which leaves out what waits.
        .where(sql.ref("status"), "!=", sql.lit("pending"))
        .$if(before !== undefined, (query) => query.where("id", "<", before ?? 0))
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(effectOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async reviveEffect(id, now) {
      const revived = await db
        .updateTable("effects")
        .set((eb) => ({ status: "pending", version: eb("version", "+", 1), tries: 0, next_at: now, done_at: null }))
        .where("id", "=", id)
        .where("status", "=", "dead")
        .executeTakeFirst();
      return revived.numUpdatedRows > 0n;
    },
  };
}
