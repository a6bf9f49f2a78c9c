/** Gates that do not apply are shown. */
import { type Kysely, type Migration, sql } from "kysely";

/** What is shown of gates that do not apply, and of those on hold, is decided anew for all that are open. */
export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.createIndex("effects_kind").on("effects").columns(["repository_id", "kind"]).execute();
    await sql`update pulls set look_at = 0, look_tries = 0 where open = 1 and look_at is null`.execute(db);
  },
};
