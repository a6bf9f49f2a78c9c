/** One agent's part in a group's result: what it is told of it, and what its own job shows. */
import type { AgentMachine, AgentPhase, PhaseRecord, PhaseRound, RunSummary } from "./record.ts";

/**
 * A result as each agent sees it: the verdict and all stages, in each round its own part and the first of the others
 * that failed (without their output), and what its own commands annotated. Costs an agent what it gets, not the group.
 */
export class SummaryByAgent {
  readonly #summary: RunSummary;
  readonly #phases: readonly PhaseByAgent[];
  readonly #machines: ReadonlyMap<string, AgentMachine> | undefined;

  /** @param others how many of those that failed each agent sees besides itself */
  constructor(summary: RunSummary, others: number) {
    this.#summary = summary;
    this.#machines = summary.machines && new Map(summary.machines.map((each) => [each.agent, each]));
    this.#phases = summary.phases.map((phase) => phaseByAgent(phase, others));
  }

  of(agent: string): RunSummary {
    const machine = this.#machines?.get(agent);
    const own = this.#machines === undefined ? {} : { machines: machine === undefined ? [] : [machine] };
    return { ...this.#summary, ...own, phases: this.#phases.map((phase) => phase(agent)) };
  }
}

type PhaseByAgent = (agent: string) => PhaseRecord;

function phaseByAgent(phase: PhaseRecord, others: number): PhaseByAgent {
  const last = roundByAgent(phase, others);
  const earlier = phase.earlier?.map((round) => ({ round, of: roundByAgent(round, others) }));
  const annotations = Map.groupBy(phase.annotations, ({ agent }) => agent);
  return (agent) => ({
    ...phase,
    ...(earlier === undefined ? {} : { earlier: earlier.map(({ round, of }) => ({ ...round, agents: of(agent) })) }),
    agents: last(agent),
    annotations: annotations.get(agent) ?? [],
  });
}

function roundByAgent({ agents }: PhaseRound, others: number): (agent: string) => readonly AgentPhase[] {
  const byName = new Map(agents.map((part) => [part.agent, part]));
  const failed = agents
    .filter(({ status }) => status !== "success" && status !== "skipped")
    .slice(0, others)
    .map((part) => ({ ...part, tail: "" }));
  return (agent) => {
    const own = byName.get(agent);
    return [...(own === undefined ? [] : [own]), ...failed.filter((part) => part.agent !== agent)];
  };
}
