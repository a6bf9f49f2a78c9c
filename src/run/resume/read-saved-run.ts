/** Reads a saved state: bounded, checked, and held against the plan that is to go on from it. */
import { z } from "zod";
import { jsonBytes, PLAN_BOUNDS, RUN_BOUNDS, TOLD_BOUNDS } from "../../plan/bounds.ts";
import { type PlanPrint, printDifference } from "../../plan/canonical.ts";
import { once } from "../../plan/parsing/lazy.ts";
import { escapeUnprintable } from "../../plan/parsing/names.ts";
import { quote } from "../../plan/parsing/problems.ts";
import type { Json, Plan } from "../../plan/plan.ts";
import { excessAt, jsonErrorAt } from "./json-error.ts";
import { SAVED_RUN_VERSION, type SavedRun } from "./saved-run.ts";

/** Bytes of a saved state: what a run may keep of outputs and tasks, and room for the rest. */
export const SAVED_RUN_BYTES = 2 * RUN_BOUNDS.outputBytes;
/** Outputs may be as deep as commands tell them. */
const MOST = { depth: TOLD_BOUNDS.nesting + 4, values: 1_000_000, members: 200_000 };
const NAMED = 10;
/** What a plan has parts of: keys of its stages, parameters. */
const MOST_PARTS = 100_000;
const MOST_DEFICIENCIES = 100_000;
/** Members of what is looked at one by one. */
const MEMBERS = {
  "": 100,
  hosts: PLAN_BOUNDS.agents,
  phase_records: PLAN_BOUNDS.stages,
  global_context: PLAN_BOUNDS.stages,
  sent_back: PLAN_BOUNDS.stages,
  tasks_data: PLAN_BOUNDS.stages,
  plan_parts: MOST_PARTS,
} as const;

export type ReadSavedRun =
  | { readonly saved: SavedRun }
  /** A line for each: where it is (`line:column`, or the key), what is wrong, what was expected. */
  | { readonly problems: readonly string[] };

/** Made when a state is read: nothing else needs it. */
const schema = once(() => {
  const text = z.string().max(PLAN_BOUNDS.description);
  const time = text.refine((value) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u.test(value) && !Number.isNaN(Date.parse(value)), {
    message: "expected a time such as 2026-01-31T12:00:00.000Z",
  });
  /** How deep it is has been looked at before, and how large it may be at most. */
  const json = z.custom<Json>((value) => value !== undefined);
  const outputs = z.custom<Readonly<Record<string, Json>>>(isMapping, "expected a mapping of keys to values");
  const stageName = z.string().max(PLAN_BOUNDS.longName);
  const digest = z.string().regex(/^[0-9a-f]{12,64}$/u, "expected a digest in hexadecimal");

  return z.strictObject({
    version: z.literal(SAVED_RUN_VERSION),
    plan_digest: digest,
    plan_parts: z.custom<PlanPrint["parts"]>(
      (value) =>
        isMapping(value) && Object.values(value).every((part) => typeof part === "string" && part.length <= 64),
      "expected a digest of each part",
    ),
    run: z.strictObject({ repository_id: text, run_id: text, group: text, attempt: z.number().int().min(1) }),
    agent_count: z.number().int().min(1).max(PLAN_BOUNDS.agents),
    hosts: z.record(z.string(), text),
    phases_executed: z.array(stageName).max(PLAN_BOUNDS.stages),
    phase_records: z.record(
      stageName,
      z.strictObject({ status: z.enum(["success", "warning"]), success: z.boolean(), completed_at: time.nullable() }),
    ),
    current_phase: stageName.nullable(),
    global_context: z.record(stageName, outputs),
    quorum_result: json,
    sent_back: z.record(
      stageName,
      z.strictObject({
        stage: stageName,
        round: z.number().int().min(1).max(RUN_BOUNDS.rounds),
        deficiencies: z.array(z.strictObject({ validator: stageName, deficiency: json })).max(MOST_DEFICIENCIES),
      }),
    ),
    tasks_data: z.record(stageName, z.array(json).max(PLAN_BOUNDS.tasks)),
    tasks_given: z.record(stageName, z.array(json).max(PLAN_BOUNDS.tasks)).optional(),
    user_prompt: z.string().max(RUN_BOUNDS.outputBytes).nullable(),
    input: json,
    input_digest: digest.nullable(),
    saved_at: time,
  });
});

