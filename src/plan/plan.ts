/**
 * A plan as the rest of the house sees it: every default filled in, every duration in milliseconds, stages in the
 * order in which they run. What the YAML file may say is in `schema.ts`; how one becomes the other in `read.ts`.
 *
 * It is plain JSON: it travels to the coordinator in its canonical form and is compared by digest.
 */

export const STAGE_TYPES = ["validation", "prepare", "execute", "custom", "cleanup", "hybrid", "quorum"] as const;
export type StageType = (typeof STAGE_TYPES)[number];

export const COMPLETIONS = ["duration", "tasks_done", "script_exit", "validation_passed", "duration_or_tasks"] as const;
export type Completion = (typeof COMPLETIONS)[number];

export type Scalar = string | number | boolean;
/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What starts a process: a shell script (`run`), or a program with its arguments, never through a shell. */
export type Command =
  | { readonly kind: "script"; readonly script: string }
  | { readonly kind: "program"; readonly file: string; readonly args: readonly string[] };

/** When a stage is entered, given whether the run has failed so far. */
export type When = "on_success" | "on_failure" | "always";

/** Which agents run a stage. The others wait at its barrier only if they are among those that must arrive. */
export type RunsOn =
  | { readonly kind: "all" }
  | { readonly kind: "first" }
  | { readonly kind: "agents"; readonly agents: readonly (string | number)[] };

/** Why an attempt did not succeed, as `retry: { on }` tells them apart. */
export const RETRY_REASONS = ["failure", "timeout"] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

export interface Retry {
  /** Attempts in all, the first included; ≥ 1. */
  readonly maxAttempts: number;
  /** Pause before the second attempt; doubles each time. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** The longest that one attempt may take; null: as long as the stage's own times allow. */
  readonly attemptTimeoutMs: number | null;
  readonly on: readonly RetryReason[];
  /** Of failures only those with these exit codes are retried; null: all. */
  readonly onExitCodes: readonly number[] | null;
  readonly notOnExitCodes: readonly number[];
}

export type BarrierRule =
  | { readonly kind: "all_or_nothing" }
  | { readonly kind: "majority" }
  | { readonly kind: "best_effort" }
  | { readonly kind: "at_least"; readonly count: number }
  | { readonly kind: "at_least_percent"; readonly percent: number }
  | { readonly kind: "none" };

export interface Barrier {
  readonly rule: BarrierRule;
  /** From the first arrival; null: the stage's remaining time. */
  readonly timeoutMs: number | null;
  readonly stragglerGraceMs: number;
  readonly onStraggler: "exclude" | "rejoin";
  /** Overrides of the run's liveness while this stage is in force; null: the run's own. */
  readonly heartbeatIntervalMs: number | null;
  readonly missedThreshold: number | null;
  /** How long, and how often again, a silent agent is asked before it counts as missing. Added to the loss threshold. */
  readonly queryTimeoutMs: number | null;
  readonly queryRetries: number | null;
}

export interface Liveness {
  readonly heartbeatIntervalMs: number;
  readonly warnAfterMs: number;
  readonly lostAfterMs: number;
}

export interface Thresholds {
  readonly maxErrors: number | null;
  /** 0..1, errors / (done + errors). */
  readonly maxErrorRate: number | null;
  readonly maxConsecutiveErrors: number | null;
  /** Successes and errors until which no rate is one; not there: 1. */
  readonly minSamples?: number | undefined;
}

export type Comparison = ">" | ">=" | "<" | "<=" | "==" | "!=";
export interface Expectation {
  readonly metric: string;
  readonly comparison: Comparison;
  readonly value: number;
}

export const BASELINE_TESTS = ["mad", "percent"] as const;
export const BETTER = ["bigger", "smaller"] as const;

/** A metric that is held against those of earlier runs of the same plan on the same testbed. */
export interface Baseline {
  readonly metric: string;
  /** Folders of results, or files. */
  readonly from: readonly string[];
  readonly better: (typeof BETTER)[number];
  readonly runs: number;
  readonly atLeast: number;
  readonly test: (typeof BASELINE_TESTS)[number];
  /** Times the spread, or percent of the median. */
  readonly limit: number;
  readonly onTooFew: "fail" | "warn";
}

