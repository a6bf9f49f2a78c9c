/**
 * What a coordinator keeps of a run, so that a run outlives the process that hosts it: the events that its state is
 * made of, in order, and with each what its request was, so that a repeated request is known after a restart, too.
 */
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

/** One row of a run's memory. The first one's event is `created`. */
export interface RunRecord {
  readonly event: RunEvent;
  readonly opened?: OpenedSession;
  readonly accepted?: AcceptedRequest;
}

/** Somebody else wrote this run meanwhile: what is in memory here is not the run any more. */
export class VersionConflict extends Error {
  override readonly name = "VersionConflict";
}

export interface RunStore {
  /**
   * Keeps records behind the first `version` ones, all or none; resolves when they survive a crash.
   * @throws VersionConflict when the run does not have exactly `version` records.
   */
  append(run: string, version: number, records: readonly RunRecord[]): Promise<void>;
  /** All records of a run in order; empty: there is no such run. */
  load(run: string): Promise<readonly RunRecord[]>;
  /** The run is over: it is not taken up again after a restart. */
  close(run: string, at: number): Promise<void>;
  /** Ids of runs that are not over. */
  unfinished(): Promise<readonly string[]>;
}
