/** Repositories: made, forked, renamed, moved, protected. */

import { invalid } from "../errors.ts";
import type { Account, Actor, BranchProtection, Repository } from "../model/index.ts";
import { installationsFor } from "../people/apps.ts";
import { account, emit, fullName, register, repositoryByName, required, type World } from "../world.ts";
import type { FileEdits } from "./commits.ts";
import { commitFiles } from "./refs.ts";

export interface NewRepository {
  readonly owner: Account;
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly defaultBranch?: string;
  /** The first commit on the default branch; a repository without is empty. */
  readonly files?: FileEdits;
}

export function addRepository(world: World, actor: Actor, input: NewRepository): Repository {
  const repo = makeRepository(world, input, null);
  emit(world, {
    kind: "repository",
    action: "created",
    actor,
    repository: repo,
    fromName: repo.name,
    fromOwner: input.owner,
  });
  if (input.files !== undefined)
    commitFiles(world, actor, repo, { branch: repo.defaultBranch, message: "Start", files: input.files });
  return repo;
}

/** A fork with all of the parent's branches. */
export function forkRepository(world: World, actor: Actor, parent: Repository, owner: Account): Repository {
  const repo = makeRepository(
    world,
    { owner, name: parent.name, private: parent.private, defaultBranch: parent.defaultBranch },
    parent.id,
  );
  for (const [ref, sha] of parent.refs) if (ref.startsWith("refs/heads/")) repo.refs.set(ref, sha);
  emit(world, {
    kind: "repository",
    action: "created",
    actor,
    repository: repo,
    fromName: repo.name,
    fromOwner: owner,
  });
  return repo;
}

function makeRepository(world: World, input: NewRepository, parentId: number | null): Repository {
  if (repositoryByName(world, input.owner.login, input.name) !== null)
    throw invalid("name already exists on this account");
  const id = world.ids.next("Repository");
  const repo: Repository = {
    id,
    nodeId: world.ids.node("Repository", id),
    ownerId: input.owner.id,
    name: input.name,
    description: input.description ?? null,
    private: input.private ?? false,
    parentId,
    defaultBranch: input.defaultBranch ?? "main",
    createdAt: world.now(),
    updatedAt: world.now(),
    pushedAt: world.now(),
    refs: new Map(),
    labels: new Map(),
    collaborators: new Map(),
    teams: new Map(),
    pulls: new Map(),
    environments: new Map(),
    protections: new Map(),
    merging: { autoMerge: true, methods: ["merge", "squash", "rebase"], queues: new Set() },
    nextNumber: 1,
  };
  world.repositories.set(id, repo);
  register(world, { type: "Repository", value: repo });
  return repo;
}

export function renameRepository(world: World, actor: Actor, repo: Repository, name: string): void {
  const fromName = repo.name;
  if (fromName === name) return;
  world.formerNames.set(fullName(world, repo).toLowerCase(), repo.id);
  repo.name = name;
  repo.updatedAt = world.now();
  emit(world, {
    kind: "repository",
    action: "renamed",
    actor,
    repository: repo,
    fromName,
    fromOwner: account(world, repo.ownerId),
  });
}

/** Installations of the old owner lose it, those of the new owner (of all repositories) gain it. */
export function transferRepository(world: World, actor: Actor, repo: Repository, to: Account): void {
  const fromOwner = account(world, repo.ownerId);
  const before = installationsFor(world, repo);
  world.formerNames.set(fullName(world, repo).toLowerCase(), repo.id);
  repo.ownerId = to.id;
  repo.updatedAt = world.now();
  for (const left of before) {
    left.repositoryIds.delete(repo.id);
    emit(world, {
      kind: "installation_repositories",
      action: "removed",
      actor,
      installation: left,
      repositories: [repo],
    });
  }
  for (const joined of installationsFor(world, repo)) {
    emit(world, {
      kind: "installation_repositories",
      action: "added",
      actor,
      installation: joined,
      repositories: [repo],
    });
  }
  emit(world, { kind: "repository", action: "transferred", actor, repository: repo, fromName: repo.name, fromOwner });
}

export function protectBranch(repo: Repository, branch: string, protection: BranchProtection | null): void {
  if (protection === null) repo.protections.delete(branch);
  else repo.protections.set(branch, protection);
}

export function requireRepository(world: World, owner: string, name: string): Repository {
  return required(repositoryByName(world, owner, name));
}
