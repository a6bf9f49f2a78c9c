/** Tasks that an earlier stage told: put together, and checked as those that a plan lists. */
import type { Json, Tasks } from "../../plan/plan.ts";
import { checkedTasks, taskKey } from "../../plan/stages/tasks.ts";
import type { Draft } from "../draft.ts";
import type { StageRun } from "../state.ts";

export interface Generated {
  readonly values: readonly Json[];
  /** Task key -> keys of the tasks that it needs. */
  readonly needs: Tasks["needs"];
}

/** What the agents of a stage told as tasks of a later one, in the order of their indexes; each task once. */
export function laterTasksOf({
  laterTasks = [],
}: Pick<StageRun, "laterTasks">): readonly Json[] | { readonly problem: string } {
  const known = new Map<string, Json>();
  for (const { tasks } of laterTasks.toSorted((a, b) => a.rank - b.rank)) {
    const own = new Set<string>();
    for (const [index, value] of tasks.entries()) {
      const key = taskKey(value, index);
      const quoted = JSON.stringify(key.slice(0, 100));
      if (own.has(key)) return { problem: `two tasks have the key ${quoted}, expected distinct values or ids` };
      own.add(key);
      if (known.has(key) && JSON.stringify(known.get(key)) !== JSON.stringify(value))
        return { problem: `two agents told different tasks with the key ${quoted}, expected ids of their own` };
      known.set(key, value);
    }
  }
  return [...known.values()];
}

/** The tasks of a stage that another one tells; null: it has others, or none. */
export function generatedTasks(draft: Draft, stage: number): Generated | { readonly problem: string } | null {
  const { tasks } = draft.planned(stage);
  if (tasks?.source.kind !== "stage") return null;
  const { stage: name } = tasks.source;
  const source = draft.plan.stages.findIndex((planned) => planned.name === name);
  const run = draft.stage(source);
  const carried = run.startAt === null ? draft.head.carried.tasks?.[name] : undefined;
  const values = carried ?? laterTasksOf(run);
  if ("problem" in values) return values;
  const checked = checkedTasks(values, tasks.needs);
  return "problem" in checked ? checked : { values, needs: checked.needs };
}
