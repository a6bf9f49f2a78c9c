/** A pull request's history. */
import type { Actor, PullRequest, TimelineEvent } from "../model/index.ts";
import type { World } from "../world.ts";

type Without<T> = T extends unknown ? Omit<T, "id" | "nodeId" | "actorId" | "at"> : never;

/** Writes a line of history and dates the pull request. */
export function note(world: World, actor: Actor, pull: PullRequest, event: Without<TimelineEvent>): void {
  const id = world.ids.next("TimelineEvent");
  const at = world.now();
  pull.timeline.push({ ...event, id, nodeId: world.ids.node("TimelineEvent", id), actorId: actor.account.id, at });
  pull.updatedAt = at;
}
