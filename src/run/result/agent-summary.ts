/**
 * What one agent knows of a run by its own attempts alone: all that it can report when it is cancelled, or cut off from
 * its coordinator, before it hears what the group made of them. Counts nothing that others did, and decides nothing.
 */
import type { PlanStage } from "../../plan/plan.ts";
import { roundOf } from "../stage/attempt-id.ts";
import { judgeAttempt } from "../stage/completion.ts";
import type { AttemptReport } from "../types.ts";
import type { AgentPhase, PhaseRecord, PhaseRound } from "./record.ts";

/** Of one stage; further annotations are left out. */
const MOST_ANNOTATIONS = 1_000;

interface OwnPhase {
  readonly stage: PlanStage;
  readonly round: number;
  readonly earlier: readonly PhaseRound[];
  readonly startedAt: number;
  readonly attempts: number;
  /** The newest. */
  readonly report: AttemptReport;
  readonly annotations: PhaseRecord["annotations"];
  readonly tasks: { readonly done: number; readonly failed: number };
}

export class AgentSummary {
  readonly #agent: Pick<AgentPhase, "agent" | "index">;
  readonly #phases = new Map<number, OwnPhase>();

  constructor(agent: Pick<AgentPhase, "agent" | "index">) {
    this.#agent = agent;
  }

  /** One of its attempts has ended. */
  add(stage: PlanStage, report: AttemptReport): void {
    const known = this.#phases.get(stage.index);
    const round = Math.max(known?.round ?? 1, roundOf(report.attempt));
    const before = known?.round === round ? known : undefined;
    const ended = known === undefined || known === before ? [] : [roundRecord(known, this.#agent)];
    // As in the group's own record: an attempt that was made anew does not count, a task always does.
    const kept = report.task === null ? [] : (before?.annotations ?? []);
    const told = report.annotations.map((annotation) => ({ ...annotation, agent: this.#agent.agent }));
    const { done, failed } = before?.tasks ?? { done: 0, failed: 0 };
    const { ok } = judgeAttempt(stage, report.end, report.progress);
    const counts = report.task !== null && report.end.kind !== "stopped" && report.end.kind !== "reset";
    this.#phases.set(stage.index, {
      stage,
      round,
      earlier: [...(known?.earlier ?? []), ...ended],
      startedAt: before?.startedAt ?? report.startedAt,
      attempts: (before?.attempts ?? 0) + (report.task === null ? 1 : 0),
      report,
      annotations: [...kept, ...told].slice(0, MOST_ANNOTATIONS),
      tasks: { done: done + (counts && ok ? 1 : 0), failed: failed + (counts && !ok ? 1 : 0) },
    });
  }

  /** In the plan's order. */
  records(): readonly PhaseRecord[] {
    return [...this.#phases.values()]
      .toSorted((a, b) => a.stage.index - b.stage.index)
      .map((phase) => recordOf(phase, this.#agent));
  }
}

function recordOf(own: OwnPhase, agent: Pick<AgentPhase, "agent" | "index">): PhaseRecord {
  const { stage, report, annotations, earlier } = own;
  const { histograms, outputs } = report;
  const { index, name, description, order, line, column, optional } = stage;
  const about = { stage: index, name, description, order, line, column, optional };
  const rest = { histograms, outputs, annotations, ...(earlier.length > 0 ? { earlier } : {}) };
  return { ...about, ...roundRecord(own, agent), ...rest };
}

function roundRecord(own: OwnPhase, agent: Pick<AgentPhase, "agent" | "index">): PhaseRound {
  const { stage, startedAt, attempts, report, tasks } = own;
  const { end, endedAt, progress, metrics, tail } = report;
  const { ok, warning, reason } = judgeAttempt(stage, end, progress);
  const isStopped = end.kind === "stopped" || end.kind === "reset";
  const why = ok ? (warning ?? null) : reason;
  const status = ok ? (warning === undefined ? "success" : "warning") : isStopped ? "cancelled" : "failure";
  return {
    status: status === "failure" && stage.optional ? "warning" : status,
    worked: ok,
    reason: why,
    startedAt,
    completedAt: endedAt,
    retryCount: Math.max(0, attempts - 1),
    progress,
    metrics: metrics.map((metric) => ({ ...metric, expected: null, met: null })),
    agents: [
      {
        ...agent,
        status: ok ? "success" : isStopped ? "stopped" : "failure",
        ...{ startedAt, endedAt, attempts: Math.max(1, attempts), reason: why, tail, end },
      },
    ],
    tasks: stage.tasks === null ? null : { ...tasks, skipped: 0, total: tasks.done + tasks.failed },
  };
}
