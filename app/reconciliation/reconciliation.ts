/**
 * Puts right what went wrong without anybody noticing: webhooks that never came, labels and check runs that GitHub
 * shows otherwise than we confirmed, installations that changed while nobody listened. All of it runs by itself, at
 * the start and then in regular intervals; a part that fails is tried again sooner, and says so.
 */
import { KeyRefused } from "../github-cache/identity.ts";
import { ClaimLost, type DueSweep, type Repository } from "../store/model.ts";
import { DueWorker, type DueWorkerOptions } from "../work/due-worker.ts";
import { failureOfWork } from "../work/failure.ts";
import { RepeatedFailure } from "../work/repeated-failure.ts";
import { WorkerLoop } from "../work/worker-loop.ts";
import { prune, readInstallations } from "./maintenance.ts";
import { type DeliveriesReport, MissedDeliveries } from "./missed-deliveries.ts";
import { fullNameOf, RepositoryHidden, Sweeper, type SweeperOptions, type SweepReport } from "./sweep.ts";
import { peopleQueue, sweepQueue } from "./sweep-turns.ts";

export interface ReconcileOptions extends SweeperOptions {
  /** Whoever else has something to make up for in a repository that was swept. */
  readonly swept?: (repository: Repository) => Promise<void>;
}

/** Sweeps at one time: one of an installation; each waits for GitHub most of its time. */
const SWEEPS = { each: 1, total: 8, page: 1 } as const satisfies Partial<DueWorkerOptions>;

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
  readonly #sweeps: DueWorker<DueSweep>;
  readonly #people: DueWorker<Repository>;
  readonly #missed: WorkerLoop;
  readonly #maintenance: WorkerLoop;
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
    const startsAt = (): number => this.#startsAt;
    const queue = sweepQueue({
      ...options,
      startsAt,
      stopped: () => this.#stop.signal.aborted,
      sweep: (repository) => this.sweep(repository),
      failed: (repository, error, times) => {
        this.#say(error, { repository: fullNameOf(repository), ...times }, "could not be swept");
        if (error instanceof RepositoryHidden) {
          this.#maintenanceTurn = { ...this.#maintenanceTurn, nextAt: 0 };
          options.wakeups.notifyAll("app");
        }
      },
    });
    this.#sweeps = new DueWorker({ ...options, ...SWEEPS }, queue);
    this.#people = new DueWorker({ ...options, ...SWEEPS }, peopleQueue({ ...options, startsAt }));
    this.#missed = new WorkerLoop(() => this.#missedDue(), now, failure("looking for missed webhooks"));
    this.#maintenance = new WorkerLoop(() => this.#maintenanceDue(), now, failure("maintenance"));
    options.wakeups.on("app", () => {
      this.#missed.wake();
      this.#maintenance.wake();
    });
  }

  start(): void {
    this.#startsAt = this.#options.now() + this.#options.timings.reconcileDelay;
    this.#missed.wake();
    this.#maintenance.wake();
    this.#sweeps.start();
    this.#people.start();
  }

  /** Nothing is going on at this moment. */
  get idle(): boolean {
    return this.#sweeps.idle && this.#people.idle && this.#missed.idle && this.#maintenance.idle;
  }

  /** Resolves when what was going on has ended; requests on their way are given up. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("The app is stopping."));
    await Promise.all([this.#sweeps.stop(), this.#people.stop(), this.#missed.stop(), this.#maintenance.stop()]);
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
    const { store, now, wakeups } = this.#options;
    await store.sweeps.request(await readInstallations(this.#options, this.#stop.signal), now());
    wakeups.notify("sweeps");
  }

  /** Forgets what is old enough to go, then reads where the app is installed. */
  async maintenance(): Promise<void> {
    await prune(this.#options, this.#stop.signal);
    await this.readInstallations();
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
    try {
      await ownership.run("app", work);
    } catch (error) {
      if (error instanceof ClaimLost) {
        return { ...turn, nextAt: now() + timings.sharedPoll };
      }
      throw error;
    }
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
    const asked = failureOfWork(error, now()).retryAfterMs ?? 0;
    return { nextAt: now() + Math.max(asked, Math.min(pause * 2 ** failures, most)), failures: failures + 1 };
  }
}
