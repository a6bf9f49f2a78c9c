/** What pushes do to the commits that reviews, checks and workflow results are bound to. */

import type { ConditionContext } from "../conditions/condition.ts";
import { authorityOf } from "../evaluation/permissions.ts";
import type { Policy } from "../policy/policy.ts";
import { ActIndex, type ActPrefix, type PushAct } from "./act-index.ts";
import type { Facts, Permissions } from "./facts.ts";

/** Longest row of excepted pushes that is followed. */
const MOST_COMMITS = 100;

/** Whether the policy excepts this push (`on_push.except`): it keeps the stage, and what the commit before earned. */
export function isExempt(push: PushAct, policy: Policy, authority: ConditionContext["authority"]): boolean {
  return authority(push.by, policy.onPush.exceptBy).truth === "yes";
}

/** The head, then the commits before it as far as excepted pushes lead back. */
export function commitsInForce(
  pushes: ActPrefix<PushAct>,
  policy: Policy,
  authority: ConditionContext["authority"],
  head: string,
): string[] {
  const commits = [head];
  for (let index = pushes.length - 1; index >= 0 && commits.length < MOST_COMMITS; index -= 1) {
    const push = pushes.list[index];
    if (push === undefined || push.sha !== commits.at(-1) || !isExempt(push, policy, authority)) {
      break;
    }
    commits.push(push.before);
  }
  return commits;
}

/** The same, for whoever has no evaluation at hand but knows what people may do. */
export function validCommits(facts: Facts, policy: Policy, permissions: Permissions): string[] {
  const authority: ConditionContext["authority"] = (actor, names) => authorityOf(actor, names, permissions);
  return commitsInForce(ActIndex.of(facts.acts).pushes(), policy, authority, facts.head.sha);
}
