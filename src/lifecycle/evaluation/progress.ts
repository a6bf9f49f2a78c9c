/**
 * How far a pull request comes: the longest prefix of its stages whose conditions hold, at the present or at a moment
 * of the past. An act counts for a stage if it is not earlier than the entry into the stage before it, and newer than
 * every reset to an earlier stage.
 */
import type { Context } from "../conditions/condition.ts";
import type { Act, Actor, Facts, Reset } from "../facts/facts.ts";
import { isPlaced, whole } from "../facts/order-in-second.ts";
import type { Policy, PolicyStage } from "../policy/policy.ts";
import { type Judged, judgeTree } from "./condition-tree.ts";
import type { Entry, ResultNode } from "./evaluation.ts";

/** A reset with the index of its stage among those that exist for the pull request; -1: before the first. */
export interface IndexedReset {
  readonly reset: Reset;
  readonly index: number;
}

/** An operator's word that a pull request is in a stage. */
export interface Override {
  readonly id: string;
  readonly at: number;
  readonly by: Actor;
  readonly index: number;
}

export interface Journey {
  readonly facts: Facts;
  readonly policy: Policy;
  /** Those that exist for this pull request. */
  readonly stages: readonly PolicyStage[];
  readonly resets: readonly IndexedReset[];
  readonly overrides: readonly Override[];
  /** What conditions look at, but for what counts for which stage. */
  readonly context: Omit<Context, "discount">;
}

export interface Step {
  readonly stage: PolicyStage;
  readonly result: ResultNode;
  readonly entry: Entry | null;
}

/** One step for each stage, in order; those reached have an entry. */
export function walk(journey: Journey): Step[] {
  const steps: Step[] = [];
  /** Date of the entry into the stage before; null: it was not reached. */
  let before: number | null = journey.facts.openedAt;
  for (const [index, stage] of journey.stages.entries()) {
    const entered: number | null = before;
    const reset = newestReset(journey, index);
    const judged = judgeTree(stage.enter, { ...journey.context, discount: discountFor(journey, index, entered) });
    const entry: Entry | null = entered === null ? null : enter(journey, index, entered, reset, judged);
    steps.push({ stage, result: entry === null ? judged.node : resultOf(judged, entry), entry });
    before = entry?.at ?? null;
  }
  return steps;
}

/**
 * What an act counts for the stage at this index; `entered`: when the one before it was, null: it was not. See
 * `Context.discount`.
 */
export function discountFor(journey: Journey, index: number, entered: number | null): Context["discount"] {
  const reset = newestReset(journey, index);
  return (act) => discountOf(journey, index, entered, reset, act);
}

/** The newest reset to a stage before this one; null: there was none. */
function newestReset(journey: Journey, index: number): Reset | null {
  let newest: Reset | null = null;
  for (const each of journey.resets) {
    if (each.index < index && (newest === null || each.reset.at >= newest.at)) {
      newest = each.reset;
    }
  }
  return newest;
}

/** Why an act does not count for the stage at this index; null: it counts. */
function discountOf(
  journey: Journey,
  index: number,
  before: number | null,
  reset: Reset | null,
  act: Act,
): string | null {
  if (reset !== null && act.at <= reset.at && !isGivenAgain(journey, act, reset)) {
    return isUnordered(journey.facts, act, reset)
      ? `in the second in which ${sayReset(reset)}, and GitHub does not say which came first`
      : `before ${sayReset(reset)}`;
  }
  const previous = journey.stages[index - 1];
  if (previous === undefined) {
    return null;
  }
  if (before === null) {
    return `while ${previous.name} had not been reached`;
  }
  // What was done in one second, by one call or script, was done for one purpose: there the order is not looked at.
  return whole(act.at) < whole(before) ? `before ${previous.name} was reached` : null;
}

function isUnordered({ orders = [] }: Facts, act: Act, reset: Reset): boolean {
  return whole(act.at) === whole(reset.at) && !isPlaced(act, orders);
}

/** The label was seen to be gone after that reset, by us who had taken it off, and is on it now. */
function isGivenAgain({ facts, context }: Journey, act: Act, reset: Reset): boolean {
  if (act.kind !== "labeled" || !context.present || !isUnordered(facts, act, reset)) {
    return false;
  }
  const label = act.label.toLowerCase();
  return (
    (facts.absences ?? []).some(
      (each) => each.label === label && each.at === whole(act.at) && each.after.includes(reset.id),
    ) && facts.labels.some((name) => name.toLowerCase() === label)
  );
}

function enter(journey: Journey, index: number, before: number, reset: Reset | null, judged: Judged): Entry | null {
  const stage = journey.stages[index]?.name ?? "";
  const natural: Entry | null =
    judged.truth === "yes"
      ? {
          stage,
          at: Math.max(before, judged.node.at ?? before),
          by: judged.node.by,
          evidence: judged.node.evidence,
          reason: judged.node.reason,
        }
      : null;
  const override = journey.overrides.find(
    (each) => each.index >= index && whole(each.at) >= whole(before) && (reset === null || each.at > reset.at),
  );
  if (override === undefined || (natural !== null && natural.at <= override.at)) {
    return natural;
  }
  return {
    stage,
    at: override.at,
    by: override.by,
    evidence: [override.id],
    reason: `${override.by.login}, an operator, moved it to ${journey.stages[override.index]?.name ?? stage}`,
  };
}

/** The tree as it is shown: an override stands above conditions that do not hold. */
function resultOf(judged: Judged, entry: Entry): ResultNode {
  if (judged.truth === "yes") {
    return judged.node;
  }
  return {
    condition: "override",
    holds: true,
    reason: entry.reason,
    at: entry.at,
    by: entry.by,
    evidence: entry.evidence,
    children: [judged.node],
  };
}

/** `alice pushed 1a2b3c4`: what a reset was, after "before". */
export function sayReset(reset: Reset): string {
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
