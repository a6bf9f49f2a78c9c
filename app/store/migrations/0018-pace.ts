/** What GitHub has asked of an installation, so that neither a restart nor another owner has to be told again. */
import type { Kysely, Migration } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<object>) => {
    // Null: nothing was asked, or nobody has written.
    for (const name of ["held_until", "next_write_at"]) {
      await db.schema.alterTable("claims").addColumn(name, "bigint").execute();
    }
  },
};
