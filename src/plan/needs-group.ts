/** What of a plan only a group of agents can carry out, so that a home without one can refuse it before it starts. */

import type { Position } from "./parsing/problems.ts";
import type { Plan } from "./plan.ts";

export interface GroupNeed {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

/** `keys`: where the plan's own keys stand, as `readPlan` returns them. Empty: one agent alone can run the plan. */
export function needsGroup(plan: Plan, keys: Readonly<Record<string, Position>> = {}): readonly GroupNeed[] {
  const needs: GroupNeed[] = [];
  const at = (key: string): Position => keys[key] ?? { line: 1, column: 1 };
  if (plan.agentCount !== null && plan.agentCount > 1) {
    needs.push({ reason: `the plan is for ${plan.agentCount} agents`, ...at("agents" in keys ? "agents" : "roles") });
  }
  if (Object.keys(plan.roles).length > 0) {
    needs.push({ reason: `the plan has roles (${Object.keys(plan.roles).join(", ")})`, ...at("roles") });
  }
  for (const { name, line, column, runsOn, tasks, background, role } of plan.stages) {
    if (role !== null) {
      needs.push({ reason: `stage "${name}" is for the role ${role}`, line, column });
    }
    if (runsOn.kind === "agents") {
      needs.push({ reason: `stage "${name}" names the agents that run it`, line, column });
    }
    if (tasks !== null) {
      needs.push({ reason: `stage "${name}" shares out tasks`, line, column });
    }
    if (background !== null) {
      needs.push({ reason: `stage "${name}" keeps a command running in the background`, line, column });
    }
  }
  return needs;
}
