/** Attempts that have ended, as agents report them: accepted once, and only from the attempt in force. */

import { deadlineOver, isBoundByDeadline } from "../deadlines.ts";
import type { Draft } from "../draft.ts";
import { failRun, isFailing } from "../group/abort.ts";
import { finishTask } from "../tasks/ending.ts";
import { endListing } from "../tasks/listing.ts";
import type { AttemptReport } from "../types.ts";
import { countProgress, endOf, failAttempt, finishAssignment, preempt } from "./assignments.ts";
import { roundOf } from "./attempt-id.ts";
import { isPast, loseBackground, tellLate } from "./background.ts";
import { judgeAttempt } from "./completion.ts";
import { addOutputs, annotate, contribute, stopOutcome } from "./record-result.ts";
import { stopStage } from "./stopping.ts";

/** Takes one report of the agent in this position. */
export function handleReport(draft: Draft, slot: number, report: AttemptReport): void {
  failWhenPastDeadline(draft, report);
  if (report.stage >= draft.plan.stages.length) {
    draft.reject(slot, `a report of stage ${report.stage}, which the plan does not have`);
  } else if (report.task !== null) {
    handleTaskReport(draft, slot, report, report.task);
  } else if (draft.agent(slot).backgrounds.some(({ attempt }) => attempt === report.attempt)) {
    endBackground(draft, slot, report);
  } else if (!isEndedByGroup(draft, report)) handleOwnReport(draft, slot, report);
}

/** An agent ends its work at the deadline by itself: its word comes before our own clock's, or with it. */
function failWhenPastDeadline(draft: Draft, { stage, end }: AttemptReport): void {
  if (end.kind !== "time_over" || end.limit !== "deadline" || !isBoundByDeadline(draft.head, stage)) return;
  failRun(draft, { kind: "failed", stage, reason: `${draft.planned(stage).name}: ${deadlineOver(draft)}` });
}

/** A background command after its last stage, or of an earlier round: its agent was told to end it, and says that it did. */
function isEndedByGroup(draft: Draft, { stage, attempt }: AttemptReport): boolean {
  if (draft.planned(stage).background === null) return false;
  return isPast(draft, stage) || roundOf(attempt) < draft.stage(stage).round;
}

function handleTaskReport(draft: Draft, slot: number, report: AttemptReport, key: string): void {
  const fate = draft.stage(report.stage).phase === "open" ? finishTask(draft, slot, report, key) : "stale";
  if (fate === "stale") stale(draft, slot, report);
  if (fate !== "accepted") return;
  stopWhenTimedOut(draft, report);
  finishStopped(draft, slot, report.stage);
}

/** The time is the stage's, not the task's: who is given another task would only end it at once, one after the other. */
function stopWhenTimedOut(draft: Draft, { stage, end, progress }: AttemptReport): void {
  if (end.kind !== "time_over" || end.limit === "attempt_timeout" || draft.stage(stage).stopping !== null) return;
  const { ok, reason } = judgeAttempt(draft.planned(stage), end, progress);
  if (ok) return;
  stopStage(draft, stage, { why: reason, well: false });
}

/** Once a stage is stopping, who has no lease left is done. */
function finishStopped(draft: Draft, slot: number, stage: number): void {
  const { stopping, pool } = draft.stage(stage);
  const { assignment } = draft.agent(slot);
  if (stopping === null || assignment === null || assignment.stage !== stage || assignment.finished) return;
  if (assignment.leases.length > 0 || pool?.generator === slot) return;
  finishAssignment(draft, slot, stopOutcome(draft, stopping));
}

function handleOwnReport(draft: Draft, slot: number, report: AttemptReport): void {
  const { name, assignment } = draft.agent(slot);
  if (assignment === null || assignment.attempt !== report.attempt) {
    stale(draft, slot, report);
    return;
  }
  if (assignment.dismissed !== null) {
    // It has ended what the group did not wait for: now it may come back.
    draft.editAssignment(slot, { dismissed: null });
    return;
  }
  if (assignment.finished) return;
  const { end } = report;
  const planned = draft.planned(assignment.stage);
  const { stopping, pool } = draft.stage(assignment.stage);
  if (pool !== null && pool.generator !== slot) return;
  const dropped = end.kind === "stopped" || end.kind === "reset";
  if (dropped && stopping === null) {
    preempt(draft, slot, end.kind === "stopped" ? end.why : "reset");
    return;
  }
  if (report.progress !== null) countProgress(draft, slot, report.progress);
  const endedAt = endOf(draft, slot, report);
  if (dropped && stopping !== null) {
    contribute(draft, assignment.stage, draft.agent(slot).index, name, report);
    if (pool !== null) {
      // It may hold leases beside its list.
      endListing(draft, assignment.stage, null);
      finishStopped(draft, slot, assignment.stage);
      return;
    }
    finishAssignment(draft, slot, { ...stopOutcome(draft, stopping), end, tail: report.tail, endedAt });
    return;
  }
  const judged =
    planned.background === null
      ? judgeAttempt(planned, end, report.progress)
      : { ok: false, reason: `ended before it was ready: ${judgeAttempt(planned, end, report.progress).reason}` };
  if (!judged.ok) {
    const failures = draft.agent(slot).assignment?.failures ?? 0;
    if (failures + 1 >= planned.retry.maxAttempts) annotate(draft, assignment.stage, name, report);
    failAttempt(draft, slot, report, judged.reason);
    // What it could tell before it failed may be why the stage is optional.
    if (planned.optional && draft.agent(slot).assignment?.finished !== false)
      addOutputs(draft, draft.agent(slot).index, report);
    return;
  }
  contribute(draft, assignment.stage, draft.agent(slot).index, name, report);
  if (pool !== null) {
    // Its stage has nothing to do, which is seldom what was meant.
    if (draft.pool(assignment.stage).records.size === 0)
      draft.remark(assignment.stage, "warnings", "no tasks were listed");
    endListing(draft, assignment.stage, null);
    finishStopped(draft, slot, assignment.stage);
    return;
  }
  if (judged.warning !== undefined) draft.remark(assignment.stage, "warnings", `${name}: ${judged.warning}`);
  const reason = judged.warning ?? null;
  finishAssignment(draft, slot, { status: "success", reason, end, tail: report.tail, endedAt });
}

/** A background command has ended: as it should after its last stage, else it takes the run with it. */
function endBackground(draft: Draft, slot: number, report: AttemptReport): void {
  const { name, backgrounds } = draft.agent(slot);
  const known = backgrounds.find(({ attempt }) => attempt === report.attempt);
  draft.editAgent(slot, { backgrounds: backgrounds.filter((one) => one !== known) });
  const planned = draft.planned(report.stage);
  contribute(draft, report.stage, draft.agent(slot).index, name, report);
  tellLate(draft, report);
  if (known?.ending === true || isFailing(draft) || isPast(draft, report.stage)) return;
  const { reason } = judgeAttempt(planned, report.end, report.progress);
  const text = `background stage ${planned.name} died on ${name}: ${reason}`;
  loseBackground(
    draft,
    report.stage,
    `${name}: died before ${planned.background?.until ?? "its end"}: ${reason}`,
    text,
  );
}

function stale(draft: Draft, slot: number, report: AttemptReport): void {
  const { name } = draft.agent(slot);
  const what = report.task === null ? "attempt" : `attempt at task ${report.task}`;
  const { name: stage } = draft.planned(report.stage);
  draft.notice(`ignored ${name}'s report of ${what} ${report.attempt} of ${stage}: it is not in force`, name);
}
