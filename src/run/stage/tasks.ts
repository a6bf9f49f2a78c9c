/**
 * Tasks: one queue for the group, from which whoever is free takes. A lease is one attempt at a task by one agent; its
 * id is the fencing token, and only the lease in force is believed. What the work does wrong spends `max_failures`,
 * what is lost with an agent spends `max_preemptions`.
 */
import { jsonBytes, PLAN_BOUNDS, RUN_BOUNDS } from "../../plan/bounds.ts";
import type { Json, PlanStage, Tasks } from "../../plan/plan.ts";
import { taskKey } from "../../plan/stages/tasks.ts";
import type { Draft } from "../draft.ts";
import { directoryOf, entered, lookUp, persistentArray } from "../persistent-array.ts";
import type { TaskPool, TaskRecord } from "../state.ts";
import type { AttemptReport } from "../types.ts";
import { leaseId } from "./attempt-id.ts";
import { judgeAttempt } from "./completion.ts";
import { contribute } from "./record-result.ts";

const MOST_TASKS = PLAN_BOUNDS.tasks;
/** Of the failed ones so many are named. */
const EXAMPLES = 5;

/** The tasks that are known when their stage begins. */
export function poolOf(tasks: Tasks, generator: number | null): TaskPool {
  const values: readonly Json[] =
    tasks.source.kind === "list"
      ? tasks.source.values
      : tasks.source.kind === "count"
        ? Array.from({ length: tasks.source.count }, (_, index) => index)
        : [];
  const records = values.map((value, index) => newTask(taskKey(value, index), value, tasks));
  const ready = records.flatMap((record, number) => (record.missing === 0 ? [number] : []));
  return {
    records: persistentArray(records),
    keys: directoryOf(records.map(({ key }) => key)),
    queue: persistentArray(ready),
    queueHead: 0,
    hungry: [],
    hungryHead: 0,
    open: records.length,
    done: 0,
    failed: 0,
    skipped: 0,
    unfinished: 0,
    generator: tasks.source.kind === "from" ? generator : null,
    counted: records.length,
    examples: [],
  };
}

export function isPoolOver(pool: TaskPool): boolean {
  return pool.generator === null && pool.open === 0;
}

/** Adds tasks that a command printed; one whose key is known already is the same task. */
export function addTasks(draft: Draft, stage: number, values: readonly Json[]): void {
  const tasks = tasksOf(draft, stage);
  for (const value of values) {
    const pool = poolAt(draft, stage);
    const lists = draft.pool(stage);
    const key = taskKey(value, pool.counted);
    draft.editPool(stage, { counted: pool.counted + 1 });
    if (lookUp(pool.keys, key) !== undefined) continue;
    if (lists.records.size >= MOST_TASKS) {
      if (draft.stage(stage).error === null) {
        draft.notice(`${draft.planned(stage).name} has ${MOST_TASKS} tasks: further ones are left out`);
      }
      draft.editStage(stage, { error: `more than ${MOST_TASKS} tasks` });
      return;
    }
    const needed = needsOf(tasks, key).map((other) => statusOf(draft, stage, other));
    const missing = needed.filter((status) => status !== "done").length;
    const number = lists.records.push({
      ...newTask(key, value, tasks),
      missing,
      status: missing > 0 ? "waiting" : "ready",
    });
    draft.editPool(stage, { keys: entered(pool.keys, key, number), open: pool.open + 1 });
    if (needed.some((status) => status === "failed" || status === "skipped")) {
      endTask(draft, stage, number, "skipped", "a task that it needs was not done");
    } else if (missing === 0) lists.queue.push(number);
  }
}

/** The list begins anew: tasks without a key of their own are counted from its beginning, and so are the same tasks. */
export function beginListing(draft: Draft, stage: number, generator: number): void {
  draft.editPool(stage, { generator, counted: 0 });
}

