/** What a move between two stages sets off: the actions of the stages it leads into. */
import type { Occasion, PlannedEffect } from "../actions/action.ts";
import { planActions } from "../actions/index.ts";
import type { Facts } from "../facts/facts.ts";
import { ticketNumber } from "../facts/ticket.ts";
import type { Policy, PolicyStage } from "../policy/policy.ts";
import type { TemplateValues } from "../policy/templates.ts";
import type { Evaluation } from "./evaluation.ts";
import { describeReset } from "./progress.ts";

export interface TransitionInput {
  /** Name of the stage before; null: it was in none. */
  readonly from: string | null;
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  readonly facts: Facts;
}

/** What one stage does on this move. */
export interface StageActions {
  readonly stage: string;
  readonly occasion: Occasion | "hold" | "unhold";
  /** The date of the entry, of the reset that led back, or of the deadline. */
  readonly at: number;
  /** Gone through without stopping. */
  readonly passed: boolean;
  readonly effects: readonly PlannedEffect[];
}

/**
 * Forward: `on_enter` of each stage entered, of those passed on the way only what may be done in passing. Back:
 * `on_back` of the stage it comes back to, and what stages left had GitHub merge is turned off. A stage that the policy
 * no longer knows counts as none.
 */
export function transitionActions({ from, evaluation, policy, facts }: TransitionInput): StageActions[] {
  const indexOf = (name: string | null): number => policy.stages.findIndex((stage) => stage.name === name);
  const before = indexOf(from);
  const here = indexOf(evaluation.stage);
  if (here === before) return [];
  if (here < before) {
    const at = here < 0 ? (facts.acts.at(-1)?.at ?? 0) : since(evaluation);
    return [
      ...turnOff(policy.stages.slice(Math.max(here + 1, 0), before + 1), at),
      ...stageActions("back", here, at, sentBackBecause(evaluation)),
    ];
  }
  return evaluation.entries.flatMap((entry) => {
    const index = indexOf(entry.stage);
    return index <= before ? [] : stageActions("enter", index, entry.at, entry.reason);
  });

  function stageActions(occasion: "enter" | "back", index: number, at: number, reason: string): StageActions[] {
    const stage = policy.stages[index];
    if (stage === undefined) return [];
    const passed = index !== here;
    const values = templateValues({ facts, policy, stage, reason });
    const effects = planActions({ facts, stage, occasion, at, values }, passed);
    return [{ stage: stage.name, occasion, at, passed, effects }];
  }
}

/** Stages that have GitHub merge what enters them. */
export function mergingStages(stages: readonly PolicyStage[]): PolicyStage[] {
  return stages.filter((stage) => stage.onEnter.some((action) => action.kind === "auto_merge"));
}

/** A pull request that was sent back must not merge itself. */
function turnOff(left: readonly PolicyStage[], at: number): StageActions[] {
  return mergingStages(left).map(({ name }) => ({
    stage: name,
    occasion: "back",
    at,
    passed: false,
    effects: [{ kind: "disable_auto_merge", stage: name }],
  }));
}

export interface TemplateInput {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly stage: PolicyStage;
  /** Why it came here, or what it lacks. */
  readonly reason: string;
}

export function templateValues({ facts, policy, stage, reason }: TemplateInput): TemplateValues {
  return {
    number: String(facts.number),
    sha: facts.head.sha,
    base: facts.base.ref,
    stage: stage.name,
    owner: stage.owner ?? "",
    ticket: ticketNumber(facts, policy.taskId) ?? "",
    reason,
  };
}

function since(evaluation: Evaluation): number {
  return evaluation.since ?? evaluation.entries.at(-1)?.at ?? 0;
}

/** What the newest reset says; else what it lacks now. */
function sentBackBecause(evaluation: Evaluation): string {
  const reset = evaluation.resets.findLast((each) => each.at === evaluation.since);
  if (reset === undefined) return evaluation.missing?.summary ?? "";
  return reset.note === "" ? describeReset(reset) : reset.note;
}
