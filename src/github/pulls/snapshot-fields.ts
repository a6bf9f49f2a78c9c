/** What a snapshot asks of a pull request, and the shape of the answer. */
import { z } from "zod";
import { githubId, idAtEnd, smallId } from "../id.ts";
import { payloadDate } from "../webhooks/payloads.ts";
import { actor, checkFields, PULL_FIELDS, pullFields } from "./pull-fields.ts";

/** Timeline items that are acts of the lifecycle. */
export const TIMELINE_TYPES = `LABELED_EVENT, UNLABELED_EVENT, CONVERT_TO_DRAFT_EVENT, READY_FOR_REVIEW_EVENT, CLOSED_EVENT,
  REOPENED_EVENT, BASE_REF_CHANGED_EVENT, REVIEW_DISMISSED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT`;

const REVIEW_NODES = `pageInfo { hasPreviousPage startCursor }
  nodes { fullDatabaseId state submittedAt author { ...ActorFields } commit { oid } }`;

/** Their dates, their authors and what they are about. */
export const DATED_ITEMS = `__typename
  ... on LabeledEvent { createdAt actor { ...ActorFields } label { name } }
  ... on UnlabeledEvent { createdAt actor { ...ActorFields } label { name } }
  ... on ConvertToDraftEvent { createdAt actor { ...ActorFields } }
  ... on ReadyForReviewEvent { createdAt actor { ...ActorFields } }
  ... on ClosedEvent { createdAt actor { ...ActorFields } }
  ... on ReopenedEvent { createdAt actor { ...ActorFields } }
  ... on BaseRefChangedEvent { createdAt actor { ...ActorFields } previousRefName currentRefName }
  ... on ReviewDismissedEvent { createdAt actor { ...ActorFields } previousReviewState
    review { fullDatabaseId submittedAt author { ...ActorFields } commit { oid } } }
  ... on HeadRefForcePushedEvent { createdAt actor { ...ActorFields } beforeCommit { oid } afterCommit { oid } }`;

const TIMELINE_NODES = `pageInfo { hasPreviousPage startCursor }
  nodes { ${DATED_ITEMS} }`;

const COMMENT_NODES = `pageInfo { hasPreviousPage startCursor }
  nodes { fullDatabaseId id createdAt lastEditedAt author { ...ActorFields } body }`;

/** The newest of each name. Texts are left out: others write tens of thousands of characters. */
const CHECK_NODES = `pageInfo { hasNextPage endCursor }
  nodes {
    __typename
    ... on CheckRun {
      id resourcePath name status conclusion title startedAt completedAt
      checkSuite {
        id createdAt status conclusion app { databaseId slug }
        workflowRun { resourcePath updatedAt file { path } }
        creator { ...ActorFields }
      }
    }
    ... on StatusContext { context state createdAt }
  }`;

const SUITE_NODES = `pageInfo { hasNextPage endCursor }
  nodes { id createdAt updatedAt status conclusion app { databaseId slug } workflowRun { file { path } } }`;

/**
 * One row of connections for each pull request, so that a page of 50 stays within what GitHub reads in ten seconds:
 * the check runs come from the commit's rollup and not suite by suite.
 */
export const SNAPSHOT_FIELDS = `fragment SnapshotFields on PullRequest {
  ...PullFields
  reviews(last: 50) { ${REVIEW_NODES} }
  timelineItems(last: 100, itemTypes: [${TIMELINE_TYPES}]) { ${TIMELINE_NODES} }
  comments(last: 20) { ${COMMENT_NODES} }
  commits(last: 1) { nodes { commit {
    oid
    checkSuites(first: 50) { ${SUITE_NODES} }
    statusCheckRollup { contexts(first: 100) { ${CHECK_NODES} } }
  } } }
}
${PULL_FIELDS}`;

/** What did not fit, for one pull request. Each is asked for only where there is more of it. */
export const REST_QUERY = `query SnapshotRest(
  $id: ID!, $reviews: String, $timeline: String, $comments: String, $checks: String, $suites: String,
  $moreReviews: Boolean!, $moreTimeline: Boolean!, $moreComments: Boolean!, $moreChecks: Boolean!,
  $moreSuites: Boolean!
) {
  node(id: $id) { ... on PullRequest {
    reviews(last: 100, before: $reviews) @include(if: $moreReviews) { ${REVIEW_NODES} }
    timelineItems(last: 100, before: $timeline, itemTypes: [${TIMELINE_TYPES}]) @include(if: $moreTimeline) {
      ${TIMELINE_NODES}
    }
    comments(last: 100, before: $comments) @include(if: $moreComments) { ${COMMENT_NODES} }
    commits(last: 1) @include(if: $moreChecks) { nodes { commit {
      oid statusCheckRollup { contexts(first: 100, after: $checks) { ${CHECK_NODES} } }
    } } }
    suitesOf: commits(last: 1) @include(if: $moreSuites) { nodes { commit {
      oid checkSuites(first: 100, after: $suites) { ${SUITE_NODES} }
    } } }
  } }
}
fragment ActorFields on Actor {
  __typename login
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Mannequin { databaseId }
}`;

