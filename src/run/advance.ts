/** Advances a run as far as it goes now: through assembly, barriers, stages and its end. Every wait's end is looked at here. */

import { awaitApproval, endReview, goesOnUnanswered, unanswered } from "./checkpoints/checkpoints.ts";
import { deadlineOver, isBoundByDeadline } from "./deadlines.ts";
import type { Draft } from "./draft.ts";
import { failRun, finishAborted, isFailing } from "./group/abort.ts";
import { assemble } from "./group/assembly.ts";
import { sweep } from "./group/liveness.ts";
import { finishAssignment } from "./stage/assignments.ts";
import { waitForEndings } from "./stage/background.ts";
import { type Ruling, rule, ruleText } from "./stage/barriers.ts";
import { outcome } from "./stage/record-result.ts";
import { closeSegment, release } from "./stage/result.ts";
import { bringBack, type Decision, decide, enter, skip } from "./stage/start.ts";
import { finishUnstopped, reasonToStop, stopStage } from "./stage/stopping.ts";
import type { RunState } from "./state.ts";
import { shareOut } from "./tasks/leases.ts";
import { beginListing } from "./tasks/listing.ts";
import { isPoolOver } from "./tasks/pool.ts";

/** Applies everything that follows from what is known, until nothing more does. */
export function advance(draft: Draft): void {
  // Each step changes something that makes the next one another one; a circle would be a fault of this program.
  for (let steps = 0; step(draft); steps++) {
    if (steps > 20 * draft.plan.stages.length + MOST_STEPS) throw new Error("the run goes round in a circle");
  }
}

const MOST_STEPS = 1_000;

function step(draft: Draft): boolean {
  const { head, now } = draft;
  if (head.status === "succeeded" || head.status === "failed" || head.status === "cancelled") return false;
  if (head.sweepAt !== null && now >= head.sweepAt) sweep(draft);
  if (failAtDeadline(draft)) return true;
  if (head.status === "assembling") return assemble(draft);
  if (head.stopping !== null) return stepStopping(draft, head.stopping.until);
  return head.segment === null ? next(draft) : stepSegment(draft, head.segment);
}

/** Fails a run whose work is not done by its plan's deadline. Cleanup that is under way by then goes on. */
function failAtDeadline(draft: Draft): boolean {
  const { head, now } = draft;
  const { deadlineAt, segment, checkpoint } = head;
  if (deadlineAt === null || now < deadlineAt) return false;
  const over = deadlineOver(draft);
  if (head.status === "assembling") {
    failRun(draft, { kind: "failed", stage: null, reason: `${over}, and the group is not complete` });
    return true;
  }
  if (checkpoint !== null) {
    const isBound = isBoundByDeadline(head, checkpoint.stage);
    // What was looked at is done: whether there is time for more is seen where more begins.
    if (isBound && checkpoint.after !== undefined) endReview(draft);
    else if (isBound) leaveOut(draft, checkpoint.stage, { kind: "late", reason: over });
    return isBound;
  }
  for (let stage = segment?.first ?? 0; stage <= (segment?.last ?? -1); stage++) {
    if (!isBoundByDeadline(head, stage) || draft.stage(stage).phase === "closed") continue;
    failRun(draft, { kind: "failed", stage, reason: `${draft.planned(stage).name}: ${over}` });
    return true;
  }
  return false;
}

/** While aborting: everyone ends what runs, then cleanup begins. */
function stepStopping(draft: Draft, until: number): boolean {
  const { head, now } = draft;
  if (now < until && (pendingOf(draft) > 0 || head.backgrounds > 0)) return false;
  finishAborted(draft);
  closeSegment(draft);
  head.stopping = null;
  head.revision++;
  return true;
}

/** Decides on the next stage, or ends the run. */
function next(draft: Draft): boolean {
  const { head } = draft;
  const index = head.position;
  bringBack(draft);
  if (head.living === 0 && index < draft.plan.stages.length && !isFailing(draft)) {
    failRun(draft, { kind: "failed", stage: null, reason: `no agent is left: ${gone(draft)}` });
    return true;
  }
  if (head.checkpoint !== null) {
    const over = unanswered(draft);
    if (over !== null) {
      endUnanswered(draft, head.checkpoint, over);
      return true;
    }
    if (head.checkpoint.after !== undefined) return false;
  }
  if (index >= draft.plan.stages.length) {
    if (waitForEndings(draft)) return true;
    endRun(draft);
    return true;
  }
  // It was left out, or needs no new round: the group has gone back to one before it.
  if (draft.stage(index).phase === "closed") {
    head.position++;
    return true;
  }
  const decision = decide(draft, index);
  if (decision.kind !== "checkpoint" && head.checkpoint !== null) head.checkpoint = null;
  switch (decision.kind) {
    case "skip":
      skip(draft, index, decision.reason);
      return true;
    case "unmet":
    case "nobody":
    case "late":
      leaveOut(draft, index, decision);
      return true;
    case "checkpoint":
      return awaitApproval(draft, index);
    case "enter":
      enter(draft, index);
      return true;
    default:
      return decision satisfies never;
  }
}

/** Nobody has answered in time. */
function endUnanswered(draft: Draft, { stage, after }: NonNullable<RunState["checkpoint"]>, reason: string): void {
  if (after === undefined && goesOnUnanswered(draft, stage, reason)) return;
  if (after === undefined) leaveOut(draft, stage, { kind: "late", reason });
  else endReview(draft, { kind: "failed", stage, reason: `${draft.planned(stage).name}: ${reason}` });
}

