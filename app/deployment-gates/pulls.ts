/** Which pull requests a waiting job belongs to: by the run that we started, by its ref, else by its commit. */
import { ensurePull } from "../reconciliation/ensure-pull.ts";
import type { WaitingGate } from "../store/model.ts";
import type { Runtime } from "../work/runtime.ts";

export interface Concerned {
  readonly number: number;
  /** The commit that the job is about; null: none of the pull request's own. */
  readonly sha: string | null;
}

type PullsRuntime = Pick<Runtime, "store" | "now" | "wakeups">;

const PULL_REF = /^refs\/pull\/(\d{1,10})\/(?:merge|head)$/u;
const QUEUE_REF = /^(?:refs\/heads\/)?gh-readonly-queue\/.+\/pr-(\d{1,10})-[0-9a-f]{7,64}$/u;

/**
 * None: it belongs to none that is known. A pull request that GitHub names and nobody told us of is taken up; it is
 * evaluated then. What a payload lists is not believed: it leaves out those of forks, and it may be out of date.
 */
export async function pullsOf(gate: WaitingGate, runtime: PullsRuntime): Promise<Concerned[]> {
  const { store } = runtime;
  const { repositoryId, runId, ref, event, headSha } = gate;
  const started = await store.starts.ofRun(repositoryId, runId);
  if (started !== null) {
    return [{ number: started.number, sha: started.sha }];
  }
  const named = PULL_REF.exec(ref)?.[1];
  // Whoever may push may give a branch such a name: only a merge queue's own event vouches for it.
  const queued = event === "merge_group" ? QUEUE_REF.exec(ref)?.[1] : undefined;
  const number = Number(named ?? queued ?? 0);
  if (number > 0) {
    const repository = await store.repository(repositoryId);
    if (repository !== null) {
      await ensurePull(runtime, repository, number);
    }
    return [{ number, sha: queued === undefined ? headSha : null }];
  }
  const sha = headSha ?? "";
  const ids = sha === "" ? [] : await store.pullIds({ repositoryId, headSha: sha });
  // Once it was a pull request's head, it belongs to that one: a push makes it out of date, not free.
  const numbers = new Set([...gate.pulls, ...ids.map((each) => each.number)]);
  return [...numbers].map((each) => ({ number: each, sha }));
}
