/** Jobs that wait for an environment whose protection rule is ours: one row for each run and environment. */
import type { Kysely, Migration, Selectable } from "kysely";
import { sql } from "kysely";
import { stored } from "./json.ts";
import type { PullId } from "./model.ts";
import type { Tables } from "./schema.ts";

/** `gone`: nothing waits there any more (cancelled, or answered by somebody else). */
export const GATE_STATES = ["waiting", "approved", "rejected", "gone"] as const;
export type GateState = (typeof GATE_STATES)[number];

export interface NewGate {
  readonly repositoryId: number;
  readonly runId: string;
  readonly environment: string;
  /** As GitHub names it: `refs/pull/7/merge`, or a branch without `refs/heads/`. */
  readonly ref: string;
  /** What started the run (`pull_request`, `push`, …). */
  readonly event: string;
}

export interface WaitingGate extends NewGate {
  readonly state: GateState;
  readonly askedAt: number;
  /** The commit that the run is shown on, once GitHub was asked about the run. */
  readonly headSha: string | null;
  readonly runUrl: string | null;
  /** The run's commit is in another repository. */
  readonly fork: boolean;
  /** Pull requests that decide about it. */
  readonly pulls: readonly number[];
  /** What GitHub was last told of why it waits; empty: nothing. */
  readonly said: string;
  /** How many such comments; GitHub takes ten. */
  readonly comments: number;
  /** The verdict that was sent and may have been taken, although its answer was lost. */
  readonly sent: "approved" | "rejected" | null;
  readonly reason: string;
  readonly askAt: number | null;
  readonly nextAt: number | null;
  readonly tries: number;
  readonly error: string | null;
  /** Counts what has been heard of it. */
  readonly news: number;
}

export interface GateStore {
  /** GitHub asks: it waits now. Told twice, it still waits once. */
  asked(gate: NewGate, now: number): Promise<void>;
  due(until: number, limit: number): Promise<readonly WaitingGate[]>;
  nextAt(): Promise<number | null>;
  ofRun(repositoryId: number, runId: string): Promise<readonly WaitingGate[]>;
  waiting(repositoryId: number): Promise<readonly WaitingGate[]>;
  /** Writes it, unless GitHub has asked anew. If something was heard of it since it was read, it stays due. */
  save(gate: WaitingGate): Promise<void>;
  /** All that wait in the repository are looked at. */
  wake(repositoryId: number, at: number): Promise<void>;
  /** Something about the pull request is new: those that may belong to it are looked at. */
  wakePull(pull: PullId & { readonly headSha: string }, at: number): Promise<void>;
  /** All that wait are looked at. */
  wakeAll(at: number): Promise<void>;
  /** Forgets those that were answered, or are gone, and were asked for before this, at most `limit` (default 500). */
  prune(before: number, limit?: number): Promise<number>;
  /** Whether jobs have ever waited there. */
  known(repositoryId: number): Promise<boolean>;
  /** Something about the run is new: GitHub is asked. */
  wakeRun(repositoryId: number, runId: string, at: number): Promise<void>;
}

export interface GateTables {
  waiting_gates: {
    repository_id: number;
    run_id: string;
    environment: string;
    state: string;
    asked_at: number;
    next_at: number | null;
    ask_at: number | null;
    news: number;
    detail_json: string;
  };
}

