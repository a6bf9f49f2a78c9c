/**
 * How far a pull request comes: the longest prefix of its stages whose conditions hold, at the present or at a moment
 * of the past. An act counts for a stage if it is not earlier than the entry into the stage before it, and newer than
 * every reset to an earlier stage.
 */
import type { ActWindow, ConditionContext } from "../conditions/condition.ts";
import type { Act, Actor, Facts, Reset } from "../facts/facts.ts";
import { isPlaced, wholeDate } from "../facts/order-in-second.ts";
import type { Policy, PolicyStage } from "../policy/policy.ts";
import { evaluateTree } from "./condition-tree.ts";
import type { EvaluatedTree, ResultNode, StageEntry } from "./evaluation.ts";
import type { ResetIndex } from "./resets.ts";

/** An operator's word that a pull request is in a stage. */
export interface Override {
  readonly id: string;
  readonly at: number;
  readonly by: Actor;
  readonly index: number;
}

export interface ReplayState {
  readonly facts: Facts;
  readonly policy: Policy;
  /** Those that exist for this pull request. */
  readonly stages: readonly PolicyStage[];
  readonly resets: ResetIndex;
  readonly overrides: readonly Override[];
  /** What conditions look at, but for what counts for which stage. */
  readonly context: Omit<ConditionContext, "window">;
}

export interface StageProgress {
  readonly stage: PolicyStage;
  readonly result: ResultNode;
  readonly entry: StageEntry | null;
}

/** How far it has come: one item for each stage, in order; those reached have an entry. */
export function progressOf(state: ReplayState): StageProgress[] {
  const progress: StageProgress[] = [];
  /** Date of the entry into the stage before; null: it was not reached. */
  let before: number | null = state.facts.openedAt;
  for (const [index, stage] of state.stages.entries()) {
    const entered: number | null = before;
    const window = windowOf(state, index, entered);
    const evaluated = evaluateTree(stage.enter, { ...state.context, window });
    const entry: StageEntry | null =
      entered === null ? null : enter(state, index, entered, state.resets.newestBefore(index), evaluated);
    progress.push({ stage, result: entry === null ? evaluated.node : resultOf(evaluated, entry), entry });
    before = entry?.at ?? null;
  }
  return progress;
}

/** Which acts count for the stage at this index; `entered`: when the one before it was, null: it was not. */
export function windowOf(state: ReplayState, index: number, entered: number | null): ActWindow {
  const reset = state.resets.newestBefore(index);
  const previous = state.stages[index - 1];
  const isBeforeReset = (act: Act): boolean => reset !== null && act.at <= reset.at && !isGivenAgain(state, act, reset);
  // What was done in one second, by one call or script, was done for one purpose: there the order is not looked at.
  const isBeforeEntry = (act: Act): boolean =>
    previous !== undefined && (entered === null || wholeDate(act.at) < wholeDate(entered));
  return {
    key: `${index} ${entered} ${reset?.id}`,
    counts: (act) => !isBeforeReset(act) && !isBeforeEntry(act),
    exclusion(act) {
      if (reset !== null && isBeforeReset(act)) {
        return isUnordered(state.facts, act, reset)
          ? `in the second in which ${describeReset(reset)}, and GitHub does not say which came first`
          : `before ${describeReset(reset)}`;
      }
      if (!isBeforeEntry(act)) {
        return null;
      }
      const name = previous?.name ?? "";
      return entered === null ? `while ${name} had not been reached` : `before ${name} was reached`;
    },
  };
}

function isUnordered({ orders = [] }: Facts, act: Act, reset: Reset): boolean {
  return wholeDate(act.at) === wholeDate(reset.at) && !isPlaced(act, orders);
}

/** The label was seen to be gone after that reset, by us who had taken it off, and is on it now. */
function isGivenAgain({ facts, context }: ReplayState, act: Act, reset: Reset): boolean {
  if (act.kind !== "labeled" || !context.present || !isUnordered(facts, act, reset)) {
    return false;
  }
  const label = act.label.toLowerCase();
  return (
    (facts.absences ?? []).some(
      (each) => each.label === label && each.at === wholeDate(act.at) && each.after.includes(reset.id),
    ) && facts.labels.some((name) => name.toLowerCase() === label)
  );
}

function enter(
  state: ReplayState,
  index: number,
  before: number,
  reset: Reset | null,
  evaluated: EvaluatedTree,
): StageEntry | null {
  const stage = state.stages[index]?.name ?? "";
  const natural: StageEntry | null =
    evaluated.truth === "yes"
      ? {
          stage,
          at: Math.max(before, evaluated.node.at ?? before),
          by: evaluated.node.by,
          evidence: evaluated.node.evidence,
          reason: evaluated.node.reason,
        }
      : null;
  const override = firstOverride(state.overrides, index, wholeDate(before), reset?.at ?? Number.NEGATIVE_INFINITY);
  if (override === undefined || (natural !== null && natural.at <= override.at)) {
    return natural;
  }
  return {
    stage,
    at: override.at,
    by: override.by,
    evidence: [override.id],
    reason: `${override.by.login}, an operator, moved it to ${state.stages[override.index]?.name ?? stage}`,
  };
}

/** The first to this stage or a later one since a date, and after another. They come in order of their dates. */
function firstOverride(
  overrides: readonly Override[],
  index: number,
  since: number,
  after: number,
): Override | undefined {
  let [low, high] = [0, overrides.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = overrides[middle]?.at ?? 0;
    if (wholeDate(at) < since || at <= after) low = middle + 1;
    else high = middle;
  }
  while (low < overrides.length && (overrides[low]?.index ?? 0) < index) low += 1;
  return overrides[low];
}

/** The tree as it is shown: an override stands above conditions that do not hold. */
function resultOf(evaluated: EvaluatedTree, entry: StageEntry): ResultNode {
  if (evaluated.truth === "yes") {
    return evaluated.node;
  }
  return {
    condition: "override",
    holds: true,
    reason: entry.reason,
    at: entry.at,
    by: entry.by,
    evidence: entry.evidence,
    children: [evaluated.node],
  };
}

/** `alice pushed 1a2b3c4`: what a reset was, after "before". */
export function describeReset(reset: Reset): string {
  const who = reset.by.login;
  switch (reset.why) {
    case "push":
      return `${who} pushed ${reset.head.slice(0, 7)}`;
    case "draft":
      return `${who} made it a draft or marked it ready`;
    case "reopened":
      return `${who} reopened it`;
    case "base_changed":
      return `${who} changed its base`;
    case "back":
    case "command":
      return `it was sent back (${reset.note})`;
  }
}
