/** Tasks that an earlier stage told: put together, and checked as those that a plan lists. */
import type { Json, Tasks } from "../../plan/plan.ts";
import { checkedTasks, taskKey } from "../../plan/stages/tasks.ts";
import type { Draft } from "../draft.ts";
import { itemAt } from "../persistent-array.ts";
import type { RunState, StageRun } from "../state.ts";

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

/** The tasks of a stage that a person gave it, or that another one tells; null: it has others, or none. */
export function generatedTasks(draft: Draft, stage: number): Generated | { readonly problem: string } | null {
  const { tasks } = draft.planned(stage);
  const { given } = draft.stage(stage);
  if (given !== undefined && tasks !== null) {
    const checked = checkedTasks(given, tasks.needs);
    return "problem" in checked ? checked : { values: given, needs: checked.needs };
  }
  if (tasks?.source.kind !== "stage") return null;
  const values = toldBy(draft.head, tasks.source.stage, (index) => draft.stage(index));
  if ("problem" in values) return values;
  const checked = checkedTasks(values, tasks.needs);
  return "problem" in checked ? checked : { values, needs: checked.needs };
}

function toldBy(
  { plan, carried }: Pick<RunState, "plan" | "carried">,
  name: string,
  runOf: (stage: number) => StageRun,
): readonly Json[] | { readonly problem: string } {
  const run = runOf(plan.stages.findIndex((planned) => planned.name === name));
  return (run.startAt === null ? carried.tasks?.[name] : undefined) ?? laterTasksOf(run);
}

/** The tasks that a stage would begin with now, for a person to look at; null: it has none, or they are not known yet. */
export function knownTasks(state: RunState, stage: number): readonly Json[] | null {
  const { tasks, quorum } = state.plan.stages[stage] ?? {};
  const run = itemAt(state.stages, stage);
  if (tasks == null || run === undefined || quorum !== undefined) return null;
  if (run.given !== undefined) return run.given;
  const { source } = tasks;
  switch (source.kind) {
    case "list":
      return source.values;
    case "count":
      return Array.from({ length: source.count }, (_, index) => index);
    case "from":
      return null;
    case "stage": {
      const told = toldBy(state, source.stage, (index) => itemAt(state.stages, index) ?? run);
      return "problem" in told ? [] : told;
    }
    default:
      return source satisfies never;
  }
}
