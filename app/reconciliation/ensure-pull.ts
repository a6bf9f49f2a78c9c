import { lifecycleRepository } from "../../src/github/webhooks/webhook.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { changePull, newPull } from "../store/change-pull.ts";
import type { Repository } from "../store/model.ts";
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
  const id = { repositoryId: repository.id, number };
  const { installationId } = repository;
  const made = await changePull(store, id, now, (row) => {
    if (row !== null) {
      return null;
    }
    const pull = { installationId: installationId ?? 0, repository: lifecycleRepository(repository), number };
    const facts = record(null, { kind: "acts", pull, acts: [] });
    return { pull: { ...newPull(id, facts, installationId), reevaluateAt: now() } };
  });
  if (made !== null) {
    wakeups.notify("pulls");
  }
}
