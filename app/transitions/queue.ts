/**
 * Decided transitions on their way to GitHub: for each installation what waits goes out together in one request, at
 * GitHub's pace. What is sent is judged by what comes back; see `send.ts`.
 */
import { pullKey } from "../store/change-pull.ts";
import type { Pull, PullId } from "../store/model.ts";
import type { InHand } from "../work/in-hand.ts";
import type { Runtime } from "../work/runtime.ts";
import { WorkerLoop } from "../work/worker-loop.ts";
import type { TransitionSender } from "./send.ts";

export interface TransitionQueueOptions extends Runtime {
  readonly sender: Pick<TransitionSender, "round">;
  /** Written down before they are sent. */
  readonly inHand: Pick<InHand, "ready" | "mark" | "done">;
}

/** Pull requests taken from the store at once. */
const PAGE = 200;

export class TransitionQueue {
  readonly #options: TransitionQueueOptions;
  readonly #loops = new Map<number, WorkerLoop>();
  readonly #all: WorkerLoop;
  #stopping = false;

  constructor(options: TransitionQueueOptions) {
    this.#options = options;
    this.#all = this.#loopFor(async () => {
      for (const { installationId } of await options.store.intentInstallations()) {
        this.#loopOf(installationId).wake();
      }
      return null;
    });
    options.wakeups.on("transitions", () => this.wake());
  }

  /** Transitions may be due. */
  wake(): void {
    this.#all.wake();
  }

  /** Sends one decided transition now, if it is due. */
  async move(id: PullId): Promise<void> {
    const { store, writers, now, sender } = this.#options;
    const pull = await store.pull(id);
    if (pull !== null && pull.installationId !== null && pull.intentAt !== null && pull.intentAt <= now()) {
      const writer = writers.of(pull.installationId);
      if (!writer.isHeld) {
        await sender.round([pull], writer);
      }
    }
  }

  get idle(): boolean {
    return this.#all.idle && [...this.#loops.values()].every((loop) => loop.idle);
  }

  /** Resolves when the requests that are on their way have been judged. What waits stays stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#all.stop();
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
  }

  #loopFor(work: () => Promise<number | null>): WorkerLoop {
    const { log, now } = this.#options;
    return new WorkerLoop(work, now, (error) => log.error({ err: error }, "sending transitions failed"));
  }

  #loopOf(installationId: number): WorkerLoop {
    let loop = this.#loops.get(installationId);
    if (loop === undefined) {
      loop = this.#loopFor(() => this.#work(installationId));
      this.#loops.set(installationId, loop);
    }
    return loop;
  }

  async #work(installationId: number): Promise<number | null> {
    const { store, sender, now, inHand, writers } = this.#options;
    const writer = writers.of(installationId);
    await inHand.ready();
    while (!this.#stopping) {
      if (writer.isHeld) {
        return writer.heldUntil;
      }
      const due = await store.dueIntents(installationId, now(), PAGE);
      if (due.length === 0) {
        const next = (await store.intentInstallations()).find((each) => each.installationId === installationId);
        return next?.at ?? null;
      }
      await inHand.mark("move", due.map(pullKey), installationId);
      await sender.round(fairly(due), writer);
      inHand.done("move", installationId);
    }
    return null;
  }
}

/** In turns by repository, so that one with many transitions does not keep the others waiting. */
function fairly(pulls: readonly Pull[]): Pull[] {
  const queues = new Map<number, Pull[]>();
  for (const pull of pulls) {
    queues.set(pull.repositoryId, [...(queues.get(pull.repositoryId) ?? []), pull]);
  }
  const ordered: Pull[] = [];
  while (ordered.length < pulls.length) {
    for (const queue of queues.values()) {
      const next = queue.shift();
      if (next !== undefined) {
        ordered.push(next);
      }
    }
  }
  return ordered;
}
