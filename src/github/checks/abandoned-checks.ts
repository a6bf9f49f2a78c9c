/**
 * Check runs that somebody else opened and can no longer conclude: without help they stand in progress until GitHub
 * lets them go stale. Whoever notices concludes them; several may, it comes to the same.
 */
import { z } from "zod";
import { githubId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { type RequestFailure, requestFailure } from "../request-failure.ts";
import { type CheckConclusion, type CheckText, LiveCheck, type Pace } from "./checks.ts";

export interface AbandonedChecks {
  readonly owner: string;
  readonly repo: string;
  readonly headSha: string;
  readonly name: string;
  /** How the external ids of those that are meant begin: others of the name are left alone. */
  readonly externalId: string;
}

const ASK_MS = 15_000;

const listed = z.object({
  check_runs: z.array(z.object({ id: githubId, status: z.string(), external_id: z.string().nullish() })),
});

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
  for (const { owner, repo, headSha, name, externalId } of all) {
    try {
      const answer = await client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
        owner,
        repo,
        ref: headSha,
        check_name: name,
        status: "in_progress",
        filter: "all",
        per_page: 100,
        request: { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]) },
      });
      for (const check of listed.parse(answer.data).check_runs) {
        if (check.status !== "in_progress" || check.external_id?.startsWith(externalId) !== true) continue;
        const live = new LiveCheck(client, { owner, repo }, { id: check.id, url: null }, pace);
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
