/** Writes down what a quorum decided: in its stage's record, its outputs and everyone's log. */
import type { PlanStage } from "../../plan/plan.ts";
import type { Draft } from "../draft.ts";
import type { QuorumRound } from "../result/record.ts";
import { whyReused } from "../resume/resumption.ts";
import { addOutput } from "../stage/record-result.ts";
import { deficienciesText, repeatedBy, roundText } from "./round.ts";

/** Its own outputs win over what its validators tell under the same names. */
const RANK = -1;

export function recordQuorum(draft: Draft, stage: number, round: QuorumRound): void {
  const { name } = draft.planned(stage);
  const { round: number } = draft.stage(stage);
  draft.editStage(stage, { quorum: round });
  addOutput(draft, stage, RANK, "decision", round.decision);
  addOutput(draft, stage, RANK, "confidence", round.confidence);
  addOutput(draft, stage, RANK, "round", number);
  addOutput(
    draft,
    stage,
    RANK,
    "deficiencies",
    round.deficiencies.map(({ validator, deficiency }) => ({ validator, deficiency })),
  );
  draft.notice(`${name}, round ${number}: ${roundText(round)}`);
  for (const { validator, agent, decision, confidence, reason } of round.votes) {
    const by = agent === null ? "" : ` (on ${agent})`;
    const sure = confidence === null ? "" : `, confidence ${confidence}`;
    draft.notice(`${name}: ${validator}${by} counts as ${decision}${sure}${reason === null ? "" : `: ${reason}`}`);
  }
  const wanting = deficienciesText(round, 10);
  if (wanting !== "") draft.notice(`${name}: ${wanting}`);
}

/** The stages that this quorum sends back: none where of those that it names none has run, in this run or the one that it goes on from. */
export function quorumRepeats(draft: Draft, planned: PlanStage): readonly number[] {
  if (planned.quorum === undefined) return [];
  const { retryStages } = planned.quorum;
  const hasRun = draft.plan.stages.some(
    ({ index, name }) =>
      retryStages.includes(name) && (draft.stage(index).startAt !== null || whyReused(draft, index) !== null),
  );
  return hasRun ? repeatedBy(draft.plan, planned) : [];
}
