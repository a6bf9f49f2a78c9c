/** Tasks: where they come from, what they may cost, and that what they need of one another can be had. */

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
  const from = sourceOf(inside, place);
  const needs = needsOf(options.needs ?? {});
  const needsPath = beside.needs === undefined ? [...path, "tasks", "needs"] : [...path, "needs"];
  checkKeys(
    from,
    needs,
    { ...place, path: needsPath },
    isList(said) ? [...path, "tasks"] : [...path, "tasks", "values"],
  );
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

function sourceOf(said: Keys<typeof tasksShape>, { source, problems, path }: Place): TaskSource {
  const given = (["values", "count", "from"] as const).filter((key) => said[key] !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? "none of them" : given.join(" and ");
    problems.error(source.at([...path, "tasks"]), `tasks: expected one of values, count and from, got ${got}`);
  }
  if (said.from !== undefined) {
    return { kind: "from", command: said.from };
  }
  if (said.count !== undefined) {
    return { kind: "count", count: said.count };
  }
  return { kind: "list", values: said.values ?? [] };
}

function needsOf(said: Readonly<Record<string, readonly Scalar[]>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(said).map(([task, needed]) => [task, needed.map(String)]));
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
