/**
 * Reads a workflow file. The form is checked as strictly as it is small: what the sandbox does not do is refused by
 * name, so that a workflow that runs here does all that it says.
 */
import { isMap, isPair, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { StepDefinition } from "../../runner/types.ts";
import type {
  ConcurrencyDefinition,
  JobDefinition,
  RunDefaults,
  TriggerFilter,
  WorkflowDefinition,
} from "./definition.ts";
import {
  type concurrency,
  type defaults,
  type filtered,
  type job,
  type step,
  trigger,
  workflowSchema,
} from "./schema.ts";

/** GitHub's own limit for a workflow file is 512 KiB. */
const FILE_LIMIT = 512 * 1024;

/** The workflow cannot be run here. `line` counts from 1. */
export class WorkflowProblem extends Error {
  override readonly name = "WorkflowProblem";
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

type Read<T extends z.ZodType> = z.output<T>;

function defaultsOf(read: Read<typeof defaults> | undefined): RunDefaults {
  return { shell: read?.run?.shell ?? null, workingDirectory: read?.run?.["working-directory"] ?? null };
}

function concurrencyOf(read: Read<typeof concurrency> | undefined): ConcurrencyDefinition | null {
  return read === undefined ? null : { group: read.group, cancelInProgress: read["cancel-in-progress"] ?? false };
}

function filterOf(read: Read<typeof filtered>): TriggerFilter {
  return {
    types: read?.types ?? null,
    branches: read?.branches ?? null,
    branchesIgnore: read?.["branches-ignore"] ?? null,
    tags: read?.tags ?? null,
    tagsIgnore: read?.["tags-ignore"] ?? null,
    paths: read?.paths ?? null,
    pathsIgnore: read?.["paths-ignore"] ?? null,
    workflows: read?.workflows ?? null,
  };
}

function stepOf(read: Read<typeof step>): StepDefinition {
  const common = {
    id: read.id ?? null,
    name: read.name ?? null,
    if: read.if ?? null,
    env: read.env ?? {},
    continueOnError: read["continue-on-error"] ?? false,
    timeoutMinutes: read["timeout-minutes"] ?? null,
  };
  if (read.uses !== undefined && read.run === undefined) {
    return { ...common, work: { kind: "uses", uses: read.uses, with: read.with ?? {} } };
  }
  if (read.run !== undefined && read.uses === undefined) {
    const workingDirectory = read["working-directory"] ?? null;
    return { ...common, work: { kind: "run", script: read.run, shell: read.shell ?? null, workingDirectory } };
  }
  throw new WorkflowProblem("a step has either `run` or `uses`", 1);
}

function jobOf(key: string, read: Read<typeof job>): JobDefinition {
  const work = ((): JobDefinition["work"] => {
    if (read.uses !== undefined && read.steps === undefined) {
      return { kind: "call", uses: read.uses, with: read.with ?? {}, secrets: read.secrets ?? {} };
    }
    if (read.steps === undefined || read.uses !== undefined || read["runs-on"] === undefined) {
      throw new WorkflowProblem(`jobs.${key} needs either \`runs-on\` and \`steps\`, or \`uses\``, 1);
    }
    return { kind: "steps", runsOn: read["runs-on"], steps: read.steps.map(stepOf) };
  })();
  return {
    key,
    name: read.name ?? null,
    needs: read.needs ?? [],
    if: read.if ?? null,
    permissions: read.permissions ?? null,
    concurrency: concurrencyOf(read.concurrency),
    environment: typeof read.environment === "object" ? read.environment.name : (read.environment ?? null),
    env: read.env ?? {},
    defaults: defaultsOf(read.defaults),
    outputs: read.outputs ?? {},
    strategy:
      read.strategy === undefined
        ? null
        : {
            matrix: read.strategy.matrix ?? null,
            failFast: read.strategy["fail-fast"] ?? true,
            maxParallel: read.strategy["max-parallel"] ?? null,
          },
    continueOnError: read["continue-on-error"] ?? false,
    timeoutMinutes: read["timeout-minutes"] ?? 360,
    work,
  };
}

/**
 * What to tell of an issue. Where one of several forms was allowed, the form that came furthest is the one that was
 * meant: its own issue is told, with the whole path.
 */
function telling(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors.flatMap((branch) => branch.slice(0, 1).map(telling));
  const depth = (one: z.core.$ZodIssue): number => one.path.length + (one.code === "unrecognized_keys" ? 1 : 0);
  const [deepest] = inner.toSorted((a, b) => depth(b) - depth(a));
  if (deepest === undefined || depth(deepest) === 0) return issue;
  return { ...deepest, path: [...issue.path, ...deepest.path] };
}

/** Reads a workflow file's text. Throws WorkflowProblem with the first thing wrong or not implemented. */
export function readWorkflow(text: string): WorkflowDefinition {
  if (Buffer.byteLength(text) > FILE_LIMIT) throw new WorkflowProblem("the file is larger than 512 KiB", 1);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new WorkflowProblem(broken.message.split("\n", 1)[0] ?? "no YAML", lines.linePos(broken.pos[0]).line);
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      const pair = isMap(parent)
        ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
        : undefined;
      const range = pair !== undefined && isScalar(pair.key) ? pair.key.range : null;
      if (range) return lines.linePos(range[0]).line;
    }
    return 1;
  };
  const read = workflowSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!read.success) {
    const [first] = read.error.issues;
    const issue = first === undefined ? undefined : telling(first);
    if (issue === undefined) throw new WorkflowProblem("the file does not have the form of a workflow", 1);
    const [key] = issue.code === "unrecognized_keys" ? issue.keys : [];
    const path = key === undefined ? issue.path : [...issue.path, key];
    const shown = path.map(String).join(".");
    const message =
      key === undefined ? `${shown || "the file"}: ${issue.message}` : `not implemented in the sandbox: ${shown}`;
    throw new WorkflowProblem(message, lineOf(path));
  }
  const { data } = read;
  const call = data.on.workflow_call;
  const definition: WorkflowDefinition = {
    name: data.name ?? null,
    runName: data["run-name"] ?? null,
    on: Object.fromEntries(
      Object.entries(data.on).map(([event, filter]) => [event, filterOf(trigger.nullable().catch(null).parse(filter))]),
    ),
    call:
      call === undefined
        ? null
        : {
            inputs: Object.fromEntries(
              Object.entries(call?.inputs ?? {}).map(([name, input]) => [
                name,
                { type: input.type, required: input.required ?? false, default: input.default },
              ]),
            ),
            outputs: Object.fromEntries(
              Object.entries(call?.outputs ?? {}).map(([name, output]) => [name, output.value]),
            ),
            secrets: Object.fromEntries(
              Object.entries(call?.secrets ?? {}).map(([name, secret]) => [
                name,
                { required: secret?.required ?? false },
              ]),
            ),
          },
    dispatchInputs: Object.fromEntries(
      Object.entries(data.on.workflow_dispatch?.inputs ?? {}).map(([name, input]) => [
        name,
        {
          type: input.type === "number" || input.type === "boolean" ? input.type : "string",
          required: input.required ?? false,
          default: input.default,
        },
      ]),
    ),
    permissions: data.permissions ?? null,
    env: data.env ?? {},
    defaults: defaultsOf(data.defaults),
    concurrency: concurrencyOf(data.concurrency),
    jobs: Object.entries(data.jobs).map(([key, read]) => jobOf(key, read)),
  };
  checkNeeds(definition, (key) => lineOf(["jobs", key, "needs"]));
  return definition;
}

function checkNeeds(definition: WorkflowDefinition, lineOf: (key: string) => number): void {
  const byKey = new Map(definition.jobs.map((one) => [one.key, one]));
  const checked = new Set<JobDefinition>();
  const visit = (one: JobDefinition, above: readonly string[]): void => {
    if (checked.has(one)) return;
    if (above.includes(one.key))
      throw new WorkflowProblem(`jobs need each other: ${[...above, one.key].join(" → ")}`, lineOf(one.key));
    for (const need of one.needs) {
      const next = byKey.get(need);
      if (next === undefined)
        throw new WorkflowProblem(`jobs.${one.key} needs "${need}", which is no job`, lineOf(one.key));
      visit(next, [...above, one.key]);
    }
    checked.add(one);
  };
  for (const one of definition.jobs) visit(one, []);
}
