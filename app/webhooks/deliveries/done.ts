/** Marks handled deliveries as done, many at once. If the process ends before, they are handled again: nothing changes. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "pino";
import type { Store } from "../../store/model.ts";

/** So long, or so many, done deliveries wait to be marked in one commit. */
const EVERY_MS = 20;
const MOST_AT_ONCE = 500;
/** After the store has refused to mark them. */
const AGAIN_MS = 1_000;

export interface DoneOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds until what could not be marked is marked again. */
  readonly markAgainAfter?: number;
  /** Told after each try. */
  readonly changed: () => void;
}

export class DoneDeliveries {
  readonly #options: DoneOptions;
  #done: number[] = [];
  #marking: NodeJS.Timeout | null = null;
  #stopping = false;
  /** They have had their effect, whoever is their owner by now. */
  readonly #apart: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();

  constructor(options: DoneOptions) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#done.length > 0;
  }

  /** Whether it is still to be marked. */
  has(seq: number): boolean {
    return this.#done.includes(seq);
  }

  /** From now on what the store refuses is left to the next process. */
  stop(): void {
    this.#stopping = true;
  }

  add(seq: number): void {
    this.#apart(() => this.#add(seq));
  }

  #add(seq: number): void {
    this.#done.push(seq);
    if (this.#done.length === MOST_AT_ONCE && this.#marking !== null) {
      clearTimeout(this.#marking);
      this.#marking = setTimeout(() => void this.#mark(), 0);
    }
    this.#marking ??= setTimeout(() => void this.#mark(), EVERY_MS);
  }

  async #mark(): Promise<void> {
    const { store, log, now, changed } = this.#options;
    const done = this.#done.slice(0, MOST_AT_ONCE);
    let pause = EVERY_MS;
    try {
      await store.commit({ done, now: now() });
      this.#done = this.#done.slice(done.length);
    } catch (error) {
      log.error({ err: error, deliveries: this.#done.length }, "done deliveries could not be marked");
      pause = this.#options.markAgainAfter ?? AGAIN_MS;
      if (this.#stopping) {
        // The next process handles them again, which changes nothing.
        this.#done = [];
      }
    }
    this.#marking = this.#done.length > 0 ? setTimeout(() => void this.#mark(), pause) : null;
    changed();
  }
}
