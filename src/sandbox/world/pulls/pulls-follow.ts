/** What follows for pull requests when something else moves: a push, a check, an approval. */

import { openSuitesFor } from "../checks/suites.ts";
import { commitsBetween } from "../code/git.ts";
import type { Actor, PullRequest, Repository } from "../model/index.ts";
import { asApp, asUser, atLeast, permissionOf } from "../people/accounts.ts";
import { account, app, emit, type World } from "../world.ts";
import { disableAutoMerge } from "./auto-merge.ts";
import { dequeuePull, enqueuePull, tryQueued } from "./merge-queue.ts";
import { mergeState, refreshMerge } from "./pull-state.ts";
import { closePull, mergePull } from "./pulls.ts";
import { note } from "./timeline.ts";

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
