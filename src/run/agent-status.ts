/** What an agent is doing, in one word: read from what is known of it and of its run, never kept. */
import type { PlanStage } from "../plan/plan.ts";
import { itemAt } from "./persistent-array.ts";
import { type AgentState, isAssigned, type RunState } from "./state.ts";
import { isOver, isThere } from "./transitions.ts";
import type { AgentStatus } from "./types.ts";

export function agentStatus(state: RunState, agent: AgentState): AgentStatus {
  if (isOver(state.status)) return state.status === "succeeded" ? "completed" : "failed";
  if (agent.membership === "excluded") return "excluded";
  if (!isThere(agent)) return "lost";
  if (state.status === "assembling") return "joining";
  const { assignment } = agent;
  const isDone = assignment === null || assignment.finished;
  if (state.stopping !== null) return isDone ? "at_barrier" : "aborting";
  if (agent.membership === "away" || assignment === null || !isOpen(state, assignment.stage)) return "idle";
  const run = itemAt(state.stages, assignment.stage);
  if (run === undefined || !isAssigned(assignment, run)) return "idle";
  if (isDone) return "at_barrier";
  const planned = state.plan.stages[assignment.stage];
  return assignment.seenRunning && planned !== undefined ? workingStatus(planned) : "idle";
}

/** That of an agent at work in this stage. */
export function workingStatus({ type }: Pick<PlanStage, "type">): "validating" | "preparing" | "running" {
  switch (type) {
    case "validation":
      return "validating";
    case "prepare":
      return "preparing";
    case "execute":
    case "custom":
    case "cleanup":
    case "hybrid":
    case "quorum":
      return "running";
    default:
      return type satisfies never;
  }
}

function isOpen({ segment }: RunState, stage: number): boolean {
  return segment !== null && stage >= segment.first && stage <= segment.last;
}
