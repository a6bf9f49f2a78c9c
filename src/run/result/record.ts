/** The record of a run: what each of its stages came to. What JSON, summary, check run and annotations are made from. */
import type { Json, Trial } from "../../plan/plan.ts";
import type { MachineFacts } from "../group/machine-facts.ts";
import type { Annotation, AttemptEnd, Deficiency, Metric, Progress, QuorumDecision, RunStatus } from "../types.ts";

export type Verdict = "success" | "failure" | "cancelled";

export interface RunSummary {
  readonly status: RunStatus;
  readonly verdict: Verdict;
  /** One sentence: what failed, where, who. */
  readonly message: string;
  readonly failedStage: string | null;
  readonly phases: readonly PhaseRecord[];
  /** The group's agents, in order of their index, as far as who reads it is told of them. */
  readonly machines?: readonly AgentMachine[];
}

export interface AgentMachine {
  readonly agent: string;
  readonly index: number;
  readonly role: string | null;
  /** Null: its agent did not say. */
  readonly machine: MachineFacts | null;
}

/** How one agent fared in one stage. */
export interface AgentPhase {
  readonly agent: string;
  readonly index: number;
  readonly status: "success" | "failure" | "skipped" | "excluded" | "lost" | "stopped";
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly attempts: number;
  readonly reason: string | null;
  readonly tail: string;
  readonly end: AttemptEnd | null;
  /** Its own part of the stage's metrics; not there: none. */
  readonly measured?: readonly Metric[];
}

/** One metric over the trials that are compared. */
export interface TrialSpread {
  readonly metric: string;
  /** Of each trial in order; null: it told nothing of it. */
  readonly values: readonly (number | null)[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** (max - min) / median; null: the median is 0, and they differ. */
  readonly spread: number | null;
}

/** What one round of a stage came to. */
export interface PhaseRound {
  readonly status: "success" | "warning" | "failure" | "skipped" | "cancelled";
  /** Its result can be built upon: what `depends_on` and every report mean by its success. */
  readonly worked: boolean;
  /** Why it failed, was skipped, succeeded only with a warning, or was not the last one. */
  readonly reason: string | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly retryCount: number;
  readonly progress: Progress | null;
  readonly metrics: readonly (Metric & { readonly expected: string | null; readonly met: boolean | null })[];
  readonly agents: readonly AgentPhase[];
  readonly tasks: {
    readonly done: number;
    readonly failed: number;
    readonly skipped: number;
    readonly total: number;
    /** Of the first of them, those that failed before all others; not there: of an earlier round, or left out. */
    readonly records?: readonly TaskPhase[];
  } | null;
  /** Who let it begin; not there: nobody was waited for, or it was not come to. */
  readonly approval?: ApprovalRecord;
  /** How the validators of a quorum stage voted; not there: it is none, or did not come to a decision. */
  readonly quorum?: QuorumRound;
}

/** A wait for a person that has ended. */
export interface ApprovalRecord {
  /** Null: nobody answered in time, and the stage goes on without. */
  readonly by: string | null;
  readonly why: string | null;
  readonly at: number;
}

/** How one task fared. */
export interface TaskPhase {
  /** Its key, shortened. */
  readonly task: string;
  readonly status: "done" | "failed" | "skipped" | "unfinished";
  /** Who worked on it last; null: nobody did. */
  readonly agent: string | null;
  readonly attempts: number;
  readonly failures: number;
  readonly preemptions: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly end: AttemptEnd | null;
  readonly reason: string | null;
  readonly outputs: Readonly<Record<string, Json>>;
}

/** How one validator voted. */
export interface ValidatorVote {
  readonly validator: string;
  readonly weight: number;
  readonly decision: QuorumDecision;
  readonly confidence: number | null;
  /** Who ran it last; null: nobody did. */
  readonly agent: string | null;
  /** Why it counts as FAIL though it did not say so; null: it did. */
  readonly reason: string | null;
}

export interface QuorumRound {
  readonly decision: QuorumDecision;
  /** Of those who voted so, weighed; null: none of them says. */
  readonly confidence: number | null;
  readonly weights: { readonly pass: number; readonly retry: number; readonly fail: number };
  readonly votes: readonly ValidatorVote[];
  readonly deficiencies: readonly Deficiency[];
  /** Deficiencies that there was no room for. */
  readonly leftOut: number;
  /** Why RETRY did not lead back; null: it did, or was not decided. */
  readonly exhausted: string | null;
}

/**
 * The record of one plan stage of a run: what JSON, summary, check run and annotations are made from. It tells the last
 * of the stage's rounds; its outputs, histograms and annotations are those of the run.
 */
export interface PhaseRecord extends PhaseRound {
  readonly stage: number;
  readonly name: string;
  readonly description: string | null;
  readonly order: number;
  readonly line: number;
  readonly column: number;
  readonly optional: boolean;
  readonly histograms: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly annotations: readonly (Annotation & { readonly agent: string })[];
  /** Which of several trials it is; `spreads`: in the last of them. Not there: it is none. */
  readonly trial?: Pick<Trial, "of" | "number" | "count"> & {
    /** It only warmed up. */
    readonly discarded: boolean;
    readonly spreads?: readonly TrialSpread[];
  };
  /** The rounds before the last one, in order; not there: there was one round. */
  readonly earlier?: readonly PhaseRound[];
}
