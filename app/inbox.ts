/**
 * Deliveries: stored before GitHub is answered, handled in order per key and in parallel across keys, tried again
 * with growing pauses, and at last kept as dead with their error. What is stored survives the process.
 */
import type { Logger } from "pino";
import { ZodError, z } from "zod";
import type { Delivery, NewDelivery, PendingDelivery, Store } from "./store/store.ts";

export interface InboxOptions {
  readonly store: Store;
  /**
   * Gives a delivery its effect. Returns true when it has marked it as done in the same commit; false leaves that to
   * the inbox (for those that have no effect). Handling a delivery again must change nothing.
   */
  readonly handle: (delivery: Delivery) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
  /** Pauses after the first, second, … failure; after the last one the delivery is dead. Milliseconds. */
  readonly pauses?: readonly number[];
  /** How many keys are handled at once. */
  readonly concurrency?: number;
}

/** Thrown when more deliveries wait to be stored than memory should hold: GitHub shows them as failed. */
export class InboxFull extends Error {
  override readonly name = "InboxFull";
}

const DEFAULT_PAUSES = [1_000, 5_000, 30_000, 120_000, 600_000] as const;
const DEFAULT_CONCURRENCY = 16;
/** Characters of payload that may wait for one commit. */
const MOST_WAITING = 256 * 1024 * 1024;
const LOAD_PAGE = 1_000;
const LONGEST_ERROR = 2_000;

