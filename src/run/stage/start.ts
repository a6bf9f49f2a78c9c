/** Which stage comes next, why a stage is not run, and who runs it. */
import type { Acceptable, Dependency, PlanStage } from "../../plan/plan.ts";
import { isSelected } from "../../plan/select.ts";
import { completionRules } from "../../plan/stages/completion-rules.ts";
import { contextOf } from "../context/shown.ts";
import { deadlineOf, deadlineOver, isBoundByDeadline } from "../deadlines.ts";
import { type Draft, isLiving } from "../draft.ts";
import { isFailing } from "../group/abort.ts";
import { persistentArray } from "../persistent-array.ts";
import { whyReused, whyUnselected } from "../resume/resumption.ts";
import { isAssigned, type StageRun } from "../state.ts";
import { type Generated, generatedTasks } from "../tasks/generated.ts";
import { poolOf } from "../tasks/pool.ts";
import { beginAssignment } from "./assignments.ts";
import { noteEnding } from "./background.ts";
import { isFor, type Member, participants } from "./participants.ts";
import { unreached } from "./record-result.ts";

export type Decision =
  | { readonly kind: "skip"; readonly reason: string }
  /** It would have been run, but what it needs is not there: a run must not be green although its work did not happen. */
  | { readonly kind: "unmet"; readonly reason: string }
  /** The plan's deadline is over. */
  | { readonly kind: "late"; readonly reason: string }
  | { readonly kind: "checkpoint" }
  | { readonly kind: "nobody"; readonly reason: string }
  | { readonly kind: "enter" };

/** Decides on the stage that comes next. */
export function decide(draft: Draft, index: number): Decision {
  const planned = draft.planned(index);
  const { failure, selection, approved } = draft.head;
  const reused = failure === null || planned.when === "on_success" ? whyReused(draft, index) : null;
  if (reused !== null) return { kind: "skip", reason: reused };
  if (failure === null) {
    if (!isSelected(selection, index)) return { kind: "skip", reason: whyUnselected(draft, index) };
    if (planned.when === "on_failure") return { kind: "skip", reason: "runs only after a failure" };
  } else {
    const { stage, kind } = failure;
    const what = kind === "cancelled" ? "was cancelled" : "has failed";
    const where = stage === null ? "" : ` at ${draft.planned(stage).name}`;
    if (planned.when === "on_success") return { kind: "skip", reason: `the run ${what}${where}` };
    if (selection.skip.includes(index)) return { kind: "skip", reason: "not among the selected stages" };
  }
  for (const needed of planned.dependsOn) {
    const missing = missingResult(draft, needed);
    if (missing === null) continue;
    const reason = `needs the result of ${needed.stage}, which ${missing.why}`;
    if (planned.optional || failure !== null) return { kind: "skip", reason };
    const accepted = `depends_on: [{ stage: ${needed.stage}, even_if: [${missing.what}] }]`;
    return { kind: "unmet", reason: `${reason} (where the stage can do without: ${accepted})` };
  }
  const { missing } = contextOf(draft.head, index);
  if (missing.length > 0) {
    const reason = `needs the context ${missing.join(", ")}, which is not there or does not fit into its context_limit`;
    return planned.optional || failure !== null ? { kind: "skip", reason } : { kind: "unmet", reason };
  }
  const generated = generatedTasks(draft, index);
  if (generated !== null && "problem" in generated) {
    const reason = `the tasks that it is to have cannot be taken: ${generated.problem}`;
    return planned.optional || failure !== null ? { kind: "skip", reason } : { kind: "unmet", reason };
  }
  const { deadlineAt } = draft.head;
  if (deadlineAt !== null && draft.now >= deadlineAt && isBoundByDeadline(draft.head, index)) {
    return { kind: "late", reason: deadlineOver(draft) };
  }
  const isAsked = planned.checkpoint || draft.head.attended === true;
  if (isAsked && failure === null && !approved.includes(index)) return { kind: "checkpoint" };
  if (workersOf(draft, planned).length === 0) {
    const reason = draft.head.living === 0 ? "no agent is left" : `none of the agents that it is for is left`;
    return { kind: "nobody", reason };
  }
  return { kind: "enter" };
}

