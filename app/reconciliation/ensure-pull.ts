/** The one way in which a pull request becomes known, whoever names it first: a webhook, a sweep, a gate, a group. */
import { lifecycleRepository } from "../../src/github/webhooks/webhook.ts";
import type { PullKey } from "../../src/lifecycle/facts/change.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { changePull, newPull, type RowChange } from "../store/change-pull.ts";
import type { Pull, Repository, Store } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";

/**
 * Records a pull request that GitHub names and nobody told us of, with nothing known of it but that it exists: its first
 * evaluation, which is asked for, reads the rest. One that is known is left as it is.
 */
export async function ensurePull(
  { store, now, wakeups }: Pick<Runtime, "store" | "now" | "wakeups">,
  repository: Repository,
  number: number,
): Promise<void> {
  const made = await ensurePullWith(store, pullKeyOf(repository, number), repository.installationId, now, () => null);
  if (made !== null) {
    wakeups.notify("pulls");
  }
}

/**
 * The same, with what is learnt of it in the same write. `learn` gets the row, which is to be evaluated if it `isNew`,
 * and may leave it as it is (null), as `changePull`. Whoever calls it notifies those who evaluate.
 */
export async function ensurePullWith(
  store: Pick<Store, "pull" | "commit">,
  pull: PullKey,
  installationId: number | null,
  now: () => number,
  learn: (row: Pull, isNew: boolean) => RowChange | null,
): Promise<Pull | null> {
  const id = { repositoryId: pull.repository.id, number: pull.number };
  return await changePull(store, id, now, (row) => {
    if (row !== null) {
      return learn(row, false);
    }
    const facts = record(null, { kind: "acts", pull, acts: [] });
    const blank: Pull = { ...newPull(id, facts, installationId), reevaluateAt: now() };
    return learn(blank, true) ?? { pull: blank };
  });
}

export function pullKeyOf(repository: Repository, number: number): PullKey {
  return { installationId: repository.installationId ?? 0, repository: lifecycleRepository(repository), number };
}
