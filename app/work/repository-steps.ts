/**
 * Things that go on at GitHub for a while (runs that were started, jobs that wait) and belong to a repository: a step
 * for each when it is due.
 */
import { withDeadline } from "../../src/github/deadline.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import type { RequestFailure } from "../../src/github/request-failure.ts";
import type { DueRows, InstallationId, Repository } from "../store/model.ts";
import { backoffPause } from "./backoff.ts";
import { DueWorker, type DueWorkerOptions } from "./due-worker.ts";
import type { Alone, Kind, ProgressMarks } from "./in-progress/in-progress.ts";
import type { Runtime } from "./runtime.ts";
import type { Topic } from "./wakeups.ts";

/** What a step works with. */
export interface RepositoryAccess {
  readonly repository: Repository;
  /** Each of its requests is ended after `requestTimeout`. */
  readonly client: GitHubClient;
  /** Every request that changes something goes through here. */
  readonly write: <T>(send: (client: GitHubClient) => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** What is looked after, and how. */
export interface RepositorySteps<T> {
  /** For the log. */
  readonly what: string;
  readonly topic: Topic;
  readonly kind: Kind;
  readonly rows: DueRows<T>;
  /** Before the first step: what was going on when it was last worked at is due again; `of`: of one installation. */
  takeUp(of?: InstallationId): Promise<void>;
  idOf(item: T): string;
  find(id: string): Promise<T | null>;
  /** Stores what came of it, and when it is due again. What it throws is told to `failed`. */
  step(item: T, access: RepositoryAccess): Promise<void>;
  /** GitHub could not be reached or refused: it is due again then. Whatever the step had stored stands. */
  failed(item: T, failure: RequestFailure, at: number): Promise<void>;
  /** It is not to be looked after any more, for this reason. */
  setAside(item: T, reason: string): Promise<void>;
}

export interface StepWorkerOptions extends Runtime {
  /** Written down before their steps are taken. */
  readonly inProgress: ProgressMarks;
}

interface Stepped {
  readonly repositoryId: number;
  /** Failures in a row. */
  readonly tries: number;
  /** When it is due; null: only when told. */
  readonly nextAt: number | null;
}

/** Of one step; a single request ends after `requestTimeout`, but it may have to wait for its turn. */
const STEP_TIMEOUT = 10 * 60_000;
/** Where the app is not installed (any more), nothing can be done until it is. */
const NOT_INSTALLED_PAUSE = 60 * 60_000;
/** Few: what has become urgent meanwhile comes before what was not taken yet. */
const LIMITS = { page: 4, each: 4 } as const satisfies Partial<DueWorkerOptions>;

export class StepWorker<T extends Stepped> implements Alone {
  readonly #options: StepWorkerOptions;
  readonly #steps: RepositorySteps<T>;
  readonly worker: DueWorker<T>;

  constructor(options: StepWorkerOptions, steps: RepositorySteps<T>) {
    this.#options = options;
    this.#steps = steps;
    const { what, topic, kind, rows } = steps;
    this.worker = new DueWorker(
      { ...options, ...LIMITS },
      {
        what,
        topic,
        kind,
        takeUp: async (scope) => {
          if (scope !== "app") {
            await steps.takeUp(scope === "all" ? undefined : scope);
          }
        },
        idOf: (item) => steps.idOf(item),
        repositoryOf: ({ repositoryId }) => repositoryId,
        outlook: (until) => rows.outlook(until),
        due: (installationId, until, limit) => rows.of(installationId, until, limit),
        handle: async (items, { signal }) => {
          for (const item of items) {
            await this.#step(item, signal);
          }
        },
        failed: (item, failure) => this.#failed(item, failure),
      },
    );
  }

  /** Takes the step of one alone, if it is due. */
  async attempt(id: string): Promise<void> {
    const item = await this.#due(id);
    if (item !== null) {
      const repository = await this.#options.store.repository(item.repositoryId);
      await this.worker.alone(item, repository?.installationId ?? null);
    }
  }

  async setAside(id: string, reason: string): Promise<void> {
    const item = await this.#due(id);
    if (item !== null) {
      await this.#steps.setAside(item, reason);
    }
  }

  async #due(id: string): Promise<T | null> {
    const item = await this.#steps.find(id);
    return item !== null && item.nextAt !== null && item.nextAt <= this.#options.now() ? item : null;
  }

  async #step(item: T, stop: AbortSignal): Promise<void> {
    const { store, clients, writers, now, timings } = this.#options;
    const repository = await store.repository(item.repositoryId);
    const installationId = repository?.installationId ?? null;
    if (repository === null || installationId === null) {
      const message = "the app is not installed there";
      const failure = { kind: "permission", status: null, message, retryAfterMs: null } as const;
      await this.#steps.failed(item, failure, now() + NOT_INSTALLED_PAUSE);
      return;
    }
    const client = withDeadline(await clients.installation(installationId), timings.requestTimeout);
    await this.#steps.step(item, {
      repository,
      client,
      write: (send) => writers.of(installationId).write(() => send(client)),
      signal: AbortSignal.any([stop, AbortSignal.timeout(STEP_TIMEOUT)]),
    });
  }

  async #failed(item: T, failure: RequestFailure): Promise<void> {
    const { now, timings } = this.#options;
    const pause =
      failure.kind === "rate_limit"
        ? (failure.retryAfterMs ?? timings.rateLimitPause)
        : backoffPause({ first: timings.reevaluationPause, most: timings.blockedPauseMost }, item.tries, failure);
    await this.#steps.failed(item, failure, now() + pause);
  }
}
