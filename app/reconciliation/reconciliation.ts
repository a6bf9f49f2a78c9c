/**
 * Puts right what went wrong without anybody noticing: webhooks that never came, labels and check runs that GitHub
 * shows otherwise than we confirmed, installations that changed while nobody listened. All of it runs by itself, at
 * the start and then in regular intervals; a part that fails is tried again sooner, and says so.
 */
import { requestFailure } from "../../src/github/request-failure.ts";
import { KeyRefused } from "../github-cache/identity.ts";
import type { Repository } from "../store/model.ts";
import type { DueQueue } from "../work/due-queue.ts";
import { DueWorker, type DueWorkerOptions } from "../work/due-worker.ts";
import { RepeatedFailure } from "../work/repeated-failure.ts";
import { WorkerLoop } from "../work/worker-loop.ts";
import { prune, readInstallations } from "./maintenance.ts";
import { type DeliveriesReport, MissedDeliveries } from "./missed-deliveries.ts";
import { fullNameOf, RepositoryHidden, Sweeper, type SweeperOptions, type SweepReport } from "./sweep.ts";

export interface ReconcileOptions extends SweeperOptions {
  /** Whoever else has something to make up for in a repository that was swept. */
  readonly swept?: (repository: Repository) => Promise<void>;
}

/** Sweeps at one time: one of an installation; each waits for GitHub most of its time. */
const SWEEPS = { each: 1, total: 8, page: 1 } as const satisfies Partial<DueWorkerOptions>;
const PAGE = 500;

interface Turn {
  readonly nextAt: number;
  /** How often in a row it failed. */
  readonly failures: number;
}

export class Reconciliation {
  readonly #options: ReconcileOptions;
  readonly #sweeper: Sweeper;
  readonly #deliveries: MissedDeliveries;
  readonly #stop = new AbortController();
  readonly #sweeps: DueWorker<Repository>;
  readonly #missed: WorkerLoop;
  readonly #maintenance: WorkerLoop;
  /** By repository. */
  readonly #turns = new Map<number, Turn>();
  #startsAt = Number.POSITIVE_INFINITY;
  #missedTurn: Turn = { nextAt: 0, failures: 0 };
  #maintenanceTurn: Turn = { nextAt: 0, failures: 0 };

  constructor(options: ReconcileOptions) {
    this.#options = options;
    const { now, log } = options;
    this.#sweeper = new Sweeper(options);
    this.#deliveries = new MissedDeliveries(options);
    const failure = (what: string): RepeatedFailure =>
      new RepeatedFailure({ log, now, failing: `${what} fails`, over: `${what} succeeds again` });
    this.#sweeps = new DueWorker({ ...options, ...SWEEPS }, this.#dueSweeps());
    this.#missed = new WorkerLoop(() => this.#missedDue(), now, failure("looking for missed webhooks"));
    this.#maintenance = new WorkerLoop(() => this.#maintenanceDue(), now, failure("maintenance"));
    options.wakeups.on("sweeps", (repositoryId) => this.#sweepSoon(repositoryId));
    options.wakeups.on("app", () => {
      this.#missed.wake();
      this.#maintenance.wake();
    });
  }

  start(): void {
    this.#startsAt = this.#options.now() + this.#options.timings.reconcileDelay;
    this.#missed.wake();
    this.#maintenance.wake();
    this.#sweeps.wake();
  }

  /** Nothing is going on at this moment. */
  get idle(): boolean {
    return this.#sweeps.idle && this.#missed.idle && this.#maintenance.idle;
  }

  /** Resolves when what was going on has ended; requests on their way are given up. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("The app is stopping."));
    await Promise.all([this.#sweeps.stop(), this.#missed.stop(), this.#maintenance.stop()]);
  }

  /** This repository is swept as soon as may be: something about it is known to be out of date. */
  #sweepSoon(repositoryId: number | null): void {
    if (repositoryId !== null) {
      this.#turns.set(repositoryId, { nextAt: 0, failures: 0 });
    }
    this.#sweeps.wake();
  }

  /** Sweeps one repository now. Throws what kept it from being swept. */
  async sweep(repository: Repository): Promise<SweepReport> {
    const report = await this.#sweeper.sweep(repository, this.#stop.signal);
    await this.#options.swept?.(repository);
    return report;
  }

  /** Looks for missed webhooks now. Throws what kept GitHub's list from being read. */
  async findMissed(): Promise<DeliveriesReport> {
    return await this.#deliveries.check(this.#stop.signal);
  }

