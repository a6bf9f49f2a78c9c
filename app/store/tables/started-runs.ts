/** The table of workflow runs that we start, and the store over it. */
import type { Kysely, Selectable } from "kysely";
import { RowConflict } from "../conflict.ts";
import { lock } from "../database/dialect.ts";
import { inTransaction } from "../database/transaction.ts";
import { read, type StartDetail, written } from "../documents.ts";
import { isRefused, START_STATES, type StartedRun, type StartStore } from "../model.ts";
import type { Tables } from "../schema.ts";
import { repositoriesOf } from "./repositories.ts";

export function startStore(db: Kysely<Tables>): StartStore {
  const rows = () => db.selectFrom("started_runs").selectAll();
  return {
    async add(start, now) {
      const detail: StartDetail = {
        occasion: start.occasion,
        stage: start.stage,
        inputs: start.inputs,
        sha: start.sha,
        sentAt: null,
        firstSentAt: null,
        parked: "",
        sends: 0,
        runUrl: null,
        runStatus: null,
        runAt: null,
        attempt: 0,
        conclusion: null,
        note: "",
        cancel: null,
        cancelSent: false,
        check: null,
        tries: 0,
        pausedUntil: null,
        error: null,
      };
      await db
        .insertInto("started_runs")
        .values({
          key: start.key,
          repository_id: start.repositoryId,
          number: start.number,
          workflow: start.workflow,
          state: "queued",
          queued_at: now,
          run_id: null,
          run_limit: start.limit,
          next_at: now,
          ask_at: null,
          generation: 0,
          version: 1,
          detail_json: written("started_run", detail),
        })
        .onConflict((conflict) => conflict.column("key").doNothing())
        .execute();
    },
    async byKey(key) {
      const row = await rows().where("key", "=", key).executeTakeFirst();
      return row === undefined ? null : startedOf(row);
    },
    async ofPull(id) {
      const found = await rows()
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .orderBy("id")
        .execute();
      return found.map(startedOf);
    },
    async ofRun(repositoryId, runId) {
      const row = await rows().where("run_id", "=", runId).where("repository_id", "=", repositoryId).executeTakeFirst();
      return row === undefined ? null : startedOf(row);
    },
    async open(repositoryId, workflow) {
      const found = await rows()
        .where("repository_id", "=", repositoryId)
        .where("workflow", "=", workflow)
        .where("state", "!=", "done")
        .orderBy("id")
        .execute();
      return found.map(startedOf);
    },
    async claim(start, sentAt) {
      const others = (on: Kysely<Tables>, states: readonly string[]) =>
        on
          .selectFrom("started_runs as other")
          .select((eb) => eb.fn.countAll<number>().as("count"))
          .where("other.repository_id", "=", start.repositoryId)
          .where("other.workflow", "=", start.workflow)
          .where("other.state", "in", states);
      const sent: StartedRun = {
        ...start,
        sentAt,
        firstSentAt: start.firstSentAt ?? sentAt,
        sends: start.sends + 1,
      };
      return await inTransaction(db, async (transaction) => {
        // Those who claim another of the workflow's at the same time would count the same, and both go over the limit.
        await lock(transaction, `started runs of ${start.repositoryId}: ${start.workflow}`);
        const result = await transaction
          .updateTable("started_runs")
          .set({ state: "sent", detail_json: written("started_run", detailOf(sent)) })
          .where("id", "=", start.id)
          .where("version", "=", start.version)
          .where("state", "=", "queued")
          .where((eb) => eb(others(transaction, ["sent"]), "=", 0))
          .where((eb) =>
            start.limit === null ? eb.lit(true) : eb(others(transaction, ["sent", "running"]), "<", start.limit),
          )
          .executeTakeFirst();
        return Number(result.numUpdatedRows) === 1;
      });
    },
    async save(start) {
      return await writeStart(db, start);
    },
    async wakeAll(at, of) {
      await db
        .updateTable("started_runs")
        .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
        .where("state", "!=", "done")
        .$if(of !== undefined, (query) => query.where("repository_id", "in", repositoriesOf(db, of ?? null)))
        .execute();
    },
    async wakeRuns(repositoryId, at) {
      await db
        .updateTable("started_runs")
        .set((eb) => ({ next_at: at, ask_at: at, generation: eb("generation", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("state", "=", "running")
        .execute();
    },
    async retry(id, at) {
      const failed = (await this.ofPull(id)).filter(isRefused);
      await inTransaction(db, async (transaction) => {
        for (const start of failed) {
          const again = { state: "queued", conclusion: null, note: "", sends: 0, sentAt: null, tries: 0 } as const;
          const taken = await transaction
            .updateTable("started_runs")
            .set((eb) => ({ version: eb("version", "+", 1) }))
            .where("id", "=", start.id)
            .where("version", "=", start.version)
            .executeTakeFirst();
          if (Number(taken.numUpdatedRows) === 1) {
            await writeStart(transaction, { ...start, ...again, version: start.version + 1, nextAt: at });
          }
        }
      });
      return failed.length;
    },
    async prune(before, limit = 500) {
      const result = await db
        .deleteFrom("started_runs")
        .where("id", "in", (eb) =>
          eb
            .selectFrom("started_runs")
            .select("id")
            .where("state", "=", "done")
            .where("queued_at", "<", before)
            .orderBy("id")
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async wakePull(id, at) {
      const result = await db
        .updateTable("started_runs")
        .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .where("state", "!=", "done")
        .executeTakeFirst();
      return Number(result.numUpdatedRows) > 0;
    },
    async wakeQueue(repositoryId, workflow, at) {
      await db
        .updateTable("started_runs")
        .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("workflow", "=", workflow)
        .where("state", "=", "queued")
        .execute();
    },
    async wakeRun(repositoryId, runId, at) {
      const result = await db
        .updateTable("started_runs")
        .set((eb) => ({ next_at: at, ask_at: at, generation: eb("generation", "+", 1) }))
        .where("run_id", "=", runId)
        .where("repository_id", "=", repositoryId)
        .executeTakeFirst();
      return Number(result.numUpdatedRows) > 0;
    },
  };
}

/** @throws RowConflict when somebody else has taken it over */
export async function saveStart(db: Kysely<Tables>, start: StartedRun): Promise<void> {
  if (!(await writeStart(db, start))) {
    throw new RowConflict("start", start);
  }
}

/** False: somebody else has taken it over, and it is as that left it. */
async function writeStart(db: Kysely<Tables>, start: StartedRun): Promise<boolean> {
  const result = await db
    .updateTable("started_runs")
    .set((eb) => ({
      state: start.state,
      run_id: start.runId,
      detail_json: written("started_run", detailOf(start)),
      next_at: eb.case().when("generation", "=", start.generation).then(start.nextAt).else(eb.ref("next_at")).end(),
      ask_at: eb.case().when("generation", "=", start.generation).then(start.askAt).else(eb.ref("ask_at")).end(),
    }))
    .where("id", "=", start.id)
    .where("version", "=", start.version)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

function detailOf(start: StartedRun): StartDetail {
  const { id: _id, key: _key, repositoryId: _repository, number: _number, workflow: _workflow, ...rest } = start;
  const {
    state: _state,
    queuedAt: _queuedAt,
    runId: _runId,
    limit: _limit,
    nextAt: _nextAt,
    askAt: _askAt,
    generation: _generation,
    version: _version,
    ...detail
  } = rest;
  return detail;
}

export function startedOf(row: Selectable<Tables["started_runs"]>): StartedRun {
  const state = START_STATES.find((each) => each === row.state);
  if (state === undefined) {
    throw new Error(`The database holds a started run in the unknown state “${row.state}”.`);
  }
  // What an earlier version wrote does not say until when it is paused.
  const detail: Omit<StartDetail, "pausedUntil"> & { readonly pausedUntil?: number | null } = read(
    "started_run",
    row.detail_json,
  );
  return {
    ...detail,
    pausedUntil: detail.pausedUntil ?? null,
    id: row.id,
    version: row.version,
    key: row.key,
    repositoryId: row.repository_id,
    number: row.number,
    workflow: row.workflow,
    state,
    queuedAt: row.queued_at,
    runId: row.run_id,
    limit: row.run_limit,
    nextAt: row.next_at,
    askAt: row.ask_at,
    generation: row.generation,
  };
}
