/** What tests of the coordinator start: plans, keys, a coordinator on loopback, agents and bare clients of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAgent } from "../../src/agent/agent.ts";
import type { AgentEvent } from "../../src/agent/log.ts";
import { HttpCoordinator } from "../../src/coordinator/client/client.ts";
import { Runs, type RunsOptions } from "../../src/coordinator/hosting/runs.ts";
import type { CoordinatorPort, JoinRequest } from "../../src/coordinator/protocol/port.ts";
import { type Serving, serveLoopback } from "../../src/coordinator/server/serve.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";
import type { RunKey, Sync } from "../../src/run/types.ts";

export const SECRET = "a-secret-of-this-test-long-enough";
export const NEVER = new AbortController().signal;
export const EVERYTHING = { only: null, skip: [], stopAfter: null };

export function planOf(text: string): Plan {
  const { plan, problems } = readPlan(text, "plan.yml");
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan;
}

export function keyOf(plan: Plan, overrides: Partial<RunKey> = {}): RunKey {
  return { repositoryId: "42", runId: "1001", attempt: 1, group: "train", plan: plan.name, ...overrides };
}

export function joinOf(plan: Plan, agent: string, overrides: Partial<JoinRequest> = {}): JoinRequest {
  return {
    key: keyOf(plan),
    plan,
    selection: EVERYTHING,
    agentCount: plan.agentCount ?? 1,
    agent,
    role: null,
    index: null,
    address: null,
    ...overrides,
  };
}

/** What an agent says that has nothing to say. */
export function idle(overrides: Partial<Omit<Sync, "session" | "agent">> = {}): Omit<Sync, "session" | "agent"> {
  return {
    doing: "idle",
    status: "idle",
    stage: null,
    progress: null,
    finished: [],
    wants: 0,
    addTasks: [],
    ready: [],
    outputs: {},
    ...overrides,
  };
}

export async function startCoordinator(
  options: Partial<RunsOptions> & { readonly port?: number; readonly errors?: unknown[] } = {},
): Promise<Serving> {
  const onError = (error: unknown): void => void options.errors?.push(error);
  const runs = new Runs({ store: null, onError, ...options });
  const port = options.port === undefined ? {} : { port: options.port };
  return await serveLoopback({ secret: SECRET, runs, onError, ...port });
}

export function clientOf(address: string, retries: string[] = []): HttpCoordinator {
  return new HttpCoordinator({
    url: new URL(`http://${address}`),
    credential: async () => SECRET,
    onRetry: (why) => retries.push(why),
  });
}

export interface TestAgent {
  readonly events: AgentEvent[];
  readonly agent: ReturnType<typeof createAgent>;
}

const directories: string[] = [];

/** An agent with real processes, in a directory of its own. */
export function agentOf(coordinator: CoordinatorPort, request: JoinRequest): TestAgent {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
  directories.push(directory);
  const events: AgentEvent[] = [];
  const { plan, key, role, index, address, selection, agentCount } = request;
  const agent = createAgent({
    plan,
    planFile: "plan.yml",
    key,
    name: request.agent,
    role,
    index,
    address,
    workingDirectory: directory,
    environment: { PATH: process.env.PATH, RUNNER_TEMP: directory },
    ownSecrets: [],
    commandLine: [process.execPath, new URL("../../src/cli.ts", import.meta.url).pathname],
    log: (event) => events.push(event),
    coordinator,
    selection,
    agentCount,
  });
  return { events, agent };
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}
