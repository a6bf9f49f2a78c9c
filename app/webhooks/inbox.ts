/**
 * Deliveries: stored before GitHub is answered (`deliveries/storing.ts`), handled in order per key and in parallel across keys
 * (`deliveries/key-queues.ts`), tried again with growing pauses, and at last kept as dead with their error (`deliveries/attempt.ts`). What is
 * stored survives the process.
 */
import { ClaimLost, type InstallationId, type NewDelivery, type PendingDelivery } from "../store/model.ts";
import type { Alone } from "../work/in-progress/in-progress.ts";
import { RepeatedFailure } from "../work/repeated-failure.ts";
import { type Ownership, SOLE_OWNERSHIP } from "../work/replicas/ownership.ts";
import type { Timings } from "../work/timings.ts";
import type { Wakeups } from "../work/wakeups.ts";
import { WorkerLoop } from "../work/worker-loop.ts";
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
  /** Whose deliveries are handled here; default: all. */
  readonly ownership?: Pick<Ownership, "shared" | "owns" | "run">;
  /** Needed where there are others. */
  readonly wakeups?: Wakeups;
  readonly timings?: Pick<Timings, "sharedPoll">;
}

const LOAD_PAGE = 1_000;
/** Of one installation in memory, of those that others stored: more are read when there are fewer. */
const FEW = 500;
/** After the store has failed. */
const READ_AGAIN_MS = 1_000;
/** Looked at again when it may be this process's to handle. */
const NOT_OURS_MS = 1_000;

export class Inbox {
  readonly #options: InboxOptions;
  readonly #recent = new RecentDeliveries();
  readonly #storer: DeliveryStorer;
  readonly #queues: KeyQueues;
  readonly #done: DoneDeliveries;
  readonly #ownership: Pick<Ownership, "shared" | "owns" | "run">;
  /** Takes what others have stored. */
  readonly #others: WorkerLoop;
  /** Others have stored something of these. */
  #named = new Set<number>();
  /** Or of any. */
  #all = false;
  /** When all installations were looked at: it is done again in any case, for what was heard by nobody. */
  #polledAt = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] = [];
  #readingAgain: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#ownership = options.ownership ?? SOLE_OWNERSHIP;
    const changed = (): void => this.#changed();
    this.#storer = new DeliveryStorer({
      ...options,
      recent: this.#recent,
      stored: (deliveries) => this.#stored(deliveries),
      unsure: () => this.#readAgain(),
      changed,
    });
    this.#queues = new KeyQueues({
      ...options,
      mayHandle: (installationId) => this.#ownership.owns(installationId),
      attempt: (pending) => this.#attempt(pending),
      full: () => this.#recent.full,
      changed,
    });
    this.#done = new DoneDeliveries({ ...options, changed });
    const looking = "looking for deliveries that others stored";
    const failure = new RepeatedFailure({ ...options, failing: `${looking} fails`, over: `${looking} succeeds again` });
    this.#others = new WorkerLoop(() => this.#takeOthers(), options.now, failure);
    if (this.#ownership.shared) {
      options.wakeups?.on("deliveries", (about) => this.#takeOthersSoon(about));
    }
  }

  /** Begins with what was accepted and not handled before the process ended. */
  async start(): Promise<void> {
    await this.#takeUp();
  }

  async #takeUp(): Promise<void> {
    if (this.#ownership.shared) {
      this.#takeOthersSoon(null);
    } else {
      await this.#load();
    }
  }

  /** Those that are in memory already are taken once. */
  async #load(of?: InstallationId): Promise<void> {
    for (let after = 0; ; ) {
      const page = await this.#options.store.pendingDeliveries(after, LOAD_PAGE, of);
      for (const pending of page) {
        if (!this.#done.has(pending.seq)) {
          this.#queues.add(pending);
        }
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

  /** What others have stored of installations that are this process's. */
  async #takeOthers(): Promise<number | null> {
    const { store, now, timings } = this.#options;
    const at = now();
    const poll = timings?.sharedPoll ?? NOT_OURS_MS;
    // Or the clock was set back.
    const all = this.#all || Math.abs(at - this.#polledAt) >= poll;
    const named = this.#named;
    this.#all = false;
    this.#named = new Set();
    try {
      const pending = all ? await store.pendingInstallations() : [...named];
      const here = this.#queues.counts();
      for (const installationId of pending) {
        if (this.#ownership.owns(installationId) && (here.get(installationId) ?? 0) < FEW) {
          await this.#load(installationId);
        }
      }
    } catch (error) {
      this.#all = true;
      throw error;
    }
    if (all) {
      this.#polledAt = at;
    }
    return this.#polledAt + poll;
  }

  /** `about`: an installation; null: any. */
  #takeOthersSoon(about: number | null): void {
    if (about === null) {
      this.#all = true;
    } else {
      this.#named.add(about);
    }
    this.#others.wake();
  }

  #stored(deliveries: readonly PendingDelivery[]): void {
    const others = new Set<InstallationId>();
    for (const pending of deliveries) {
      if (this.#ownership.owns(pending.installationId)) {
        this.#queues.add(pending);
      } else {
        others.add(pending.installationId);
      }
    }
    for (const installationId of others) {
      this.#options.wakeups?.notify("deliveries", installationId);
    }
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
        await this.#attemptOwned(delivery);
      }
    },
    setAside: (seq, why) => this.#options.store.buryDelivery(Number(seq), why),
  };

  /** As one of those that are begun and ended together. */
  get worker(): Worker {
    const isIdle = (): boolean => !this.#isBusy;
    return {
      start: () => this.start(),
      drop: (scope) => {
        if (scope !== "app") {
          this.#queues.drop(scope);
        }
      },
      stop: () => this.stop(),
      get idle() {
        return isIdle();
      },
    };
  }

  get #isBusy(): boolean {
    return (
      this.#storer.busy || this.#queues.busy || this.#done.busy || this.#readingAgain !== null || !this.#others.idle
    );
  }

  /** Puts a dead delivery back into the queue. False: there is none with that id. */
  async revive(id: string): Promise<boolean> {
    const pending = await this.#options.store.reviveDelivery(id, this.#options.now());
    if (pending === null) {
      return false;
    }
    this.#stored([pending]);
    return true;
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
    await this.#others.stop();
    while (this.#queues.active || this.#storer.busy || this.#done.busy) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Never throws. */
  async #attempt(pending: PendingDelivery): Promise<number> {
    if (!this.#ownership.owns(pending.installationId)) {
      return NOT_OURS_MS;
    }
    try {
      return await this.#attemptOwned(pending);
    } catch (error) {
      if (!(error instanceof ClaimLost)) {
        throw error;
      }
      // Whoever has it now handles it.
      return 0;
    }
  }

  #attemptOwned(pending: PendingDelivery): Promise<number> {
    const done = (seq: number): void => this.#done.add(seq);
    return this.#ownership.run(pending.installationId, () =>
      attempt(pending, { ...this.#options, recent: this.#recent, done }),
    );
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}
