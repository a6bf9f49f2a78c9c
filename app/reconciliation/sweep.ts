/**
 * One sweep over a repository: all its open pull requests in pages of one query each, then those that we think open
 * and GitHub did not list, and those that were closed since the last sweep. What was missed is recorded, what is shown
 * wrongly is read again and put right.
 */
import type { GitHubClient } from "../../src/github/port.ts";
import { MOST_SNAPSHOTS, readOpenPulls, readPullsById, type Snapshot } from "../../src/github/pulls/snapshot.ts";
import type { CommentSeen } from "../../src/github/pulls/snapshot-acts.ts";
import type { Repository } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import { sleepUnlessAborted } from "../work/pause.ts";
import type { Runtime } from "../work/runtime.ts";
import { installedSince, setSwept, sweptUntil, watchFrom } from "./installed-since.ts";
import { type PeopleOptions, reevaluatePeopleIfDue } from "./people.ts";
import { completed, recordSnapshot } from "./record-snapshot.ts";

export interface SweeperOptions extends Runtime, PeopleOptions {
  readonly appId: number;
  /** Comments as they were written; those that are known already change nothing. */
  readonly comments: (repository: Repository, number: number, comments: readonly CommentSeen[]) => Promise<void>;
}

/** How many pull requests were seen, and what became of them. */
export interface SweepReport {
  readonly queries: number;
  readonly open: number;
  readonly unchanged: number;
  readonly repaired: number;
  readonly taken_up: number;
  /** Not what their events told, which may still be on their way: to be swept again soon. */
  readonly unsettled: number;
  /** Open since before the installation, and untouched since. */
  readonly left: number;
  /** No longer open, or no longer there. */
  readonly gone: number;
}

/** The app may not see the repository (any more): its installation is to be read again. */
export class RepositoryHidden extends Error {
  override readonly name = "RepositoryHidden";
}

/** GitHub ends a request after 10 s: a page that it cannot read in that time is asked for in smaller ones. */
const LEAST_PAGE = 5;
/** Commands in comments that are older than this are not obeyed any more: nobody expects it. */
const OLDEST_COMMAND_MS = 3 * 24 * 60 * 60_000;

/** A comment with no such line holds no command. */
const COMMAND_LINE = /^ {0,3}\/[a-z]/imu;

type Counts = { -readonly [K in keyof SweepReport]: number };

