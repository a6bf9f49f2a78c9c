/** Merge groups that were evaluated, and that the queue may hold still: what their pull requests lose closes them again. */
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Store } from "../../store/model.ts";

/** The most that a queue's settings let the checks of a group take. */
const LONGEST_GROUP = 6 * 60 * 60_000;

/** Whether groups with this pull request may have to be shown otherwise. */
export function concernsGroups(before: Evaluation | null, after: Evaluation | null): boolean {
  return before?.stage !== after?.stage || before?.held?.why !== after?.held?.why;
}

/** Has the repository's groups evaluated again. Resolves with whether there are any. */
export async function reopenGroups(
  store: Pick<Store, "reopenEffects">,
  repositoryId: number,
  now: number,
): Promise<boolean> {
  return (await store.reopenEffects(repositoryId, "merge_group", now - LONGEST_GROUP, now)) > 0;
}
