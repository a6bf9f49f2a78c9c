/** What waits for a pull request: runs that are to be started for it, and jobs that wait at an environment. */
import type { PullId } from "./pulls.ts";

export interface DependentStore {
  /** Something about the pull request is new: what waits for it is looked at. Resolves with what that is. */
  wakeDependents(pull: PullId & { readonly headSha: string }, at: number): Promise<Woken>;
}

/** Whether there are any. */
export interface Woken {
  readonly starts: boolean;
  readonly gates: boolean;
}
