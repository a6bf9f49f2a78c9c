/** All that works by itself: begun together, ended together. */
import type { InProgress } from "./in-progress.ts";
import { sleepUnlessAborted } from "./pause.ts";

/** One of them. */
export interface Worker {
  /** Takes up what was left when the process ended. */
  start(): Promise<void> | void;
  /** Nothing is going on at this moment. */
  readonly idle: boolean;
  /** Ends what is going on; what waits stays stored. */
  stop(): Promise<void>;
}

export class Workers {
  readonly #inProgress: InProgress;
  readonly #workers: readonly Worker[];

  /** `workers`: in the order in which they are begun. */
  constructor(inProgress: InProgress, workers: readonly Worker[]) {
    this.#inProgress = inProgress;
    this.#workers = workers;
  }

  /** What the last process was at comes first, by itself: see `in-progress.ts`. */
  async start(alone: Parameters<InProgress["start"]>[0]): Promise<void> {
    await this.#inProgress.start(alone);
    for (const worker of this.#workers) {
      await worker.start();
    }
  }

  /** All at once: none begins anything more, and one that waits for GitHub keeps none of the others from ending. */
  async stop(): Promise<void> {
    await Promise.all([this.#inProgress.endRecovery(), ...this.#workers.toReversed().map((worker) => worker.stop())]);
    await this.#inProgress.stop();
  }

  /** Resolves when there is nothing to do before some later time. */
  async idle(): Promise<void> {
    while (!this.#inProgress.idle || this.#workers.some((worker) => !worker.idle)) {
      await sleepUnlessAborted(2);
    }
  }
}
