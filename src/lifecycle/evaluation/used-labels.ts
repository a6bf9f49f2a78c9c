/**
 * Labels that a reset has used up, so that they can be given again: those that had counted for a stage when it came.
 * What a condition would merely match, or what was never evidence of anything, stays on the pull request.
 */
import { judgeLabel } from "../conditions/label.ts";
import { labelMatcher } from "../conditions/name-patterns.ts";
import { type Condition, type Leaf, STAGE_LABEL_PREFIX } from "../policy/policy.ts";
import { discountFor, type IndexedReset, type Journey, walk } from "./progress.ts";
import { inThePast, journeyAt } from "./replay-state.ts";

export interface SpentLabel {
  readonly label: string;
  /** Name of the stage for which it had counted. */
  readonly stage: string;
}

/** Of the labels that are on it now. `journey`: as it is now, with all resets. */
export function spentLabels(journey: Journey): SpentLabel[] {
  const { facts, stages, context } = journey;
  const resets = [...journey.resets].sort((a, b) => a.reset.at - b.reset.at);
  return facts.labels.flatMap((label): SpentLabel[] => {
    const giving = context.acts.labels(label).findLast((act) => act.kind === "labeled");
    if (giving === undefined || label.toLowerCase().startsWith(STAGE_LABEL_PREFIX)) {
      return [];
    }
    return stages.flatMap((stage, index): SpentLabel[] => {
      const asked = labelsAskedFor(stage.enter).filter((leaf) => labelMatcher(leaf.name)(label));
      const reset = resets.find((each) => each.index < index && each.reset.at >= giving.at);
      if (asked.length === 0 || reset === undefined) {
        return [];
      }
      // In one second nobody can say whether it had counted before.
      const counted =
        giving.at === reset.reset.at
          ? asked.some(({ by }) => context.authority(giving.by, by).truth === "yes")
          : asked.some(({ by }) => hadCounted(journey, reset, { label, by, index }));
      return counted ? [{ label, stage: stage.name }] : [];
    });
  });
}

function hadCounted(
  journey: Journey,
  { reset }: IndexedReset,
  { label, by, index }: { readonly label: string; readonly by: Leaf<"label">["by"]; readonly index: number },
): boolean {
  const { facts, stages, resets } = journey;
  const last = facts.acts.findLast((act) => act.at < reset.at);
  const known = { ...journey, stages: inThePast(stages), resets: resets.filter((each) => each.reset.at < reset.at) };
  const then = journeyAt(last?.at ?? 0, false, known);
  const before = index === 0 ? facts.openedAt : (walk(then)[index - 1]?.entry?.at ?? null);
  const discount = discountFor(then, index, before);
  return judgeLabel(label, by, { ...then.context, discount }).truth === "yes";
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
