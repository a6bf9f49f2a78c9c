import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";
import type { RepeatedFailure } from "./repeated-failure.ts";

/** Told how each run of a loop ended. */
export type LoopFailure = Pick<RepeatedFailure, "failed" | "succeeded">;

/** Wakes one loop: at a time, or at once when told that there is something to do. Never runs it twice at a time. */
export class WorkerLoop {
  readonly #work: () => Promise<number | null>;
  /** Whoever wakes it does so from its own work, under its own claim: the loop runs in none of that. */
  readonly #apart: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
  readonly #now: () => number;
  readonly #failure: LoopFailure;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  /**
   * `work` resolves with the time at which it wants to run again (null: when told). When it throws, `failure` is told
   * and it runs again after `FAILED_PAUSE`.
   */
  constructor(work: () => Promise<number | null>, now: () => number, failure: LoopFailure) {
    this.#work = work;
    this.#now = now;
    this.#failure = failure;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stopped) {
      return;
    }
    this.#again = true;
    this.#running ??= this.#apart(() => this.#run());
  }

  get idle(): boolean {
    return this.#running === null;
  }

  /** Whether it was told to stop: what is going on is to end soon. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves when what is going on has ended; nothing starts any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Lets those who wake it in one turn of the event loop finish first: they are looked after together.
    await setImmediate();
    let next: number | null = null;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      this.#clear();
      try {
        next = await this.#work();
        this.#failure.succeeded();
      } catch (error) {
        this.#failure.failed(error);
        next = this.#now() + FAILED_PAUSE;
      }
    }
    this.#running = null;
    if (next !== null && !this.#stopped) {
      const wait = Math.min(Math.max(next - this.#now(), 0), LONGEST_TIMER);
      this.#timer = setTimeout(() => this.wake(), wait);
    }
  }

  #clear(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}

const FAILED_PAUSE = 1_000;
/** Node's timers cannot wait longer than 2^31 ms; waking too early does no harm. */
const LONGEST_TIMER = 2_000_000_000;
