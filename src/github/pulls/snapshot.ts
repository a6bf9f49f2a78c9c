/** Everything about pull requests as one query reads it: states, who did what when, checks, comments. */
import { z } from "zod";
import { act, type Change } from "../../lifecycle/facts/change.ts";
import type { Act } from "../../lifecycle/facts/facts.ts";
import { type GraphqlAnswer, readGraphql } from "../graphql.ts";
import type { GitHubClient } from "../port.ts";
import { graphqlActor, type LabelSeen, pullSeen } from "./pull-fields.ts";
import {
  type CommentSeen,
  checksRead,
  commentsSeen,
  type OwnCheckSeen,
  reviewAct,
  suitesSeen,
  timelineActs,
} from "./snapshot-acts.ts";
import {
  type Connections,
  REST_QUERY,
  type RestFields,
  restFields,
  SNAPSHOT_FIELDS,
  type SnapshotFields,
  snapshotFields,
} from "./snapshot-fields.ts";

type SnapshotChange = Omit<Extract<Change, { kind: "snapshot" }>, "pull">;

export interface Snapshot extends SnapshotChange {
  readonly number: number;
  readonly labels: readonly LabelSeen[];
  /** Our own check runs on the head commit, the newest of each name. */
  readonly ours: readonly OwnCheckSeen[];
  /** Without those that were edited. */
  readonly comments: readonly CommentSeen[];
  /** Null: this is all of it. */
  readonly cut: Cut | null;
}

/** Where a snapshot ends though there is more. `readRest` reads on. */
export interface Cut {
  /** The oldest act read of each list that goes on: where it is known, so is what came before it. */
  readonly oldestActs: readonly Act[];
  /** The date of the oldest comment read; null: these are all. */
  readonly oldestComment: number | null;
  /** There are more checks than were read. */
  readonly checks: boolean;
  readonly fields: SnapshotFields;
}

/** Rounds of reading on; with 100 of each a round, more is not kept of a pull request anyway. */
const MOST_ROUNDS = 20;

const ONE = `query Snapshot($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { ...SnapshotFields } }
}
${SNAPSHOT_FIELDS}`;

/** Null: there is no such pull request, or the app may not see it. One query, and further ones for a long history. */
export async function readSnapshot(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  number: number,
  appId: number,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  const { owner, name } = repository;
  const answer = await readGraphql(client, ONE, { owner, name, number }, signal);
  const found = z.object({ pullRequest: z.unknown() }).nullish().parse(answer.data?.repository)?.pullRequest;
  if (found == null) {
    refuseUnlessMissing(answer);
    return null;
  }
  return await readRest(client, snapshotOf(snapshotFields.parse(found), appId), appId, signal);
}

const PAGE = `query Snapshots($owner: String!, $name: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(first: $first, after: $after, states: [OPEN], orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes { ...SnapshotFields } pageInfo { hasNextPage endCursor }
    }
  }
}
${SNAPSHOT_FIELDS}`;

const page = z.object({
  pullRequests: z.object({
    nodes: z.array(snapshotFields.nullable()).nullish(),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
  }),
});

/** Pull requests in one query. */
export const MOST_SNAPSHOTS = 50;

export interface OpenPulls {
  readonly snapshots: readonly Snapshot[];
  /** Opens the next page; null: this was the last. */
  readonly next: string | null;
}

/**
 * Up to `first` (at most `MOST_SNAPSHOTS`) open pull requests, oldest first, with one query; long histories are cut.
 * Null: there is no such repository, or the app may not see it.
 */
export async function readOpenPulls(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  { after, first = MOST_SNAPSHOTS }: { readonly after: string | null; readonly first?: number },
  appId: number,
  signal: AbortSignal,
): Promise<OpenPulls | null> {
  const { owner, name } = repository;
  const answer = await readGraphql(client, PAGE, { owner, name, first, after }, signal);
  if (answer.data?.repository == null) {
    refuseUnlessMissing(answer);
    return null;
  }
  const { nodes: found, pageInfo } = page.parse(answer.data.repository).pullRequests;
  return {
    snapshots: (found ?? []).flatMap((each) => (each === null ? [] : [snapshotOf(each, appId)])),
    next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null,
  };
}

