/** What a run goes on from: results of an earlier one, and how far that had come. */
import type { Json } from "../../plan/plan.ts";
import type { RoundReason } from "../quorum/reason.ts";

export interface Carried {
  /** Names of stages that succeeded: they satisfy `depends_on`. */
  readonly succeeded: readonly string[];
  /** Stage name -> key -> value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Stage name -> what it told as tasks of a later stage; not there: none did. */
  readonly tasks?: Readonly<Record<string, readonly Json[]>>;
  /** Stage name -> tasks that a person gave it instead of its own; not there: nobody did. */
  readonly given?: Readonly<Record<string, readonly Json[]>>;
  /** Not there: only these results are brought along. */
  readonly resumed?: Resumed;
  /** Why the run begins anew although it was to go on; not there: it was not, or does. */
  readonly anew?: string;
}

/** How far the run had come whose state was saved, and where. */
export interface Resumed {
  /** Milliseconds. */
  readonly savedAt: number;
  /** In the order of the plan. */
  readonly finished: readonly FinishedStage[];
  /** Agent name -> the machine that it was on; only of those who said it. */
  readonly hosts: Readonly<Record<string, string>>;
  /** What a quorum decided last, as the state tells it. */
  readonly quorumResult: Json;
  /** Why a quorum has sent stages back: they are not begun again without a word of that. */
  readonly sentBack: Readonly<Record<string, RoundReason>>;
  /** Names of the finished stages that are not run again; null: the group is not complete, and it is not decided. */
  readonly reused: readonly string[] | null;
}

/** A stage that went to its end while its run had not failed. */
export interface FinishedStage {
  readonly name: string;
  readonly status: "success" | "warning";
  /** Its result can be built upon. */
  readonly worked: boolean;
  /** Milliseconds. */
  readonly completedAt: number | null;
}

export const NOTHING_CARRIED: Carried = { succeeded: [], outputs: {} };
