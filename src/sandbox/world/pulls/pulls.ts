/** Pull requests: opened, edited, closed, merged. */

import { openSuitesFor } from "../checks/suites.ts";
import { makeCommit } from "../code/commits.ts";
import { commitsBetween, mergeBase } from "../code/git.ts";
import { deleteRef, requireBranch, setRef } from "../code/refs.ts";
import { invalid, WorldError } from "../errors.ts";
import type {
  Account,
  Actor,
  Commit,
  MergeGroup,
  MergeMethod,
  PullRequest,
  Repository,
  Reviewer,
} from "../model/index.ts";
import { atLeast, permissionOf } from "../people/accounts.ts";
import { account, commit, emit, register, repository, type World } from "../world.ts";
import { closeSilently, mergedTree, mergeState, refreshMerge } from "./pull-state.ts";
import { note } from "./timeline.ts";

export interface NewPull {
  readonly title: string;
  readonly body?: string | null;
  /** Branch. */
  readonly base: string;
  /** Branch of `headRepository`. */
  readonly head: string;
  /** Default: the repository itself. */
  readonly headRepository?: Repository;
  readonly draft?: boolean;
}

export function openPull(world: World, actor: Actor, repo: Repository, input: NewPull): PullRequest {
  const headRepo = input.headRepository ?? repo;
  const baseSha = requireBranch(repo, input.base);
  const headSha = requireBranch(headRepo, input.head);
  for (const other of repo.pulls.values()) {
    if (
      other.state === "open" &&
      other.base.ref === input.base &&
      other.head.ref === input.head &&
      other.head.repositoryId === headRepo.id
    ) {
      throw invalid("Validation Failed", {
        resource: "PullRequest",
        code: "custom",
        message: `A pull request already exists for ${account(world, headRepo.ownerId).login}:${input.head}.`,
      });
    }
  }
  const commits = commitsBetween(world, baseSha, headSha);
  if (commits.length === 0) {
    throw invalid("Validation Failed", {
      resource: "PullRequest",
      code: "custom",
      message: `No commits between ${input.base} and ${input.head}`,
    });
  }
  const id = world.ids.next("PullRequest");
  const pull: PullRequest = {
    id,
    nodeId: world.ids.node("PullRequest", id),
    issueId: world.ids.next("Issue"),
    repositoryId: repo.id,
    number: repo.nextNumber++,
    title: input.title,
    body: input.body ?? null,
    authorId: actor.account.id,
    state: "open",
    draft: input.draft ?? false,
    merged: false,
    mergedAt: null,
    mergedById: null,
    mergeCommitSha: null,
    closedAt: null,
    createdAt: world.now(),
    updatedAt: world.now(),
    head: { repositoryId: headRepo.id, ref: input.head, sha: headSha },
    base: { repositoryId: repo.id, ref: input.base, sha: baseSha },
    labelIds: new Set(),
    assigneeIds: new Set(),
    requestedReviewers: [],
    reviews: [],
    comments: [],
    timeline: [],
    autoMerge: null,
    queued: null,
  };
  repo.pulls.set(pull.number, pull);
  register(world, { type: "PullRequest", value: pull });
  for (const made of commits) note(world, actor, pull, { event: "committed", sha: made.sha });
  refreshMerge(world, pull);
  if (headRepo.id !== repo.id) openSuitesFor(world, actor, repo, { sha: headSha, branch: input.head, before: null });
  emit(world, { kind: "pull_request", action: "opened", actor, repository: repo, pull });
  return pull;
}

export interface PullEdits {
  readonly title?: string;
  readonly body?: string | null;
  readonly base?: string;
}

