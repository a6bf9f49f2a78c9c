/** Whether agents go from status to status in a way that somebody who watches them can follow. */
import { agentStatus } from "../../src/run/agent-status.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import type { AgentStatus } from "../../src/run/types.ts";

const WORKING = ["validating", "preparing", "running"] as const;

/** What may follow, at the next look. */
export const AGENT_TRANSITIONS: Readonly<Record<AgentStatus, readonly AgentStatus[]>> = {
  joining: ["idle", "aborting", "failed", "lost"],
  idle: [...WORKING, "at_barrier", "completed", "failed", "aborting", "excluded", "lost"],
  validating: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  preparing: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  running: ["at_barrier", "idle", "completed", "failed", "aborting", "excluded", "lost"],
  // A retry, or the next stage of several without a barrier between them, goes back to work from here.
  at_barrier: ["idle", ...WORKING, "completed", "failed", "aborting", "excluded", "lost"],
  completed: [],
  failed: [],
  aborting: ["idle", "at_barrier", "completed", "failed", "excluded", "lost"],
  excluded: ["completed", "failed"],
  // It comes back: to the assembly, or to the stage of the group, which it may never have left.
  lost: ["joining", "idle", ...WORKING, "aborting", "at_barrier", "excluded", "completed", "failed"],
};

export function judgeStatuses(before: RunState, after: RunState): readonly string[] {
  const isSameGroup = before.steps === after.steps && before.stopping === after.stopping;
  return [...itemsOf(after.agents)].flatMap((agent, slot) => {
    const old = itemAt(before.agents, slot);
    // With the assembly positions change: what was seen until then is over.
    if (old === undefined || old.name !== agent.name || (isSameGroup && old === agent)) return [];
    const [from, to] = [agentStatus(before, old), agentStatus(after, agent)];
    // A run that goes on from another may have nothing left to do.
    if (from === "joining" && to === "completed" && after.carried.resumed !== undefined) return [];
    return from === to || AGENT_TRANSITIONS[from].includes(to) ? [] : [`${agent.name} went from ${from} to ${to}`];
  });
}
