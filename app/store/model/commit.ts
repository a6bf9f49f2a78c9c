/** What changes together. */
import type { NewEffect, SettledEffect } from "./effects.ts";
import type { WaitingGate } from "./gates.ts";
import type { NewHistory } from "./history.ts";
import type { Pull, PullId } from "./pulls.ts";
import type { Repository } from "./repositories.ts";
import type { StartedRun } from "./started-runs.ts";

/** One unit of change. A pull request is written only if it still has the version that was read. */
export interface Commit {
  readonly pulls?: readonly Pull[];
  readonly history?: readonly NewHistory[];
  readonly effects?: readonly NewEffect[];
  readonly settled?: readonly SettledEffect[];
  /** Started runs and gates as they are now: see `StartStore.save`, `GateStore.save`. */
  readonly starts?: readonly StartedRun[];
  readonly gates?: readonly WaitingGate[];
  readonly repositories?: readonly Repository[];
  /** Deliveries (by `seq`) that have had their effect with this commit. */
  readonly done?: readonly number[];
  /** Something about this pull request is new: what waits for it is looked at. */
  readonly wakes?: PullId & { readonly headSha: string };
  readonly now: number;
}

/** What waited for a pull request: runs that are to be started for it, and jobs that wait at an environment. */
export interface Woken {
  readonly starts: boolean;
  readonly gates: boolean;
}

/** Whose row was written by somebody else meanwhile. */
export type Contested = "pull" | "start" | "gate" | "effect";

/** `conflict`: somebody else wrote one of the rows meanwhile; nothing of the commit happened. Read and decide again. */
export type Committed =
  | { readonly committed: true; readonly woken?: Woken }
  | { readonly committed: false; readonly conflict: PullId; readonly what: Contested };
