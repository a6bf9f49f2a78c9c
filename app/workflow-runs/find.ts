/** Which run a start became, when GitHub's answer did not say so or was lost. */
import { dispatchedRuns, type RunSeen } from "../../src/github/workflows/workflows.ts";
import type { StartedRun, StartStore } from "../store/model.ts";
import type { RepositoryAccess } from "../work/repository-steps.ts";

/** GitHub's clock may be behind ours by as much. */
const SKEW_MS = 2 * 60_000;
/** A key of ours in a run's name: see `effectRows`. */
const ANY_KEY = /\b\d{1,15}-\d{1,10}-\S{1,100}-\d{1,15}-\d{1,10}-start\b/u;

/**
 * Our oldest run of the workflow since then that belongs to no other start; one that says the key before all. Null:
 * there is none (yet). Throws what the client throws.
 */
export async function findStarted(
  start: StartedRun,
  starts: Pick<StartStore, "ofRun">,
  botLogin: string,
  { repository, client, signal }: RepositoryAccess,
): Promise<RunSeen | null> {
  const since = (start.firstSentAt ?? start.queuedAt) - SKEW_MS;
  let first: RunSeen | null = null;
  for (const run of await dispatchedRuns(client, repository, start.workflow, since, signal)) {
    const ours = run.by?.bot === true && run.by.login === botLogin;
    if (!ours || (await starts.ofRun(repository.id, run.id)) !== null) {
      continue;
    }
    if (run.title.includes(start.key)) {
      return run;
    }
    if (!ANY_KEY.test(run.title)) {
      first ??= run;
    }
  }
  return first;
}