export const gatesMigration: Migration = {
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

/** What no query asks for. */
type Detail = Omit<
  WaitingGate,
  "repositoryId" | "runId" | "environment" | "state" | "askedAt" | "nextAt" | "askAt" | "news"
>;

export function gateStore(db: Kysely<Tables>): GateStore {
  const rows = () => db.selectFrom("waiting_gates").selectAll();
  return {
    async asked(gate, now) {
      const detail: Detail = {
        ref: gate.ref,
        event: gate.event,
        headSha: null,
        runUrl: null,
        fork: false,
        pulls: [],
        said: "",
        comments: 0,
        sent: null,
        reason: "",
        tries: 0,
        error: null,
      };
      const fresh = { state: "waiting", asked_at: now, detail_json: JSON.stringify(detail) };
      const key = { repository_id: gate.repositoryId, run_id: gate.runId, environment: gate.environment };
      await db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("waiting_gates")
          .values({ ...key, ...fresh, next_at: now, ask_at: now, news: 0 })
          .onConflict((conflict) =>
            conflict.columns(["repository_id", "run_id", "environment"]).doUpdateSet((eb) => ({
              next_at: now,
              ask_at: now,
              news: eb("waiting_gates.news", "+", 1),
            })),
          )
          .execute();
        // Another job of the run, or another attempt: what was said of the one before is over.
        await transaction
          .updateTable("waiting_gates")
          .set(fresh)
          .where("repository_id", "=", key.repository_id)
          .where("run_id", "=", key.run_id)
          .where("environment", "=", key.environment)
          .where("state", "!=", "waiting")
          .execute();
      });
    },
    async due(until, limit) {
      const found = await rows()
        .where("next_at", "is not", null)
        .where("next_at", "<=", until)
        .orderBy("next_at")
        .limit(limit)
        .execute();
      return found.map(gate);
    },
    async nextAt() {
      const row = await db
        .selectFrom("waiting_gates")
        .select("next_at")
        .where("next_at", "is not", null)
        .orderBy("next_at")
        .limit(1)
        .executeTakeFirst();
      return row?.next_at ?? null;
    },
    async ofRun(repositoryId, runId) {
      const found = await rows()
        .where("repository_id", "=", repositoryId)
        .where("run_id", "=", runId)
        .orderBy("environment")
        .execute();
      return found.map(gate);
    },
    async waiting(repositoryId) {
      const found = await rows()
        .where("repository_id", "=", repositoryId)
        .where("state", "=", "waiting")
        .orderBy("asked_at")
        .orderBy("run_id")
        .orderBy("environment")
        .execute();
      return found.map(gate);
    },
    async save(each) {
      await saveGate(db, each);
    },
    async wakeAll(at) {
      await db
        .updateTable("waiting_gates")
        .set((eb) => ({ next_at: at, news: eb("news", "+", 1) }))
        .where("state", "=", "waiting")
        .execute();
    },
    async prune(before, limit = 500) {
      const old = db
        .selectFrom("waiting_gates")
        .select(["repository_id", "run_id", "environment"])
        .where("state", "!=", "waiting")
        .where("asked_at", "<", before)
        .limit(limit);
      const result = await db
        .deleteFrom("waiting_gates")
        .where((eb) =>
          eb(
            eb.refTuple("repository_id", "run_id", "environment"),
            "in",
            old.$asTuple("repository_id", "run_id", "environment"),
          ),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async known(repositoryId) {
      const row = await db
        .selectFrom("waiting_gates")
        .select("run_id")
        .where("repository_id", "=", repositoryId)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
    async wake(repositoryId, at) {
      await db
        .updateTable("waiting_gates")
        .set((eb) => ({ next_at: at, news: eb("news", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("state", "=", "waiting")
        .execute();
    },
    async wakePull({ repositoryId, number, headSha }, at) {
      const waiting = await rows().where("repository_id", "=", repositoryId).where("state", "=", "waiting").execute();
      // Whose it is, is known once it was looked at; a commit may become another pull request's head later.
      const concerned = waiting
        .map(gate)
        .filter(({ pulls, headSha: sha }) => pulls.length === 0 || pulls.includes(number) || sha === headSha);
      for (const { runId, environment } of concerned) {
        await db
          .updateTable("waiting_gates")
          .set((eb) => ({ next_at: at, news: eb("news", "+", 1) }))
          .where("repository_id", "=", repositoryId)
          .where("run_id", "=", runId)
          .where("environment", "=", environment)
          .where("state", "=", "waiting")
          .execute();
      }
    },
    async wakeRun(repositoryId, runId, at) {
      await db
        .updateTable("waiting_gates")
        .set((eb) => ({ next_at: at, ask_at: at, news: eb("news", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("run_id", "=", runId)
        .where("state", "=", "waiting")
        .execute();
    },
  };
}

export async function saveGate(db: Kysely<Tables>, each: WaitingGate): Promise<void> {
  const { repositoryId, runId, environment, state, askedAt, nextAt, askAt, news, ...detail } = each;
  await db
    .updateTable("waiting_gates")
    .set((eb) => ({
      state,
      detail_json: JSON.stringify(detail satisfies Detail),
      next_at: eb.case().when("news", "=", news).then(nextAt).else(eb.ref("next_at")).end(),
      ask_at: eb.case().when("news", "=", news).then(askAt).else(eb.ref("ask_at")).end(),
    }))
    .where("repository_id", "=", repositoryId)
    .where("run_id", "=", runId)
    .where("environment", "=", environment)
    .where("asked_at", "=", askedAt)
    .execute();
}

function gate(row: Selectable<Tables["waiting_gates"]>): WaitingGate {
  const state = GATE_STATES.find((each) => each === row.state);
  if (state === undefined) {
    throw new Error(`The database holds a gate in the unknown state “${row.state}”.`);
  }
  return {
    ...stored<Detail>(row.detail_json),
    repositoryId: row.repository_id,
    runId: row.run_id,
    environment: row.environment,
    state,
    askedAt: row.asked_at,
    nextAt: row.next_at,
    askAt: row.ask_at,
    news: row.news,
  };
}
