/** Deliveries, repositories, pull requests with their history, effects, what may be asked again, single values. */
import { type Kysely, type Migration, sql } from "kysely";
import { rowNumber } from "../database/dialect.ts";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("deliveries")
      .addColumn("seq", ...rowNumber(db))
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("event", "text", (column) => column.notNull())
      .addColumn("key", "text", (column) => column.notNull())
      .addColumn("payload", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("tries", "integer", (column) => column.notNull())
      .addColumn("next_at", "bigint", (column) => column.notNull())
      .addColumn("error", "text")
      .addColumn("received_at", "bigint", (column) => column.notNull())
      .addColumn("done_at", "bigint")
      .execute();
    // Done deliveries are many and never asked for by status: they stay out of the index.
    await db.schema
      .createIndex("deliveries_open")
      .on("deliveries")
      .columns(["status", "seq"])
      .where(sql.ref("status"), "!=", sql.lit("done"))
      .execute();
    await db.schema
      .createTable("repositories")
      .addColumn("id", "bigint", (column) => column.primaryKey())
      .addColumn("node_id", "text", (column) => column.notNull())
      .addColumn("installation_id", "bigint")
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("full_name", "text", (column) => column.notNull())
      .addColumn("default_branch", "text", (column) => column.notNull())
      .addColumn("private", "integer", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("repositories_name").on("repositories").column("full_name").execute();
    await db.schema.createIndex("repositories_installation").on("repositories").column("installation_id").execute();
    await db.schema
      .createTable("pulls")
      .addColumn("repository_id", "bigint", (column) => column.notNull())
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("installation_id", "bigint")
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("facts_json", "text", (column) => column.notNull())
      .addColumn("open", "integer", (column) => column.notNull())
      .addColumn("head_sha", "text", (column) => column.notNull())
      .addColumn("stage", "text")
      .addColumn("shown_json", "text")
      .addColumn("evaluation_json", "text")
      .addColumn("look_at", "bigint")
      .addColumn("look_tries", "integer", (column) => column.notNull())
      .addColumn("intent_json", "text")
      .addColumn("intent_at", "bigint")
      .addColumn("blocked_json", "text")
      .addPrimaryKeyConstraint("pulls_key", ["repository_id", "number"])
      .execute();
    await db.schema.createIndex("pulls_head").on("pulls").columns(["head_sha", "repository_id"]).execute();
    await db.schema
      .createIndex("pulls_look")
      .on("pulls")
      .column("look_at")
      .where(sql.ref("look_at"), "is not", sql.lit(null))
      .execute();
    await db.schema
      .createIndex("pulls_intent")
      .on("pulls")
      .columns(["installation_id", "intent_at"])
      .where(sql.ref("intent_at"), "is not", sql.lit(null))
      .execute();
    await db.schema
      .createTable("history")
      .addColumn("id", ...rowNumber(db))
      .addColumn("repository_id", "bigint", (column) => column.notNull())
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("from_stage", "text")
      .addColumn("to_stage", "text")
      .addColumn("actor_json", "text")
      .addColumn("reason", "text", (column) => column.notNull())
      .addColumn("evidence_json", "text", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("history_pull").on("history").columns(["repository_id", "number", "id"]).execute();
    await db.schema
      .createTable("effects")
      .addColumn("id", ...rowNumber(db))
      .addColumn("key", "text", (column) => column.notNull().unique())
      .addColumn("repository_id", "bigint", (column) => column.notNull())
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("installation_id", "bigint", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("payload_json", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("tries", "integer", (column) => column.notNull())
      .addColumn("next_at", "bigint", (column) => column.notNull())
      .addColumn("error", "text")
      .addColumn("result_json", "text")
      .execute();
    await db.schema.createIndex("effects_due").on("effects").columns(["status", "next_at"]).execute();
    await db.schema.createIndex("effects_pull").on("effects").columns(["repository_id", "number"]).execute();
    await db.schema
      .createTable("cache")
      .addColumn("key", "text", (column) => column.primaryKey())
      .addColumn("scope", "text", (column) => column.notNull())
      .addColumn("value_json", "text", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("cache_scope").on("cache").column("scope").execute();
    await db.schema
      .createTable("meta")
      .addColumn("key", "text", (column) => column.primaryKey())
      .addColumn("value", "text", (column) => column.notNull())
      .execute();
  },
};
