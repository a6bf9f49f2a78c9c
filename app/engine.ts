/** The rooms of the app, put together: deliveries come in, facts are kept, pull requests are looked at and moved. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Clients, Ourselves } from "./clients.ts";
import { Effects, type Lane } from "./effects.ts";
import { GrantsKeeper } from "./grants.ts";
import { Inbox } from "./inbox.ts";
import { Judge } from "./judge.ts";
import { LabelIds } from "./label-ids.ts";
import { Listener } from "./listener.ts";
import { Looks } from "./looks.ts";
import { Mover } from "./mover.ts";
import { Outbox } from "./outbox.ts";
import { Outcomes } from "./outcomes.ts";
import { PolicyKeeper } from "./policies/keeper.ts";
import { PolicyCheck } from "./policies/show.ts";
import type { Policies } from "./policies.ts";
import { Reconcile } from "./reconcile/index.ts";
import { StandingKeeper } from "./standing.ts";
import type { Store } from "./store/store.ts";
import type { Timings } from "./timings.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly clients: Clients;
  readonly ourselves: () => Ourselves;
  readonly log: Logger;
  readonly timings: Timings;
  readonly now: () => number;
  /** Where this app can be reached by people; null: nowhere. */
  readonly publicUrl: string | null;
  /** In place of the repositories' own policy files. */
  readonly policies?: Policies;
}

export interface Engine {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly reconcile: Reconcile;
  /** Pull requests may wait to be looked at. */
  wake(): void;
  /** Takes up what was left when the process ended. */
  start(): Promise<void>;
  /** Ends what is going on; what waits stays stored. */
  stop(): Promise<void>;
  /** Resolves when there is nothing to do before some later time. */
  idle(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { store, clients, ourselves, log, timings, now, publicUrl } = options;
  const { appId } = ourselves();
  const { requestTimeout } = timings;
  const standing = new StandingKeeper({ store, now, keepMs: timings.keepStanding });
  const labelIds = new LabelIds({ store, now, requestTimeout });
  const grants = new GrantsKeeper({ store, clients, now, requestTimeout });
  const wake = (): void => looks.wake();
  const lane = (installation: number): Lane => effects.lane(installation);
  const check = new PolicyCheck({ clients, grants, appId, lane, log, now, timings });
  const keeper = new PolicyKeeper({
    store,
    clients,
    show: (repository, state) => check.show(repository, state),
    log,
    now,
    timings,
    wake,
  });
  const policies = options.policies ?? keeper;
  const judge = new Judge({ clients, standing, policies, appId, requestTimeout });
  const queued = (): void => outbox.wake();
  const outcomes = new Outcomes({ store, log, now, timings, wake, queued });
  const mover = new Mover({
    store,
    clients,
    judge,
    labelIds,
    outcomes,
    appId,
    log,
    now,
    timings,
    detailsUrl: (repository, number) =>
      publicUrl === null ? null : `${publicUrl}/pulls/${repository.owner}/${repository.name}/${number}`,
  });
  const effects = new Effects({ store, clients, mover, log, now, sleep: (ms) => sleep(ms), timings });
  const refusal = (kind: string, installation: number) => grants.refusal(kind, installation);
  const outbox = new Outbox({ store, clients, ourselves, lane, look: wake, refusal, log, now, timings });
  const looks = new Looks({
    store,
    judge,
    log,
    now,
    timings,
    decided: (installation) => effects.wake(installation),
    queued,
  });
  const outOfDate = (repositoryId: number): void => reconcile.sweepSoon(repositoryId);
  const listener = new Listener({
    store,
    standing,
    labelIds,
    policies,
    grants,
    ourselves,
    log,
    now,
    wake,
    queued,
    outOfDate,
  });
  const reconcile = new Reconcile({
    store,
    clients,
    appId,
    log,
    now,
    timings,
    comments: (repository, number, comments) => listener.comments(repository, number, comments),
    wake: (installation) => {
      looks.wake();
      effects.wake(installation);
    },
  });
  const inbox = new Inbox({ store, log, now, handle: (delivery, content) => listener.handle(delivery, content) });
  return {
    inbox,
    outbox,
    reconcile,
    wake,
    start: async () => {
      await inbox.start();
      await effects.start();
      outbox.wake();
      looks.wake();
      if (policies === keeper) {
        keeper.wake();
      }
      reconcile.start();
    },
    stop: async () => {
      await reconcile.stop();
      await inbox.stop();
      await looks.stop();
      await keeper.stop();
      await outbox.stop();
      await effects.stop();
    },
    idle: async () => {
      for (;;) {
        await inbox.idle();
        const idle = keeper.idle && reconcile.idle && looks.idle && effects.idle && outbox.idle;
        if (idle && inbox.backlog === 0) {
          return;
        }
        await sleep(2);
      }
    },
  };
}
