/** What happened to a pull request, a line each. */
import type { Actor } from "../../../src/lifecycle/facts/facts.ts";
import type { PullId } from "./pulls.ts";

/** Closed list: what a line of the history can be about. */
export const HISTORY_KINDS = ["moved", "reset", "note", "blocked", "unblocked", "effect", "tampering"] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export interface NewHistory extends PullId {
  readonly at: number;
  readonly kind: HistoryKind;
  readonly from: string | null;
  readonly to: string | null;
  /** Whose act it was; null: nobody's (a check that ended, the app's own doing). */
  readonly actor: Actor | null;
  /** One sentence. */
  readonly reason: string;
  /** Ids of the acts that are the evidence. */
  readonly evidence: readonly string[];
}

export interface History extends NewHistory {
  readonly id: number;
}