interface Waiting {
  readonly delivery: NewDelivery;
  readonly resolve: (outcome: "stored" | "duplicate") => void;
  readonly reject: (error: unknown) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #pauses: readonly number[];
  readonly #concurrency: number;
  #waiting: Waiting[] = [];
  #waitingSize = 0;
  #flushing = false;
  readonly #queues = new Map<string, PendingDelivery[]>();
  #ready: string[] = [];
  #active = 0;
  #done: number[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopping = false;
  #changed: (() => void)[] = [];

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#pauses = options.pauses ?? DEFAULT_PAUSES;
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  }

  /** Takes up what was accepted and not handled before the process ended. */
  async start(): Promise<void> {
    for (let after = 0; ; ) {
      const page = await this.#options.store.pendingDeliveries(after, LOAD_PAGE);
      for (const pending of page) {
        this.#enqueue(pending);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < LOAD_PAGE) {
        return;
      }
      after = last.seq;
    }
  }

  /**
   * Resolves once the delivery is on disk. Those that come while a commit is on its way share the next one, because
   * a synced commit for each would be the slowest part of answering.
   */
  accept(delivery: NewDelivery): Promise<"stored" | "duplicate"> {
    if (this.#waitingSize > MOST_WAITING) {
      return Promise.reject(new InboxFull("Too many deliveries wait to be stored."));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, resolve, reject });
      this.#waitingSize += delivery.payload.length;
      if (!this.#flushing) {
        this.#flushing = true;
        setImmediate(() => void this.#flush());
      }
    });
  }

  /** Puts a dead delivery back into the queue. False: there is none with that id. */
  async revive(id: string): Promise<boolean> {
    const pending = await this.#options.store.reviveDelivery(id, this.#options.now());
    if (pending === null) {
      return false;
    }
    this.#enqueue(pending);
    return true;
  }

  /** Deliveries that are stored and not handled yet. */
  get backlog(): number {
    let count = 0;
    for (const queue of this.#queues.values()) {
      count += queue.length;
    }
    return count;
  }

  /** Resolves when nothing is waiting, queued or being handled. */
  async idle(): Promise<void> {
    while (this.#flushing || this.#queues.size > 0 || this.#active > 0 || this.#done.length > 0) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Takes up nothing more and resolves when what is being handled has ended. The rest stays stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    while (this.#active > 0 || this.#flushing || this.#done.length > 0) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingSize = 0;
      try {
        const accepted = await this.#options.store.acceptDeliveries(batch.map((each) => each.delivery));
        const ids = new Set(accepted.map((each) => each.id));
        for (const { delivery, resolve } of batch) {
          // Of two with one id in one batch the first is the one that was stored.
          resolve(ids.delete(delivery.id) ? "stored" : "duplicate");
        }
        for (const pending of accepted) {
          this.#enqueue(pending);
        }
      } catch (error) {
        for (const { reject } of batch) {
          reject(error);
        }
      }
    }
    this.#flushing = false;
    this.#notify();
  }

  #enqueue(pending: PendingDelivery): void {
    const queue = this.#queues.get(pending.key);
    if (queue !== undefined) {
      queue.push(pending);
      return;
    }
    this.#queues.set(pending.key, [pending]);
    this.#ready.push(pending.key);
    this.#pump();
  }

  #pump(): void {
    while (!this.#stopping && this.#active < this.#concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) {
        return;
      }
      this.#active += 1;
      void this.#run(key);
    }
  }

  /** Handles the first delivery of a key; never throws. */
  async #run(key: string): Promise<void> {
    const queue = this.#queues.get(key) ?? [];
    const [first] = queue;
    const wait = first === undefined ? 0 : first.nextAt - this.#options.now();
    let pause = 0;
    if (first !== undefined && wait > 0) {
      pause = wait;
    } else if (first !== undefined) {
      pause = await this.#handle(first);
      if (pause === 0) {
        queue.shift();
      } else {
        queue[0] = { ...first, nextAt: this.#options.now() + pause };
      }
    }
    this.#active -= 1;
    if (queue.length === 0) {
      this.#queues.delete(key);
    } else if (pause === 0) {
      this.#ready.push(key);
    } else {
      this.#later(pause, () => {
        this.#ready.push(key);
        this.#pump();
      });
    }
    this.#notify();
    this.#pump();
  }

  /** Returns 0 when the delivery is done or dead, else the pause until it is tried again. */
  async #handle({ seq, id, key }: PendingDelivery): Promise<number> {
    const { store, handle, log, now } = this.#options;
    let tries = 0;
    try {
      const delivery = await store.delivery(seq);
      if (delivery === null || delivery.status !== "pending") {
        return 0;
      }
      tries = delivery.tries;
      if (!(await handle(delivery))) {
        this.#markDone(seq);
      }
      return 0;
    } catch (error) {
      const message = describe(error).slice(0, LONGEST_ERROR);
      // What has not the expected shape now will not have it later.
      const pause = error instanceof ZodError ? undefined : this.#pauses[tries];
      try {
        if (pause === undefined) {
          await store.buryDelivery(seq, message);
          log.error({ delivery: id, key, tries: tries + 1, err: error }, "delivery given up");
          return 0;
        }
        await store.postponeDelivery(seq, now() + pause, message);
        log.warn({ delivery: id, key, tries: tries + 1, pause, err: error }, "delivery failed, will be tried again");
      } catch (storeError) {
        log.error({ delivery: id, key, err: storeError }, "the failure of a delivery could not be stored");
      }
      return pause ?? this.#pauses[0] ?? 1_000;
    }
  }

  /** Marks many at once. If the process ends before, they are handled again, which changes nothing. */
  #markDone(seq: number): void {
    this.#done.push(seq);
    if (this.#done.length === 1) {
      setImmediate(() => void this.#flushDone());
    }
  }

  async #flushDone(): Promise<void> {
    const { store, log, now } = this.#options;
    const done = [...this.#done];
    try {
      await store.commit({ done, now: now() });
    } catch (error) {
      log.error(
        { err: error, deliveries: done.length },
        "done deliveries could not be marked; they will be handled again",
      );
    }
    this.#done = this.#done.slice(done.length);
    if (this.#done.length > 0) {
      setImmediate(() => void this.#flushDone());
    }
    this.#notify();
  }

  #later(ms: number, then: () => void): void {
    if (this.#stopping) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof ZodError) {
    return `The payload is not what was expected: ${z.prettifyError(error)}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
