/** The key tables of the guide, from the same schemas that validate: they cannot drift. */

import { z } from "zod";
import { PLAN_BOUNDS, RUN_BOUNDS, TOLD_BOUNDS } from "./bounds.ts";
import { formatDuration } from "./parsing/duration.ts";
import { baselineShape } from "./parsing/expectation-schemas.ts";
import { isMapping } from "./parsing/key-parser.ts";
import { COMPLETIONS, STAGE_TYPES } from "./plan.ts";
import {
  agentShape,
  assemblyShape,
  barrierShape,
  barrierSyncShape,
  livenessShape,
  paramShape,
  planShape,
  repeatShape,
  stageShape,
  tasksShape,
  workloadShape,
} from "./schema.ts";
import { validatorShape } from "./shapes/quorum-schema.ts";
import {
  checkpointShape,
  dependencyShape,
  measureShape,
  retryShape,
  thresholdsShape,
  trialsShape,
} from "./shapes/stage-shapes.ts";
import { completionRules, LEGAL_COMPLETIONS } from "./stages/completion-rules.ts";

export const KEY_TABLES = {
  plan: planShape,
  stage: stageShape,
  repeat: repeatShape,
  param: paramShape,
  agent: agentShape,
  assembly: assemblyShape,
  baseline: baselineShape,
  barrier: barrierShape,
  barrier_sync: barrierSyncShape,
  liveness: livenessShape,
  depends_on: dependencyShape,
  retry: retryShape,
  tasks: tasksShape,
  thresholds: thresholdsShape,
  trials: trialsShape,
  checkpoint: checkpointShape,
  measure: measureShape,
  validators: validatorShape,
  workload: workloadShape,
} as const satisfies Record<string, z.ZodRawShape>;

/** A Markdown table: key, what it takes, what it means. */
export function keyTable(shape: z.ZodRawShape): string {
  const schema = z.toJSONSchema(z.strictObject(shape), { io: "input" });
  const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const description = isMapping(property) && typeof property.description === "string" ? property.description : "";
    return `| \`${key}\` | ${cell(takes(property))} | ${cell(description)} |`;
  });
  return ["| key | takes | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** A Markdown table: the completions of each type, the default first. */
export function completionTable(): string {
  const rows = STAGE_TYPES.map(
    (type) => `| \`${type}\` | ${LEGAL_COMPLETIONS[type].map((completion) => `\`${completion}\``).join(", ")} |`,
  );
  return ["| type | completion (first = default) |", "|---|---|", ...rows].join("\n");
}

/** A Markdown table: when a stage of each completion ends well, and when badly. */
export function endingTable(): string {
  const rows = COMPLETIONS.map((completion) => {
    const { endsWell, endsBadly } = completionRules(completion);
    return `| \`${completion}\` | ${endsWell} | ${endsBadly} |`;
  });
  return ["| completion | ends well when | ends badly when |", "|---|---|---|", ...rows].join("\n");
}

/** A Markdown table: the bounds of what a plan says and its commands tell. */
export function boundTable(): string {
  const { fileBytes, planBytes, stages, agents, tasks, taskBytes, concurrency, argumentBytes, path, durationMs } =
    PLAN_BOUNDS;
  const rows: readonly (readonly [string, string])[] = [
    ["a file", size(fileBytes)],
    ["the plan with all that is repeated", size(planBytes)],
    ["stages, repeated ones counted each time", number(stages)],
    ["agents", number(agents)],
    ["tasks of a stage; one task's value as JSON", `${number(tasks)}; ${size(taskBytes + 1)}`],
    ["tasks that one agent runs at a time", `${number(concurrency)}, and ${size(RUN_BOUNDS.leaseBytes)} of them`],
    [
      "a variable's value, an argument; the path of a program",
      `${number(argumentBytes)} bytes; ${number(path)} characters`,
    ],
    ["a duration", formatDuration(durationMs)],
    [
      "outputs of an attempt, of a stage; of a run",
      `${size(TOLD_BOUNDS.outputBytes)}; ${size(RUN_BOUNDS.outputBytes)}`,
    ],
    [
      "annotations of an attempt; of a stage; one message",
      `${number(TOLD_BOUNDS.annotations)} and ${size(TOLD_BOUNDS.annotationBytes)}; ${number(RUN_BOUNDS.annotations)} and ${size(RUN_BOUNDS.annotationBytes)}; ${number(TOLD_BOUNDS.annotationMessage)} characters`,
    ],
    ["metrics, histograms of an attempt", `${number(TOLD_BOUNDS.metrics)}, ${number(TOLD_BOUNDS.histograms)}`],
    ["all that one attempt reports", size(TOLD_BOUNDS.reportBytes)],
  ];
  return ["| what | at most |", "|---|---|", ...rows.map(([what, most]) => `| ${what} | ${most} |`)].join("\n");
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function size(bytes: number): string {
  return bytes >= 1_048_576 ? `${bytes / 1_048_576} MiB` : `${bytes / 1_024} KiB`;
}

function takes(schema: unknown): string {
  if (!isMapping(schema)) {
    return "any value";
  }
  if (Array.isArray(schema.anyOf)) {
    const branches = new Set(schema.anyOf.map(takes));
    return branches.has("duration") ? "duration" : [...branches].join(" or ");
  }
  if (Array.isArray(schema.enum)) {
    return schema.enum.map((value) => `\`${value}\``).join(", ");
  }
  switch (schema.type) {
    case "string":
      return String(schema.pattern ?? "").includes("ms)?$") ? "duration" : "text";
    case "integer":
      return "whole number";
    case "number":
      return "number";
    case "boolean":
      return "true or false";
    case "array":
      return "list";
    case "object":
      return "mapping";
    case "null":
      return "null";
    default:
      return "any value";
  }
}

function cell(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll("|", "\\|").replaceAll("\n", " ");
}
