/** The repositories' policies. */
import { type Kysely, type Migration, sql } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("policies")
      .addColumn("repository_id", "bigint", (column) => column.primaryKey())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("news", "integer", (column) => column.notNull())
      .addColumn("news_read", "integer", (column) => column.notNull())
      .addColumn("state_json", "text")
      .addColumn("bases", "text", (column) => column.notNull())
      .addColumn("due_at", "bigint")
      .addColumn("tries", "integer", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("policies_due")
      .on("policies")
      .column("due_at")
      .where(sql.ref("due_at"), "is not", sql.lit(null))
      .execute();
  },
};
