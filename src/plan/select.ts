/** Phase control: which of a plan's stages a run goes through. It runs exactly what is named, or says why it cannot. */
import type { Selection } from "../run/types.ts";
import { quote, suggestion } from "./parsing/problems.ts";
import type { Plan, PlanStage } from "./plan.ts";

/** Stages by name, or by number counted from 0 in running order. */
export interface SelectOptions {
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  readonly stopAfter?: string | undefined;
  /** Of stages that gather context, and of quorums, only these kinds; not there: all. */
  readonly enabled?: readonly ("context" | "quorum")[] | undefined;
}

export type Selected = { readonly selection: Selection } | { readonly problems: readonly string[] };

/**
 * The selection, or every reason against it: an unknown stage, options that contradict each other, a stage whose
 * result another needs left out. `succeeded`: names of stages whose results a loaded state already holds; null: that is
 * known elsewhere, and `missingResults` is asked there.
 */
export function select(plan: Plan, options: SelectOptions, succeeded: readonly string[] | null = []): Selected {
  const problems: string[] = [];
  const find = (wanted: string, option: string): number[] => {
    const stage = stageNamed(plan, wanted);
    if (stage === null) {
      const names = plan.stages.map(({ name }) => name);
      const known = `expected a name or a number from 0 to ${names.length - 1}`;
      problems.push(`${option}: there is no stage ${quote(wanted)}${suggestion(wanted, names)}, ${known}`);
    }
    return stage === null ? [] : [stage.index];
  };
  const only = unique((options.only ?? []).flatMap((wanted) => find(wanted, "only-stage")));
  const disabled = disabledStages(plan, options);
  for (const { name } of disabled.filter(({ index }) => only.includes(index))) {
    problems.push(`only-stage names ${quote(name)}, which is left out: only stages of the enabled kinds run`);
  }
  const skip = unique([
    ...(options.skip ?? []).flatMap((wanted) => find(wanted, "skip-stages")),
    ...disabled.map(({ index }) => index).filter((index) => !only.includes(index)),
  ]);
  const [stopAfter = null] = options.stopAfter === undefined ? [] : find(options.stopAfter, "stop-after-stage");
  const named = (index: number): string => quote(plan.stages[index]?.name ?? String(index));

  for (const index of only.filter((index) => skip.includes(index))) {
    problems.push(`only-stage and skip-stages both name ${named(index)}, expected one of them`);
  }
  if (options.only !== undefined && options.only.length > 0 && options.stopAfter !== undefined) {
    problems.push("only-stage and stop-after-stage contradict each other, expected one of them");
  }
  if (stopAfter !== null && skip.includes(stopAfter)) {
    problems.push(`stop-after-stage names ${named(stopAfter)}, which skip-stages leaves out`);
  }
  if (problems.length > 0) {
    return { problems };
  }
  const selection: Selection = { only: only.length > 0 ? only : null, skip, stopAfter };
  const chosen = plan.stages.filter((stage) => isSelected(selection, stage.index));
  if (chosen.length === 0) {
    return { problems: ["no stage is left to run"] };
  }
  const missing = succeeded === null ? [] : missingResults(plan, selection, succeeded);
  return missing.length > 0 ? { problems: missing } : { selection };
}

/** Stages of a kind that is not among those that are enabled, where any is. */
function disabledStages({ stages }: Plan, { enabled = [] }: SelectOptions): readonly PlanStage[] {
  if (enabled.length === 0) return [];
  return stages.filter(
    ({ gathersContext, quorum }) =>
      (gathersContext === true && !enabled.includes("context")) ||
      (quorum !== undefined && !enabled.includes("quorum")),
  );
}

/** Whether a stage runs by its own turn (a cleanup after a failure runs though it is not selected). */
export function isSelected(selection: Selection, index: number): boolean {
  if (selection.only !== null) {
    return selection.only.includes(index);
  }
  return !selection.skip.includes(index) && (selection.stopAfter === null || index <= selection.stopAfter);
}

/** By name, else by number counted from 0 in running order; null when there is none. */
export function stageNamed(plan: Plan, wanted: string): PlanStage | null {
  const text = wanted.trim();
  const named = plan.stages.find(({ name }) => name === text);
  return named ?? (/^[0-9]{1,6}$/.test(text) ? (plan.stages[Number(text)] ?? null) : null);
}

/** A line for each result that a selected stage needs, and that neither this run nor a loaded state has. */
export function missingResults(plan: Plan, selection: Selection, succeeded: readonly string[]): readonly string[] {
  const chosen = plan.stages.filter((stage) => isSelected(selection, stage.index));
  const there = new Set([...chosen.map(({ name }) => name), ...succeeded]);
  return chosen.flatMap((stage) =>
    stage.dependsOn
      .filter(({ stage: needed, evenIf }) => !there.has(needed) && !evenIf.includes("skipped"))
      .map(({ stage: needed }) => {
        const number = plan.stages.findIndex(({ name }) => name === needed);
        return `stage ${quote(stage.name)} needs the result of ${quote(needed)} (number ${number}), which would not run`;
      }),
  );
}

function unique(indexes: readonly number[]): number[] {
  return [...new Set(indexes)].sort((a, b) => a - b);
}
