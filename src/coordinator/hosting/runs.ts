/** All runs of one coordinator: opened by the first agent that joins, found by the others, taken up after a restart. */

import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import type { RunState } from "../../run/machine.ts";
import { apply, begin } from "../../run/machine.ts";
import { type RunSpec, runCreated } from "../../run/types.ts";
import { steadyNow } from "../../steady-clock.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { GroupRun } from "./group-run.ts";
import { RunHost } from "./host.ts";
import { type RunRecord, type RunStore, VersionConflict } from "./run-store.ts";

/** How long the agents of a run that is over are still answered from memory. Milliseconds. */
const KEEP_MS = 10 * 60 * 1000;
const MOST_RUNS = 10_000;
/** How often it is said that a run's records cannot be kept. Milliseconds. */
const TOLD_EVERY_MS = 30_000;

export interface RunsOptions {
  /** Keeps runs; null: they live and die with this process. */
  readonly store: RunStore | null;
  readonly now?: () => number;
  /** Told after each change of a run, in the same tick; must not throw. */
  readonly onChange?: (run: GroupRun) => void;
  /** Told of what went wrong on our side. */
  readonly onError: (error: unknown, what: string) => void;
  /** Milliseconds; default 10 min. */
  readonly keepMs?: number;
}

function goingAway(): Refusal {
  return new Refusal("not_stored", "this coordinator is going away: ask again");
}

/** A coordinator that is closed decides nothing any more: only what is over can be told. @throws Refusal */
function stillAnswered(run: GroupRun | null): GroupRun | null {
  if (run !== null && !run.host.isOver) throw goingAway();
  return run;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #now: () => number;
  readonly #runs = new Map<string, Promise<GroupRun | null>>();
  readonly #closing = new Map<string, NodeJS.Timeout>();
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#now = options.now ?? steadyNow;
  }

  /** Finds the run that a request to join names, or begins it. @throws Refusal */
  async open(spec: RunSpec): Promise<GroupRun> {
    const id = runIdOf(spec.key);
    const found = await this.find(id);
    if (found !== null) return found;
    // Nobody else may begin it meanwhile: what is found now is found by all.
    const begun = this.#runs.get(id) ?? this.#hold(id, this.#begin(id, spec));
    const run = await begun;
    if (run === null) throw new Refusal("not_found", `run ${id} could not be begun`);
    return run;
  }

  /** @returns null when there is none, neither here nor in the store */
  async find(id: string): Promise<GroupRun | null> {
    const here = this.#runs.get(id);
    if (here !== undefined) return this.#closed ? stillAnswered(await here) : await here;
    if (this.#closed) throw goingAway();
    if (this.#options.store === null) return null;
    const loading = this.#load(id);
    const held = this.#hold(id, loading);
    return await held;
  }

  /** The runs that are in memory. */
  async *[Symbol.asyncIterator](): AsyncGenerator<GroupRun> {
    for (const run of [...this.#runs.values()]) {
      const found = await run;
      if (found !== null) yield found;
    }
  }

  /** Takes up what was going on when the last process ended. */
  async restore(): Promise<void> {
    for (const id of (await this.#options.store?.unfinished()) ?? []) await this.find(id);
  }

  /**
   * Held agents are answered; the runs go on where another coordinator takes them up. Whoever still reaches this one is
   * told the end of a run that is over.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#closing.values()) clearTimeout(timer);
    for await (const run of this) {
      run.host.close();
      await run.host.saved().catch((error: unknown) => this.#options.onError(error, `run ${run.id}`));
    }
  }

  /** One look-up of a run at a time; one that found nothing or failed is forgotten. */
  #hold(id: string, work: Promise<GroupRun | null>): Promise<GroupRun | null> {
    this.#runs.set(id, work);
    const forget = (): void => {
      if (this.#runs.get(id) === work) this.#runs.delete(id);
    };
    work.then((run) => {
      if (run === null) forget();
    }, forget);
    return work;
  }

  async #begin(id: string, spec: RunSpec): Promise<GroupRun> {
    const { key, plan, agentCount } = spec;
    if (this.#closed) throw goingAway();
    if (this.#runs.size > MOST_RUNS) {
      throw new Refusal("too_many", `this coordinator already hosts ${MOST_RUNS} runs`, 30);
    }
    if (key.plan !== plan.name) {
      throw new Refusal("invalid", `the run's key names plan ${key.plan}, the plan calls itself ${plan.name}`);
    }
    if (agentCount > PLAN_BOUNDS.agents) {
      throw new Refusal(
        "over_limit",
        `a run takes at most ${PLAN_BOUNDS.agents} agents, this one asks for ${agentCount}`,
      );
    }
    if (plan.agentCount !== null && plan.agentCount !== agentCount) {
      throw new Refusal("invalid", `the plan is for ${plan.agentCount} agents, the request for ${agentCount}`);
    }
    return this.#host(id, runCreated(spec, this.#now()), undefined, []);
  }

  async #load(id: string): Promise<GroupRun | null> {
    const records = (await this.#options.store?.load(id)) ?? [];
    const first = records[0]?.event;
    if (first === undefined) return null;
    if (first.type !== "created") throw new Error(`the store's run ${id} does not begin with its creation`);
    const state = records.slice(1).reduce<RunState>((before, { event }) => apply(before, event), begin(first));
    const run = this.#host(id, first, state, records);
    if (!run.host.isOver) {
      run.host.commit({ event: { type: "coordinator_started", at: run.host.now } });
      await run.host.saved();
    }
    return run;
  }

  #host(
    id: string,
    created: Extract<RunRecord["event"], { type: "created" }>,
    state: RunState | undefined,
    records: readonly RunRecord[],
  ): GroupRun {
    const { store } = this.#options;
    let version = records.length;
    let toldAt = Number.NEGATIVE_INFINITY;
    const append = async (batch: readonly RunRecord[]): Promise<void> => {
      if (store === null) return;
      try {
        await store.append(id, version, batch);
        version += batch.length;
      } catch (error) {
        // Each request tries again, many times a second.
        const now = this.#now();
        if (now - toldAt >= TOLD_EVERY_MS) {
          toldAt = now;
          this.#options.onError(error, `run ${id}: ${batch.length} records could not be kept`);
        }
        // What is in memory is not the run any more: the next request finds the one that is stored.
        if (error instanceof VersionConflict) this.#drop(id);
        throw new Refusal("not_stored", "the coordinator cannot keep this at the moment: ask again");
      }
    };
    const host = new RunHost(
      { created, now: this.#now, ...(store === null ? {} : { append }), onChange: () => this.#changed(id, run) },
      state,
    );
    const run: GroupRun = new GroupRun(host, records);
    if (host.isOver) this.#closeLater(id);
    return run;
  }

  #changed(id: string, run: GroupRun): void {
    if (run.host.isOver && !this.#closing.has(id)) {
      const over = run.host.saved().then(() => this.#options.store?.close(id, this.#now()));
      over.catch((error: unknown) => this.#options.onError(error, `run ${id} could not be marked as over`));
      this.#closeLater(id);
    }
    this.#options.onChange?.(run);
  }

  #closeLater(id: string): void {
    const timer = setTimeout(() => this.#drop(id), this.#options.keepMs ?? KEEP_MS);
    timer.unref();
    this.#closing.set(id, timer);
  }

  #drop(id: string): void {
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    clearTimeout(this.#closing.get(id));
    this.#closing.delete(id);
    void run?.then((found) => found?.host.close()).catch(() => undefined);
  }
}
