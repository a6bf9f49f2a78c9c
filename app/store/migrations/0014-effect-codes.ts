/** Why effects wait or were given up, for programs: what is known of those before is whether the app was not installed. */
import { type Kysely, type Migration, sql } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable("effects").addColumn("error_code", "text").execute();
    await sql`update effects set error_code = 'not_installed'
      where status = 'dead' and error = 'the app is not installed there any more'`.execute(db);
  },
};
