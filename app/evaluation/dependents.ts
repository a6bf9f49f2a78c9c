/** What rests on where a pull request is, and is to be told when that changes. */
import { canonicalJson } from "../../src/plan/canonical.ts";
import { changePull, sooner } from "../store/change-pull.ts";
import type { Pull, Woken } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";

type Waking = Pick<Runtime, "store" | "now" | "wakeups">;

/** Whoever starts runs, and answers jobs that wait at an environment. */
export function tellWoken({ wakeups }: Pick<Runtime, "wakeups">, woken: Woken): void {
  if (woken.starts) {
    wakeups.notify("workflow-runs");
  }
  if (woken.gates) {
    wakeups.notify("deployment-gates");
  }
}

/** What is shown of others with the same head commit, now or until now, depends on where this one is. */
export async function tellSharers({ store, now, wakeups }: Waking, before: Pull, after: Pull): Promise<void> {
  const { sha } = after.facts.head;
  const shas = new Set((before.confirmed?.checks ?? []).map((check) => check.sha).filter((each) => each !== sha));
  if (canonicalJson(before.evaluation) !== canonicalJson(after.evaluation)) {
    shas.add(sha);
  }
  for (const headSha of shas) {
    for (const id of await store.pullIds({ repositoryId: after.repositoryId, headSha, open: true })) {
      if (id.number !== after.number) {
        await changePull(store, id, now, (row) =>
          row === null ? null : { pull: { ...row, reevaluateAt: sooner(row.reevaluateAt, now()) } },
        );
        wakeups.notify("pulls");
      }
    }
  }
}
