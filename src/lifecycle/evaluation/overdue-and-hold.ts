/** What is to be done once while a pull request stays where it is: it is overdue, it was put on hold or taken off it. */
import type { PlannedEffect } from "../actions/action.ts";
import { planActions } from "../actions/index.ts";
import type { Facts } from "../facts/facts.ts";
import { type Policy, policyStage } from "../policy/policy.ts";
import { mention } from "../policy/templates.ts";
import type { Evaluation } from "./evaluation.ts";
import { mergingStages, type StageActions, templateValues } from "./transition-actions.ts";

export interface OverdueAndHoldInput {
  /** The evaluation before; null: the first. */
  readonly before: Evaluation | null;
  readonly evaluation: Evaluation;
  readonly policy: Policy;
  readonly facts: Facts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Asked again it says the same; each is done once, known by stage, occasion and date. */
export function overdueAndHoldActions(input: OverdueAndHoldInput): StageActions[] {
  return [...overdue(input), ...onHold(input), ...offHold(input)];
}

/** Nobody is reminded of what is on hold. */
function overdue({ evaluation, policy, facts, now }: OverdueAndHoldInput): StageActions[] {
  const { dueAt, since, held, missing } = evaluation;
  const stage = policyStage(policy, evaluation.stage);
  if (stage === undefined || dueAt === null || since === null || dueAt > now || held !== null) {
    return [];
  }
  const reason = missing?.summary ?? "nothing more is asked of it";
  const values = templateValues({ facts, policy, stage, reason });
  const line: PlannedEffect = {
    kind: "note",
    text: `overdue in ${stage.name}: it should have been there for ${sayAge(dueAt - since)} at most (${reason})`,
  };
  const planned = planActions({ facts, stage, occasion: "overdue", at: dueAt, values });
  return [{ stage: stage.name, occasion: "overdue", at: dueAt, passed: false, effects: [line, ...planned] }];
}

/** A pull request on hold must not merge itself; whoever owns it hears of a hold that nobody gave. */
function onHold({ evaluation, policy }: OverdueAndHoldInput): StageActions[] {
  const { held, stage: here, entries, rounds } = evaluation;
  if (held === null) {
    return [];
  }
  const reached = new Set(entries.map((entry) => entry.stage));
  const off = mergingStages(policy.stages.filter((stage) => reached.has(stage.name)));
  const actions: StageActions[] = off.map(({ name }) => ({
    stage: name,
    occasion: "hold",
    at: held.at,
    passed: false,
    effects: [{ kind: "disable_auto_merge", stage: name }],
  }));
  const stage = policyStage(policy, here);
  if (held.why === "max_rounds" && stage !== undefined) {
    const owner = stage.owner === null ? "" : `${mention(stage.owner)} `;
    const count = policy.maxRounds ?? rounds;
    const times = count === 1 ? "once" : `${count} times`;
    const body = `${owner}This pull request was sent back ${times} and is on hold: it goes no further until somebody looks at it and writes \`/stage unhold\`.`;
    const effects: PlannedEffect[] = [
      { kind: "note", text: `on hold: it was sent back ${times}` },
      // With a space: no stage, whose comments are found by its name, is called so.
      { kind: "comment", marker: "on hold", body },
    ];
    actions.push({ stage: stage.name, occasion: "hold", at: held.at, passed: false, effects });
  }
  return actions;
}

/** What the hold turned off is turned on again. */
function offHold({ before, evaluation, policy, facts }: OverdueAndHoldInput): StageActions[] {
  const at = before?.held?.at;
  const stage = policyStage(policy, evaluation.stage);
  if (at === undefined || evaluation.held !== null || stage === undefined) {
    return [];
  }
  const values = templateValues({ facts, policy, stage, reason: "it was taken off hold" });
  const effects = planActions({ facts, stage, occasion: "enter", at, values }).filter(
    (effect) => effect.kind === "auto_merge",
  );
  return effects.length === 0 ? [] : [{ stage: stage.name, occasion: "unhold", at, passed: false, effects }];
}

/** `24 h`, `90 min`, `30 s`. */
function sayAge(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds % 3_600 === 0) {
    return `${seconds / 3_600} h`;
  }
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
