/**
 * The words of a run: what happens to it (events), what it knows (state), what it tells its agents (instructions).
 *
 * `machine.ts` is the only place that decides: `apply(state, event) -> state`, `instructionFor(state, agent)`.
 * Times are milliseconds since the epoch on the coordinator's clock; they come in with the event.
 */
import type { Json, Plan } from "../plan/plan.ts";
import type { MachineFacts } from "./group/machine-facts.ts";
import type { Carried } from "./resume/carried.ts";

export type { Deficiency, RoundReason } from "./quorum/reason.ts";

/** Repository id, workflow run id, attempt, group, plan: `key` is these joined, unique per run. */
export interface RunKey {
  readonly repositoryId: string;
  readonly runId: string;
  readonly attempt: number;
  readonly group: string;
  readonly plan: string;
}

export const RUN_STATUSES = ["assembling", "running", "aborting", "succeeded", "failed", "cancelled"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const AGENT_STATUSES = [
  "joining",
  "idle",
  "validating",
  "preparing",
  "running",
  "at_barrier",
  "completed",
  "failed",
  "aborting",
  "excluded",
  "lost",
] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** Times that an agent ends an attempt for. `timeout` is the stage's, over all attempts; `deadline` the whole plan's. */
export const TIME_LIMITS = ["duration", "max_duration", "attempt_timeout", "timeout", "deadline"] as const;
export type TimeLimit = (typeof TIME_LIMITS)[number];

/** How one attempt's command came to its end, as the agent saw it. Whether that is success is judged by the machine. */
export type AttemptEnd =
  | { readonly kind: "no_command" }
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  /** We ended it because a time was over. */
  /** `killed`: it did not end when it was told to. */
  | { readonly kind: "time_over"; readonly limit: TimeLimit; readonly killed?: true | undefined }
  /** We ended it because the instruction changed to `stop` or `abort`. */
  | { readonly kind: "stopped"; readonly why: string }
  /** The agent dropped it to rejoin (SIGHUP, restart). */
  | { readonly kind: "reset" }
  | { readonly kind: "not_started"; readonly message: string }
  /** It exited 0, but what it printed as tasks cannot all be taken: work would be left undone. */
  | { readonly kind: "bad_tasks"; readonly message: string }
  /** What its stage's `checks` found wrong, the command not started. */
  | { readonly kind: "checks_failed"; readonly message: string }
  | {
      readonly kind: "threshold";
      readonly threshold: "max_errors" | "max_error_rate" | "max_consecutive_errors";
      readonly message: string;
    };

export interface Progress {
  readonly done: number;
  readonly total: number | null;
  readonly errors: number;
}

/** How values of one metric become one. `last`: each agent's last one, those summed over the agents. */
export const AGGREGATIONS = ["sum", "mean", "min", "max", "last"] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];
export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly agg: Aggregation;
  /** How many samples `value` stands for: a mean of means is weighted by it. */
  readonly count: number;
}

export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly level: "notice" | "warning" | "failure";
  readonly title: string | null;
  readonly message: string;
}

/** What a validator may vote for. */
export const DECISIONS = ["PASS", "RETRY", "FAIL"] as const;
export type QuorumDecision = (typeof DECISIONS)[number];

/** What a validator printed as its verdict, or why that is none. */
export type Ballot =
  | {
      readonly decision: QuorumDecision;
      /** 0..1; null: it does not say. */
      readonly confidence: number | null;
      readonly deficiencies: readonly Json[];
    }
  | { readonly unreadable: string };

/** What an agent says of one attempt that has ended: a stage's own command, or one task's. */
export interface AttemptReport {
  /** The stage's index in the plan. */
  readonly stage: number;
  /** As in the `execute` instruction (or the task lease): the fencing token. */
  readonly attempt: string;
  /** Task key, or null for the stage's own command. */
  readonly task: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly end: AttemptEnd;
  readonly progress: Progress | null;
  readonly metrics: readonly Metric[];
  /** Name -> HdrHistogram V2 compressed, base64: merges exactly. */
  readonly histograms: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly annotations: readonly Annotation[];
  /** The last lines of output, masked, bounded. */
  readonly tail: string;
  /** Of a validator's attempt. */
  readonly ballot?: Ballot;
  /** Tasks of a later stage, in the order in which they were told; not there: none. */
  readonly laterTasks?: readonly Json[];
}

/** Which of the plan's stages this run goes through (phase control). */
export interface Selection {
  readonly only: readonly number[] | null;
  readonly skip: readonly number[];
  readonly stopAfter: number | null;
}

/** What a run is of: the same from the entry that begins it, over the wire, to its state. */
export interface RunSpec {
  readonly key: RunKey;
  readonly plan: Plan;
  readonly selection: Selection;
  /** How many agents make the group. */
  readonly agentCount: number;
  /** What a saved state brings along; not there: nothing. */
  readonly carried?: Carried;
}

/** As all agents of a group must say it alike: what is carried over is its beginner's alone. */
export type RunTerms = Omit<RunSpec, "carried">;