/** No more tasks will be listed: what waits for one that never came is skipped. */
export function endListing(draft: Draft, stage: number, error: string | null): void {
  draft.editPool(stage, { generator: null });
  if (error !== null) draft.editStage(stage, { error });
  const tasks = tasksOf(draft, stage);
  const { records } = draft.pool(stage);
  for (let number = 0; number < records.size; number++) {
    const record = records.at(number);
    if (record?.status !== "waiting") continue;
    const absent = needsOf(tasks, record.key).find((key) => lookUp(poolAt(draft, stage).keys, key) === undefined);
    if (absent !== undefined) endTask(draft, stage, number, "skipped", `needs "${absent}", which was never listed`);
  }
}

/** Notes how many tasks an agent could take beyond those it holds. */
export function wantTasks(draft: Draft, slot: number, stage: number, wants: number): void {
  const { assignment } = draft.agent(slot);
  if (assignment === null || assignment.stage !== stage || assignment.finished || draft.stage(stage).stopping !== null)
    return;
  // One that was told to wait cannot know how many it could take: what it said before holds.
  const said = wants === 0 && assignment.leases.length === 0 ? assignment.wants : wants;
  const room = Math.max(0, Math.min(said, tasksOf(draft, stage).concurrency - assignment.leases.length));
  if (room !== assignment.wants) draft.editAssignment(slot, { wants: room });
  if (room > 0 && !assignment.queued) {
    draft.editAssignment(slot, { queued: true });
    draft.pool(stage).hungry.push(slot);
  }
}

/** Leases ready tasks to those who want them, in the order in which they asked. */
export function shareOut(draft: Draft, stage: number): void {
  const { concurrency } = tasksOf(draft, stage);
  let { queueHead, hungryHead } = poolAt(draft, stage);
  const before = { queueHead, hungryHead };
  const { records, queue, hungry } = draft.pool(stage);
  while (queueHead < queue.size && hungryHead < hungry.size) {
    const slot = hungry.at(hungryHead++) ?? 0;
    const { assignment } = draft.agent(slot);
    if (assignment === null || assignment.stage !== stage || assignment.finished || !assignment.queued) continue;
    const leases = [...assignment.leases];
    let wants = assignment.wants;
    let isFull = false;
    let bytes = concurrency > FEW ? leases.reduce((sum, held) => sum + leaseBytes(records.at(held)), 0) : 0;
    while (wants > 0 && leases.length < concurrency && queueHead < queue.size) {
      const number = queue.at(queueHead) ?? 0;
      const record = records.at(number);
      if (concurrency > FEW && record?.status === "ready") {
        bytes += leaseBytes(record);
        // Told in one answer: it gets the rest when it has done some of them.
        isFull = leases.length > 0 && bytes > RUN_BOUNDS.leaseBytes;
        if (isFull) break;
      }
      queueHead++;
      if (record?.status !== "ready") continue;
      const attempts = record.attempts + 1;
      const attempt = leaseId(draft.head, draft.stage(stage), number, attempts);
      records.set(number, { ...record, status: "leased", holder: slot, attempt, attempts });
      leases.push(number);
      wants--;
    }
    const again = wants > 0 && leases.length < concurrency && !isFull;
    if (again) hungry.push(slot);
    draft.editAssignment(slot, { leases, wants, queued: again });
  }
  if (queueHead !== before.queueHead || hungryHead !== before.hungryHead) {
    draft.editPool(stage, { queueHead, hungryHead });
  }
}

/** So many tasks, however large, are within what may be leased to one agent. */
const FEW = Math.floor(RUN_BOUNDS.leaseBytes / (2 * PLAN_BOUNDS.taskBytes));

/** Of what an agent is told of a task: its value, its key and some words around them. */
function leaseBytes(record: TaskRecord | undefined): number {
  return record === undefined ? 0 : jsonBytes(record.value) + jsonBytes(record.key) + 100;
}

