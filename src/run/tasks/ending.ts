/** How tasks end: by a report of the lease in force, by being lost too often, or with what they need. */
import type { PlanStage, Tasks } from "../../plan/plan.ts";
import type { Draft } from "../draft.ts";
import { lookUp } from "../persistent-array.ts";
import { type Judgement, judgeAttempt } from "../stage/completion.ts";
import { contribute, keptOutputs } from "../stage/record-result.ts";
import type { TaskRecord } from "../state.ts";
import type { AttemptReport } from "../types.ts";
import { needsIn, plannedTasks, poolAt } from "./pool.ts";

/** Of the failed ones so many are named. */
const EXAMPLES = 5;

export type TaskReportFate = "accepted" | "repeated" | "stale";

/** Judges what an agent reports of a task. Only the lease in force is believed. */
export function finishTask(draft: Draft, slot: number, report: AttemptReport, key: string): TaskReportFate {
  const run = draft.stage(report.stage);
  const number = run.pool === null ? undefined : lookUp(run.pool.keys, key);
  if (number === undefined) return "stale";
  const record = draft.pool(report.stage).records.at(number);
  if (record === undefined || record.attempt !== report.attempt || record.holder !== slot) return "stale";
  if (record.status !== "leased") return "repeated";
  const { name, assignment } = draft.agent(slot);
  if (assignment !== null && assignment.stage === report.stage) {
    const startedAt = assignment.startedAt ?? Math.min(draft.now, Math.max(assignment.startAt, report.startedAt));
    draft.editAssignment(slot, { leases: assignment.leases.filter((lease) => lease !== number), startedAt });
  }
  finishLease(draft, number, record, name, report);
  return "accepted";
}

function finishLease(draft: Draft, number: number, record: TaskRecord, agent: string, report: AttemptReport): void {
  const { stage, end } = report;
  const planned = draft.planned(stage);
  if (end.kind === "reset" || end.kind === "stopped") {
    if (draft.stage(stage).stopping !== null) endTask(draft, stage, number, "unfinished", "the stage was over");
    else preemptTask(draft, stage, number, agent);
    return;
  }
  const judged =
    planned.quorum === undefined
      ? judgeAttempt(planned, end, report.progress)
      : judgeBallot(planned, record.key, report);
  const ballot = report.ballot === undefined || "unreadable" in report.ballot ? {} : { ballot: report.ballot };
  const told = { ...record, end, ...(judged.ok ? ballot : {}) };
  draft.pool(stage).records.set(number, told);
  // Whatever became of the task: its errors happened.
  countErrors(draft, planned, judged.ok, report.progress?.errors ?? 0);
  const times = { startedAt: report.startedAt, endedAt: report.endedAt };
  if (judged.ok && end.kind === "time_over") {
    endTask(draft, stage, number, "unfinished", judged.reason, times);
  } else if (judged.ok) {
    contribute(draft, stage, number, agent, report);
    const outputs = keptOutputs(draft, stage, record.key, report.outputs);
    if (Object.keys(outputs).length > 0) draft.pool(stage).records.set(number, { ...told, outputs });
    const done = draft.stage(stage).done + (report.progress?.done ?? 0);
    draft.editStage(stage, { done });
    if (judged.warning !== undefined) draft.remark(stage, "warnings", `${record.key} on ${agent}: ${judged.warning}`);
    endTask(draft, stage, number, "done", null, times);
  } else {
    failTask(draft, planned, number, told, judged.reason, agent);
  }
}

/** What a task told of, and itself where it failed: that is an error, too, though its command may not have said so. */
function countErrors(draft: Draft, { index, quorum }: PlanStage, isOk: boolean, told: number): void {
  const { errors, failedInARow = 0 } = draft.stage(index);
  const counted = isOk || quorum !== undefined ? told : Math.max(1, told);
  draft.editStage(index, { errors: errors + counted, failedInARow: isOk ? 0 : failedInARow + 1 });
}

/** Whether a validator came through and said how it votes. */
function judgeBallot(planned: PlanStage, name: string, { end, progress, ballot }: AttemptReport): Judgement {
  const validator = planned.quorum?.validators.find((one) => one.name === name);
  const retry = { ...planned.retry, attemptTimeoutMs: validator?.timeoutMs ?? null };
  const judged = judgeAttempt({ ...planned, retry }, end, progress);
  if (!judged.ok || (ballot !== undefined && !("unreadable" in ballot))) return judged;
  return { ok: false, reason: ballot?.unreadable ?? "told no verdict" };
}

