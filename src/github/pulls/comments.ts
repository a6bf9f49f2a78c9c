/** Our comments on a pull request: each carries a hidden marker by which it is found again and updated. */
import { z } from "zod";
import { githubId, smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";

/** Where a pull request is. */
export interface PullPlace {
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
}

export interface OwnComment {
  readonly id: string;
  readonly body: string;
}

const PER_PAGE = 100;
/** Of a longer conversation the first thousand comments are searched. */
const MOST_PAGES = 10;

const listed = z.array(
  z.object({
    id: githubId,
    body: z.string().nullish(),
    performed_via_github_app: z.object({ id: smallId }).nullish(),
    user: z.object({ login: z.string(), type: z.string().nullish() }).nullish(),
  }),
);
const written = z.object({ id: githubId });

/** `name` is ours (stage names, ids): it cannot end the comment. */
export function markerOf(name: string): string {
  return `<!-- stagewright: ${name.replaceAll(/[^\w ./#-]/gu, "")} -->`;
}

/** Our comment with this marker; null: there is none. Comments of others that copy the marker do not count. */
export async function findComment(
  client: GitHubClient,
  place: PullPlace,
  marker: string,
  author: { readonly appId: number; readonly botLogin: string | null },
  signal: AbortSignal,
): Promise<OwnComment | null> {
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await client.request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      owner: place.owner,
      repo: place.repo,
      issue_number: place.number,
      per_page: PER_PAGE,
      page,
      request: { signal },
    });
    const comments = listed.parse(answer.data);
    const own = comments.find(
      ({ body, performed_via_github_app: app, user }) =>
        // Only where we write it: what we quote of others may hold another one.
        body?.startsWith(marker) === true &&
        (app?.id === author.appId ||
          (user?.type === "Bot" && author.botLogin !== null && user.login === author.botLogin)),
    );
    if (own !== undefined) return { id: own.id, body: own.body ?? "" };
    if (comments.length < PER_PAGE) return null;
  }
  return null;
}

export async function createComment(
  client: GitHubClient,
  place: PullPlace,
  body: string,
  signal: AbortSignal,
): Promise<string> {
  const answer = await client.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
    owner: place.owner,
    repo: place.repo,
    issue_number: place.number,
    body,
    request: { signal },
  });
  return written.parse(answer.data).id;
}

export async function updateComment(
  client: GitHubClient,
  place: PullPlace,
  id: string,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  await client.request("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", {
    owner: place.owner,
    repo: place.repo,
    comment_id: id,
    body,
    request: { signal },
  });
}
