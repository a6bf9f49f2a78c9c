/** One agent's part in a group's result: what its own job shows, while the group's result is shown once. */
import type { RunSummary } from "../../run/types.ts";

/** The same verdict and stages, with what this agent did in them and what its commands annotated. */
export function ownPart(summary: RunSummary, agent: string): RunSummary {
  return {
    ...summary,
    phases: summary.phases.map((phase) => ({
      ...phase,
      agents: phase.agents.filter((part) => part.agent === agent),
      annotations: phase.annotations.filter((annotation) => annotation.agent === agent),
    })),
  };
}