export function editPull(world: World, actor: Actor, pull: PullRequest, edits: PullEdits): void {
  const repo = repository(world, pull.repositoryId);
  const from: { title?: string; body?: string | null; base?: { ref: string; sha: string } } = {};
  if (edits.title !== undefined && edits.title !== pull.title) {
    from.title = pull.title;
    pull.title = edits.title;
    note(world, actor, pull, { event: "renamed", from: from.title, to: edits.title });
  }
  if (edits.body !== undefined && edits.body !== pull.body) {
    from.body = pull.body;
    pull.body = edits.body;
    pull.updatedAt = world.now();
  }
  if (edits.base !== undefined && edits.base !== pull.base.ref) {
    const sha = requireBranch(repo, edits.base);
    from.base = { ref: pull.base.ref, sha: pull.base.sha };
    pull.base.ref = edits.base;
    pull.base.sha = sha;
    note(world, actor, pull, { event: "base_ref_changed", from: from.base.ref, to: edits.base });
    refreshMerge(world, pull);
  }
  if (Object.keys(from).length > 0)
    emit(world, { kind: "pull_request", action: "edited", actor, repository: repo, pull, from });
}

export function closePull(world: World, actor: Actor, pull: PullRequest): void {
  if (pull.state === "closed") return;
  closeSilently(world, pull);
  note(world, actor, pull, { event: "closed" });
  emit(world, {
    kind: "pull_request",
    action: "closed",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
  });
}

export function reopenPull(world: World, actor: Actor, pull: PullRequest): void {
  if (pull.state === "open") return;
  if (pull.merged) throw invalid("a merged pull request cannot be reopened");
  const head = world.repositories.get(pull.head.repositoryId);
  const sha = head?.refs.get(`refs/heads/${pull.head.ref}`);
  if (sha === undefined) throw invalid("state cannot be changed. The head branch was deleted.");
  pull.state = "open";
  pull.closedAt = null;
  pull.head.sha = sha;
  note(world, actor, pull, { event: "reopened" });
  refreshMerge(world, pull);
  emit(world, {
    kind: "pull_request",
    action: "reopened",
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
  });
}

export function setDraft(world: World, actor: Actor, pull: PullRequest, draft: boolean): void {
  if (pull.draft === draft) return;
  if (pull.state !== "open") throw invalid("the pull request is closed");
  pull.draft = draft;
  note(world, actor, pull, { event: draft ? "convert_to_draft" : "ready_for_review" });
  const action = draft ? "converted_to_draft" : "ready_for_review";
  emit(world, { kind: "pull_request", action, actor, repository: repository(world, pull.repositoryId), pull });
}

function sameReviewer(a: Reviewer, b: Reviewer): boolean {
  if (a.kind === "user") return b.kind === "user" && a.accountId === b.accountId;
  return b.kind === "team" && a.teamId === b.teamId;
}

export function requestReviewers(world: World, actor: Actor, pull: PullRequest, reviewers: readonly Reviewer[]): void {
  const repo = repository(world, pull.repositoryId);
  for (const reviewer of reviewers) {
    if (pull.requestedReviewers.some((known) => sameReviewer(known, reviewer))) continue;
    if (reviewer.kind === "user") {
      if (reviewer.accountId === pull.authorId) throw invalid("Review cannot be requested from pull request author.");
      if (!atLeast(permissionOf(world, repo, account(world, reviewer.accountId)), "read")) {
        throw invalid("Reviews may only be requested from collaborators.");
      }
    } else if (!repo.teams.has(reviewer.teamId)) {
      // Also where everybody can read: a team has to be given the repository.
      throw invalid(
        "Reviews may only be requested from collaborators. One or more of the teams you specified is not a collaborator of the repository.",
      );
    }
    pull.requestedReviewers = [...pull.requestedReviewers, reviewer];
    note(world, actor, pull, { event: "review_requested", reviewer });
    emit(world, { kind: "pull_request", action: "review_requested", actor, repository: repo, pull, reviewer });
  }
}

export function removeReviewers(world: World, actor: Actor, pull: PullRequest, reviewers: readonly Reviewer[]): void {
  for (const reviewer of reviewers) {
    if (!pull.requestedReviewers.some((known) => sameReviewer(known, reviewer))) continue;
    pull.requestedReviewers = pull.requestedReviewers.filter((known) => !sameReviewer(known, reviewer));
    note(world, actor, pull, { event: "review_request_removed", reviewer });
    emit(world, {
      kind: "pull_request",
      action: "review_request_removed",
      actor,
      repository: repository(world, pull.repositoryId),
      pull,
      reviewer,
    });
  }
}

