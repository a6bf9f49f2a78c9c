/**
 * Stores deliveries before GitHub is answered. Those that come while a commit is on its way share the next one, because a
 * synced commit for each would be the slowest part of answering.
 */
import type { Logger } from "pino";
import type { NewDelivery, PendingDelivery, Store } from "../../store/model.ts";
import { RepeatedFailure } from "../../work/repeated-failure.ts";
import type { RecentDeliveries, RecentDelivery } from "./recent.ts";

/** Thrown when more deliveries wait to be stored than memory should hold: GitHub shows them as failed. */
export class InboxFull extends Error {
  override readonly name = "InboxFull";
}

/** Characters of payload that may wait for one commit. */
const MOST_WAITING = 256 * 1024 * 1024;

interface Waiting extends RecentDelivery {
  readonly resolve: (outcome: "stored" | "duplicate") => void;
  readonly reject: (error: unknown) => void;
}

export interface StoringOptions {
  readonly log: Logger;
  readonly store: Store;
  readonly now: () => number;
  readonly recent: RecentDeliveries;
  /** Told what was stored, in its order. */
  readonly stored: (deliveries: readonly PendingDelivery[]) => void;
  /** Told when the store has failed: what it was given may be stored, or not. */
  readonly unsure: () => void;
  /** Told when nothing waits any more. */
  readonly changed: () => void;
}

export class DeliveryStorer {
  readonly #options: StoringOptions;
  #waiting: Waiting[] = [];
  #waitingSize = 0;
  readonly #failure: RepeatedFailure;
  #storing = false;

  constructor(options: StoringOptions) {
    this.#options = options;
    this.#failure = new RepeatedFailure({
      ...options,
      failing: "deliveries cannot be stored: GitHub is told so of each, and they are asked for again later",
      over: "deliveries can be stored again",
    });
  }

  get busy(): boolean {
    return this.#storing;
  }

  /** Resolves once the delivery is on disk. */
  accept(delivery: NewDelivery, content: unknown): Promise<"stored" | "duplicate"> {
    if (this.#waitingSize > MOST_WAITING) {
      const full = new InboxFull("Too many deliveries wait to be stored.");
      this.#failure.failed(full);
      return Promise.reject(full);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, content, resolve, reject });
      this.#waitingSize += delivery.payload.length;
      if (!this.#storing) {
        this.#storing = true;
        setImmediate(() => void this.#storeWaiting());
      }
    });
  }

  async #storeWaiting(): Promise<void> {
    const { store, recent, stored, unsure, changed } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingSize = 0;
      try {
        const accepted = await store.acceptDeliveries(batch.map((each) => each.delivery));
        const seqs = new Map(accepted.map((each) => [each.id, each.seq]));
        this.#failure.succeeded();
        for (const { delivery, content, resolve } of batch) {
          // Of two with one id in one batch the first is the one that was stored.
          const seq = seqs.get(delivery.id);
          seqs.delete(delivery.id);
          if (seq !== undefined) {
            recent.keep(seq, { delivery, content });
          }
          resolve(seq === undefined ? "duplicate" : "stored");
        }
        stored(accepted);
      } catch (error) {
        this.#failure.failed(error, batch.length);
        for (const { reject } of batch) {
          reject(error);
        }
        unsure();
      }
    }
    this.#storing = false;
    changed();
  }
}
