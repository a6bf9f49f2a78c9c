/** Of a group's run now and then the whole: the records before that are not needed any more. */
import type { Kysely, Migration } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("run_snapshots")
      .addColumn("run", "text", (column) => column.primaryKey())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("snapshot_json", "text", (column) => column.notNull())
      .execute();
  },
};
