/**
 * GitHub's ids of runs, reviews, comments and check runs were numbers once: how what is stored of them becomes text.
 * See docs/decisions/gh-0002-ids-are-text.md.
 */
import { type Kysely, type Migration, sql } from "kysely";
import { freeConstraint } from "../database/dialect.ts";

/** Pull requests that are rewritten at once. */
const PAGE = 200;

type Stored = {
  pulls: { repository_id: number; number: number; facts_json: string };
  effects: { id: number; kind: string; payload_json: string; status: string };
  started_runs: { id: number; detail_json: string };
};

export const migration: Migration = {
  up: async (given: Kysely<unknown>) => {
    const db = given.withTables<Stored>();
    await startsWithText(given);
    await gatesWithText(given);
    await rewritePulls(db);
    const effects = await db
      .selectFrom("effects")
      .select(["id", "payload_json as text"])
      .where("status", "!=", "done")
      .where("kind", "=", "answer")
      .execute();
    for (const { id, text } of effects) {
      await db
        .updateTable("effects")
        .set({ payload_json: withTextActs(text) })
        .where("id", "=", id)
        .execute();
    }
    const starts = await db.selectFrom("started_runs").select(["id", "detail_json as text"]).execute();
    for (const { id, text } of starts) {
      await db
        .updateTable("started_runs")
        .set({ detail_json: withTextCheck(text) })
        .where("id", "=", id)
        .execute();
    }
  },
};

async function startsWithText(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex("started_runs_run").execute();
  await db.schema.alterTable("started_runs").renameColumn("run_id", "run_number").execute();
  await db.schema.alterTable("started_runs").addColumn("run_id", "text").execute();
  await sql`update started_runs set run_id = cast(run_number as text)`.execute(db);
  await db.schema.alterTable("started_runs").dropColumn("run_number").execute();
  await db.schema.createIndex("started_runs_run").on("started_runs").columns(["run_id", "repository_id"]).execute();
}

/** The id is part of the table's key, so the table is made anew. */
async function gatesWithText(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex("waiting_gates_due").execute();
  await db.schema.dropIndex("waiting_gates_waiting").execute();
  await db.schema.alterTable("waiting_gates").renameTo("numbered_gates").execute();
  await freeConstraint(db, "numbered_gates", "waiting_gates_key");
  await db.schema
    .createTable("waiting_gates")
    .addColumn("repository_id", "bigint", (column) => column.notNull())
    .addColumn("run_id", "text", (column) => column.notNull())
    .addColumn("environment", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("asked_at", "bigint", (column) => column.notNull())
    .addColumn("next_at", "bigint")
    .addColumn("ask_at", "bigint")
    .addColumn("news", "integer", (column) => column.notNull())
    .addColumn("detail_json", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("waiting_gates_key", ["repository_id", "run_id", "environment"])
    .execute();
  const rest = sql.raw("environment, state, asked_at, next_at, ask_at, news, detail_json");
  await sql`insert into waiting_gates (repository_id, run_id, ${rest})
    select repository_id, cast(run_id as text), ${rest} from numbered_gates`.execute(db);
  await db.schema.dropTable("numbered_gates").execute();
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
}

async function rewritePulls(db: Kysely<Stored>): Promise<void> {
  let last = { repository_id: 0, number: 0 };
  for (;;) {
    const rows = await db
      .selectFrom("pulls")
      .select(["repository_id", "number", "facts_json as text"])
      .where((eb) =>
        eb.or([
          eb("repository_id", ">", last.repository_id),
          eb.and([eb("repository_id", "=", last.repository_id), eb("number", ">", last.number)]),
        ]),
      )
      .orderBy("repository_id")
      .orderBy("number")
      .limit(PAGE)
      .execute();
    for (const { repository_id, number, text } of rows) {
      const facts = withTextIds(text);
      if (facts !== text) {
        await db
          .updateTable("pulls")
          .set({ facts_json: facts })
          .where("repository_id", "=", repository_id)
          .where("number", "=", number)
          .execute();
      }
    }
    const end = rows.at(-1);
    if (end === undefined) {
      return;
    }
    last = end;
  }
}

/** Of acts, and of the origins of runs. */
function withTextIds(text: string): string {
  return JSON.stringify(
    JSON.parse(text, (key, value: unknown) =>
      typeof value === "number" && (key === "runId" || key === "reviewId" || key === "commentId") ? `${value}` : value,
    ),
  );
}

/** The payload of an answer holds acts as JSON within JSON. */
function withTextActs(text: string): string {
  return JSON.stringify(
    JSON.parse(withTextIds(text), (key, value: unknown) =>
      typeof value === "string" && key === "act" ? withTextIds(value) : value,
    ),
  );
}

/** 0 stood for a check run that could not be made. */
function withTextCheck(text: string): string {
  return JSON.stringify(
    JSON.parse(text, (key, value: unknown) => {
      const check = key === "check" && typeof value === "object" && value !== null && "id" in value ? value : null;
      return check === null || typeof check.id !== "number"
        ? value
        : { ...check, id: check.id === 0 ? null : `${check.id}` };
    }),
  );
}
