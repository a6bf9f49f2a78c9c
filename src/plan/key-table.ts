/** The key tables of the guide, from the same schemas that validate: they cannot drift. */
import { z } from "zod";
import { LEGAL_COMPLETIONS } from "./legality.ts";
import { STAGE_TYPES } from "./plan.ts";
import {
  agentShape,
  barrierShape,
  barrierSyncShape,
  dependencyShape,
  livenessShape,
  paramShape,
  planShape,
  repeatShape,
  retryShape,
  stageShape,
  tasksShape,
  workloadShape,
} from "./schema.ts";
import { isMapping } from "./shape.ts";

export const KEY_TABLES = {
  plan: planShape,
  stage: stageShape,
  repeat: repeatShape,
  param: paramShape,
  agent: agentShape,
  barrier: barrierShape,
  barrier_sync: barrierSyncShape,
  liveness: livenessShape,
  depends_on: dependencyShape,
  retry: retryShape,
  tasks: tasksShape,
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
  const rows = STAGE_TYPES.filter((type) => type !== "quorum").map(
    (type) => `| \`${type}\` | ${LEGAL_COMPLETIONS[type].map((completion) => `\`${completion}\``).join(", ")} |`,
  );
  return ["| type | completion (first = default) |", "|---|---|", ...rows].join("\n");
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
    default:
      return "any value";
  }
}

function cell(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll("|", "\\|").replaceAll("\n", " ");
}
