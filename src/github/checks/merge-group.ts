/** A merge group: the pull requests that a merge queue is about to merge together, and what we show on its commit. */
import { z } from "zod";
import { GraphqlForbidden, readGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";
import { CHECK_FIELDS, type CheckRead, checkFields, checkRead } from "../pulls/pull-fields.ts";

export interface MergeGroupSeen {
  readonly repositoryNodeId: string;
  /**
   * Those that are merged if this group is: its own and all that are before it in the queue. Null: the queue does not
   * hold the group (yet, or any more).
   */
  readonly pulls: readonly number[] | null;
  /** Our check runs on the group's commit, the newest of each name. */
  readonly checks: readonly CheckRead[];
}

const QUERY = `query MergeGroup($owner: String!, $name: String!, $branch: String!, $oid: GitObjectID!, $appId: Int!) {
  repository(owner: $owner, name: $name) {
    id
    mergeQueue(branch: $branch) {
      entries(first: 100) { nodes { position headCommit { oid } pullRequest { number } } }
    }
    object(oid: $oid) { ... on Commit {
      checkSuites(first: 5, filterBy: { appId: $appId }) { nodes {
        checkRuns(first: 50, filterBy: { appId: $appId, checkType: LATEST }) { nodes { ...CheckFields } }
      } }
    } }
  }
}
${CHECK_FIELDS}`;

const nodes = <T extends z.ZodType>(of: T) => z.object({ nodes: z.array(of.nullable()).nullish() }).nullish();
const answer = z.object({
  id: z.string(),
  mergeQueue: z
    .object({
      entries: nodes(
        z.object({
          position: z.number(),
          headCommit: z.object({ oid: z.string() }).nullish(),
          pullRequest: z.object({ number: z.number() }).nullish(),
        }),
      ),
    })
    .nullish(),
  object: z.object({ checkSuites: nodes(z.object({ checkRuns: nodes(checkFields) })) }).nullish(),
});

/**
 * Null: there is no such repository, or the app may not see it. One query.
 * @throws GraphqlForbidden when the app may not see the queue
 */
export async function readMergeGroup(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  group: { readonly headSha: string; readonly branch: string },
  appId: number,
  signal: AbortSignal,
): Promise<MergeGroupSeen | null> {
  const { owner, name } = repository;
  const { headSha: oid, branch } = group;
  const { data, errors } = await readGraphql(client, QUERY, { owner, name, branch, oid, appId }, signal);
  if (data?.repository == null) {
    return null;
  }
  const forbidden = errors.find(({ type }) => type === "FORBIDDEN");
  if (forbidden !== undefined) {
    // Who is in the queue decides whether the group may be merged.
    throw new GraphqlForbidden(`the merge queue of ${branch}: ${forbidden.message}`);
  }
  const read = answer.parse(data.repository);
  const entries = (read.mergeQueue?.entries?.nodes ?? []).filter((entry) => entry !== null);
  const own = entries.find((entry) => entry.headCommit?.oid === oid);
  const ahead = own === undefined ? null : entries.filter((entry) => entry.position <= own.position);
  const runs = (read.object?.checkSuites?.nodes ?? []).flatMap((suite) => suite?.checkRuns?.nodes ?? []);
  return {
    repositoryNodeId: read.id,
    pulls: ahead?.flatMap((entry) => (entry.pullRequest == null ? [] : [entry.pullRequest.number])) ?? null,
    checks: runs.flatMap((run) => (run === null ? [] : [checkRead(run)])),
  };
}
