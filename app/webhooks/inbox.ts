/**
 * Deliveries: stored before GitHub is answered (`deliveries/storing.ts`), handled in order per key and in parallel across keys
 * (`deliveries/key-queues.ts`), tried again with growing pauses, and at last kept as dead with their error (`deliveries/attempt.ts`). What is
 * stored survives the process.
 */
import type { NewDelivery, PendingDelivery } from "../store/model.ts";
import type { Alone } from "../work/in-progress.ts";
import type { Worker } from "../work/workers.ts";
import { attempt, type DeliveryAttemptOptions } from "./deliveries/attempt.ts";
import { DoneDeliveries, type DoneOptions } from "./deliveries/done.ts";
import { KeyQueues, type KeyQueuesOptions } from "./deliveries/key-queues.ts";
import { RecentDeliveries } from "./deliveries/recent.ts";
import { DeliveryStorer } from "./deliveries/storing.ts";

export interface InboxOptions
  extends DeliveryAttemptOptions,
    Pick<KeyQueuesOptions, "inProgress" | "concurrency">,
    Pick<DoneOptions, "markAgainAfter"> {
  /** Milliseconds until what may have been stored is read, after the store has failed. */
  readonly readAgainAfter?: number;
}

const LOAD_PAGE = 1_000;
/** After the store has failed. */
const READ_AGAIN_MS = 1_000;

export class Inbox {
  readonly #options: InboxOptions;
  readonly #recent = new RecentDeliveries();
  readonly #storer: DeliveryStorer;
  readonly #queues: KeyQueues;
  readonly #done: DoneDeliveries;
  #waiting: (() => void)[] = [];
  #readingAgain: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    const changed = (): void => this.#changed();
    this.#storer = new DeliveryStorer({
      ...options,
      recent: this.#recent,
      stored: (deliveries) => {
        for (const pending of deliveries) {
          this.#queues.add(pending);
        }
      },
      unsure: () => this.#readAgain(),
      changed,
    });
    this.#queues = new KeyQueues({
      ...options,
      attempt: (pending) => this.#attempt(pending),
      full: () => this.#recent.full,
      changed,
    });
    this.#done = new DoneDeliveries({ ...options, changed });
  }

  /** Takes up what was accepted and not handled before the process ended. */
  async start(): Promise<void> {
    await this.#takeUp();
  }

  async #takeUp(): Promise<void> {
    for (let after = 0; ; ) {
      const page = await this.#options.store.pendingDeliveries(after, LOAD_PAGE);
      for (const pending of page) {
        this.#queues.add(pending);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < LOAD_PAGE) {
        return;
      }
      after = last.seq;
    }
  }

  /**
   * The store has failed, and what it was given may be stored all the same: its answer was lost. Nobody would handle it,
   * and GitHub's next attempt at it would be taken for a double.
   */
  #readAgain(): void {
    if (this.#stopping) {
      return;
    }
    this.#readingAgain ??= setTimeout(async () => {
      let read = true;
      try {
        await this.#takeUp();
      } catch (error) {
        read = false;
        this.#options.log.warn({ err: error }, "stored deliveries could not be read, will be tried again");
      }
      this.#readingAgain = null;
      if (!read) {
        this.#readAgain();
      }
      this.#changed();
    }, this.#options.readAgainAfter ?? READ_AGAIN_MS);
  }

  /** Resolves once the delivery is on disk. `content`: the payload, parsed, if it is at hand. */
  accept(delivery: NewDelivery, content?: unknown): Promise<"stored" | "duplicate"> {
    this.#queues.standBack();
    return this.#storer.accept(delivery, content);
  }

  /** One delivery while nothing else goes on, before `start` lets the others come. */
  readonly alone: Alone = {
    attempt: async (seq) => {
      const delivery = await this.#options.store.delivery(Number(seq));
      if (delivery !== null && delivery.status === "pending") {
        await this.#attempt(delivery);
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
    return this.#storer.busy || this.#queues.busy || this.#done.busy || this.#readingAgain !== null;
  }

  /** Puts a dead delivery back into the queue. False: there is none with that id. */
  async revive(id: string): Promise<boolean> {
    const pending = await this.#options.store.reviveDelivery(id, this.#options.now());
    if (pending === null) {
      return false;
    }
    this.#queues.add(pending);
    return true;
  }

  /** Why deliveries could not be stored just now; null: they can be, as far as is known. */
  get storeFailure(): string | null {
    return this.#storer.storeFailure;
  }

  /** Deliveries that are stored and not handled yet. */
  get backlog(): number {
    return this.#queues.backlog;
  }

  /** Resolves when nothing is waiting, queued or being handled. */
  async idle(): Promise<void> {
    while (this.#isBusy) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Takes up nothing more and resolves when what is being handled has ended. The rest stays stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#readingAgain ?? undefined);
    this.#readingAgain = null;
    this.#queues.stop();
    this.#done.stop();
    while (this.#queues.active || this.#storer.busy || this.#done.busy) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #attempt(pending: PendingDelivery): Promise<number> {
    return attempt(pending, { ...this.#options, recent: this.#recent, done: (seq) => this.#done.add(seq) });
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}
