/**
 * Works through what is due: one worker for each kind of thing, the same rules for all of them.
 *
 * Installations take turns, and so do the repositories of one. Each installation has a few places of its own, so one
 * whose requests hang, fail or are refused keeps nobody else waiting; while GitHub has asked to leave it alone, nothing
 * of it is begun. Of what belongs together (a pull request's effects) one is handled at a time. It looks when it is
 * told, when the next thing falls due, and now and then in case nobody told.
 */
import { setImmediate } from "node:timers/promises";
import { ClaimLost, type InstallationId } from "../store/model.ts";
import { LocalClaims } from "./claims.ts";
import type { DueQueue } from "./due-queue.ts";
import { failureOfWork } from "./failure.ts";
import type { ProgressMarks } from "./in-progress/in-progress.ts";
import { inTurns } from "./in-turns.ts";
import { RepeatedFailure } from "./repeated-failure.ts";
import { type Ownership, type Scope, SOLE_OWNERSHIP, type TakenScope } from "./replicas/ownership.ts";
import type { Runtime } from "./runtime.ts";
import { WorkerLoop } from "./worker-loop.ts";
import type { Worker } from "./workers.ts";

export interface DueWorkerOptions extends Pick<Runtime, "log" | "now" | "timings" | "writers" | "wakeups"> {
  /** Needed for what has a kind. */
  readonly inProgress?: ProgressMarks;
  /** Whose installations it works for; default: all are its own. */
  readonly ownership?: Pick<Ownership, "shared" | "owns" | "run">;
  /** Of one installation, handled at once. */
  readonly each?: number;
  /** Of all together. */
  readonly total?: number;
  /** Taken from the store at once. */
  readonly page?: number;
  /** Handed over together; default: one. */
  readonly batch?: (installationId: InstallationId) => number;
}

const EACH = 4;
const TOTAL = 256;
const PAGE = 16;
/** After the store failed. */
const STORE_PAUSE_MS = 1_000;
/** For what nobody told of. */
const POLL_MS = 60_000;

/** What one installation has to do. */
interface InstallationState<T> {
  readonly installationId: InstallationId;
  waiting: T[];
  /** All that was due when the store was asked last was taken. */
  complete: boolean;
  readonly handling: Map<string, T>;
  going: number;
  /** Ended since the store was last asked: what it answers may not know of that. */
  readonly ended: Set<string>;
  page: object;
  /** Not before: what became of something could not be stored. */
  restUntil: number;
}

export class DueWorker<T> implements Worker {
  readonly #options: DueWorkerOptions;
  readonly #queue: DueQueue<T>;
  readonly #loop: WorkerLoop;
  readonly #states = new Map<InstallationId, InstallationState<T>>();
  readonly #claims = new LocalClaims();
  readonly #unstored: RepeatedFailure;
  readonly #stop = new AbortController();
  #going = 0;
  #ended: (() => void)[] = [];

