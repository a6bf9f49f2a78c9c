/** Pull requests, their reviews, comments and files. */

import {
  association,
  comment as commentShape,
  pullCommits,
  pullFiles,
  pull as pullShape,
  review as reviewShape,
} from "../../shapes/pulls.ts";
import { iso, isoOrNull, repoHtml } from "../../shapes/urls.ts";
import {
  account,
  atLeast,
  commit,
  decidingReviews,
  labelsOn,
  lineCounts,
  mergeState,
  type PullRequest,
  permissionOf,
  pullOf,
  type Repository,
  type Review,
  type Reviewer,
  reactionContents,
  repository,
  required,
  type TimelineEvent,
} from "../../world/index.ts";
import {
  type Context,
  connection,
  type Defined,
  define,
  int,
  type Optional,
  type PageArgs,
  reading,
} from "../define.ts";
import {
  CommentType,
  CommitType,
  LabelType,
  PullRequestCommitType,
  PullRequestType,
  RepositoryType,
  ReviewType,
} from "../entities.ts";
import { rollup } from "./commit.ts";
import { actorById, actorEntity, reviewerEntity, User } from "./people.ts";
import { refOrNull, stateOf } from "./repository.ts";
import { itemTypes, timelineEntity } from "./timeline.ts";

interface ReviewFilter extends PageArgs {
  readonly states?: Optional<readonly string[]>;
  readonly author?: Optional<string>;
}

interface TimelineFilter extends PageArgs {
  readonly itemTypes?: Optional<readonly string[]>;
  readonly since?: Optional<string>;
  readonly skip?: Optional<number>;
}

function repoOf({ world }: Context, pull: { readonly repositoryId: number }): Repository {
  return repository(world, pull.repositoryId);
}

function at(context: Context, pull: PullRequest, sha: string) {
  return CommitType({ repo: repoOf(context, pull), commit: commit(context.world, sha) });
}

function filterReviews(reviews: readonly Review[], by: ReviewFilter, { world }: Context): Review[] {
  return reviews.filter(
    (one) =>
      (!by.states || by.states.includes(one.state)) &&
      (!by.author || account(world, one.authorId).login.toLowerCase() === by.author.toLowerCase()),
  );
}

/** The newest review of each author, comments included. */
function latestReviews(pull: PullRequest): Review[] {
  return [...new Map(pull.reviews.map((one) => [one.authorId, one])).values()];
}

