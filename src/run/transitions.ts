/** Which transitions between statuses are legal, for runs and for agents. */
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

const WORKING = ["validating", "preparing", "running"] as const;

export const AGENT_TRANSITIONS: Readonly<Record<AgentStatus, readonly AgentStatus[]>> = {
  joining: ["idle", "aborting", "failed", "lost"],
  idle: [...WORKING, "at_barrier", "completed", "failed", "aborting", "excluded", "lost", "joining"],
  validating: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  preparing: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  running: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  // A retry, or the next stage of several without a barrier between them, goes back to work from here.
  at_barrier: ["idle", ...WORKING, "completed", "failed", "aborting", "excluded", "lost"],
  completed: [],
  failed: [],
  aborting: ["idle", ...WORKING, "at_barrier", "completed", "failed", "excluded", "lost"],
  excluded: ["completed", "failed"],
  // It comes back: to the assembly, or to the group's stage.
  lost: ["joining", "idle", "excluded", "completed", "failed"],
};

export function isLegalRunTransition(from: RunStatus, to: RunStatus): boolean {
  return RUN_TRANSITIONS[from].includes(to);
}

/** Staying is always legal. */
export function isLegalAgentTransition(from: AgentStatus, to: AgentStatus): boolean {
  return from === to || AGENT_TRANSITIONS[from].includes(to);
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
