/** Joins the processes that share a PostgreSQL database. */
import type { Logger } from "pino";
import { Notifications } from "../../store/database/notifications.ts";
import type { Replica, Store } from "../../store/model.ts";
import type { Timings } from "../timings.ts";
import { TOPICS, Wakeups } from "../wakeups.ts";
import { relayWakeups } from "./relay.ts";
import { ReplicaOwnership } from "./replica.ts";

export interface JoinOptions {
  readonly store: Pick<Store, "claims" | "replicas">;
  /** Of the database, as `openStore` takes it. */
  readonly url: string;
  readonly replica: Replica;
  readonly log: Logger;
  readonly now: () => number;
  readonly timings: Timings;
}

export interface JoinedReplicas {
  readonly ownership: ReplicaOwnership;
  readonly wakeups: Wakeups;
  /** Hears the others no more; to be called when what it owned was given back. */
  close(): Promise<void>;
}

export function joinReplicas({ store, url, replica, log, now, timings }: JoinOptions): JoinedReplicas {
  const wakeups = new Wakeups();
  const notifications = new Notifications({
    url,
    log,
    heard: (text) => heard(text),
    listening: () => {
      for (const topic of TOPICS) {
        wakeups.hear(topic, null);
      }
    },
  });
  const heard = relayWakeups(wakeups, notifications, { replica: replica.id, inForce: () => store.claims.inForce() });
  notifications.start();
  const ownership = new ReplicaOwnership({ store, replica, log, now, timings, wakeups });
  return { ownership, wakeups, close: () => notifications.close() };
}
