/** Workflows and events that somebody asks for. */
import { readFileAt } from "../code/commits.ts";
import { invalid, notFound } from "../errors.ts";
import type { Actor, Repository, Workflow, WorkflowRun } from "../model/index.ts";
import { emit, type World } from "../world.ts";
import { createRun } from "./runs.ts";
import { readYaml } from "./workflows.ts";

const inputsLimit = 25;

/**
 * Starts a workflow that lists `workflow_dispatch`, on a branch or tag. The run stands at once, its jobs follow.
 * @throws WorldError invalid: no such trigger, unknown or missing inputs, too many
 */
export function dispatchWorkflow(
  world: World,
  actor: Actor,
  repo: Repository,
  workflow: Workflow,
  input: { readonly ref: string; readonly inputs: Readonly<Record<string, unknown>> },
): WorkflowRun {
  const ref = ["refs/heads/", "refs/tags/"]
    .map((prefix) => (input.ref.startsWith("refs/") ? input.ref : prefix + input.ref))
    .find((r) => repo.refs.has(r));
  const sha = ref === undefined ? undefined : repo.refs.get(ref);
  if (ref === undefined || sha === undefined) throw invalid(`No ref found for: ${input.ref}`);
  const file = readFileAt(world, repo, workflow.path, sha);
  if (file === null) throw notFound();
  const declared = dispatchInputs(file.bytes.toString("utf8"));
  if (declared === null) throw invalid("Workflow does not have 'workflow_dispatch' trigger");
  const inputs = resolveInputs(declared, input.inputs);
  const run = createRun(world, actor, {
    repository: repo,
    path: workflow.path,
    event: "workflow_dispatch",
    ref,
    sha,
    headSha: sha,
    headBranch: ref.replace(/^refs\/(heads|tags)\//, ""),
    inputs,
    payload: { inputs, ref, workflow: workflow.path },
  });
  emit(world, { kind: "workflow_dispatch", actor, repository: repo, workflow, run, inputs });
  return run;
}

/** The `on.workflow_dispatch.inputs` of a file; null: it has no such trigger. */
function dispatchInputs(text: string): Map<string, Map<string, unknown>> | null {
  const on = readYaml(text)?.get("on");
  if (on === "workflow_dispatch" || (Array.isArray(on) && on.includes("workflow_dispatch"))) return new Map();
  const trigger = child(on, "workflow_dispatch");
  if (trigger === undefined) return null;
  const inputs = child(trigger, "inputs");
  const found = new Map<string, Map<string, unknown>>();
  if (typeof inputs === "object" && inputs !== null) {
    for (const [name, input] of Object.entries(inputs)) found.set(name, new Map(Object.entries(input ?? {})));
  }
  return found;
}

/** Undefined: the value has no such key. */
function child(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(key);
}

function resolveInputs(
  declared: Map<string, Map<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const names = Object.keys(given);
  if (names.length > inputsLimit)
    throw invalid(`you may only define up to ${inputsLimit} \`inputs\` for a \`workflow_dispatch\` event`);
  const unknown = names.filter((name) => !declared.has(name));
  if (unknown.length > 0) throw invalid(`Unexpected inputs provided: ${JSON.stringify(unknown)}`);
  const inputs: Record<string, string> = {};
  for (const [name, declaration] of declared) {
    const value = given[name] ?? declaration.get("default");
    if (value === undefined || value === null) {
      if (declaration.get("required") === true) throw invalid(`Required input '${name}' not provided`);
      continue;
    }
    inputs[name] = typeof value === "string" ? value : JSON.stringify(value);
    const options = declaration.get("options");
    if (Array.isArray(options) && !options.includes(inputs[name])) {
      throw invalid(`Provided value '${inputs[name]}' for input '${name}' not in the list of allowed values`);
    }
  }
  return inputs;
}

export function dispatchRepository(
  world: World,
  actor: Actor,
  repo: Repository,
  input: { readonly eventType: string; readonly clientPayload: Readonly<Record<string, unknown>> },
): void {
  if (Object.keys(input.clientPayload).length > 10)
    throw invalid("No more than 10 properties are allowed; client_payload has too many.");
  emit(world, { kind: "repository_dispatch", actor, repository: repo, ...input });
}
