/** All runs of one coordinator: opened by the first agent that joins, found by the others, taken up after a restart. */

import type { Created, RunState } from "../../run/machine.ts";
import { type RunSpec, runCreated } from "../../run/types.ts";
import { steadyNow } from "../../steady-clock.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { Elsewhere, type OwnedRun, type RunOwners } from "../replicas/owners.ts";
import { carriedFromBefore } from "./earlier-attempts.ts";
import { GroupRun } from "./group-run.ts";
import { RunHost } from "./host.ts";
import { checkNewRun, checkResume } from "./new-run.ts";
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
  /** Where several coordinators share the store: whose each run is. Default: all are this one's. */
  readonly owners?: RunOwners;
  /** Told of a run that was begun before and is gone on with here, or whose end is yet to be seen to. */
  readonly onTaken?: (run: GroupRun) => void;
  /** Told of a run that another coordinator goes on with. */
  readonly onLost?: (run: GroupRun) => void;
  /** What is to be done when a run is over, by whoever has it then. Rejects: it is yet to be done, by another process. */
  readonly onOver?: (run: GroupRun) => Promise<void>;
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
  /** Runs whose end is being seen to, or was. */
  readonly #ended = new Set<string>();
  readonly #owned = new WeakMap<GroupRun, OwnedRun>();
  /** Runs that cannot be gone on with -> why. */
  readonly #unreadable = new Map<string, string>();
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#now = options.now ?? steadyNow;
  }

  /** Finds the run that a request to join names, or begins it. @throws Refusal; Elsewhere */
  async open(spec: RunSpec & { readonly resume?: boolean | undefined }): Promise<GroupRun> {
    const id = runIdOf(spec.key);
    const found = await this.find(id);
    // Nobody else may begin it meanwhile: what is found now is found by all.
    const run = found ?? (await (this.#runs.get(id) ?? this.#hold(id, this.#begin(id, spec))));
    if (run === null) throw new Refusal("not_found", `run ${id} could not be begun`);
    if (this.#options.store !== null) checkResume(run.host.state, spec);
    return run;
  }

  /**
   * @returns null when there is none, neither here nor in the store
   * @throws Refusal of one that cannot be read; Elsewhere of one that another coordinator has
   */
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
      const found = await run.catch(() => null);
      if (found !== null) yield found;
    }
  }

  /** Takes up what was going on when the last process ended. */
  async restore(): Promise<void> {
    await this.takeUp((await this.#options.store?.unfinished()) ?? []);
  }

  /** Goes on with these. One that cannot be, or is another's by now, is no reason not to go on with the others. */
  async takeUp(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      try {
        const run = await this.find(id);
        if (run === null || !run.host.isOver || this.#ended.has(id)) continue;
        this.#options.onTaken?.(run);
        this.#end(id, run);
      } catch (error) {
        if (!this.#unreadable.has(id) && !(error instanceof Elsewhere)) throw error;
      }
    }
  }

  /** By what this coordinator has the run; null: there are no others. */
  owned(run: GroupRun): OwnedRun | null {
    return this.#owned.get(run) ?? null;
  }

  /** Whether the run is in memory, or about to be. */
  holds(id: string): boolean {
    return this.#runs.has(id);
  }

  /** Drops from memory what is another coordinator's by now. */
  async confirm(): Promise<void> {
    for await (const run of this) await run.host.confirm().catch(() => undefined);
  }

  /**
   * Held agents are answered; the runs go on where another coordinator takes them up. Whoever still reaches this one is
   * told the end of a run that is over.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#closing.values()) clearTimeout(timer);
    const ending: Promise<void>[] = [];
    for await (const run of this) {
      run.host.close();
      ending.push(this.#leave(run));
    }
    await Promise.all(ending);
  }

  /** What is kept is anybody's, without delay. */
  async #leave(run: GroupRun): Promise<void> {
    try {
      await run.host.saved();
      await this.#owned.get(run)?.release();
    } catch (error) {
      if (!(error instanceof Elsewhere)) this.#options.onError(error, `run ${run.id}`);
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
    if (this.#closed) throw goingAway();
    if (this.#runs.size > MOST_RUNS) {
      throw new Refusal("too_many", `this coordinator already hosts ${MOST_RUNS} runs`, 30);
    }
    checkNewRun(spec);
    const { store } = this.#options;
    const carried = spec.resume === true && store !== null ? await carriedFromBefore(store, spec) : spec.carried;
    const owned = (await this.#options.owners?.take(id)) ?? null;
    if (this.#closed) {
      await owned?.release();
      throw goingAway();
    }
    const created = runCreated({ ...spec, ...(carried === undefined ? {} : { carried }) }, this.#now());
    return this.#host(id, created, { version: 0, replayed: 0 }, owned);
  }

  async #load(id: string): Promise<GroupRun | null> {
    const known = this.#unreadable.get(id);
    if (known !== undefined) throw unreadable(known);
    const { store, owners } = this.#options;
    // Nothing is claimed for the sake of a run that there is not.
    if (owners !== undefined && (await store?.has(id)) !== true) return null;
    const owned = (await owners?.take(id)) ?? null;
    try {
      return await this.#takeUp(id, owned);
    } catch (error) {
      if (error instanceof UnreadableRun) {
        this.#giveUp(id, error, owned);
        throw unreadable(error.message);
      }
      await owned?.release().catch((failure: unknown) => this.#options.onError(failure, `the claim of run ${id}`));
      throw error;
    }
  }

  async #takeUp(id: string, owned: OwnedRun | null): Promise<GroupRun | null> {
    const { store, onTaken } = this.#options;
    const stored = await store?.load(id);
    if (stored == null) return null;
    const { state, sessions } = restoreRun(stored);
    const run = this.#host(id, state, { version: stored.version, replayed: stored.records.length }, owned, sessions);
    // Whoever had it before can keep nothing more of it from then on.
    if (run.host.isOver) return run;
    run.host.commit({ event: { type: "coordinator_started", at: run.host.now } });
    await run.host.saved().catch((error: unknown) => {
      this.#lose(run);
      throw error;
    });
    onTaken?.(run);
    return run;
  }

  /** Its agents are told why, whoever follows it elsewhere, too; then it is over. */
  #giveUp(id: string, error: UnreadableRun, owned: OwnedRun | null): void {
    const { store, onError, onUnreadable } = this.#options;
    this.#unreadable.set(id, error.message);
    onError(error, `run ${id} cannot be gone on with`);
    const over = Promise.resolve(onUnreadable?.(id, error.message))
      .then(() => store?.close(id, this.#now()))
      .finally(() => owned?.release());
    over.catch((failure: unknown) => onError(failure, `the end of run ${id}`));
  }

  #host(
    id: string,
    from: Created | RunState,
    kept: Pick<RunWriterOptions, "version" | "replayed">,
    owned: OwnedRun | null,
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
      onConflict: () => this.#lose(run),
      ...(leastJournalBytes === undefined ? {} : { leastJournalBytes }),
    };
    const writer = store === null ? null : new RunWriter({ ...about, store });
    const host = new RunHost(from, {
      now: this.#now,
      ...(writer === null ? {} : { append: (batch) => writer.write(batch) }),
      ...(owned === null ? {} : { confirm: () => this.#confirmed(owned, run) }),
      onChange: () => this.#changed(id, run),
    });
    const run: GroupRun = new GroupRun(host, sessions);
    if (owned !== null) this.#owned.set(run, owned);
    if (host.isOver) this.#closeLater(id);
    return run;
  }

  #confirmed(owned: OwnedRun, run: GroupRun): Promise<void> | null {
    const asked = owned.confirm();
    return (
      asked?.catch((error: unknown) => {
        if (error instanceof Elsewhere) this.#lose(run, error);
        throw error;
      }) ?? null
    );
  }

  #changed(id: string, run: GroupRun): void {
    if (run.host.isOver) {
      this.#end(id, run);
      if (!this.#closing.has(id)) this.#closeLater(id);
    }
    this.#options.onChange?.(run);
  }

  /** Once it is kept that it is over: until its end has been seen to, any process that takes it up does so. */
  #end(id: string, run: GroupRun): void {
    if (this.#ended.has(id)) return;
    this.#ended.add(id);
    const { store, onError, onOver } = this.#options;
    const owned = this.#owned.get(run);
    const close = async (): Promise<void> => await store?.close(id, this.#now());
    const over = async (): Promise<void> => {
      await run.host.kept();
      await onOver?.(run);
      await (owned === undefined ? close() : owned.within(close));
    };
    over().catch((error: unknown) => {
      this.#ended.delete(id);
      if (!run.host.isLost && !this.#closed) onError(error, `run ${id} could not be marked as over`);
    });
  }

  #closeLater(id: string): void {
    const timer = setTimeout(() => this.#drop(id), this.#options.keepMs ?? KEEP_MS);
    timer.unref();
    this.#closing.set(id, timer);
  }

  /** Nobody asks for it any more. */
  #drop(id: string): void {
    const held = this.#forget(id);
    void held
      ?.then(async (run) => {
        run?.host.close();
        if (run != null) await this.#owned.get(run)?.release();
      })
      .catch((error: unknown) => this.#options.onError(error, `run ${id}`));
  }

  /** Another coordinator goes on with it: the next request finds out which. */
  #lose(run: GroupRun, why?: Error): void {
    if (run.host.isLost) return;
    run.host.lose(why);
    this.#forget(run.id);
    this.#options.owners?.forget(run.id);
    this.#options.onLost?.(run);
  }

  #forget(id: string): Promise<GroupRun | null> | undefined {
    const held = this.#runs.get(id);
    this.#runs.delete(id);
    this.#ended.delete(id);
    clearTimeout(this.#closing.get(id));
    this.#closing.delete(id);
    return held;
  }
}
