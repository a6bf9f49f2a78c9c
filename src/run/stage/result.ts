/** Releases a barrier: leaves the late behind, writes the stages' results down, shows their outputs, and goes on or back. */
import { awaitReview } from "../checkpoints/review.ts";
import type { Draft } from "../draft.ts";
import { failRun, stopWaitOf } from "../group/abort.ts";
import { spreadsOf, unstableTrials } from "../measurement/trials.ts";
import { quorumRepeats, recordQuorum } from "../quorum/result.ts";
import { goBack, type WayBack } from "../rounds/rounds.ts";
import { withdrawLeases } from "../tasks/leases.ts";
import { consequenceOf } from "./barriers.ts";
import { applyFailurePolicy, exclude } from "./failure-policy.ts";
import { judgeStage, type StageJudgement } from "./judgement.ts";
import { outcome, publishOutputs, recordRemaining } from "./record-result.ts";

/** Lets the group go on from its open stages. A result that is not good enough fails the run. */
export function release(draft: Draft): void {
  leaveBehind(draft);
  if (draft.head.stopping === null) closeSegment(draft);
}

/** Closes what is open with what is known of it. The first failure counts; without one the way back that is longest. */
export function closeSegment(draft: Draft): void {
  const { segment } = draft.head;
  if (segment === null) return;
  let failed: string | null = null;
  let failedStage = segment.first;
  let back: WayBack | null = null;
  for (let stage = segment.first; stage <= segment.last; stage++) {
    if (draft.stage(stage).phase !== "open") continue;
    const then = closeStage(draft, stage);
    if (then.kind === "fail" && failed === null) {
      failed = then.reason;
      failedStage = stage;
    }
    if (then.kind === "repeat" && (back === null || then.from < back.from)) back = { ...then, by: stage };
  }
  draft.head.segment = null;
  draft.head.steps++;
  const own =
    failed === null
      ? null
      : ({ kind: "failed", stage: failedStage, reason: `${draft.planned(failedStage).name}: ${failed}` } as const);
  const failure = draft.head.withheld ?? own;
  if (failure === null && back !== null) goBack(draft, back);
  else if (draft.head.attended === true && draft.head.failure === null) awaitReview(draft, segment.last, failure);
  else if (failure !== null) failRun(draft, failure);
}

/** Members that are still at work when their barrier opens. */
function leaveBehind(draft: Draft): void {
  const { segment, now } = draft.head;
  if (segment === null) return;
  const { barrier } = draft.planned(segment.last);
  const { cleanupMode } = draft.stage(segment.last);
  for (let slot = 0; slot < draft.agents.size && draft.head.stopping === null; slot++) {
    const { name, assignment } = draft.agent(slot);
    if (assignment === null || assignment.finished || assignment.stage < segment.first) continue;
    const why = `was still in ${draft.planned(assignment.stage).name} when the others went on`;
    const isAway = cleanupMode || consequenceOf(barrier, "late") === "away";
    if (!isAway) {
      exclude(draft, slot, why, assignment.stage);
      continue;
    }
    const runs = assignment.seenRunning && draft.stage(assignment.stage).pool === null;
    withdrawLeases(draft, slot);
    recordRemaining(draft, slot, outcome(draft, "stopped", why));
    if (runs) {
      const until = now + stopWaitOf(draft.planned(assignment.stage));
      draft.editAssignment(slot, { dismissed: { why: `${name} ${why}`, until } });
      draft.wake(until);
    }
    applyFailurePolicy(draft, slot, "late", why, assignment.stage);
  }
}

/** Writes down what a round came to. @returns what follows */
function closeStage(draft: Draft, stage: number): StageJudgement["then"] {
  const planned = draft.planned(stage);
  const { failure, withheld } = draft.head;
  const { status, worked, reasons, then, quorum } = judgeStage(
    planned,
    draft.whole(stage),
    failure ?? withheld ?? null,
    {
      nameOf: (slot) => draft.agent(slot).name,
      repeats: quorumRepeats(draft, planned),
      unstable: unstableTrials(
        planned,
        spreadsOf(planned, draft.plan.stages, (other) => draft.stage(other)),
      ),
    },
  );
  const reason = reasons.length === 0 ? null : reasons.join("; ");
  draft.editStage(stage, { phase: "closed", status, worked, reason, closedAt: draft.now });
  if (quorum !== undefined) recordQuorum(draft, stage, quorum);
  publishOutputs(draft, stage);
  return then;
}