export function termsOf({ key, plan, selection, agentCount }: RunTerms): RunTerms {
  return { key, plan, selection, agentCount };
}

/** What an agent tells with each sync. */
export interface Sync {
  readonly agent: string;
  readonly session: string;
  /** What it is doing, for others to read ("running epoch-1", "at the barrier of epoch-1"). */
  readonly doing: string;
  readonly status: AgentStatus;
  readonly stage: number | null;
  readonly progress: Progress | null;
  readonly finished: readonly AttemptReport[];
  /** How many further tasks it could take now. */
  readonly wants: number;
  /** Tasks that a generator printed (`{"tasks": […]}` or `from`), to be added to the current stage. */
  readonly addTasks: readonly Json[];
  /** Background stages whose `ready` holds here. */
  readonly ready: readonly number[];
  /** What the background command of `stage` has told so far, once it is ready. */
  readonly outputs: Readonly<Record<string, Json>>;
  /**
   * Attempts of rounds after the first that all this is about: there it counts only for these, as word of an earlier
   * round may still be on its way. Not there: none.
   */
  readonly attempts?: readonly string[];
}

/** Somebody who will never (again) be there. */
export interface Absent {
  /** As `agentIdentity` or `jobIdentity` makes it: whoever says it, it is counted once. */
  readonly id: string;
  /** A sentence that names it. */
  readonly why: string;
}

export function agentIdentity(name: string): string {
  return `agent ${name}`;
}

/** @param checkRunId the job's check run, as its token says it */
export function jobIdentity(checkRunId: string): string {
  return `job ${checkRunId}`;
}

/** A run's first event. */
export function runCreated(spec: RunSpec, at: number): Extract<RunEvent, { type: "created" }> {
  const { carried } = spec;
  return { type: "created", version: 2, at, ...termsOf(spec), ...(carried === undefined ? {} : { carried }) };
}

export type RunEvent =
  | ({
      readonly type: "created";
      readonly at: number;
      /** Not there: begun by code that knew no rounds, see `stage/attempt-id.ts`. */
      readonly version?: 2;
    } & RunSpec)
  | {
      readonly type: "joined";
      readonly at: number;
      readonly agent: string;
      readonly session: string;
      readonly role: string | null;
      readonly index: number | null;
      readonly address: string | null;
      readonly checkRunId: string | null;
      /** Not there: the agent is of a version that does not tell. */
      readonly machine?: MachineFacts | undefined;
    }
  | ({
      readonly type: "synced";
      readonly at: number;
      /** Rises within a session: a number that is not above the last is a repetition and changes nothing. */
      readonly sequence?: number;
    } & Sync)
  | {
      readonly type: "reset";
      readonly at: number;
      /** Rises with each reset of a session; one that is not above the last is a repetition. */
      readonly sequence?: number;
      readonly agent: string;
      readonly session: string;
      readonly why: string;
    }
  | {
      readonly type: "left";
      readonly at: number;
      readonly agent: string;
      readonly session: string;
      readonly why: string;
    }
  /** These are not there, or not any more, and nobody comes in their place. The same may be said again and again. */
  | { readonly type: "not_coming"; readonly at: number; readonly absent: readonly Absent[] }
  /** A message of this agent is on its way: it is there, whatever it will turn out to say. */
  | { readonly type: "heard"; readonly at: number; readonly agent: string; readonly session: string }
  | { readonly type: "ticked"; readonly at: number }
  /** A person may go on with this round of a stage (not there: the present one), with these tasks where they say so. */
  | {
      readonly type: "approved";
      readonly at: number;
      readonly stage: number;
      readonly round?: number;
      readonly by: string;
      readonly why?: string;
      readonly tasks?: readonly Json[];
    }
  /** Whether somebody is there who is asked before and after each stage. */
  | { readonly type: "attended"; readonly at: number; readonly wanted: boolean }
  /** A person leaves out the stage that is waited before. */
  | {
      readonly type: "stage_left_out";
      readonly at: number;
      readonly stage: number;
      readonly round: number;
      readonly by: string;
    }
  /** A person has looked at what a stage came to. `repeat`: it is to be done again, and what was wanting; null: go on. */
  | {
      readonly type: "stage_reviewed";
      readonly at: number;
      readonly stage: number;
      readonly round: number;
      readonly by: string;
      readonly repeat: string | null;
    }
  /**
   * When this round of a stage is over and has not failed, the group goes back to `from`: that stage and all after it
   * begin a new round. Nothing in a plan asks for it: a quorum sends back by itself.
   */
  | {
      readonly type: "repeat_requested";
      readonly at: number;
      readonly stage: number;
      readonly round: number;
      readonly from: number;
      readonly why: string;
    }
  | { readonly type: "cancelled"; readonly at: number; readonly by: string; readonly why: string }
  /** The coordinator came back: its downtime must not count as anyone's silence. */
  | { readonly type: "coordinator_started"; readonly at: number };
