/** Reviews of pull requests. */
import { review as shape } from "../shapes/pulls.ts";
import {
  dismissReview,
  editReview,
  type Repository,
  type Review,
  required,
  submitReview,
  WorldError,
} from "../world/index.ts";
import { pullAt } from "./pulls.ts";
import { list, ok, type Route, reads, repoRoute, writes } from "./route.ts";

const reading = reads("pull_requests");
const writing = writes("read", "pull_requests");

const states = { APPROVE: "APPROVED", REQUEST_CHANGES: "CHANGES_REQUESTED", COMMENT: "COMMENTED" } as const;

function reviewAt(repo: Repository, number: number, id: number): Review {
  return required(pullAt(repo, number).reviews.find((one) => one.id === id));
}

export const reviewRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", reading, (call, repo) =>
    list(call, pullAt(repo, call.path.pull_number).reviews, (one) => shape(call.world, one)),
  ),
  repoRoute("POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", writing, (call, repo) => {
    const { event, body, commit_id: commitSha, comments } = call.body ?? {};
    if (event === undefined) throw new WorldError("not_implemented", "not implemented in the sandbox: pending reviews");
    if (comments !== undefined && comments.length > 0)
      throw new WorldError("not_implemented", "not implemented in the sandbox: review comments on lines");
    const made = submitReview(call.world, call.actor, pullAt(repo, call.path.pull_number), {
      state: states[event],
      ...(body === undefined ? {} : { body }),
      ...(commitSha === undefined ? {} : { commitSha }),
    });
    return ok(shape(call.world, made));
  }),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", reading, (call, repo) =>
    ok(shape(call.world, reviewAt(repo, call.path.pull_number, call.path.review_id))),
  ),
  repoRoute("PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", writing, (call, repo) => {
    const found = reviewAt(repo, call.path.pull_number, call.path.review_id);
    if (found.authorId !== call.actor.account.id)
      throw new WorldError("forbidden", "Only the author of a review may edit it");
    editReview(call.world, call.actor, pullAt(repo, call.path.pull_number), found, call.body.body);
    return ok(shape(call.world, found));
  }),
  repoRoute(
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals",
    writes("write", "pull_requests"),
    (call, repo) => {
      const found = reviewAt(repo, call.path.pull_number, call.path.review_id);
      dismissReview(call.world, call.actor, pullAt(repo, call.path.pull_number), found, call.body.message);
      return ok(shape(call.world, found));
    },
  ),
];
