/** What of a plan cannot come to pass in this job: told at its first second, not after every wait for it. */
import type { Plan } from "../../plan/plan.ts";
import { isSelected } from "../../plan/select.ts";
import type { Selection } from "../../run/types.ts";
import { groupSizeOf, isUrl } from "./coordinator-location.ts";
import type { Inputs } from "./inputs.ts";

/** A line for each reason. */
export function planProblems(plan: Plan, selection: Selection, inputs: Inputs): readonly string[] {
  return [
    ...checkpointProblems(plan, selection, inputs),
    ...baselineProblems(plan, selection, inputs),
    ...roleProblems(plan, inputs),
    ...indexProblems(plan, inputs),
    ...matrixProblems(plan, inputs),
    ...stateProblems(inputs),
  ];
}

/** The app asks people on GitHub. Without it a job has nobody to ask. */
function checkpointProblems(plan: Plan, selection: Selection, { coordinator }: Inputs): readonly string[] {
  if (isUrl(coordinator)) return [];
  return plan.stages
    .filter(({ checkpoint, index }) => checkpoint && isSelected(selection, index))
    .map(
      ({ name }) =>
        `plan: stage "${name}" waits for a person (checkpoint), who can be asked only where the app coordinates the group (coordinator: https://…); leave it out with skip-stages, or split the plan in two jobs and give the second an environment with required reviewers`,
    );
}

/** The app shows the group's result, and has nobody's files. */
function baselineProblems(plan: Plan, selection: Selection, { coordinator }: Inputs): readonly string[] {
  if (coordinator === "" || coordinator === "leader") return [];
  return plan.stages
    .filter(({ baselines = [], index }) => baselines.length > 0 && isSelected(selection, index))
    .map(
      ({ name }) => `plan: stage "${name}" has a baseline, which is not built yet where the app coordinates the group`,
    );
}

function roleProblems({ roles }: Plan, { role }: Inputs): readonly string[] {
  const known = Object.keys(roles);
  if (role === null || known.includes(role)) return [];
  return [
    known.length === 0
      ? `role: the plan has no roles, got ${JSON.stringify(role)}; leave it out, or add \`roles: {${role}: 1}\` to the plan`
      : `role: expected ${known.join(" or ")}, as the plan has them, got ${JSON.stringify(role)}`,
  ];
}

/** With roles, several jobs make the group, each with a matrix of its own that counts from 0. */
function indexProblems(plan: Plan, inputs: Inputs): readonly string[] {
  const size = groupSizeOf(plan, inputs);
  const { agentIndex, agentCount } = inputs;
  if (size === 1 || Object.keys(plan.roles).length > 0 || agentIndex < size) return [];
  const matrix = agentCount === null || agentCount === size ? "" : `, and the matrix has ${agentCount} jobs`;
  return [`agent-index: ${agentIndex} is beyond the group's ${size} agents (0 to ${size - 1})${matrix}`];
}

/** The app keeps the states of its runs; no agent has them. */
function stateProblems({ stateFile, coordinator }: Inputs): readonly string[] {
  if (stateFile === null || !isUrl(coordinator)) return [];
  return ["state-file: the app at coordinator keeps the run's state itself; leave it out"];
}

/** A matrix that runs fewer jobs at a time than the group has agents waits for ever. */
function matrixProblems(plan: Plan, inputs: Inputs): readonly string[] {
  const size = groupSizeOf(plan, inputs);
  const { maxParallel, agentCount } = inputs;
  if (size === 1 || maxParallel === null || maxParallel >= Math.min(size, agentCount ?? size)) return [];
  return [
    `max-parallel: the matrix runs ${maxParallel} jobs at a time, the group has ${size} agents and can never be complete; write \`max-parallel: ${size}\` under strategy, or leave it out`,
  ];
}
