/** What waits for a pull request (runs that are to be started, jobs at an environment) looks at it again. */
import type { PullId } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";

/** Something about the pull request is new: where it is, or what GitHub shows of it. */
export async function wakeDependents(
  { store, now, wakeups }: Pick<Runtime, "store" | "now" | "wakeups">,
  { repositoryId, number }: PullId,
  headSha: string,
): Promise<void> {
  await store.starts.wakePull({ repositoryId, number }, now());
  await store.gates.wakePull({ repositoryId, number, headSha }, now());
  wakeups.notify("workflow-runs");
  wakeups.notify("deployment-gates");
}
