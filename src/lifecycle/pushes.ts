/** What pushes do to the commits that reviews, checks and workflow results are bound to. */
import type { Context } from "./conditions/condition.ts";
import type { Act } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** Longest row of excepted pushes that is followed. */
const MOST_COMMITS = 100;

/** Whether the policy excepts this push (`on_push.except`): it keeps the stage, and what the commit before earned. */
export function isExempt(
  push: Extract<Act, { kind: "pushed" }>,
  policy: Policy,
  authority: Context["authority"],
): boolean {
  const { exceptBy } = policy.onPush;
  return exceptBy.length > 0 && authority(push.by, exceptBy).truth === "yes";
}

/** The head, then the commits before it as far as excepted pushes lead back. */
export function commitsInForce(
  history: readonly Act[],
  policy: Policy,
  authority: Context["authority"],
  head: string,
): string[] {
  const commits = [head];
  for (const act of history.toReversed()) {
    if (act.kind !== "pushed") {
      continue;
    }
    if (act.sha !== commits.at(-1) || !isExempt(act, policy, authority) || commits.length >= MOST_COMMITS) {
      break;
    }
    commits.push(act.before);
  }
  return commits;
}
