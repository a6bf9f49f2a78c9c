/** What a step's `run` or `uses` means: a script, a built-in action, or an action of the sandbox. */
import { resolve } from "node:path";
import { inputVariable, readActionMetadata } from "./action-metadata.ts";
import { ExpressionProblem, expandText, type Scope } from "./expressions.ts";
import { type JobState, scopeOf } from "./job-state.ts";
import { runAction, runScript, type StepOutcome } from "./step.ts";
import type { StepLog } from "./step-log.ts";
import type { JobRequest, PostStep, RunnerServices, StepDefinition } from "./types.ts";

interface Work {
  readonly request: JobRequest;
  readonly services: RunnerServices;
  readonly state: JobState;
  readonly step: StepDefinition;
  /** The steps before it, to give it a name of its own. */
  readonly earlier: readonly StepDefinition[];
  readonly log: StepLog;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onSummary: (markdown: string) => void;
  readonly onPost: (post: PostStep) => void;
}

const nothing = { outputs: new Map<string, string>(), state: new Map<string, string>() };

/** The name people see: the step's own, else `Run …`. */
export function stepName(step: StepDefinition, scope: Scope): string {
  const fallback = `Run ${step.work.kind === "uses" ? step.work.uses : (step.work.script.split("\n", 1)[0] ?? "")}`;
  if (step.name === null) return fallback;
  try {
    return expandText(step.name, scope);
  } catch (error) {
    if (error instanceof ExpressionProblem) return step.name;
    throw error;
  }
}

/** `GITHUB_ACTION`: the id, else `__run`, `__self`, `__owner_repo`, with `_2`, `_3`, … for the later ones. */
export function actionName(step: StepDefinition, earlier: readonly StepDefinition[]): string {
  const base = (one: StepDefinition): string => {
    if (one.work.kind === "run") return "__run";
    if (one.work.uses.startsWith("./")) return "__self";
    return `__${(one.work.uses.split("@", 1)[0] ?? "").replace(/[^A-Za-z0-9]+/g, "_")}`;
  };
  if (step.id !== null) return step.id;
  const before = earlier.filter((one) => one.id === null && base(one) === base(step)).length;
  return before === 0 ? base(step) : `${base(step)}_${before + 1}`;
}

/** Carries a step out. Throws what the runner itself cannot do, with the reason. */
export async function workOf(work: Work): Promise<StepOutcome> {
  const { request, state, step, log } = work;
  const scope = scopeOf(request, state, work.env);
  const start = {
    request,
    state,
    log,
    actionName: actionName(step, work.earlier),
    env: work.env,
    signal: work.signal,
    onSummary: work.onSummary,
  };
  if (step.work.kind === "run") {
    return runScript(start, {
      script: expandText(step.work.script, scope),
      shell: step.work.shell ?? request.defaults.shell ?? "",
      workingDirectory: expandText(step.work.workingDirectory ?? request.defaults.workingDirectory ?? ".", scope),
    });
  }
  const { uses } = step.work;
  const given = Object.fromEntries(
    Object.entries(step.work.with).map(([name, value]) => [name.toLowerCase(), expandText(value, scope)]),
  );
  if (/^actions\/checkout@/.test(uses)) return checkout(work, given);
  const action = await readActionMetadata(await directoryOf(work, uses));
  log.note(`##[group]Run ${uses}`);
  for (const [name, value] of Object.entries(given)) log.note(`  ${name}: ${value}`);
  log.note("##[endgroup]");
  const known = Object.keys(action.inputs);
  const unknown = Object.keys(given).filter((name) => !known.some((one) => inputVariable(one) === inputVariable(name)));
  if (unknown.length > 0) {
    const names = unknown.map((name) => `'${name}'`).join(", ");
    log.printed(
      `::warning::Unexpected input(s) ${names}, valid inputs are [${known.map((one) => `'${one}'`).join(", ")}]`,
    );
  }
  const inputs = { ...given };
  for (const [name, fallback] of Object.entries(action.inputs)) {
    const value = Object.entries(given).find(([one]) => inputVariable(one) === inputVariable(name))?.[1];
    inputs[name] = value ?? expandText(fallback, scope);
  }
  const [address, ref] = uses.split("@");
  const repository = address === undefined || ref === undefined ? null : { name: address.split("/", 2).join("/"), ref };
  const outcome = await runAction(start, { action, script: action.main, inputs, savedState: new Map(), repository });
  if (action.post !== null) {
    work.onPost({
      name: stepName(step, scope),
      actionName: start.actionName,
      action,
      script: action.post,
      inputs,
      env: work.env,
      savedState: outcome.state,
      repository,
    });
  }
  return outcome;
}

async function directoryOf(work: Work, uses: string): Promise<string> {
  if (uses.startsWith("./")) return resolve(work.state.folders.workspace, uses);
  if (uses.startsWith("docker://")) throw new ExpressionProblem(`not implemented in the sandbox: uses: ${uses}`);
  const directory = await work.services.resolveAction(uses);
  if (directory === null) throw new ExpressionProblem(`not implemented in the sandbox: uses: ${uses}`);
  return directory;
}

/** Inputs of actions/checkout that have their effect here, and those that change nothing in the sandbox. */
const CHECKOUT_INPUTS = ["repository", "ref", "path"];
const CHECKOUT_WITHOUT_EFFECT = ["fetch-depth", "persist-credentials", "token", "clean", "show-progress"];

async function checkout(work: Work, given: Readonly<Record<string, string>>): Promise<StepOutcome> {
  for (const name of Object.keys(given)) {
    if (!CHECKOUT_INPUTS.includes(name) && !CHECKOUT_WITHOUT_EFFECT.includes(name)) {
      work.log.error(`not implemented in the sandbox: the input '${name}' of actions/checkout`);
      return { succeeded: false, ...nothing };
    }
  }
  const { github, folders } = work.state;
  const repository = given.repository ?? String(github.repository);
  const commit = await work.services.checkout({
    repository,
    ref: given.ref === undefined || given.ref === "" ? null : given.ref,
    directory: resolve(folders.workspace, given.path ?? "."),
  });
  work.log.note(`Checked out ${repository} at ${commit}`);
  return { succeeded: true, outputs: new Map([["commit", commit]]), state: new Map() };
}