  constructor(options: DueWorkerOptions, queue: DueQueue<T>) {
    this.#options = options;
    this.#queue = queue;
    const { log, now } = options;
    const looking = `looking for due ${queue.what}`;
    const failing = `${looking} fails`;
    const looks = new RepeatedFailure({ log, now, failing, over: `${looking} succeeds again` });
    this.#loop = new WorkerLoop(() => this.#pass(), now, looks);
    this.#unstored = new RepeatedFailure({
      ...{ log, now },
      failing: `what became of due ${queue.what} could not be stored`,
      over: `what becomes of due ${queue.what} can be stored again`,
    });
    options.wakeups.on(queue.topic, () => this.wake());
  }

  async takeUp(scope: TakenScope, unreleased: boolean): Promise<void> {
    await this.#queue.takeUp?.(scope, unreleased);
  }

  drop(scope: Scope): void {
    const state = scope === "app" ? undefined : this.#states.get(scope);
    if (state !== undefined) {
      state.waiting = [];
    }
  }

  start(): void {
    this.wake();
  }

  get #ownership(): Pick<Ownership, "shared" | "owns" | "run"> {
    return this.#options.ownership ?? SOLE_OWNERSHIP;
  }

  /** Something may be due. */
  wake(): void {
    this.#loop.wake();
  }

  get idle(): boolean {
    return this.#loop.idle && this.#going === 0;
  }

  /** Resolves when what is being handled has ended. What waits stays stored. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("The app is stopping."));
    await this.#loop.stop();
    while (this.#going > 0) {
      await new Promise<void>((resolve) => this.#ended.push(resolve));
    }
  }

  /** Handles this alone, whatever else waits: nothing else goes on; and should something, then not with this. */
  async alone(item: T, installationId: InstallationId): Promise<void> {
    const state = this.#stateOf(installationId);
    const key = this.#keyOf(item);
    if (this.#isHeld(state) || !this.#claims.claim(key)) {
      return;
    }
    try {
      await this.#handle([item], state);
    } finally {
      this.#claims.release(key);
      this.wake();
    }
  }

  /** Gives each installation that has something due its places. Resolves with when to look again. */
  async #pass(): Promise<number | null> {
    const { inProgress, now, timings } = this.#options;
    await inProgress?.ready();
    const at = now();
    const { installations, nextAt } = await this.#queue.outlook(at);
    const poll = this.#ownership.shared ? timings.sharedPoll : POLL_MS;
    let next = Math.min(at + poll, nextAt ?? at + poll);
    for (const installationId of installations) {
      if (this.#stop.signal.aborted) {
        return null;
      }
      if (!this.#ownership.owns(installationId)) {
        // Somebody else's; or it is ours soon, and told then.
        continue;
      }
      const state = this.#stateOf(installationId);
      if (this.#isHeld(state)) {
        next = Math.min(next, this.#heldUntil(state));
      } else if (this.#going < (this.#options.total ?? TOTAL)) {
        await this.#fill(state).catch(unlessLost);
      }
    }
    return next;
  }

  /** Takes more from the store where there is room for it, and begins as much as there are places. */
  async #fill(state: InstallationState<T>): Promise<void> {
    this.#begin(state);
    // What waits behind its own kind may be all that was taken: then more is.
    for (let limit = this.#page(state); this.#hasRoom(state); limit *= 2) {
      const asked = limit + state.handling.size;
      state.complete = (await this.#take(state, asked)) < asked;
      this.#begin(state);
      if (state.complete) {
        return;
      }
    }
  }

  #page({ installationId }: InstallationState<T>): number {
    const { page = PAGE, batch } = this.#options;
    return batch === undefined ? page : batch(installationId);
  }

  #hasRoom(state: InstallationState<T>): boolean {
    const { each = EACH, total = TOTAL } = this.#options;
    return (
      state.going < each &&
      this.#going < total &&
      !this.#stop.signal.aborted &&
      !this.#isHeld(state) &&
      this.#ownership.owns(state.installationId)
    );
  }

  /** Resolves with how many are due, as far as was asked. */
  async #take(state: InstallationState<T>, limit: number): Promise<number> {
    const { inProgress, now } = this.#options;
    const { idOf, kind } = this.#queue;
    state.ended.clear();
    const due = await this.#queue.due(state.installationId, now(), limit);
    const fresh = due.filter((item) => !state.handling.has(idOf(item)) && !state.ended.has(idOf(item)));
    if (kind !== null && fresh.length > 0) {
      await inProgress?.mark(kind, [...state.handling.keys(), ...fresh.map(idOf)], state.installationId);
    }
    const late = fresh.filter((item) => !state.ended.has(idOf(item)));
    state.waiting = inTurns(late, (item) => this.#queue.repositoryOf(item));
    state.page = {};
    return due.length;
  }

  /** Begins what may be begun. */
  #begin(state: InstallationState<T>): void {
    while (this.#hasRoom(state)) {
      const items = this.#next(state);
      if (items.length === 0) {
        return;
      }
      this.#going += 1;
      state.going += 1;
      void this.#run(items, state);
    }
  }

  /** The next that nobody handles, nor anything that comes before it. */
  #next(state: InstallationState<T>): T[] {
    const most = this.#options.batch?.(state.installationId) ?? 1;
    const taken: T[] = [];
    const left: T[] = [];
    for (const item of state.waiting) {
      if (taken.length < most && this.#claims.claim(this.#keyOf(item))) {
        taken.push(item);
        state.handling.set(this.#queue.idOf(item), item);
      } else {
        left.push(item);
      }
    }
    state.waiting = left;
    return taken;
  }

  /** Never throws. */
  async #run(items: readonly T[], state: InstallationState<T>): Promise<void> {
    // Handling may wait for nothing but promises that are already kept: webhooks must be answered in between.
    await setImmediate();
    try {
      await this.#handle(items, state);
      this.#unstored.succeeded();
    } catch (error) {
      if (error instanceof ClaimLost) {
        // Whoever has it now does it anew.
        state.waiting = [];
      } else {
        this.#unstored.failed(error);
        state.restUntil = this.#options.now() + STORE_PAUSE_MS;
      }
    }
    for (const item of items) {
      this.#claims.release(this.#keyOf(item));
      state.handling.delete(this.#queue.idOf(item));
      state.ended.add(this.#queue.idOf(item));
    }
    this.#going -= 1;
    state.going -= 1;
    if (this.#isHeld(state)) {
      // What was put off keeps its place: what comes first is asked anew then.
      state.waiting = [];
    }
    this.#begin(state);
    if (state.going === 0 && this.#queue.kind !== null && state.waiting.length === 0) {
      this.#options.inProgress?.done(this.#queue.kind, state.installationId);
    }
    if (state.waiting.length === 0 || (!state.complete && state.going < (this.#options.each ?? EACH))) {
      this.wake();
    }
    for (const told of this.#ended.splice(0)) {
      told();
    }
  }

  async #handle(items: readonly T[], state: InstallationState<T>): Promise<void> {
    await this.#ownership.run(state.installationId, () => this.#handleOwned(items, state));
  }

  async #handleOwned(items: readonly T[], state: InstallationState<T>): Promise<void> {
    const { installationId, page } = state;
    try {
      await this.#queue.handle(items, { installationId, signal: this.#stop.signal, page });
    } catch (error) {
      const { now, timings, log, writers } = this.#options;
      const failure = failureOfWork(error, now());
      if (failure.kind === "rate_limit" && installationId !== null) {
        writers.of(installationId).holdFor(failure.retryAfterMs ?? timings.rateLimitPause);
      }
      log.warn({ installation: installationId, items: items.map(this.#queue.idOf), err: error }, "put off");
      for (const item of items) {
        await this.#queue.failed(item, failure, error);
      }
    }
  }

  #keyOf(item: T): string {
    return this.#queue.orderKeyOf?.(item) ?? this.#queue.idOf(item);
  }

  #heldUntil({ installationId, restUntil }: InstallationState<T>): number {
    return Math.max(restUntil, installationId === null ? 0 : this.#options.writers.of(installationId).heldUntil);
  }

  #isHeld(state: InstallationState<T>): boolean {
    return this.#heldUntil(state) > this.#options.now();
  }

  #stateOf(installationId: InstallationId): InstallationState<T> {
    let state = this.#states.get(installationId);
    if (state === undefined) {
      state = {
        installationId,
        waiting: [],
        complete: true,
        handling: new Map(),
        going: 0,
        ended: new Set(),
        page: {},
        restUntil: 0,
      };
      this.#states.set(installationId, state);
    }
    return state;
  }
}

/** What is somebody else's by now is left to them. */
function unlessLost(error: unknown): void {
  if (!(error instanceof ClaimLost)) {
    throw error;
  }
}