export type TaskSource =
  | { readonly kind: "list"; readonly values: readonly Json[] }
  | { readonly kind: "count"; readonly count: number }
  /** A command that prints one JSON value a line. */
  | { readonly kind: "from"; readonly command: string }
  /** What an earlier stage told as tasks. */
  | { readonly kind: "stage"; readonly stage: string };

export interface Tasks {
  readonly source: TaskSource;
  /** Tasks that one agent runs at a time; ≥ 1. */
  readonly concurrency: number;
  /** How often one task may fail before it is failed for good: 0 = the first failure is final. */
  readonly maxFailures: number;
  /** How often one task may be lost with its agent. */
  readonly maxPreemptions: number;
  /** Task key -> keys of the tasks that it needs. A task's key is its scalar value, its `id`, or its index. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
}

export interface Validator {
  readonly name: string;
  readonly run: string;
  readonly weight: number;
  /** Over it, its vote is FAIL; null: as long as the stage's own times allow. */
  readonly timeoutMs: number | null;
}

/** What the votes of a stage's validators lead to. They are its tasks, by their names. */
export interface Quorum {
  readonly validators: readonly Validator[];
  /** Percent of the weight from which on it is PASS, and RETRY. */
  readonly passAt: number;
  readonly retryAt: number;
  /** Names of earlier stages that begin a new round after RETRY, with those between that depend on them. */
  readonly retryStages: readonly string[];
  readonly maxRetries: number;
  /** Pause before the first new round; doubles each time. */
  readonly backoffMs: number;
  /** What one RETRY more than `maxRetries` comes to. */
  readonly onExhausted: "warn" | "fail";
}

export interface Background {
  /** When others may rely on it; null: at once. */
  readonly ready: { readonly port: number } | { readonly run: string } | null;
  /** Name of the last stage during which it must live. */
  readonly until: string;
}

/** Something that a machine must have before a stage's command is worth starting. */
export type PreflightCheck =
  | { readonly kind: "disk"; readonly path: string; readonly freeBytes: number }
  | { readonly kind: "memory"; readonly availableBytes: number }
  /** `version`: null: any. */
  | { readonly kind: "tool"; readonly name: string; readonly version: VersionBound | null }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "reachable"; readonly address: string }
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "clock"; readonly mostMs: number };

/** One of several stages that do the same work, so that their metrics can be compared. */
export interface Trial {
  /** The name that they have in common. */
  readonly of: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
  /** The first so many only warm up: nothing is expected of them, and they are not compared. */
  readonly discard: number;
  /** What the others may spread, as a share of their median; null: they are not compared. */
  readonly maxSpread: number | null;
}

/** Numbers of a version, the first one first. */
export interface VersionBound {
  readonly comparison: Comparison;
  readonly numbers: readonly number[];
}

