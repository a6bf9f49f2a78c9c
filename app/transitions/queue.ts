/**
 * Decided transitions on their way to GitHub: of each installation what waits goes out together in one request, at
 * GitHub's pace. What is sent is verified by what comes back; see `send.ts`.
 */
import { pullKey, pullOf } from "../store/change-pull.ts";
import type { Pull } from "../store/model.ts";
import type { HandleContext } from "../work/due-queue.ts";
import { DueWorker } from "../work/due-worker.ts";
import type { Alone, ProgressMarks } from "../work/in-progress/in-progress.ts";
import { setPullAside } from "../work/in-progress/set-aside.ts";
import type { Runtime } from "../work/runtime.ts";
import type { TransitionSender } from "./send.ts";

export interface TransitionQueueOptions extends Runtime {
  readonly sender: TransitionSender;
  /** Written down before they are sent. */
  readonly inProgress: ProgressMarks;
}

export class TransitionQueue {
  readonly #options: TransitionQueueOptions;
  /** When it has stopped, the requests that were on their way have been verified. */
  readonly worker: DueWorker<Pull>;

  constructor(options: TransitionQueueOptions) {
    const { transitions } = options.store.due;
    this.#options = options;
    // A request at a time; each mutation may be a pull request's only one.
    const batch = (installationId: number | null) =>
      installationId === null ? 1 : options.sender.budget(installationId);
    this.worker = new DueWorker<Pull>(
      { ...options, each: 1, batch },
      {
        what: "transitions",
        topic: "transitions",
        kind: "transition",
        idOf: pullKey,
        repositoryOf: ({ repositoryId }) => repositoryId,
        // Those of no installation wait until there is one.
        outlook: async (until) => {
          const { installations, nextAt } = await transitions.outlook(until);
          return { installations: installations.filter((id) => id !== null), nextAt };
        },
        due: (installationId, until, limit) => transitions.of(installationId, until, limit),
        handle: (pulls, context) => this.#send(pulls, context),
        failed: async (pull, failure) => await options.sender.failed(pull, failure),
      },
    );
  }

  /** One transition while nothing else goes on, if it is due. */
  readonly alone: Alone = {
    attempt: async (key) => {
      const { store, now } = this.#options;
      const pull = await store.pull(pullOf(key));
      if (pull !== null && pull.intentAt !== null && pull.intentAt <= now()) {
        await this.worker.alone(pull, pull.installationId);
      }
    },
    setAside: (key, why) => setPullAside(this.#options.store, pullOf(key), why, this.#options.now),
  };

  async #send(pulls: readonly Pull[], { installationId, page }: HandleContext): Promise<void> {
    if (installationId !== null) {
      await this.#options.sender.round(pulls, this.#options.writers.of(installationId), page);
    }
  }
}
