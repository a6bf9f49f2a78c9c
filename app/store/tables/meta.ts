/** Single values, each by its own key. */
import { type Kysely, sql } from "kysely";
import type { Store } from "../model.ts";
import type { Tables } from "../schema.ts";

type Part = Pick<Store, "meta" | "setMeta" | "firstMeta" | "ping">;

export function metaStore(db: Kysely<Tables>): Part {
  return {
    async meta(key) {
      const row = await db.selectFrom("meta").select("value").where("key", "=", key).executeTakeFirst();
      return row?.value ?? null;
    },
    async setMeta(key, value) {
      await db
        .insertInto("meta")
        .values({ key, value })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
        .execute();
    },
    async firstMeta(key, value) {
      await db
        .insertInto("meta")
        .values({ key, value })
        .onConflict((conflict) => conflict.column("key").doNothing())
        .execute();
      const { value: stored } = await db
        .selectFrom("meta")
        .select("value")
        .where("key", "=", key)
        .executeTakeFirstOrThrow();
      return stored;
    },
    async ping() {
      await sql`select 1`.execute(db);
    },
  };
}
