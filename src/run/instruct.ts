/** What an agent is to do now: read from the state, never kept. Asking twice gives the same answer. */

import { isBoundByDeadline, untilAnswered } from "./deadlines.ts";
import { missingAgents } from "./group/assembly.ts";
import type { Awaited, Instruction, Lease } from "./instruction.ts";
import { chunkRange, itemAt, itemsOf, lookUp } from "./persistent-array.ts";
import { type MergeHistograms, summary } from "./result/summary.ts";
import { rule } from "./stage/barriers.ts";
import { type AgentState, type Assignment, isAssigned, type RunState, type StageRun } from "./state.ts";
import { isOver } from "./transitions.ts";

const ENDING = "every stage is over: what runs in the background is ended";
/** How many of those waited for are named. */
const NAMED = 16;
/** In groups of more than so many who is missing is not looked for until few are. */
const SMALL_GROUP = 100;
/** A pause before the next attempt that is longer than this is a wait; a shorter one is the attempt's own start. */
const SHORT_PAUSE_MS = 5_000;

/**
 * The instruction for the agent of this name. For somebody who is not of this group: `abort`, which says so, until it is over.
 * `merge`: see `summary`.
 */
export function instructionFor(state: RunState, agent: string, merge?: MergeHistograms): Instruction {
  const slot = lookUp(state.names, agent);
  const known = slot === undefined ? undefined : itemAt(state.agents, slot);
  if (isOver(state.status)) return { do: "finish", summary: summary(state, merge) };
  if (slot === undefined || known === undefined) return { do: "abort", why: `${agent} is not in this group` };
  if (known.membership === "excluded") return { do: "exclude", why: known.why ?? "" };
  if (state.status === "assembling") return waitForAssembly(state);
  if (state.stopping !== null) return { do: "abort", why: state.failure?.reason ?? ENDING };
  const { assignment } = known;
  if (assignment?.dismissed != null) return { do: "stop", stage: assignment.stage, why: assignment.dismissed.why };
  if (state.checkpoint !== null) {
    const { stage, since } = state.checkpoint;
    return { do: "wait", reason: "checkpoint", stage, who: [], since, until: untilAnswered(state) };
  }
  const { segment } = state;
  // Only while an event is being applied: nobody sees it.
  if (segment === null) return { do: "abort", why: "the run is between two stages" };
  const restarting = known.backgrounds.find(({ ready }) => !ready);
  if (restarting !== undefined) {
    const { stage, attempt, attempts, startAt } = restarting;
    const { timeoutMs = 0 } = state.plan.stages[stage] ?? {};
    const until = endOfPart(state, stage, startAt + timeoutMs);
    const rest = { until, partition: null, leases: [], tasksOnly: false };
    return { do: "execute", stage, attempt, attemptNumber: attempts, startAt, ...rest };
  }
  const isInSegment =
    known.membership === "member" &&
    assignment !== null &&
    assignment.stage >= segment.first &&
    assignment.stage <= segment.last &&
    assignment.round === itemAt(state.stages, assignment.stage)?.round;
  const stage = isInSegment ? assignment.stage : segment.last;
  const run = itemAt(state.stages, stage);
  if (run === undefined) throw new RangeError(`the plan has no stage ${stage}`);
  if (!isInSegment) return waitForOthers(state, stage, run, isBackground(state, stage) ? "ready" : "not_my_stage");
  if (assignment.finished) return waitForOthers(state, stage, run, isBackground(state, stage) ? "ready" : "barrier");
  return work(state, stage, run, assignment, slot);
}

function work(state: RunState, stage: number, run: StageRun, assignment: Assignment, slot: number): Instruction {
  if (run.stopping !== null) return { do: "stop", stage, why: run.stopping.why };
  const pause = Math.max(SHORT_PAUSE_MS, 2 * state.plan.liveness.heartbeatIntervalMs);
  const isAgain = assignment.lastFailure !== null || run.because !== undefined;
  if (isAgain && assignment.startAt - state.now > pause) {
    const who = awaited(state, slot);
    return { do: "wait", reason: "retry", stage, who, since: state.now, until: assignment.startAt };
  }
  const tasksOnly = run.pool !== null && run.pool.generator !== slot;
  if (tasksOnly && assignment.leases.length === 0 && assignment.wants > 0) {
    return waitForOthers(state, stage, run, "tasks");
  }
  return {
    do: "execute",
    stage,
    attempt: assignment.attempt,
    attemptNumber: assignment.attempts,
    startAt: assignment.startAt,
    until: endOfPart(state, stage, assignment.timeoutAt),
    partition: assignment.partition,
    leases: leasesOf(run, assignment),
    tasksOnly,
    ...(run.because === undefined ? {} : { because: run.because }),
  };
}

