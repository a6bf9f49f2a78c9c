/** Which transitions between a run's statuses are legal. An agent has none of its own: see `agent-status.ts`. */
import type { AgentState } from "./state.ts";
import type { AgentStatus, RunStatus } from "./types.ts";

export const RUN_TRANSITIONS: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  assembling: ["running", "failed", "cancelled"],
  running: ["aborting", "succeeded"],
  aborting: ["failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export function isLegalRunTransition(from: RunStatus, to: RunStatus): boolean {
  return RUN_TRANSITIONS[from].includes(to);
}

export function isOver(status: RunStatus): boolean {
  return RUN_TRANSITIONS[status].length === 0;
}

/** At work in a stage, as an agent says it. */
export function isWorking(status: AgentStatus): boolean {
  return status === "validating" || status === "preparing" || status === "running";
}

/** As far as is known: silent is not gone yet. */
export function isThere({ presence }: Pick<AgentState, "presence">): boolean {
  return presence === "here" || presence === "silent";
}
