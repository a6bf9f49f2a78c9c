/** A run's result: what each stage came to, merged over its agents. What JSON, summary and check run are made from. */

import type { PlanStage } from "../../plan/plan.ts";
import { spreadsOf } from "../measurement/trials.ts";
import { itemAt, itemsOf } from "../persistent-array.ts";
import { expectations, taskCount } from "../stage/judgement.ts";
import type { AgentState, RunState, StageRun } from "../state.ts";
import type { Progress } from "../types.ts";
import type { AgentMachine, AgentPhase, PhaseRecord, PhaseRound, RunSummary, Verdict } from "./record.ts";
import { taskPhases } from "./task-phases.ts";

/** Merges HdrHistograms (V2 compressed, base64) exactly into one: see `src/coordinator/hosting/merge-histograms.ts`. */
export type MergeHistograms = (parts: readonly string[]) => MergedHistograms;

export interface MergedHistograms {
  /** All that could be read as one; null: none could. */
  readonly encoded: string | null;
  /** Positions among the parts of those that could not be read. */
  readonly unreadable: readonly { readonly part: number; readonly why: string }[];
}

/** Histograms that could not be read are named up to this number. */
const NAMED_UNREADABLE = 3;

/**
 * Where the run stands, whether it is over or not.
 *
 * `merge` is called for a group's histograms. Without it those that several told are left out: percentiles cannot be
 * averaged, and one agent's are not the group's. Whether it is needed says `hasHistogramsToMerge`. What it cannot read
 * is not in the result, and the stage's record warns of it.
 */
export function summary(state: RunState, merge?: MergeHistograms): RunSummary {
  const { status, failure } = state;
  const phases = [...itemsOf(state.stages)].flatMap((run) => {
    const record = phaseOf(state, run, merge);
    return record === null ? [] : [record];
  });
  const verdict: Verdict = failure === null ? "success" : failure.kind === "failed" ? "failure" : "cancelled";
  const failed = failure?.kind === "failed" ? failure.stage : null;
  const failedStage = failed === null ? null : (state.plan.stages[failed]?.name ?? null);
  return { status, verdict, message: messageOf(state, phases), failedStage, phases, machines: machinesOf(state) };
}

function machinesOf(state: RunState): readonly AgentMachine[] {
  return [...itemsOf<AgentState>(state.agents)]
    .map(({ name: agent, index, role, machine = null }) => ({ agent, index, role, machine }))
    .sort((a, b) => a.index - b.index);
}

/** What stages came to that have been decided on and are not in `told`, where they are then. */
export function newPhases(state: RunState, told: WeakSet<StageRun>, merge?: MergeHistograms): readonly PhaseRecord[] {
  return [...itemsOf(state.stages)].flatMap((run) => {
    const record = told.has(run) ? null : phaseOf(state, run, merge);
    if (record !== null) told.add(run);
    return record === null ? [] : [record];
  });
}

export function hasHistogramsToMerge(state: RunState): boolean {
  // One agent's own are whole already, and its own reading: no library is loaded for them.
  const least = state.agentCount > 1 ? 1 : 2;
  return [...itemsOf(state.stages)].some(({ histograms }) => histograms.some(({ parts }) => parts.length >= least));
}

