/**
 * Jobs of a group's matrix that are over, as GitHub lists them: whoever of them has not joined never will. So a group is
 * not kept waiting by a job that failed before its step.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { matrixStem } from "./jobs.ts";

export interface ListedJob {
  /** Also of the job's check run. */
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly conclusion?: string | null | undefined;
}

export type ListJobs = (signal: AbortSignal) => Promise<readonly ListedJob[]>;

export interface EndedJob {
  readonly id: string;
  /** A sentence that names it. */
  readonly why: string;
}

export interface GroupOfJobs {
  /** This job's check run. */
  readonly own: string;
  /** The id of the one job whose matrix is the group. */
  readonly onlyJob: string;
  /** How many agents the group has. */
  readonly size: number;
}

/**
 * Jobs whose names do not say their matrix are not told apart from others: nothing is concluded of them. Where the matrix
 * has more jobs than the group agents, some need not join: as many of those that are over are left out.
 */
export function endedJobs(jobs: readonly ListedJob[], { own, onlyJob, size }: GroupOfJobs): readonly EndedJob[] {
  const name = jobs.find(({ id }) => id === own)?.name;
  const stem = name === undefined ? null : matrixStem(name, onlyJob);
  if (stem === null) return [];
  const siblings = jobs.filter((job) => job.name.startsWith(`${stem} (`));
  const ended = siblings.filter(({ id, status }) => status === "completed" && id !== own);
  return ended
    .slice(Math.max(0, siblings.length - size))
    .map((job) => ({ id: job.id, why: `the job ${job.name} is over (${job.conclusion ?? "no conclusion"})` }));
}

/** Milliseconds. */
export interface JobsPace {
  readonly firstMs: number;
  readonly everyMs: number;
}

export interface JobWatch {
  readonly list: ListJobs;
  readonly group: GroupOfJobs;
  readonly pace: JobsPace;
  /** Whether somebody is still waited for. */
  readonly isWaiting: () => boolean;
  readonly found: (ended: readonly EndedJob[]) => void;
  readonly say: (text: string) => void;
}

/** Looks for them while somebody is waited for. Never rejects: what GitHub does not tell is not known. */
export async function watchJobs(watch: JobWatch, signal: AbortSignal): Promise<void> {
  const { list, group, pace, isWaiting, found, say } = watch;
  try {
    await sleep(pace.firstMs, undefined, { signal });
    while (isWaiting()) {
      const failure = await list(signal).then(
        (jobs) => {
          const ended = endedJobs(jobs, group);
          if (ended.length > 0 && isWaiting()) found(ended);
          return null;
        },
        (error: unknown) => error,
      );
      if (isRefusal(failure)) {
        say("jobs that end before they join are not seen (with `permissions: { actions: read }` they are)");
        return;
      }
      await sleep(pace.everyMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The token may not list jobs (of a private repository GitHub then says 404): asking again changes nothing. */
function isRefusal(error: unknown): boolean {
  const status = typeof error === "object" && error !== null && "status" in error ? error.status : null;
  return status === 401 || status === 403 || status === 404;
}
