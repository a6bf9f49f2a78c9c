/** The group that a plan asks for: how many agents, which, and in which roles. */

import { PLAN_BOUNDS } from "./bounds.ts";
import { envOf } from "./parsing/env.ts";
import type { Keys, Place } from "./parsing/key-parser.ts";
import { quote } from "./parsing/problems.ts";
import type { PlanAgent } from "./plan.ts";
import type { agentShape } from "./schema.ts";

export interface Group {
  readonly agentCount: number | null;
  readonly agents: readonly PlanAgent[];
  readonly roles: Readonly<Record<string, number>>;
}

/** `place` is that of the plan's mapping. */
export function groupOf(
  agents: number | readonly Keys<typeof agentShape>[] | undefined,
  roles: Readonly<Record<string, number>> | undefined,
  place: Place,
): Group {
  const { source, problems, path } = place;
  const named = typeof agents === "object" ? agents : [];
  const ids = new Set<string>();
  const addresses = new Set<string>();
  const list = named.map((agent, index): PlanAgent => {
    const at = [...path, "agents", index];
    const id = agent.id ?? `agent-${index}`;
    if (ids.has(id)) {
      problems.error(source.at([...at, "id"]), `agents.${index}: the id ${quote(id)} is already another agent's`);
    }
    ids.add(id);
    const address = agent.address ?? null;
    if (address !== null) {
      const port = Number(address.slice(address.lastIndexOf(":") + 1));
      if (port < 1 || port > 65_535) {
        problems.error(
          source.at([...at, "address"]),
          `agents.${index}.address: expected a port from 1 to 65535, got ${port}`,
        );
      }
      if (addresses.has(address)) {
        problems.error(
          source.at([...at, "address"]),
          `agents.${index}: the address ${quote(address)} is already another agent's`,
        );
      }
      addresses.add(address);
    }
    return { id, address, env: envOf(agent.env, { ...place, path: [...at, "env"] }) };
  });
  const inRoles = Object.values(roles ?? {}).reduce((sum, count) => sum + count, 0);
  const said = typeof agents === "number" ? agents : agents === undefined ? null : list.length;
  if (roles !== undefined && said !== null && inRoles !== said) {
    problems.error(
      source.keyAt([...path, "roles"]),
      `roles: they are ${inRoles} agents together, but agents says ${said}`,
    );
  }
  if (inRoles > PLAN_BOUNDS.agents) {
    const message = `roles: they are ${inRoles} agents together, expected at most ${PLAN_BOUNDS.agents}`;
    problems.error(source.keyAt([...path, "roles"]), message);
  }
  return { agentCount: said ?? (inRoles > 0 ? inRoles : null), agents: list, roles: roles ?? {} };
}

/** Whether a stage's `runs_on` and `role` name agents that the group has. `place` is that of the stage. */
export function checkPlacement(
  stage: { readonly role?: string | undefined; readonly runs_on?: string | readonly (string | number)[] | undefined },
  group: Group,
  place: Place,
): void {
  const { source, problems, path } = place;
  const roles = Object.keys(group.roles);
  if (stage.role !== undefined && !roles.includes(stage.role)) {
    const known = roles.length === 0 ? 'expected "roles" in the plan' : `expected one of ${roles.join(", ")}`;
    problems.error(
      source.at([...path, "role"]),
      `role: unknown role ${quote(stage.role)}${problems.suggest(stage.role, roles)}, ${known}`,
    );
  }
  if (typeof stage.runs_on !== "object") {
    return;
  }
  if (stage.runs_on.length === 0) {
    problems.error(source.at([...path, "runs_on"]), "runs_on: expected at least one agent");
  }
  const ids = group.agents.map((agent) => agent.id);
  for (const [index, agent] of stage.runs_on.entries()) {
    const at = source.at([...path, "runs_on", index]);
    if (stage.runs_on.indexOf(agent) !== index) {
      problems.error(at, `runs_on: ${quote(agent)} stands here twice`);
    }
    if (typeof agent === "number" && group.agentCount !== null && agent >= group.agentCount) {
      problems.error(at, `runs_on: there is no agent ${agent}, expected 0 to ${group.agentCount - 1}`);
    }
    if (typeof agent === "string" && ids.length > 0 && !ids.includes(agent)) {
      problems.error(at, `runs_on: unknown agent ${quote(agent)}${problems.suggest(agent, ids)}`);
    }
  }
}
