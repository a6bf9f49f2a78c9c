/** Single values, each by its own key. */
import { type Kysely, sql } from "kysely";
import type { StoreHealth } from "../database/health.ts";
import type { Store } from "../model.ts";
import type { Tables } from "../schema.ts";

type Part = Pick<Store, "meta" | "setMeta" | "firstMeta" | "ping">;

/** Written to see whether the database takes it: as large as a large webhook, for a small one may still find room. */
const PROBE = "probe";
const PROBE_SIZE = 256 * 1_024;

export function metaStore(db: Kysely<Tables>, health: StoreHealth): Part {
  const setMeta: Store["setMeta"] = async (key, value) => {
    await db
      .insertInto("meta")
      .values({ key, value })
      .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
      .execute();
  };
  return {
    async meta(key) {
      const row = await db.selectFrom("meta").select("value").where("key", "=", key).executeTakeFirst();
      return row?.value ?? null;
    },
    setMeta,
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
      const { failure } = health;
      if (failure?.toBeTried === false) {
        throw failure.error;
      }
      if (failure !== null) {
        await setMeta(PROBE, "-".repeat(PROBE_SIZE));
        await setMeta(PROBE, "");
      }
    },
  };
}