const BY_ID = `query SnapshotsById($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { ...SnapshotFields } } }
${SNAPSHOT_FIELDS}`;

/**
 * These pull requests (at most `MOST_SNAPSHOTS`), open or not, in order, with one query; long histories are cut.
 * Null: it is not there any more, or the app may not see it.
 */
export async function readPullsById(
  client: GitHubClient,
  nodeIds: readonly string[],
  appId: number,
  signal: AbortSignal,
): Promise<readonly (Snapshot | null)[]> {
  const answer = await readGraphql(client, BY_ID, { ids: nodeIds }, signal);
  const found = z.array(z.unknown()).nullish().parse(answer.data?.nodes);
  if (found == null) {
    refuseUnlessMissing(answer);
    return nodeIds.map(() => null);
  }
  return nodeIds.map((_, index) =>
    found[index] == null ? null : snapshotOf(snapshotFields.parse(found[index]), appId),
  );
}

/** The snapshot with what did not fit in. No query where nothing was cut. */
export async function readRest(
  client: GitHubClient,
  snapshot: Snapshot,
  appId: number,
  signal: AbortSignal,
): Promise<Snapshot> {
  let whole = snapshot;
  for (let round = 0; whole.cut !== null && round < MOST_ROUNDS; round += 1) {
    const { fields } = whole.cut;
    const open = openEnds(fields);
    const answer = await readGraphql(
      client,
      REST_QUERY,
      {
        id: fields.id,
        ...open,
        moreReviews: open.reviews !== null,
        moreTimeline: open.timeline !== null,
        moreComments: open.comments !== null,
        moreChecks: open.checks !== null,
        moreSuites: open.suites !== null,
      },
      signal,
    );
    if (answer.data?.node == null) {
      refuseUnlessMissing(answer);
      break;
    }
    whole = snapshotOf(joined(fields, restFields.parse(answer.data.node)), appId);
  }
  return { ...whole, cut: null };
}

/** Nothing there is an answer; anything else that kept GitHub from reading is not. */
function refuseUnlessMissing(answer: GraphqlAnswer): void {
  const other = answer.errors.find((each) => each.type !== "NOT_FOUND");
  if (other !== undefined) {
    throw new Error(`GitHub could not read the pull request: ${other.message}`);
  }
}

/** The cursors from which each list goes on; null: it does not. */
function openEnds(fields: SnapshotFields) {
  const before = (list: Connections["reviews"] | Connections["timelineItems"] | Connections["comments"]) =>
    list?.pageInfo.hasPreviousPage === true ? (list.pageInfo.startCursor ?? null) : null;
  const after = (list: { hasNextPage: boolean; endCursor?: string | null | undefined } | undefined) =>
    list?.hasNextPage === true ? (list.endCursor ?? null) : null;
  return {
    reviews: before(fields.reviews),
    timeline: before(fields.timelineItems),
    comments: before(fields.comments),
    checks: after(rollupOf(fields, fields.headRefOid)?.pageInfo),
    suites: after(headOf(fields, fields.headRefOid)?.checkSuites?.pageInfo),
  };
}

function headOf(fields: Pick<Connections, "commits">, sha: string) {
  return (fields.commits?.nodes ?? []).find((each) => each?.commit.oid === sha)?.commit;
}

function rollupOf(fields: Pick<Connections, "commits">, sha: string) {
  return headOf(fields, sha)?.statusCheckRollup?.contexts;
}

