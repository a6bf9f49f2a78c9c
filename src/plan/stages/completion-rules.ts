/** Which completions a type of stage may have, and what each says about the keys beside it. */
import { COMPLETIONS, type Completion, type StageType } from "../plan.ts";

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

/** Keys that only some completions look at. */
export const COMPLETION_KEYS = ["duration", "max_duration", "expected_objects", "expected_tasks", "tasks"] as const;
export type CompletionKey = (typeof COMPLETION_KEYS)[number];

/** What to use beside the other completions. */
export const INSTEAD_OF_KEY: Readonly<Record<CompletionKey, string>> = {
  duration: "max_duration or timeout",
  max_duration: "timeout",
  expected_objects: "expect",
  expected_tasks: "expect",
  tasks: "completion: duration_or_tasks",
};

/** What a completion means, for whoever reads a plan, runs a group, carries out a stage, or explains it. */
export interface CompletionRules {
  /** Of the keys that only some completions look at, those that this one does. */
  readonly keys: readonly CompletionKey[];
  /** What a stage cannot be without. */
  readonly needs: "duration" | "command" | null;
  /** The stage's time, whose end is the end of the stage for the whole group; null: it ends by its work alone. */
  readonly endsAfter: "durationMs" | "maxDurationMs" | null;
  /** Times whose end is success for an attempt. That of any other time is failure. */
  readonly succeedsAfter: readonly ("duration" | "max_duration")[];
  /** An exit with 0 before the time is over is success with a warning. */
  readonly warnsWhenEarly: boolean;
  /** Without a command: `waits` until its time is over, is `done` at once, or has `failed`. */
  readonly withoutCommand: "waits" | "done" | "failed";
  /** The group ends the stage when it has done what was expected; `shared`: where all draw from one pool. */
  readonly stopsByCount: "always" | "shared" | "never";
  /** The stage fails when the group has done less than was expected. */
  readonly failsByCount: boolean;
  /** For the documentation. */
  readonly endsWell: string;
  readonly endsBadly: string;
}

const COMPLETION_RULES = {
  duration: {
    keys: ["duration"],
    needs: "duration",
    endsAfter: "durationMs",
    succeedsAfter: ["duration"],
    warnsWhenEarly: true,
    withoutCommand: "waits",
    stopsByCount: "never",
    failsByCount: false,
    endsWell: "`duration` is over: the command is ended, and that is success",
    endsBadly: "the command exits non-zero before; exit 0 before the time is success with a warning",
  },
  tasks_done: {
    keys: ["expected_objects", "expected_tasks", "tasks"],
    needs: null,
    endsAfter: null,
    succeedsAfter: [],
    warnsWhenEarly: false,
    withoutCommand: "done",
    stopsByCount: "shared",
    failsByCount: true,
    endsWell:
      "command or tasks are done, and the count reported reaches `expected_objects` / `expected_tasks` (summed over the group)",
    endsBadly: "non-zero exit, too few",
  },
  script_exit: {
    keys: [],
    needs: "command",
    endsAfter: null,
    succeedsAfter: [],
    warnsWhenEarly: false,
    withoutCommand: "failed",
    stopsByCount: "never",
    failsByCount: false,
    endsWell: "exit 0",
    endsBadly: "non-zero",
  },
  validation_passed: {
    keys: ["max_duration"],
    needs: null,
    endsAfter: null,
    succeedsAfter: [],
    warnsWhenEarly: false,
    withoutCommand: "done",
    stopsByCount: "never",
    failsByCount: false,
    endsWell: "the command passes",
    endsBadly: "it fails, or `max_duration` is over",
  },
  duration_or_tasks: {
    keys: ["max_duration", "expected_objects", "expected_tasks", "tasks"],
    needs: null,
    endsAfter: "maxDurationMs",
    succeedsAfter: ["duration", "max_duration"],
    warnsWhenEarly: false,
    withoutCommand: "done",
    stopsByCount: "always",
    failsByCount: false,
    endsWell: "`max_duration` is over or the work is done, whichever is first",
    endsBadly: "non-zero exit",
  },
} as const satisfies Record<Completion, CompletionRules>;

export function completionRules(completion: Completion): CompletionRules {
  return COMPLETION_RULES[completion];
}

/** The completions that look at a key. */
export function completionsWith(key: CompletionKey): readonly Completion[] {
  return COMPLETIONS.filter((completion) => completionRules(completion).keys.includes(key));
}

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
