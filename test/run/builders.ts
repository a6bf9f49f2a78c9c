/** Plans, events and a small world of obedient agents, for tests of the machine. */
import type { Acceptable, Barrier, Dependency, Plan, PlanStage, Retry } from "../../src/plan/plan.ts";
import type { MachineFacts } from "../../src/run/group/machine-facts.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import { apply, begin, instructionFor, type RunState } from "../../src/run/machine.ts";
import type { AttemptEnd, AttemptReport, RunEvent, RunKey, Sync } from "../../src/run/types.ts";

export const key: RunKey = { repositoryId: "1", runId: "2", attempt: 1, group: "bench", plan: "plan" };

export const barrier: Barrier = {
  rule: { kind: "all_or_nothing" },
  timeoutMs: null,
  stragglerGraceMs: 30_000,
  onStraggler: "exclude",
  heartbeatIntervalMs: null,
  missedThreshold: null,
  queryTimeoutMs: null,
  queryRetries: null,
};

export function retrying(overrides: Partial<Retry>): Retry {
  return {
    maxAttempts: 2,
    attemptTimeoutMs: null,
    on: ["failure", "timeout"],
    backoffMs: 1_000,
    maxBackoffMs: 60_000,
    onExitCodes: null,
    notOnExitCodes: [],
    ...overrides,
  };
}

export function planStage(overrides: Partial<PlanStage> & { readonly name: string }): PlanStage {
  return {
    description: null,
    index: 0,
    order: 1,
    type: "custom",
    completion: "script_exit",
    line: 1,
    column: 1,
    command: { kind: "script", script: "true" },
    env: {},
    workingDirectory: null,
    durationMs: null,
    maxDurationMs: null,
    timeoutMs: 600_000,
    optional: false,
    when: "on_success",
    runsOn: { kind: "all" },
    role: null,
    retry: retrying({ maxAttempts: 1 }),
    barrier,
    dependsOn: [],
    expectedObjects: null,
    expectedTasks: null,
    thresholds: null,
    expect: [],
    checkpoint: false,
    context: null,
    contextLimit: 65_536,
    tasks: null,
    background: null,
    ...overrides,
  };
}

export function needs(stage: string, ...evenIf: readonly Acceptable[]): Dependency {
  return { stage, evenIf };
}

export type StageOverrides = Partial<PlanStage> & { readonly name: string };

export function plan(stages: readonly StageOverrides[], overrides: Partial<Plan> = {}): Plan {
  return {
    name: "plan",
    agentCount: null,
    agents: [],
    roles: {},
    sharedFilesystem: false,
    treeCreationMode: "isolated",
    pathSelection: "partitioned",
    env: {},
    params: {},
    deadlineMs: null,
    assembly: { timeoutMs: 1_200_000, atLeast: null },
    liveness: { heartbeatIntervalMs: 2_000, warnAfterMs: 5_000, lostAfterMs: 30_000 },
    stages: stages.map((stage, index) => planStage({ index, order: index + 1, ...stage })),
    ...overrides,
  };
}

export function created(of: Plan, agentCount: number, at = 0): Extract<RunEvent, { type: "created" }> {
  return {
    type: "created",
    version: 2,
    at,
    key,
    plan: of,
    selection: { only: null, skip: [], stopAfter: null },
    agentCount,
  };
}

export function joined(
  agent: string,
  at: number,
  overrides: Partial<Extract<RunEvent, { type: "joined" }>> = {},
): Extract<RunEvent, { type: "joined" }> {
  const nothing = { role: null, index: null, address: null, checkRunId: null };
  return { type: "joined", at, agent, session: `${agent}#1`, ...nothing, ...overrides };
}

/** A machine that is known again by this name. */
export function machineOf(host: string): MachineFacts {
  return { cores: 8, memoryBytes: 1, cpu: "", os: "linux", kernel: "6", arch: "x64", runner: null, host };
}

export function synced(
  agent: string,
  at: number,
  overrides: Partial<Sync> & { readonly sequence?: number } = {},
): Extract<RunEvent, { type: "synced" }> {
  return {
    type: "synced",
    at,
    agent,
    session: `${agent}#1`,
    doing: "something",
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

export function report(
  overrides: Partial<AttemptReport> & { readonly stage: number; readonly attempt: string },
): AttemptReport {
  return {
    task: null,
    startedAt: 0,
    endedAt: 0,
    end: { kind: "exited", code: 0 },
    progress: null,
    metrics: [],
    histograms: {},
    outputs: {},
    annotations: [],
    tail: "",
    ...overrides,
  };
}

/** A run with its agents by name, moved by hand: `at` is the time now. */
export class Group {
  state: RunState;
  at: number;
  readonly names: readonly string[];

  constructor(of: Plan, size: number, options: { readonly names?: readonly string[] } = {}) {
    this.at = 1_000_000;
    this.state = begin(created(of, size, this.at));
    this.names = options.names ?? Array.from({ length: size }, (_, index) => `agent-${index}`);
  }

  /** Whatever follows from an event follows at once: the same time once more decides nothing. */
  send(event: RunEvent): void {
    this.state = apply(this.state, event);
    const again = apply(this.state, { type: "ticked", at: this.state.now });
    if (again.revision === this.state.revision) return;
    throw new Error(`"${event.type}" left something to do: ${again.notices.at(-1)?.text}`);
  }

  join(...names: readonly string[]): this {
    for (const name of names.length > 0 ? names : this.names) this.send(joined(name, this.at));
    return this;
  }

  /** Lets time pass in small steps, everyone but the silent ones giving signs of life. */
  pass(ms: number, silent: readonly string[] = []): this {
    const until = this.at + ms;
    while (this.at < until) {
      this.at = Math.min(until, this.at + 1_000);
      this.send({ type: "ticked", at: this.at });
      for (const name of this.names) if (!silent.includes(name)) this.sync(name);
    }
    return this;
  }

  sync(agent: string, overrides: Partial<Sync> & { readonly sequence?: number } = {}): Instruction {
    const now = this.instruction(agent);
    const stage = "stage" in now ? now.stage : null;
    this.send(synced(agent, this.at, { stage, status: now.do === "execute" ? "running" : "idle", ...overrides }));
    return this.instruction(agent);
  }

  instruction(agent: string): Instruction {
    return instructionFor(this.state, agent);
  }

  execute(agent: string): Extract<Instruction, { do: "execute" }> {
    const instruction = this.instruction(agent);
    if (instruction.do !== "execute") throw new Error(`${agent} is to ${JSON.stringify(instruction)}`);
    return instruction;
  }

  /** Reports the end of what the agent executes now. */
  finish(agent: string, end: AttemptEnd = { kind: "exited", code: 0 }, more: Partial<AttemptReport> = {}): Instruction {
    const { stage, attempt } = this.execute(agent);
    const times = { startedAt: this.at, endedAt: this.at };
    return this.sync(agent, { finished: [report({ stage, attempt, end, ...times, ...more })] });
  }

  finishAll(end?: AttemptEnd): this {
    for (const name of this.names) if (this.instruction(name).do === "execute") this.finish(name, end);
    return this;
  }

  notices(): readonly string[] {
    return this.state.notices.map(({ text }) => text);
  }
}

/** Background commands that the group still relies on. */
export function reliedOn({ state }: Group): number {
  return state.agents.flat().flatMap(({ backgrounds }) => backgrounds.filter(({ ending }) => ending === undefined))
    .length;
}