export function setAssignee(world: World, actor: Actor, pull: PullRequest, assignee: Account, assigned: boolean): void {
  if (pull.assigneeIds.has(assignee.id) === assigned) return;
  if (assigned) pull.assigneeIds.add(assignee.id);
  else pull.assigneeIds.delete(assignee.id);
  const action = assigned ? "assigned" : "unassigned";
  note(world, actor, pull, { event: action, assigneeId: assignee.id });
  emit(world, {
    kind: "pull_request",
    action,
    actor,
    repository: repository(world, pull.repositoryId),
    pull,
    assigneeId: assignee.id,
  });
}

/** @throws WorldError conflict (the head moved), not_allowed (conflicts, draft, protection), not_allowed (closed) */
export function mergePull(
  world: World,
  actor: Actor,
  pull: PullRequest,
  input: {
    readonly method?: MergeMethod;
    readonly sha?: string;
    readonly title?: string;
    readonly message?: string;
  } = {},
): Commit {
  const repo = repository(world, pull.repositoryId);
  if (input.sha !== undefined && input.sha !== pull.head.sha) {
    throw new WorldError("conflict", "Head branch was modified. Review and try the merge again.");
  }
  const state = mergeState(world, pull);
  const tree = mergedTree(world, pull);
  if (pull.state !== "open" || state === "draft" || state === "dirty" || tree === null) {
    throw new WorldError("not_allowed", pull.draft ? "Pull Request is still a draft" : "Pull Request is not mergeable");
  }
  if (state === "blocked")
    throw new WorldError("not_allowed", "At least one required check or approving review is missing.");
  const method = input.method ?? "merge";
  if (!repo.merging.methods.includes(method))
    throw new WorldError("not_allowed", `${method} merges are not allowed on this repository.`);
  const title =
    input.title ??
    (method === "merge"
      ? `Merge pull request #${pull.number} from ${pull.head.ref}`
      : `${pull.title} (#${pull.number})`);
  const message = input.message === undefined || input.message === "" ? title : `${title}\n\n${input.message}`;
  const made =
    method === "rebase"
      ? rebased(world, pull, actor)
      : makeCommit(world, {
          tree,
          parents: method === "merge" ? [pull.base.sha, pull.head.sha] : [pull.base.sha],
          message,
          author: actor.account,
        });
  closeSilently(world, pull);
  pull.merged = true;
  pull.mergedAt = world.now();
  pull.mergedById = actor.account.id;
  pull.mergeCommitSha = made.sha;
  pull.autoMerge = null;
  note(world, actor, pull, { event: "merged", sha: made.sha });
  note(world, actor, pull, { event: "closed" });
  emit(world, { kind: "pull_request", action: "closed", actor, repository: repo, pull });
  setRef(world, actor, repo, `refs/heads/${pull.base.ref}`, made.sha);
  return made;
}

function rebased(world: World, pull: PullRequest, actor: Actor): Commit {
  const base = mergeBase(world, pull.base.sha, pull.head.sha);
  let tip = commit(world, pull.base.sha);
  for (const original of commitsBetween(world, base ?? pull.base.sha, pull.head.sha)) {
    const parent = original.parents[0];
    const before = parent === undefined ? new Map() : commit(world, parent).files;
    const files = new Map(tip.files);
    for (const [path, file] of original.files) if (before.get(path) !== file) files.set(path, file);
    for (const path of before.keys()) if (!original.files.has(path)) files.delete(path);
    tip = makeCommit(world, { tree: files, parents: [tip.sha], message: original.message, author: actor.account });
  }
  return tip;
}

/** A merge group asks for its checks: what a merge queue (`merge-queue.ts`) does before it merges. */
export function queueMerge(world: World, actor: Actor, repo: Repository, group: MergeGroup): void {
  setRef(world, actor, repo, group.headRef, group.headSha);
  emit(world, { kind: "merge_group", action: "checks_requested", actor, repository: repo, group, reason: null });
}

export function dropMergeGroup(
  world: World,
  actor: Actor,
  repo: Repository,
  group: MergeGroup,
  reason: "merged" | "invalidated" | "dequeued",
): void {
  emit(world, { kind: "merge_group", action: "destroyed", actor, repository: repo, group, reason });
  if (repo.refs.has(group.headRef)) deleteRef(world, actor, repo, group.headRef);
}
