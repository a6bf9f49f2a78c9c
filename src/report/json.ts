/** The machine-readable result: stdout of the command, `results-file` of the action. */
import type { Json } from "../plan/plan.ts";
import type { AgentPhase, PhaseRecord, PhaseRound, Verdict } from "../run/result/record.ts";
import type { AttemptEnd, Metric, Progress } from "../run/types.ts";
import { between, iso } from "./format.ts";
import { doneTimes, type RunReport } from "./report.ts";

export interface ResultAgent {
  readonly agent: string;
  readonly index: number;
  readonly status: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly duration_ms: number | null;
  readonly attempts: number;
  readonly reason: string | null;
  readonly exit_code: number | null;
}

export interface PhaseResult {
  /** The stage's name. */
  readonly phase: string;
  /** Its description, else its name. */
  readonly phase_name: string;
  readonly order: number;
  readonly status: PhaseRecord["status"];
  readonly success: boolean;
  readonly skipped: boolean;
  readonly optional: boolean;
  /** 0 for a stage that was not run. */
  readonly duration_ms: number;
  /** UTC, ISO 8601 with zone. */
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly output_data: Readonly<Record<string, Json>>;
  /** Why its work failed; null when it did not. */
  readonly error: string | null;
  /** Why it failed, was skipped, or succeeded only with a warning. */
  readonly reason: string | null;
  readonly retry_count: number;
  readonly progress: Progress | null;
  readonly tasks: PhaseRecord["tasks"];
  readonly metrics: readonly (Metric & { readonly expected: string | null; readonly met: boolean | null })[];
  /** Name -> HdrHistogram V2 compressed, base64. */
  readonly histograms: Readonly<Record<string, string>>;
  readonly agents: readonly ResultAgent[];
  /** Only of a stage that was entered again: its rounds before this one, in order. */
  readonly earlier_rounds?: readonly RoundResult[];
}

export interface RoundResult {
  readonly status: PhaseRecord["status"];
  readonly success: boolean;
  readonly duration_ms: number;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly reason: string | null;
  readonly retry_count: number;
  readonly metrics: PhaseResult["metrics"];
  readonly agents: readonly ResultAgent[];
}

export interface Result {
  readonly success: boolean;
  readonly verdict: Verdict;
  readonly message: string;
  readonly failed_stage: string | null;
  readonly phase_results: readonly PhaseResult[];
  readonly timing_summary: {
    readonly total_duration_ms: number;
    readonly phases: readonly {
      readonly phase: string;
      readonly duration_ms: number;
      /** When the first and the last of its agents were done. */
      readonly first_done_at: string | null;
      readonly last_done_at: string | null;
    }[];
  };
  readonly stopped_after_phase: string | null;
}

/** The result of a run, stages in the order of the plan. */
export function resultOf(report: RunReport): Result {
  const { summary } = report;
  return {
    success: summary.verdict === "success",
    verdict: summary.verdict,
    message: summary.message,
    failed_stage: summary.failedStage,
    phase_results: summary.phases.map(phaseResult),
    timing_summary: {
      total_duration_ms: Math.max(0, report.completedAt - report.startedAt),
      phases: summary.phases.filter((phase) => phase.status !== "skipped").map(timing),
    },
    stopped_after_phase: report.stoppedAfter,
  };
}

/** `resultOf` as text: two spaces of indentation and a newline at the end. */
export function resultJson(report: RunReport): string {
  return `${JSON.stringify(resultOf(report), null, 2)}\n`;
}

function phaseResult(record: PhaseRecord): PhaseResult {
  const success = record.worked;
  const skipped = record.status === "skipped";
  return {
    phase: record.name,
    phase_name: record.description ?? record.name,
    order: record.order,
    status: record.status,
    success,
    skipped,
    optional: record.optional,
    duration_ms: between(record.startedAt, record.completedAt) ?? 0,
    started_at: iso(record.startedAt),
    completed_at: iso(record.completedAt),
    output_data: record.outputs,
    error: success || skipped ? null : (record.reason ?? "failed"),
    reason: record.reason,
    retry_count: record.retryCount,
    progress: record.progress,
    tasks: record.tasks,
    metrics: record.metrics,
    histograms: record.histograms,
    agents: record.agents.map(agentResult),
    ...(record.earlier === undefined ? {} : { earlier_rounds: record.earlier.map(roundResult) }),
  };
}

function roundResult(round: PhaseRound): RoundResult {
  return {
    status: round.status,
    success: round.worked,
    duration_ms: between(round.startedAt, round.completedAt) ?? 0,
    started_at: iso(round.startedAt),
    completed_at: iso(round.completedAt),
    reason: round.reason,
    retry_count: round.retryCount,
    metrics: round.metrics,
    agents: round.agents.map(agentResult),
  };
}

function agentResult(part: AgentPhase): ResultAgent {
  const { agent, index, status, attempts, reason } = part;
  const times = { started_at: iso(part.startedAt), completed_at: iso(part.endedAt) };
  const duration_ms = between(part.startedAt, part.endedAt);
  return { agent, index, status, ...times, duration_ms, attempts, reason, exit_code: exitCode(part.end) };
}

function exitCode(end: AttemptEnd | null): number | null {
  return end?.kind === "exited" ? end.code : null;
}

function timing(record: PhaseRecord): Result["timing_summary"]["phases"][number] {
  const { first, last } = doneTimes(record);
  return {
    phase: record.name,
    duration_ms: between(record.startedAt, record.completedAt) ?? 0,
    first_done_at: iso(first),
    last_done_at: iso(last),
  };
}
