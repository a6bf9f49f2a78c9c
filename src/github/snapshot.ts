/** Everything about a pull request as one query reads it: its states, who did what when, its checks. */
import { z } from "zod";
import { act, type Change, type CheckSeen } from "../lifecycle/change.ts";
import type { Act } from "../lifecycle/facts.ts";
import { type GraphqlAnswer, sendGraphql } from "./graphql.ts";
import type { GitHubClient } from "./port.ts";
import {
  actor,
  CHECK_FIELDS,
  type CheckRead,
  checkFields,
  checkRead,
  graphqlActor,
  type LabelSeen,
  PULL_FIELDS,
  pullFields,
  pullSeen,
} from "./pull-fields.ts";
import { checkStatus } from "./webhook.ts";
import { date } from "./webhook-payloads.ts";

type SnapshotChange = Omit<Extract<Change, { kind: "snapshot" }>, "pull">;

export interface Snapshot extends SnapshotChange {
  readonly number: number;
  readonly labels: readonly LabelSeen[];
  /** Our own check runs on the head commit, the newest of each name. */
  readonly ours: readonly CheckRead[];
}

/** Timeline items that are acts of the lifecycle. */
const TIMELINE = `timelineItems(last: 100, itemTypes: [
  LABELED_EVENT, UNLABELED_EVENT, CONVERT_TO_DRAFT_EVENT, READY_FOR_REVIEW_EVENT, CLOSED_EVENT, REOPENED_EVENT,
  BASE_REF_CHANGED_EVENT, REVIEW_DISMISSED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT
]) { nodes {
  __typename
  ... on LabeledEvent { createdAt actor { ...ActorFields } label { name } }
  ... on UnlabeledEvent { createdAt actor { ...ActorFields } label { name } }
  ... on ConvertToDraftEvent { createdAt actor { ...ActorFields } }
  ... on ReadyForReviewEvent { createdAt actor { ...ActorFields } }
  ... on ClosedEvent { createdAt actor { ...ActorFields } }
  ... on ReopenedEvent { createdAt actor { ...ActorFields } }
  ... on BaseRefChangedEvent { createdAt actor { ...ActorFields } previousRefName currentRefName }
  ... on ReviewDismissedEvent { createdAt actor { ...ActorFields } previousReviewState
    review { fullDatabaseId submittedAt author { ...ActorFields } commit { oid } } }
  ... on HeadRefForcePushedEvent { createdAt actor { ...ActorFields } beforeCommit { oid } afterCommit { oid } }
} }`;

const SNAPSHOT_FIELDS = `fragment SnapshotFields on PullRequest {
  ...PullFields
  reviews(last: 100) { nodes { fullDatabaseId state submittedAt author { ...ActorFields } commit { oid } } }
  ${TIMELINE}
  commits(last: 1) { nodes { commit {
    oid
    status { contexts { context state createdAt } }
    checkSuites(last: 50) { nodes {
      createdAt app { databaseId slug }
      checkRuns(last: 50, filterBy: { checkType: LATEST }) { nodes { ...CheckFields startedAt completedAt } }
    } }
  } } }
}`;

const nodes = <T extends z.ZodType>(of: T) => z.object({ nodes: z.array(of.nullable()).nullish() }).nullish();
/** GitHub's BigInt is text. */
const bigId = z.union([z.string(), z.number()]).transform(Number).nullish();
const commit = z.object({ oid: z.string() }).nullish();

const review = z.object({
  fullDatabaseId: bigId,
  state: z.string(),
  submittedAt: date.nullish(),
  author: actor,
  commit,
});

const timelineItem = z.object({
  __typename: z.string(),
  createdAt: date.nullish(),
  actor,
  label: z.object({ name: z.string() }).nullish(),
  previousRefName: z.string().nullish(),
  currentRefName: z.string().nullish(),
  previousReviewState: z.string().nullish(),
  review: review.omit({ state: true }).nullish(),
  beforeCommit: commit,
  afterCommit: commit,
});

const suite = z.object({
  createdAt: date,
  app: z.object({ databaseId: z.number().nullish(), slug: z.string() }).nullish(),
  checkRuns: nodes(checkFields.extend({ startedAt: date.nullish(), completedAt: date.nullish() })),
});

const snapshotFields = pullFields.extend({
  reviews: nodes(review),
  timelineItems: nodes(timelineItem),
  commits: nodes(
    z.object({
      commit: z.object({
        oid: z.string(),
        status: z
          .object({ contexts: z.array(z.object({ context: z.string(), state: z.string(), createdAt: date })) })
          .nullish(),
        checkSuites: nodes(suite),
      }),
    }),
  ),
});
type SnapshotFields = z.infer<typeof snapshotFields>;

const ONE = `query Snapshot($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { ...SnapshotFields } }
}
${SNAPSHOT_FIELDS}
${PULL_FIELDS}
${CHECK_FIELDS}`;

/** Null: there is no such pull request, or the app may not see it. One query. */
export async function readSnapshot(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  number: number,
  appId: number,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  const { owner, name } = repository;
  const answer = await sendGraphql(client, ONE, { owner, name, number }, signal);
  const found = z.object({ pullRequest: z.unknown() }).nullish().parse(answer.data?.repository)?.pullRequest;
  if (found == null) {
    refuseUnlessMissing(answer);
    return null;
  }
  return snapshotOf(snapshotFields.parse(found), appId);
}

const PAGE = `query Snapshots($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(first: 50, after: $after, states: [OPEN], orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes { ...SnapshotFields } pageInfo { hasNextPage endCursor }
    }
  }
}
${SNAPSHOT_FIELDS}
${PULL_FIELDS}
${CHECK_FIELDS}`;

