/** Reviews of pull requests. */

import { invalid, WorldError } from "../errors.ts";
import type { Actor, PullRequest, Review } from "../model/index.ts";
import { atLeast, permissionOf } from "../people/accounts.ts";
import { account, emit, register, repository, type World } from "../world.ts";
import { note } from "./timeline.ts";

/** @throws WorldError invalid: an author judging their own, no text where one is needed, a foreign commit */
export function submitReview(
  world: World,
  actor: Actor,
  pull: PullRequest,
  input: {
    readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED";
    readonly body?: string;
    readonly commitSha?: string;
  },
): Review {
  if (actor.account.id === pull.authorId && input.state !== "COMMENTED") {
    throw invalid(`Can not ${input.state === "APPROVED" ? "approve" : "request changes on"} your own pull request`);
  }
  if (input.state !== "APPROVED" && (input.body ?? "").trim() === "") throw invalid("body can't be blank");
  if (input.commitSha !== undefined && !world.commits.has(input.commitSha))
    throw invalid("commit_id is not part of the pull request");
  const id = world.ids.next("Review");
  const review: Review = {
    id,
    nodeId: world.ids.node("Review", id),
    repositoryId: pull.repositoryId,
    pullNumber: pull.number,
    authorId: actor.account.id,
    state: input.state,
    body: input.body ?? "",
    commitSha: input.commitSha ?? pull.head.sha,
    submittedAt: world.now(),
    updatedAt: world.now(),
  };
  pull.reviews.push(review);
  register(world, { type: "Review", value: review });
  pull.requestedReviewers = pull.requestedReviewers.filter(
    (r) => r.kind !== "user" || r.accountId !== actor.account.id,
  );
  note(world, actor, pull, { event: "reviewed", reviewId: id });
  const repo = repository(world, pull.repositoryId);
  emit(world, {
    kind: "pull_request_review",
    action: "submitted",
    actor,
    repository: repo,
    pull,
    review,
    bodyBefore: null,
  });
  if (review.state === "APPROVED") world.follows.commit(world, repo, pull.head.sha);
  return review;
}

export function dismissReview(world: World, actor: Actor, pull: PullRequest, review: Review, message: string): void {
  const repo = repository(world, pull.repositoryId);
  if (actor.via === "user" && !atLeast(permissionOf(world, repo, account(world, actor.account.id)), "write")) {
    throw new WorldError("forbidden", "Must have write access to dismiss a review");
  }
  if (review.state !== "APPROVED" && review.state !== "CHANGES_REQUESTED")
    throw invalid("Can not dismiss a comment review");
  const { state } = review;
  review.state = "DISMISSED";
  review.updatedAt = world.now();
  note(world, actor, pull, { event: "review_dismissed", reviewId: review.id, message, state });
  emit(world, {
    kind: "pull_request_review",
    action: "dismissed",
    actor,
    repository: repo,
    pull,
    review,
    bodyBefore: null,
  });
}

export function editReview(world: World, actor: Actor, pull: PullRequest, review: Review, body: string): void {
  if (review.body === body) return;
  const bodyBefore = review.body;
  review.body = body;
  review.updatedAt = world.now();
  pull.updatedAt = world.now();
  emit(world, {
    kind: "pull_request_review",
    action: "edited",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
    review,
    bodyBefore,
  });
}
