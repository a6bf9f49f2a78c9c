/**
 * Stored deliveries, handled in order for each key and in parallel across keys.
 *
 * Answering comes first: GitHub gives up on a webhook after ten seconds, and does not mind when it has its effect. So
 * handling stands back for moments while deliveries come in.
 */
import type { Logger } from "pino";
import { ClaimLost, type InstallationId, type PendingDelivery } from "../../store/model.ts";
import type { ProgressMarks } from "../../work/in-progress/in-progress.ts";

const DEFAULT_CONCURRENCY = 16;
/** Deliveries are coming in when the last one came less than this ago. */
const QUIET_MS = 5;
/** So long handling stands back at most before it gets a turn, and so long is that turn. */
const STAND_BACK_MS = 1_000;
const TURN_MS = 100;
/** Handling waits for nothing but promises that are already kept: it must let the event loop go on by itself. */
const SLICE_MS = 5;
/** Deliveries that are written down as in progress together. */
const MOST_IN_PROGRESS = 256;
const CLAIM_AGAIN_MS = 1_000;
const NOT_NOW_MS = 1_000;

export interface KeyQueuesOptions {
  /** Returns 0 when the delivery is done or dead, else the pause until it is tried again. Never throws. */
  readonly attempt: (delivery: PendingDelivery) => Promise<number>;
  /** Written down before they are handled; default: nowhere. */
  readonly inProgress?: ProgressMarks;
  /** Whether one of this installation may be handled now; it is looked at again a little later. */
  readonly mayHandle: (installationId: InstallationId) => boolean;
  readonly log: Logger;
  readonly now: () => number;
  /** How many keys are handled at once. */
  readonly concurrency?: number;
  /** Whether memory is full: then it is handling that is late, and it does not stand back. */
  readonly full: () => boolean;
  /** Told after each attempt. */
  readonly changed: () => void;
}

export class KeyQueues {
  readonly #options: KeyQueuesOptions;
  readonly #concurrency: number;
  readonly #queues = new Map<string, PendingDelivery[]>();
  /** By `seq`: those in the queues. */
  readonly #known = new Set<number>();
  #ready: string[] = [];
  #active = 0;
  /** By `seq`: those being handled, and those that are written down as in progress. */
  readonly #handling = new Map<number, PendingDelivery>();
  #inProgress: ReadonlySet<number> = new Set();
  #marked: readonly InstallationId[] = [];
  #claiming = false;
  /** performance.now() of the last delivery that came, and since when handling stands back. */
  #cameAt = Number.NEGATIVE_INFINITY;
  #standingBackSince: number | null = null;
  #pumping: NodeJS.Timeout | null = null;
  #sliceBegan = 0;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(options: KeyQueuesOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  }

  /** Some wait or are being handled. */
  get busy(): boolean {
    return this.#queues.size > 0 || this.#active > 0;
  }

  /** Some are being handled. */
  get active(): boolean {
    return this.#active > 0;
  }

  /** Deliveries that are not handled yet. */
  get backlog(): number {
    let count = 0;
    for (const queue of this.#queues.values()) {
      count += queue.length;
    }
    return count;
  }

  /** A delivery is coming in: it is answered first. */
  standBack(): void {
    this.#cameAt = performance.now();
  }