function messageOf(state: RunState, phases: readonly PhaseRecord[]): string {
  if (state.failure !== null) return state.failure.reason;
  if (state.status !== "succeeded") return `the run is ${state.status}`;
  const ran = phases.filter(({ status }) => status !== "skipped");
  const warned = ran.filter(({ status }) => status === "warning");
  const skipped = phases.length - ran.length;
  const said = [
    `${ran.length} ${ran.length === 1 ? "stage" : "stages"} succeeded`,
    ...(warned.length > 0 ? [`${warned.length} of them with warnings (${names(warned)})`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return said.join(", ");
}

function names(phases: readonly PhaseRecord[]): string {
  const named = phases.slice(0, 5).map(({ name }) => name);
  return named.join(", ") + (phases.length > named.length ? ", …" : "");
}

function phaseOf(state: RunState, run: StageRun, merge: MergeHistograms | undefined): PhaseRecord | null {
  const planned = state.plan.stages[run.stage];
  // A stage that is open has no result yet; one that was not come to has one only when the run is over.
  if (planned === undefined || run.status === null) return null;
  const { name, description, order, line, column, optional } = planned;
  const merged = mergedHistograms(run, merge);
  const round = roundOf(state, planned, run, run.status);
  const earlier = run.earlier.map((one) => roundOf(state, planned, one, one.status ?? "skipped"));
  return {
    stage: run.stage,
    name,
    description,
    order,
    line,
    column,
    optional,
    ...round,
    status: merged.unreadable.length > 0 && run.status === "success" ? "warning" : run.status,
    reason: withUnreadable(run.reason, merged.unreadable),
    histograms: merged.histograms,
    outputs: Object.fromEntries(run.outputs.map(({ key, value }) => [key, value])),
    annotations: run.annotations,
    ...trialOf(state, planned),
    ...(earlier.length > 0 ? { earlier } : {}),
  };
}

function trialOf({ plan, stages }: RunState, planned: PlanStage): Pick<PhaseRecord, "trial"> {
  if (planned.trial === undefined) return {};
  const { of, number, count, discard } = planned.trial;
  const spreads = spreadsOf(planned, plan.stages, (stage) => itemAt(stages, stage));
  return {
    trial: { of, number, count, discarded: number <= discard, ...(spreads.length > 0 ? { spreads } : {}) },
  };
}

function roundOf(state: RunState, planned: PlanStage, run: StageRun, status: PhaseRound["status"]): PhaseRound {
  const agents = [...agentsOf(state, run)];
  const times = <K extends "startedAt" | "endedAt">(key: K): number[] =>
    agents.map((agent) => agent[key]).filter((time) => time !== null);
  const ended = times("endedAt");
  const first = times("startedAt").reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const last = ended.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  const expected = expectations(planned, run.metrics);
  return {
    status,
    worked: run.worked === true,
    reason: run.reason,
    startedAt: Number.isFinite(first) ? first : run.startAt,
    completedAt: Number.isFinite(last) ? last : run.startAt === null ? null : run.closedAt,
    retryCount: run.retryCount,
    progress: progressOf(run, agents.length > 0 ? totalOf(planned) : null),
    metrics: run.metrics.map((metric) => {
      const about = expected.filter((expectation) => expectation.metric === metric.name);
      const text = about.map(({ comparison, value }) => `${comparison} ${value}`).join(" and ");
      const met = about.every((expectation) => expectation.met);
      return { ...metric, expected: about.length === 0 ? null : text, met: about.length === 0 ? null : met };
    }),
    agents,
    tasks:
      run.pool === null
        ? null
        : {
            done: run.pool.done,
            failed: run.pool.failed,
            skipped: run.pool.skipped,
            total: taskCount(run),
            ...taskPhases(state, run.pool),
          },
    ...(run.approval === undefined ? {} : { approval: run.approval }),
    ...(run.quorum === undefined ? {} : { quorum: run.quorum }),
  };
}

function* agentsOf(state: RunState, run: StageRun): Generator<AgentPhase> {
  for (const result of itemsOf(run.results)) if (result !== null) yield result;
  // Excluded earlier: they did not take part, and the result says so.
  if (run.startAt === null) return;
  for (const [slot, agent] of [...itemsOf<AgentState>(state.agents)].entries()) {
    if (agent.excludedAt !== null && agent.excludedAt <= (run.openedAt ?? 0) && itemAt(run.results, slot) == null) {
      const nothing = { startedAt: null, endedAt: null, attempts: 0, tail: "", end: null };
      yield { agent: agent.name, index: agent.index, status: "excluded", reason: agent.why, ...nothing };
    }
  }
}

function totalOf({ expectedObjects, expectedTasks }: PlanStage): number | null {
  return expectedObjects ?? expectedTasks ?? null;
}

function progressOf(run: StageRun, total: number | null): Progress | null {
  if (run.pool !== null) return { done: run.pool.done, total: taskCount(run), errors: run.pool.failed };
  if (run.done === 0 && run.errors === 0 && total === null) return null;
  return { done: run.done, total, errors: run.errors };
}

interface StageHistograms {
  readonly histograms: Readonly<Record<string, string>>;
  /** One sentence each. */
  readonly unreadable: readonly string[];
}

function mergedHistograms(run: StageRun, merge: MergeHistograms | undefined): StageHistograms {
  const histograms: [string, string][] = [];
  const unreadable: string[] = [];
  for (const { name, parts } of run.histograms) {
    const [only] = parts;
    if (merge === undefined) {
      if (parts.length === 1 && only !== undefined) histograms.push([name, only.encoded]);
      continue;
    }
    const merged = merge(parts.map(({ encoded }) => encoded));
    if (merged.encoded !== null) histograms.push([name, merged.encoded]);
    for (const { part, why } of merged.unreadable) {
      unreadable.push(
        `histogram ${name} of ${parts[part]?.agent ?? "nobody"} could not be read and was left out: ${why}`,
      );
    }
  }
  return { histograms: Object.fromEntries(histograms), unreadable };
}

function withUnreadable(reason: string | null, unreadable: readonly string[]): string | null {
  if (unreadable.length === 0) return reason;
  const more = unreadable.length - NAMED_UNREADABLE;
  const said = [...unreadable.slice(0, NAMED_UNREADABLE), ...(more > 0 ? [`and ${more} more`] : [])];
  return [...(reason === null ? [] : [reason]), ...said].join("; ");
}
