/** What a run may be, and what those who join it must agree to. */
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import type { RunState } from "../../run/machine.ts";
import type { RunSpec } from "../../run/types.ts";
import { Refusal } from "../protocol/refusal.ts";

/** @throws Refusal of a run that cannot be begun, whoever asks for it */
export function checkNewRun({ key, plan, agentCount }: RunSpec): void {
  if (key.plan !== plan.name) {
    throw new Refusal("invalid", `the run's key names plan ${key.plan}, the plan calls itself ${plan.name}`);
  }
  if (agentCount > PLAN_BOUNDS.agents) {
    throw new Refusal(
      "over_limit",
      `a run takes at most ${PLAN_BOUNDS.agents} agents, this one asks for ${agentCount}`,
    );
  }
  if (plan.agentCount !== null && plan.agentCount !== agentCount) {
    throw new Refusal("invalid", `the plan is for ${plan.agentCount} agents, the request for ${agentCount}`);
  }
}

/**
 * Where attempts are kept, whoever comes first decides for the group whether it goes on: the others must want the same.
 * @throws Refusal `different_plan`
 */
export function checkResume(
  { carried }: Pick<RunState, "carried">,
  { key, resume = false }: RunSpec & { readonly resume?: boolean | undefined },
): void {
  const { resumed, anew } = carried;
  const goesOn = resumed !== undefined || anew !== undefined;
  if (key.attempt === 1 || resume === goesOn) return;
  const [own, others] = [`resume: ${resume}`, `resume: ${goesOn}`];
  throw new Refusal(
    "different_plan",
    `this agent says ${own}, the others of this run ${others}: all must say one of them`,
  );
}
