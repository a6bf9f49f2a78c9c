/**
 * What an evaluation says: where the pull request is, why, and what is missing for the next step. One tree serves
 * the decision, the check's text, comments, `simulate` and the dashboard.
 */
import type { Actor, Lookup } from "./facts.ts";

/** One condition (or a combination) with its verdict and its reason in words. */
export interface ResultNode {
  /** `label ready-for-qa`, `all`, `approvals`, … */
  readonly condition: string;
  readonly holds: boolean;
  /** One sentence for people: what holds and by whom, or what is missing and who can give it. */
  readonly reason: string;
  /** The date of the newest act that satisfied it; null for states. */
  readonly at: number | null;
  readonly by: Actor | null;
  /** Ids of the acts that are the evidence. */
  readonly evidence: readonly string[];
  readonly children: readonly ResultNode[];
}

export interface Entry {
  readonly stage: string;
  /** Dated by the newest act that satisfied it, else by the previous entry. */
  readonly at: number;
  readonly by: Actor | null;
  readonly evidence: readonly string[];
  readonly reason: string;
}

export interface Evaluation {
  /** Null: no stage's conditions hold (a draft), closed, or opted out. */
  readonly stage: string | null;
  /** Why there is no stage, when there is none. */
  readonly inactive: "draft" | "closed" | "opted_out" | "conditions" | null;
  /** The stages reached, in order. */
  readonly entries: readonly Entry[];
  /** The stages that exist for this pull request, in order, each with its result tree. */
  readonly stages: readonly {
    readonly name: string;
    readonly gate: boolean;
    readonly reached: boolean;
    readonly result: ResultNode;
  }[];
  /** The first stage not reached and what it lacks, in one line; null in the last stage. */
  readonly missing: { readonly stage: string; readonly summary: string } | null;
  readonly lookups: readonly Lookup[];
}
