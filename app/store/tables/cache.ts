/** What may be forgotten and asked again. */
import type { Kysely } from "kysely";
import { parsed } from "../documents.ts";
import type { Store } from "../model.ts";
import type { Tables } from "../schema.ts";

/** Rows of one statement that forgets. */
const MOST_PRUNED = 500;

type Part = Pick<Store, "cached" | "cache" | "dropCache" | "pruneCache">;

export function cacheStore(db: Kysely<Tables>): Part {
  return {
    async cached(key, notBefore) {
      const row = await db
        .selectFrom("cache")
        .select("value_json")
        .where("key", "=", key)
        .where("at", ">=", notBefore)
        .executeTakeFirst();
      return row === undefined ? undefined : parsed<unknown>(row.value_json);
    },
    async cache(entries, now) {
      // Each once, the last of it, and in one order for all: else two wait for each other.
      const byKey = [...new Map(entries.map((entry) => [entry.key, entry]))].sort(([a], [b]) => (a < b ? -1 : 1));
      if (byKey.length === 0) {
        return;
      }
      await db
        .insertInto("cache")
        .values(
          byKey.map(([key, entry]) => ({
            key,
            scope: entry.scope,
            value_json: JSON.stringify(entry.value ?? null),
            at: now,
          })),
        )
        .onConflict((conflict) =>
          conflict.column("key").doUpdateSet((eb) => ({
            scope: eb.ref("excluded.scope"),
            value_json: eb.ref("excluded.value_json"),
            at: eb.ref("excluded.at"),
          })),
        )
        .execute();
    },
    async dropCache(scope) {
      await db.deleteFrom("cache").where("scope", "=", scope).execute();
    },
    async pruneCache(before, limit = MOST_PRUNED) {
      const result = await db
        .deleteFrom("cache")
        .where("key", "in", (eb) => eb.selectFrom("cache").select("key").where("at", "<", before).limit(limit))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
