/** What is on a branch. */
import { z } from "zod";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";
import type { RepositoryPlace } from "./workflows/workflows.ts";

const reference = z.object({ object: z.object({ sha: z.string() }) });
const comparison = z.object({ status: z.enum(["diverged", "ahead", "behind", "identical"]) });

/**
 * Whether the branch has this commit. By the branch's own commit, because a tag of the same name could stand for the
 * name. False too where GitHub knows no such branch or commit; throws what the client throws otherwise.
 */
export async function isOnBranch(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  { branch, sha }: { readonly branch: string; readonly sha: string },
  signal: AbortSignal,
): Promise<boolean> {
  const place = { owner, repo: name, request: { signal } };
  try {
    const ref = await client.request("GET /repos/{owner}/{repo}/git/ref/{ref}", { ...place, ref: `heads/${branch}` });
    const head = reference.parse(ref.data).object.sha;
    if (head === sha) {
      return true;
    }
    const compared = await client.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
      ...place,
      basehead: `${head}...${sha}`,
      per_page: 1,
    });
    const { status } = comparison.parse(compared.data);
    return status === "behind" || status === "identical";
  } catch (error) {
    if (requestFailure(error, 0).status === 404) {
      return false;
    }
    throw error;
  }
}
