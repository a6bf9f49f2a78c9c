/** What a run tells its agents to do. */
import type { Json } from "../plan/plan.ts";
import type { RunSummary } from "./result/record.ts";
import type { RoundReason } from "./types.ts";

/** Why somebody waits. A closed list, so that every wait can be explained. */
export const WAIT_REASONS = [
  "assembly",
  "start",
  "barrier",
  "retry",
  "tasks",
  "not_my_stage",
  "ready",
  "checkpoint",
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** One of those waited for, and what it was last seen doing. */
export interface Awaited {
  readonly agent: string;
  readonly lastSeenAt: number | null;
  readonly lastDoing: string;
}

export type Instruction =
  | {
      readonly do: "wait";
      readonly reason: WaitReason;
      readonly stage: number | null;
      readonly who: readonly Awaited[];
      readonly since: number;
      /** Null only for `checkpoint` in a plan without a deadline: it waits for a person. Every other wait has its end. */
      readonly until: number | null;
      /** How many are waited for beyond those named in `who`; not there: none. */
      readonly more?: number;
    }
  | {
      readonly do: "execute";
      readonly stage: number;
      readonly attempt: string;
      /** 1 for the first try of this agent at this stage. */
      readonly attemptNumber: number;
      /** Absolute time at which the whole group starts. */
      readonly startAt: number;
      /** Absolute time at which this agent's part is over, done or not, and whose limit that is. */
      readonly until: { readonly at: number; readonly limit: "timeout" | "deadline" };
      /** Half-open share of `expected_objects` (or null where there is none). */
      readonly partition: { readonly start: number; readonly end: number } | null;
      /** Leases in force, when the stage has tasks. */
      readonly leases: readonly Lease[];
      /** True: the stage's own command is done or not wanted; only the leases count. */
      readonly tasksOnly: boolean;
      /** Of a round that a quorum has sent the group back to. */
      readonly because?: RoundReason;
    }
  | { readonly do: "stop"; readonly stage: number; readonly why: string }
  | { readonly do: "abort"; readonly why: string }
  | { readonly do: "exclude"; readonly why: string }
  /** Its host makes the result once for all, and sends each agent its own part of it. */
  | { readonly do: "finish"; readonly summary: RunSummary };

export interface Lease {
  readonly task: string;
  readonly value: Json;
  readonly attempt: string;
}
