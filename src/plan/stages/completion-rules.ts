/** Which completions a type of stage may have, and what each says about the keys beside it. */
import type { Completion, StageType } from "../plan.ts";

/** The first is the default. */
export const LEGAL_COMPLETIONS = {
  execute: ["duration", "duration_or_tasks"],
  prepare: ["tasks_done", "duration_or_tasks"],
  cleanup: ["tasks_done", "duration_or_tasks"],
  custom: ["script_exit", "duration_or_tasks"],
  hybrid: ["duration_or_tasks", "validation_passed"],
  validation: ["validation_passed"],
  quorum: ["validation_passed"],
} as const satisfies Record<StageType, readonly [Completion, ...Completion[]]>;

/** Stages named so are of that type when they do not say another. */
export const TYPE_BY_NAME: ReadonlyMap<string, StageType> = new Map<string, StageType>([
  ["preflight", "validation"],
  ["prepare", "prepare"],
  ["execute", "execute"],
  ["cleanup", "cleanup"],
]);

export type WorkloadPhase = "preflight" | "prepare" | "execute" | "cleanup";

/** The workload's command that a stage of this type takes when it has none of its own. */
export function workloadPhase(name: string, type: StageType): WorkloadPhase | null {
  switch (name) {
    case "preflight":
    case "prepare":
    case "execute":
    case "cleanup":
      return name;
  }
  switch (type) {
    case "validation":
      return "preflight";
    case "prepare":
    case "execute":
    case "cleanup":
      return type;
    case "custom":
    case "hybrid":
    case "quorum":
      return null;
  }
}

export interface KeyRule {
  readonly allowed: readonly Completion[];
  readonly instead: string;
}

/** Keys that only some completions enforce. */
export const KEYS_OF_COMPLETIONS = {
  duration: { allowed: ["duration"], instead: "max_duration or timeout" },
  max_duration: { allowed: ["validation_passed", "duration_or_tasks"], instead: "timeout" },
  expected_objects: { allowed: ["tasks_done", "duration_or_tasks"], instead: "expect" },
  expected_tasks: { allowed: ["tasks_done", "duration_or_tasks"], instead: "expect" },
  tasks: { allowed: ["tasks_done", "duration_or_tasks"], instead: "completion: duration_or_tasks" },
} as const satisfies Record<string, KeyRule>;

/**
 * Completion of a stage that does not say one: the first of its type, except where that one cannot hold: an execute
 * stage without a duration and a custom stage with tasks end when their work is done.
 */
export function defaultCompletion(
  type: StageType,
  has: { readonly duration: boolean; readonly tasks: boolean },
): Completion {
  if ((type === "execute" && !has.duration) || (type === "custom" && has.tasks)) {
    return "duration_or_tasks";
  }
  return LEGAL_COMPLETIONS[type][0];
}
