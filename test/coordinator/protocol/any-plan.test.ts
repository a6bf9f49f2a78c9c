/**
 * Whatever a plan says, a group of two runs to an end: over the real protocol, with stubs in place of commands that say
 * as much as commands may, and a clock that nobody has to wait for. STAGEWRIGHT_PROPERTY_RUNS plays more of them.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fitted, within } from "../../../src/agent/output/report-limits.ts";
import type { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { WIRE_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json, Plan } from "../../../src/plan/plan.ts";
import { readPlan } from "../../../src/plan/read.ts";
import { taskKey } from "../../../src/plan/stages/tasks.ts";
import type { Instruction } from "../../../src/run/instruction.ts";
import type { RunSummary } from "../../../src/run/result/record.ts";
import type { AttemptEnd, AttemptReport } from "../../../src/run/types.ts";
import { clientOf, idle, joinOf, NEVER, startCoordinator } from "../builders.ts";
import { plans } from "./extreme-plans.ts";

const RUNS = Number(process.env.STAGEWRIGHT_PROPERTY_RUNS ?? 12);
/** Longer plans say nothing more, and take their time. */
const MOST_EXCHANGES = 400;
const SECONDS = 120_000;

/** The coordinator's, which goes on only when a stub has worked. */
let clock = 1_800_000_000_000;
let serving: Serving;
const errors: unknown[] = [];
beforeAll(async () => {
  serving = await startCoordinator({ now: () => clock, errors });
});
afterAll(async () => await serving.close());

/** What a command may say at most. */
const LOUD = {
  outputs: Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`out-${n}`, "o".repeat(20_000)])),
  annotations: Array.from({ length: 40 }, (_, n) => {
    return { path: "a.ts", line: n + 1, level: "notice" as const, title: null, message: "m".repeat(20_000) };
  }),
  tail: "t".repeat(16_384),
};
const QUIET = { outputs: {}, annotations: [], tail: "" };

class StubAgent {
  readonly name: string;
  readonly #client: HttpCoordinator;
  readonly #plan: Plan;
  readonly #loud: boolean;
  readonly #done = new Set<string>();
  #finished: AttemptReport[] = [];
  #tasks: Json[] = [];
  instruction: Instruction | null = null;
  exchanges = 0;
  /** It has something to tell. */
  isBusy = false;

  constructor(name: string, client: HttpCoordinator, plan: Plan, loud: boolean) {
    this.name = name;
    this.#client = client;
    this.#plan = plan;
    this.#loud = loud;
  }

