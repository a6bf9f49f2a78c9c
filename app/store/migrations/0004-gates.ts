/** Jobs that wait for an environment. */
import { type Kysely, type Migration, sql } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("waiting_gates")
      .addColumn("repository_id", "bigint", (column) => column.notNull())
      .addColumn("run_id", "bigint", (column) => column.notNull())
      .addColumn("environment", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("asked_at", "bigint", (column) => column.notNull())
      .addColumn("next_at", "bigint")
      .addColumn("ask_at", "bigint")
      .addColumn("news", "integer", (column) => column.notNull())
      .addColumn("detail_json", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("waiting_gates_key", ["repository_id", "run_id", "environment"])
      .execute();
    await db.schema
      .createIndex("waiting_gates_due")
      .on("waiting_gates")
      .column("next_at")
      .where(sql.ref("next_at"), "is not", sql.lit(null))
      .execute();
    await db.schema
      .createIndex("waiting_gates_waiting")
      .on("waiting_gates")
      .column("repository_id")
      .where(sql.ref("state"), "=", sql.lit("waiting"))
      .execute();
  },
};
