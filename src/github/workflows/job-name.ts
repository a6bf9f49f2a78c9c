/** What GitHub calls the job of a check run: "train (0)" for one of the matrix of job `train`. */
import { z } from "zod";
import type { GitHubClient } from "../port.ts";

const ASK_MS = 15_000;
const named = z.object({ name: z.string() });

/** @param checkRunId as a job's token says it, which GitHub has signed. @throws what GitHub's API says */
export async function jobName(
  client: GitHubClient,
  { owner, repo }: { readonly owner: string; readonly repo: string },
  checkRunId: string,
  signal: AbortSignal,
): Promise<string> {
  const answer = await client.request("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    owner,
    repo,
    check_run_id: checkRunId,
    request: { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]) },
  });
  return named.parse(answer.data).name;
}