/** Why a result is not there, or not as it is needed; null: it is. */
function missingResult(
  draft: Draft,
  { stage: name, evenIf }: Dependency,
): { readonly what: Acceptable; readonly why: string } | null {
  const index = draft.plan.stages.findIndex((stage) => stage.name === name);
  if (index < 0) return { what: "skipped", why: "is not in the plan" };
  const run = draft.stage(index);
  // What it came to now counts, where it was run (again).
  if (run.worked === true || (run.startAt === null && draft.head.carried.succeeded.includes(name))) return null;
  const what = run.startAt === null && whyReused(draft, index) === null ? "skipped" : "failed";
  if (evenIf.includes(what)) return null;
  return { what, why: what === "skipped" ? "was skipped" : "did not succeed" };
}

/** Writes down that a stage is not run. */
export function skip(draft: Draft, index: number, reason: string): void {
  const { now } = draft;
  const closed = { phase: "closed", status: "skipped", worked: false, reason, closedAt: now } as const;
  draft.editStage(index, closed);
  draft.head.steps++;
}

/** Positions of the members that run a stage now, in the order of their indexes. */
export function workersOf(draft: Draft, planned: PlanStage): readonly number[] {
  const members: (Member & { readonly slot: number })[] = [];
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const agent = draft.agent(slot);
    if (isLiving(agent)) members.push({ slot, name: agent.name, index: agent.index, role: agent.role });
  }
  return participants(draft.plan, draft.head.selection, planned, members).map(({ slot }) => slot);
}

function electorateOf(draft: Draft, planned: PlanStage): number {
  return participants(draft.plan, draft.head.selection, planned, [...draft.agents]).length;
}

/** Whether one agent that comes (back) now may take part in a stage that is open already. */
export function mayEnterLate(draft: Draft, index: number, slot: number): boolean {
  const planned = draft.planned(index);
  const run = draft.stage(index);
  if (run.phase !== "open" || run.stopping !== null || planned.runsOn.kind === "first") return false;
  // Its objects are shared out already: nothing is left for it, or its old share was given to nobody else.
  if (planned.expectedObjects !== null && draft.plan.pathSelection !== "random") return false;
  if (run.endsAt !== null && draft.now >= run.endsAt) return false;
  const { assignment } = draft.agent(slot);
  if (isAssigned(assignment, run) && draft.now >= assignment.timeoutAt) return false;
  const result = draft.results(index).at(slot) ?? null;
  return isFor(draft.plan, planned, draft.agent(slot)) && (result === null || result.status === "lost");
}

/**
 * Opens the stage that comes next for everyone, and those after it up to the next barrier that somebody waits at.
 * All start at one time.
 */
export function enter(draft: Draft, first: number): void {
  const { head, now } = draft;
  const last = lastOfSegment(draft, first);
  head.segment = { first, last };
  head.steps++;
  head.position = last + 1;
  const startAt = Math.max(now + leadOf(draft), isFailing(draft) ? 0 : (head.resumeAt ?? 0));
  const begun = new Set<number>();
  for (let index = first; index <= last; index++) {
    if (draft.stage(index).phase === "closed") continue;
    const workers = workersOf(draft, draft.planned(index));
    open(draft, index, workers, startAt, index === first);
    for (const [rank, slot] of workers.entries()) {
      draft.countPending(index, slot, 1);
      if (begun.has(slot)) draft.setResult(index, slot, unreached(draft.agent(slot)));
      else {
        begun.add(slot);
        beginAssignment(draft, slot, index, startAt, partitionOf(draft, index, rank, workers.length));
      }
    }
  }
  for (let slot = 0; slot < draft.agents.size; slot++) {
    noteEnding(draft, slot);
    draft.wake(deadlineOf(draft, slot));
  }
}

/** `together`: everyone starts it at `startAt`; in a later stage of a segment each agent has its own time. */
function open(draft: Draft, index: number, workers: readonly number[], startAt: number, together: boolean): void {
  const planned = draft.planned(index);
  const { leftOut } = contextOf(draft.head, index);
  if (leftOut.length > 0) {
    const what = leftOut.slice(0, 10).join(", ") + (leftOut.length > 10 ? ` and ${leftOut.length - 10} more` : "");
    draft.notice(`${planned.name}: its context is over its limit of ${planned.contextLimit} bytes: ${what} left out`);
  }
  const { endsAfter } = completionRules(planned.completion);
  const length = endsAfter === null ? null : planned[endsAfter];
  draft.editStage(index, {
    phase: "open",
    openedAt: draft.now,
    startAt,
    cleanupMode: isFailing(draft),
    electorate: electorateOf(draft, planned),
    workers: workers.length,
    endsAt: together && length !== null && planned.background === null ? startAt + length : null,
    results: persistentArray(Array.from({ length: draft.agents.size }, () => null)),
    pool: planned.tasks === null ? null : poolOf(planned.tasks, workers[0] ?? null, generatedOf(draft, index)),
  });
}

