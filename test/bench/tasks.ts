/** Tasks that eight agents lease and complete in a second, against BullMQ's workers. */
import { randomUUID } from "node:crypto";
import type { Instruction, Lease } from "../../src/run/instruction.ts";
import { type Bench, median } from "./bench.ts";
import { BenchAgent, BenchCoordinator, planOf, reportOf } from "./group.ts";
import { bullmqTasks, startRedis } from "./redis.ts";

const AGENTS = 8;
/** Enough for both sides to be past their start: after some hundred requests each is twice as fast as in its first. */
const TASKS = 16_000;
const TIMES = 3;

/** How many each agent has at a time: leases and results of one agent travel together. */
const CONCURRENCIES = [1, 8] as const;

const planFor = (concurrency: number) =>
  planOf(`
name: tasks
liveness: { heartbeat_interval: 60s, warn_after: 150s, lost_after: 600s }
stages:
  - { name: work, run: "true", tasks: { count: ${TASKS} }, concurrency: ${concurrency} }
`);

export const bench: Bench = {
  what: `${TASKS} tasks that do nothing, leased and completed by ${AGENTS} agents, against as many workers of BullMQ`,
  async *run() {
    const redis = await startRedis();
    try {
      for (const concurrency of CONCURRENCIES) {
        const ours: number[] = [];
        const theirs: number[] = [];
        for (let n = 0; n < TIMES; n += 1) {
          ours.push(await stagewrightTasks(concurrency));
          if (redis !== null) theirs.push(await bullmqTasks(redis.port, AGENTS, concurrency, TASKS));
        }
        const rate = `${concurrency} at a time each: stagewright ${Math.round(median(ours))} tasks/s`;
        if (redis === null) yield `${rate} | no redis-server on the PATH`;
        else {
          const ratio = median(ours.map((value, n) => value / (theirs[n] ?? Number.NaN)));
          yield `${rate} | BullMQ ${Math.round(median(theirs))} tasks/s | ratio ${ratio.toFixed(2)} (aim ≥ 3)`;
        }
      }
    } finally {
      await redis?.close();
    }
  },
};

async function stagewrightTasks(concurrency: number): Promise<number> {
  const plan = planFor(concurrency);
  const coordinator = await BenchCoordinator.start();
  const agents = Array.from({ length: AGENTS }, (_, n) => new BenchAgent(`node-${n}`, coordinator.address));
  try {
    const runId = randomUUID();
    await Promise.all(agents.map((agent, n) => agent.join(plan, runId, AGENTS, n)));
    await Promise.all(agents.map((agent) => agent.until("execute")));
    const started = performance.now();
    const done = await Promise.all(agents.map((agent) => carryOut(agent, concurrency)));
    const seconds = (performance.now() - started) / 1000;
    const all = done.reduce((sum, count) => sum + count, 0);
    if (all !== TASKS) throw new Error(`${all} of ${TASKS} tasks were done`);
    return TASKS / seconds;
  } finally {
    for (const agent of agents) agent.close();
    await coordinator.close();
  }
}

/** Takes and completes tasks until the run is over. @returns how many */
async function carryOut(agent: BenchAgent, concurrency: number): Promise<number> {
  let count = 0;
  let leases: readonly Lease[] = [];
  for (;;) {
    const finished = leases.map(({ attempt, task }) => reportOf(0, attempt, task));
    const holdMs = finished.length > 0 ? 0 : 1_000;
    const sync = { status: "running" as const, stage: 0, wants: concurrency, finished };
    const instruction: Instruction = await agent.sync(sync, holdMs);
    count += finished.length;
    if (instruction.do === "finish") return count;
    leases = instruction.do === "execute" ? instruction.leases : [];
  }
}