function failTask(
  draft: Draft,
  planned: PlanStage,
  number: number,
  record: TaskRecord,
  reason: string,
  agent: string,
): void {
  const failures = record.failures + 1;
  const stage = planned.index;
  draft.pool(stage).records.set(number, { ...record, failures });
  if (failures > plannedTasks(draft, stage).maxFailures) endTask(draft, stage, number, "failed", reason);
  else {
    draft.editStage(stage, { retryCount: draft.stage(stage).retryCount + 1 });
    draft.notice(`task ${record.key} of ${planned.name} failed on ${agent} (${reason}) and will be tried again`, agent);
    requeue(draft, stage, number);
  }
}

export function preemptTask(draft: Draft, stage: number, number: number, agent: string): void {
  const { records } = draft.pool(stage);
  const record = records.at(number);
  if (record?.status !== "leased") return;
  const preemptions = record.preemptions + 1;
  records.set(number, { ...record, preemptions });
  if (draft.stage(stage).stopping !== null) endTask(draft, stage, number, "unfinished", "the stage was over");
  else if (preemptions > plannedTasks(draft, stage).maxPreemptions) {
    endTask(draft, stage, number, "failed", `lost ${preemptions} times with its agent, last with ${agent}`);
  } else requeue(draft, stage, number);
}

function requeue(draft: Draft, stage: number, number: number): void {
  const { records, queue } = draft.pool(stage);
  const record = records.at(number);
  if (record === undefined) return;
  records.set(number, { ...record, status: "ready" });
  queue.push(number);
}

type Ended = "done" | "failed" | "skipped" | "unfinished";

/** Ends a task for good, and what follows from it: those that need it become ready, or are skipped. */
export function endTask(
  draft: Draft,
  stage: number,
  number: number,
  status: Ended,
  reason: string | null,
  times: Pick<TaskRecord, "startedAt" | "endedAt"> = { startedAt: null, endedAt: draft.now },
): void {
  const needs = needsIn(draft, stage);
  const lists = draft.pool(stage);
  const todo = [{ number, status, reason, times }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const record = lists.records.at(next.number);
    if (record === undefined || isEnded(record)) continue;
    lists.records.set(next.number, { ...record, status: next.status, reason: next.reason, ...next.times });
    count(draft, stage, record, next.status, next.reason);
    for (const key of dependentsOf(needs, record.key)) {
      const other = lookUp(poolAt(draft, stage).keys, key);
      const dependent = other === undefined ? undefined : lists.records.at(other);
      if (other === undefined || dependent?.status !== "waiting") continue;
      if (next.status === "done") {
        const missing = dependent.missing - 1;
        lists.records.set(other, { ...dependent, missing, status: missing === 0 ? "ready" : "waiting" });
        if (missing === 0) lists.queue.push(other);
      } else {
        const why = `needs "${record.key}", which was ${next.status === "unfinished" ? "not finished" : next.status}`;
        const then: Ended = next.status === "unfinished" ? "unfinished" : "skipped";
        todo.push({ number: other, status: then, reason: why, times: { startedAt: null, endedAt: draft.now } });
      }
    }
  }
}

function count(draft: Draft, stage: number, record: TaskRecord, status: Ended, reason: string | null): void {
  const pool = poolAt(draft, stage);
  const examples =
    status === "failed" && pool.examples.length < EXAMPLES
      ? [...pool.examples, `${record.key.slice(0, 100)} (${reason})`]
      : pool.examples;
  draft.editPool(stage, { open: pool.open - 1, [status]: pool[status] + 1, examples });
}

function isEnded({ status }: TaskRecord): boolean {
  return status !== "waiting" && status !== "ready" && status !== "leased";
}

const dependents = new WeakMap<Tasks["needs"], ReadonlyMap<string, readonly string[]>>();

/** Keys of the tasks that need this one; the reverse of `needs`, made once for each mapping. */
function dependentsOf(needs: Tasks["needs"], key: string): readonly string[] {
  let reverse = dependents.get(needs);
  if (reverse === undefined) {
    const made = new Map<string, string[]>();
    for (const [task, needed] of Object.entries(needs)) {
      for (const other of new Set(needed)) made.set(other, [...(made.get(other) ?? []), task]);
    }
    reverse = made;
    dependents.set(needs, made);
  }
  return reverse.get(key) ?? [];
}
