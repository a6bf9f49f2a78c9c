/** Attempts of one agent at its stage: the first, the next after a failure or a preemption, and the final outcome. */
import { formatDuration } from "../../plan/parsing/duration.ts";
import type { PlanStage } from "../../plan/plan.ts";
import { pauseAfter } from "../../plan/stages/retry.ts";
import { extraStopMs } from "../../plan/stop-grace.ts";
import type { Draft } from "../draft.ts";
import { type Assignment, isAssigned } from "../state.ts";
import { withdrawLeases } from "../tasks/leases.ts";
import { beginListing, endListing } from "../tasks/listing.ts";
import type { AttemptEnd, AttemptReport, Progress } from "../types.ts";
import { attemptId } from "./attempt-id.ts";
import { exitCodeOf } from "./exit-code.ts";
import { applyFailurePolicy } from "./failure-policy.ts";
import { isStillToCome, type Outcome, outcome, recordRemaining, recordResult, stopOutcome } from "./record-result.ts";

/** How long after its timeout an attempt's end may take to be told: TERM, grace, KILL, and the way here. */
const OVERDUE_MS = 60_000;

/** The same where its command may have a longer grace. */
export function overdueAfterMs(planned: PlanStage): number {
  return OVERDUE_MS + extraStopMs(planned);
}
/** How often an agent's attempt at a stage may be lost. A task's `max_preemptions` is about that task, not about this. */
const MAX_PREEMPTIONS = 100;

/** An agent's first attempt at a stage (or the next, when it was in it before). */
export function beginAssignment(
  draft: Draft,
  slot: number,
  stage: number,
  startAt: number,
  partition: Assignment["partition"] = null,
): void {
  const run = draft.stage(stage);
  const before = draft.agent(slot).assignment;
  const again = isAssigned(before, run) ? before : null;
  const attempts = (again?.attempts ?? 0) + 1;
  const timeoutAt = again?.timeoutAt ?? startAt + draft.planned(stage).timeoutMs;
  const overdueAt = overdueFrom(draft.planned(stage), startAt, timeoutAt);
  const assignment: Assignment = {
    stage,
    round: run.round,
    attempt: attemptId(draft.head, run, slot, attempts),
    attempts,
    failures: again?.failures ?? 0,
    preemptions: again === null ? 0 : again.preemptions + 1,
    startAt,
    timeoutAt,
    overdueAt,
    seenRunning: false,
    startedAt: null,
    progress: null,
    partition: partition ?? again?.partition ?? null,
    finished: false,
    lastFailure: null,
    dismissed: null,
    leases: [],
    wants: 0,
    queued: false,
  };
  draft.editAgent(slot, { assignment, rejected: null });
  noteDeadline(draft, stage, overdueAt);
}

/** A further attempt, from `startAt` on. What the one before had counted no longer counts. */
function nextAttempt(draft: Draft, slot: number, startAt: number, change: Partial<Assignment>): void {
  const { assignment } = draft.agent(slot);
  if (assignment === null) return;
  countProgress(draft, slot, null);
  if (draft.stage(assignment.stage).pool?.generator === slot) beginListing(draft, assignment.stage, slot);
  const attempts = assignment.attempts + 1;
  const overdueAt = overdueFrom(draft.planned(assignment.stage), startAt, assignment.timeoutAt);
  draft.editAssignment(slot, {
    attempt: attemptId(draft.head, assignment, slot, attempts),
    attempts,
    startAt,
    overdueAt,
    seenRunning: false,
    ...change,
  });
  noteDeadline(draft, assignment.stage, overdueAt);
}

/** When the end of what starts then should have been told. With tasks only the stage's own time counts: see `tasks/`. */
function overdueFrom(planned: PlanStage, startAt: number, timeoutAt: number): number {
  const { retry, tasks } = planned;
  const attempt = tasks === null ? (retry.attemptTimeoutMs ?? Infinity) : Infinity;
  return Math.min(startAt + attempt, timeoutAt) + overdueAfterMs(planned);
}

