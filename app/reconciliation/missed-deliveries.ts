/**
 * Webhooks that never came: GitHub lists what it sent for three days and sends again what it is asked to. How often
 * each was tried stands in that list, too, so nothing of it has to be remembered.
 */
import type { Logger } from "pino";
import { z } from "zod";
import type { GitHubClient } from "../../src/github/port.ts";
import { type ListedDelivery, listDeliveries, redeliver } from "../../src/github/webhooks/deliveries.ts";
import type { Clients } from "../github-cache/clients.ts";
import type { Store } from "../store/model.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Timings } from "../work/timings.ts";
import type { Wakeups } from "../work/wakeups.ts";
import { turnAfter } from "./sweep-turns.ts";

export interface MissedDeliveriesOptions {
  readonly store: Pick<Store, "knownDeliveries" | "meta" | "setMeta" | "sweeps">;
  readonly clients: Clients;
  readonly log: Logger;
  readonly now: () => number;
  readonly timings: Timings;
  readonly wakeups: Wakeups;
}

export interface DeliveriesReport {
  /** Deliveries in the part of the list that was read. */
  readonly listed: number;
  /** Not here, though GitHub sent them. */
  readonly missed: number;
  /** Asked for again now. */
  readonly redelivered: number;
  /** Asked for as often as is sensible. */
  readonly givenUp: number;
}

/** GitHub keeps its list for three days. */
const KEPT_MS = 3 * 24 * 60 * 60_000;
/** Attempts at one delivery, the first included. */
const MOST_ATTEMPTS = 5;
/** Of a list longer than this the rest is read the next time: what is redelivered is at its front then. */
const MOST_PAGES = 100;
/** Asked for in one round, so that the app is not flooded after a long outage. */
const MOST_REDELIVERED = 300;

const SINCE = "deliveries: looked at until";
const STARTED = "deliveries: remembered since";

export class MissedDeliveries {
  readonly #options: MissedDeliveriesOptions;

  constructor(options: MissedDeliveriesOptions) {
    this.#options = options;
  }

  /** Throws what GitHub's client throws when the list cannot be read. */
  async check(stop: AbortSignal): Promise<DeliveriesReport> {
    const { clients, store, log, now, timings } = this.#options;
    const at = now();
    const client = await clients.app();
    const since = Math.max(date.parse(await store.meta(SINCE)) ?? 0, at - KEPT_MS);
    const started = await this.#started(at);
    const groups = await this.#read(client, since, stop);
    const known = await store.knownDeliveries([...groups.keys()]);
    const report = { listed: groups.size, missed: 0, redelivered: 0, givenUp: 0 };
    let settled = at - timings.deliveryGrace;
    const repositories = new Set<number>();
    for (const [guid, attempts] of groups) {
      const [last] = attempts;
      // Before this memory began, what GitHub saw arrive was somebody's; it is not asked for again.
      const arrived = attempts.some((each) => each.arrived && each.deliveredAt < started);
      if (last === undefined || known.has(guid) || arrived) {
        continue;
      }
      const onItsWay = last.deliveredAt > at - timings.deliveryGrace;
      if (!onItsWay) {
        report.missed += 1;
        if (last.repositoryId !== null) repositories.add(last.repositoryId);
        report.givenUp += attempts.length >= MOST_ATTEMPTS ? 1 : 0;
      }
      if (attempts.length >= MOST_ATTEMPTS) {
        continue;
      }
      // It stays to be looked at, with all attempts at it, until it has come or has been tried often enough.
      settled = Math.min(settled, ...attempts.map((each) => each.deliveredAt - 1));
      if (onItsWay) {
        continue;
      }
      const due = last.deliveredAt + timings.redeliverPause * 2 ** (attempts.length - 2);
      const atOnce = attempts.length === 1;
      if ((atOnce || due <= at) && report.redelivered < MOST_REDELIVERED) {
        report.redelivered += (await this.#ask(client, last, attempts.length, stop)) ? 1 : 0;
      }
    }
    await this.#sweep(repositories, at);
    await store.setMeta(SINCE, `${Math.max(settled, since)}`);
    if (report.missed > 0) {
      log.warn(report, "webhooks were missed");
    } else {
      log.debug(report, "no webhook was missed");
    }
    return report;
  }

  /** Of what was missed something may never come: their repositories are swept soon, and more often for a while. */
  async #sweep(repositories: ReadonlySet<number>, at: number): Promise<void> {
    const { store, timings, wakeups } = this.#options;
    for (const id of repositories) {
      await store.sweeps.noteActivity(id, at, turnAfter(id, at, timings.sweepEvery));
    }
    if (repositories.size > 0) {
      wakeups.notify("sweeps");
    }
  }

  /** The deliveries since then, newest first, with all attempts at each. */
  async #read(client: GitHubClient, since: number, stop: AbortSignal): Promise<Map<string, ListedDelivery[]>> {
    const { log } = this.#options;
    const groups = new Map<string, ListedDelivery[]>();
    let cursor: string | null = null;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { deliveries, next } = await listDeliveries(client, cursor, this.#bounded(stop));
      for (const each of deliveries) {
        if (each.deliveredAt > since) {
          groups.set(each.guid, [...(groups.get(each.guid) ?? []), each]);
        }
      }
      const oldest = deliveries.at(-1);
      if (next === null || oldest === undefined || oldest.deliveredAt <= since) {
        return groups;
      }
      cursor = next;
    }
    log.warn({ pages: MOST_PAGES }, "the list of webhooks is longer than is read at once");
    return groups;
  }

  async #ask(client: GitHubClient, delivery: ListedDelivery, attempts: number, stop: AbortSignal): Promise<boolean> {
    const { log, now } = this.#options;
    const about = { delivery: delivery.guid, event: delivery.event, action: delivery.action, attempts };
    try {
      await redeliver(client, delivery.id, this.#bounded(stop));
      log.info(about, "missed webhook asked for again");
      return true;
    } catch (error) {
      const failure = failureOfWork(error, now());
      log.warn({ ...about, err: error }, "missed webhook could not be asked for");
      if (failure.kind === "rate_limit" || failure.kind === "temporary") {
        throw error;
      }
      return false;
    }
  }

  /** When this database began to remember deliveries. */
  async #started(now: number): Promise<number> {
    const { store } = this.#options;
    const known = date.parse(await store.meta(STARTED));
    if (known === null) {
      await store.setMeta(STARTED, `${now}`);
    }
    return known ?? now;
  }

  #bounded(stop: AbortSignal): AbortSignal {
    return AbortSignal.any([stop, AbortSignal.timeout(this.#options.timings.requestTimeout)]);
  }
}

const date = z
  .string()
  .nullable()
  .transform((text) => (text === null ? null : Number(text)));
