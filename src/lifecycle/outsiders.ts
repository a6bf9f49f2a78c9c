/** People who have no say at all. */
import type { CommandInput } from "./commands.ts";
import { authorityOf } from "./evaluation/permissions.ts";
import type { Lookup } from "./facts/facts.ts";

/**
 * Whether somebody has no permission at all: neither operator nor writer nor the owner of any stage. What such people
 * ask for stays refused, whatever they become later. Unknown is not "no"; `lookups`: what would tell.
 */
export function isOutsider({ actor, policy, permissions }: Pick<CommandInput, "actor" | "policy" | "permissions">): {
  readonly outsider: boolean;
  readonly lookups: readonly Lookup[];
} {
  const owners = policy.stages.flatMap(({ owner }) => (owner === null ? [] : [owner]));
  const authorities = [policy.operators, null, owners].map((names) => authorityOf(actor, names, permissions));
  if (authorities.some(({ truth }) => truth === "yes")) {
    return { outsider: false, lookups: [] };
  }
  const lookups = authorities.flatMap((each) => each.lookups);
  return { outsider: lookups.length === 0, lookups };
}
