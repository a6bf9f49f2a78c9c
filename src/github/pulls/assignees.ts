/** Who is assigned to a pull request. */
import { z } from "zod";
import type { GitHubClient } from "../port.ts";
import type { PullPlace } from "./comments.ts";

const answered = z.object({ assignees: z.array(z.object({ login: z.string() })).nullish() });

/** Returns the logins of all who are assigned afterwards: GitHub passes over, without a word, those who cannot be. */
export async function addAssignees(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  logins: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.request("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees", {
    owner,
    repo,
    issue_number: number,
    assignees: logins,
    request: { signal },
  });
  return (answered.parse(answer.data).assignees ?? []).map(({ login }) => login);
}
