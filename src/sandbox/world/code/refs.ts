/** Branches and tags: what moves them, and what follows from a push. */

import { openSuitesFor } from "../checks/suites.ts";
import { invalid, notFound, WorldError } from "../errors.ts";
import type { Actor, Commit, Repository } from "../model/index.ts";
import { commit, emit, type World } from "../world.ts";
import { editTree, type FileEdits, makeCommit, resolveRef } from "./commits.ts";
import { changedFiles, commitsBetween, zeroSha } from "./git.ts";

/** Commits onto a branch (made from the default branch if new) and pushes it. */
export function commitFiles(
  world: World,
  actor: Actor,
  repo: Repository,
  input: { readonly branch: string; readonly message: string; readonly files: FileEdits; readonly from?: string },
): Commit {
  const ref = `refs/heads/${input.branch}`;
  const parent = repo.refs.get(ref) ?? resolveRef(world, repo, input.from ?? repo.defaultBranch);
  const tree = editTree(parent === null ? new Map() : commit(world, parent).files, input.files);
  const made = makeCommit(world, {
    tree,
    parents: parent === null ? [] : [parent],
    message: input.message,
    author: actor.account,
  });
  setRef(world, actor, repo, ref, made.sha);
  return made;
}

export function createRef(world: World, actor: Actor, repo: Repository, ref: string, sha: string): void {
  if (!/^refs\/(heads|tags)\/[^\s~^:?*[\\]+$/.test(ref)) throw invalid("Reference name is invalid");
  if (repo.refs.has(ref)) throw invalid("Reference already exists");
  if (!world.commits.has(sha)) throw invalid("Object does not exist");
  setRef(world, actor, repo, ref, sha);
}

/** Moves a ref, or makes it: what a push does. Everything that follows from a push follows. */
export function setRef(world: World, actor: Actor, repo: Repository, ref: string, sha: string, force = true): void {
  const before = repo.refs.get(ref) ?? null;
  if (before === sha) return;
  const after = commit(world, sha);
  const base = before ?? repo.refs.get(`refs/heads/${repo.defaultBranch}`) ?? null;
  const forced = before !== null && !commitsBetween(world, before, sha).some((c) => c.parents.includes(before));
  if (forced && !force) throw new WorldError("invalid", "Update is not a fast forward");
  const commits = base === null ? [after] : commitsBetween(world, base, sha);
  repo.refs.set(ref, sha);
  repo.pushedAt = world.now();
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
  if (before === null) {
    const refType = branch === null ? "tag" : "branch";
    emit(world, { kind: "create", actor, repository: repo, refType, ref: branch ?? ref.replace("refs/tags/", "") });
  }
  emit(world, {
    kind: "push",
    actor,
    repository: repo,
    ref,
    before: before ?? zeroSha,
    after: sha,
    forced,
    commits: commits.map((c) => c.sha),
  });
  if (branch === null) return;
  openSuitesFor(world, actor, repo, { sha, branch, before });
  world.follows.push(world, actor, repo, { branch, before, sha, forced });
}

export function deleteRef(world: World, actor: Actor, repo: Repository, ref: string): void {
  const before = repo.refs.get(ref);
  if (before === undefined) throw invalid("Reference does not exist");
  if (ref === `refs/heads/${repo.defaultBranch}`) throw invalid("Cannot delete the default branch");
  repo.refs.delete(ref);
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
  emit(world, {
    kind: "delete",
    actor,
    repository: repo,
    refType: branch === null ? "tag" : "branch",
    ref: branch ?? ref.replace("refs/tags/", ""),
  });
  emit(world, { kind: "push", actor, repository: repo, ref, before, after: zeroSha, forced: false, commits: [] });
  if (branch !== null) world.follows.push(world, actor, repo, { branch, before, sha: null, forced: false });
}

/** The files of a push or a pull request, by path. */
export function filesBetween(world: World, from: string | null, to: string): ReturnType<typeof changedFiles> {
  return changedFiles(from === null ? new Map() : commit(world, from).files, commit(world, to).files);
}

export function requireBranch(repo: Repository, branch: string): string {
  const sha = repo.refs.get(`refs/heads/${branch}`);
  if (sha === undefined) throw notFound("Branch not found");
  return sha;
}
