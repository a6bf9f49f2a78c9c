/** What every part of the app works with. */
import type { Logger } from "pino";
import type { Clients } from "../github-cache/clients.ts";
import { heldClients } from "../github-cache/held-clients.ts";
import type { Store } from "../store/model.ts";
import { InstallationWriters } from "./installation-writer.ts";
import type { Timings } from "./timings.ts";
import { Wakeups } from "./wakeups.ts";

export interface Runtime {
  readonly store: Store;
  /** Those of an installation send nothing while GitHub has asked to leave it alone. */
  readonly clients: Clients;
  /** Everything that changes something at an installation goes through its writer. */
  readonly writers: InstallationWriters;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timings: Timings;
  readonly wakeups: Wakeups;
}

/** One runtime for all parts of an app. */
export function createRuntime(given: Omit<Runtime, "writers" | "wakeups">): Runtime {
  const writers = new InstallationWriters(given);
  return { ...given, clients: heldClients(given, writers), writers, wakeups: new Wakeups() };
}
