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
import type { Generated } from "./generated.ts";

/** The tasks that are known when their stage begins. */
export function poolOf(tasks: Tasks, generator: number | null, generated: Generated | null = null): TaskPool {
  const needs = generated?.needs ?? tasks.needs;
  const values: readonly Json[] =
    generated !== null
      ? generated.values
      : tasks.source.kind === "list"
        ? tasks.source.values
        : tasks.source.kind === "count"
          ? Array.from({ length: tasks.source.count }, (_, index) => index)
          : [];
  const records = values.map((value, index) => newTask(taskKey(value, index), value, needs));
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
    ...(generated === null ? {} : { needs }),
  };
}

export function isPoolOver(pool: TaskPool): boolean {
  return pool.generator === null && pool.open === 0;
}

export function newTask(key: string, value: Json, needs: Tasks["needs"]): TaskRecord {
  const missing = needsOf(needs, key).length;
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

export function needsOf(needs: Tasks["needs"], key: string): readonly string[] {
  return Object.hasOwn(needs, key) ? [...new Set(needs[key])] : [];
}

/** What the tasks of an open stage need of one another. */
export function needsIn(draft: Draft, stage: number): Tasks["needs"] {
  return poolAt(draft, stage).needs ?? plannedTasks(draft, stage).needs;
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