export class Sweeper {
  readonly #options: SweeperOptions;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Throws what GitHub's client throws, `RepositoryHidden`, or the reason of the signal. */
  async sweep(repository: Repository, stop: AbortSignal): Promise<SweepReport> {
    const { clients, store, log, now, timings } = this.#options;
    const { installationId } = repository;
    if (installationId === null) {
      throw new RepositoryHidden(`The app is not installed on ${fullNameOf(repository)}.`);
    }
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timings.sweepMost)]);
    const began = now();
    const since = await this.#since(repository);
    const counts: Counts = {
      queries: 0,
      open: 0,
      unchanged: 0,
      repaired: 0,
      taken_up: 0,
      unsettled: 0,
      left: 0,
      gone: 0,
    };
    const client = counting(await clients.installation(installationId), counts);
    const swept = (await sweptUntil(store, repository.id)) ?? since;
    // Of those that were closed since the last sweep something may have been lost before: a hold of the repository.
    // GitHub's clock is not ours.
    const closedSince = swept - timings.settled;
    const known = new Set(
      [
        ...(await store.pullIds({ repositoryId: repository.id, open: true })),
        ...(await store.pullIds({ repositoryId: repository.id, closedSince })),
      ].map((each) => each.number),
    );
    const tour: Tour = { client, repository, since, swept, counts, signal };
    for await (const { snapshots, askedAt } of this.#pages(tour)) {
      for (const snapshot of snapshots) {
        counts.open += 1;
        known.delete(snapshot.number);
        await this.#take(tour, snapshot, askedAt);
      }
      this.#wake();
    }
    await this.#unlisted(tour, [...known]);
    await reevaluatePeopleIfDue(this.#options, repository, began);
    this.#wake();
    await setSwept(store, repository.id, began);
    log.info({ repository: fullNameOf(repository), ...counts, took: now() - began }, "swept");
    return counts;
  }

  /** There may be something to evaluate or to send. */
  #wake(): void {
    this.#options.wakeups.notify("pulls");
    this.#options.wakeups.notify("transitions");
  }

  /** Pages of the open pull requests; smaller ones after GitHub could not answer in time. */
  async *#pages({ client, repository, signal }: Tour): AsyncGenerator<Page> {
    const { appId, timings, now, log } = this.#options;
    let first = MOST_SNAPSHOTS;
    let after: string | null = null;
    for (;;) {
      const askedAt = now();
      let read: Awaited<ReturnType<typeof readOpenPulls>>;
      try {
        read = await readOpenPulls(client, repository, { after, first }, appId, this.#bounded(signal));
      } catch (error) {
        const failure = failureOfWork(error, now());
        if (failure.kind !== "temporary" || first <= LEAST_PAGE || signal.aborted) {
          throw error;
        }
        first = Math.max(LEAST_PAGE, Math.floor(first / 2));
        log.warn(
          { repository: fullNameOf(repository), first, err: error },
          "a page could not be read, asking for fewer",
        );
        await sleepUnlessAborted(timings.sweepPause, signal);
        continue;
      }
      if (read === null) {
        throw new RepositoryHidden(`${fullNameOf(repository)} is not there, or the app may not see it.`);
      }
      yield { snapshots: read.snapshots, askedAt };
      if (read.next === null) {
        return;
      }
      after = read.next;
      await sleepUnlessAborted(timings.sweepPause, signal);
    }
  }

  /** Those that GitHub did not list: closed, or opened while the pages were read. */
  async #unlisted(tour: Tour, numbers: readonly number[]): Promise<void> {
    const { store, appId, now, log } = this.#options;
    const { client, repository, counts, signal } = tour;
    for (let from = 0; from < numbers.length; from += MOST_SNAPSHOTS) {
      const rows = [];
      for (const number of numbers.slice(from, from + MOST_SNAPSHOTS)) {
        const row = await store.pull({ repositoryId: repository.id, number });
        if (row !== null && row.facts.nodeId !== "") {
          rows.push(row);
        }
      }
      if (rows.length === 0) {
        continue;
      }
      const askedAt = now();
      const ids = rows.map((row) => row.facts.nodeId);
      const found = await readPullsById(client, ids, appId, this.#bounded(signal));
      for (const [index, row] of rows.entries()) {
        const snapshot = found[index] ?? null;
        if (snapshot === null) {
          counts.gone += 1;
          log.warn({ repository: fullNameOf(repository), pull: row.number }, "GitHub shows this pull request no more");
        } else {
          counts.gone += snapshot.state.state === "closed" && row.facts.state === "open" ? 1 : 0;
          await this.#take(tour, snapshot, askedAt);
        }
      }
    }
  }

  async #take(tour: Tour, given: Snapshot, askedAt: number): Promise<void> {
    const { store, appId, now, timings, log } = this.#options;
    const { client, repository, since, swept, counts, signal } = tour;
    const row = await store.pull({ repositoryId: repository.id, number: given.number });
    // GitHub dates by whole seconds.
    if (row === null && given.state.openedAt < since - (since % 1_000)) {
      counts.left += 1;
      return;
    }
    const snapshot = await completed(client, row, given, { appId, since: swept }, this.#bounded(signal));
    const seen = { snapshot, repository, askedAt };
    const { outcome, unsettled } = await recordSnapshot({ store, appId, now, settled: timings.settled }, seen);
    counts[outcome] += 1;
    counts.unsettled += unsettled ? 1 : 0;
    if (outcome !== "unchanged") {
      log.info({ repository: fullNameOf(repository), pull: given.number, outcome }, "found by the sweep");
    }
    // What was lost before the app was installed anew is not lost for ever, nor what was said while it was away.
    const oldest = Math.max(Math.min(since, swept), now() - OLDEST_COMMAND_MS);
    const obeyed = new Set((row?.facts.acts ?? []).flatMap((act) => (act.kind === "command" ? [act.commentId] : [])));
    const comments = snapshot.comments.filter(
      ({ id, at, body }) => at >= oldest && !obeyed.has(id) && COMMAND_LINE.test(body),
    );
    if (comments.length > 0) {
      await this.#options.comments(repository, given.number, comments);
    }
  }

  async #since(repository: Repository): Promise<number> {
    const { store, now } = this.#options;
    const since = await installedSince(store, repository.id);
    if (since !== null) {
      return since;
    }
    const at = now();
    await watchFrom(store, repository.id, at);
    return at;
  }

  #bounded(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#options.timings.requestTimeout)]);
  }
}

interface Tour {
  readonly client: GitHubClient;
  readonly repository: Repository;
  readonly since: number;
  /** Until when the last complete sweep saw everything. */
  readonly swept: number;
  readonly counts: Counts;
  readonly signal: AbortSignal;
}

interface Page {
  readonly snapshots: readonly Snapshot[];
  readonly askedAt: number;
}

function counting(client: GitHubClient, counts: Counts): GitHubClient {
  return {
    request: (route, parameters) => client.request(route, parameters),
    graphql: (query, variables) => {
      counts.queries += 1;
      return client.graphql(query, variables);
    },
  };
}

export function fullNameOf(repository: Pick<Repository, "owner" | "name">): string {
  return `${repository.owner}/${repository.name}`;
}
