/**
 * What a coordinator keeps of a run, so that a run outlives the process that hosts it: now and then the whole of it (a
 * snapshot), and what happened since, in order. With each event stands what its request was, so that a repeated request
 * is known after a restart, too.
 */
import type { RunState } from "../../run/state.ts";
import type { RunEvent } from "../../run/types.ts";

/** A session as it was opened. */
export interface OpenedSession {
  readonly id: string;
  readonly agent: string;
  /** The agent's own number for its join: the same again gets the same session. */
  readonly nonce: string;
  readonly checkRunId: string | null;
}

/** A request of a session that was accepted. */
export interface AcceptedRequest {
  readonly session: string;
  readonly sequence: number;
  readonly digest: string;
}

/** One row of a run's journal. The first one's event is `created`. */
export interface RunRecord {
  readonly event: RunEvent;
  readonly opened?: OpenedSession;
  readonly accepted?: AcceptedRequest;
}

/** A session as it is kept as a whole. */
export interface StoredSession extends OpenedSession {
  /** The newest accepted number and the digest of its body; 0 and "" before the first. */
  readonly sequence: number;
  readonly digest: string;
}

/** The whole of a run. */
export interface RunSnapshot {
  /** Of the form that state and sessions have. */
  readonly version: number;
  readonly state: RunState;
  /** Oldest first. */
  readonly sessions: readonly StoredSession[];
}

/** A run as it is read back. */
export interface StoredRun {
  /** Records that it has had in all, those that its snapshot stands for included. */
  readonly version: number;
  /** As it was written, by whatever version of this code; null: there is none yet. */
  readonly snapshot: unknown;
  /** What came after the snapshot, or all of it. */
  readonly records: readonly RunRecord[];
}

/** Somebody else wrote this run meanwhile: what is in memory here is not the run any more. */
export class VersionConflict extends Error {
  override readonly name = "VersionConflict";
}

/** What is stored of a run cannot be read by this version of the code. Reading it again does not help. */
export class UnreadableRun extends Error {
  override readonly name = "UnreadableRun";
}

export interface RunStore {
  /**
   * Keeps records behind the first `version` ones, all or none; resolves when they survive a crash.
   * @returns the bytes that they take
   * @throws VersionConflict when the run does not have exactly `version` records.
   */
  append(run: string, version: number, records: readonly RunRecord[]): Promise<number>;
  /**
   * Keeps the whole run as it is after `next` records in place of all records that it has; else as `append`.
   * @returns the bytes that it takes
   * @throws VersionConflict when the run does not have exactly `version` records.
   */
  replace(run: string, version: number, next: number, snapshot: RunSnapshot): Promise<number>;
  /** Whether there is such a run, over or not. */
  has(run: string): Promise<boolean>;
  /** Null: there is no such run. @throws UnreadableRun */
  load(run: string): Promise<StoredRun | null>;
  /** The run is over: it is not taken up again after a restart. */
  close(run: string, at: number): Promise<void>;
  /** Ids of runs that are not over. */
  unfinished(): Promise<readonly string[]>;
}
