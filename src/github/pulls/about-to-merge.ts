/** Which pull requests GitHub is about to merge by itself: with auto-merge turned on, or in a merge queue. */
import { z } from "zod";
import { readGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";

/** As many nodes as GitHub takes in one query. */
const MOST_AT_ONCE = 100;

const QUERY = `query AboutToMerge($ids: [ID!]!) {
  nodes(ids: $ids) { ... on PullRequest { id autoMergeRequest { mergeMethod } mergeQueueEntry { enqueuer { login } } } }
}`;

const nodes = z.array(
  z
    .object({ id: z.string().optional(), autoMergeRequest: z.unknown(), mergeQueueEntry: z.unknown() })
    .partial()
    .nullable(),
);

/** Node ids of those that are, in order. One query for each hundred. Throws what the client throws. */
export async function readAboutToMerge(
  client: GitHubClient,
  pullNodeIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let from = 0; from < pullNodeIds.length; from += MOST_AT_ONCE) {
    const ids = pullNodeIds.slice(from, from + MOST_AT_ONCE);
    const { data } = await readGraphql(client, QUERY, { ids }, signal);
    for (const node of nodes.parse(data?.nodes ?? [])) {
      if (node?.id !== undefined && (node.autoMergeRequest != null || node.mergeQueueEntry != null)) {
        found.push(node.id);
      }
    }
  }
  return found;
}
