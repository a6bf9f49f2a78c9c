/** What every report is made from, and the few questions that several of them ask of it. */
import type { AgentPhase, PhaseRecord, PhaseRound, RunSummary } from "../run/result/record.ts";
import type { ReadHistogram } from "./histograms.ts";
import type { BaselineJudgement } from "./record/baselines.ts";
import type { CollectedPart } from "./record/collected.ts";
import type { Provenance } from "./record/provenance.ts";

export interface RunReport {
  readonly summary: RunSummary;
  readonly planName: string;
  /** The plan file as an annotation names it: relative to the repository's root. */
  readonly planFile: string;
  /** Absolute path of the checkout that annotations' paths are relative to; null: they are taken as they come. */
  readonly workspace: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly completedAt: number;
  /** The stage after which the user asked to stop, if the run got that far. */
  readonly stoppedAfter: string | null;
  /** `own`: one agent's part, in a group whose result is shown by another. Not there: the whole. */
  readonly part?: "own";
  /** Not there: not known to whoever reports. */
  readonly provenance?: Provenance;
  /** What came of the plan's baselines; not there: they were not looked at. */
  readonly baselines?: readonly BaselineJudgement[];
  /** Files that stages kept, as far as who reports knows of them; not there: none. */
  readonly collected?: readonly CollectedPart[];
  /** Not there: histograms are shown as they are. */
  readonly readHistogram?: ReadHistogram;
}

/** The agents of a stage that did not come through it, in order of their index. */
export function failingAgents(record: PhaseRecord): readonly AgentPhase[] {
  return record.agents
    .filter((agent) => agent.status === "failure" || agent.status === "lost" || agent.status === "excluded")
    .toSorted((a, b) => a.index - b.index);
}

/** All agents that appear in any stage, in order of their index. */
export function rosterOf(summary: RunSummary): readonly { readonly name: string; readonly index: number }[] {
  const byName = new Map<string, number>();
  for (const phase of summary.phases) for (const agent of phase.agents) byName.set(agent.agent, agent.index);
  return [...byName].map(([name, index]) => ({ name, index })).sort((a, b) => a.index - b.index);
}

/** The round that a record tells of; the ones before are in `earlier`. */
export function roundNumber({ earlier = [] }: Pick<PhaseRecord, "earlier">): number {
  return earlier.length + 1;
}

/** All rounds of a stage, the first one first. */
export function phaseRounds(phase: PhaseRecord): readonly PhaseRound[] {
  return [...(phase.earlier ?? []), phase];
}

/** When the first and the last agent of a stage ended their part; null when none did. */
export function doneTimes(record: PhaseRecord): { readonly first: number | null; readonly last: number | null } {
  let first: number | null = null;
  let last: number | null = null;
  for (const { endedAt } of record.agents) {
    if (endedAt === null) continue;
    first = first === null ? endedAt : Math.min(first, endedAt);
    last = last === null ? endedAt : Math.max(last, endedAt);
  }
  return { first, last };
}
