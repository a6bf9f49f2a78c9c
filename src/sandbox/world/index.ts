/** The sandbox's memory: what GitHub would know, the functions that change it, and the feed that tells of every change. */

export * from "./actions/dispatch.ts";
export * from "./actions/runs.ts";
export * from "./actions/workflows.ts";
export * from "./changes.ts";
export * from "./checks/checks.ts";
export * from "./checks/deployments.ts";
export * from "./checks/statuses.ts";
export * from "./checks/suites.ts";
export * from "./code/commits.ts";
export * from "./code/git.ts";
export * from "./code/refs.ts";
export * from "./code/repositories.ts";
export * from "./create.ts";
export * from "./errors.ts";
export * from "./model/index.ts";
export * from "./people/accounts.ts";
export * from "./people/apps.ts";
export * from "./pulls/auto-merge.ts";
export * from "./pulls/comments.ts";
export * from "./pulls/labels.ts";
export * from "./pulls/merge-queue.ts";
export { decidingReviews, type MergeState, mergeState } from "./pulls/pull-state.ts";
export * from "./pulls/pulls.ts";
export * from "./pulls/reviews.ts";
export * from "./pulls/timeline.ts";
export * from "./world.ts";
