/**
 * Check runs that somebody else opened and can no longer conclude: without help they stand in progress until GitHub
 * lets them go stale. Whoever notices concludes them; several may, it comes to the same.
 */
import type { GitHubClient } from "../port.ts";
import { type RequestFailure, requestFailure } from "../request-failure.ts";
import { type CheckCommit, type CheckConclusion, type CheckText, listCheckRuns } from "./check-run.ts";
import { LiveCheck, type Pace } from "./checks.ts";

export interface AbandonedChecks extends CheckCommit {
  readonly name: string;
  /** How the external ids of those that are meant begin: others of the name are left alone. */
  readonly externalId: string;
}

/**
 * Concludes what is still in progress: as failed, unless it is known to have ended otherwise.
 * @returns how many were concluded here, and the last failure, if there was any
 */
export async function concludeAbandoned(
  client: GitHubClient,
  all: readonly AbandonedChecks[],
  text: CheckText,
  pace: Pace,
  signal: AbortSignal,
  conclusion: CheckConclusion = "failure",
): Promise<{ readonly concluded: number; readonly failure: RequestFailure | null }> {
  let concluded = 0;
  let failure: RequestFailure | null = null;
  for (const abandoned of all) {
    const { name, externalId } = abandoned;
    try {
      const filter = { check_name: name, status: "in_progress", filter: "all" } as const;
      for (const check of await listCheckRuns(client, abandoned, filter, signal)) {
        if (check.status !== "in_progress" || check.externalId?.startsWith(externalId) !== true) continue;
        const live = new LiveCheck(client, abandoned, { id: check.id, url: null }, pace);
        const result = await live.conclude(conclusion, text, [], signal);
        if (result.concluded) concluded += 1;
        else failure = result.failure;
      }
    } catch (error) {
      failure = requestFailure(error, pace.now());
    }
  }
  return { concluded, failure };
}
