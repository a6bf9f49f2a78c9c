/** Whether what ran is what had to: by the plan's dependencies, and from what became of the stages before. */
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import type { Carried } from "../../src/run/resume/carried.ts";
import type { StageRun } from "../../src/run/state.ts";
import { isLeftAsDone, isTaken } from "./resumed.ts";

/** When stages whose result was there lost it again: an optional background command that died. */
export type LostResults = ReadonlyMap<number, number>;

export function noteLostResults(before: RunState, after: RunState, lost: Map<number, number>): void {
  for (const run of itemsOf(after.stages)) {
    const old = itemAt(before.stages, run.stage);
    if (old?.worked === true && run.worked !== true && old.round === run.round) lost.set(run.stage, after.now);
  }
}

/** A run that ended by what its plan says it can do without. */
export function judgeFailure(plan: Plan, { failure }: RunState): readonly string[] {
  const stage = failure?.stage == null ? undefined : plan.stages[failure.stage];
  const isOptional = stage?.background != null && stage.optional;
  return isOptional && failure?.reason.startsWith("background stage") === true
    ? [`the run failed by ${stage.name}, which is optional: ${failure.reason}`]
    : [];
}

/** What is wrong with a stage that has just been closed; `before`: the state until then. */
export function judgeClosed(
  plan: Plan,
  before: RunState,
  state: RunState,
  run: StageRun,
  lost: LostResults,
  carried: Carried | null,
): readonly string[] {
  const stage = plan.stages[run.stage];
  if (stage === undefined) return [];
  return [...hardFailures(stage, run), ...unborne(stage, run), ...judgeEntry(plan, before, state, run, lost, carried)];
}

/** A stage that came through with more failures of its tasks than it bears. */
function unborne({ name, thresholds, quorum }: PlanStage, { pool, worked }: StageRun): readonly string[] {
  const most = thresholds?.maxErrors;
  if (most == null || pool === null || quorum !== undefined || worked !== true) return [];
  const failures = [...itemsOf(pool.records)].reduce((sum, record) => sum + record.failures, 0);
  return failures > most ? [`${name} came through with ${failures} failures, and bears ${most}`] : [];
}

/** Who failed in a stage by an exit code that the plan takes for a warning. */
function hardFailures({ name, softFail = [] }: PlanStage, { results }: StageRun): readonly string[] {
  return [...itemsOf(results)].flatMap((result) => {
    const isSoft = result?.end?.kind === "exited" && softFail.includes(result.end.code);
    return isSoft && result.status === "failure" ? [`${result.agent} failed ${name} by a code of its soft_fail`] : [];
  });
}

function judgeEntry(
  plan: Plan,
  before: RunState,
  state: RunState,
  run: StageRun,
  lost: LostResults,
  carried: Carried | null,
): readonly string[] {
  const stage = plan.stages[run.stage];
  if (stage === undefined) return [];
  const unmet = unmetOf(plan, state, stage, carried);
  if (run.startAt !== null) {
    const index = plan.stages.findIndex(({ name }) => name === unmet);
    // It was there when this one began.
    if ((lost.get(index) ?? Number.NEGATIVE_INFINITY) >= (run.openedAt ?? state.now)) return [];
    return unmet === null ? [] : [`${stage.name} was run although it needs ${unmet}, which is not there`];
  }
  // Whether it may be is looked at in the end.
  if (isLeftAsDone(state, run.stage)) return [];
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
    if (state.selection.skip.includes(run.stage) || isLeftAsDone(state, run.stage)) return [];
    return [`it succeeded although the work of ${stage.name} never ran: ${run.reason}`];
  });
}

/** A run that is green although its trials are not one result. */
export function unstable(plan: Plan, { stages, status }: RunState): readonly string[] {
  if (status !== "succeeded") return [];
  return plan.stages.flatMap(({ name, index, trial, optional }) => {
    if (trial?.maxSpread == null || trial.number < trial.count || optional) return [];
    const runs = plan.stages
      .filter((other) => other.trial?.of === trial.of)
      .flatMap((other) => itemAt(stages, other.index) ?? [])
      .filter(({ startAt }) => startAt !== null);
    if (itemAt(stages, index)?.startAt == null || runs.length < 2) return [];
    const values = runs.map(({ metrics }) => metrics.find((one) => one.name === "ops")?.value);
    const told = values.filter((value) => value !== undefined);
    // Nobody measured anything in any of them.
    if (told.length === 0) return [];
    const isMissing = told.length < values.length;
    const sorted = told.sort((a, b) => a - b);
    const half = sorted.length / 2;
    const median = ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
    const isWide = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0) > trial.maxSpread * median + 1e-9;
    return isMissing || isWide
      ? [`it succeeded although the trials of ${name} are not stable: ${values.join(", ")}`]
      : [];
  });
}

/** The first stage whose result is needed and not there; null: all are, as far as they have to be. */
function unmetOf(plan: Plan, state: RunState, stage: PlanStage, carried: Carried | null): string | null {
  for (const { stage: name, evenIf } of stage.dependsOn) {
    const index = plan.stages.findIndex((other) => other.name === name);
    const needed = itemAt(state.stages, index);
    if (isTaken(state, carried, index, name)) continue;
    const isDone = isLeftAsDone(state, index);
    const became = needed?.startAt == null && !isDone ? "skipped" : needed?.worked === true ? "worked" : "failed";
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
