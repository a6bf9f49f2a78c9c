/** Releases a barrier: leaves the late behind, judges the group's result, writes it down and shows its outputs. */
import type { Comparison, PlanStage } from "../../plan/plan.ts";
import { type Draft, remarksText } from "../draft.ts";
import { failRun, isFailing, STOP_WAIT_MS } from "../group/abort.ts";
import type { StageRun } from "../state.ts";
import type { Metric } from "../types.ts";
import { consequenceOf, ruleText } from "./barriers.ts";
import { judgeCount } from "./completion.ts";
import { applyFailurePolicy, exclude } from "./failure-policy.ts";
import { outcome, recordRemaining } from "./record-result.ts";
import { isPoolOver, withdrawLeases } from "./tasks.ts";
import { overThresholds } from "./thresholds.ts";

/** Lets the group go on from its open stages. A result that is not good enough fails the run. */
export function release(draft: Draft): void {
  leaveBehind(draft);
  if (draft.head.stopping === null) closeSegment(draft);
}

/** Closes what is open with what is known of it. */
export function closeSegment(draft: Draft): void {
  const { segment } = draft.head;
  if (segment === null) return;
  const failed: { readonly stage: number; readonly reason: string }[] = [];
  for (let stage = segment.first; stage <= segment.last; stage++) {
    if (draft.stage(stage).phase !== "open") continue;
    const reason = closeStage(draft, stage);
    if (reason !== null) failed.push({ stage, reason });
  }
  draft.head.segment = null;
  const [first] = failed;
  if (first !== undefined && !isFailing(draft)) {
    failRun(draft, { kind: "failed", ...first, reason: `${draft.planned(first.stage).name}: ${first.reason}` });
  }
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
      const until = now + STOP_WAIT_MS;
      draft.editAssignment(slot, { dismissed: { why: `${name} ${why}`, until } });
      draft.wake(until);
    }
    applyFailurePolicy(draft, slot, "late", why, assignment.stage);
  }
}

/** @returns why the run cannot go on; null: it can. */
function closeStage(draft: Draft, stage: number): string | null {
  const planned = draft.planned(stage);
  const { failure } = draft.head;
  const run = draft.stage(stage);
  const aborted = failure !== null && !run.cleanupMode;
  const failures = aborted ? [] : groupFailures(planned, run);
  const isOrigin = failure?.kind === "failed" && failure.stage === stage;
  const hasFailures = run.failures.count > 0;
  const bad = failures.length > 0 || (hasFailures && run.cleanupMode);
  let status: StageRun["status"] = "success";
  if (isOrigin) status = "failure";
  else if (aborted) status = "cancelled";
  else if (bad) status = planned.optional ? "warning" : "failure";
  else if (hasFailures || run.warnings.count > 0 || run.arrived < run.workers) status = "warning";
  const reasons = [
    ...(isOrigin ? [withoutStage(failure.reason, planned.name)] : []),
    ...(status === "cancelled" ? [failure?.reason ?? "cancelled"] : []),
    ...failures,
    ...(hasFailures && !isOrigin ? [remarksText(run.failures)] : []),
    ...(run.warnings.count > 0 ? [remarksText(run.warnings)] : []),
    ...(status === "warning" && !hasFailures && run.arrived < run.workers
      ? [`${run.arrived} of ${run.workers} agents came through it (${ruleText(planned.barrier.rule)})`]
      : []),
  ];
  const worked = (status === "success" || status === "warning") && !bad && !(planned.optional && hasFailures);
  draft.editStage(stage, {
    phase: "closed",
    status,
    worked,
    reason: reasons.length === 0 ? null : reasons.join("; "),
    closedAt: draft.now,
  });
  publish(draft, planned, run);
  return bad && !planned.optional ? failures.join("; ") : null;
}

/** A run's reason names its stage first; in the stage's own record that would be said twice. */
function withoutStage(reason: string, stage: string): string {
  return reason.startsWith(`${stage}: `) ? reason.slice(stage.length + 2) : reason;
}

/** What the stage as a whole did not reach, although its agents came through. */
function groupFailures(planned: PlanStage, run: StageRun): readonly string[] {
  const failures: string[] = [];
  const { pool } = run;
  const stoppedWell = run.stopping?.well === true;
  const counted = judgeCount(planned, { objects: run.done, tasks: pool?.done ?? run.done });
  if (!counted.ok) failures.push(counted.reason);
  const over = overThresholds(planned.thresholds, run);
  if (over !== null) failures.push(over);
  if (pool !== null) {
    if (pool.error !== null) failures.push(pool.error);
    if (pool.failed > 0) {
      const more = pool.failed - pool.examples.length;
      failures.push(
        `${pool.failed} of ${tasksOf(run)} tasks failed: ${pool.examples.join(", ")}${more > 0 ? `, and ${more} more` : ""}` +
          (pool.skipped > 0 ? `; ${pool.skipped} that need them were skipped` : ""),
      );
    } else if (pool.skipped > 0) failures.push(`${pool.skipped} tasks were skipped: what they need was not done`);
    const left = pool.open + (pool.error === null ? 0 : pool.unfinished);
    if (stoppedWell ? pool.error !== null && left > 0 : !isPoolOver(pool)) {
      failures.push(`${left} of ${tasksOf(run)} tasks were not done`);
    }
  }
  for (const { metric, comparison, value, met, got } of expectations(planned, run.metrics)) {
    if (!met) failures.push(`expected ${metric} ${comparison} ${value}, got ${got ?? "nothing of that name"}`);
  }
  return failures;
}

export function tasksOf({ pool }: StageRun): number {
  return pool === null ? 0 : pool.open + pool.done + pool.failed + pool.skipped + pool.unfinished;
}

export interface Expected {
  readonly metric: string;
  readonly comparison: Comparison;
  readonly value: number;
  readonly got: number | null;
  readonly met: boolean;
}

/** A stage's `expect`, held against the metrics of the whole group. */
export function expectations(planned: Pick<PlanStage, "expect">, metrics: readonly Metric[]): readonly Expected[] {
  return planned.expect.map(({ metric, comparison, value }) => {
    const got = metrics.find(({ name }) => name === metric)?.value ?? null;
    return { metric, comparison, value, got, met: got !== null && holds(got, comparison, value) };
  });
}

function holds(got: number, comparison: Comparison, value: number): boolean {
  switch (comparison) {
    case ">":
      return got > value;
    case ">=":
      return got >= value;
    case "<":
      return got < value;
    case "<=":
      return got <= value;
    case "==":
      return got === value;
    case "!=":
      return got !== value;
    default:
      return comparison satisfies never;
  }
}

function publish(draft: Draft, planned: PlanStage, run: StageRun): void {
  if (run.outputs.length === 0) return;
  const own = Object.fromEntries(run.outputs.map(({ key, value }) => [key, value]));
  draft.head.outputs = { ...draft.head.outputs, [planned.name]: own };
}
