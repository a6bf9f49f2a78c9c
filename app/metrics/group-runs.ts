/** How the groups fare whose runs are hosted here: who was lost, and how long the first had to wait for the last. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { GroupRun } from "../../src/coordinator/hosting/group-run.ts";
import { itemAt, type PersistentArray } from "../../src/run/persistent-array.ts";
import type { AgentState, RunState, StageRun } from "../../src/run/state.ts";
import { RUN_STATUSES, type RunStatus } from "../../src/run/types.ts";

/** What metrics are told of a run as it stands. */
export interface HostedRunSeen {
  readonly status: RunStatus;
  /** Since when somebody waits at a barrier for the others; null: nobody does. On the run's clock. */
  readonly waitingSince: number | null;
  readonly now: number;
}

const WAIT_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400];

export class GroupRunMetrics {
  readonly #runs: Gauge<"state">;
  readonly #oldest: Gauge;
  readonly #lost: Counter;
  readonly #waits: Histogram;
  /** As each was seen last. */
  readonly #seen = new WeakMap<GroupRun, RunState>();

  constructor(registry: Registry, prefix: string) {
    const registers = [registry];
    this.#runs = new Gauge({
      name: `${prefix}group_runs`,
      help: "Runs of groups that this app hosts; those that ended, for ten minutes.",
      labelNames: ["state"],
      registers,
    });
    this.#oldest = new Gauge({
      name: `${prefix}barrier_oldest_wait_seconds`,
      help: "How long the first to arrive has been waiting at the barrier that is open longest; 0: nobody waits.",
      registers,
    });
    this.#lost = new Counter({
      name: `${prefix}agents_lost_total`,
      help: "Agents of hosted runs that fell silent for too long.",
      registers,
    });
    this.#waits = new Histogram({
      name: `${prefix}barrier_wait_seconds`,
      help: "From the first arrival at a stage's barrier to its release.",
      buckets: WAIT_BUCKETS,
      registers,
    });
  }

  /** Told after each change of a run. What is new since it was seen last is counted; of one never seen before, nothing. */
  changed(run: GroupRun): void {
    const { state } = run.host;
    const before = this.#seen.get(run);
    this.#seen.set(run, state);
    if (before === undefined || before.revision === state.revision) {
      return;
    }
    for (const [agent, old] of changedItems(before.agents, state.agents)) {
      if (isLost(agent) && !isLost(old)) {
        this.#lost.inc();
      }
    }
    for (const [stage, old] of changedItems(before.stages, state.stages)) {
      const waited = barrierWait(stage);
      if (waited !== null && (barrierWait(old) === null || old?.round !== stage.round)) {
        this.#waits.observe(waited / 1_000);
      }
    }
  }

  /** Sets the gauges. */
  read(runs: readonly HostedRunSeen[]): void {
    for (const state of RUN_STATUSES) {
      this.#runs.set({ state }, 0);
    }
    let oldest = 0;
    for (const { status, waitingSince, now } of runs) {
      this.#runs.inc({ state: status });
      oldest = Math.max(oldest, waitingSince === null ? 0 : now - waitingSince);
    }
    this.#oldest.set(oldest / 1_000);
  }
}

/** What `read` wants to know of a run. */
export function hostedRunSeen(run: GroupRun): HostedRunSeen {
  const { state, now } = run.host;
  const { segment, status } = state;
  let waitingSince: number | null = null;
  for (let stage = segment?.first ?? 0; segment !== null && stage <= segment.last; stage += 1) {
    const { firstArrivalAt, phase, workers } = itemAt(state.stages, stage) ?? {};
    if (phase === "open" && firstArrivalAt != null && (workers ?? 0) > 1) {
      waitingSince = Math.min(waitingSince ?? firstArrivalAt, firstArrivalAt);
    }
  }
  return { status, waitingSince: run.host.isOver ? null : waitingSince, now };
}

function isLost(agent: AgentState | undefined): boolean {
  return agent?.presence === "lost";
}

/** Milliseconds; null: nobody waited there for another, or it is not over. */
function barrierWait(stage: StageRun | undefined): number | null {
  return stage === undefined || stage.closedAt === null || stage.firstArrivalAt === null || stage.workers < 2
    ? null
    : Math.max(0, stage.closedAt - stage.firstArrivalAt);
}

/** Those that are others than before, with what they were; chunks that are the same are passed over. */
function* changedItems<T>(before: PersistentArray<T>, now: PersistentArray<T>): Generator<[T, T | undefined]> {
  for (const [number, chunk] of now.entries()) {
    const old = before[number];
    if (chunk === old) {
      continue;
    }
    for (const [at, item] of chunk.entries()) {
      if (item !== old?.[at]) {
        yield [item, old?.[at]];
      }
    }
  }
}
