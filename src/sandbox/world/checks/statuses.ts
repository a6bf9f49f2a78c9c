/** Commit statuses: never changed, the newest of a context counts. */
import { invalid } from "../errors.ts";
import type { Actor, Repository, Status } from "../model/index.ts";
import { emit, type World } from "../world.ts";

export function createStatus(
  world: World,
  actor: Actor,
  repo: Repository,
  sha: string,
  input: {
    readonly state: Status["state"];
    readonly context?: string;
    readonly description?: string | null;
    readonly targetUrl?: string | null;
  },
): Status {
  if (!world.commits.has(sha)) throw invalid(`No commit found for SHA: ${sha}`);
  const id = world.ids.next("Status");
  const status: Status = {
    id,
    nodeId: world.ids.node("Status", id),
    repositoryId: repo.id,
    sha,
    context: input.context ?? "default",
    state: input.state,
    description: input.description ?? null,
    targetUrl: input.targetUrl ?? null,
    creatorId: actor.account.id,
    createdAt: world.now(),
  };
  world.statuses.push(status);
  emit(world, { kind: "status", actor, repository: repo, status });
  world.follows.commit(world, repo, sha);
  return status;
}

/** Newest first. */
export function statusesOn(world: World, repo: Repository, sha: string): Status[] {
  return world.statuses.filter((status) => status.repositoryId === repo.id && status.sha === sha).reverse();
}

/** The newest of each context. */
export function latestStatuses(world: World, repo: Repository, sha: string): Status[] {
  const seen = new Set<string>();
  return statusesOn(world, repo, sha).filter((status) => !seen.has(status.context) && seen.add(status.context));
}
