/** Tasks: where they come from, what they may cost, and that what they need of one another can be had. */

import { PLAN_BOUNDS } from "../bounds.ts";
import { isMapping, type Keys, type Place } from "../parsing/key-parser.ts";
import { quote } from "../parsing/problems.ts";
import type { Json, Scalar, TaskSource, Tasks } from "../plan.ts";
import type { tasksShape } from "../schema.ts";

type Options = Pick<Keys<typeof tasksShape>, "concurrency" | "max_failures" | "max_preemptions" | "needs">;
const OPTIONS = ["concurrency", "max_failures", "max_preemptions", "needs"] as const;
const MAX_PREEMPTIONS = 100;

/**
 * The tasks of a stage, or null without `tasks`. Options stand beside `tasks` or in it, not in both. `place` is that
 * of the stage.
 */
export function tasksOf(
  said: readonly Json[] | Keys<typeof tasksShape> | undefined,
  beside: Options,
  wasSaid: boolean,
  place: Place,
  resolve: (stage: string) => string = (stage) => stage,
): Tasks | null {
  const { source, problems, path } = place;
  const inside: Keys<typeof tasksShape> | undefined = isList(said) ? { values: [...said] } : said;
  for (const key of OPTIONS) {
    if (beside[key] !== undefined && !wasSaid) {
      problems.error(source.keyAt([...path, key]), `${key}: it says something of tasks, expected "tasks" beside it`);
    }
    if (beside[key] !== undefined && inside?.[key] !== undefined) {
      problems.error(source.keyAt([...path, key]), `${key}: it stands in tasks, too, expected it once`);
    }
  }
  if (inside === undefined) {
    return null;
  }
  const options: Options = { ...beside, ...inside };
  const from = sourceOf(inside, place, resolve);
  const valuesPath = isList(said) ? [...path, "tasks"] : [...path, "tasks", "values"];
  const needs = withNeedsOfValues(needsOf(options.needs ?? {}), from, (index, message) => {
    problems.error(source.at([...valuesPath, index]), `tasks: ${message}`);
  });
  const needsPath = beside.needs === undefined ? [...path, "tasks", "needs"] : [...path, "needs"];
  checkKeys(from, needs, { ...place, path: needsPath }, valuesPath);
  return {
    source: from,
    concurrency: options.concurrency ?? 1,
    maxFailures: options.max_failures ?? 0,
    maxPreemptions: options.max_preemptions ?? MAX_PREEMPTIONS,
    needs,
  };
}

function isList<T>(value: readonly T[] | object | undefined): value is readonly T[] {
  return Array.isArray(value);
}

function sourceOf(
  said: Keys<typeof tasksShape>,
  { source, problems, path }: Place,
  resolve: (stage: string) => string,
): TaskSource {
  const given = (["values", "count", "from", "from_stage"] as const).filter((key) => said[key] !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? "none of them" : given.join(" and ");
    problems.error(
      source.at([...path, "tasks"]),
      `tasks: expected one of values, count, from and from_stage, got ${got}`,
    );
  }
  if (said.from !== undefined) {
    return { kind: "from", command: said.from };
  }
  if (said.from_stage !== undefined) {
    return { kind: "stage", stage: resolve(said.from_stage) };
  }
  if (said.count !== undefined) {
    return { kind: "count", count: said.count };
  }
  return { kind: "list", values: said.values ?? [] };
}

function needsOf(said: Readonly<Record<string, readonly Scalar[]>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(said).map(([task, needed]) => [task, needed.map(String)]));
}

/** What is needed by what the plan says of keys, and by what a written value says of itself. */
function withNeedsOfValues(
  needs: Tasks["needs"],
  from: TaskSource,
  tell: (index: number, message: string) => void,
): Tasks["needs"] {
  if (from.kind !== "list") return needs;
  const all = new Map(Object.entries(needs));
  for (const [index, value] of from.values.entries()) {
    const own = neededBy(value);
    if (own === null) tell(index, `needs: ${NEEDS}, got ${quote(isMapping(value) ? value.needs : value)}`);
    else if (own.length > 0) {
      const key = taskKey(value, index);
      all.set(key, [...new Set([...(all.get(key) ?? []), ...own])]);
    }
  }
  return Object.fromEntries(all);
}

const NEEDS = "expected a list of task keys";

/** The keys that a task's own value says it needs (`{id, needs}`); null: it says something else. */
export function neededBy(value: Json): readonly string[] | null {
  const said = isMapping(value) && Object.hasOwn(value, "needs") ? value.needs : [];
  if (!Array.isArray(said)) return null;
  const keys: string[] = [];
  for (const key of said) {
    if (typeof key !== "string" && typeof key !== "number" && typeof key !== "boolean") return null;
    keys.push(String(key));
  }
  return keys;
}