const nodes = <T extends z.ZodType>(of: T) => z.object({ nodes: z.array(of.nullable()).nullish() }).nullish();
const backwards = <T extends z.ZodType>(of: T) =>
  z
    .object({
      nodes: z.array(of.nullable()).nullish(),
      pageInfo: z.object({ hasPreviousPage: z.boolean(), startCursor: z.string().nullish() }),
    })
    .nullish();
/** Where GraphQL has the id as an `Int` alone, which holds 32 bits. */
const idInPath = z.string().nullish().transform(idAtEnd);
const commit = z.object({ oid: z.string() }).nullish();

export const reviewFields = z.object({
  fullDatabaseId: githubId.nullish(),
  state: z.string(),
  submittedAt: payloadDate.nullish(),
  author: actor,
  commit,
});
export type ReviewFields = z.infer<typeof reviewFields>;

export const timelineFields = z.object({
  __typename: z.string(),
  createdAt: payloadDate.nullish(),
  actor,
  label: z.object({ name: z.string() }).nullish(),
  previousRefName: z.string().nullish(),
  currentRefName: z.string().nullish(),
  previousReviewState: z.string().nullish(),
  review: reviewFields.omit({ state: true }).nullish(),
  beforeCommit: commit,
  afterCommit: commit,
});
export type TimelineFields = z.infer<typeof timelineFields>;

const commentFields = z.object({
  fullDatabaseId: githubId.nullish(),
  id: z.string(),
  createdAt: payloadDate,
  lastEditedAt: payloadDate.nullish(),
  author: actor,
  body: z.string(),
});
export type CommentFields = z.infer<typeof commentFields>;

const checkRunFields = z.object({
  ...checkFields.pick({ id: true, name: true, status: true, conclusion: true, title: true }).shape,
  __typename: z.literal("CheckRun"),
  resourcePath: idInPath,
  startedAt: payloadDate.nullish(),
  completedAt: payloadDate.nullish(),
  checkSuite: z.object({
    id: z.string(),
    createdAt: payloadDate,
    status: z.string(),
    conclusion: z.string().nullish(),
    app: z.object({ databaseId: smallId.nullish(), slug: z.string() }).nullish(),
    workflowRun: z
      .object({
        resourcePath: idInPath,
        updatedAt: payloadDate,
        file: z.object({ path: z.string() }).nullish(),
      })
      .nullish(),
    creator: actor,
  }),
});
const statusFields = z.object({
  __typename: z.literal("StatusContext"),
  context: z.string(),
  state: z.string(),
  createdAt: payloadDate,
});
const contextFields = z.discriminatedUnion("__typename", [checkRunFields, statusFields]);
export type ContextFields = z.infer<typeof contextFields>;

const suiteFields = z.object({
  id: z.string(),
  createdAt: payloadDate,
  updatedAt: payloadDate,
  status: z.string(),
  conclusion: z.string().nullish(),
  app: z.object({ databaseId: smallId.nullish(), slug: z.string() }).nullish(),
  workflowRun: z.object({ file: z.object({ path: z.string() }).nullish() }).nullish(),
});
export type SuiteFields = z.infer<typeof suiteFields>;
const forwards = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() });

const headCommit = nodes(
  z.object({
    commit: z.object({
      oid: z.string(),
      checkSuites: z.object({ nodes: z.array(suiteFields.nullable()).nullish(), pageInfo: forwards }).nullish(),
      statusCheckRollup: z
        .object({
          contexts: z.object({
            nodes: z.array(contextFields.nullable()).nullish(),
            pageInfo: forwards,
          }),
        })
        .nullish(),
    }),
  }),
);

const connections = z.object({
  reviews: backwards(reviewFields),
  timelineItems: backwards(timelineFields),
  comments: backwards(commentFields),
  commits: headCommit,
});
export type Connections = z.infer<typeof connections>;

export const snapshotFields = pullFields.extend(connections.shape);
export type SnapshotFields = z.infer<typeof snapshotFields>;
export const restFields = connections.extend({ suitesOf: headCommit });
export type RestFields = z.infer<typeof restFields>;