function noteDeadline(draft: Draft, stage: number, overdueAt: number): void {
  if (overdueAt > draft.stage(stage).overdueAt) draft.editStage(stage, { overdueAt });
  draft.wake(overdueAt);
}

/** Its present attempt was lost (with its agent, or dropped by it): run again, unless that has happened too often. */
export function preempt(draft: Draft, slot: number, why: string): void {
  const { name, assignment } = draft.agent(slot);
  if (assignment === null || assignment.finished) return;
  withdrawLeases(draft, slot);
  const planned = draft.planned(assignment.stage);
  const preemptions = assignment.preemptions + 1;
  if (preemptions > MAX_PREEMPTIONS) {
    finishAssignment(draft, slot, outcome(draft, "failure", `lost its work ${preemptions} times, last: ${why}`));
    return;
  }
  const { stopping } = draft.stage(assignment.stage);
  if (stopping !== null) {
    // Nothing is begun again in a stage that is ending.
    finishAssignment(draft, slot, stopOutcome(draft, stopping));
    return;
  }
  if (draft.now >= assignment.timeoutAt) {
    const reason = `lost its work (${why}), and its timeout (${formatDuration(planned.timeoutMs)}) is over`;
    finishAssignment(draft, slot, outcome(draft, "failure", reason));
    return;
  }
  draft.notice(`${planned.name}: ${name} lost its attempt ${assignment.attempt} (${why}) and runs it again`, name);
  // Not before the group's own start, nor within the pause after a failure.
  nextAttempt(draft, slot, Math.max(draft.now, assignment.startAt), { preemptions, wants: 0 });
}

/** An attempt failed: another one after a pause, or that was it. */
export function failAttempt(draft: Draft, slot: number, report: AttemptReport, reason: string): void {
  const { name, assignment } = draft.agent(slot);
  if (assignment === null) return;
  const planned = draft.planned(assignment.stage);
  const failures = assignment.failures + 1;
  const { end, tail } = report;
  const startAt = draft.now + backoff(planned, failures);
  const { endsAt, stopping } = draft.stage(assignment.stage);
  const isWanted = failures < planned.retry.maxAttempts && isRetried(planned, end);
  const inTime = stopping === null && (endsAt === null || startAt < endsAt);
  const hasTime = startAt < assignment.timeoutAt;
  if (isWanted && inTime && hasTime) {
    const after = startAt - draft.now;
    draft.editStage(assignment.stage, { retryCount: draft.stage(assignment.stage).retryCount + 1 });
    draft.notice(
      `${planned.name}: ${name}'s attempt ${failures} of ${planned.retry.maxAttempts} failed (${reason}), next in ${formatDuration(after)}`,
      name,
    );
    nextAttempt(draft, slot, startAt, { failures, lastFailure: { reason, end, tail } });
    return;
  }
  const attempts = failures > 1 ? `${reason}, after ${failures} attempts` : reason;
  const tries =
    isWanted && !hasTime
      ? `${attempts}; its timeout (${formatDuration(planned.timeoutMs)}) leaves no time for another`
      : attempts;
  if (draft.stage(assignment.stage).pool?.generator === slot) {
    // What failed is the list, which is nobody's own: its stage fails when the tasks known so far are done.
    endListing(draft, assignment.stage, `its tasks could not be listed: ${tries}`);
    return;
  }
  draft.editAssignment(slot, { failures });
  const endedAt = endOf(draft, slot, report);
  finishAssignment(draft, slot, { status: "failure", reason: tries, end, tail, endedAt });
}

