/**
 * Which stages a pull request can reach by checks alone that its own workflows write: a job's name is its check's name,
 * and jobs may write further ones. Said of gates and of stages that merge or release, since nothing there stands
 * between a pull request and what it wrote itself.
 */

import { basisOf } from "../conditions/index.ts";
import { matcher } from "../evidence/globs.ts";
import type { Condition, Leaf, PolicyStage } from "./policy.ts";

/** The app whose checks every workflow can write. */
const WORKFLOWS_APP = "github-actions";
const ANY_WORKFLOW = ".github/workflows/any.yml";

/** Their names, in order. */
export function forgeableStages(stages: readonly PolicyStage[]): readonly string[] {
  const found: string[] = [];
  let checks = false;
  for (const stage of stages) {
    if (!isForgeable(stage.enter)) {
      break;
    }
    checks ||= hasForgeableCheck(stage.enter);
    if (checks && isGate(stage)) {
      found.push(stage.name);
    }
  }
  return found;
}

function isGate({ gate, onEnter }: PolicyStage): boolean {
  return gate || onEnter.some((action) => action.kind === "auto_merge" || action.kind === "release");
}

/** Whether a pull request's author can bring the condition about without anybody's doing. */
function isForgeable(condition: Condition): boolean {
  switch (condition.kind) {
    case "all":
      return condition.of.every(isForgeable);
    case "any":
      return condition.of.some(isForgeable);
    case "not":
      return true;
    default:
      return isForgeableLeaf(condition);
  }
}

function isForgeableLeaf(leaf: Leaf): boolean {
  switch (leaf.kind) {
    case "checks":
      return leaf.app === null || leaf.app === WORKFLOWS_APP;
    case "only_paths":
      return matcher(leaf.patterns)(ANY_WORKFLOW);
    // Who opened it is somebody's doing, too.
    case "author":
      return false;
    default:
      return basisOf(leaf) === "state";
  }
}

function hasForgeableCheck(condition: Condition): boolean {
  switch (condition.kind) {
    case "all":
    case "any":
      return condition.of.some(hasForgeableCheck);
    case "not":
      return false;
    default:
      return (condition.kind === "checks" || condition.kind === "checks_pass") && isForgeableLeaf(condition);
  }
}