function joined(before: SnapshotFields, rest: RestFields): SnapshotFields {
  const fields = withSuites(before, rest);
  const older = <T>(list: { nodes?: T[] | null | undefined } | null | undefined): T[] => list?.nodes ?? [];
  const contexts = rollupOf(fields, fields.headRefOid);
  const more = rollupOf(rest, fields.headRefOid);
  const commits =
    contexts === undefined || more === undefined
      ? // It was pushed to meanwhile: the new head's checks are the next snapshot's.
        contexts === undefined
        ? fields.commits
        : withContexts(fields, { ...contexts, pageInfo: { hasNextPage: false } })
      : withContexts(fields, { nodes: [...older(contexts), ...older(more)], pageInfo: more.pageInfo });
  return {
    ...fields,
    reviews:
      rest.reviews == null
        ? fields.reviews
        : { ...rest.reviews, nodes: [...older(rest.reviews), ...older(fields.reviews)] },
    timelineItems:
      rest.timelineItems == null
        ? fields.timelineItems
        : { ...rest.timelineItems, nodes: [...older(rest.timelineItems), ...older(fields.timelineItems)] },
    comments:
      rest.comments == null
        ? fields.comments
        : { ...rest.comments, nodes: [...older(rest.comments), ...older(fields.comments)] },
    commits: rest.commits == null ? fields.commits : commits,
  };
}

function withSuites(fields: SnapshotFields, rest: RestFields): SnapshotFields {
  const more = headOf({ commits: rest.suitesOf }, fields.headRefOid)?.checkSuites;
  if (rest.suitesOf == null) {
    return fields;
  }
  const nodes = (fields.commits?.nodes ?? []).map((each) => {
    const known = each?.commit.checkSuites;
    return each == null || known == null || each.commit.oid !== fields.headRefOid
      ? each
      : {
          commit: {
            ...each.commit,
            // It was pushed to meanwhile: the new head's suites are the next snapshot's.
            checkSuites: more == null ? null : { ...more, nodes: [...(known.nodes ?? []), ...(more.nodes ?? [])] },
          },
        };
  });
  return { ...fields, commits: { nodes } };
}

function withContexts(
  fields: SnapshotFields,
  contexts: NonNullable<ReturnType<typeof rollupOf>>,
): SnapshotFields["commits"] {
  const nodes = (fields.commits?.nodes ?? []).map((each) =>
    each?.commit.oid === fields.headRefOid ? { commit: { ...each.commit, statusCheckRollup: { contexts } } } : each,
  );
  return { nodes };
}

function snapshotOf(fields: SnapshotFields, appId: number): Snapshot {
  const seen = pullSeen(fields);
  const head = fields.headRefOid;
  const contexts = rollupOf(fields, head)?.nodes ?? [];
  const { checks, runs, ours } = checksRead(contexts, head, appId);
  const reviews = (fields.reviews?.nodes ?? []).flatMap((each) => {
    const made = each === null ? null : reviewAct(each, each.state, head);
    return made === null ? [] : [made];
  });
  const timeline = (fields.timelineItems?.nodes ?? []).flatMap((item) =>
    item === null ? [] : timelineActs(item, head, fields.merged),
  );
  const opened = act({ kind: "opened", at: seen.state.openedAt, by: graphqlActor(fields.author) });
  const listed = headOf(fields, head)?.checkSuites;
  const began = listed?.nodes ?? [];
  const suites = contexts.flatMap((each) => (each?.__typename === "CheckRun" ? [each.checkSuite.createdAt] : []));
  const dates = [...began.flatMap((each) => (each === null ? [] : [each.createdAt])), ...suites];
  const open = openEnds(fields);
  const oldestActs = [
    ...(open.reviews === null ? [] : reviews.slice(0, 1)),
    ...(open.timeline === null ? [] : timeline.slice(0, 1)),
  ];
  const cut = Object.values(open).every((cursor) => cursor === null)
    ? null
    : {
        oldestActs,
        oldestComment: open.comments === null ? null : (fields.comments?.nodes?.[0]?.createdAt ?? null),
        checks: open.checks !== null,
        fields,
      };
  return {
    kind: "snapshot",
    number: seen.number,
    labels: seen.labels,
    ours,
    comments: commentsSeen(fields.comments?.nodes ?? []),
    cut,
    state: seen.state,
    acts: [opened, ...reviews, ...timeline, ...runs],
    checks,
    suites: listed == null || open.suites !== null ? null : suitesSeen(began, contexts, head, appId),
    files: null,
    headAt: dates.length === 0 ? null : Math.min(...dates),
  };
}
