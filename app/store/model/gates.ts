/** Jobs that wait for an environment whose protection rule is ours. */

import type { PullId } from "./pulls.ts";
import type { InstallationId } from "./repositories.ts";

/** `gone`: nothing waits there any more (cancelled, or answered by somebody else). */
export const GATE_STATES = ["waiting", "approved", "rejected", "gone"] as const;
export type GateState = (typeof GATE_STATES)[number];

export interface NewGate {
  readonly repositoryId: number;
  readonly runId: string;
  readonly environment: string;
  /** As GitHub names it: `refs/pull/7/merge`, or a branch without `refs/heads/`. */
  readonly ref: string;
  /** What started the run (`pull_request`, `push`, …). */
  readonly event: string;
}

export interface WaitingGate extends NewGate {
  readonly state: GateState;
  readonly askedAt: number;
  /** The commit that the run is shown on, once GitHub was asked about the run. */
  readonly headSha: string | null;
  readonly runUrl: string | null;
  /** The run's commit is in another repository. */
  readonly fork: boolean;
  /** Pull requests that decide about it. */
  readonly pulls: readonly number[];
  /** What GitHub was last told of why it waits; empty: nothing. */
  readonly said: string;
  /** How many such comments; GitHub takes ten. */
  readonly comments: number;
  /** The verdict that was sent and may have been taken, although its answer was lost. */
  readonly sent: "approved" | "rejected" | null;
  readonly reason: string;
  readonly askAt: number | null;
  readonly nextAt: number | null;
  readonly tries: number;
  readonly error: string | null;
  /** Counts what has been heard of it. */
  readonly generation: number;
  /** Grows when GitHub asks anew: what was decided before is written no more. */
  readonly version: number;
}

export interface GateStore {
  /** GitHub asks: it waits now. Told twice, it still waits once. */
  asked(gate: NewGate, now: number): Promise<void>;
  ofRun(repositoryId: number, runId: string): Promise<readonly WaitingGate[]>;
  waiting(repositoryId: number): Promise<readonly WaitingGate[]>;
  /**
   * Writes it. If something was heard of it since it was read, it stays due. False: GitHub has asked anew since, and it
   * is as that left it.
   */
  save(gate: WaitingGate): Promise<boolean>;
  /** All that wait in the repository are looked at. */
  wake(repositoryId: number, at: number): Promise<void>;
  /** Something about the pull request is new: those that may belong to it are looked at. False: there are none. */
  wakePull(pull: PullId & { readonly headSha: string }, at: number): Promise<boolean>;
  /** All that wait are looked at; `of`: those of one installation's repositories. */
  wakeAll(at: number, of?: InstallationId): Promise<void>;
  /** Forgets those that were answered, or are gone, and were asked for before this, at most `limit` (default 500). */
  prune(before: number, limit?: number): Promise<number>;
  /** Whether jobs have ever waited there. */
  known(repositoryId: number): Promise<boolean>;
  /** Something about the run is new: GitHub is asked. */
  wakeRun(repositoryId: number, runId: string, at: number): Promise<void>;
}
