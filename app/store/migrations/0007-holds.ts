/** Repositories that are on hold. */
import type { Kysely, Migration } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("repository_holds")
      .addColumn("repository_id", "bigint", (column) => column.primaryKey())
      .addColumn("held", "integer", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .addColumn("by_json", "text", (column) => column.notNull())
      .addColumn("reason", "text", (column) => column.notNull())
      .execute();
  },
};
