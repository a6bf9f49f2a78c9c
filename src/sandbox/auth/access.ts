/** What a caller may do in a repository. */
import {
  type AccessLevel,
  atLeast,
  covers,
  permissionOf,
  permits,
  type Repository,
  type RepositoryPermission,
  type World,
} from "../world/index.ts";
import type { Caller } from "./caller.ts";

export interface Need {
  /** Any of these app permissions will do (a label is written with `issues` or `pull_requests`). */
  readonly permissions: readonly string[];
  readonly level: AccessLevel;
  /** What a person needs to have; null: only apps can do it. */
  readonly person: RepositoryPermission | null;
}

export type Verdict = "allowed" | "forbidden" | "hidden" | "apps_only";

/** Whether the repository is within the token's reach at all (public ones can be read by everybody). */
export function reaches(world: World, caller: Caller, repo: Repository): boolean {
  switch (caller.kind) {
    case "anonymous":
    case "app":
    case "user":
      return false;
    case "job":
      return caller.token.repositoryId === repo.id;
    case "installation":
      return (
        caller.installation.suspendedAt === null &&
        covers(world, caller.installation, repo) &&
        (caller.token.repositoryIds?.includes(repo.id) ?? true)
      );
  }
}

/** A private repository that the caller does not see is `hidden`: it answers 404, not 403. */
export function judge(world: World, caller: Caller, repo: Repository, need: Need): Verdict {
  switch (caller.kind) {
    case "anonymous":
    case "app":
      return repo.private ? "hidden" : need.level === "read" ? "allowed" : "forbidden";
    case "user": {
      const has = permissionOf(world, repo, caller.account);
      if (has === "none") return "hidden";
      if (need.person === null) return "apps_only";
      return atLeast(has, need.person) ? "allowed" : "forbidden";
    }
    case "installation":
    case "job": {
      if (!reaches(world, caller, repo)) {
        if (repo.private) return "hidden";
        return need.level === "read" ? "allowed" : "forbidden";
      }
      return need.permissions.some((name) => permits(caller.token.permissions, name, need.level))
        ? "allowed"
        : "forbidden";
    }
  }
}

/** A number per caller: whose rate limit is spent. */
export function limitKey(caller: Caller): string {
  switch (caller.kind) {
    case "anonymous":
      return "anonymous";
    case "app":
      return `app:${caller.app.id}`;
    case "user":
      return `user:${caller.account.id}`;
    case "installation":
      return `installation:${caller.installation.id}`;
    case "job":
      return `repository:${caller.token.repositoryId}`;
  }
}
