/** A pull request's history, item by item. */

import { iso, repoHtml } from "../../shapes/urls.ts";
import {
  account,
  commit,
  labelByName,
  type PullRequest,
  repository,
  required,
  type TimelineEvent,
  type TimelineKind,
} from "../../world/index.ts";
import { type Context, type Defined, define, int } from "../define.ts";
import { CommentType, CommitType, LabelType, PullRequestCommitType, PullRequestType, ReviewType } from "../entities.ts";
import { actorById, actorEntity, reviewerEntity, User } from "./people.ts";
import { refOrNull } from "./repository.ts";

/** What `itemTypes` calls each of them. */
export const itemTypes: Record<TimelineKind, string> = {
  labeled: "LABELED_EVENT",
  unlabeled: "UNLABELED_EVENT",
  reviewed: "PULL_REQUEST_REVIEW",
  review_dismissed: "REVIEW_DISMISSED_EVENT",
  commented: "ISSUE_COMMENT",
  committed: "PULL_REQUEST_COMMIT",
  head_ref_force_pushed: "HEAD_REF_FORCE_PUSHED_EVENT",
  convert_to_draft: "CONVERT_TO_DRAFT_EVENT",
  ready_for_review: "READY_FOR_REVIEW_EVENT",
  closed: "CLOSED_EVENT",
  reopened: "REOPENED_EVENT",
  merged: "MERGED_EVENT",
  renamed: "RENAMED_TITLE_EVENT",
  base_ref_changed: "BASE_REF_CHANGED_EVENT",
  review_requested: "REVIEW_REQUESTED_EVENT",
  review_request_removed: "REVIEW_REQUEST_REMOVED_EVENT",
  auto_merge_enabled: "AUTO_MERGE_ENABLED_EVENT",
  auto_merge_disabled: "AUTO_MERGE_DISABLED_EVENT",
  assigned: "ASSIGNED_EVENT",
  unassigned: "UNASSIGNED_EVENT",
};

type Item<K extends TimelineKind> = {
  readonly pull: PullRequest;
  readonly event: Extract<TimelineEvent, { event: K }>;
};
type Any = { readonly pull: PullRequest; readonly event: TimelineEvent };

const common = {
  id: ({ event }: Any) => event.nodeId,
  actor: ({ event }: Any, _args: never, context: Context) => actorById(context, event.actorId),
  createdAt: ({ event }: Any) => iso(event.at),
};
const onPull = { ...common, pullRequest: ({ pull }: Any) => PullRequestType(pull) };

/** A label that was deleted since stands in history by its name and colour. */
function labelOf({ pull, event }: Item<"labeled" | "unlabeled">, _args: never, { world }: Context) {
  const repo = repository(world, pull.repositoryId);
  const kept = labelByName(repo, event.labelName);
  const gone = {
    id: 0,
    nodeId: event.nodeId,
    repositoryId: repo.id,
    name: event.labelName,
    color: event.labelColor,
    description: null,
    createdAt: event.at,
  };
  return LabelType(kept ?? gone);
}

const labelled = { ...common, label: labelOf, labelable: ({ pull }: Any) => PullRequestType(pull) };
const Labeled: Defined<Item<"labeled" | "unlabeled">> = define<Item<"labeled" | "unlabeled">>("LabeledEvent", labelled);
const Unlabeled: Defined<Item<"labeled" | "unlabeled">> = define<Item<"labeled" | "unlabeled">>(
  "UnlabeledEvent",
  labelled,
);

const Dismissed: Defined<Item<"review_dismissed">> = define<Item<"review_dismissed">>("ReviewDismissedEvent", {
  ...onPull,
  databaseId: ({ event }) => int(event.id),
  dismissalMessage: ({ event }) => event.message,
  previousReviewState: ({ event }) => event.state,
  review: ({ pull, event }) => {
    const found = pull.reviews.find((one) => one.id === event.reviewId);
    return found === undefined ? null : ReviewType(found);
  },
});

const ForcePushed: Defined<Item<"head_ref_force_pushed">> = define<Item<"head_ref_force_pushed">>(
  "HeadRefForcePushedEvent",
  {
    ...onPull,
    beforeCommit: ({ pull, event }, _args: never, { world }) =>
      CommitType({ repo: repository(world, pull.repositoryId), commit: commit(world, event.before) }),
    afterCommit: ({ pull, event }, _args: never, { world }) =>
      CommitType({ repo: repository(world, pull.repositoryId), commit: commit(world, event.after) }),
    ref: ({ pull }, _args: never, context) =>
      refOrNull(context, repository(context.world, pull.head.repositoryId), `refs/heads/${pull.head.ref}`),
  },
);