  async turn(): Promise<RunSummary | null> {
    const { instruction } = this;
    const stage = instruction !== null && "stage" in instruction ? instruction.stage : null;
    const wants =
      instruction?.do === "execute" && stage !== null ? (this.#plan.stages[stage]?.tasks?.concurrency ?? 0) : 0;
    const addTasks = within(this.#tasks, WIRE_BOUNDS.tasks, WIRE_BOUNDS.taskBytes);
    const isListed = addTasks.length === this.#tasks.length;
    const finished = isListed ? within(this.#finished, WIRE_BOUNDS.reports, WIRE_BOUNDS.reportBytes) : [];
    const status = instruction?.do === "execute" ? "running" : "idle";
    const answer = await this.#client.sync(idle({ stage, status, wants, addTasks, finished }), 0, NEVER);
    this.exchanges += 1;
    this.#tasks = this.#tasks.slice(addTasks.length);
    this.#finished = this.#finished.slice(finished.length);
    this.instruction = answer.instruction;
    if (answer.instruction.do === "finish") return answer.instruction.summary;
    if (answer.instruction.do === "execute") this.#work(answer.instruction);
    this.isBusy = this.#finished.length + this.#tasks.length > 0;
    return null;
  }

  #work(execute: Extract<Instruction, { do: "execute" }>): void {
    const stage = this.#plan.stages[execute.stage];
    if (stage === undefined) throw new Error(`there is no stage ${execute.stage}`);
    clock = Math.max(clock, execute.startAt);
    for (const lease of execute.leases)
      this.#end(execute.stage, lease.attempt, taskKey(lease.value, Number(lease.task)));
    if (execute.tasksOnly || this.#done.has(execute.attempt)) return;
    if (stage.tasks?.source.kind === "from") this.#tasks.push("a", { id: "b" }, "c".repeat(60_000), 4);
    if (stage.durationMs === null) this.#end(execute.stage, execute.attempt, null);
    else if (clock >= execute.startAt + stage.durationMs) {
      this.#end(execute.stage, execute.attempt, null, { kind: "time_over", limit: "duration" });
    }
  }

  #end(stage: number, attempt: string, task: string | null, end: AttemptEnd = EXITED): void {
    if (this.#done.has(attempt)) return;
    this.#done.add(attempt);
    const about = {
      stage,
      attempt,
      task,
      startedAt: clock - 1,
      endedAt: clock,
      end,
      progress: null,
      metrics: [],
      histograms: {},
    };
    this.#finished.push(fitted({ ...about, ...(this.#loud ? LOUD : QUIET) }).report);
  }
}
const EXITED: AttemptEnd = { kind: "exited", code: 0 };

/** As long as nobody is lost for it. */
function stepOf({ liveness, stages }: Plan): number {
  const limits = stages.flatMap(({ barrier: { heartbeatIntervalMs, missedThreshold } }) =>
    heartbeatIntervalMs === null && missedThreshold === null
      ? []
      : [(heartbeatIntervalMs ?? liveness.heartbeatIntervalMs) * (missedThreshold ?? 1)],
  );
  return Math.min(liveness.lostAfterMs, ...limits) / 3;
}

/** @param loud then a message carries one report: each is as large as one may be */
function isShort(plan: Plan, loud: boolean): boolean {
  const step = stepOf(plan);
  // Whose heartbeats nobody could keep up with loses its agents by its own word.
  if (step < 300) return false;
  const exchanges = plan.stages.map(({ tasks, durationMs }) => {
    const count = tasks?.source.kind === "count" ? tasks.source.count : 8;
    const atOnce = loud ? 1 : Math.min(tasks?.concurrency ?? 1, WIRE_BOUNDS.reports);
    return 4 + count / atOnce + (durationMs ?? 0) / step;
  });
  return exchanges.reduce((sum, each) => sum + each, 0) < MOST_EXCHANGES / 3;
}

let played = 0;

it("a group of two runs to an end, whatever its plan says and its commands tell", {
  timeout: SECONDS * 5,
}, async () => {
  const retries: string[] = [];
  let ran = 0;
  await fc.assert(
    fc.asyncProperty(plans, fc.boolean(), async (written, loud) => {
      const { plan } = readPlan(JSON.stringify(written), "plan.yml");
      fc.pre(plan !== null && isShort(plan, loud));
      played += 1;
      const overrides = { runId: String(played) };
      const names = [0, 1].map((index) => plan.agents[index]?.id ?? `node-${index}`);
      const agents: StubAgent[] = [];
      const joinsOf = (name: string, index: number) =>
        joinOf(plan, name, {
          index,
          key: { repositoryId: "42", attempt: 1, group: "g", plan: plan.name, ...overrides },
        });
      for (const [index, name] of names.entries()) {
        const client = clientOf(serving.address, retries);
        await client.join(joinsOf(name, index), NEVER);
        agents.push(new StubAgent(name, client, plan, loud));
      }
      const run = await serving.runs.find(runIdOf(joinsOf("", 0).key));
      const ends = new Map<string, RunSummary>();
      while (ends.size < agents.length) {
        for (const agent of agents) {
          const summary = ends.has(agent.name) ? null : await agent.turn();
          if (summary !== null) ends.set(agent.name, summary);
        }
        // Nobody is late: each has its say before the time goes on.
        if (agents.every(({ isBusy }) => !isBusy)) clock += stepOf(plan);
        expect(agents[0]?.exchanges).toBeLessThan(MOST_EXCHANGES);
      }
      const { phases } = run?.host.summary() ?? { phases: [] };
      expect(phases.flatMap((phase) => phase.agents.filter(({ status }) => status === "lost"))).toEqual([]);
      ran += phases.filter(({ status }) => status === "success").length;
    }),
    // Shrinking would play a long run again and again.
    { numRuns: RUNS, endOnFailure: true },
  );
  expect(ran).toBeGreaterThan(RUNS / 2);
  expect(retries).toEqual([]);
  expect(errors).toEqual([]);
});
