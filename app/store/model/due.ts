/** What is due, of each kind: by installation, so that each can be given its turn. */
import type { Effect } from "./effects.ts";
import type { WaitingGate } from "./gates.ts";
import type { Pull } from "./pulls.ts";
import type { DueSweep, InstallationId, Repository } from "./repositories.ts";
import type { StartedRun } from "./started-runs.ts";

export interface Outlook {
  /** Installations of which something is due by then, that with the longest due first. */
  readonly installations: readonly InstallationId[];
  /** When the first of what is due later than that is due; null: nothing is. */
  readonly nextAt: number | null;
}

export interface DueRows<T> {
  outlook(until: number): Promise<Outlook>;
  /** The longest due first. */
  of(installationId: InstallationId, until: number, limit: number): Promise<readonly T[]>;
}

export interface DuePolicy {
  readonly repositoryId: number;
}

export interface DueStore {
  /** Pull requests to be evaluated. */
  readonly pulls: DueRows<Pull>;
  /** Pull requests with a transition to be sent. */
  readonly transitions: DueRows<Pull>;
  /** In turns by repository. */
  readonly effects: DueRows<Effect>;
  /** What GitHub was asked for first, then those that wait, first come first. */
  readonly starts: DueRows<StartedRun>;
  readonly gates: DueRows<WaitingGate>;
  /** Policies to be read or shown. */
  readonly policies: DueRows<DuePolicy>;
  /** Repositories on which the app is installed, to be swept. */
  readonly sweeps: DueRows<DueSweep>;
  /** Those in which what rests on people is to be evaluated again. */
  readonly people: DueRows<Repository>;
}
