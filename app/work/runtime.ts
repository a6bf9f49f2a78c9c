/** What every part of the app works with. */
import type { Logger } from "pino";
import type { Clients } from "../github-cache/clients.ts";
import { heldClients } from "../github-cache/held-clients.ts";
import type { Store } from "../store/model.ts";
import { KeptPaces } from "./replicas/kept-pace.ts";
import { type Ownership, SOLE_OWNERSHIP } from "./replicas/ownership.ts";
import type { Timings } from "./timings.ts";
import { Wakeups } from "./wakeups.ts";
import { InstallationWriters } from "./writer/installation-writer.ts";

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
  /** What GitHub asked before this process began, or while others had an installation. */
  readonly paces: KeptPaces;
  /** Which installations are this process's to work for. */
  readonly ownership: Ownership;
}

/** One runtime for all parts of an app. */
export function createRuntime(
  given: Omit<Runtime, "writers" | "paces" | "wakeups" | "ownership"> & Partial<Pick<Runtime, "wakeups" | "ownership">>,
): Runtime {
  const { wakeups = new Wakeups(), ownership = SOLE_OWNERSHIP } = given;
  const writers = new InstallationWriters({ ...given, onHeld: (id, ms) => paces.held(id, ms) });
  const paces = new KeptPaces({ ...given, writers, wakeups, shared: ownership.shared });
  return { ...given, clients: heldClients({ ...given, ownership }, writers), writers, paces, wakeups, ownership };
}