/** A list of tasks that is complete: what each needs, or why it cannot be taken. `needs`: what the plan says of them. */
export function checkedTasks(
  values: readonly Json[],
  needs: Tasks["needs"],
): { readonly needs: Tasks["needs"] } | { readonly problem: string } {
  if (values.length > PLAN_BOUNDS.tasks) return { problem: `more than ${PLAN_BOUNDS.tasks} tasks` };
  const keys = new Set<string>();
  const all = new Map(Object.entries(needs));
  for (const [index, value] of values.entries()) {
    const key = taskKey(value, index);
    const own = neededBy(value);
    if (keys.has(key)) return { problem: `two tasks have the key ${quote(key)}, expected distinct values or ids` };
    if (own === null) return { problem: `needs of ${quote(key)}: ${NEEDS}` };
    keys.add(key);
    if (own.length > 0) all.set(key, [...new Set([...(all.get(key) ?? []), ...own])]);
  }
  for (const [key, needed] of all) {
    const absent = keys.has(key) ? needed.find((other) => !keys.has(other)) : key;
    if (absent !== undefined) return { problem: `needs: there is no task ${quote(absent)}` };
  }
  const found = Object.fromEntries(all);
  const cycle = findCycle(found);
  if (cycle === null) return { needs: found };
  return { problem: `tasks need each other in a circle: ${cycle.slice(0, 10).map(quote).join(" → ")}` };
}

/** A task's key: its scalar value, its `id`, or its index. */
export function taskKey(value: Json, index: number): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  const id = isMapping(value) ? value.id : undefined;
  return typeof id === "string" || typeof id === "number" ? String(id) : String(index);
}

function checkKeys(from: TaskSource, needs: Tasks["needs"], place: Place, listPath: Place["path"]): void {
  const { source, problems } = place;
  if (from.kind === "list") {
    const keys = new Set<string>();
    for (const [index, value] of from.values.entries()) {
      const key = taskKey(value, index);
      if (keys.has(key)) {
        problems.error(
          source.at([...listPath, index]),
          `tasks: two tasks have the key ${quote(key)}, expected distinct values or ids`,
        );
      }
      keys.add(key);
    }
    checkNeeded(
      needs,
      (key) => keys.has(key),
      (key) => problems.suggest(key, keys),
      place,
    );
  } else if (from.kind === "count") {
    checkNeeded(
      needs,
      (key) => /^(?:0|[1-9][0-9]{0,6})$/.test(key) && Number(key) < from.count,
      () => `, expected 0 to ${from.count - 1}`,
      place,
    );
  }
  const cycle = findCycle(needs);
  if (cycle !== null) {
    problems.error(
      source.at([...place.path, cycle[0] ?? ""]),
      `needs: tasks need each other in a circle: ${cycle.slice(0, 10).map(quote).join(" → ")}`,
    );
  }
}

function checkNeeded(
  needs: Tasks["needs"],
  exists: (key: string) => boolean,
  hint: (key: string) => string,
  { source, problems, path }: Place,
): void {
  for (const [task, needed] of Object.entries(needs)) {
    if (!exists(task)) {
      problems.error(source.keyAt([...path, task]), `needs: there is no task ${quote(task)}${hint(task)}`);
    }
    for (const [index, key] of needed.entries()) {
      if (!exists(key)) {
        problems.error(source.at([...path, task, index]), `needs: there is no task ${quote(key)}${hint(key)}`);
      }
    }
  }
}

/** The tasks of one circle, its first again at the end; null when there is none. Without recursion: chains are long. */
export function findCycle(needs: Tasks["needs"]): string[] | null {
  const done = new Set<string>();
  for (const start of Object.keys(needs)) {
    const trail: string[] = [];
    const onTrail = new Set<string>();
    const stack: { readonly key: string; readonly leave: boolean }[] = [{ key: start, leave: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (top.leave) {
        trail.pop();
        onTrail.delete(top.key);
        done.add(top.key);
      } else if (onTrail.has(top.key)) {
        return [...trail.slice(trail.indexOf(top.key)), top.key];
      } else if (!done.has(top.key)) {
        trail.push(top.key);
        onTrail.add(top.key);
        stack.push({ key: top.key, leave: true });
        for (const needed of Object.hasOwn(needs, top.key) ? (needs[top.key] ?? []) : []) {
          stack.push({ key: needed, leave: false });
        }
      }
    }
  }
  return null;
}