const pullRequestFields = define(PullRequestType, {
  id: (pull) => pull.nodeId,
  databaseId: (pull) => pull.id,
  fullDatabaseId: (pull) => String(pull.id),
  number: (pull) => pull.number,
  title: (pull) => pull.title,
  body: (pull) => pull.body ?? "",
  bodyText: (pull) => pull.body ?? "",
  state: stateOf,
  closed: (pull) => pull.state === "closed",
  closedAt: (pull) => isoOrNull(pull.closedAt),
  merged: (pull) => pull.merged,
  mergedAt: (pull) => isoOrNull(pull.mergedAt),
  mergedBy: (pull, _args: never, context) => (pull.mergedById === null ? null : actorById(context, pull.mergedById)),
  isDraft: (pull) => pull.draft,
  locked: () => false,
  createdAt: (pull) => iso(pull.createdAt),
  updatedAt: (pull) => iso(pull.updatedAt),
  publishedAt: (pull) => iso(pull.createdAt),
  url: (pull, _args: never, context) => repoHtml(context.world, repoOf(context, pull), `/pull/${pull.number}`),
  permalink: (pull, _args: never, context) => repoHtml(context.world, repoOf(context, pull), `/pull/${pull.number}`),
  resourcePath: (pull, _args: never, context) =>
    repoHtml(context.world, repoOf(context, pull), `/pull/${pull.number}`).slice(context.world.baseUrl.length),
  author: (pull, _args: never, context) => actorById(context, pull.authorId),
  authorAssociation: (pull, _args: never, context) => association(context.world, repoOf(context, pull), pull.authorId),
  repository: (pull, _args: never, context) => RepositoryType(repoOf(context, pull)),
  baseRepository: (pull, _args: never, context) => RepositoryType(repoOf(context, pull)),
  headRepository: (pull, _args: never, { world }) => RepositoryType(repository(world, pull.head.repositoryId)),
  headRepositoryOwner: (pull, _args: never, { world }) =>
    actorEntity(account(world, repository(world, pull.head.repositoryId).ownerId)),
  isCrossRepository: (pull) => pull.head.repositoryId !== pull.base.repositoryId,
  maintainerCanModify: () => false,
  baseRefName: (pull) => pull.base.ref,
  baseRefOid: (pull) => pull.base.sha,
  baseRef: (pull, _args: never, context) => refOrNull(context, repoOf(context, pull), `refs/heads/${pull.base.ref}`),
  headRefName: (pull) => pull.head.ref,
  headRefOid: (pull) => pull.head.sha,
  headRef: (pull, _args: never, context) =>
    refOrNull(context, repository(context.world, pull.head.repositoryId), `refs/heads/${pull.head.ref}`),
  mergeCommit: (pull, _args: never, context) =>
    pull.merged && pull.mergeCommitSha !== null ? at(context, pull, pull.mergeCommitSha) : null,
  potentialMergeCommit: (pull, _args: never, context) =>
    pull.merged || pull.mergeCommitSha === null ? null : at(context, pull, pull.mergeCommitSha),
  mergeable: (pull) =>
    pull.state === "closed" ? "UNKNOWN" : pull.mergeCommitSha === null ? "CONFLICTING" : "MERGEABLE",
  mergeStateStatus: (pull, _args: never, { world }) =>
    pull.state === "closed" ? "UNKNOWN" : mergeState(world, pull).toUpperCase(),
  additions: (pull, _args: never, { world }) =>
    pullFiles(world, pull).reduce((sum, one) => sum + lineCounts(one).additions, 0),
  deletions: (pull, _args: never, { world }) =>
    pullFiles(world, pull).reduce((sum, one) => sum + lineCounts(one).deletions, 0),
  changedFiles: (pull, _args: never, { world }) => pullFiles(world, pull).length,
  totalCommentsCount: (pull) => pull.comments.length,
  mergeQueueEntry: (pull, _args: never, context) =>
    pull.queued === null
      ? null
      : {
          enqueuer: actorById(context, pull.queued.byId),
          enqueuedAt: iso(pull.queued.at),
          pullRequest: PullRequestType(pull),
        },
  isInMergeQueue: (pull) => pull.queued !== null,
  isMergeQueueEnabled: (pull, _args: never, context) => repoOf(context, pull).merging.queues.has(pull.base.ref),
  viewerDidAuthor: (pull, _args: never, { caller }) => caller.kind === "user" && caller.account.id === pull.authorId,
  autoMergeRequest: (pull, _args: never, context) =>
    pull.autoMerge === null
      ? null
      : {
          enabledBy: actorById(context, pull.autoMerge.enabledById),
          mergeMethod: pull.autoMerge.method.toUpperCase(),
          commitHeadline: pull.autoMerge.title,
          commitBody: pull.autoMerge.message,
          pullRequest: PullRequestType(pull),
        },
  labels: (pull, args: PageArgs & { orderBy?: unknown }, { world }) =>
    connection("labels", labelsOn(world, pull), args, LabelType),
  assignees: (pull, args: PageArgs, { world }) =>
    connection("assignees", [...pull.assigneeIds], args, (id) => User(account(world, id))),
  participants: (pull, args: PageArgs, { world }) => {
    const ids = new Set([
      pull.authorId,
      ...pull.comments.map((one) => one.authorId),
      ...pull.reviews.map((one) => one.authorId),
    ]);
    const people = [...ids].map((id) => account(world, id)).filter((who) => who.type === "User");
    return connection("participants", people, args, User);
  },
  reviewRequests: (pull, args: PageArgs) =>
    connection("reviewRequests", pull.requestedReviewers, args, (reviewer) => ReviewRequestType({ pull, reviewer })),
  reviews: (pull, args: ReviewFilter, context) =>
    connection("reviews", filterReviews(pull.reviews, args, context), args, ReviewType),
  latestReviews: (pull, args: PageArgs) => connection("latestReviews", latestReviews(pull), args, ReviewType),
  latestOpinionatedReviews: (pull, args: PageArgs & { writersOnly?: Optional<boolean> }, context) => {
    const found = decidingReviews(pull).filter((one) => !args.writersOnly || canPush(context, one));
    return connection("latestOpinionatedReviews", found, args, ReviewType);
  },
  reviewDecision: (pull, _args: never, context) => {
    const needed = repoOf(context, pull).protections.get(pull.base.ref)?.requiredApprovals ?? 0;
    const deciding = decidingReviews(pull).filter((one) => canPush(context, one));
    if (deciding.some((one) => one.state === "CHANGES_REQUESTED")) return "CHANGES_REQUESTED";
    if (needed === 0) return null;
    return deciding.filter((one) => one.state === "APPROVED").length >= needed ? "APPROVED" : "REVIEW_REQUIRED";
  },
  comments: (pull, args: PageArgs & { orderBy?: unknown }) => connection("comments", pull.comments, args, CommentType),
  commits: (pull, args: PageArgs, { world }) =>
    connection("commits", pullCommits(world, pull), args, (made) => PullRequestCommitType({ pull, commit: made })),
  files: (pull, args: PageArgs, context) => {
    reading(context, repoOf(context, pull), "pull_requests");
    return connection("files", pullFiles(context.world, pull), args, (change) => ({
      path: change.path,
      ...lineCounts(change),
      changeType: { added: "ADDED", removed: "DELETED", modified: "MODIFIED" }[change.status],
      viewerViewedState: "UNVIEWED",
    }));
  },
  statusCheckRollup: (pull, _args: never, context) => {
    const repo = repoOf(context, pull);
    return rollup({ repo, commit: commit(context.world, pull.head.sha) }, context);
  },
  timelineItems: (pull, args: TimelineFilter, context) => {
    const since = args.since ? Date.parse(args.since) : 0;
    const wanted = (event: TimelineEvent) => !args.itemTypes || args.itemTypes.includes(itemTypes[event.event]);
    const found = pull.timeline.filter((event) => event.at >= since && wanted(event)).slice(args.skip ?? 0);
    const updatedAt = iso(pull.updatedAt);
    return connection("timelineItems", found, args, (event) => timelineEntity(context, pull, event), {
      filteredCount: found.length,
      pageCount: found.length,
      updatedAt,
    });
  },
});

