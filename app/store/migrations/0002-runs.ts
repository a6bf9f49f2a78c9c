/** Runs of groups. */
import type { Kysely, Migration } from "kysely";
import { rowNumber } from "../database/dialect.ts";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("runs")
      .addColumn("seq", ...rowNumber(db))
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("over_at", "bigint")
      .addColumn("note_json", "text")
      .execute();
    await db.schema.createIndex("runs_over").on("runs").columns(["over_at", "seq"]).execute();
    await db.schema
      .createTable("run_records")
      .addColumn("run", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("record_json", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("run_records_key", ["run", "version"])
      .execute();
  },
};
