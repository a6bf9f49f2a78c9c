/** One agent's part in a group's result: what its own job shows, while the group's result is shown once. */
import type { AgentPhase, PhaseRound, RunSummary } from "../../run/types.ts";

/** The same verdict and stages, with what this agent did in them and what its commands annotated. */
export function ownPart(summary: RunSummary, agent: string): RunSummary {
  const own = ({ agents }: PhaseRound): readonly AgentPhase[] => agents.filter((part) => part.agent === agent);
  return {
    ...summary,
    phases: summary.phases.map((phase) => ({
      ...phase,
      ...(phase.earlier === undefined
        ? {}
        : { earlier: phase.earlier.map((round) => ({ ...round, agents: own(round) })) }),
      agents: own(phase),
      annotations: phase.annotations.filter((annotation) => annotation.agent === agent),
    })),
  };
}