  /** Reads where the app is installed now; what is new to us is swept. */
  async readInstallations(): Promise<void> {
    for (const repositoryId of await readInstallations(this.#options, this.#stop.signal)) {
      this.#sweepSoon(repositoryId);
    }
  }

  /** Forgets what is old enough to go, then reads where the app is installed. */
  async maintenance(): Promise<void> {
    await prune(this.#options, this.#stop.signal);
    await this.readInstallations();
  }

  /** All repositories on which the app is installed, each when its turn comes. */
  #dueSweeps(): DueQueue<Repository> {
    const { timings } = this.#options;
    let installed: readonly Repository[] = [];
    const dueBy = (until: number): Repository[] =>
      until < this.#startsAt ? [] : installed.filter(({ id }) => (this.#turns.get(id)?.nextAt ?? 0) <= until);
    return {
      what: "sweeps",
      topic: "sweeps",
      kind: null,
      idOf: ({ id }) => String(id),
      repositoryOf: ({ id }) => id,
      outlook: async (until) => {
        installed = await this.#installed();
        this.#forgetTurns(installed);
        const later = [...this.#turns.values()].map(({ nextAt }) => nextAt).filter((at) => at > until);
        const nextAt = Math.max(this.#startsAt, Math.min(until + timings.sweepEvery, ...later));
        return { installations: [...new Set(dueBy(until).map(({ installationId }) => installationId))], nextAt };
      },
      due: async (installationId, until, limit) =>
        dueBy(until)
          .filter((each) => each.installationId === installationId)
          .slice(0, limit),
      handle: async (due) => {
        for (const repository of due) {
          await this.#sweepOne(repository);
        }
      },
      failed: async () => undefined,
    };
  }

  /** Of repositories on which the app is not installed any more. */
  #forgetTurns(installed: readonly Repository[]): void {
    const known = new Set(installed.map(({ id }) => id));
    for (const id of this.#turns.keys()) {
      if (!known.has(id)) {
        this.#turns.delete(id);
      }
    }
  }

  /** Never throws: a failed sweep has its next turn sooner. */
  async #sweepOne(repository: Repository): Promise<void> {
    const { now, timings } = this.#options;
    const failures = this.#turns.get(repository.id)?.failures ?? 0;
    // Asked for again meanwhile: then it is swept once more.
    this.#turns.set(repository.id, { nextAt: now() + timings.sweepEvery, failures });
    const turn = this.#turns.get(repository.id);
    let next: Turn = { nextAt: 0, failures: 0 };
    try {
      const { unsettled } = await this.sweep(repository);
      const pause = unsettled > 0 ? Math.min(timings.settled, timings.sweepEvery) : timings.sweepEvery;
      next = { nextAt: now() + pause, failures: 0 };
    } catch (error) {
      if (this.#stop.signal.aborted) {
        return;
      }
      next = this.#later(error, failures, timings.sweepRetryPause, timings.sweepEvery);
      const pause = next.nextAt - now();
      this.#say(error, { repository: fullNameOf(repository), failures: failures + 1, pause }, "could not be swept");
      if (error instanceof RepositoryHidden) {
        this.#maintenanceTurn = { ...this.#maintenanceTurn, nextAt: 0 };
        this.#maintenance.wake();
      }
    }
    if (this.#turns.get(repository.id) === turn) {
      this.#turns.set(repository.id, next);
    }
  }

  async #missedDue(): Promise<number | null> {
    const { timings } = this.#options;
    this.#missedTurn = await this.#inTurn(this.#missedTurn, timings.deliveriesEvery, async () => {
      await this.findMissed();
    }).catch((error: unknown) => {
      this.#say(error, {}, "GitHub's list of webhooks could not be read");
      return this.#later(error, this.#missedTurn.failures, timings.sweepRetryPause, timings.deliveriesEvery);
    });
    return this.#missedTurn.nextAt;
  }

  async #maintenanceDue(): Promise<number | null> {
    const { timings } = this.#options;
    this.#maintenanceTurn = await this.#inTurn(this.#maintenanceTurn, timings.maintenanceEvery, () =>
      this.maintenance(),
    ).catch((error: unknown) => {
      this.#say(error, {}, "maintenance could not be done");
      return this.#later(error, this.#maintenanceTurn.failures, timings.sweepRetryPause, timings.maintenanceEvery);
    });
    return this.#maintenanceTurn.nextAt;
  }

  async #inTurn(turn: Turn, every: number, work: () => Promise<void>): Promise<Turn> {
    const { now, ownership, timings } = this.#options;
    if (!ownership.owns("app")) {
      // Somebody else does it; or it is ours soon, and told then.
      return { ...turn, nextAt: now() + timings.sharedPoll };
    }
    const at = Math.max(turn.nextAt, this.#startsAt);
    if (now() < at || this.#stop.signal.aborted) {
      return { ...turn, nextAt: at };
    }
    await ownership.run("app", work);
    return { nextAt: now() + every, failures: 0 };
  }

  /** That GitHub refuses the key is said once, not by everything that needs GitHub. */
  #say(error: unknown, about: object, what: string): void {
    if (!(error instanceof KeyRefused)) {
      this.#options.log.warn({ ...about, err: error }, what);
    }
  }

  #later(error: unknown, failures: number, pause: number, most: number): Turn {
    const { now } = this.#options;
    const asked = requestFailure(error, now()).retryAfterMs ?? 0;
    return { nextAt: now() + Math.max(asked, Math.min(pause * 2 ** failures, most)), failures: failures + 1 };
  }

  async #installed(): Promise<Repository[]> {
    const all: Repository[] = [];
    for (;;) {
      const page = await this.#options.store.installedRepositories(PAGE, all.at(-1)?.id);
      all.push(...page);
      if (page.length < PAGE) {
        return all;
      }
    }
  }
}
