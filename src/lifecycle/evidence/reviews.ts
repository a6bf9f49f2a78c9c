/** What the conditions about reviews share: whose word stands, and since when. Not a condition itself. */

import type { ConditionContext } from "../conditions/condition.ts";
import { actorKey } from "../evaluation/permissions.ts";
import { firstWhere, type ReviewAct } from "../facts/act-index.ts";
import type { Act, Actor } from "../facts/facts.ts";
import type { ConditionMemo } from "./memo.ts";

export type SubmittedReview = Extract<Act, { kind: "review" }>;

/** The reviews of one person that say the same now, oldest first. */
export interface Opinion {
  readonly by: Actor;
  readonly state: "approved" | "changes_requested";
  readonly reviews: readonly SubmittedReview[];
}

/**
 * For each reviewer the newest approval or request for changes, with those before it that said the same.
 * A comment changes nothing; a dismissed review leaves its author without an opinion: an older one does not revive.
 */
export function opinions(context: Pick<ConditionContext, "acts" | "memo">): Opinion[] {
  const { list, length } = context.acts.reviews();
  const known = context.memo === null ? undefined : FOLDS.get(context.memo);
  const fold = known?.list === list && known.length <= length ? known : new OpinionFold(list);
  if (context.memo !== null) {
    FOLDS.set(context.memo, fold);
  }
  return fold.until(length);
}

const FOLDS = new WeakMap<ConditionMemo, OpinionFold>();

/** The first of these reviews of a commit in force that counts. */
export function firstThatCounts(
  { reviews }: Opinion,
  { commits, window }: Pick<ConditionContext, "commits" | "window">,
): SubmittedReview | undefined {
  for (let index = firstWhere({ list: reviews, length: reviews.length }, window.counts); ; index += 1) {
    const review = reviews[index];
    if (review === undefined || commits.includes(review.sha)) {
      return review;
    }
  }
}

export function concernsReviews({ kind }: Act): boolean {
  return kind === "review" || kind === "review_dismissed";
}

interface Reviewer {
  /** All approvals and requests for changes. */
  readonly reviews: SubmittedReview[];
  /** The first of those that make up the opinion; as many as there are: there is no opinion. */
  from: number;
}

/** Goes through a list of reviews once, as far as it is asked for. */
class OpinionFold {
  readonly list: readonly ReviewAct[];
  length = 0;
  readonly #reviewers = new Map<string, Reviewer>();
  readonly #authors = new Map<string, Reviewer>();
  readonly #dismissed = new Set<string>();

  constructor(list: readonly ReviewAct[]) {
    this.list = list;
  }

  until(length: number): Opinion[] {
    for (; this.length < length; this.length += 1) {
      const act = this.list[this.length];
      if (act?.kind === "review_dismissed") {
        this.#dismiss(act.reviewId);
      } else if (act !== undefined && act.state !== "commented") {
        this.#add(act);
      }
    }
    return [...this.#reviewers.values()].flatMap(({ reviews, from }) => {
      const first = reviews[from];
      return first === undefined || first.state === "commented"
        ? []
        : [{ by: first.by, state: first.state, reviews: from === 0 ? reviews : reviews.slice(from) }];
    });
  }

  #add(review: SubmittedReview): void {
    const key = actorKey(review.by);
    const reviewer = this.#reviewers.get(key) ?? { reviews: [], from: 0 };
    this.#reviewers.set(key, reviewer);
    this.#authors.set(review.reviewId, reviewer);
    reviewer.reviews.push(review);
    this.#place(reviewer, reviewer.reviews.length - 1);
  }

  #dismiss(reviewId: string): void {
    this.#dismissed.add(reviewId);
    const reviewer = this.#authors.get(reviewId);
    const at = reviewer?.reviews.findIndex((review) => review.reviewId === reviewId) ?? -1;
    if (reviewer !== undefined && at >= reviewer.from) {
      reviewer.from = at + 1;
      for (let index = at + 1; index < reviewer.reviews.length; index += 1) {
        this.#place(reviewer, index);
      }
    }
  }

  /** Where the opinion begins once the review at this index is the newest. */
  #place(reviewer: Reviewer, index: number): void {
    const review = reviewer.reviews[index];
    const before = reviewer.reviews[index - 1];
    if (review !== undefined && this.#dismissed.has(review.reviewId)) {
      reviewer.from = index + 1;
    } else if (before?.state !== review?.state) {
      reviewer.from = index;
    }
  }
}

/** The first seven digits of a commit, as GitHub shows it. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}
