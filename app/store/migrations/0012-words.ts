/**
 * The last names: columns, kinds and keys are called what they mean, each row that more than one may write has a
 * version, and what is large has rows of its own. From here on columns are only added.
 */
import { type Kysely, type Migration, sql } from "kysely";
import { freeConstraint, numberOn, rowNumber, rowNumberType } from "../database/dialect.ts";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await narrowPulls(db);
    await payloadsApart(db);
    await effects(db);
    await startedRuns(db);
    await gates(db);
    await db.schema.alterTable("policies").renameColumn("news", "generation").execute();
    await db.schema.alterTable("policies").renameColumn("news_read", "observed_generation").execute();
    await sql`update meta set key = replace(key, 'watched since:', 'installed since:')
      where key like 'watched since:%'`.execute(db);
    // Its values were written in the words of before, and can be asked for again.
    await sql`delete from cache`.execute(db);
  },
};

async function narrowPulls(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("pull_documents")
    .addColumn("repository_id", "bigint", (column) => column.notNull())
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("document_json", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("pull_documents_key", ["repository_id", "number", "kind"])
    .execute();
  for (const [kind, column] of [
    ["facts", "facts_json"],
    ["confirmed", "shown_json"],
    ["evaluation", "evaluation_json"],
  ] as const) {
    await sql`insert into pull_documents (repository_id, number, kind, document_json)
      select repository_id, number, ${sql.lit(kind)}, ${sql.ref(column)} from pulls
      where ${sql.ref(column)} is not null`.execute(db);
  }
  await freeConstraint(db, "pulls", "pulls_key");
  await db.schema
    .createTable("narrow_pulls")
    .addColumn("repository_id", "bigint", (column) => column.notNull())
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("installation_id", "bigint")
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("open", "integer", (column) => column.notNull())
    .addColumn("head_sha", "text", (column) => column.notNull())
    .addColumn("stage", "text")
    .addColumn("reevaluate_at", "bigint")
    .addColumn("reevaluation_tries", "integer", (column) => column.notNull())
    .addColumn("intent_at", "bigint")
    .addColumn("overdue_at", "bigint")
    .addColumn("closed_at", "bigint")
    .addColumn("people", "integer")
    .addColumn("intent_json", "text")
    .addColumn("blocked_json", "text")
    .addPrimaryKeyConstraint("pulls_key", ["repository_id", "number"])
    .execute();
  const same = sql.raw("repository_id, number, installation_id, version, open, head_sha, stage");
  await sql`insert into narrow_pulls (${same}, reevaluate_at, reevaluation_tries, intent_at, overdue_at, closed_at, people, intent_json, blocked_json)
    select ${same}, look_at, look_tries, intent_at, due_at, closed_at, people, intent_json, blocked_json from pulls`.execute(
    db,
  );
  await db.schema.dropTable("pulls").execute();
  await db.schema.alterTable("narrow_pulls").renameTo("pulls").execute();
  // In the order that is asked for, so that none of the repository's other pull requests is read.
  await db.schema.createIndex("pulls_head").on("pulls").columns(["repository_id", "head_sha", "number"]).execute();
  await db.schema
    .createIndex("pulls_reevaluate")
    .on("pulls")
    .columns(["installation_id", "reevaluate_at", "repository_id", "number"])
    .where(sql.ref("reevaluate_at"), "is not", sql.lit(null))
    .execute();
  await db.schema
    .createIndex("pulls_reevaluate_first")
    .on("pulls")
    .column("reevaluate_at")
    .where(sql.ref("reevaluate_at"), "is not", sql.lit(null))
    .execute();
  await db.schema
    .createIndex("pulls_intent")
    .on("pulls")
    .columns(["installation_id", "intent_at"])
    .where(sql.ref("intent_at"), "is not", sql.lit(null))
    .execute();
  await db.schema
    .createIndex("pulls_overdue")
    .on("pulls")
    .columns(["overdue_at", "repository_id", "number"])
    .where(sql.ref("overdue_at"), "is not", sql.lit(null))
    .execute();
  await db.schema
    .createIndex("pulls_closed")
    .on("pulls")
    .column("closed_at")
    .where(sql.ref("closed_at"), "is not", sql.lit(null))
    .execute();
  await db.schema
    .createIndex("pulls_open")
    .on("pulls")
    .columns(["repository_id", "number", "stage"])
    .where(sql.ref("open"), "=", sql.lit(1))
    .execute();
  await db.schema
    .createIndex("pulls_blocked")
    .on("pulls")
    .columns(["repository_id", "number"])
    .where(sql.ref("blocked_json"), "is not", sql.lit(null))
    .execute();
}

/** A payload that is emptied in place leaves a page that nothing else fits into. */
async function payloadsApart(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("delivery_payloads")
    .addColumn("seq", rowNumberType(db), (column) => column.primaryKey())
    .addColumn("payload", "text", (column) => column.notNull())
    .execute();
  await sql`insert into delivery_payloads (seq, payload) select seq, payload from deliveries where status != 'done'`.execute(
    db,
  );
  await db.schema.dropIndex("deliveries_open").execute();
  await db.schema.alterTable("deliveries").renameTo("wide_deliveries").execute();
  await db.schema
    .createTable("deliveries")
    .addColumn("seq", ...rowNumber(db))
    .addColumn("id", "text", (column) => column.notNull().unique())
    .addColumn("event", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("tries", "integer", (column) => column.notNull())
    .addColumn("next_at", "bigint", (column) => column.notNull())
    .addColumn("error", "text")
    .addColumn("received_at", "bigint", (column) => column.notNull())
    .addColumn("done_at", "bigint")
    .execute();
  const all = sql.raw("seq, id, event, key, status, tries, next_at, error, received_at, done_at");
  await sql`insert into deliveries (${all}) select ${all} from wide_deliveries`.execute(db);
  await numberOn(db, "deliveries", "seq");
  await db.schema.dropTable("wide_deliveries").execute();
  await db.schema
    .createIndex("deliveries_open")
    .on("deliveries")
    .columns(["status", "seq"])
    .where(sql.ref("status"), "!=", sql.lit("done"))
    .execute();
  await db.schema
    .createIndex("deliveries_done")
    .on("deliveries")
    .column("done_at")
    .where(sql.ref("status"), "=", sql.lit("done"))
    .execute();
}

async function effects(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("effects")
    .addColumn("version", "integer", (column) => column.notNull().defaultTo(1))
    .execute();
  for (const [before, after] of [
    ["trouble", "failure_report"],
    ["press", "button"],
    ["closing", "hold_progress"],
  ] as const) {
    // A key is known by the kind that made it, so that what was done is not done again.
    await sql`update effects set kind = ${after}, key = replace(key, ${`-${before}`}, ${`-${after}`})
      where kind = ${before}`.execute(db);
  }
  await db.schema.dropIndex("effects_pending").execute();
  await db.schema.dropIndex("effects_due").execute();
  await db.schema
    .createIndex("effects_pending")
    .on("effects")
    .columns(["installation_id", "repository_id", "next_at", "id"])
    .where(sql.ref("status"), "=", sql.lit("pending"))
    .execute();
  await db.schema
    .createIndex("effects_next")
    .on("effects")
    .columns(["installation_id", "next_at"])
    .where(sql.ref("status"), "=", sql.lit("pending"))
    .execute();
  await db.schema
    .createIndex("effects_ended")
    .on("effects")
    .columns(["status", "done_at"])
    .where(sql.ref("status"), "!=", sql.lit("pending"))
    .execute();
}

async function startedRuns(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.alterTable("started_runs");
  await table.renameColumn("news", "generation").execute();
  await table.renameColumn("most", "run_limit").execute();
  await table.addColumn("version", "integer", (column) => column.notNull().defaultTo(1)).execute();
}

async function gates(db: Kysely<unknown>): Promise<void> {
  const table = db.schema.alterTable("waiting_gates");
  await table.renameColumn("news", "generation").execute();
  await table.addColumn("version", "integer", (column) => column.notNull().defaultTo(1)).execute();
}