const Drafted: Defined<Any> = define<Any>("ConvertToDraftEvent", onPull);
const Readied: Defined<Any> = define<Any>("ReadyForReviewEvent", onPull);
const closing = { ...common, closable: ({ pull }: Any) => PullRequestType(pull) };
const Closed: Defined<Any> = define<Any>("ClosedEvent", { ...closing, closer: () => null });
const Reopened: Defined<Any> = define<Any>("ReopenedEvent", closing);

const Merged: Defined<Item<"merged">> = define<Item<"merged">>("MergedEvent", {
  ...onPull,
  commit: ({ pull, event }, _args: never, { world }) =>
    CommitType({ repo: repository(world, pull.repositoryId), commit: commit(world, event.sha) }),
  mergeRefName: ({ pull }) => pull.base.ref,
  url: ({ pull }, _args: never, { world }) =>
    repoHtml(world, repository(world, pull.repositoryId), `/pull/${pull.number}`),
});

const Renamed: Defined<Item<"renamed">> = define<Item<"renamed">>("RenamedTitleEvent", {
  ...common,
  previousTitle: ({ event }) => event.from,
  currentTitle: ({ event }) => event.to,
  subject: ({ pull }) => PullRequestType(pull),
});

const BaseChanged: Defined<Item<"base_ref_changed">> = define<Item<"base_ref_changed">>("BaseRefChangedEvent", {
  ...onPull,
  databaseId: ({ event }) => int(event.id),
  previousRefName: ({ event }) => event.from,
  currentRefName: ({ event }) => event.to,
});

const requested = {
  ...onPull,
  requestedReviewer: ({ event }: Item<"review_requested" | "review_request_removed">, _args: never, context: Context) =>
    reviewerEntity(context, event.reviewer),
};
const Requested: Defined<Item<"review_requested" | "review_request_removed">> = define<
  Item<"review_requested" | "review_request_removed">
>("ReviewRequestedEvent", requested);
const RequestRemoved: Defined<Item<"review_requested" | "review_request_removed">> = define<
  Item<"review_requested" | "review_request_removed">
>("ReviewRequestRemovedEvent", requested);

const AutoMergeEnabled: Defined<Any> = define<Any>("AutoMergeEnabledEvent", {
  ...onPull,
  enabler: ({ event }, _args: never, { world }) => User(account(world, event.actorId)),
});
const AutoMergeDisabled: Defined<Any> = define<Any>("AutoMergeDisabledEvent", { ...onPull, reason: () => null });

const assigning = {
  ...common,
  assignable: ({ pull }: Any) => PullRequestType(pull),
  assignee: ({ event }: Item<"assigned" | "unassigned">, _args: never, { world }: Context) =>
    actorEntity(account(world, event.assigneeId)),
};
const Assigned: Defined<Item<"assigned" | "unassigned">> = define<Item<"assigned" | "unassigned">>(
  "AssignedEvent",
  assigning,
);
const Unassigned: Defined<Item<"assigned" | "unassigned">> = define<Item<"assigned" | "unassigned">>(
  "UnassignedEvent",
  assigning,
);

export function timelineEntity({ world }: Context, pull: PullRequest, event: TimelineEvent) {
  switch (event.event) {
    case "labeled":
      return Labeled({ pull, event });
    case "unlabeled":
      return Unlabeled({ pull, event });
    case "reviewed":
      return ReviewType(required(pull.reviews.find((one) => one.id === event.reviewId)));
    case "review_dismissed":
      return Dismissed({ pull, event });
    case "commented":
      return CommentType(required(pull.comments.find((one) => one.id === event.commentId)));
    case "committed":
      return PullRequestCommitType({ pull, commit: commit(world, event.sha) });
    case "head_ref_force_pushed":
      return ForcePushed({ pull, event });
    case "convert_to_draft":
      return Drafted({ pull, event });
    case "ready_for_review":
      return Readied({ pull, event });
    case "closed":
      return Closed({ pull, event });
    case "reopened":
      return Reopened({ pull, event });
    case "merged":
      return Merged({ pull, event });
    case "renamed":
      return Renamed({ pull, event });
    case "base_ref_changed":
      return BaseChanged({ pull, event });
    case "review_requested":
      return Requested({ pull, event });
    case "review_request_removed":
      return RequestRemoved({ pull, event });
    case "auto_merge_enabled":
      return AutoMergeEnabled({ pull, event });
    case "auto_merge_disabled":
      return AutoMergeDisabled({ pull, event });
    case "assigned":
      return Assigned({ pull, event });
    case "unassigned":
      return Unassigned({ pull, event });
  }
}

export const timelineTypes = [
  Labeled,
  Unlabeled,
  Dismissed,
  ForcePushed,
  Drafted,
  Readied,
  Closed,
  Reopened,
  Merged,
  Renamed,
  BaseChanged,
  Requested,
  RequestRemoved,
  AutoMergeEnabled,
  AutoMergeDisabled,
  Assigned,
  Unassigned,
];
