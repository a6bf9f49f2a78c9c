/** Who runs a stage: one rule for the machine, for an agent's own cleanup and for the action's post step. */
import type { Plan, PlanStage } from "../../plan/plan.ts";
import type { Selection } from "../types.ts";

export interface Member {
  readonly name: string;
  readonly index: number;
  readonly role: string | null;
}

/**
 * Those of `members` that run a stage. With `runs_on: first` it is the first of them in their given order, so whoever
 * asks says who is there, and who comes before whom. Nobody, when the stage was named to be skipped.
 */
export function participants<M extends Member>(
  plan: Plan,
  selection: Pick<Selection, "skip">,
  stage: PlanStage,
  members: readonly M[],
): readonly M[] {
  if (selection.skip.includes(stage.index)) return [];
  const wanted = members.filter((member) => isFor(plan, stage, member));
  return stage.runsOn.kind === "first" ? wanted.slice(0, 1) : wanted;
}

/** Whether a stage is for this agent, as far as that does not depend on who else is there. */
export function isFor(plan: Plan, { role, runsOn }: PlanStage, agent: Member): boolean {
  if (role !== null && role !== agent.role) return false;
  if (runsOn.kind !== "agents") return true;
  const id = plan.agents[agent.index]?.id;
  return runsOn.agents.some((named) => named === agent.index || named === agent.name || named === id);
}

/** The stages that run whatever happened before: those with `when: always` or `on_failure`. */
export function cleanupStages(plan: Plan): readonly PlanStage[] {
  return plan.stages.filter((stage) => stage.when !== "on_success" && stage.background === null);
}

/**
 * The cleanup stages of one agent on its own. `group`: everyone who was there, itself included.
 *
 * `leftOut`: the group may go on without it. Then what the first agent does for all is not its own, even if it was the
 * first: others may be at work on what it would remove.
 */
export function ownCleanup<M extends Member>(
  plan: Plan,
  selection: Pick<Selection, "skip">,
  { agent, group, leftOut }: { readonly agent: string; readonly group: readonly M[]; readonly leftOut: boolean },
): readonly PlanStage[] {
  const ordered = group.toSorted((a, b) => a.index - b.index);
  const isItself = ({ name }: M): boolean => name === agent;
  const members = leftOut ? [...ordered.filter((member) => !isItself(member)), ...ordered.filter(isItself)] : ordered;
  return cleanupStages(plan).filter((stage) => participants(plan, selection, stage, members).some(isItself));
}
