/** How long agents wait at a barrier after the last one has arrived, and what each costs the coordinator's memory. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, median, milliseconds, percentile } from "./bench.ts";
import { BenchAgent, BenchCoordinator, planOf, reportOf } from "./group.ts";
import { redisBarrier, startRedis } from "./redis.ts";

const SIZES = [16, 64, 256, 1000] as const;
const ROUNDS = 20;
/** The first ones meet code that is not compiled yet: on both sides they are left out. */
const WARM_UP = 4;
const TIMES = 3;

const PLAN = planOf(`
name: barrier
liveness: { heartbeat_interval: 60s, warn_after: 150s, lost_after: 600s }
stages:
${Array.from({ length: ROUNDS + 1 }, (_, n) => `  - { name: stage-${n}, run: "true" }`).join("\n")}
`);

interface Figures {
  /** Milliseconds from the last arrival to each release. */
  readonly delays: number[];
  readonly kilobytesAnAgent: number;
}

export const bench: Bench = {
  what: `a barrier, from the last arrival to each release: ours over HTTP, Redis's INCR and PUBLISH (${TIMES} times ${ROUNDS - WARM_UP} rounds in turn)`,
  async *run() {
    const redis = await startRedis();
    try {
      for (const size of SIZES) {
        const ours: Figures[] = [];
        const theirs: number[][] = [];
        // In turn, so that a drift of the machine hits both alike.
        for (let time = 0; time < TIMES; time += 1) {
          ours.push(await stagewrightBarrier(size));
          if (redis === null) continue;
          theirs.push((await redisBarrier(redis.port, size, ROUNDS, pauseFor(size))).slice(WARM_UP * size));
        }
        const own = `${size} agents: stagewright ${figures(ours.map(({ delays }) => delays))}`;
        if (redis === null) yield `${own} | no redis-server on the PATH`;
        else {
          const aim = size === 256 ? " (aim ≤ 1)" : "";
          const p99 = (delays: readonly number[] | undefined): number => percentile(delays ?? [], 99);
          const ratio = median(ours.map(({ delays }, time) => p99(delays) / p99(theirs[time])));
          yield `${own} | redis ${figures(theirs)} | p99 ratio ${ratio.toFixed(2)}${aim}`;
        }
        const memory = median(ours.map(({ kilobytesAnAgent }) => kilobytesAnAgent));
        if (size === 1000) yield `memory with ${size} agents held: ${memory.toFixed(1)} KB an agent (aim ≤ 20)`;
      }
    } finally {
      await redis?.close();
    }
  },
};

/** Medians over the times. */
function figures(times: readonly (readonly number[])[]): string {
  const over = (percent: number): string => milliseconds(median(times.map((delays) => percentile(delays, percent))));
  return `p50 ${over(50)}, p99 ${over(99)}`;
}

/** Milliseconds before the last agent arrives: by then the others are held, and everybody is asleep. */
function pauseFor(size: number): number {
  return 100 + size;
}

async function stagewrightBarrier(size: number): Promise<Figures> {
  const coordinator = await BenchCoordinator.start();
  const agents = Array.from({ length: size }, (_, n) => new BenchAgent(`node-${n}`, coordinator.address));
  try {
    const before = await coordinator.memory();
    const runId = randomUUID();
    // Not all at once: a matrix starts its jobs over seconds.
    for (let from = 0; from < size; from += 32) {
      const some = agents.slice(from, from + 32);
      await Promise.all(some.map((agent, n) => agent.join(PLAN, runId, size, from + n)));
    }
    let told = await Promise.all(agents.map((agent) => agent.until("execute")));
    const last = agents[size - 1];
    if (last === undefined) throw new Error("there is no agent");
    const delays: number[] = [];
    let kilobytesAnAgent = Number.NaN;
    for (let round = 0; round < ROUNDS; round += 1) {
      const finished = told.map(({ stage, attempt }) => ({
        status: "running" as const,
        stage,
        finished: [reportOf(stage, attempt, null)],
      }));
      const releasedAt: number[] = [];
      const next: Promise<(typeof told)[number]>[] = agents.slice(0, -1).map(async (agent, n) => {
        await agent.sync(finished[n] ?? {}, 0);
        const instruction = await agent.until("execute");
        releasedAt.push(performance.now());
        return instruction;
      });
      await sleep(pauseFor(size));
      if (round === ROUNDS - 1) {
        kilobytesAnAgent = ((await coordinator.memory()).used - before.used) / 1024 / size;
      }
      const arrivedAt = performance.now();
      const own = await last.sync(finished[size - 1] ?? {}, 20_000);
      const mine = own.do === "execute" ? own : await last.until("execute");
      releasedAt.push(performance.now());
      told = [...(await Promise.all(next)), mine];
      if (round >= WARM_UP) delays.push(...releasedAt.map((at) => at - arrivedAt));
    }
    return { delays, kilobytesAnAgent };
  } finally {
    for (const agent of agents) agent.close();
    await coordinator.close();
  }
}