function canPush({ world }: Context, review: Review): boolean {
  return atLeast(permissionOf(world, repository(world, review.repositoryId), account(world, review.authorId)), "write");
}

function pullOfThing({ world }: Context, thing: { readonly repositoryId: number; readonly pullNumber: number }) {
  return PullRequestType(pullOf(world, thing.repositoryId, thing.pullNumber));
}

const reviewFields = define(ReviewType, {
  id: (review) => review.nodeId,
  databaseId: (review) => int(review.id),
  fullDatabaseId: (review) => String(review.id),
  state: (review) => review.state,
  body: (review) => review.body,
  bodyText: (review) => review.body,
  author: (review, _args: never, context) => actorById(context, review.authorId),
  authorAssociation: (review, _args: never, context) =>
    association(context.world, repoOf(context, review), review.authorId),
  authorCanPushToRepository: (review, _args: never, context) => canPush(context, review),
  commit: (review, _args: never, context) =>
    CommitType({ repo: repoOf(context, review), commit: commit(context.world, review.commitSha) }),
  submittedAt: (review) => iso(review.submittedAt),
  createdAt: (review) => iso(review.submittedAt),
  updatedAt: (review) => iso(review.updatedAt),
  publishedAt: (review) => iso(review.submittedAt),
  url: (review, _args: never, { world }) => reviewShape(world, review).html_url,
  repository: (review, _args: never, context) => RepositoryType(repoOf(context, review)),
  pullRequest: (review, _args: never, context) => pullOfThing(context, review),
});