/** What could not be taken has kept the stage from being entered. */
function generatedOf(draft: Draft, index: number): Generated | null {
  const generated = generatedTasks(draft, index);
  return generated === null || "problem" in generated ? null : generated;
}

/** Shares of `expected_objects`: equal ones in the order of the indexes, or everything for each (`random`). */
function partitionOf(
  draft: Draft,
  index: number,
  rank: number,
  workers: number,
): { readonly start: number; readonly end: number } | null {
  const { expectedObjects } = draft.planned(index);
  if (expectedObjects === null) return null;
  if (draft.plan.pathSelection === "random") return { start: 0, end: expectedObjects };
  return {
    start: Math.floor((expectedObjects * rank) / workers),
    end: Math.floor((expectedObjects * (rank + 1)) / workers),
  };
}

/** Everyone hears of a start before it comes: at most a second, and nothing for an agent alone. */
function leadOf(draft: Draft): number {
  const { living } = draft.head;
  return living <= 1 ? 0 : Math.min(1_000, 100 + Math.ceil(living / 10));
}

/** Who was away and has come back takes part again: before the next stage is decided on, which may be for them alone. */
export function bringBack(draft: Draft): void {
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { membership, presence, assignment } = draft.agent(slot);
    if (membership !== "away" || assignment?.dismissed != null) continue;
    if (presence === "here" || presence === "silent") draft.editAgent(slot, { membership: "member", why: null });
  }
}

/** Without a barrier after it, a stage runs on into the next one that can be entered without the group's result. */
function lastOfSegment(draft: Draft, first: number): number {
  let last = first;
  if (isFailing(draft)) return last;
  const names = new Set<string>();
  for (;;) {
    const planned = draft.planned(last);
    names.add(planned.name);
    if (planned.barrier.rule.kind !== "none" || judgedTogether(planned)) return last;
    let next = last + 1;
    let decision = next < draft.plan.stages.length ? decide(draft, next) : null;
    const skipped: [number, string][] = [];
    while (decision?.kind === "skip" && !needsOneOf(draft.planned(next), names)) {
      skipped.push([next, decision.reason]);
      next++;
      decision = next < draft.plan.stages.length ? decide(draft, next) : null;
    }
    if (decision?.kind !== "enter" || needsOneOf(draft.planned(next), names)) return last;
    // What the group shares out is begun together.
    if (isShared(draft.planned(next))) return last;
    for (const [index, reason] of skipped) skip(draft, index, reason);
    last = next;
  }
}

function needsOneOf({ dependsOn }: PlanStage, names: ReadonlySet<string>): boolean {
  return dependsOn.some(({ stage }) => names.has(stage));
}

/** Its result is the group's, so nobody can go on before everyone is done. */
function judgedTogether(planned: PlanStage): boolean {
  return isShared(planned) || planned.expect.length > 0;
}

function isShared({ expectedObjects, expectedTasks, tasks, background }: PlanStage): boolean {
  return expectedObjects !== null || expectedTasks !== null || tasks !== null || background !== null;
}

export function newStageRun(index: number): StageRun {
  return {
    stage: index,
    round: 1,
    earlier: [],
    repeat: null,
    phase: "before",
    status: null,
    reason: null,
    worked: null,
    openedAt: null,
    startAt: null,
    closedAt: null,
    cleanupMode: false,
    electorate: 0,
    workers: 0,
    pending: 0,
    pendingByChunk: [],
    arrived: 0,
    firstArrivalAt: null,
    metAt: null,
    done: 0,
    errors: 0,
    endsAt: null,
    overdueAt: 0,
    stopping: null,
    error: null,
    warnings: { texts: [], count: 0 },
    failures: { texts: [], count: 0 },
    retryCount: 0,
    metrics: [],
    histograms: [],
    outputs: [],
    outputBytes: 0,
    annotations: [],
    annotationBytes: 0,
    annotationsLeftOut: 0,
    results: [],
    pool: null,
  };
}
