/** The machine-readable result: stdout of the command, `results-file` of the action. */
import type { AgentMachine, AgentPhase, PhaseRecord, PhaseRound } from "../../run/result/record.ts";
import type { AttemptEnd, RunKey } from "../../run/types.ts";
import { between, iso } from "../format.ts";
import { histogramFigures, type ReadHistogram } from "../histograms.ts";
import { doneTimes, type RunReport } from "../report.ts";
import type { BaselineJudgement } from "./baselines.ts";
import { RESULT_VERSION } from "./provenance.ts";
import type { PhaseResult, Result, ResultAgent, RoundResult } from "./result-schema.ts";
import { testbedOf } from "./testbed.ts";

/** The result of a run, stages in the order of the plan. */
export function resultOf(report: RunReport): Result {
  const { summary, provenance } = report;
  const { machines = [] } = summary;
  return {
    schema_version: RESULT_VERSION,
    success: summary.verdict === "success",
    verdict: summary.verdict,
    message: summary.message,
    failed_stage: summary.failedStage,
    started_at: utc(report.startedAt),
    completed_at: utc(Math.max(report.startedAt, report.completedAt)),
    plan: {
      name: report.planName,
      file: report.planFile,
      digest: provenance?.planDigest ?? null,
      work_digest: provenance?.workDigest ?? null,
    },
    params: provenance?.params ?? {},
    commit: provenance?.commit ?? null,
    run: provenance === undefined ? null : runOf(provenance.key),
    versions: { stagewright: provenance?.version ?? "" },
    testbed: report.part === "own" ? null : testbedOf(machines),
    agents: machines.map(agentMachine),
    phase_results: summary.phases.map((record) => phaseResult(record, report)),
    timing_summary: {
      total_duration_ms: Math.max(0, report.completedAt - report.startedAt),
      phases: summary.phases.map(timing),
    },
    stopped_after_phase: report.stoppedAfter,
    ...(report.collected === undefined || report.collected.length === 0 ? {} : { collected: [...report.collected] }),
  };
}

/** `resultOf` as text: two spaces of indentation and a newline at the end. */
export function resultJson(report: RunReport): string {
  return `${JSON.stringify(resultOf(report), null, 2)}\n`;
}

function utc(at: number): string {
  return iso(at) ?? "";
}

function runOf({ repositoryId, runId, attempt, group }: RunKey): Result["run"] {
  return { repository_id: repositoryId, run_id: runId, attempt, group };
}

function agentMachine({ agent, index, role, machine }: AgentMachine): Result["agents"][number] {
  if (machine === null) return { agent, index, role, machine };
  const { memoryBytes: memory_bytes, cores, cpu, os, kernel, arch, runner } = machine;
  return { agent, index, role, machine: { cores, memory_bytes, cpu, os, kernel, arch, runner } };
}

function percentilesOf(record: PhaseRecord, read: ReadHistogram | undefined): PhaseResult["percentiles"] {
  return Object.fromEntries(
    Object.entries(record.histograms).flatMap(([name, encoded]) => {
      const samples = read?.(encoded) ?? null;
      const figures = samples === null ? null : histogramFigures(samples);
      return figures === null ? [] : [[name, figures]];
    }),
  );
}

function metricsOfPhase({ stage, metrics }: PhaseRecord, judged: readonly BaselineJudgement[]): PhaseResult["metrics"] {
  return metrics.map((metric) => {
    const own = judged.find((each) => each.stage === stage && each.metric === metric.name);
    if (own === undefined) return metric;
    const { verdict, samples, median, bound } = own;
    return { ...metric, baseline: { verdict, samples, median, bound } };
  });
}

function phaseResult(record: PhaseRecord, { readHistogram, baselines = [] }: RunReport): PhaseResult {
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
    output_data: { ...record.outputs },
    error: success || skipped ? null : (record.reason ?? "failed"),
    reason: record.reason,
    retry_count: record.retryCount,
    progress: record.progress,
    tasks: taskCounts(record.tasks),
    metrics: metricsOfPhase(record, baselines),
    histograms: record.histograms,
    percentiles: percentilesOf(record, readHistogram),
    agents: record.agents.map(agentResult),
    ...taskResults(record.tasks),
    ...approvalResult(record),
    ...quorumResult(record),
    ...(record.trial === undefined ? {} : { trial: trialResult(record.trial) }),
    ...(record.earlier === undefined ? {} : { earlier_rounds: record.earlier.map(roundResult) }),
  };
}

function trialResult({ spreads, ...trial }: NonNullable<PhaseRecord["trial"]>): PhaseResult["trial"] {
  if (spreads === undefined) return trial;
  return { ...trial, spreads: spreads.map((one) => ({ ...one, values: [...one.values] })) };
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
    metrics: [...round.metrics],
    agents: round.agents.map(agentResult),
    ...approvalResult(round),
    ...quorumResult(round),
  };
}

function approvalResult({ approval }: PhaseRound): Pick<RoundResult, "approval"> {
  if (approval === undefined) return {};
  return { approval: { by: approval.by, why: approval.why, at: iso(approval.at) } };
}

function quorumResult({ quorum }: PhaseRound): Pick<RoundResult, "quorum"> {
  if (quorum === undefined) return {};
  const { leftOut, votes, deficiencies, weights, ...rest } = quorum;
  return {
    quorum: {
      ...rest,
      weights: { ...weights },
      votes: votes.map((vote) => ({ ...vote })),
      deficiencies: deficiencies.map((deficiency) => ({ ...deficiency })),
      deficiencies_left_out: leftOut,
    },
  };
}

function taskResults(tasks: PhaseRecord["tasks"]): Pick<PhaseResult, "task_records"> {
  if (tasks?.records === undefined) return {};
  return {
    task_records: tasks.records.map(({ startedAt, endedAt, end, outputs, ...task }) => ({
      ...task,
      started_at: iso(startedAt),
      completed_at: iso(endedAt),
      exit_code: exitCode(end),
      output_data: { ...outputs },
    })),
  };
}

/** Only the counts. */
function taskCounts(tasks: PhaseRecord["tasks"]): PhaseResult["tasks"] {
  if (tasks === null) return null;
  const { records: _records, ...counts } = tasks;
  return counts;
}

function agentResult(part: AgentPhase): ResultAgent {
  const { agent, index, status, attempts, reason } = part;
  const times = { started_at: iso(part.startedAt), completed_at: iso(part.endedAt) };
  const duration_ms = between(part.startedAt, part.endedAt);
  const metrics = part.measured === undefined ? {} : { metrics: [...part.measured] };
  return { agent, index, status, ...times, duration_ms, attempts, reason, exit_code: exitCode(part.end), ...metrics };
}

function exitCode(end: AttemptEnd | null): number | null {
  return end?.kind === "exited" ? end.code : null;
}

function timing(record: PhaseRecord): Result["timing_summary"]["phases"][number] {
  const { first, last } = doneTimes(record);
  return {
    phase: record.name,
    success: record.worked,
    skipped: record.status === "skipped",
    duration_ms: between(record.startedAt, record.completedAt) ?? 0,
    first_done_at: iso(first),
    last_done_at: iso(last),
  };
}
