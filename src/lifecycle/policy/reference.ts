/** The reference of the policy language for people and editors, from the registries that read it: it cannot drift. */
import { z } from "zod";
import { isMapping } from "../../plan/parsing/key-parser.ts";
import type { Json } from "../../plan/plan.ts";
import { ACTIONS } from "../actions/index.ts";
import { WHO_MAY } from "../command-help.ts";
import { COMMAND_NAMES } from "../command-names.ts";
import { COMMANDS } from "../commands.ts";
import { CONDITIONS } from "../conditions/index.ts";
import { policyShape, policyStageShape } from "./schema.ts";
import { TEMPLATE_KEYS } from "./templates.ts";

export const POLICY_SCHEMA_ID = "urn:stagewright:schema:policy";

/** For a guide's generated blocks. */
export const POLICY_KEY_TABLES = { policy: policyShape, "policy stage": policyStageShape } as const;

/** A Markdown table of all conditions: what they mean, whether they rest on acts, how they are written. */
export function conditionTable(): string {
  const rows = Object.entries(CONDITIONS).map(
    ([key, { basis, help, examples }]) => `| \`${key}\` | ${basis} | ${cell(help)} | ${codes(examples)} |`,
  );
  return ["| condition | rests on | holds when | for example |", "|---|---|---|---|", ...rows].join("\n");
}

export function actionTable(): string {
  const rows = Object.entries(ACTIONS).map(([key, { help, requiredPermissions: required, examples }]) => {
    const permissions = Object.entries(required).map(([permission, level]) => `\`${permission}: ${level}\``);
    return `| \`${key}\` | ${cell(help)} | ${permissions.join(", ")} | ${codes(examples)} |`;
  });
  return ["| action | what it does | also needs | for example |", "|---|---|---|---|", ...rows].join("\n");
}

export function commandTable(): string {
  const rows = COMMAND_NAMES.map((name) => {
    const { usage, help, by } = COMMANDS[name];
    return `| \`${usage}\` | ${cell(help)} | ${WHO_MAY[by]} |`;
  });
  return ["| command | what it does | who may |", "|---|---|---|", ...rows].join("\n");
}

export function templateList(): string {
  return TEMPLATE_KEYS.map((key) => `\`{{${key}}}\``).join(", ");
}

function codes(examples: readonly string[]): string {
  return examples.map((example) => `\`${cell(example)}\``).join(" · ");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The policy language as JSON Schema (draft 2020-12), from the same zod schemas that validate. */
export function policyJsonSchema(): Readonly<Record<string, Json>> {
  const policy = jsonSchemaOf(z.strictObject(policyShape).partial());
  const stage = jsonSchemaOf(z.strictObject(policyStageShape).partial());
  const condition = { $ref: "#/$defs/condition" };
  const actions = (of: Json): Json => ({ ...mapOf(of), items: { $ref: "#/$defs/action" } });
  const properties = mapOf(stage.properties);
  const back = mapOf(properties.back);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: POLICY_SCHEMA_ID,
    title: "Stagewright policy",
    description: "How pull requests move through stages.",
    ...withoutSchema(policy),
    properties: {
      ...mapOf(policy.properties),
      stages: { ...mapOf(mapOf(policy.properties).stages), items: { $ref: "#/$defs/stage" } },
    },
    anyOf: [{ required: ["stages"] }, { required: ["extends"] }],
    $defs: {
      stage: {
        ...withoutSchema(stage),
        required: ["name"],
        properties: {
          ...properties,
          enter: { ...mapOf(properties.enter), ...condition },
          when: { ...mapOf(properties.when), ...condition },
          on_enter: actions(properties.on_enter ?? {}),
          on_back: actions(properties.on_back ?? {}),
          on_overdue: actions(properties.on_overdue ?? {}),
          back: { ...back, required: ["when", "to"], properties: { ...mapOf(back.properties), when: condition } },
        },
      },
      condition: conditionSchema(),
      action: {
        type: "object",
        minProperties: 1,
        maxProperties: 1,
        additionalProperties: false,
        properties: schemasOf(ACTIONS),
      },
    },
  };
}

function conditionSchema(): Json {
  const condition: Json = { $ref: "#/$defs/condition" };
  const several: Json = { type: "array", minItems: 1, items: condition };
  const bare = Object.entries(CONDITIONS).filter(([, { schema }]) => schema.safeParse(null).success);
  return {
    anyOf: [
      { enum: bare.map(([key]) => key) },
      {
        type: "object",
        minProperties: 1,
        additionalProperties: false,
        properties: {
          ...schemasOf(CONDITIONS),
          result: { enum: ["success", "failure", "cancelled"], description: "Beside `workflow`: how its run ended." },
          all: { ...mapOf(several), description: "All of these hold." },
          any: { ...mapOf(several), description: "At least one of these holds." },
          not: { ...mapOf(condition), description: "This does not hold." },
        },
      },
    ],
  };
}

function schemasOf(
  table: Readonly<Record<string, { readonly schema: z.ZodType; readonly help: string }>>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(table).map(([key, { schema, help }]) => [
      key,
      { ...withoutSchema(jsonSchemaOf(schema)), description: help },
    ]),
  );
}

function jsonSchemaOf(schema: z.ZodType): Readonly<Record<string, Json>> {
  return mapOf(JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }))));
}

function withoutSchema(schema: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"));
}

function mapOf(value: unknown): Readonly<Record<string, Json>> {
  return isMapping(value) ? JSON.parse(JSON.stringify(value)) : {};
}
