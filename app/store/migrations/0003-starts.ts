/** Workflow runs that are started for pull requests. */
import { type Kysely, type Migration, sql } from "kysely";
import { rowNumber } from "../database/dialect.ts";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("started_runs")
      .addColumn("id", ...rowNumber(db))
      .addColumn("key", "text", (column) => column.notNull().unique())
      .addColumn("repository_id", "bigint", (column) => column.notNull())
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("workflow", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("queued_at", "bigint", (column) => column.notNull())
      .addColumn("run_id", "bigint")
      .addColumn("most", "integer")
      .addColumn("next_at", "bigint")
      .addColumn("ask_at", "bigint")
      .addColumn("news", "integer", (column) => column.notNull())
      .addColumn("detail_json", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("started_runs_due")
      .on("started_runs")
      .column("next_at")
      .where(sql.ref("next_at"), "is not", sql.lit(null))
      .execute();
    await db.schema.createIndex("started_runs_pull").on("started_runs").columns(["repository_id", "number"]).execute();
    await db.schema.createIndex("started_runs_run").on("started_runs").columns(["run_id", "repository_id"]).execute();
    await db.schema
      .createIndex("started_runs_open")
      .on("started_runs")
      .columns(["repository_id", "workflow", "id"])
      .where(sql.ref("state"), "!=", sql.lit("done"))
      .execute();
  },
};
