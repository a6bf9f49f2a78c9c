/** Ends a run that failed or was cancelled: everyone ends what is running, so that cleanup can begin. */
import type { PlanStage } from "../../plan/plan.ts";
import { extraStopMs } from "../../plan/stop-grace.ts";
import type { Draft } from "../draft.ts";
import { outcome, recordRemaining } from "../stage/record-result.ts";
import type { Failure } from "../state.ts";
import { withdrawLeases } from "../tasks/leases.ts";
import { isOver } from "../transitions.ts";

/** How long agents may take to end what runs (TERM, grace, KILL) and to say so. */
const STOP_WAIT_MS = 30_000;

/** The same for one stage, whose commands may have a longer grace. */
export function stopWaitOf(stage: PlanStage): number {
  return STOP_WAIT_MS + extraStopMs(stage);
}

export function isFailing(draft: Draft): boolean {
  return draft.head.failure !== null;
}

/**
 * Fails (or cancels) the run: everyone ends what is running, then the cleanup stages run. The first reason holds.
 * During assembly nothing has run yet: it is over at once.
 */
export function failRun(draft: Draft, failure: Omit<Failure, "at">): void {
  const { head, now } = draft;
  if (head.failure !== null || isOver(head.status)) return;
  if (mayBeReviewed(draft, failure)) {
    if (head.withheld == null) withhold(draft, { ...failure, at: now });
    return;
  }
  head.failure = { ...failure, at: now };
  if (head.status === "assembling") {
    draft.setRunStatus(failure.kind);
    head.endedAt = now;
    return;
  }
  draft.setRunStatus("aborting");
  draft.notice(`aborting: ${failure.reason}`);
  head.checkpoint = null;
  if (head.withheld != null) head.withheld = null;
  const { segment } = head;
  // Commands of earlier stages may run in the background.
  const until = now + Math.max(...draft.plan.stages.map(stopWaitOf));
  if (segment !== null) {
    for (let stage = segment.first; stage <= segment.last; stage++) {
      draft.editStage(stage, { stopping: { since: now, until, why: failure.reason, well: false } });
    }
  }
  head.stopping = { since: now, until };
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment === null || assignment.finished || segment === null || assignment.stage < segment.first) continue;
    if (assignment.seenRunning || assignment.leases.length > 0) continue;
    recordRemaining(draft, slot, outcome(draft, "stopped", "the run was aborted before it began"));
  }
}

/** What is still open when everyone has ended, or had the time to. */
export function finishAborted(draft: Draft): void {
  const reason = draft.head.failure?.reason ?? "aborted";
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment !== null && !assignment.finished) {
      withdrawLeases(draft, slot);
      recordRemaining(draft, slot, outcome(draft, "stopped", reason));
    }
    if (draft.agent(slot).backgrounds.length > 0) draft.editAgent(slot, { backgrounds: [] });
  }
}

/** The open stage has failed by itself, and somebody is there who may have it done again. */
function mayBeReviewed({ head, now }: Draft, { kind, stage }: Omit<Failure, "at">): boolean {
  const { attended, segment, deadlineAt } = head;
  if (attended !== true || kind === "cancelled" || segment === null || stage === null) return false;
  return stage >= segment.first && stage <= segment.last && (deadlineAt === null || now < deadlineAt);
}

/** Ends what is open, as an abort does. What follows is a person's to say. */
function withhold(draft: Draft, failure: Failure): void {
  const { head, now } = draft;
  head.withheld = failure;
  const { segment } = head;
  if (segment === null) return;
  for (let stage = segment.first; stage <= segment.last; stage++) {
    const until = now + stopWaitOf(draft.planned(stage));
    draft.editStage(stage, { stopping: { since: now, until, why: failure.reason, well: false } });
  }
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment === null || assignment.finished || assignment.stage < segment.first) continue;
    const { pool } = draft.stage(assignment.stage);
    const isForPool = pool !== null && pool.generator !== slot;
    if (assignment.leases.length > 0 || (assignment.seenRunning && !isForPool)) continue;
    recordRemaining(draft, slot, outcome(draft, "stopped", "the stage was ended before it began"));
  }
}
