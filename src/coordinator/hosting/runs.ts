/** All runs of one coordinator: opened by the first agent that joins, found by the others, taken up after a restart. */

import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import type { Created, RunState } from "../../run/machine.ts";
import { type RunSpec, runCreated } from "../../run/types.ts";
import { steadyNow } from "../../steady-clock.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { carriedFromBefore } from "./earlier-attempts.ts";
import { GroupRun } from "./group-run.ts";
import { RunHost } from "./host.ts";
import { type RunStore, UnreadableRun } from "./run-store.ts";
import { RunWriter, type RunWriterOptions } from "./run-writer.ts";
import type { SessionTable } from "./session-table.ts";
import { restoreRun, snapshotOf } from "./snapshot.ts";

/** How long the agents of a run that is over are still answered from memory. Milliseconds. */
const KEEP_MS = 10 * 60 * 1000;
const MOST_RUNS = 10_000;

export interface RunsOptions {
  /** Keeps runs; null: they live and die with this process. */
  readonly store: RunStore | null;
  readonly now?: () => number;
  /** Told after each change of a run, in the same tick; must not throw. */
  readonly onChange?: (run: GroupRun) => void;
  /** Told of what went wrong on our side. */
  readonly onError: (error: unknown, what: string) => void;
  /** Told of a run that cannot be gone on with, and why, once for each process until it resolves: then the run is over. */
  readonly onUnreadable?: (run: string, why: string) => Promise<void>;
  /** Milliseconds; default 10 min. */
  readonly keepMs?: number;
  /** Bytes of records that are kept of a run before they are replaced by a snapshot; see `RunWriter`. */
  readonly leastJournalBytes?: number;
}

function goingAway(): Refusal {
  return new Refusal("not_stored", "this coordinator is going away: ask again");
}

function unreadable(why: string): Refusal {
  return new Refusal("ended", `this run cannot be gone on with: ${why}`);
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
  /** Runs that cannot be gone on with -> why. */
  readonly #unreadable = new Map<string, string>();
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#now = options.now ?? steadyNow;
  }

  /** Finds the run that a request to join names, or begins it. @throws Refusal */
  async open(spec: RunSpec & { readonly resume?: boolean | undefined }): Promise<GroupRun> {
    const id = runIdOf(spec.key);
    const found = await this.find(id);
    // Nobody else may begin it meanwhile: what is found now is found by all.
    const run = found ?? (await (this.#runs.get(id) ?? this.#hold(id, this.#begin(id, spec))));
    if (run === null) throw new Refusal("not_found", `run ${id} could not be begun`);
    this.#checkResume(run, spec);
    return run;
  }

  /** Where attempts are kept, whoever comes first decides for the group whether it goes on: the others must want the same. */
  #checkResume({ host }: GroupRun, { key, resume = false }: RunSpec & { readonly resume?: boolean | undefined }): void {
    const { resumed, anew } = host.state.carried;
    const goesOn = resumed !== undefined || anew !== undefined;
    if (this.#options.store === null || key.attempt === 1 || resume === goesOn) return;
    const [own, others] = [`resume: ${resume}`, `resume: ${goesOn}`];
    throw new Refusal(
      "different_plan",
      `this agent says ${own}, the others of this run ${others}: all must say one of them`,
    );
  }

  /** @returns null when there is none, neither here nor in the store. @throws Refusal of one that cannot be read */
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

  /** Takes up what was going on when the last process ended. A run that cannot be is no reason not to take up the others. */
  async restore(): Promise<void> {
    for (const id of (await this.#options.store?.unfinished()) ?? []) {
      await this.find(id).catch((error: unknown) => {
        if (!this.#unreadable.has(id)) throw error;
      });
    }
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

  async #begin(id: string, spec: RunSpec & { readonly resume?: boolean | undefined }): Promise<GroupRun> {
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
    const { store } = this.#options;
    const carried = spec.resume === true && store !== null ? await carriedFromBefore(store, spec) : spec.carried;
    if (this.#closed) throw goingAway();
    const created = runCreated({ ...spec, ...(carried === undefined ? {} : { carried }) }, this.#now());
    return this.#host(id, created, { version: 0, replayed: 0 });
  }

  async #load(id: string): Promise<GroupRun | null> {
    const known = this.#unreadable.get(id);
    if (known !== undefined) throw unreadable(known);
    try {
      const stored = await this.#options.store?.load(id);
      if (stored == null) return null;
      const { state, sessions } = restoreRun(stored);
      const run = this.#host(id, state, { version: stored.version, replayed: stored.records.length }, sessions);
      if (!run.host.isOver) {
        run.host.commit({ event: { type: "coordinator_started", at: run.host.now } });
        await run.host.saved();
      }
      return run;
    } catch (error) {
      if (!(error instanceof UnreadableRun)) throw error;
      this.#giveUp(id, error);
      throw unreadable(error.message);
    }
  }

  /** Its agents are told why, whoever follows it elsewhere, too; then it is over. */
  #giveUp(id: string, error: UnreadableRun): void {
    const { store, onError, onUnreadable } = this.#options;
    this.#unreadable.set(id, error.message);
    onError(error, `run ${id} cannot be gone on with`);
    const over = Promise.resolve(onUnreadable?.(id, error.message)).then(() => store?.close(id, this.#now()));
    over.catch((failure: unknown) => onError(failure, `the end of run ${id}`));
  }

  #host(
    id: string,
    from: Created | RunState,
    kept: Pick<RunWriterOptions, "version" | "replayed">,
    sessions?: SessionTable,
  ): GroupRun {
    const { store, onError, leastJournalBytes } = this.#options;
    const about = {
      ...kept,
      id,
      onError,
      now: this.#now,
      snapshot: () => snapshotOf(run.host.state, run.sessions),
      isOver: () => run.host.isOver,
      onConflict: () => this.#drop(id),
      ...(leastJournalBytes === undefined ? {} : { leastJournalBytes }),
    };
    const writer = store === null ? null : new RunWriter({ ...about, store });
    const host = new RunHost(from, {
      now: this.#now,
      ...(writer === null ? {} : { append: (batch) => writer.write(batch) }),
      onChange: () => this.#changed(id, run),
    });
    const run: GroupRun = new GroupRun(host, sessions);
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