/** Takes an agent's leases back: its work was lost, and will be done again. */
export function withdrawLeases(draft: Draft, slot: number): void {
  const { name, assignment } = draft.agent(slot);
  if (assignment === null || assignment.leases.length === 0) return;
  draft.editAssignment(slot, { leases: [] });
  for (const number of assignment.leases) preemptTask(draft, assignment.stage, number, name);
}

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
  const judged = judgeAttempt(planned, end, report.progress);
  // Whatever became of the task: its errors happened.
  const errors = report.progress?.errors ?? 0;
  if (errors > 0) draft.editStage(stage, { errors: draft.stage(stage).errors + errors });
  const times = { startedAt: report.startedAt, endedAt: report.endedAt };
  if (judged.ok && end.kind === "time_over") {
    endTask(draft, stage, number, "unfinished", judged.reason, times);
  } else if (judged.ok) {
    contribute(draft, stage, number, agent, report);
    const done = draft.stage(stage).done + (report.progress?.done ?? 0);
    draft.editStage(stage, { done });
    endTask(draft, stage, number, "done", null, times);
  } else {
    failTask(draft, planned, number, record, judged.reason, agent);
  }
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
  if (failures > tasksOf(draft, stage).maxFailures) endTask(draft, stage, number, "failed", reason);
  else {
    draft.editStage(stage, { retryCount: draft.stage(stage).retryCount + 1 });
    draft.notice(`task ${record.key} of ${planned.name} failed on ${agent} (${reason}) and will be tried again`, agent);
    requeue(draft, stage, number);
  }
}

function preemptTask(draft: Draft, stage: number, number: number, agent: string): void {
  const { records } = draft.pool(stage);
  const record = records.at(number);
  if (record?.status !== "leased") return;
  const preemptions = record.preemptions + 1;
  records.set(number, { ...record, preemptions });
  if (draft.stage(stage).stopping !== null) endTask(draft, stage, number, "unfinished", "the stage was over");
  else if (preemptions > tasksOf(draft, stage).maxPreemptions) {
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
function endTask(
  draft: Draft,
  stage: number,
  number: number,
  status: Ended,
  reason: string | null,
  times: Pick<TaskRecord, "startedAt" | "endedAt"> = { startedAt: null, endedAt: draft.now },
): void {
  const tasks = tasksOf(draft, stage);
  const lists = draft.pool(stage);
  const todo = [{ number, status, reason, times }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const record = lists.records.at(next.number);
    if (record === undefined || isEnded(record)) continue;
    lists.records.set(next.number, { ...record, status: next.status, reason: next.reason, ...next.times });
    count(draft, stage, record, next.status, next.reason);
    for (const key of dependentsOf(tasks, record.key)) {
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
      ? [...pool.examples, `${record.key.slice(0, 100)} (${reason ?? "failed"})`]
      : pool.examples;
  draft.editPool(stage, { open: pool.open - 1, [status]: pool[status] + 1, examples });
}

function isEnded({ status }: TaskRecord): boolean {
  return status !== "waiting" && status !== "ready" && status !== "leased";
}

function newTask(key: string, value: Json, tasks: Tasks): TaskRecord {
  const missing = needsOf(tasks, key).length;
  return {
    key,
    value,
    status: missing === 0 ? "ready" : "waiting",
    holder: null,
    attempt: null,
    attempts: 0,
    failures: 0,
    preemptions: 0,
    missing,
    reason: null,
    startedAt: null,
    endedAt: null,
  };
}

function needsOf(tasks: Tasks, key: string): readonly string[] {
  return Object.hasOwn(tasks.needs, key) ? [...new Set(tasks.needs[key])] : [];
}

const dependents = new WeakMap<Tasks["needs"], ReadonlyMap<string, readonly string[]>>();

/** Keys of the tasks that need this one; the reverse of `needs`, made once for each plan. */
function dependentsOf({ needs }: Tasks, key: string): readonly string[] {
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

function statusOf(draft: Draft, stage: number, key: string): TaskRecord["status"] | null {
  const number = lookUp(poolAt(draft, stage).keys, key);
  return number === undefined ? null : (draft.pool(stage).records.at(number)?.status ?? null);
}

function poolAt(draft: Draft, stage: number): TaskPool {
  const { pool } = draft.stage(stage);
  if (pool === null) throw new Error(`stage ${stage} has no tasks`);
  return pool;
}

function tasksOf(draft: Draft, stage: number): Tasks {
  const { tasks } = draft.planned(stage);
  if (tasks === null) throw new Error(`stage ${stage} has no tasks`);
  return tasks;
}