function isRetried(planned: PlanStage, end: AttemptEnd): boolean {
  const { on, onExitCodes, notOnExitCodes } = planned.retry;
  // The stage as a whole may have so many errors, not each attempt.
  if (end.kind === "threshold") return false;
  if (end.kind === "time_over") return end.limit !== "timeout" && end.limit !== "deadline" && on.includes("timeout");
  if (!on.includes("failure")) return false;
  const code = exitCodeOf(end);
  if (code === null) return onExitCodes === null;
  return (onExitCodes === null || onExitCodes.includes(code)) && !notOnExitCodes.includes(code);
}

/** Milliseconds before the attempt that follows this many failures. */
export function backoff(planned: Pick<PlanStage, "retry">, failures: number): number {
  return pauseAfter(failures, planned.retry.backoffMs, planned.retry.maxBackoffMs);
}

/** The final outcome of an agent's stage, and what follows from it. */
export function finishAssignment(draft: Draft, slot: number, result: Outcome): void {
  const { assignment } = draft.agent(slot);
  if (assignment === null || assignment.finished) return;
  const { stage } = assignment;
  const planned = draft.planned(stage);
  recordResult(draft, slot, result);
  if (result.status === "success" || (result.status === "failure" && planned.optional)) {
    goOn(draft, slot, stage);
    return;
  }
  if (result.status === "stopped") recordRemaining(draft, slot, outcome(draft, "stopped", result.reason));
  if (result.status !== "failure") return;
  applyFailurePolicy(draft, slot, "failure", `failed: ${result.reason ?? "no reason given"}`, stage);
  // Under a policy that tolerates it, the stages that follow without a barrier are the group's, not its.
  for (let next = stage + 1; next <= (draft.head.segment?.last ?? stage); next++) {
    if (!isStillToCome(draft, next, slot)) continue;
    beginAssignment(draft, slot, next, draft.now);
    recordResult(draft, slot, outcome(draft, "stopped", `it failed in ${planned.name}`));
  }
}

/** Where no barrier stands after its stage, an agent goes on by itself. */
function goOn(draft: Draft, slot: number, stage: number): void {
  const { segment } = draft.head;
  if (segment === null || draft.head.failure !== null) return;
  for (let next = stage + 1; next <= segment.last; next++) {
    if (!isStillToCome(draft, next, slot)) continue;
    beginAssignment(draft, slot, next, draft.now);
    // The others have done all of it meanwhile.
    const { stopping } = draft.stage(next);
    if (stopping === null) return;
    recordResult(draft, slot, stopOutcome(draft, stopping));
  }
}

/** Takes a new count of an agent's present attempt into its stage's sums; null: none. */
export function countProgress(draft: Draft, slot: number, progress: Progress | null): void {
  const { assignment } = draft.agent(slot);
  if (assignment === null || assignment.finished || draft.stage(assignment.stage).pool !== null) return;
  const before = assignment.progress;
  if (before?.done === progress?.done && before?.errors === progress?.errors) return;
  const run = draft.stage(assignment.stage);
  const done = run.done + (progress?.done ?? 0) - (before?.done ?? 0);
  const errors = run.errors + (progress?.errors ?? 0) - (before?.errors ?? 0);
  draft.editStage(assignment.stage, { done, errors }, false);
  draft.editAssignment(slot, { progress }, false);
}

/**
 * When an attempt began and ended, on the coordinator's clock. Agents' clocks may be wrong: what cannot be (before it
 * was given, or later than now) is put right by its length.
 */
export function endOf(draft: Draft, slot: number, report: AttemptReport): number {
  const { assignment } = draft.agent(slot);
  const earliest = assignment?.startAt ?? 0;
  const length = Math.max(0, report.endedAt - report.startedAt);
  const plausible = report.endedAt <= draft.now && report.startedAt >= earliest - 1_000;
  const endedAt = plausible ? report.endedAt : draft.now;
  const startedAt = assignment?.startedAt ?? Math.max(Math.min(earliest, endedAt), endedAt - length);
  draft.editAssignment(slot, { startedAt });
  return endedAt;
}