const page = z.object({
  pullRequests: z.object({
    nodes: z.array(snapshotFields.nullable()).nullish(),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
  }),
});

/** Up to 50 open pull requests with one query. `next`: opens the next page; null: this was the last. */
export async function readOpenPulls(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  after: string | null,
  appId: number,
  signal: AbortSignal,
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly next: string | null } | null> {
  const { owner, name } = repository;
  const answer = await sendGraphql(client, PAGE, { owner, name, after }, signal);
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

/** Nothing there is an answer; anything else that kept GitHub from reading is not. */
function refuseUnlessMissing(answer: GraphqlAnswer): void {
  const other = answer.errors.find((each) => each.type !== "NOT_FOUND");
  if (other !== undefined) {
    throw new Error(`GitHub could not read the pull request: ${other.message}`);
  }
}

function snapshotOf(fields: SnapshotFields, appId: number): Snapshot {
  const seen = pullSeen(fields);
  const head = (fields.commits?.nodes ?? []).find((each) => each?.commit.oid === fields.headRefOid)?.commit;
  const suites = (head?.checkSuites?.nodes ?? []).filter((each) => each !== null);
  const checks: CheckSeen[] = [];
  const ours: CheckRead[] = [];
  for (const each of suites) {
    for (const run of each.checkRuns?.nodes ?? []) {
      if (run === null) {
        continue;
      }
      const isOurs = each.app?.databaseId === appId;
      if (isOurs) {
        ours.push(checkRead(run));
      }
      checks.push({
        name: run.name,
        appId: each.app?.databaseId ?? 0,
        appSlug: each.app?.slug ?? "",
        status: checkStatus(run.status),
        conclusion: run.conclusion,
        sha: fields.headRefOid,
        at: run.completedAt ?? run.startedAt ?? each.createdAt,
        ours: isOurs,
      });
    }
  }
  for (const { context, state, createdAt } of head?.status?.contexts ?? []) {
    const pending = state === "PENDING" || state === "EXPECTED";
    checks.push({
      name: context,
      appId: 0,
      appSlug: "",
      status: pending ? "in_progress" : "completed",
      conclusion: pending ? null : state === "SUCCESS" ? "success" : "failure",
      sha: fields.headRefOid,
      at: createdAt,
      ours: false,
    });
  }
  return {
    kind: "snapshot",
    number: seen.number,
    labels: seen.labels,
    ours,
    state: seen.state,
    acts: actsOf(fields, seen.state.openedAt),
    checks,
    files: null,
    headAt: suites.length === 0 ? null : Math.min(...suites.map((each) => each.createdAt)),
  };
}

function actsOf(fields: SnapshotFields, openedAt: number): Act[] {
  const acts: Act[] = [act({ kind: "opened", at: openedAt, by: graphqlActor(fields.author) })];
  for (const each of fields.reviews?.nodes ?? []) {
    const made = each === null ? null : reviewAct(each, each.state, fields.headRefOid);
    if (made !== null) {
      acts.push(made);
    }
  }
  for (const item of fields.timelineItems?.nodes ?? []) {
    if (item !== null) {
      acts.push(...timelineActs(item, fields));
    }
  }
  return acts;
}

/** Null: it is pending, or dismissed: then its dismissal tells what it was. */
function reviewAct(given: Omit<z.infer<typeof review>, "state">, stateText: string, head: string): Act | null {
  const state = stateText.toLowerCase();
  if (state !== "approved" && state !== "changes_requested" && state !== "commented") {
    return null;
  }
  if (given.fullDatabaseId == null || given.submittedAt == null) {
    return null;
  }
  return act({
    kind: "review",
    at: given.submittedAt,
    by: graphqlActor(given.author),
    reviewId: given.fullDatabaseId,
    state,
    sha: given.commit?.oid ?? head,
  });
}

function timelineActs(item: z.infer<typeof timelineItem>, fields: SnapshotFields): Act[] {
  const at = item.createdAt;
  if (at == null) {
    return [];
  }
  const by = graphqlActor(item.actor);
  switch (item.__typename) {
    case "LabeledEvent":
      return item.label == null ? [] : [act({ kind: "labeled", at, by, label: item.label.name })];
    case "UnlabeledEvent":
      return item.label == null ? [] : [act({ kind: "unlabeled", at, by, label: item.label.name })];
    case "ConvertToDraftEvent":
      return [act({ kind: "drafted", at, by })];
    case "ReadyForReviewEvent":
      return [act({ kind: "readied", at, by })];
    case "ClosedEvent":
      return [act({ kind: "closed", at, by, merged: fields.merged })];
    case "ReopenedEvent":
      return [act({ kind: "reopened", at, by })];
    case "BaseRefChangedEvent": {
      const { previousRefName: from, currentRefName: to } = item;
      return from == null || to == null ? [] : [act({ kind: "base_changed", at, by, from, to })];
    }
    case "ReviewDismissedEvent": {
      const id = item.review?.fullDatabaseId;
      if (id == null || item.review == null) {
        return [];
      }
      const given = reviewAct(item.review, item.previousReviewState ?? "", fields.headRefOid);
      return [...(given === null ? [] : [given]), act({ kind: "review_dismissed", at, by, reviewId: id })];
    }
    case "HeadRefForcePushedEvent": {
      const { beforeCommit: before, afterCommit: after } = item;
      return before == null || after == null
        ? []
        : [act({ kind: "pushed", at, by, before: before.oid, sha: after.oid, forced: true })];
    }
    default:
      return [];
  }
}
