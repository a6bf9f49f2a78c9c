/**
 * Rewrites what the documentation takes from the code: blocks between `<!-- generated: name -->` and
 * `<!-- end: name -->`, and whole files. `--check` writes nothing and fails when something is stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { INPUTS, OUTPUTS } from "../src/action/input/io.ts";
import { eventSchema } from "../src/agent/output/event-schema.ts";
import {
  actionTable,
  commandTable,
  conditionTable,
  POLICY_KEY_TABLES,
  policyJsonSchema,
  templateList,
} from "../src/lifecycle/policy/reference.ts";
import { planJsonSchema } from "../src/plan/json-schema.ts";
import { boundTable, completionTable, endingTable, KEY_TABLES, keyTable } from "../src/plan/key-table.ts";
import { resultJsonSchema } from "../src/report/record/result-schema.ts";

interface Generated {
  /** From the repository's root. */
  readonly file: string;
  /** Null: the whole file. */
  readonly block: string | null;
  readonly generate: () => string;
}

/** One line for each block; a room adds its own. */
const GENERATED: readonly Generated[] = [
  ...Object.entries(KEY_TABLES).map(
    ([name, shape]): Generated => ({
      file: "docs/plan.md",
      block: `keys of ${name}`,
      generate: () => keyTable(shape),
    }),
  ),
  ...(["progress", "metric", "annotation"] as const).map(
    (name): Generated => ({
      file: "docs/commands.md",
      block: `event ${name}`,
      generate: () => keyTable(eventSchema.shape[name].unwrap().shape),
    }),
  ),
  { file: "docs/plan.md", block: "completions", generate: completionTable },
  { file: "docs/plan.md", block: "endings", generate: endingTable },
  { file: "docs/plan.md", block: "bounds", generate: boundTable },
  { file: "schema/plan.json", block: null, generate: () => JSON.stringify(planJsonSchema(), null, 2) },
  ...Object.entries(POLICY_KEY_TABLES).map(
    ([name, shape]): Generated => ({
      file: "docs/policy.md",
      block: `keys of ${name}`,
      generate: () => keyTable(shape),
    }),
  ),
  { file: "docs/action.md", block: "action inputs", generate: inputTable },
  { file: "docs/action.md", block: "action outputs", generate: outputTable },
  { file: "docs/policy.md", block: "conditions", generate: conditionTable },
  { file: "docs/policy.md", block: "actions", generate: actionTable },
  { file: "docs/policy.md", block: "templates", generate: templateList },
  { file: "docs/policy.md", block: "commands", generate: commandTable },
  { file: "schema/policy.json", block: null, generate: () => JSON.stringify(policyJsonSchema(), null, 2) },
  { file: "schema/result.json", block: null, generate: () => JSON.stringify(resultJsonSchema(), null, 2) },
];

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
let failed = false;

for (const file of new Set(GENERATED.map((entry) => entry.file))) {
  const path = join(root, file);
  const before = await readFile(path, "utf8").catch(() => "");
  let after = before;
  for (const { block, generate } of GENERATED.filter((entry) => entry.file === file)) {
    after = block === null ? `${generate()}\n` : replaceBlock(after, file, block, generate());
  }
  if (after === before) {
    continue;
  }
  if (check) {
    console.error(`${file} is stale, expected what \`npm run docs\` writes`);
    failed = true;
  } else {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, after);
    console.error(`${file} written`);
  }
}
process.exitCode = failed ? 1 : 0;

function inputTable(): string {
  const rows = Object.entries(INPUTS).map(([name, { description, required, default: value }]) => {
    const shown = required ? "required" : value === "" ? "" : `\`${value}\``;
    return `| \`${name}\` | ${description} | ${shown} |`;
  });
  return ["| input | meaning | default |", "|---|---|---|", ...rows].join("\n");
}

function outputTable(): string {
  const rows = Object.entries(OUTPUTS).map(([name, { description }]) => `| \`${name}\` | ${description} |`);
  return ["| output | meaning |", "|---|---|", ...rows].join("\n");
}

function replaceBlock(text: string, file: string, block: string, content: string): string {
  const [open, close] = [`<!-- generated: ${block} -->`, `<!-- end: ${block} -->`];
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start < 0 || end < 0) {
    console.error(`${file} has no block "${block}", expected ${open} and ${close}`);
    failed = true;
    return text;
  }
  return `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`;
}
