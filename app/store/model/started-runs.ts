/** Workflow runs that we start for pull requests: waiting for their turn, going on, ended. */

import type { PullId } from "./pulls.ts";
import type { InstallationId } from "./repositories.ts";

/** `sent`: asked for, and GitHub has not said yet which run it is. */
export const START_STATES = ["queued", "sent", "running", "done"] as const;
export type StartState = (typeof START_STATES)[number];

export interface NewStart extends PullId {
  /** The same key is started once. It is an input of the run, too. */
  readonly key: string;
  /** What set it off: all starts of one entry into a stage have the same. */
  readonly occasion: string;
  /** The stage whose action it is; null: not known. */
  readonly stage: string | null;
  /** The name of the workflow's file. */
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** The head of the pull request that the run is about. The run itself is on the default branch. */
  readonly sha: string;
  /** How many of this workflow's runs may go on at once; null: any number. */
  readonly limit: number | null;
}

/** Its check run on the pull request's head. */
export interface StartCheck {
  /** Null: it could not be made. */
  readonly id: string | null;
  /** Of what it shows: equal means nothing to write. */
  readonly digest: string;
  readonly at: number;
  readonly completed: boolean;
}

export interface StartedRun extends NewStart {
  /** Grows: the order of the queue. */
  readonly id: number;
  readonly state: StartState;
  readonly queuedAt: number;
  readonly sentAt: number | null;
  readonly firstSentAt: number | null;
  /** Why it does not stand in line; empty: it does. */
  readonly parked: string;
  /** How often it was asked for without a run appearing. */
  readonly sends: number;
  readonly runId: string | null;
  readonly runUrl: string | null;
  /** As GitHub last said. */
  readonly runStatus: string | null;
  readonly runAt: number | null;
  /** The attempt whose result has been taken into the pull request's facts; 0: none. */
  readonly attempt: number;
  /** How it ended; null: it has not. */
  readonly conclusion: string | null;
  /** One sentence for people on how it ended or why it does not go on; empty: nothing special. */
  readonly note: string;
  /** Why it is to be cancelled; null: it is not. */
  readonly cancel: string | null;
  readonly cancelSent: boolean;
  readonly check: StartCheck | null;
  /** When GitHub is to be asked about the run; null: not by itself. */
  readonly askAt: number | null;
  /** When there is something to do; null: only when told. */
  readonly nextAt: number | null;
  /** Failures in a row; one within the pause of the last does not count. */
  readonly tries: number;
  /** The end of that pause; null: it has not failed. */
  readonly pausedUntil: number | null;
  readonly error: string | null;
  /** Counts what has been heard of it. */
  readonly generation: number;
  /** Grows when somebody else takes it over: whoever read it before writes it no more. */
  readonly version: number;
}

export interface StartStore {
  /** Puts it at the end of its queue, unless its key is known. */
  add(start: NewStart, now: number): Promise<void>;
  byKey(key: string): Promise<StartedRun | null>;
  ofPull(id: PullId): Promise<readonly StartedRun[]>;
  ofRun(repositoryId: number, runId: string): Promise<StartedRun | null>;
  /** All that have not ended, of one workflow of one repository, first come first. */
  open(repositoryId: number, workflow: string): Promise<readonly StartedRun[]>;
  /**
   * Takes a turn: from `queued` to `sent`, if the limit still allows it and no other start of this workflow waits to
   * be told its run. False: not now.
   */
  claim(start: StartedRun, sentAt: number): Promise<boolean>;
  /**
   * Writes it. If something was heard of it since it was read, it stays due at once. False: somebody else has taken it
   * over since, and it is as that left it.
   */
  save(start: StartedRun): Promise<boolean>;
  /** Something about the pull request is new: its starts that have not ended are looked at. False: there are none. */
  wakePull(id: PullId, at: number): Promise<boolean>;
  /** The queue has moved. */
  wakeQueue(repositoryId: number, workflow: string, at: number): Promise<void>;
  /** Something about the run is new: GitHub is asked. False: the run is none of ours. */
  wakeRun(repositoryId: number, runId: string, at: number): Promise<boolean>;
  /** All that have not ended are looked at; `of`: those of one installation's repositories. */
  wakeAll(at: number, of?: InstallationId): Promise<void>;
  /** GitHub is asked about all runs of the repository that go on. */
  wakeRuns(repositoryId: number, at: number): Promise<void>;
  /** Those of the pull request that GitHub refused, or that never appeared, stand in line again. How many. */
  retry(id: PullId, at: number): Promise<number>;
  /** Forgets those that have ended and were queued before this, at most `limit` (default 500). Returns how many. */
  prune(before: number, limit?: number): Promise<number>;
}

/** It ended without ever becoming a run, and not because nobody needed it. */
export function isRefused({ state, runId, conclusion }: StartedRun): boolean {
  return state === "done" && runId === null && conclusion === "failure";
}