  /** How many of each installation are not handled yet. */
  counts(): ReadonlyMap<InstallationId, number> {
    const counts = new Map<InstallationId, number>();
    for (const queue of this.#queues.values()) {
      for (const { installationId } of queue) {
        counts.set(installationId, (counts.get(installationId) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Somebody else handles those of this installation: what has not been begun is dropped. */
  drop(installationId: InstallationId): void {
    for (const queue of this.#queues.values()) {
      const kept = queue.filter((each) => each.installationId !== installationId || this.#handling.has(each.seq));
      for (const each of queue) {
        if (!kept.includes(each)) this.#known.delete(each.seq);
      }
      queue.splice(0, queue.length, ...kept);
    }
  }

  /** Once, however often it is told. */
  add(pending: PendingDelivery): void {
    if (this.#known.has(pending.seq)) {
      return;
    }
    this.#known.add(pending.seq);
    const queue = this.#queues.get(pending.key);
    if (queue !== undefined) {
      // What is found late takes its place in the order, but not before what may be handled by now.
      const at = Math.max(1, queue.findLastIndex(({ seq }) => seq < pending.seq) + 1);
      queue.splice(at, 0, pending);
      return;
    }
    this.#queues.set(pending.key, [pending]);
    this.#ready.push(pending.key);
    this.#pump();
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopping = true;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    if (this.#pumping !== null) {
      clearTimeout(this.#pumping);
    }
  }

  /** Whether handling leaves the machine to answering now. */
  #standsBack(): boolean {
    const at = performance.now();
    if (at - this.#cameAt >= QUIET_MS || this.#options.full()) {
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
    const { inProgress } = this.#options;
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
      if (first !== undefined && !this.#options.mayHandle(first.installationId)) {
        this.#ready.shift();
        this.#readyAfter(NOT_NOW_MS, key);
        continue;
      }
      if (first !== undefined && inProgress !== undefined && !this.#inProgress.has(first.seq)) {
        void this.#claim(inProgress);
        return;
      }
      this.#ready.shift();
      this.#active += 1;
      void this.#run(key);
    }
  }

  /** Writes down what is handled next, many at once: the first of each key, as far as there is room. Never throws. */
  async #claim(inProgress: ProgressMarks): Promise<void> {
    if (this.#claiming) {
      return;
    }
    this.#claiming = true;
    try {
      await inProgress.ready();
      const firsts = this.#ready
        .slice(0, MOST_IN_PROGRESS)
        .flatMap((key) => this.#queues.get(key)?.[0] ?? [])
        .filter((each) => this.#options.mayHandle(each.installationId));
      const claimed = [...this.#handling.values(), ...firsts.filter((each) => !this.#handling.has(each.seq))];
      this.#inProgress = new Set(await this.#mark(inProgress, claimed));
      this.#claiming = false;
      this.#pump();
    } catch (error) {
      this.#options.log.error({ err: error }, "it could not be written down which deliveries are handled next");
      this.#claiming = false;
      this.#pumpAfter(CLAIM_AGAIN_MS);
    }
  }

  /** Resolves with those that were written down: an installation may have become somebody else's. */
  async #mark(inProgress: ProgressMarks, claimed: readonly PendingDelivery[]): Promise<number[]> {
    const groups = Map.groupBy(claimed, (each) => each.installationId);
    for (const of of this.#marked) {
      if (!groups.has(of)) inProgress.done("delivery", of);
    }
    this.#marked = [...groups.keys()];
    const marked = [...groups].map(async ([of, some]) => {
      const seqs = some.map(({ seq }) => seq);
      try {
        await inProgress.mark("delivery", seqs.map(String), of);
        return seqs;
      } catch (error) {
        if (error instanceof ClaimLost) return [];
        throw error;
      }
    });
    return (await Promise.all(marked)).flat();
  }

  /** Handles the first delivery of a key; never throws. */
  async #run(key: string): Promise<void> {
    const { attempt, now, changed } = this.#options;
    const queue = this.#queues.get(key) ?? [];
    const [first] = queue;
    const wait = first === undefined ? 0 : first.nextAt - now();
    let pause = 0;
    if (first !== undefined && wait > 0) {
      pause = wait;
    } else if (first !== undefined) {
      this.#handling.set(first.seq, first);
      pause = await attempt(first);
      this.#handling.delete(first.seq);
      if (pause === 0) {
        queue.shift();
        this.#known.delete(first.seq);
      } else {
        queue[0] = { ...first, nextAt: now() + pause };
      }
    }
    this.#active -= 1;
    if (queue.length === 0) {
      this.#queues.delete(key);
    } else if (pause === 0) {
      this.#ready.push(key);
    } else {
      this.#readyAfter(pause, key);
    }
    changed();
    this.#pump();
  }

  #readyAfter(ms: number, key: string): void {
    if (this.#stopping) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#ready.push(key);
      this.#pump();
    }, ms);
    this.#timers.add(timer);
  }
}
