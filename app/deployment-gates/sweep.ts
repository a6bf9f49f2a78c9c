/** Jobs that wait although nobody told us: found by asking GitHub for them. */
import { guards, pendingEnvironments } from "../../src/github/workflows/gates.ts";
import { waitingRuns } from "../../src/github/workflows/workflows.ts";
import type { Repository } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Runtime } from "../work/runtime.ts";

export interface FindOptions extends Runtime {
  readonly appId: number;
}

/**
 * Throws what GitHub's client throws, unless the app may not ask: the policy's check says so, and the jobs that GitHub
 * tells of go on. Two requests for each run that waits and is not known, at most.
 */
export async function findWaiting(options: FindOptions, repository: Repository): Promise<void> {
  try {
    await find(options, repository);
  } catch (error) {
    if (failureOfWork(error, 0).kind !== "permission") {
      throw error;
    }
    const names = { repository: `${repository.owner}/${repository.name}` };
    options.log.warn({ ...names, err: error }, "the app may not look for jobs that wait unheard");
  }
}

async function find(options: FindOptions, repository: Repository): Promise<void> {
  const { store, clients, appId, log, now, timings } = options;
  if (repository.installationId === null) {
    return;
  }
  const client = await clients.installation(repository.installationId);
  const signal = (): AbortSignal => AbortSignal.timeout(timings.requestTimeout);
  const known = new Set((await store.gates.waiting(repository.id)).map((each) => `${each.runId} ${each.environment}`));
  const ours = new Map<string, boolean>();
  for (const run of await waitingRuns(client, repository, signal())) {
    for (const environment of await pendingEnvironments(client, repository, run.id, signal())) {
      if (known.has(`${run.id} ${environment}`)) {
        continue;
      }
      const guarded = ours.get(environment) ?? (await guards(client, repository, environment, appId, signal()));
      ours.set(environment, guarded);
      if (guarded) {
        const name = `${repository.owner}/${repository.name}`;
        log.info({ repository: name, run: run.id, environment }, "a job waits that nobody told of");
        const { id: runId, event } = run;
        // The run does not say its ref: its branch, or the pull request with its commit, stand in for it.
        await store.gates.asked({ repositoryId: repository.id, runId, environment, ref: "", event }, now());
      }
    }
  }
}
