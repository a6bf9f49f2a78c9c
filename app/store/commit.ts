/** One commit over all tables: everything in it happens, or nothing of it. */
import type { Kysely, Transaction } from "kysely";
import { RowConflict } from "./conflict.ts";
import { inTransaction } from "./database/transaction.ts";
import type { Commit, Committed, PullId, Store, Woken } from "./model.ts";
import type { Tables } from "./schema.ts";
import { finishDeliveries } from "./tables/deliveries.ts";
import { addEffects, settleEffects } from "./tables/effects.ts";
import { gateStore, saveGate } from "./tables/gates.ts";
import { addHistory } from "./tables/history.ts";
import { writePull } from "./tables/pulls.ts";
import { putRepository } from "./tables/repositories.ts";
import { saveStart, startStore } from "./tables/started-runs.ts";

export function commitStore(db: Kysely<Tables>): Pick<Store, "commit"> {
  return {
    async commit(commit): Promise<Committed> {
      try {
        const woken = await inTransaction(db, (transaction) => write(transaction, commit));
        return woken === null ? { committed: true } : { committed: true, woken };
      } catch (error) {
        if (error instanceof RowConflict) {
          return { committed: false, conflict: error.id, what: error.what };
        }
        throw error;
      }
    },
  };
}

function byId(a: PullId, b: PullId): number {
  return a.repositoryId - b.repositoryId || a.number - b.number;
}

async function write(db: Transaction<Tables>, commit: Commit): Promise<Woken | null> {
  // In one order for all who write several: else two wait for each other.
  for (const each of (commit.pulls ?? []).toSorted(byId)) {
    await writePull(db, each);
  }
  await addHistory(db, commit.history ?? []);
  await addEffects(db, commit.effects ?? []);
  await settleEffects(db, commit.settled ?? [], commit.now);
  for (const each of commit.starts ?? []) {
    await saveStart(db, each);
  }
  for (const each of commit.gates ?? []) {
    await saveGate(db, each);
  }
  for (const each of commit.repositories ?? []) {
    await putRepository(db, each);
  }
  await finishDeliveries(db, commit.done ?? [], commit.now);
  return commit.wakes === undefined
    ? null
    : {
        starts: await startStore(db).wakePull(commit.wakes, commit.now),
        gates: await gateStore(db).wakePull(commit.wakes, commit.now),
      };
}
