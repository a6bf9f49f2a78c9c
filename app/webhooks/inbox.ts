/**
 * Deliveries: stored before GitHub is answered, handled in order per key and in parallel across keys, tried again
 * with growing pauses, and at last kept as dead with their error. What is stored survives the process.
 *
 * Answering comes first: GitHub gives up on a webhook after ten seconds, and does not mind when it has its effect. So
 * handling stands back for moments while deliveries come in.
 */
import type { Logger } from "pino";
import { ZodError, z } from "zod";
import type { Delivery, NewDelivery, PendingDelivery, Store } from "../store/model.ts";
import type { Alone, InProgress } from "../work/in-progress.ts";
import type { Worker } from "../work/workers.ts";

export interface InboxOptions {
  readonly store: Store;
  /**
   * Gives a delivery its effect. Returns true when it has marked it as done in the same commit; false leaves that to
   * the inbox (for those that have no effect). Handling a delivery again must change nothing. `content`: its payload,
   * parsed; undefined where only the text is known.
   */
  readonly handle: (delivery: Delivery, content: unknown) => Promise<boolean>;
  /** Written down before they are handled; default: nowhere. */
  readonly inProgress?: Pick<InProgress, "ready" | "mark">;
  readonly log: Logger;
  readonly now: () => number;
  /** Pauses after the first, second, … failure; after the last one the delivery is dead. Milliseconds. */
  readonly pauses?: readonly number[];
  /** How many keys are handled at once. */
  readonly concurrency?: number;
  /** Milliseconds until what could not be marked as done is marked again. */
  readonly markAgainAfter?: number;
}

/** Thrown when more deliveries wait to be stored than memory should hold: GitHub shows them as failed. */
export class InboxFull extends Error {
  override readonly name = "InboxFull";
}

const DEFAULT_PAUSES = [1_000, 5_000, 30_000, 120_000, 600_000] as const;
const DEFAULT_CONCURRENCY = 16;
/** Characters of payload that may wait for one commit. */
const MOST_WAITING = 256 * 1024 * 1024;
/** Characters of payload that are kept in memory until they are handled; beyond that they are read back from disk. */
const MOST_FRESH = 16 * 1024 * 1024;
const LOAD_PAGE = 1_000;
/** Deliveries are coming in when the last one came less than this ago. */
const QUIET_MS = 5;
/** So long handling stands back at most before it gets a turn, and so long is that turn. */
const STAND_BACK_MS = 1_000;
const TURN_MS = 100;
/** Handling waits for nothing but promises that are already kept: it must let the event loop go on by itself. */
const SLICE_MS = 5;
/** So long, or so many, done deliveries wait to be marked in one commit. */
const DONE_EVERY_MS = 20;
const MOST_DONE = 500;
/** After the store has refused to mark them. */
const DONE_AGAIN_MS = 1_000;
/** Deliveries that are written down as in hand together. */
const MOST_IN_HAND = 256;
const TROUBLE_MS = 30_000;
const TROUBLE_PAUSE_MS = 1_000;
const LONGEST_ERROR = 2_000;

/** What is known of a delivery without reading it back. */
interface Fresh {
  readonly delivery: NewDelivery;
  readonly content: unknown;
}

const UNTRIED = { status: "pending", tries: 0, error: null } as const;

