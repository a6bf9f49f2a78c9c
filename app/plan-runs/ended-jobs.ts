/** Tells runs that assemble of jobs of theirs that are over: a job that failed before its step is not waited for. */
import { type JobsPace, watchJobs } from "../../src/coordinator/admission/ended-jobs.ts";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { AttemptJobs } from "../../src/github/workflows/attempt-jobs.ts";
import { itemsOf } from "../../src/run/persistent-array.ts";
import { jobIdentity } from "../../src/run/types.ts";
import type { RunPlace } from "./note.ts";

const PACE: JobsPace = { firstMs: 10_000, everyMs: 60_000 };

export interface EndedJobsOptions {
  readonly client: (installationId: number) => Promise<GitHubClient>;
  readonly onError: (error: unknown, what: string) => void;
  readonly pace?: JobsPace;
}

export class EndedJobs {
  readonly #options: EndedJobsOptions;
  /** By run; each ends when its run is complete or over. */
  readonly #watching = new Map<string, AbortController>();

  constructor(options: EndedJobsOptions) {
    this.#options = options;
  }

  /** After each change of a run. `place`: null when it is not known (any more), and then nothing is asked. */
  update(run: GroupRun, place: RunPlace | null): void {
    if (run.host.state.status !== "assembling") {
      this.lost(run);
      return;
    }
    if (place === null || this.#watching.has(run.id)) return;
    const first = [...itemsOf(run.host.state.agents)].find(({ checkRunId }) => checkRunId !== null);
    if (first?.checkRunId == null) return;
    const stop = new AbortController();
    this.#watching.set(run.id, stop);
    const onError = (error: unknown): void => this.#options.onError(error, `jobs of run ${run.id}`);
    this.#watch(run, place, first.checkRunId, stop.signal).catch(onError);
  }

  /** It is not watched here any more. */
  lost(run: GroupRun): void {
    this.#watching.get(run.id)?.abort();
    this.#watching.delete(run.id);
  }

  close(): void {
    for (const stop of this.#watching.values()) stop.abort();
    this.#watching.clear();
  }

  async #watch(run: GroupRun, place: RunPlace, own: string, signal: AbortSignal): Promise<void> {
    const { client, onError, pace } = this.#options;
    const { runId, attempt, group: onlyJob } = run.key;
    const [owner = "", repo = ""] = place.repository.split("/");
    const jobs = new AttemptJobs(await client(place.installationId), { owner, repo, runId, attempt });
    await watchJobs(
      {
        list: (until) => jobs.list(until),
        // A group is called after its job unless its jobs say otherwise; then their names tell nothing.
        group: { own, onlyJob, size: run.host.state.agentCount },
        pace: pace ?? PACE,
        isWaiting: () => run.host.state.status === "assembling",
        found: (ended) => {
          const absent = ended.map(({ id, why }) => ({ id: jobIdentity(id), why }));
          run.host.commit({ event: { type: "not_coming", at: run.host.now, absent } });
        },
        say: (text) => onError(new Error(text), `jobs of run ${run.id}`),
      },
      signal,
    );
  }
}
