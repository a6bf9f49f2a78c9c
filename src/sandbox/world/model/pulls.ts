export interface MergeGroup {
  readonly headSha: string;
  readonly headRef: string;
  readonly baseSha: string;
  readonly baseRef: string;
  readonly pullNumbers: readonly number[];
}

/** Pull requests, what people say about them, and their history. */

export type MergeMethod = "merge" | "squash" | "rebase";

export type ReviewState = "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";

export interface Review {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly pullNumber: number;
  readonly authorId: number;
  state: ReviewState;
  body: string;
  readonly commitSha: string;
  readonly submittedAt: number;
  updatedAt: number;
}

export const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] as const;
export type ReactionContent = (typeof reactionContents)[number];

export interface Reaction {
  readonly id: number;
  readonly nodeId: string;
  readonly accountId: number;
  readonly content: ReactionContent;
  readonly createdAt: number;
}

export interface Comment {
  readonly id: number;
  readonly nodeId: string;
  readonly repositoryId: number;
  readonly pullNumber: number;
  readonly authorId: number;
  /** The app through whose token it was written. */
  readonly appId: number | null;
  body: string;
  readonly createdAt: number;
  updatedAt: number;
  readonly reactions: Reaction[];
}

/** One line of a pull request's history, as GitHub's timeline shows it. */
export type TimelineEvent = {
  readonly id: number;
  readonly nodeId: string;
  readonly actorId: number;
  readonly at: number;
} & (
  | { readonly event: "labeled" | "unlabeled"; readonly labelName: string; readonly labelColor: string }
  | { readonly event: "reviewed"; readonly reviewId: number }
  | {
      readonly event: "review_dismissed";
      readonly reviewId: number;
      readonly message: string;
      /** What it was before. */
      readonly state: "APPROVED" | "CHANGES_REQUESTED";
    }
  | { readonly event: "commented"; readonly commentId: number }
  | { readonly event: "committed"; readonly sha: string }
  | { readonly event: "head_ref_force_pushed"; readonly before: string; readonly after: string }
  | { readonly event: "convert_to_draft" | "ready_for_review" | "closed" | "reopened" }
  | { readonly event: "merged"; readonly sha: string }
  | { readonly event: "renamed"; readonly from: string; readonly to: string }
  | { readonly event: "base_ref_changed"; readonly from: string; readonly to: string }
  | { readonly event: "review_requested" | "review_request_removed"; readonly reviewer: Reviewer }
  | { readonly event: "auto_merge_enabled" | "auto_merge_disabled" }
  | { readonly event: "assigned" | "unassigned"; readonly assigneeId: number }
);

export type TimelineKind = TimelineEvent["event"];

export type Reviewer =
  | { readonly kind: "user"; readonly accountId: number }
  | { readonly kind: "team"; readonly teamId: number };

export interface PullRequest {
  readonly id: number;
  readonly nodeId: string;
  /** Every pull request is an issue too, with an id of its own. */
  readonly issueId: number;
  readonly repositoryId: number;
  readonly number: number;
  title: string;
  body: string | null;
  readonly authorId: number;
  state: "open" | "closed";
  draft: boolean;
  merged: boolean;
  mergedAt: number | null;
  mergedById: number | null;
  /** The test merge while open (null: conflicts), the real one once merged. */
  mergeCommitSha: string | null;
  closedAt: number | null;
  readonly createdAt: number;
  updatedAt: number;
  readonly head: { readonly repositoryId: number; readonly ref: string; sha: string };
  readonly base: { readonly repositoryId: number; ref: string; sha: string };
  /** In the order in which they were added. */
  readonly labelIds: Set<number>;
  readonly assigneeIds: Set<number>;
  requestedReviewers: readonly Reviewer[];
  readonly reviews: Review[];
  readonly comments: Comment[];
  readonly timeline: TimelineEvent[];
  autoMerge: {
    readonly enabledById: number;
    readonly method: MergeMethod;
    readonly title: string;
    readonly message: string;
  } | null;
  /** In a merge queue. */
  queued: { readonly byId: number; readonly at: number; readonly group: MergeGroup } | null;
}
