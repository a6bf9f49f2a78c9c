/** Whether what ran is what had to: by the plan's dependencies, and from what became of the stages before. */
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import type { StageRun } from "../../src/run/state.ts";

/** What is wrong with a stage that has just been closed; `before`: the state until then. */
export function judgeClosed(plan: Plan, before: RunState, state: RunState, run: StageRun): readonly string[] {
  const stage = plan.stages[run.stage];
  if (stage === undefined) return [];
  return [...hardFailures(stage, run), ...judgeEntry(plan, before, state, run, stage)];
}

/** Who failed in a stage by an exit code that the plan takes for a warning. */
function hardFailures({ name, softFail = [] }: PlanStage, { results }: StageRun): readonly string[] {
  return [...itemsOf(results)].flatMap((result) => {
    const isSoft = result?.end?.kind === "exited" && softFail.includes(result.end.code);
    return isSoft && result.status === "failure" ? [`${result.agent} failed ${name} by a code of its soft_fail`] : [];
  });
}

function judgeEntry(plan: Plan, before: RunState, state: RunState, run: StageRun, stage: PlanStage): readonly string[] {
  const unmet = unmetOf(plan, state, stage);
  if (run.startAt !== null) {
    return unmet === null ? [] : [`${stage.name} was run although it needs ${unmet}, which is not there`];
  }
  if (plan.deadlineMs !== null && state.now >= state.createdAt + plan.deadlineMs) return [];
  if (state.selection.skip.includes(run.stage)) return [];
  if (unmet !== null || stage.when === "on_failure" || !isItsOwnTurn(state, run) || nobodyIsLeftFor(state, stage)) {
    return [];
  }
  // The run failed (a deadline, a loss) while it waited for a person.
  if (before.checkpoint?.stage === run.stage && state.failure !== null) return [];
  return [`${stage.name} was left out although nothing kept it from running: ${run.reason}`];
}

/** A run that is green although the work of a stage never ran. */
export function missingWork(plan: Plan, state: RunState): readonly string[] {
  if (state.status !== "succeeded") return [];
  return [...itemsOf(state.stages)].flatMap((run) => {
    const stage = plan.stages[run.stage];
    if (stage === undefined || run.startAt !== null || stage.optional || stage.when === "on_failure") return [];
    if (state.selection.skip.includes(run.stage)) return [];
    return [`it succeeded although the work of ${stage.name} never ran: ${run.reason}`];
  });
}

/** The first stage whose result is needed and not there; null: all are, as far as they have to be. */
function unmetOf(plan: Plan, state: RunState, stage: PlanStage): string | null {
  for (const { stage: name, evenIf } of stage.dependsOn) {
    const index = plan.stages.findIndex((other) => other.name === name);
    const needed = itemAt(state.stages, index);
    const became = needed?.startAt == null ? "skipped" : needed.worked === true ? "worked" : "failed";
    if (became !== "worked" && !evenIf.includes(became)) return name;
  }
  return null;
}

/** The run had not failed (or been cancelled) before it came to this stage. */
function isItsOwnTurn({ failure }: RunState, run: StageRun): boolean {
  return failure === null || (failure.stage !== null && failure.stage >= run.stage);
}

function nobodyIsLeftFor(state: RunState, { runsOn }: PlanStage): boolean {
  return !state.agents
    .flat()
    .some(
      ({ index, name, membership, presence }) =>
        membership === "member" &&
        (presence === "here" || presence === "silent") &&
        (runsOn.kind !== "agents" || runsOn.agents.includes(index) || runsOn.agents.includes(name)),
    );
}