const reactionNames = {
  "+1": "THUMBS_UP",
  "-1": "THUMBS_DOWN",
  laugh: "LAUGH",
  confused: "CONFUSED",
  heart: "HEART",
  hooray: "HOORAY",
  rocket: "ROCKET",
  eyes: "EYES",
} as const;

const commentFields = define(CommentType, {
  id: (comment) => comment.nodeId,
  databaseId: (comment) => int(comment.id),
  fullDatabaseId: (comment) => String(comment.id),
  body: (comment) => comment.body,
  bodyText: (comment) => comment.body,
  author: (comment, _args: never, context) => actorById(context, comment.authorId),
  authorAssociation: (comment, _args: never, context) =>
    association(context.world, repoOf(context, comment), comment.authorId),
  createdAt: (comment) => iso(comment.createdAt),
  updatedAt: (comment) => iso(comment.updatedAt),
  lastEditedAt: (comment) => (comment.updatedAt > comment.createdAt ? iso(comment.updatedAt) : null),
  publishedAt: (comment) => iso(comment.createdAt),
  isMinimized: () => false,
  url: (comment, _args: never, { world }) => commentShape(world, comment).html_url,
  repository: (comment, _args: never, context) => RepositoryType(repoOf(context, comment)),
  issue: (comment, _args: never, context) => {
    throw new Error(
      `comment ${comment.id} of ${repoOf(context, comment).name} stands on a pull request, not on an issue`,
    );
  },
  pullRequest: (comment, _args: never, context) => pullOfThing(context, comment),
  viewerDidAuthor: (comment, _args: never, { caller, world }) =>
    (caller.kind === "user" && caller.account.id === comment.authorId) ||
    (caller.kind === "installation" && required(world.apps.get(caller.app.id)).botId === comment.authorId),
  reactionGroups: (comment) =>
    reactionContents.map((content) => ({
      content: reactionNames[content],
      subject: CommentType(comment),
      reactors: (args: PageArgs) => ({
        totalCount: comment.reactions.filter((one) => one.content === content).length,
        first: args.first,
      }),
    })),
});

const pullRequestCommitFields = define(PullRequestCommitType, {
  id: ({ pull, commit: made }, _args: never, { world }) => world.ids.node("Commit", `${pull.id}:${made.sha}`),
  commit: ({ pull, commit: made }, _args: never, context) => CommitType({ repo: repoOf(context, pull), commit: made }),
  pullRequest: ({ pull }) => PullRequestType(pull),
  url: ({ pull, commit: made }, _args: never, { world }) => `${pullShape(world, pull).html_url}/commits/${made.sha}`,
  resourcePath: ({ pull, commit: made }, _args: never, { world }) =>
    `${pullShape(world, pull).html_url}/commits/${made.sha}`.slice(world.baseUrl.length),
});

export const ReviewRequestType: Defined<{ readonly pull: PullRequest; readonly reviewer: Reviewer }> = define(
  "ReviewRequest",
  {
    id: ({ pull, reviewer }, _args: never, { world }) =>
      world.ids.node("Review", `request:${pull.id}:${JSON.stringify(reviewer)}`),
    databaseId: () => null,
    asCodeOwner: () => false,
    pullRequest: ({ pull }) => PullRequestType(pull),
    requestedReviewer: ({ reviewer }, _args: never, context) => reviewerEntity(context, reviewer),
  },
);

export const pullTypes = [pullRequestFields, reviewFields, commentFields, pullRequestCommitFields, ReviewRequestType];
