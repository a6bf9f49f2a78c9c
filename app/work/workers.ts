/** All that works by itself: begun together, ended together. */
import type { Alone, Kind, ProgressRecord } from "./in-progress/in-progress.ts";
import { sleepUnlessAborted } from "./pause.ts";
import type { KeptPaces } from "./replicas/kept-pace.ts";
import type { Ownership, Scope, TakenScope } from "./replicas/ownership.ts";
import type { Runtime } from "./runtime.ts";

/** One of them. */
export interface Worker {
  /** What was going on when it was last worked at is due again. */
  takeUp?(scope: TakenScope, unreleased: boolean): Promise<void>;
  /** It is somebody else's: what is remembered of it is dropped. */
  drop?(scope: Scope): void;
  /** Begins. */
  start(): Promise<void> | void;
  /** Nothing is going on at this moment. */
  readonly idle: boolean;
  /** Ends what is going on; what waits stays stored. */
  stop(): Promise<void>;
}

export class Workers {
  readonly #inProgress: ProgressRecord;
  readonly #ownership: Ownership;
  readonly #paces: KeptPaces;
  readonly #workers: readonly Worker[];

  /** `workers`: in the order in which they are begun. */
  constructor(
    inProgress: ProgressRecord,
    { ownership, paces }: Pick<Runtime, "ownership" | "paces">,
    workers: readonly Worker[],
  ) {
    this.#inProgress = inProgress;
    this.#ownership = ownership;
    this.#paces = paces;
    this.#workers = workers;
  }

  /** What the last process was at comes first, by itself: see `in-progress.ts`. */
  async start(alone: Readonly<Record<Kind, Alone>>): Promise<void> {
    const { shared } = this.#ownership;
    await this.#paces.start();
    await this.#inProgress.start(alone);
    await this.#ownership.start({
      taken: async (scope, unreleased) => {
        await this.#paces.taken(scope);
        await this.#inProgress.take(scope, alone);
        await this.#ownership.run(scope, async () => {
          for (const worker of this.#workers) {
            await worker.takeUp?.(scope, unreleased);
          }
        });
      },
      released: async (scope) => {
        await this.#inProgress.released(scope);
        await this.#paces.released(scope);
        this.#drop(scope);
      },
      lost: (scope) => {
        this.#inProgress.lost(scope);
        this.#drop(scope);
      },
    });
    for (const worker of this.#workers) {
      if (!shared) {
        await worker.takeUp?.("all", true);
      }
      await worker.start();
    }
  }

  #drop(scope: Scope): void {
    for (const worker of this.#workers) {
      worker.drop?.(scope);
    }
  }

  /** All at once: none begins anything more, and one that waits for GitHub keeps none of the others from ending. */
  async stop(): Promise<void> {
    // What nothing is going on of is somebody else's at once: it waits for nobody who still finishes something.
    this.#ownership.retire();
    await Promise.all([this.#inProgress.endRecovery(), ...this.#workers.toReversed().map((worker) => worker.stop())]);
    await this.#inProgress.stop();
    await this.#paces.stop();
    await this.#ownership.stop();
  }

  /** Resolves when there is nothing to do before some later time. */
  async idle(): Promise<void> {
    while (
      !this.#inProgress.idle ||
      !this.#ownership.idle ||
      !this.#paces.idle ||
      this.#workers.some((worker) => !worker.idle)
    ) {
      await sleepUnlessAborted(2);
    }
  }
}
