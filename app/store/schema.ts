/** The tables, as Kysely knows them, and how they came to be. Columns that end in `_json` hold JSON text. */
import { type Generated, type Kysely, type Migration, sql } from "kysely";
import { type AgeColumns, agesMigration } from "./columns.ts";
import { effectsMigration } from "./effects.ts";
import { type GateTables, gatesMigration } from "./gates.ts";
import { type HoldTables, holdsMigration } from "./holds.ts";
import { type PolicyTables, policiesMigration } from "./policies.ts";
import { runIdsMigration } from "./run-ids.ts";
import { type RunTables, runsMigration } from "./runs.ts";
import { type StartTables, startsMigration } from "./started-runs.ts";

export interface Tables extends RunTables, StartTables, GateTables, PolicyTables, HoldTables {
  deliveries: {
    seq: Generated<number>;
    id: string;
    event: string;
    key: string;
    /** Empty once it is done. */
    payload: string;
    status: string;
    tries: number;
    next_at: number;
    error: string | null;
    received_at: number;
    done_at: number | null;
  };
  repositories: {
    id: number;
    node_id: string;
    installation_id: number | null;
    owner: string;
    name: string;
    /** `owner/name` in lower case. */
    full_name: string;
    default_branch: string;
    private: number;
  };
  pulls: {
    repository_id: number;
    number: number;
    installation_id: number | null;
    version: number;
    facts_json: string;
    open: number;
    head_sha: string;
    stage: string | null;
    shown_json: string | null;
    evaluation_json: string | null;
    look_at: number | null;
    look_tries: number;
    intent_json: string | null;
    intent_at: number | null;
    blocked_json: string | null;
    /** 1: its evaluation rests on who may do what; null: not known. */
    people: number | null;
  } & AgeColumns;
  history: {
    id: Generated<number>;
    repository_id: number;
    number: number;
    at: number;
    kind: string;
    from_stage: string | null;
    to_stage: string | null;
    actor_json: string | null;
    reason: string;
    evidence_json: string;
  };
  effects: {
    id: Generated<number>;
    key: string;
    repository_id: number;
    number: number;
    installation_id: number;
    kind: string;
    payload_json: string;
    status: string;
    tries: number;
    next_at: number;
    error: string | null;
    result_json: string | null;
    /** When it was done or given up. */
    done_at: number | null;
  };
  cache: { key: string; scope: string; value_json: string; at: number };
  meta: { key: string; value: string };
}

const first: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("deliveries")
      .addColumn("seq", "integer", (column) => column.primaryKey().autoIncrement())
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
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
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
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
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

/** What is shown of gates that do not apply, and of those on hold, is decided anew for all that are open. */
const gateChecksMigration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.createIndex("effects_kind").on("effects").columns(["repository_id", "kind"]).execute();
    await sql`update pulls set look_at = 0, look_tries = 0 where open = 1 and look_at is null`.execute(db);
  },
};

const peopleMigration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable("pulls").addColumn("people", "integer").execute();
  },
};

/** In the order they are applied. A migration that was released is never changed. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-first": first,
  "0002-runs": runsMigration,
  "0003-starts": startsMigration,
  "0004-gates": gatesMigration,
  "0005-effects": effectsMigration,
  "0006-policies": policiesMigration,
  "0007-holds": holdsMigration,
  "0008-ages": agesMigration,
  "0009-gate-checks": gateChecksMigration,
  "0010-people": peopleMigration,
  "0011-run-ids": runIdsMigration,
};
