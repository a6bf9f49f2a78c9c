/** What an evaluation asks to have done besides labels and check runs, while the pull request stays where it is. */
import { overdueAndHoldActions } from "../../src/lifecycle/evaluation/overdue-and-hold.ts";
import { effectRows } from "../effects/effect.ts";
import type { NewEffect, Pull } from "../store/model.ts";
import type { EvaluatedPull } from "./evaluator.ts";
import { tamperingEffects } from "./tampering.ts";
import { unclearEffects } from "./unclear.ts";

/** Each is known by its key, so asking again adds nothing. */
export function effectsOfEvaluation(
  row: Pull,
  installationId: number,
  evaluated: EvaluatedPull,
  now: number,
): NewEffect[] {
  const { evaluation, desired } = evaluated;
  const said =
    desired === null
      ? []
      : [...ofTampering(row, installationId, evaluated, now), ...unclearEffects(row, installationId, evaluation, now)];
  return [...meanwhile(row, installationId, evaluated, now), ...said];
}

function meanwhile(
  row: Pull,
  installationId: number,
  { evaluation, policy, facts }: EvaluatedPull,
  now: number,
): NewEffect[] {
  return evaluation.stage === null || evaluation.stage !== row.confirmed?.stage
    ? []
    : effectRows(
        row,
        installationId,
        overdueAndHoldActions({ before: row.evaluation, evaluation, policy, facts, now }),
        now,
      );
}

/** Nothing is said of what was done before the app first showed anything, however late that is evaluated. */
function ofTampering(row: Pull, installationId: number, { tampering }: EvaluatedPull, now: number): NewEffect[] {
  if (row.confirmed === null) {
    return [];
  }
  const since = row.confirmed.since ?? 0;
  const attempts = tampering.attempts.filter(({ act }) => act.at > since);
  return tamperingEffects(row, installationId, { ...tampering, attempts }, now);
}
