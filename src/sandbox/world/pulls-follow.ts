/** What follows for pull requests when something else moves: a push, a check, an approval. */
import { asApp, asUser, atLeast, permissionOf } from "./accounts.ts";
import { checkRunsOn } from "./checks.ts";
import { makeCommit } from "./commits.ts";
import { commitsBetween, mergeBase, mergeTrees } from "./git.ts";
import { dequeuePull, enqueuePull, tryQueued } from "./merge-queue.ts";
import type {
  Actor,
  BranchProtection,
  CheckRun,
  PullRequest,
  Repository,
  Review,
  Status,
  Tree,
} from "./model/index.ts";
import { closePull, disableAutoMerge, mergePull } from "./pulls.ts";
import { latestStatuses } from "./statuses.ts";
import { latestRuns, openSuitesFor } from "./suites.ts";
import { note } from "./timeline.ts";
import { account, app, commit, emit, repository, type World } from "./world.ts";

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

/** Moves heads and bases along with a branch; a deleted head branch closes. */
export function followPush(
  world: World,
  actor: Actor,
  repo: Repository,
  push: {
    readonly branch: string;
    readonly before: string | null;
    readonly sha: string | null;
    readonly forced: boolean;
  },
): void {
  for (const target of world.repositories.values()) {
    for (const pull of target.pulls.values()) {
      if (pull.state !== "open") continue;
      if (pull.base.repositoryId === repo.id && pull.base.ref === push.branch && push.sha !== null) {
        pull.base.sha = push.sha;
        refreshMerge(world, pull);
      }
      if (pull.head.repositoryId !== repo.id || pull.head.ref !== push.branch) continue;
      if (push.sha === null) closePull(world, actor, pull);
      else if (push.sha !== pull.head.sha) moveHead(world, actor, target, pull, push.sha, push.forced);
    }
  }
}

function moveHead(world: World, actor: Actor, repo: Repository, pull: PullRequest, sha: string, forced: boolean): void {
  const before = pull.head.sha;
  pull.head.sha = sha;
  if (forced) note(world, actor, pull, { event: "head_ref_force_pushed", before, after: sha });
  else
    for (const made of commitsBetween(world, before, sha))
      note(world, actor, pull, { event: "committed", sha: made.sha });
  pull.updatedAt = world.now();
  refreshMerge(world, pull);
  dequeuePull(world, actor, pull);
  if (pull.head.repositoryId !== repo.id) openSuitesFor(world, actor, repo, { sha, branch: pull.head.ref, before });
  emit(world, {
    kind: "pull_request",
    action: "synchronize",
    actor,
    repository: repo,
    pull,
    before,
    after: sha,
    forced,
  });
  // Who cannot write must not slip a commit under an automatic merge.
  if (pull.autoMerge !== null && actor.via === "user" && !atLeast(permissionOf(world, repo, actor.account), "write")) {
    disableAutoMerge(world, actor, pull, "Pull request head was pushed to by someone without write access");
  }
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

/** Merges what waited for this commit's checks or for this approval. */
export function tryAutoMerges(world: World, repo: Repository, sha: string): void {
  for (const pull of repo.pulls.values()) {
    if (pull.state !== "open" || pull.head.sha !== sha || pull.autoMerge === null) continue;
    const state = mergeState(world, pull);
    if (state !== "clean" && state !== "unstable") continue;
    const by = account(world, pull.autoMerge.enabledById);
    const actor = by.appId === null ? asUser(by) : asApp(world, app(world, by.appId));
    if (repo.merging.queues.has(pull.base.ref)) {
      pull.autoMerge = null;
      enqueuePull(world, actor, pull);
    } else {
      mergePull(world, actor, pull, pull.autoMerge);
    }
  }
  const queued = [...repo.pulls.values()].find((pull) => pull.queued?.group.headSha === sha)?.queued;
  if (queued != null) {
    const by = account(world, queued.byId);
    tryQueued(world, by.appId === null ? asUser(by) : asApp(world, app(world, by.appId)), repo, sha);
  }
}
