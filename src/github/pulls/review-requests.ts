/** Who is asked to review a pull request. */
import { z } from "zod";
import type { GitHubClient } from "../port.ts";
import type { PullPlace } from "./comments.ts";

export interface Reviewers {
  /** Logins. */
  readonly users: readonly string[];
  /** Slugs of teams of the repository's organization. */
  readonly teams: readonly string[];
}

const requested = z
  .object({
    users: z.array(z.object({ login: z.string() })),
    teams: z.array(z.object({ slug: z.string() })),
  })
  .transform(({ users, teams }) => ({ users: users.map(({ login }) => login), teams: teams.map(({ slug }) => slug) }));

/** Those who have been asked and have not answered yet. */
export async function readReviewRequests(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  signal: AbortSignal,
): Promise<Reviewers> {
  const answer = await client.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
    owner,
    repo,
    pull_number: number,
    request: { signal },
  });
  return requested.parse(answer.data);
}

/** Throws a 422 when one of them cannot be asked: then nobody was. */
export async function requestReviews(
  client: GitHubClient,
  { owner, repo, number }: PullPlace,
  { users, teams }: Reviewers,
  signal: AbortSignal,
): Promise<void> {
  await client.request("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", {
    owner,
    repo,
    pull_number: number,
    reviewers: users,
    team_reviewers: teams,
    request: { signal },
  });
}
