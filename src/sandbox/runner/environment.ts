/** The environment of a step's process: what of the machine it sees, and the `GITHUB_*` and `RUNNER_*` variables. */
import { arch } from "node:os";
import { delimiter } from "node:path";
import type { Value } from "./expressions.ts";

/** What a step inherits of the machine. Everything else stays out: the sandbox's own secrets and npm's variables. */
const INHERITED = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS"];

/** The parts of the `github` context that become variables, as in GitHub's runner. */
const GITHUB_VARIABLES = [
  ...["action", "action_path", "action_ref", "action_repository", "actor", "actor_id", "api_url", "base_ref"],
  ...["event_name", "event_path", "graphql_url", "head_ref", "job", "ref", "ref_name", "ref_protected", "ref_type"],
  ...["repository", "repository_id", "repository_owner", "repository_owner_id", "retention_days", "run_attempt"],
  ...["run_id", "run_number", "server_url", "sha", "triggering_actor", "workflow", "workflow_ref", "workflow_sha"],
  "workspace",
];

export interface Folders {
  /** GITHUB_WORKSPACE: where the repository's files are. */
  readonly workspace: string;
  /** RUNNER_WORKSPACE: its parent. */
  readonly pipeline: string;
  readonly temporary: string;
  readonly tools: string;
}

/** The `runner` context, whose values are the `RUNNER_*` variables too. */
export function runnerContext(name: string, folders: Folders): Readonly<Record<string, string>> {
  return {
    name,
    os: process.platform === "darwin" ? "macOS" : process.platform === "win32" ? "Windows" : "Linux",
    arch: arch() === "arm64" ? "ARM64" : "X64",
    temp: folders.temporary,
    tool_cache: folders.tools,
    workspace: folders.pipeline,
    environment: "self-hosted",
  };
}

export interface StepEnvironment {
  readonly github: Readonly<Record<string, Value>>;
  readonly runner: Readonly<Record<string, string>>;
  /** Of workflow, job, GITHUB_ENV and step, the inner ones over the outer. */
  readonly env: Readonly<Record<string, string>>;
  /** Added by GITHUB_PATH, the latest first. */
  readonly path: readonly string[];
  readonly trackingId: string;
  /** Command files, inputs, state, OIDC: what this one process gets besides. */
  readonly extra: Readonly<Record<string, string>>;
}

/** The whole environment. `GITHUB_*` and `RUNNER_*` cannot be overwritten by `env`, as at GitHub. */
export function stepEnvironment(parts: StepEnvironment): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  Object.assign(environment, { CI: "true" }, parts.env);
  for (const name of GITHUB_VARIABLES) {
    const value = parts.github[name];
    if (value !== undefined && value !== null && typeof value !== "object") {
      environment[`GITHUB_${name.toUpperCase()}`] = String(value);
    }
  }
  for (const [name, value] of Object.entries(parts.runner)) environment[`RUNNER_${name.toUpperCase()}`] = value;
  environment.GITHUB_ACTIONS = "true";
  environment.RUNNER_TRACKING_ID = parts.trackingId;
  environment.PATH = [...parts.path, environment.PATH ?? "/usr/local/bin:/usr/bin:/bin"].join(delimiter);
  return { ...environment, ...parts.extra };
}
