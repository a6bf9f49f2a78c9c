/** A run's result with everything masked that came from outside: before it is escaped, which would hide it from masks. */
import type { Json } from "../plan/plan.ts";
import type { PhaseRecord, PhaseRound, QuorumRound, RunSummary } from "../run/result/record.ts";
import type { AttemptEnd } from "../run/types.ts";

export interface Mask {
  text(text: string): string;
  json(value: Json): Json;
}

/** Agents mask what they tell; this masks it with what is known here, too, and what was told before it was masked. */
export function maskedSummary<S extends RunSummary>(summary: S, mask: Mask): S {
  return { ...summary, message: mask.text(summary.message), phases: summary.phases.map((each) => masked(each, mask)) };
}

function masked(phase: PhaseRecord, mask: Mask): PhaseRecord {
  const text = (value: string | null): string | null => (value === null ? null : mask.text(value));
  return {
    ...phase,
    ...maskedRound(phase, mask),
    ...(phase.earlier === undefined
      ? {}
      : { earlier: phase.earlier.map((round) => ({ ...round, ...maskedRound(round, mask) })) }),
    histograms: Object.fromEntries(Object.entries(phase.histograms).map(([name, value]) => [mask.text(name), value])),
    outputs: Object.fromEntries(
      Object.entries(phase.outputs).map(([key, value]) => [mask.text(key), mask.json(value)]),
    ),
    annotations: phase.annotations.map((annotation) => ({
      ...annotation,
      path: mask.text(annotation.path),
      title: text(annotation.title),
      message: mask.text(annotation.message),
    })),
  };
}

type Masked = Pick<PhaseRound, "reason" | "metrics" | "agents" | "tasks" | "quorum" | "approval">;

function maskedRound(round: PhaseRound, mask: Mask): Masked {
  const text = (value: string | null): string | null => (value === null ? null : mask.text(value));
  return {
    reason: text(round.reason),
    tasks: maskedTasks(round.tasks, mask),
    ...(round.approval === undefined ? {} : { approval: { ...round.approval, why: text(round.approval.why) } }),
    ...(round.quorum === undefined ? {} : { quorum: maskedQuorum(round.quorum, mask) }),
    metrics: round.metrics.map((metric) => ({ ...metric, name: mask.text(metric.name), unit: mask.text(metric.unit) })),
    agents: round.agents.map((agent) => ({
      ...agent,
      reason: text(agent.reason),
      tail: mask.text(agent.tail),
      end: agent.end === null ? null : maskedEnd(agent.end, mask),
    })),
  };
}

function maskedTasks(tasks: PhaseRound["tasks"], mask: Mask): PhaseRound["tasks"] {
  if (tasks?.records === undefined) return tasks;
  const records = tasks.records.map((record) => ({
    ...record,
    task: mask.text(record.task),
    reason: record.reason === null ? null : mask.text(record.reason),
    end: record.end === null ? null : maskedEnd(record.end, mask),
    outputs: Object.fromEntries(
      Object.entries(record.outputs).map(([key, value]) => [mask.text(key), mask.json(value)]),
    ),
  }));
  return { ...tasks, records };
}

function maskedQuorum(quorum: QuorumRound, mask: Mask): QuorumRound {
  return {
    ...quorum,
    votes: quorum.votes.map((vote) => ({ ...vote, reason: vote.reason === null ? null : mask.text(vote.reason) })),
    deficiencies: quorum.deficiencies.map(({ validator, deficiency }) => ({
      validator,
      deficiency: mask.json(deficiency),
    })),
  };
}

/** Only what is said in words: the rest is a closed list, or numbers. */
function maskedEnd(end: AttemptEnd, mask: Mask): AttemptEnd {
  if ("message" in end) return { ...end, message: mask.text(end.message) };
  return end.kind === "stopped" ? { ...end, why: mask.text(end.why) } : end;
}
