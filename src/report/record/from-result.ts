/** A result that was written down, as the summary is made from: what the JSON does not have, it does not show. */
import type { AgentPhase, PhaseRecord, PhaseRound } from "../../run/result/record.ts";
import type { RunReport } from "../report.ts";
import type { PhaseResult, Result, ResultAgent, RoundResult } from "./result-schema.ts";

export function reportOfResult(result: Result): RunReport {
  return {
    summary: {
      status: result.verdict === "success" ? "succeeded" : result.verdict === "failure" ? "failed" : "cancelled",
      verdict: result.verdict,
      message: result.message,
      failedStage: result.failed_stage,
      phases: result.phase_results.map(recordOfResult),
    },
    planName: result.plan.name,
    planFile: result.plan.file,
    workspace: null,
    startedAt: Date.parse(result.started_at),
    completedAt: Date.parse(result.completed_at),
    stoppedAfter: result.stopped_after_phase,
  };
}

function recordOfResult(phase: PhaseResult, stage: number): PhaseRecord {
  return {
    stage,
    name: phase.phase,
    description: phase.phase_name === phase.phase ? null : phase.phase_name,
    order: phase.order,
    line: 1,
    column: 1,
    optional: phase.optional,
    histograms: phase.histograms,
    outputs: phase.output_data,
    annotations: [],
    ...roundOfResult(phase),
    progress: phase.progress,
    tasks: phase.tasks,
    earlier: (phase.earlier_rounds ?? []).map(roundOfResult),
  };
}

function roundOfResult(round: RoundResult): PhaseRound {
  return {
    status: round.status,
    worked: round.success,
    reason: round.reason,
    startedAt: timeOf(round.started_at),
    completedAt: timeOf(round.completed_at),
    retryCount: round.retry_count,
    progress: null,
    tasks: null,
    metrics: round.metrics,
    agents: round.agents.map(partOfResult),
    ...quorumOfResult(round),
  };
}

function quorumOfResult({ quorum }: RoundResult): Pick<PhaseRound, "quorum"> {
  if (quorum === undefined) return {};
  const { deficiencies_left_out: leftOut, ...rest } = quorum;
  return { quorum: { ...rest, leftOut } };
}

function partOfResult({ agent, index, status, attempts, reason, ...part }: ResultAgent): AgentPhase {
  const times = { startedAt: timeOf(part.started_at), endedAt: timeOf(part.completed_at) };
  return { agent, index, status, attempts, reason, ...times, tail: "", end: null };
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
