/** When effects were done or given up. */
import { type Kysely, type Migration, sql } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable("effects").addColumn("done_at", "bigint").execute();
    await db.schema
      .createIndex("effects_pending")
      .on("effects")
      .columns(["installation_id", "next_at"])
      .where(sql.ref("status"), "=", sql.lit("pending"))
      .execute();
  },
};
