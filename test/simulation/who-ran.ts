/** Whether only those run a stage that it is for: in the group, and in the cleanup of an agent that was left out. */
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";

interface Who {
  readonly name: string;
  readonly index: number;
}

/** An agent of the group is told to execute this stage. */
export function judgeWorker(stage: PlanStage, agent: Who): readonly string[] {
  return isNamed(stage, agent) ? [] : [`${agent.name} is to execute ${stage.name}, which is not for it`];
}

/** An agent that was excluded cleans up on its own, while the others go on. */
export function judgeOwnCleanup(
  plan: Plan,
  state: RunState,
  name: string,
  stages: readonly PlanStage[],
): readonly string[] {
  const roster = state.roster?.agents ?? [];
  const agent = roster.find((each) => each.name === name);
  if (agent === undefined) return [`${name} cleans up after a group that it was not in`];
  const wanted = plan.stages.filter(
    (stage) =>
      stage.when !== "on_success" &&
      stage.background === null &&
      !state.selection.skip.includes(stage.index) &&
      isNamed(stage, agent) &&
      (stage.runsOn.kind !== "first" || roster.length === 1),
  );
  const others = stages.filter((stage) => !wanted.includes(stage));
  const left = wanted.filter((stage) => !stages.includes(stage));
  return [
    ...others.map((stage) => `${name} was left out and cleans up with ${stage.name}, which is not its own`),
    ...left.map((stage) => `${name} was left out and leaves its own ${stage.name} undone`),
  ];
}

function isNamed({ runsOn }: PlanStage, { name, index }: Who): boolean {
  return runsOn.kind !== "agents" || runsOn.agents.includes(index) || runsOn.agents.includes(name);
}
