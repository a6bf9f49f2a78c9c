/** Whether a pull request can be merged, and into what. */

import { checkRunsOn } from "../checks/checks.ts";
import { latestStatuses } from "../checks/statuses.ts";
import { latestRuns } from "../checks/suites.ts";
import { makeCommit } from "../code/commits.ts";
import { mergeBase, mergeTrees } from "../code/git.ts";
import type { BranchProtection, CheckRun, PullRequest, Review, Status, Tree } from "../model/index.ts";
import { atLeast, permissionOf } from "../people/accounts.ts";
import { account, commit, repository, type World } from "../world.ts";

/** The tree that merging would give; null: conflicts. */
export function mergedTree(world: World, pull: PullRequest): Tree | null {
  const base = mergeBase(world, pull.base.sha, pull.head.sha);
  const origin: Tree = base === null ? new Map() : commit(world, base).files;
  return mergeTrees(origin, commit(world, pull.base.sha).files, commit(world, pull.head.sha).files);
}

/** Makes the test merge and moves `refs/pull/N/head` and `refs/pull/N/merge`, as GitHub does. */
export function refreshMerge(world: World, pull: PullRequest): void {
  const repo = repository(world, pull.repositoryId);
  repo.refs.set(`refs/pull/${pull.number}/head`, pull.head.sha);
  const tree = mergedTree(world, pull);
  if (tree === null) {
    pull.mergeCommitSha = null;
    repo.refs.delete(`refs/pull/${pull.number}/merge`);
    return;
  }
  const message = `Merge ${pull.head.sha} into ${pull.base.sha}`;
  const author = account(world, pull.authorId);
  const made = makeCommit(world, { tree, parents: [pull.base.sha, pull.head.sha], message, author });
  pull.mergeCommitSha = made.sha;
  repo.refs.set(`refs/pull/${pull.number}/merge`, made.sha);
}

/** Closed without a word in the history: callers write theirs. */
export function closeSilently(world: World, pull: PullRequest): void {
  pull.state = "closed";
  pull.closedAt = world.now();
  pull.updatedAt = world.now();
}

/** Newest review of each author that decides something (comments do not). */
export function decidingReviews(pull: PullRequest): Review[] {
  const latest = new Map<number, Review>();
  for (const review of pull.reviews) if (review.state !== "COMMENTED") latest.set(review.authorId, review);
  return [...latest.values()];
}

export type MergeState = "clean" | "blocked" | "dirty" | "draft" | "unstable";

/** GitHub's `mergeable_state`. Without protection a failing check only makes it `unstable`. */
export function mergeState(world: World, pull: PullRequest): MergeState {
  const repo = repository(world, pull.repositoryId);
  if (pull.draft) return "draft";
  if (pull.mergeCommitSha === null) return "dirty";
  const runs = latestRuns(checkRunsOn(world, repo, pull.head.sha));
  const statuses = latestStatuses(world, repo, pull.head.sha);
  const protection = repo.protections.get(pull.base.ref);
  if (protection !== undefined) {
    const satisfied = satisfiesChecks(protection, runs, statuses);
    const deciding = decidingReviews(pull).filter((review) =>
      atLeast(permissionOf(world, repo, account(world, review.authorId)), "write"),
    );
    const approvals = deciding.filter((review) => review.state === "APPROVED").length;
    const refused = protection.requiredApprovals > 0 && deciding.some((review) => review.state === "CHANGES_REQUESTED");
    if (!satisfied || refused || approvals < protection.requiredApprovals) return "blocked";
  }
  const failing = runs.some(
    (run) => run.conclusion === "failure" || run.conclusion === "timed_out" || run.status !== "completed",
  );
  return failing || statuses.some((status) => status.state !== "success") ? "unstable" : "clean";
}

export function satisfiesChecks(
  { requiredChecks }: BranchProtection,
  runs: readonly CheckRun[],
  statuses: readonly Status[],
): boolean {
  return requiredChecks.every(
    (wanted) =>
      runs.some(
        (run) =>
          run.name === wanted.context &&
          (wanted.appId === null || run.appId === wanted.appId) &&
          (run.conclusion === "success" || run.conclusion === "neutral" || run.conclusion === "skipped"),
      ) ||
      (wanted.appId === null &&
        statuses.some((status) => status.context === wanted.context && status.state === "success")),
  );
}
