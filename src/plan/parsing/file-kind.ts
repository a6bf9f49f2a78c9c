/** What kind of file something is, told by keys that only that kind has. */
import { isMapping } from "./key-parser.ts";

export type FileKind = "workflow" | "action" | "policy" | "plan";

const ONLY_POLICIES = ["extends", "on_push", "operators", "task_id", "max_rounds", "opt_out_label"];
const ONLY_PLANS = ["distributed", "workload", "params", "barrier_sync", "liveness", "assembly", "tree_creation_mode"];
const STAGES_OF_POLICIES = ["enter", "on_enter", "on_back", "gate", "owner", "max_age"];
const STAGES_OF_PLANS = ["run", "command", "type", "completion", "duration", "barrier", "repeat"];

/** @returns null where nothing tells */
export function fileKindOf(value: unknown): FileKind | null {
  if (!isMapping(value)) return null;
  const has = (keys: readonly string[]) => keys.some((key) => Object.hasOwn(value, key));
  if (isMapping(value.jobs) && has(["on", "true", "permissions", "concurrency", "name"])) return "workflow";
  if (isMapping(value.runs) && Object.hasOwn(value.runs, "using")) return "action";
  if (has(ONLY_POLICIES)) return "policy";
  if (has(ONLY_PLANS)) return "plan";
  const stages = Array.isArray(value.stages) ? value.stages.filter(isMapping) : [];
  const haveStages = (keys: readonly string[]) => stages.some((stage) => keys.some((key) => Object.hasOwn(stage, key)));
  if (haveStages(STAGES_OF_POLICIES)) return haveStages(STAGES_OF_PLANS) ? null : "policy";
  return haveStages(STAGES_OF_PLANS) ? "plan" : null;
}

/** What to say of a file of another kind than was asked for; null: it may be what it should be. */
export function wrongKind(value: unknown, expected: "plan" | "policy"): string | null {
  const kind = fileKindOf(value);
  if (kind === null || kind === expected) return null;
  const remedies = {
    plan: {
      workflow: "expected the file that its step names with the input plan",
      action: "expected the file that a step names with the input plan",
      policy: "expected a list of stages with commands; a policy has its place in .github/stagewright.yml",
    },
    policy: {
      workflow: "expected stages with conditions (enter)",
      action: "expected stages with conditions (enter)",
      plan: "expected stages with conditions (enter); a plan is run by the action or by stagewright run",
    },
  } as const;
  const what = {
    workflow: "a workflow of GitHub Actions",
    action: "the metadata of an action",
    policy: "a policy",
    plan: "a plan",
  };
  const remedy: Partial<Record<FileKind, string>> = remedies[expected];
  return `this is ${what[kind]}, not a ${expected}: ${remedy[kind] ?? `expected a ${expected}`}`;
}
