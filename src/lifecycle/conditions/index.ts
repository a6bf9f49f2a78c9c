/** Every condition of the policy language. A new one is a file of its own and a line here. */
import type { Act } from "../facts/facts.ts";
import type { Condition, Leaf, LeafKind } from "../policy/policy.ts";
import { approvals } from "./approvals.ts";
import { author } from "./author.ts";
import { base } from "./base.ts";
import { changesRequested } from "./changes-requested.ts";
import { checklist } from "./checklist.ts";
import { checks } from "./checks.ts";
import { checksPass } from "./checks-pass.ts";
import { command } from "./command.ts";
import type { ConditionContext, ConditionDefinition, ConditionVerdict } from "./condition.ts";
import { draft } from "./draft.ts";
import { labelCondition } from "./label.ts";
import { onlyPaths } from "./only-paths.ts";
import { paths } from "./paths.ts";
import { planPassed } from "./plan-passed.ts";
import { workflow } from "./workflow.ts";

export const CONDITIONS: { readonly [K in LeafKind]: ConditionDefinition<K> } = {
  draft,
  label: labelCondition,
  approvals,
  changes_requested: changesRequested,
  checks,
  checks_pass: checksPass,
  workflow,
  plan_passed: planPassed,
  checklist,
  base,
  paths,
  only_paths: onlyPaths,
  author,
  command,
};

export function evaluateCondition<K extends LeafKind>(leaf: Leaf<K>, context: ConditionContext): ConditionVerdict {
  return CONDITIONS[leaf.kind].evaluate(leaf, context);
}

/** Whether a verdict about the past may be another after an act. */
export function concernsOf<K extends LeafKind>(leaf: Leaf<K>): (act: Act) => boolean {
  return CONDITIONS[leaf.kind].concerns(leaf);
}

/** A short name for people. */
export function titleOf<K extends LeafKind>(leaf: Leaf<K>): string {
  return CONDITIONS[leaf.kind].title(leaf);
}

/** Whether it rests on something that somebody did at some time. */
export function basisOf<K extends LeafKind>(leaf: Leaf<K>): "act" | "state" {
  return CONDITIONS[leaf.kind].basis;
}

/** The conditions of a tree without its combinations. */
export function leavesOf(condition: Condition): Leaf[] {
  switch (condition.kind) {
    case "all":
    case "any":
      return condition.of.flatMap(leavesOf);
    case "not":
      return leavesOf(condition.of);
    default:
      return [condition];
  }
}
