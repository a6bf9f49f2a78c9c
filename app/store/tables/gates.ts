/** Jobs that wait for an environment whose protection rule is ours: one row for each run and environment. */
import type { Kysely, Selectable } from "kysely";
import { RowConflict } from "../conflict.ts";
import { inTransaction } from "../database/transaction.ts";
import { type GateDetail, read, written } from "../documents.ts";
import { GATE_STATES, type GateStore, type WaitingGate } from "../model.ts";
import type { Tables } from "../schema.ts";
import { repositoriesOf } from "./repositories.ts";

export function gateStore(db: Kysely<Tables>): GateStore {
  const rows = () => db.selectFrom("waiting_gates").selectAll();
  return {
    async asked(gate, now) {
      const detail: GateDetail = {
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
      const fresh = { state: "waiting", asked_at: now, detail_json: written("gate", detail) };
      const key = { repository_id: gate.repositoryId, run_id: gate.runId, environment: gate.environment };
      await inTransaction(db, async (transaction) => {
        await transaction
          .insertInto("waiting_gates")
          .values({ ...key, ...fresh, next_at: now, ask_at: now, generation: 0, version: 1 })
          .onConflict((conflict) =>
            conflict.columns(["repository_id", "run_id", "environment"]).doUpdateSet((eb) => ({
              next_at: now,
              ask_at: now,
              generation: eb("waiting_gates.generation", "+", 1),
            })),
          )
          .execute();
        // Another job of the run, or another attempt: what was said of the one before is over.
        await transaction
          .updateTable("waiting_gates")
          .set((eb) => ({ ...fresh, version: eb("version", "+", 1) }))
          .where("repository_id", "=", key.repository_id)
          .where("run_id", "=", key.run_id)
          .where("environment", "=", key.environment)
          .where("state", "!=", "waiting")
          .execute();
      });
    },
    async ofRun(repositoryId, runId) {
      const found = await rows()
        .where("repository_id", "=", repositoryId)
        .where("run_id", "=", runId)
        .orderBy("environment")
        .execute();
      return found.map(gateOf);
    },
    async waiting(repositoryId) {
      const found = await rows()
        .where("repository_id", "=", repositoryId)
        .where("state", "=", "waiting")
        .orderBy("asked_at")
        .orderBy("run_id")
        .orderBy("environment")
        .execute();
      return found.map(gateOf);
    },
    async save(each) {
      return await writeGate(db, each);
    },
    async wakeAll(at, of) {
      await db
        .updateTable("waiting_gates")
        .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
        .where("state", "=", "waiting")
        .$if(of !== undefined, (query) => query.where("repository_id", "in", repositoriesOf(db, of ?? null)))
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
        .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("state", "=", "waiting")
        .execute();
    },
    async wakePull({ repositoryId, number, headSha }, at) {
      const waiting = await rows().where("repository_id", "=", repositoryId).where("state", "=", "waiting").execute();
      // Whose it is, is known once it was looked at; a commit may become another pull request's head later.
      const concerned = waiting
        .map(gateOf)
        .filter(({ pulls, headSha: sha }) => pulls.length === 0 || pulls.includes(number) || sha === headSha);
      for (const { runId, environment } of concerned) {
        await db
          .updateTable("waiting_gates")
          .set((eb) => ({ next_at: at, generation: eb("generation", "+", 1) }))
          .where("repository_id", "=", repositoryId)
          .where("run_id", "=", runId)
          .where("environment", "=", environment)
          .where("state", "=", "waiting")
          .execute();
      }
      return concerned.length > 0;
    },
    async wakeRun(repositoryId, runId, at) {
      await db
        .updateTable("waiting_gates")
        .set((eb) => ({ next_at: at, ask_at: at, generation: eb("generation", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .where("run_id", "=", runId)
        .where("state", "=", "waiting")
        .execute();
    },
  };
}

/** @throws RowConflict when GitHub has asked anew */
export async function saveGate(db: Kysely<Tables>, each: WaitingGate): Promise<void> {
  if (!(await writeGate(db, each))) {
    throw new RowConflict("gate", { repositoryId: each.repositoryId, number: each.pulls[0] ?? 0 });
  }
}

async function writeGate(db: Kysely<Tables>, each: WaitingGate): Promise<boolean> {
  const {
    repositoryId,
    runId,
    environment,
    state,
    askedAt: _askedAt,
    nextAt,
    askAt,
    generation,
    version,
    ...detail
  } = each;
  const result = await db
    .updateTable("waiting_gates")
    .set((eb) => ({
      state,
      detail_json: written("gate", detail),
      next_at: eb.case().when("generation", "=", generation).then(nextAt).else(eb.ref("next_at")).end(),
      ask_at: eb.case().when("generation", "=", generation).then(askAt).else(eb.ref("ask_at")).end(),
    }))
    .where("repository_id", "=", repositoryId)
    .where("run_id", "=", runId)
    .where("environment", "=", environment)
    .where("version", "=", version)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

export function gateOf(row: Selectable<Tables["waiting_gates"]>): WaitingGate {
  const state = GATE_STATES.find((each) => each === row.state);
  if (state === undefined) {
    throw new Error(`The database holds a gate in the unknown state “${row.state}”.`);
  }
  return {
    ...read("gate", row.detail_json),
    repositoryId: row.repository_id,
    runId: row.run_id,
    environment: row.environment,
    state,
    askedAt: row.asked_at,
    nextAt: row.next_at,
    askAt: row.ask_at,
    generation: row.generation,
    version: row.version,
  };
}