export interface PlanStage {
  readonly name: string;
  readonly description: string | null;
  /** Position in running order, counted from 0; what `--only-stage 2` means. */
  readonly index: number;
  /** As written, else index + 1. */
  readonly order: number;
  readonly type: StageType;
  readonly completion: Completion;
  /** Where the stage stands in its file, counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly command: Command | null;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
  /** `duration`: how long the work goes on. */
  readonly durationMs: number | null;
  /** `max_duration`. */
  readonly maxDurationMs: number | null;
  /**
   * The longest that the stage of an agent may take over all its attempts, from its first start. Unless given the larger
   * of 6 h and what all attempts and the pauses between them may take: every wait ends.
   */
  readonly timeoutMs: number;
  readonly optional: boolean;
  readonly when: When;
  readonly runsOn: RunsOn;
  readonly role: string | null;
  readonly retry: Retry;
  readonly barrier: Barrier;
  readonly dependsOn: readonly Dependency[];
  readonly expectedObjects: number | null;
  readonly expectedTasks: number | null;
  readonly thresholds: Thresholds | null;
  readonly expect: readonly Expectation[];
  /** Metrics that are held against earlier runs; not there: none. */
  readonly baselines?: readonly Baseline[] | undefined;
  /** Wait for a person before this stage. */
  readonly checkpoint: boolean;
  /** More on that wait; not there: for anybody, as long as `checkpoints.ts` says, and then the run fails. */
  readonly approval?: Approval | undefined;
  /** Patterns over `<stage>.<key>` that select outputs for STAGEWRIGHT_CONTEXT; null: all. */
  readonly context: readonly string[] | null;
  /** Those of them without which the stage is not run; not there: none. */
  readonly contextRequired?: readonly string[] | undefined;
  /** Bytes. */
  readonly contextLimit: number;
  readonly tasks: Tasks | null;
  readonly background: Background | null;
  /** Exit codes that are a warning: the stage goes on as after 0. Not there: none. */
  readonly softFail?: readonly number[] | undefined;
  /** Not there: it is no trial. */
  readonly trial?: Trial | undefined;
  /** Its metrics count only within these times of the group's common start and end; not there: all of them do. */
  readonly measure?: { readonly warmupMs: number; readonly cooldownMs: number } | undefined;
  /** What is looked at before its command, on each agent; not there: nothing. */
  readonly checks?: readonly PreflightCheck[] | undefined;
  /** Paths and patterns of files that each agent keeps; not there: none. */
  readonly collect?: readonly string[] | undefined;
  /** Between TERM and KILL; not there: see `stop-grace.ts`. */
  readonly stopGraceMs?: number | undefined;
  /** Whether it is run again when a run goes on after it; not there: by its type and where the run goes on. */
  readonly resume?: ResumeRule | undefined;
  /** It is there to tell others of what there is; not there: it has other work. */
  readonly gathersContext?: boolean | undefined;
  /** Of a quorum stage alone; not there: it is none (older agents and coordinators do not know it). */
  readonly quorum?: Quorum | undefined;
}

/** For whom a stage waits. */
export interface Approval {
  /** Users, apps (`name[bot]`) and teams (`@org/team`); none: anybody. */
  readonly by: readonly string[];
  readonly timeoutMs: number;
  readonly onTimeout: "fail" | "go_on";
}

/** What becomes of a finished stage in a run that goes on from a saved state. */
export const RESUME_RULES = ["rerun", "reuse"] as const;
export type ResumeRule = (typeof RESUME_RULES)[number];

/** What may have become of a stage whose result is needed, and is accepted all the same. */
export const ACCEPTABLE = ["failed", "skipped"] as const;
export type Acceptable = (typeof ACCEPTABLE)[number];

/** A stage whose result another needs. */
export interface Dependency {
  readonly stage: string;
  /** It is enough that this has become of it. */
  readonly evenIf: readonly Acceptable[];
}

export interface PlanAgent {
  readonly id: string;
  /** host:port */
  readonly address: string | null;
  readonly env: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly name: string;
  /** Size of the group; null: not said by the plan (then --agents, else the matrix, else 1). */
  readonly agentCount: number | null;
  /** Named agents, when the plan lists them; then `agentCount` is its length. */
  readonly agents: readonly PlanAgent[];
  /** Role -> how many; empty: no roles. */
  readonly roles: Readonly<Record<string, number>>;
  readonly sharedFilesystem: boolean;
  readonly treeCreationMode: "isolated" | "coordinator" | "concurrent";
  readonly pathSelection: "partitioned" | "exclusive" | "random";
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables whose values are masked; not there: none (older agents and coordinators do not know it). */
  readonly secrets?: readonly string[] | undefined;
  readonly params: Readonly<Record<string, Scalar>>;
  /** From the run's first moment until all but cleanup must be done; null: none. */
  readonly deadlineMs: number | null;
  readonly assembly: { readonly timeoutMs: number; readonly atLeast: number | null };
  readonly liveness: Liveness;
  readonly stages: readonly PlanStage[];
}

/** Something wrong (or worth a warning) in a user's file. Lines and columns count from 1. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, what was expected, and a suggestion where there is one: one line. */
  readonly message: string;
}
