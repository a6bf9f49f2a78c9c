/** The plan language as JSON Schema (draft 2020-12), for editors: from the same zod schemas that validate. */
import { z } from "zod";
import { isMapping } from "./parsing/key-parser.ts";
import type { Json } from "./plan.ts";
import { planShape } from "./schema.ts";

export const PLAN_SCHEMA_ID = "urn:stagewright:schema:plan";

/** Keys whose values are never substituted. */
const COMMANDS: ReadonlySet<string> = new Set(["run", "command", "args", "from", "workload", "params"]);
const PLACEHOLDER = { type: "string", pattern: "\\{\\{\\s*params\\.[A-Za-z_][A-Za-z0-9_]*\\s*\\}\\}" };

/** Accepts the keys at the top and nested under `distributed:`; a placeholder is accepted wherever one is substituted. */
export function planJsonSchema(): Readonly<Record<string, Json>> {
  const generated = z.toJSONSchema(z.strictObject(planShape), { io: "input", target: "draft-2020-12" });
  const { $defs = {}, $schema, ...plan } = JSON.parse(JSON.stringify(generated)) as Record<string, Json>;
  return {
    $schema: $schema ?? "https://json-schema.org/draft/2020-12/schema",
    $id: PLAN_SCHEMA_ID,
    title: "Stagewright plan",
    description: "The stages that a group of agents goes through together.",
    type: "object",
    anyOf: [{ $ref: "#/$defs/plan" }, { $ref: "#/$defs/distributed" }],
    $defs: {
      ...Object.fromEntries(
        Object.entries(isMapping($defs) ? $defs : {}).map(([name, schema]) => [name, open(schema)]),
      ),
      plan: open(plan),
      distributed: {
        type: "object",
        description: "The same keys, nested.",
        properties: { name: { type: "string" }, distributed: { $ref: "#/$defs/plan" } },
        required: ["distributed"],
        additionalProperties: false,
      },
      placeholder: { ...PLACEHOLDER, description: "The value of a parameter." },
    },
  };
}

/** The schema with every value of a substituted key open to a placeholder. */
function open(schema: unknown): Json {
  if (Array.isArray(schema)) {
    return schema.map(open);
  }
  if (!isMapping(schema)) {
    return jsonOf(schema);
  }
  const properties = isMapping(schema.properties) ? schema.properties : {};
  const opened: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    opened[key] =
      key === "properties"
        ? Object.fromEntries(
            Object.entries(properties).map(([name, of]) => [name, COMMANDS.has(name) ? jsonOf(of) : open(of)]),
          )
        : ["items", "anyOf", "oneOf", "additionalProperties"].includes(key) && typeof value === "object"
          ? open(value)
          : jsonOf(value);
  }
  return isLeaf(schema)
    ? { ...described(schema), anyOf: [withoutDescription(opened), { $ref: "#/$defs/placeholder" }] }
    : opened;
}

/** A value that a placeholder can stand for: not a mapping, not a list, and not text that is free anyway. */
function isLeaf(schema: Readonly<Record<string, unknown>>): boolean {
  const narrow = ["integer", "number", "boolean"].includes(String(schema.type));
  return narrow || (schema.type === "string" && ("pattern" in schema || "enum" in schema));
}

function described(schema: Readonly<Record<string, unknown>>): Record<string, Json> {
  return typeof schema.description === "string" ? { description: schema.description } : {};
}

function withoutDescription(schema: Readonly<Record<string, Json>>): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "description"));
}

function jsonOf(value: unknown): Json {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
