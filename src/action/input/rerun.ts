/**
 * "Re-run failed jobs" restarts only some jobs of a matrix, while the matrix's size stays: such a group would wait for
 * agents that never come. On a later attempt the attempt's jobs are listed once, to say so within seconds.
 */
import type { GitHubClient } from "../../github/port.ts";
import { AttemptJobs, attemptBeganAt } from "../../github/workflows/attempt-jobs.ts";

const ASK_MS = 20_000;

export interface RerunQuestion {
  readonly owner: string;
  readonly repo: string;
  readonly runId: string;
  readonly attempt: number;
  /** How many agents the group has. */
  readonly size: number;
  /** The run goes on from its last state. */
  readonly resumes: boolean;
  /** RUNNER_NAME: tells which of the jobs is this one. */
  readonly runner: string | null;
}

/**
 * Why the group cannot be complete in this attempt; null: it can, or that cannot be told.
 * @throws what GitHub's API says
 */
export async function whyIncomplete(client: GitHubClient, question: RerunQuestion): Promise<string | null> {
  const { owner, repo, runId, attempt, size } = question;
  if (attempt === 1) return null;
  const about = { owner, repo, runId, attempt };
  const signal = AbortSignal.timeout(ASK_MS);
  const beganAt = await attemptBeganAt(client, about, signal);
  const jobs = await new AttemptJobs(client, about).list(signal);
  // Jobs that are carried over from an earlier attempt are listed with their old number, or with their old times.
  const restarted = jobs.filter(
    (job) =>
      (job.run_attempt ?? attempt) === attempt &&
      (job.status !== "completed" || !(Date.parse(job.started_at ?? "") < beganAt)),
  );
  const own = restarted.filter((job) => job.status === "in_progress" && job.runner_name === question.runner);
  // With names of their own the jobs of a group cannot be told from others: then only too few in all is certain.
  const stem = own.length === 1 ? stemOf(own[0]?.name ?? "") : null;
  const siblings = stem === null ? restarted : restarted.filter(({ name }) => stemOf(name) === stem);
  if (siblings.length >= size || restarted.length >= size) return null;
  const count = siblings.length;
  const then = question.resumes ? "goes on where its last attempt ended" : "begins with the first stage";
  return `attempt ${attempt} restarts ${count} of ${size} agents; choose "Re-run all jobs": a group runs only when all of its agents do, and ${then}`;
}

/** "train (0, fast)" -> "train" */
function stemOf(name: string): string {
  return name.replace(/ \([^()]*\)$/, "");
}
