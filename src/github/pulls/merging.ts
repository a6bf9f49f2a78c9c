/** Merging: what stands in its way, and the ways to it. Each names the commit that it is for, and GitHub takes no other. */
import { z } from "zod";
import { type GraphqlAnswer, GraphqlForbidden, readGraphql, sendGraphql } from "../graphql.ts";
import { smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";

export type MergeMethod = "merge" | "squash" | "rebase";

/** A check or a status of the head commit that is not (yet) a success. */
export interface OpenCheck {
  readonly name: string;
  /** False: it has failed. */
  readonly pending: boolean;
}

export interface MergeState {
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
  readonly headSha: string;
  /** `unstable`: GitHub would merge it, but checks that it does not require have not succeeded. */
  readonly status: "clean" | "unstable" | "blocked" | "behind" | "dirty" | "unknown";
  /** Of other apps; at most the first hundred checks are looked at. */
  readonly openChecks: readonly OpenCheck[];
  /** Who turned auto-merge on, as GraphQL writes logins (apps without `[bot]`); null: it is off. */
  readonly autoMerge: { readonly by: string; readonly byApp: boolean; readonly method: MergeMethod } | null;
  /** Its base is merged into by a merge queue only. */
  readonly queue: boolean;
  /** Who put it into the queue, as `autoMerge.by`; null: it is not in it. */
  readonly queued: { readonly by: string; readonly byApp: boolean } | null;
  /** What the repository's settings allow. */
  readonly allows: { readonly autoMerge: boolean; readonly methods: readonly MergeMethod[] };
}

const QUERY = `query Merging($id: ID!, $after: String) {
  node(id: $id) {
    ... on PullRequest {
      state isDraft headRefOid mergeStateStatus isMergeQueueEnabled
      mergeQueueEntry { enqueuer { __typename login } }
      autoMergeRequest { mergeMethod enabledBy { __typename login } }
      repository { autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed }
      statusCheckRollup {
        contexts(first: 100, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes {
            __typename
            ... on CheckRun { name status conclusion checkSuite { app { databaseId } } }
            ... on StatusContext { context state }
          }
        }
      }
    }
  }
}`;

const METHODS = { MERGE: "merge", SQUASH: "squash", REBASE: "rebase" } as const;
const STATUSES = {
  CLEAN: "clean",
  HAS_HOOKS: "clean",
  UNSTABLE: "unstable",
  BLOCKED: "blocked",
  BEHIND: "behind",
  DIRTY: "dirty",
  DRAFT: "blocked",
  UNKNOWN: "unknown",
} as const;

const context = z.discriminatedUnion("__typename", [
  z.object({
    __typename: z.literal("CheckRun"),
    name: z.string(),
    status: z.string(),
    conclusion: z.string().nullish(),
    checkSuite: z.object({ app: z.object({ databaseId: smallId.nullish() }).nullish() }).nullish(),
  }),
  z.object({ __typename: z.literal("StatusContext"), context: z.string(), state: z.string() }),
]);

const whom = z.object({ __typename: z.string(), login: z.string() }).nullish();

const fields = z.object({
  state: z.enum(["OPEN", "CLOSED", "MERGED"]),
  isDraft: z.boolean(),
  headRefOid: z.string(),
  mergeStateStatus: z.enum(["CLEAN", "HAS_HOOKS", "UNSTABLE", "BLOCKED", "BEHIND", "DIRTY", "DRAFT", "UNKNOWN"]),
  isMergeQueueEnabled: z.boolean(),
  autoMergeRequest: z
    .object({
      mergeMethod: z.enum(["MERGE", "SQUASH", "REBASE"]),
      enabledBy: whom,
    })
    .nullish(),
  repository: z.object({
    autoMergeAllowed: z.boolean(),
    mergeCommitAllowed: z.boolean(),
    squashMergeAllowed: z.boolean(),
    rebaseMergeAllowed: z.boolean(),
  }),
  mergeQueueEntry: z.object({ enqueuer: whom }).nullish(),
  statusCheckRollup: z
    .object({
      contexts: z.object({
        nodes: z.array(context.nullable()).nullish(),
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
      }),
    })
    .nullish(),
});

/** Of a hundred checks each. */
const MOST_PAGES = 50;

type Fields = z.infer<typeof fields>;

async function askMerging(
  client: GitHubClient,
  id: string,
  after: string | null,
  signal: AbortSignal,
): Promise<Fields | null> {
  const answer = await readGraphql(client, QUERY, { id, after }, signal);
  const node = answer.data?.node;
  const other = answer.errors.find(
    ({ type, path }) => type === "FORBIDDEN" && (node == null || path.includes("statusCheckRollup")),
  );
  if (other !== undefined) {
    // A check that may not be seen may have failed.
    throw new GraphqlForbidden(`what the pull request waits for: ${other.message}`);
  }
  return node == null ? null : fields.parse(node);
}

const PASSING = new Set(["SUCCESS", "NEUTRAL", "SKIPPED"]);

/**
 * One query, and more while there are more checks and none was found that stands in the way. Null: there is no such pull
 * request, or the app may not see it. `appId`: ours, whose checks stand in nobody's way.
 * @throws GraphqlForbidden when the app may not see the checks
 */
export async function readMergeState(
  client: GitHubClient,
  pullNodeId: string,
  appId: number,
  signal: AbortSignal,
): Promise<MergeState | null> {
  const ask = (after: string | null) => askMerging(client, pullNodeId, after, signal);
  const read = await ask(null);
  if (read === null) {
    return null;
  }
  const open = (page: Fields) =>
    (page.statusCheckRollup?.contexts.nodes ?? []).flatMap((each) => openCheck(each, appId));
  const openChecks = open(read);
  let last = read.statusCheckRollup?.contexts.pageInfo;
  for (let page = 1; openChecks.length === 0 && last?.hasNextPage === true; page += 1) {
    const next = page < MOST_PAGES ? await ask(last.endCursor ?? null) : null;
    if (next === null || next.headRefOid !== read.headRefOid) {
      throw new Error("GitHub did not list all checks of the pull request.");
    }
    openChecks.push(...open(next));
    last = next.statusCheckRollup?.contexts.pageInfo;
  }
  const { repository, autoMergeRequest } = read;
  return {
    state: read.state === "OPEN" ? "open" : read.state === "MERGED" ? "merged" : "closed",
    draft: read.isDraft,
    headSha: read.headRefOid,
    status: STATUSES[read.mergeStateStatus],
    openChecks,
    autoMerge:
      autoMergeRequest == null
        ? null
        : {
            ...person(autoMergeRequest.enabledBy),
            method: METHODS[autoMergeRequest.mergeMethod],
          },
    queue: read.isMergeQueueEnabled,
    queued: read.mergeQueueEntry == null ? null : person(read.mergeQueueEntry.enqueuer),
    allows: {
      autoMerge: repository.autoMergeAllowed,
      methods: [
        ...(repository.mergeCommitAllowed ? (["merge"] as const) : []),
        ...(repository.squashMergeAllowed ? (["squash"] as const) : []),
        ...(repository.rebaseMergeAllowed ? (["rebase"] as const) : []),
      ],
    },
  };
}

function person(given: z.infer<typeof whom>): { readonly by: string; readonly byApp: boolean } {
  return { by: given?.login ?? "somebody", byApp: given?.__typename === "Bot" };
}

function openCheck(given: z.infer<typeof context> | null, appId: number): OpenCheck[] {
  if (given === null) {
    return [];
  }
  if (given.__typename === "StatusContext") {
    const pending = given.state === "PENDING" || given.state === "EXPECTED";
    return given.state === "SUCCESS" ? [] : [{ name: given.context, pending }];
  }
  if (given.checkSuite?.app?.databaseId === appId) {
    return [];
  }
  const done = given.status === "COMPLETED";
  return done && PASSING.has(given.conclusion ?? "") ? [] : [{ name: given.name, pending: !done }];
}

/** How GitHub took it: `FORBIDDEN`, `UNPROCESSABLE`, … with its words; null: it was done. */
export type MergeRefusal = { readonly type: string | null; readonly message: string } | null;

const MUTATIONS = {
  merge: ["mergePullRequest", "MergePullRequestInput"],
  enable: ["enablePullRequestAutoMerge", "EnablePullRequestAutoMergeInput"],
  disable: ["disablePullRequestAutoMerge", "DisablePullRequestAutoMergeInput"],
  enqueue: ["enqueuePullRequest", "EnqueuePullRequestInput"],
  dequeue: ["dequeuePullRequest", "DequeuePullRequestInput"],
} as const;

export interface MergeTarget {
  readonly pullNodeId: string;
  /** The only commit that may be merged. */
  readonly sha: string;
}

/** Merges now. */
export function mergeNow(client: GitHubClient, target: MergeTarget, method: MergeMethod, signal: AbortSignal) {
  const { pullNodeId: pullRequestId, sha: expectedHeadOid } = target;
  return mutate(client, "merge", { pullRequestId, expectedHeadOid, mergeMethod: method.toUpperCase() }, signal);
}

/** Has GitHub merge it when all that it requires is there. */
export function enableAutoMerge(client: GitHubClient, target: MergeTarget, method: MergeMethod, signal: AbortSignal) {
  const { pullNodeId: pullRequestId, sha: expectedHeadOid } = target;
  return mutate(client, "enable", { pullRequestId, expectedHeadOid, mergeMethod: method.toUpperCase() }, signal);
}

export function disableAutoMerge(client: GitHubClient, pullNodeId: string, signal: AbortSignal) {
  return mutate(client, "disable", { pullRequestId: pullNodeId }, signal);
}

/** Puts it into the merge queue of its base. */
export function enqueue(client: GitHubClient, { pullNodeId, sha }: MergeTarget, signal: AbortSignal) {
  return mutate(client, "enqueue", { pullRequestId: pullNodeId, expectedHeadOid: sha }, signal);
}

export function dequeue(client: GitHubClient, pullNodeId: string, signal: AbortSignal) {
  return mutate(client, "dequeue", { id: pullNodeId }, signal);
}

async function mutate(
  client: GitHubClient,
  what: keyof typeof MUTATIONS,
  input: Record<string, unknown>,
  signal: AbortSignal,
): Promise<MergeRefusal> {
  const [field, type] = MUTATIONS[what];
  const query = `mutation Merge($input: ${type}!) { ${field}(input: $input) { clientMutationId } }`;
  const answer: GraphqlAnswer = await sendGraphql(client, query, { input }, signal);
  const [error] = answer.errors;
  return error === undefined ? null : { type: error.type, message: error.message };
}