/** The nearer of an agent's timeout for a stage and the plan's deadline, where that one counts. */
function endOfPart(
  state: RunState,
  stage: number,
  timeoutAt: number,
): Extract<Instruction, { do: "execute" }>["until"] {
  const { deadlineAt } = state;
  const isBound = deadlineAt !== null && deadlineAt < timeoutAt && isBoundByDeadline(state, stage);
  return isBound ? { at: deadlineAt, limit: "deadline" } : { at: timeoutAt, limit: "timeout" };
}

function leasesOf({ pool }: StageRun, assignment: Assignment): readonly Lease[] {
  return assignment.leases.flatMap((number) => {
    const record = pool === null ? undefined : itemAt(pool.records, number);
    if (record === undefined || record.attempt === null) return [];
    return [{ task: record.key, value: record.value, attempt: record.attempt }];
  });
}

function isBackground(state: RunState, stage: number): boolean {
  return state.plan.stages[stage]?.background != null;
}

function waitForAssembly(state: RunState): Instruction {
  const { agentCount, living, createdAt, assemblyUntil } = state;
  // Who is missing is worth a look at everyone only where it can be told in a few names.
  const few = agentCount - living <= NAMED || agentCount <= SMALL_GROUP;
  const missing = few ? missingOf(state) : [];
  const who = missing.slice(0, NAMED).map((agent) => ({ agent, lastSeenAt: null, lastDoing: "has not joined" }));
  return {
    do: "wait",
    reason: "assembly",
    stage: null,
    who,
    since: createdAt,
    until: assemblyUntil,
    ...more(few ? missing.length : agentCount - living, who.length),
  };
}

const missingByState = new WeakMap<RunState, readonly string[]>();

function missingOf(state: RunState): readonly string[] {
  const known = missingByState.get(state);
  if (known !== undefined) return known;
  const missing = missingAgents(state.plan, state.agentCount, [...itemsOf(state.agents)]);
  missingByState.set(state, missing);
  return missing;
}

function waitForOthers(
  state: RunState,
  stage: number,
  run: StageRun,
  reason: "barrier" | "not_my_stage" | "ready" | "tasks",
): Instruction {
  const who = pendingAgents(state, run, NAMED);
  const since = run.firstArrivalAt ?? run.openedAt ?? state.now;
  return {
    do: "wait",
    reason,
    stage,
    who,
    since,
    until: endOfWait(state, stage, run),
    ...more(run.pending, who.length),
  };
}

function more(all: number, named: number): { readonly more?: number } {
  return all > named ? { more: all - named } : {};
}

/** When the barrier's wait is over at the latest. */
export function endOfWait(state: RunState, stage: number, run: StageRun): number {
  const planned = state.plan.stages[stage];
  const limit = run.stopping?.until ?? latestLimit(state, run);
  const attempts = isBoundByDeadline(state, stage) ? Math.min(limit, state.deadlineAt ?? limit) : limit;
  if (planned === undefined) return attempts;
  const ruling = rule(planned.barrier, run, state.now, run.cleanupMode);
  return ruling.kind === "wait" && ruling.until !== null ? Math.min(ruling.until, attempts) : attempts;
}

/** When the last attempt that runs now is over by its own limit: in the stages before, too, that lead here. */
function latestLimit({ segment, stages, now }: RunState, run: StageRun): number {
  let latest = 0;
  for (let stage = segment?.first ?? run.stage; stage <= run.stage; stage++) {
    latest = Math.max(latest, itemAt(stages, stage)?.overdueAt ?? 0);
  }
  return latest === 0 ? now : latest;
}

/** The first few whose outcome of a stage is to come. Costs a look at the chunks, not at all agents. */
export function pendingAgents(state: RunState, run: StageRun, most: number): readonly Awaited[] {
  const who: Awaited[] = [];
  for (const [chunk, pending] of run.pendingByChunk.entries()) {
    if (pending === 0) continue;
    const { from, to } = chunkRange(chunk);
    for (let slot = from; slot < to; slot++) {
      const agent = itemAt(state.agents, slot);
      if (agent === undefined) break;
      if (!isPendingIn(run, agent, slot)) continue;
      if (who.length === most) return who;
      who.push(toAwaited(agent));
    }
  }
  return who;
}

function isPendingIn(run: StageRun, { assignment }: AgentState, slot: number): boolean {
  if (isAssigned(assignment, run)) return !assignment.finished;
  return itemAt(run.results, slot)?.status === "skipped";
}

function awaited(state: RunState, slot: number): readonly Awaited[] {
  const agent = itemAt(state.agents, slot);
  return agent === undefined ? [] : [toAwaited(agent)];
}

function toAwaited({ name, lastSeenAt, doing }: AgentState): Awaited {
  return { agent: name, lastSeenAt, lastDoing: doing };
}
