/** Reads an action's `action.yml`: what it takes and how it is started. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const schema = z.object({
  name: z.string(),
  inputs: z
    .record(
      z.string(),
      z.object({
        default: scalar.optional(),
        required: z.boolean().optional(),
        deprecationMessage: z.string().optional(),
      }),
    )
    .nullish(),
  runs: z.object({
    using: z.string(),
    main: z.string().optional(),
    pre: z.string().optional(),
    post: z.string().optional(),
    "post-if": z.string().optional(),
  }),
});

export interface ActionMetadata {
  readonly name: string;
  readonly directory: string;
  /** Input name as written -> its default (may be an expression), "" where there is none. */
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  /** Relative to `directory`. */
  readonly main: string;
  readonly post: string | null;
  readonly postIf: string;
}

/** The action cannot be started; the message is what the step's log says. */
export class ActionProblem extends Error {
  override readonly name = "ActionProblem";
}

/** Reads `action.yml` (or `action.yaml`) in a directory. Throws ActionProblem. */
export async function readActionMetadata(directory: string): Promise<ActionMetadata> {
  const text = await readFile(join(directory, "action.yml"), "utf8")
    .catch(() => readFile(join(directory, "action.yaml"), "utf8"))
    .catch(() => null);
  if (text === null) {
    throw new ActionProblem(
      `Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '${directory}'. Did you forget to run actions/checkout before running your local action?`,
    );
  }
  const parsed = schema.safeParse(parse(text, { maxAliasCount: 0 }));
  if (!parsed.success) {
    throw new ActionProblem(`action.yml in '${directory}' does not have the form: ${z.prettifyError(parsed.error)}`);
  }
  const { name, inputs, runs } = parsed.data;
  if (runs.using !== "node24")
    throw new ActionProblem(`not implemented in the sandbox: actions that use ${runs.using}`);
  if (runs.pre !== undefined) throw new ActionProblem("not implemented in the sandbox: actions with a `pre` script");
  if (runs.main === undefined) throw new ActionProblem(`action.yml in '${directory}' names no 'main' script`);
  return {
    name,
    directory,
    inputs: Object.fromEntries(Object.entries(inputs ?? {}).map(([key, input]) => [key, input.default ?? ""])),
    main: runs.main,
    post: runs.post ?? null,
    postIf: runs["post-if"] ?? "always()",
  };
}

/** `my input` -> `INPUT_MY_INPUT`, as the runner names it. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
