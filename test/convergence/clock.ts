/** A clock of our own under everything that waits: timers fire when the simulation says so, and nothing waits really. */
import { AsyncLocalStorage } from "node:async_hooks";

/** Whose timers do not fire while it is frozen. */
export interface Freezable {
  frozen: boolean;
}

interface Timer {
  readonly of: Freezable | null;
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  performanceNow: performance.now,
};
/** Rounds of the event loop after which nothing that is only promises can still be going on. */
const ROUNDS = 4;

export class VirtualClock {
  #now: number;
  #order = 0;
  #busy = 0;
  readonly #timers = new Map<object, Timer>();
  readonly #owner = new AsyncLocalStorage<Freezable | null>();

  /** `start`: milliseconds since the epoch. */
  constructor(start: number) {
    this.#now = start;
  }

  readonly now = (): number => this.#now;

  /** What is begun in there waits while it is frozen. */
  as<T>(owner: Freezable | null, work: () => T): T {
    return this.#owner.run(owner, work);
  }

  get owner(): Freezable | null {
    return this.#owner.getStore() ?? null;
  }

  /** Something outside of promises (a signature) is waited for. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work;
    } finally {
      this.#busy -= 1;
    }
  }

  /** From now on the global timers are this clock's. */
  install(): void {
    const start = this.#now;
    const set = (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): object => {
      const handle = { ref: () => handle, unref: () => handle, hasRef: () => true, refresh: () => handle };
      this.#order += 1;
      const at = this.#now + Math.max(1, Number.isFinite(ms) ? ms : 0);
      this.#timers.set(handle, { of: this.owner, at, order: this.#order, fire: () => fire(...args) });
      return handle;
    };
    Object.assign(globalThis, {
      setTimeout: set,
      clearTimeout: (handle: object | undefined) => handle !== undefined && this.#timers.delete(handle),
    });
    performance.now = () => this.#now - start;
  }

  uninstall(): void {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    performance.now = real.performanceNow;
  }

  /** Resolves when everything that can go on without time passing has gone on. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < ROUNDS; quiet += 1) {
      await new Promise<void>((resolve) => real.setImmediate(() => resolve()));
      if (this.#busy > 0) {
        quiet = 0;
      }
    }
  }

  /** Lets time pass: each timer that falls due fires at its time, and what follows from it goes on. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      const [handle, timer] = next;
      this.#timers.delete(handle);
      this.#now = Math.max(this.#now, timer.at);
      timer.fire();
      await this.settle();
    }
    this.#now = until;
  }

  #next(until: number): readonly [object, Timer] | null {
    let first: readonly [object, Timer] | null = null;
    for (const [handle, timer] of this.#timers) {
      const sooner =
        first === null || timer.at < first[1].at || (timer.at === first[1].at && timer.order < first[1].order);
      if (timer.at <= until && sooner && timer.of?.frozen !== true) {
        first = [handle, timer];
      }
    }
    return first;
  }
}
