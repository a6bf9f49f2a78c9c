/**
 * Tasks: one queue for the group, from which whoever is free takes. A lease is one attempt at a task by one agent; its
 * id is the fencing token, and only the lease in force is believed. What the work does wrong spends `max_failures`,
 * what is lost with an agent spends `max_preemptions`.
 */
import type { Json, Tasks } from "../../plan/plan.ts";
import { taskKey } from "../../plan/stages/tasks.ts";
import type { Draft } from "../draft.ts";
import { directoryOf, persistentArray } from "../persistent-array.ts";
import type { TaskPool, TaskRecord } from "../state.ts";

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

export function newTask(key: string, value: Json, tasks: Tasks): TaskRecord {
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

export function needsOf(tasks: Tasks, key: string): readonly string[] {
  return Object.hasOwn(tasks.needs, key) ? [...new Set(tasks.needs[key])] : [];
}

export function poolAt(draft: Draft, stage: number): TaskPool {
  const { pool } = draft.stage(stage);
  if (pool === null) throw new Error(`stage ${stage} has no tasks`);
  return pool;
}

export function plannedTasks(draft: Draft, stage: number): Tasks {
  const { tasks } = draft.planned(stage);
  if (tasks === null) throw new Error(`stage ${stage} has no tasks`);
  return tasks;
}