interface Waiting extends Fresh {
  readonly resolve: (outcome: "stored" | "duplicate") => void;
  readonly reject: (error: unknown) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #pauses: readonly number[];
  readonly #concurrency: number;
  #waiting: Waiting[] = [];
  #waitingSize = 0;
  #trouble: { readonly at: number; readonly reason: string } | null = null;
  #flushing = false;
  readonly #queues = new Map<string, PendingDelivery[]>();
  /** By `seq`. */
  readonly #fresh = new Map<number, Fresh>();
  #freshSize = 0;
  #ready: string[] = [];
  #active = 0;
  /** By `seq`: those being handled, and those that are written down as in hand. */
  readonly #handling = new Set<number>();
  #inProgress: ReadonlySet<number> = new Set();
  #claiming = false;
  #done: number[] = [];
  #marking: NodeJS.Timeout | null = null;
  /** performance.now() of the last delivery that came, and since when handling stands back. */
  #cameAt = Number.NEGATIVE_INFINITY;
  #standingBackSince: number | null = null;
  #pumping: NodeJS.Timeout | null = null;
  #sliceBegan = 0;
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
   * a synced commit for each would be the slowest part of answering. `content`: the payload, parsed, if it is at hand.
   */
  accept(delivery: NewDelivery, content?: unknown): Promise<"stored" | "duplicate"> {
    if (this.#waitingSize > MOST_WAITING) {
      return Promise.reject(new InboxFull("Too many deliveries wait to be stored."));
    }
    this.#cameAt = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, content, resolve, reject });
      this.#waitingSize += delivery.payload.length;
      if (!this.#flushing) {
        this.#flushing = true;
        setImmediate(() => void this.#flush());
      }
    });
  }

  /** One delivery while nothing else goes on, before `start` lets the others come. */
  readonly alone: Alone = {
    attempt: async (seq) => {
      const delivery = await this.#options.store.delivery(Number(seq));
      if (delivery !== null && delivery.status === "pending") {
        await this.#handle(delivery);
      }
    },
    setAside: (seq, why) => this.#options.store.buryDelivery(Number(seq), why),
  };

  /** As one of those that are begun and ended together. */
  get worker(): Worker {
    const isIdle = (): boolean => !this.#isBusy;
    return {
      start: () => this.start(),
      stop: () => this.stop(),
      get idle() {
        return isIdle();
      },
    };
  }

  get #isBusy(): boolean {
    return this.#flushing || this.#queues.size > 0 || this.#active > 0 || this.#done.length > 0;
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

  /**
   * Why deliveries could not be stored just now; null: they can be, as far as is known. Forgotten after half a minute:
   * who sends none to an app that is not ready would never learn that it is.
   */
  get trouble(): string | null {
    return this.#trouble !== null && this.#options.now() - this.#trouble.at < TROUBLE_MS ? this.#trouble.reason : null;
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
    while (this.#isBusy) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Takes up nothing more and resolves when what is being handled has ended. The rest stays stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    if (this.#pumping !== null) {
      clearTimeout(this.#pumping);
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
        const stored = new Map(accepted.map((each) => [each.id, each.seq]));
        this.#trouble = null;
        for (const { delivery, content, resolve } of batch) {
          // Of two with one id in one batch the first is the one that was stored.
          const seq = stored.get(delivery.id);
          stored.delete(delivery.id);
          if (seq !== undefined) {
            this.#keepFresh(seq, { delivery, content });
          }
          resolve(seq === undefined ? "duplicate" : "stored");
        }
        for (const pending of accepted) {
          this.#enqueue(pending);
        }
      } catch (error) {
        this.#trouble = { at: this.#options.now(), reason: error instanceof Error ? error.message : String(error) };
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

  #keepFresh(seq: number, fresh: Fresh): void {
    if (this.#freshSize <= MOST_FRESH) {
      this.#fresh.set(seq, fresh);
      this.#freshSize += fresh.delivery.payload.length;
    }
  }

  /** Its content as it came in, once; after a failure it is read with what is known of it then. */
  #takeFresh(seq: number): Fresh | undefined {
    const fresh = this.#fresh.get(seq);
    if (fresh !== undefined) {
      this.#fresh.delete(seq);
      this.#freshSize -= fresh.delivery.payload.length;
    }
    return fresh;
  }

  /** Whether handling leaves the machine to answering now. Not when memory is full: then it is handling that is late. */
  #standsBack(): boolean {
    const at = performance.now();
    if (at - this.#cameAt >= QUIET_MS || this.#freshSize > MOST_FRESH) {
      this.#standingBackSince = null;
      return false;
    }
    if (this.#standingBackSince === null || at - this.#standingBackSince >= STAND_BACK_MS + TURN_MS) {
      this.#standingBackSince = at;
    }
    return at - this.#standingBackSince < STAND_BACK_MS;
  }

  #pumpAfter(ms: number): void {
    this.#pumping ??= setTimeout(() => {
      this.#pumping = null;
      this.#sliceBegan = performance.now();
      this.#pump();
    }, ms);
  }

  #pump(): void {
    while (!this.#stopping && this.#active < this.#concurrency && this.#ready.length > 0) {
      if (this.#standsBack()) {
        this.#pumpAfter(QUIET_MS);
        return;
      }
      if (performance.now() - this.#sliceBegan > SLICE_MS) {
        this.#pumpAfter(0);
        return;
      }
      const [key = ""] = this.#ready;
      const first = this.#queues.get(key)?.[0];
      if (first !== undefined && this.#options.inProgress !== undefined && !this.#inProgress.has(first.seq)) {
        void this.#claim(this.#options.inProgress);
        return;
      }
      this.#ready.shift();
      this.#active += 1;
      void this.#run(key);
    }
  }

  /** Writes down what is handled next, many at once: the first of each key, as far as there is room. Never throws. */
  async #claim(inProgress: Pick<InProgress, "ready" | "mark">): Promise<void> {
    if (this.#claiming) {
      return;
    }
    this.#claiming = true;
    try {
      await inProgress.ready();
      const firsts = this.#ready.slice(0, MOST_IN_HAND).flatMap((key) => this.#queues.get(key)?.[0]?.seq ?? []);
      const claimed = new Set([...this.#handling, ...firsts]);
      await inProgress.mark("delivery", [...claimed].map(String));
      this.#inProgress = claimed;
      this.#claiming = false;
      this.#pump();
    } catch (error) {
      this.#options.log.error({ err: error }, "it could not be written down which deliveries are handled next");
      this.#claiming = false;
      this.#pumpAfter(TROUBLE_PAUSE_MS);
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
      this.#handling.add(first.seq);
      pause = await this.#handle(first);
      this.#handling.delete(first.seq);
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
  async #handle({ seq, id, key, nextAt }: PendingDelivery): Promise<number> {
    const { store, handle, log, now } = this.#options;
    let tries = 0;
    try {
      const fresh = this.#takeFresh(seq);
      const delivery = fresh === undefined ? await store.delivery(seq) : { ...fresh.delivery, seq, ...UNTRIED, nextAt };
      if (delivery === null || delivery.status !== "pending") {
        return 0;
      }
      tries = delivery.tries;
      if (!(await handle(delivery, fresh?.content))) {
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
    if (this.#done.length === MOST_DONE && this.#marking !== null) {
      clearTimeout(this.#marking);
      this.#marking = setTimeout(() => void this.#flushDone(), 0);
    }
    this.#marking ??= setTimeout(() => void this.#flushDone(), DONE_EVERY_MS);
  }

  async #flushDone(): Promise<void> {
    const { store, log, now } = this.#options;
    const done = this.#done.slice(0, MOST_DONE);
    let pause = DONE_EVERY_MS;
    try {
      await store.commit({ done, now: now() });
      this.#done = this.#done.slice(done.length);
    } catch (error) {
      log.error({ err: error, deliveries: this.#done.length }, "done deliveries could not be marked");
      pause = this.#options.markAgainAfter ?? DONE_AGAIN_MS;
      if (this.#stopping) {
        // The next process handles them again, which changes nothing.
        this.#done = [];
      }
    }
    this.#marking = this.#done.length > 0 ? setTimeout(() => void this.#flushDone(), pause) : null;
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
