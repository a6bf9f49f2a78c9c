/** What a runner keeps in mind while a job's steps pass by. */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Folders, runnerContext } from "./environment.ts";
import { ExpressionProblem, expandText, type Scope, type Value } from "./expressions.ts";
import { createMasks, type Masks } from "./masks.ts";
import type { JobRequest, Outcome } from "./types.ts";

export interface JobState {
  status: "success" | "failure" | "cancelled";
  /** Of workflow, job and GITHUB_ENV. */
  readonly env: Map<string, string>;
  /** From GITHUB_PATH, the latest first. */
  readonly path: string[];
  /** Step id -> what `steps.<id>` is. */
  readonly steps: Map<string, { outputs: Record<string, string>; outcome: Outcome; conclusion: Outcome }>;
  readonly github: Readonly<Record<string, Value>>;
  readonly runner: Readonly<Record<string, string>>;
  readonly folders: Folders;
  readonly masks: Masks;
  /** RUNNER_TRACKING_ID: by it the runner finds what a job left running. */
  readonly trackingId: string;
}

/** Makes a job's folders and event file and evaluates its `env`. Throws ExpressionProblem. */
export async function createJobState(request: JobRequest): Promise<JobState> {
  const { github } = request;
  const repository = String(github.repository ?? "").split("/")[1] ?? "repository";
  const folders: Folders = {
    pipeline: join(request.directory, repository),
    workspace: join(request.directory, repository, repository),
    temporary: join(request.directory, "_temp"),
    tools: join(request.directory, "_tool"),
  };
  const eventDirectory = join(folders.temporary, "_github_workflow");
  for (const folder of [folders.workspace, folders.tools, eventDirectory]) await mkdir(folder, { recursive: true });
  const eventPath = join(eventDirectory, "event.json");
  await writeFile(eventPath, JSON.stringify(github.event ?? {}, null, 2));
  const state: JobState = {
    status: "success",
    env: new Map(),
    path: [],
    steps: new Map(),
    github: { ...github, job: request.id, workspace: folders.workspace, event_path: eventPath, token: request.token },
    runner: runnerContext(request.runner.name, folders),
    folders,
    masks: createMasks([request.token, request.oidc?.token ?? "", request.cache?.token ?? "", ...request.secrets]),
    trackingId: `github_${randomUUID()}`,
  };
  for (const block of request.env) {
    const scope = scopeOf(request, state);
    for (const [name, template] of Object.entries(block)) state.env.set(name, expandText(template, scope));
  }
  return state;
}

/** What an expression of a step can see now. `env`: the step's own variables, over the job's. */
export function scopeOf(request: JobRequest, state: JobState, env: Readonly<Record<string, string>> = {}): Scope {
  return {
    contexts: {
      ...request.contexts,
      github: state.github,
      env: { ...Object.fromEntries(state.env), ...env },
      runner: state.runner,
      job: { status: state.status },
      steps: Object.fromEntries(state.steps),
    },
    functions: {
      success: () => state.status === "success",
      failure: () => state.status === "failure",
      cancelled: () => state.status === "cancelled",
      always: () => true,
      hashFiles: () => {
        throw new ExpressionProblem("not implemented in the sandbox: hashFiles()");
      },
    },
  };
}
