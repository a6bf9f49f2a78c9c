/**
 * What an evaluation says: where the pull request is, why, and what is missing for the next step. One tree serves
 * the decision, the check's text, comments, `simulate` and the dashboard.
 */
import type { Actor, Lookup, Reset } from "../facts/facts.ts";

/** "unknown" grants nothing, and its opposite grants nothing either. */
export type Truth = "yes" | "no" | "unknown";

/** A condition's verdict with its reasons. */
export interface EvaluatedTree {
  readonly truth: Truth;
  readonly node: ResultNode;
}

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

export interface StageEntry {
  readonly stage: string;
  /** Dated by the newest act that satisfied it, else by the previous entry. */
  readonly at: number;
  readonly by: Actor | null;
  readonly evidence: readonly string[];
  readonly reason: string;
}

export interface Evaluation {
  /** Null: no stage's conditions hold (a draft), closed, opted out, or nothing is known of it yet. */
  readonly stage: string | null;
  /** Why there is no stage, when there is none. */
  readonly inactive: "unknown" | "draft" | "closed" | "opted_out" | "conditions" | null;
  /** The stages reached, in order. */
  readonly entries: readonly StageEntry[];
  /** The stages that exist for this pull request, in order, each with its result tree. */
  readonly stages: readonly {
    readonly name: string;
    readonly gate: boolean;
    readonly reached: boolean;
    readonly result: ResultNode;
  }[];
  /** Stages whose `when` is certainly not so: they do not exist for this pull request, and why. */
  readonly notApplying: readonly {
    readonly name: string;
    readonly gate: boolean;
    readonly reason: string;
  }[];
  /** The first stage not reached and what it lacks, in one line; null in the last stage. */
  readonly missing: { readonly stage: string; readonly summary: string } | null;
  readonly lookups: readonly Lookup[];
  /** In force now, from acts and from the app's own records, oldest first. */
  readonly resets: readonly Reset[];
  /** Labels on it that had counted for a stage when a reset to an earlier one came. */
  readonly usedLabels: readonly UsedLabel[];
  /** Since when it is in this stage: its entry, or the reset that brought it back here. Null: no stage. */
  readonly since: number | null;
  /** When it is overdue in this stage (`max_age`); null: never. */
  readonly dueAt: number | null;
  /** How often it was sent back by a `back` rule or `/stage back` since it was opened or taken off hold. */
  readonly rounds: number;
  /** Whether it rests on who may do what: when that changes, so may this. */
  readonly people: boolean;
  /** Nothing is to be moved while this stands. */
  readonly held: Hold | null;
  /** Labels that count for nothing because nobody can say when in their second they were given, or by whom. */
  readonly unclear: readonly UnclearLabel[];
}

/** A label that a reset has used up. */
export interface UsedLabel {
  readonly label: string;
  /** Name of the stage for which it had counted. */
  readonly stage: string;
}

export interface UnclearLabel {
  readonly label: string;
  /** When it was given. */
  readonly at: number;
  /** What is not known, completing "it is not known …". */
  readonly what: string;
}

export interface Hold {
  /** `repository`: the whole repository is on hold. */
  readonly why: "command" | "max_rounds" | "repository";
  readonly at: number;
  /** Null: by the policy's `max_rounds`. */
  readonly by: Actor | null;
  readonly reason: string;
}
