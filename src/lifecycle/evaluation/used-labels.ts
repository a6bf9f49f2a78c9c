/**
 * Labels that a reset has used up, so that they can be given again: those that had counted for a stage when it came.
 * What a condition would merely match, or what was never evidence of anything, stays on the pull request.
 */
import { evaluateLabel } from "../conditions/label.ts";
import { labelMatcher } from "../evidence/name-patterns.ts";
import { type Condition, type Leaf, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import type { UsedLabel } from "./evaluation.ts";
import { progressOf, type ReplayState, windowOf } from "./progress.ts";
import { decidedByActs, stateAt } from "./replay-state.ts";
import { type IndexedReset, ResetIndex } from "./resets.ts";

/** Of the labels that are on it now. `state`: as it is now, with all resets. */
export function usedLabelsIn(state: ReplayState): UsedLabel[] {
  const { facts, stages, context } = state;
  const resets = [...state.resets.all()].sort((a, b) => a.reset.at - b.reset.at);
  return facts.labels.flatMap((label): UsedLabel[] => {
    const giving = context.acts.labels(label).findLast((act) => act.kind === "labeled");
    if (giving === undefined || label.toLowerCase().startsWith(STAGE_LABEL_PREFIX)) {
      return [];
    }
    return stages.flatMap((stage, index): UsedLabel[] => {
      const asked = labelsAskedFor(stage.enter).filter((leaf) => labelMatcher(leaf.name)(label));
      const reset = resets.find((each) => each.index < index && each.reset.at >= giving.at);
      if (reset === undefined) {
        return [];
      }
      // In one second nobody can say whether it had counted before.
      const counted =
        giving.at === reset.reset.at
          ? asked.some(({ by }) => context.authority(giving.by, by).truth === "yes")
          : asked.some(({ by }) => hadCounted(state, reset, { label, by, index }));
      return counted ? [{ label, stage: stage.name }] : [];
    });
  });
}

function hadCounted(
  state: ReplayState,
  { reset }: IndexedReset,
  { label, by, index }: { readonly label: string; readonly by: Leaf<"label">["by"]; readonly index: number },
): boolean {
  const { facts, stages } = state;
  const last = facts.acts.findLast((act) => act.at < reset.at);
  const resets = state.resets.all().filter((each) => each.reset.at < reset.at);
  const known = { ...state, stages: decidedByActs(stages), resets: new ResetIndex(stages.length, resets) };
  const then = stateAt(last?.at ?? 0, false, known);
  const before = progressOf(then)[index - 1]?.entry?.at ?? null;
  return evaluateLabel(label, by, { ...then.context, window: windowOf(then, index, before) }).truth === "yes";
}

/** Conditions that ask for a label, not those that forbid one. */
export function labelsAskedFor(condition: Condition): Leaf<"label">[] {
  switch (condition.kind) {
    case "all":
    case "any":
      return condition.of.flatMap(labelsAskedFor);
    case "label":
      return [condition];
    default:
      return [];
  }
}
