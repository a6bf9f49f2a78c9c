/**
 * Looks after things that go on at GitHub for a while (runs that were started, jobs that wait): a step for each when
 * it is due, one after the other for each installation, beside whatever else the app does.
 */
import { withDeadline } from "../../src/github/deadline.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { type RequestFailure, requestFailure } from "../../src/github/request-failure.ts";
import type { Repository } from "../store/model.ts";
import type { InHand } from "./in-hand.ts";
import type { Runtime } from "./runtime.ts";
import { WorkerLoop } from "./worker-loop.ts";

export interface TendingOptions extends Runtime {
  /** Written down before their steps are taken. */
  readonly inHand: Pick<InHand, "ready" | "mark" | "done">;
}

/** What a step works with. */
export interface Desk {
  readonly repository: Repository;
  /** Each of its requests is ended after `requestTimeout`. */
  readonly client: GitHubClient;
  /** Every request that changes something goes through here. */
  readonly write: <T>(send: (client: GitHubClient) => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** What is looked after, and how. */
export interface Trade<T> {
  /** For the log. */
  readonly what: string;
  readonly kind: "start" | "gate";
  idOf(item: T): string;
  due(until: number, limit: number): Promise<readonly T[]>;
  nextAt(): Promise<number | null>;
  /** Stores what came of it, and when it is due again. What it throws is told to `failed`. */
  step(item: T, desk: Desk): Promise<void>;
  /** GitHub could not be reached or refused: it is due again then. Whatever the step had stored stands. */
  failed(item: T, failure: RequestFailure, at: number): Promise<void>;
  /** It is not to be looked after any more, for this reason. */
  setAside(item: T, reason: string): Promise<void>;
}

interface Tended {
  readonly repositoryId: number;
  /** Failures in a row. */
  readonly tries: number;
}

const PAGE = 100;
/** Among so many that are due one is looked for. */
const MOST_SEARCHED = 10_000;
/** Of one step; a single request ends after `requestTimeout`, but it may have to wait for its turn. */
const STEP_TIMEOUT = 10 * 60_000;
/** Where the app is not installed (any more), nothing can be done until it is. */
const NOT_INSTALLED_PAUSE = 60 * 60_000;

export class Tending<T extends Tended> {
  readonly #options: TendingOptions;
  readonly #trade: Trade<T>;
  readonly #loop: WorkerLoop;
  readonly #stop = new AbortController();

  constructor(options: TendingOptions, trade: Trade<T>) {
    this.#options = options;
    this.#trade = trade;
    const failed = (error: unknown): void => options.log.error({ err: error }, `looking after ${trade.what} failed`);
    this.#loop = new WorkerLoop(() => this.#work(), options.now, failed);
  }

  /** Something may be due. */
  wake(): void {
    this.#loop.wake();
  }

  get idle(): boolean {
    return this.#loop.idle;
  }

  /** Resolves when the steps that are being taken have ended. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("The app is stopping."));
    await this.#loop.stop();
  }

  /** Takes the step of one alone, if it is due. */
  async alone(id: string): Promise<void> {
    const item = await this.#due(id);
    if (item !== null) {
      await this.#steps([item]);
    }
  }

  async setAside(id: string, reason: string): Promise<void> {
    const item = await this.#due(id);
    if (item !== null) {
      await this.#trade.setAside(item, reason);
    }
  }

  async #due(id: string): Promise<T | null> {
    const due = await this.#trade.due(this.#options.now(), MOST_SEARCHED);
    return due.find((item) => this.#trade.idOf(item) === id) ?? null;
  }

  async #work(): Promise<number | null> {
    const { now, inHand } = this.#options;
    await inHand.ready();
    for (;;) {
      const due = await this.#trade.due(now(), PAGE);
      if (due.length === 0 || this.#stop.signal.aborted) {
        return await this.#trade.nextAt();
      }
      await inHand.mark(
        this.#trade.kind,
        due.map((item) => this.#trade.idOf(item)),
      );
      await this.#steps(due);
      inHand.done(this.#trade.kind);
    }
  }

  async #steps(due: readonly T[]): Promise<void> {
    const { store, now } = this.#options;
    const byInstallation = new Map<number, { item: T; repository: Repository }[]>();
    for (const item of due) {
      const repository = await store.repository(item.repositoryId);
      const installationId = repository?.installationId ?? null;
      if (repository === null || installationId === null) {
        const message = "the app is not installed there";
        const failure = { kind: "permission", status: null, message, retryAfterMs: null } as const;
        await this.#trade.failed(item, failure, now() + NOT_INSTALLED_PAUSE);
        continue;
      }
      byInstallation.set(installationId, [...(byInstallation.get(installationId) ?? []), { item, repository }]);
    }
    await Promise.all([...byInstallation].map(([id, items]) => this.#inTurn(id, items)));
  }

  async #inTurn(
    installationId: number,
    items: readonly { readonly item: T; readonly repository: Repository }[],
  ): Promise<void> {
    for (const { item, repository } of items) {
      if (this.#stop.signal.aborted) {
        return;
      }
      await this.#one(installationId, item, repository);
    }
  }

  /** Never throws for GitHub's sake. */
  async #one(installationId: number, item: T, repository: Repository): Promise<void> {
    const { clients, writers, log, now, timings } = this.#options;
    const writer = writers.of(installationId);
    try {
      if (writer.isHeld) {
        const message = "GitHub's rate limit was reached";
        await this.#trade.failed(
          item,
          { kind: "rate_limit", status: null, message, retryAfterMs: null },
          writer.heldUntil,
        );
        return;
      }
      const client = withDeadline(await clients.installation(installationId), timings.requestTimeout);
      await this.#trade.step(item, {
        repository,
        client,
        write: (send) => writer.write(() => send(client)),
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(STEP_TIMEOUT)]),
      });
    } catch (error) {
      const failure = requestFailure(error, now());
      const backoff = Math.min(timings.reevaluationPause * 2 ** Math.min(item.tries, 20), timings.blockedPauseMost);
      let at = now() + Math.max(failure.retryAfterMs ?? 0, backoff);
      if (failure.kind === "rate_limit") {
        at = now() + (failure.retryAfterMs ?? timings.rateLimitPause);
        writer.holdUntil(at);
      }
      const name = { repository: `${repository.owner}/${repository.name}`, what: this.#trade.what };
      log.warn({ ...name, err: error, tries: item.tries + 1, until: at }, "put off");
      await this.#trade.failed(item, failure, at);
    }
  }
}
