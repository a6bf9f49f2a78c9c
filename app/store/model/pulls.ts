/** Pull requests as they are stored: what is known of them, what GitHub confirmed, and what is on its way. */
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";

export interface PullId {
  readonly repositoryId: number;
  readonly number: number;
}

/** A check run of ours on a commit, as GitHub last confirmed it. */
export interface ConfirmedCheck {
  readonly name: string;
  /** GraphQL node id. */
  readonly nodeId: string;
  readonly sha: string;
  readonly completed: boolean;
  /** Status, conclusion and title as GitHub told them, to notice when they change. */
  readonly seen?: string;
  /** Of status, conclusion, title, summary and text: equal means nothing to write. */
  readonly digest: string;
}

/** What GitHub confirmed to show of a pull request. */
export interface ConfirmedState {
  readonly stage: string | null;
  /** The labels `stage/…` that were on it, with their node ids. */
  readonly labels: readonly { readonly name: string; readonly nodeId: string }[];
  readonly checks: readonly ConfirmedCheck[];
  /** The head commit was other pull requests', too: their check runs may be the newer ones. */
  readonly shared?: boolean;
  /** What it followed from: see `basis.ts`. Those confirmed by older versions have none. */
  readonly basis?: string;
  /** Labels that were taken away, and when GitHub had last changed the pull request by then. */
  readonly absent: { readonly labels: readonly string[]; readonly at: number };
  /** When anything was first confirmed, as GitHub dates it. Rows written before this was kept: long ago. */
  readonly since?: number;
}

/** A move that has been decided and not been confirmed yet. */
export interface Intent {
  readonly id: string;
  /** Stages; null: none. */
  readonly from: string | null;
  readonly to: string | null;
  readonly createdAt: number;
  /**
   * When the first event was heard, or time came, that it follows from. Those of before have none: how long they take is
   * not known.
   */
  readonly heardAt?: number;
  /** How often it has been sent. */
  readonly tries: number;
  /** When it was last sent; null: never. What was sent once may have been applied, so it is read before it is sent again. */
  readonly sentAt: number | null;
  /** Oddities on the way, for the history. */
  readonly notes: readonly string[];
  /** True: the labels were changed by somebody else or are not known; they are read before anything is written. */
  readonly read: boolean;
}

/**
 * Why a transition is blocked. `not_shown`: GitHub answered, and does not show what it was asked to show; `set_aside`: the
 * process died of it. The others as `RequestFailure` has them.
 */
export const BLOCKED_CODES = ["not_shown", "permission", "rejected", "temporary", "rate_limit", "set_aside"] as const;
export type BlockedCode = (typeof BLOCKED_CODES)[number];

/** A move that was given up for now. */
export interface Blocked {
  readonly at: number;
  readonly to: string | null;
  /** Rows of before have none. */
  readonly code?: BlockedCode;
  /** For people. */
  readonly reason: string;
  /** How often in a row; the pause until the next try grows with it. */
  readonly times: number;
  /** It is tried again by itself then. */
  readonly until: number;
  /** Digest of what was wanted: when that changes, the move is tried at once. */
  readonly wanted: string;
  /** The process died of it: it is left alone until somebody who runs the app takes it up again. */
  readonly setAside?: true;
}

export interface Pull extends PullId {
  readonly installationId: number | null;
  /** Grows with each commit; 0: not stored yet. */
  readonly version: number;
  readonly facts: Facts;
  /** What GitHub confirmed; null: nothing was ever shown. */
  readonly confirmed: ConfirmedState | null;
  /** The last evaluation; null: none yet. */
  readonly evaluation: Evaluation | null;
  /** When it is to be looked at; null: there is no reason to. */
  readonly reevaluateAt: number | null;
  /** How often in a row looking failed. */
  readonly reevaluationTries: number;
  readonly intent: Intent | null;
  /** When the intent is to be sent (again); null: there is none. */
  readonly intentAt: number | null;
  readonly blocked: Blocked | null;
}

export interface PullFilter {
  readonly repositoryId?: number;
  readonly installationId?: number;
  readonly headSha?: string;
  readonly open?: boolean;
  readonly blocked?: boolean;
  /** Those that are closed, and at or after this time were changed, as far as is known. */
  readonly closedSince?: number;
  /** True: those whose evaluation rests on who may do what, or may do so. */
  readonly people?: true;
}
