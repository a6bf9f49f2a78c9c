/**
 * Merge queues: what waits in one gets a merge group, whose commit the required checks run on; when they have
 * succeeded there, it is merged. Groups hold one pull request each, and none waits for another.
 */

import type { DequeueReason } from "../changes.ts";
import { checkRunsOn } from "../checks/checks.ts";
import { latestStatuses } from "../checks/statuses.ts";
import { latestRuns } from "../checks/suites.ts";
import { makeCommit } from "../code/commits.ts";
import { invalid, WorldError } from "../errors.ts";
import type { Actor, PullRequest, Repository } from "../model/index.ts";
import { emit, repository, type World } from "../world.ts";
import { mergedTree, mergeState, satisfiesChecks } from "./pull-state.ts";
import { dropMergeGroup, mergePull, queueMerge } from "./pulls.ts";

export function setMergeQueue(repo: Repository, branch: string, on: boolean): void {
  if (on) repo.merging.queues.add(branch);
  else repo.merging.queues.delete(branch);
}

/** @throws WorldError conflict (the head moved), invalid (no queue, or it cannot be merged) */
export function enqueuePull(world: World, actor: Actor, pull: PullRequest, sha?: string): void {
  const repo = repository(world, pull.repositoryId);
  if (pull.queued !== null) throw invalid("Pull request is already in the merge queue");
  if (!repo.merging.queues.has(pull.base.ref)) throw invalid("Merge queue is not enabled for this branch");
  if (sha !== undefined && sha !== pull.head.sha) {
    throw new WorldError("conflict", "Head branch was modified. Review and try again.");
  }
  const state = mergeState(world, pull);
  const tree = mergedTree(world, pull);
  if (pull.state !== "open" || tree === null || (state !== "clean" && state !== "unstable")) {
    throw invalid("Pull request is not in a mergeable state");
  }
  const parents = [pull.base.sha, pull.head.sha];
  const made = makeCommit(world, { tree, parents, message: `Merge #${pull.number}`, author: actor.account });
  const group = {
    headSha: made.sha,
    headRef: `refs/heads/gh-readonly-queue/${pull.base.ref}/pr-${pull.number}-${pull.base.sha}`,
    baseSha: pull.base.sha,
    baseRef: `refs/heads/${pull.base.ref}`,
    pullNumbers: [pull.number],
  };
  pull.queued = { byId: actor.account.id, at: world.now(), group };
  emit(world, { kind: "pull_request", action: "enqueued", actor, repository: repo, pull });
  queueMerge(world, actor, repo, group);
  tryQueued(world, actor, repo, made.sha);
}

export function dequeuePull(
  world: World,
  actor: Actor,
  pull: PullRequest,
  reason: Exclude<DequeueReason, "MERGE"> = "MANUAL",
): void {
  if (pull.queued === null) return;
  const { group } = pull.queued;
  const repo = repository(world, pull.repositoryId);
  pull.queued = null;
  emit(world, { kind: "pull_request", action: "dequeued", actor, repository: repo, pull, reason });
  dropMergeGroup(world, actor, repo, group, "dequeued");
}

/** Merges what waits in the queue for this group's checks. */
export function tryQueued(world: World, actor: Actor, repo: Repository, sha: string): void {
  for (const pull of repo.pulls.values()) {
    const group = pull.queued?.group;
    if (group?.headSha !== sha) continue;
    const protection = repo.protections.get(pull.base.ref);
    const runs = latestRuns(checkRunsOn(world, repo, sha));
    if (protection !== undefined && !satisfiesChecks(protection, runs, latestStatuses(world, repo, sha))) continue;
    pull.queued = null;
    emit(world, { kind: "pull_request", action: "dequeued", actor, repository: repo, pull, reason: "MERGE" });
    dropMergeGroup(world, actor, repo, group, "merged");
    mergePull(world, actor, pull, { method: "squash" });
  }
}
