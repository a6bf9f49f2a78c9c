/** Labels of one pull request other than those that show its stage. Never the whole set at once: others change it, too. */
import { z } from "zod";
import type { GitHubClient } from "../port.ts";
import { requestFailure } from "../request-failure.ts";
import type { PullPlace } from "./comments.ts";

const listed = z.array(z.object({ name: z.string() })).transform((all) => all.map(({ name }) => name));

/** GitHub allows a hundred labels on a pull request: one page. */
export async function readPullLabels(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.request("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", {
    owner,
    repo,
    issue_number: number,
    per_page: 100,
    request: { signal },
  });
  return listed.parse(answer.data);
}

/** Labels that the repository does not have yet are made by GitHub itself. */
export async function addPullLabels(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await client.request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
    owner,
    repo,
    issue_number: number,
    labels: names,
    request: { signal },
  });
}

/** That it is not there any more is as good. */
export async function removePullLabel(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.request("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", {
      owner,
      repo,
      issue_number: number,
      name,
      request: { signal },
    });
  } catch (error) {
    if (requestFailure(error, 0).status !== 404) {
      throw error;
    }
  }
}