/** @param source what a file (or a cache) holds */
export function readSavedRun(source: Uint8Array): ReadSavedRun {
  const read = readChecked(source);
  return "saved" in read ? read : { problems: read.problems.map(escapeUnprintable) };
}

function readChecked(source: Uint8Array): ReadSavedRun {
  if (source.length > SAVED_RUN_BYTES) {
    return { problems: [`1:1: is larger than ${SAVED_RUN_BYTES / 1_048_576} MiB: no saved state is`] };
  }
  let decoded: string;
  try {
    decoded = new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    return { problems: ["1:1: is not UTF-8 text, expected a saved state (JSON)"] };
  }
  const excess = savedRunExcess(decoded);
  if (excess !== null) return { problems: [excess] };
  let value: unknown;
  try {
    value = JSON.parse(decoded);
  } catch {
    const { line, column } = jsonErrorAt(decoded);
    return { problems: [`${line}:${column}: is not JSON, expected a saved state`] };
  }
  const version = typeof value === "object" && value !== null && "version" in value ? value.version : undefined;
  if (typeof version === "number" && version !== SAVED_RUN_VERSION) {
    const known = `this one reads version ${SAVED_RUN_VERSION}`;
    return { problems: [`version: ${version} is of another version of Stagewright, ${known}`] };
  }
  const large = tooManyMembers(value);
  if (large !== null) return { problems: [large] };
  const parsed = schema().safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, NAMED).map(({ path, message }) => `${pathText(path)}: ${message}`);
    const more = parsed.error.issues.length - problems.length;
    return { problems: [...problems, ...(more > 0 ? [`and ${more} more problems`] : [])] };
  }
  const saved = parsed.data;
  const problems = [
    ...(jsonBytes(saved.global_context) > RUN_BOUNDS.outputBytes
      ? [`global_context: is larger than ${RUN_BOUNDS.outputBytes / 1_048_576} MiB`]
      : []),
    ...saved.phases_executed
      .filter((name) => !Object.hasOwn(saved.phase_records, name))
      .slice(0, NAMED)
      .map((name) => `phase_records: says nothing of ${quote(name)}, which phases_executed names`),
  ];
  return problems.length > 0 ? { problems } : { saved };
}

/** What is larger in a text than any saved state has it; null: nothing. */
export function savedRunExcess(decoded: string): string | null {
  const excess = excessAt(decoded, MOST);
  if (excess === null) return null;
  const { line, column } = excess.at;
  const where = `${line}:${column}`;
  switch (excess.what) {
    case "depth":
      return `${where}: lists and mappings stand more than ${MOST.depth} deep in one another`;
    case "values":
      return `${where}: holds more than ${MOST.values} values: no saved state does`;
    case "members":
      return `${where}: holds a list or mapping of more than ${MOST.members} values: no saved state does`;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tooManyMembers(value: unknown): string | null {
  for (const [key, most] of Object.entries(MEMBERS)) {
    const inside = key === "" || !isMapping(value) ? value : value[key];
    if (!isMapping(inside) || Object.keys(inside).length <= most) continue;
    return `${key === "" ? "1:1" : key}: has more than ${most} members, which no saved state has`;
  }
  return null;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "1:1" : path.map((part) => String(part).slice(0, 100)).join(".");
}

/** Why a run of this plan cannot go on from this state; null: it can. */
export function savedRunRefusal(
  saved: SavedRun,
  { plan, print, agentCount }: { readonly plan: Plan; readonly print: PlanPrint; readonly agentCount: number },
): string | null {
  if (saved.plan_digest !== print.digest) {
    const difference = escapeUnprintable(printDifference(print.parts, saved.plan_parts)) || "its digest differs";
    return `is the state of another plan (here: the plan given, there: the state's): ${difference}`;
  }
  if (saved.agent_count !== agentCount) {
    return `is the state of a group of ${saved.agent_count}, this run has ${agentCount} ${agentCount === 1 ? "agent" : "agents"}`;
  }
  const unknown = saved.phases_executed.find((name) => !plan.stages.some((stage) => stage.name === name));
  return unknown === undefined ? null : `phases_executed: the plan has no stage ${quote(unknown)}`;
}
