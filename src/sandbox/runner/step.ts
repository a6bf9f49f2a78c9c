/** One step's process: its files, its environment, its start, and what it said by the command files. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ActionMetadata, inputVariable } from "./action-metadata.ts";
import { createCommandFiles, readCommandFiles } from "./command-files.ts";
import { stepEnvironment } from "./environment.ts";
import type { Value } from "./expressions.ts";
import type { JobState } from "./job-state.ts";
import { type ProcessEnd, runProcess } from "./process.ts";
import type { StepLog } from "./step-log.ts";
import type { JobRequest } from "./types.ts";

/** How a step's process came out, and what the runner is to remember of it. */
export interface StepOutcome {
  readonly succeeded: boolean;
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
}

/** What is common to the starts of one step. */
export interface StepStart {
  readonly request: JobRequest;
  readonly state: JobState;
  readonly log: StepLog;
  /** `GITHUB_ACTION`: the step's id, or a name made of what it uses. */
  readonly actionName: string;
  /** The step's own `env`, evaluated. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onSummary: (markdown: string) => void;
}

interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly github: Readonly<Record<string, Value>>;
  readonly extra: Readonly<Record<string, string>>;
}

/** Shell name -> program and options, as GitHub's runner starts them; the script file comes last. */
const SHELLS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "": ["bash", "-e"],
  bash: ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"],
  sh: ["sh", "-e"],
  python: ["python"],
};

function oidcVariables(request: JobRequest): Readonly<Record<string, string>> {
  return request.oidc === null
    ? {}
    : { ACTIONS_ID_TOKEN_REQUEST_URL: request.oidc.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: request.oidc.token };
}

function cacheVariables({ cache }: JobRequest): Readonly<Record<string, string>> {
  if (cache === undefined) return {};
  return { ACTIONS_RESULTS_URL: cache.url, ACTIONS_RUNTIME_TOKEN: cache.token, ACTIONS_CACHE_SERVICE_V2: "True" };
}

function reportEnd(end: ProcessEnd, log: StepLog): boolean {
  if (end.kind !== "not_started" && end.cancelled) {
    log.error("The operation was canceled.");
    return false;
  }
  switch (end.kind) {
    case "exited":
      if (end.code === 0) return true;
      log.error(`Process completed with exit code ${end.code}.`);
      return false;
    case "signalled":
      log.error(`Process was ended by ${end.signal}.`);
      return false;
    case "not_started":
      log.error(`The process could not be started: ${end.message}`);
      return false;
    default:
      return end satisfies never;
  }
}

async function execute(start: StepStart, program: Program): Promise<StepOutcome> {
  const { request, state, log } = start;
  const files = await createCommandFiles(state.folders.temporary);
  const environment = stepEnvironment({
    github: program.github,
    runner: state.runner,
    env: { ...Object.fromEntries(state.env), ...start.env },
    path: state.path,
    trackingId: state.trackingId,
    extra: { ...files, ...oidcVariables(request), ...cacheVariables(request), ...program.extra },
  });
  const end = await runProcess({
    file: program.file,
    args: program.args,
    directory: program.directory,
    env: environment,
    onLine: log.printed,
    signal: start.signal,
    cancelTimes: request.cancelTimes,
  });
  const wrote = await readCommandFiles(files);
  for (const problem of wrote.problems) log.error(problem.message);
  for (const [name, value] of wrote.env) state.env.set(name, value);
  for (const entry of wrote.path) state.path.unshift(entry);
  if (wrote.summary.trim() !== "") start.onSummary(state.masks.hide(wrote.summary));
  const ended = reportEnd(end, log);
  return {
    succeeded: ended && !log.said.refused && !wrote.problems.some((problem) => problem.fatal),
    outputs: new Map([...log.said.outputs, ...wrote.outputs]),
    state: new Map([...log.said.state, ...wrote.state]),
  };
}

/** Runs a `run:` step. */
export async function runScript(
  start: StepStart,
  step: { readonly script: string; readonly shell: string; readonly workingDirectory: string },
): Promise<StepOutcome> {
  const { state, log } = start;
  const shell = SHELLS[step.shell];
  if (shell === undefined) {
    log.error(`not implemented in the sandbox: shell: ${step.shell}`);
    return { succeeded: false, outputs: new Map(), state: new Map() };
  }
  const [file, ...options] = shell;
  const script = join(state.folders.temporary, `${randomUUID()}${step.shell === "python" ? ".py" : ".sh"}`);
  await writeFile(script, `${step.script}\n`, { mode: 0o700 });
  log.note(`##[group]Run ${step.script.split("\n", 1)[0] ?? ""}`);
  for (const line of step.script.replace(/\n$/, "").split("\n")) log.note(line);
  log.note(`shell: ${[file, ...options].join(" ")} {0}`);
  log.note("##[endgroup]");
  const directory = resolve(state.folders.workspace, step.workingDirectory);
  await mkdir(directory, { recursive: true });
  const github = { ...state.github, action: start.actionName };
  const outcome = await execute(start, { file, args: [...options, script], directory, github, extra: {} });
  await rm(script, { force: true });
  return outcome;
}

/** Runs an action's `main` (or `post`) with the Node of this process: 24, which `node24` promises. */
export function runAction(
  start: StepStart,
  step: {
    readonly action: ActionMetadata;
    readonly script: string;
    /** Input name -> value; names the action does not declare are handed over too, with a warning before. */
    readonly inputs: Readonly<Record<string, string>>;
    /** From GITHUB_STATE of an earlier life of this step. */
    readonly savedState: ReadonlyMap<string, string>;
    readonly repository: { readonly name: string; readonly ref: string } | null;
  },
): Promise<StepOutcome> {
  const { state } = start;
  const inputs = Object.entries(step.inputs).map(([name, value]) => [inputVariable(name), value]);
  const saved = [...step.savedState].map(([name, value]) => [`STATE_${name}`, value]);
  return execute(start, {
    file: process.execPath,
    args: [join(step.action.directory, step.script)],
    directory: state.folders.workspace,
    github: {
      ...state.github,
      action: start.actionName,
      action_repository: step.repository?.name ?? "",
      action_ref: step.repository?.ref ?? "",
    },
    extra: { ...Object.fromEntries(inputs), ...Object.fromEntries(saved) },
  });
}