/** Why the first few are not there any more. */
function gone(draft: Draft): string {
  const texts = [...draft.agents].slice(0, 5).map(({ name, why }) => `${name} ${why ?? "is gone"}`);
  return texts.join("; ") + (draft.agents.size > texts.length ? "; …" : "");
}

type LeftOut = Extract<Decision, { kind: "unmet" | "nobody" | "late" }>;

/** The stage that comes next cannot be run: unless it is optional, or the deadline is over, the run fails at it. */
function leaveOut(draft: Draft, index: number, { kind, reason }: LeftOut): void {
  const planned = draft.planned(index);
  skip(draft, index, reason);
  if ((kind === "late" || !planned.optional) && !isFailing(draft)) {
    draft.editStage(index, { status: "failure" });
    failRun(draft, { kind: "failed", stage: index, reason: `${planned.name}: ${reason}` });
  }
}

function endRun(draft: Draft): void {
  const { failure } = draft.head;
  if (failure === null) draft.setRunStatus("succeeded");
  else draft.setRunStatus(failure.kind);
  draft.head.endedAt = draft.now;
  draft.head.sweepAt = null;
}

function stepSegment(draft: Draft, segment: { readonly first: number; readonly last: number }): boolean {
  for (let stage = segment.first; stage <= segment.last; stage++) {
    if (draft.stage(stage).phase === "open" && stepStage(draft, stage)) return true;
  }
  if (draft.head.withheld != null) {
    if (pendingOf(draft) > 0) return false;
    closeSegment(draft);
    return true;
  }
  const ruling = rulingOf(draft, segment);
  switch (ruling.kind) {
    case "wait":
      return false;
    case "release":
      release(draft);
      return true;
    case "abort":
      failRun(draft, { kind: "failed", stage: segment.last, reason: abortReason(draft, segment, ruling.why) });
      return true;
    default:
      return ruling satisfies never;
  }
}

function stepStage(draft: Draft, stage: number): boolean {
  const run = draft.stage(stage);
  if (run.stopping !== null) {
    if (draft.now >= run.stopping.until && run.pending > 0) finishUnstopped(draft, stage);
    return false;
  }
  const reason = reasonToStop(draft, stage);
  if (reason !== null) {
    stopStage(draft, stage, reason);
    return true;
  }
  if (run.pool === null || run.pending === 0) return false;
  const { generator } = run.pool;
  if (generator !== null && draft.agent(generator).assignment?.finished !== false) return listElsewhere(draft, stage);
  if (isPoolOver(run.pool)) {
    finishAll(draft, stage);
    return true;
  }
  shareOut(draft, stage);
  return false;
}

/** The agent that listed the tasks is gone: the next one lists them again; those known already are the same tasks. */
function listElsewhere(draft: Draft, stage: number): boolean {
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { name, assignment } = draft.agent(slot);
    if (assignment?.stage !== stage || assignment.finished) continue;
    beginListing(draft, stage, slot);
    draft.notice(`${name} lists the tasks of ${draft.planned(stage).name} now`, name);
    return true;
  }
  return false;
}

/** All tasks have ended: so has everyone's part. Whether they went well is the group's result. */
function finishAll(draft: Draft, stage: number): void {
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment !== null && assignment.stage === stage && !assignment.finished)
      finishAssignment(draft, slot, outcome(draft, "success", null));
  }
}

function pendingOf(draft: Draft): number {
  const { segment } = draft.head;
  let pending = 0;
  if (segment !== null)
    for (let stage = segment.first; stage <= segment.last; stage++) pending += draft.stage(stage).pending;
  return pending;
}

function rulingOf(draft: Draft, segment: { readonly last: number }): Ruling {
  const run = draft.stage(segment.last);
  const { electorate, arrived, firstArrivalAt, metAt, cleanupMode } = run;
  const tally = { electorate, arrived, firstArrivalAt, metAt, pending: pendingOf(draft) };
  return rule(draft.planned(segment.last).barrier, tally, draft.now, cleanupMode);
}

function abortReason(draft: Draft, segment: { readonly last: number }, why: "late" | "out_of_reach"): string {
  const { name, barrier } = draft.planned(segment.last);
  const { arrived, electorate, failures } = draft.stage(segment.last);
  const policy = ruleText(barrier.rule);
  const missing = missingNames(draft, segment.last);
  const who = missing.length === 0 ? "" : `, missing: ${missing.join(", ")}`;
  if (why === "late") {
    const ms = barrier.timeoutMs ?? 0;
    return `${name}: barrier ${policy} not met within ${ms / 1000} s of the first arrival: ${arrived} of ${electorate} arrived${who}`;
  }
  const because = failures.count > 0 ? ` (${failures.texts.slice(0, 3).join("; ")})` : "";
  return `${name}: barrier ${policy} is out of reach: ${arrived} of ${electorate} arrived${who}${because}`;
}

/** Those of a stage's electorate that did not arrive; the first ten. */
function missingNames(draft: Draft, stage: number): readonly string[] {
  const names: string[] = [];
  const results = draft.results(stage);
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { name, assignment } = draft.agent(slot);
    const pending = assignment !== null && assignment.stage === stage && !assignment.finished;
    const failed = results.at(slot) != null && results.at(slot)?.status !== "success";
    if (!pending && !failed) continue;
    if (names.length === 10) return [...names, "…"];
    names.push(name);
  }
  return names;
}
