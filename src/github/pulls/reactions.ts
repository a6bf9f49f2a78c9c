/** Reactions to comments: the shortest answer there is. */

import type { GitHubClient } from "../port.ts";
import { requestFailure } from "../request-failure.ts";
import type { PullPlace } from "./comments.ts";

/** As GitHub calls them: 👍, 😕, 👀. */
export type Reaction = "+1" | "confused" | "eyes";

/** Reacts to a comment; what is there already stays one. False: the comment is gone. Throws what the client throws. */
export async function react(
  client: GitHubClient,
  place: PullPlace,
  commentId: string,
  content: Reaction,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.request("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", {
      owner: place.owner,
      repo: place.repo,
      comment_id: commentId,
      content,
      request: { signal },
    });
    return true;
  } catch (error) {
    if (requestFailure(error, 0).status === 404) {
      return false;
    }
    throw error;
  }
}
