/**
 * A run, decided: `apply` takes what happens, `instructionFor` says what an agent is to do now. Nothing else decides.
 *
 * Time comes in with the events, ids are counted. The state is plain JSON and is
 * never changed in place; what one event costs does not grow with the number of agents (but for those that concern
 * everyone: a start, a release, a sweep).
 */
import { jsonBytes, WIRE_BOUNDS } from "../plan/bounds.ts";
import { advance } from "./advance.ts";
import { heedPerson } from "./checkpoints/checkpoints.ts";
import { nextTime } from "./deadlines.ts";
import { Draft, isLiving } from "./draft.ts";
import { failRun } from "./group/abort.ts";
import { noteAbsent, noteReturn } from "./group/absence.ts";
import { addAgent, admit } from "./group/assembly.ts";
import { forgiveAbsence, lose, rejoin, restart, seen } from "./group/liveness.ts";
import { directoryOf, persistentArray } from "./persistent-array.ts";
import { NOTHING_CARRIED } from "./resume/carried.ts";
import { requestRepeat } from "./rounds/rounds.ts";
import { countProgress, finishAssignment } from "./stage/assignments.ts";
import { addOutput, outcome } from "./stage/record-result.ts";
import { handleReport } from "./stage/reports.ts";
import { newStageRun } from "./stage/start.ts";
import { isAssigned, type RunState } from "./state.ts";
import { wantTasks } from "./tasks/leases.ts";
import { addTasks } from "./tasks/listing.ts";
import { isOver, isWorking } from "./transitions.ts";
import { jobIdentity, type RunEvent, type Sync, termsOf } from "./types.ts";

export { nextDeadline } from "./deadlines.ts";
export { type Explanation, explain } from "./explain.ts";
export { type Admission, admit, type JoinEvent } from "./group/assembly.ts";
export { instructionFor } from "./instruct.ts";
export { type MergeHistograms, newPhases, summary } from "./result/summary.ts";
export type { Notice, RunRoster, RunState } from "./state.ts";
export type Created = Extract<RunEvent, { type: "created" }>;

/** A run's first state. Same as `apply(null, created)`. */
export function begin(event: Created): RunState {
  const { at, plan, carried = NOTHING_CARRIED } = event;
  return {
    version: event.version ?? 1,
    ...termsOf(event),
    carried,
    status: "assembling",
    revision: 1,
    steps: 1,
    createdAt: at,
    now: at,
    assemblyUntil: at + plan.assembly.timeoutMs,
    deadlineAt: plan.deadlineMs === null ? null : at + plan.deadlineMs,
    assembledAt: null,
    endedAt: null,
    agents: [],
    names: directoryOf([]),
    indexes: directoryOf([]),
    roster: null,
    dropped: [],
    absent: [],
    living: 0,
    backgrounds: 0,
    stages: persistentArray(
      plan.stages.map(({ name }, index) => {
        const given =
          carried.given !== undefined && Object.hasOwn(carried.given, name) ? carried.given[name] : undefined;
        return { ...newStageRun(index), ...(given === undefined ? {} : { given }) };
      }),
    ),
    position: 0,
    segment: null,
    checkpoint: null,
    approved: [],
    failure: null,
    stopping: null,
    sweepAt: null,
    outputs: carried.outputs,
    outputBytes: jsonBytes(carried.outputs),
    notices: [],
    noticeSeq: 0,
  };
}

/**
 * The state after an event. The given one stays as it is; an event that changes nothing may give back the same one.
 * @throws if the first event is not `created`
 */
export function apply(state: RunState | null, event: RunEvent): RunState {
  return applyAll(state, [event]);
}

/** The same for several events in their order, at the cost of one copy. */
export function applyAll(state: RunState | null, events: readonly RunEvent[]): RunState {
  if (state !== null && (events.length === 0 || isOver(state.status))) return state;
  let draft: Draft | null = state === null ? null : new Draft(state);
  for (const event of events) {
    if (draft === null) {
      if (event.type !== "created") throw new Error(`a run begins with "created", not with "${event.type}"`);
      draft = new Draft(begin(event));
    } else if (event.type !== "created") handle(draft, event);
  }
  if (draft === null) throw new Error("there is no event to begin a run with");
  return draft.done();
}

/** Notices for this agent (and for everyone) after the given one: `after` is the last `seq` it was told; 0: all kept. */
export function noticesFor(state: RunState, agent: string, after = 0): RunState["notices"] {
  if (state.noticeSeq <= after) return [];
  return state.notices.filter((notice) => notice.seq > after && (notice.agent === null || notice.agent === agent));
}

/** The group, once it is assembled. The same object as long as nobody is added. */
export function membersOf(state: RunState): RunState["roster"] {
  return state.roster;
}

/** Outputs of stages whose barrier is behind the group: stage -> key -> value. The same object while nothing is added. */
export function outputsOf(state: RunState): RunState["outputs"] {
  return state.outputs;
}

function handle(draft: Draft, event: Exclude<RunEvent, { type: "created" }>): void {
  const { head } = draft;
  if (isOver(head.status)) return;
  if (!passTime(draft, event)) return;
  handleEvent(draft, event);
  advance(draft);
}

/** Lets the time until the event go by first: what is due by then happens before it. */
function passTime(draft: Draft, event: RunEvent): boolean {
  const { head } = draft;
  const before = head.now;
  const due = event.type === "coordinator_started" ? null : nextTime(draft.head, (stage) => draft.stage(stage));
  head.now = Math.max(head.now, event.at);
  if (event.type === "coordinator_started") {
    if (head.now === before) return true;
    forgiveAbsence(draft, head.now - before);
    draft.notice("the coordinator is back: the time without it does not count");
    return true;
  }
  if (due === null || head.now < due) return true;
  // Nobody let the time pass for so long: this process itself stood still.
  const late = head.now - due;
  if (late > draft.plan.liveness.warnAfterMs) {
    forgiveAbsence(draft, late);
    draft.notice(`the coordinator stood still for ${Math.round(late / 1000)} s, which does not count`);
  }
  advance(draft);
  return !isOver(head.status);
}

function handleEvent(draft: Draft, event: Exclude<RunEvent, { type: "created" }>): void {
  switch (event.type) {
    case "joined": {
      const admission = admit(draft.done(), event);
      if (!admission.ok) draft.notice(`refused to let ${event.agent} join: ${admission.reason}`, event.agent);
      else join(draft, event);
      return;
    }
    case "synced":
      sync(draft, event);
      return;
    case "reset": {
      const slot = slotOf(draft, event);
      if (slot === null) return;
      if (event.sequence !== undefined) {
        if (event.sequence <= draft.agent(slot).resetSequence) return;
        draft.editAgent(slot, { resetSequence: event.sequence });
      }
      seen(draft, slot);
      draft.notice(`${event.agent} was reset: ${event.why}`, event.agent);
      restart(draft, slot, event.why);
      return;
    }
    case "left": {
      const slot = slotOf(draft, event);
      if (slot !== null) leave(draft, slot, event.why);
      return;
    }
    case "not_coming":
      noteAbsent(draft, event.absent);
      return;
    case "heard": {
      const slot = draft.slotOf(event.agent);
      // Who was given up says more before it is taken back.
      if (slot === undefined || draft.agent(slot).session !== event.session || !isLiving(draft.agent(slot))) return;
      seen(draft, slot);
      return;
    }
    case "ticked":
    case "coordinator_started":
      return;
    case "attended":
    case "approved":
    case "stage_left_out":
    case "stage_reviewed":
      heedPerson(draft, event);
      return;
    case "repeat_requested":
      requestRepeat(draft, event);
      return;
    case "cancelled":
      failRun(draft, { kind: "cancelled", stage: null, reason: `cancelled by ${event.by}: ${event.why}` });
      return;
    default:
      event satisfies never;
  }
}

/** One job is one agent: before the group is complete its last word means that it will not be there. */
function leave(draft: Draft, slot: number, why: string): void {
  const { name, checkRunId } = draft.agent(slot);
  lose(draft, slot, "left", `left: ${why}`);
  if (draft.head.status !== "assembling" || checkRunId === null) return;
  noteAbsent(draft, [{ id: jobIdentity(checkRunId), why: `${name} left: ${why}` }]);
}

function join(draft: Draft, event: Extract<RunEvent, { type: "joined" }>): void {
  noteReturn(draft, event);
  const slot = draft.slotOf(event.agent);
  if (slot === undefined) {
    const added = addAgent(draft, event);
    draft.wake(event.at + draft.plan.liveness.warnAfterMs);
    rejoin(draft, added);
    return;
  }
  const { session, address, checkRunId, machine = draft.agent(slot).machine } = event;
  if (draft.agent(slot).session === session) return;
  seen(draft, slot);
  draft.editAgent(slot, {
    session,
    sequence: 0,
    resetSequence: 0,
    address: address ?? draft.agent(slot).address,
    checkRunId: checkRunId ?? draft.agent(slot).checkRunId,
    ...(machine === undefined ? {} : { machine }),
  });
  draft.notice(`${event.agent} joined again`, event.agent);
  restart(draft, slot, "restarted");
}

function sync(draft: Draft, event: Extract<RunEvent, { type: "synced" }>): void {
  joinDropped(draft, event);
  const slot = slotOf(draft, event);
  if (slot === null) return;
  if (event.sequence !== undefined) {
    if (event.sequence <= draft.agent(slot).sequence) return;
    draft.editAgent(slot, { sequence: event.sequence }, false);
  }
  seen(draft, slot);
  draft.editAgent(slot, { doing: event.doing.slice(0, WIRE_BOUNDS.doing) }, false);
  handleStatus(draft, slot, event);
  const { segment } = draft.head;
  const { stage } = event;
  const isOpen = stage !== null && segment !== null && stage >= segment.first && stage <= segment.last;
  const isNow = isOpen && isCurrent(draft, slot, stage, event);
  const hasTasks = isNow && draft.stage(stage).pool !== null && draft.stage(stage).stopping === null;
  if (event.addTasks.length > 0) {
    if (hasTasks) addTasks(draft, stage, event.addTasks);
    else draft.reject(slot, `${event.addTasks.length} tasks for a stage that takes none`);
  }
  for (const report of event.finished) handleReport(draft, slot, report);
  handleProgress(draft, slot, event);
  for (const ready of event.ready) handleReady(draft, slot, ready, event);
  if (hasTasks && draft.stage(stage).pool !== null) wantTasks(draft, slot, stage, event.wants);
  rejoin(draft, slot);
}

/** Who was silent while the group was assembled without it joins late. */
function joinDropped(draft: Draft, { agent: name, session, at }: Extract<RunEvent, { type: "synced" }>): void {
  const known = draft.head.dropped.find((agent) => agent.name === name && agent.session === session);
  if (known === undefined || draft.slotOf(name) !== undefined) return;
  draft.head.dropped = draft.head.dropped.filter((agent) => agent !== known);
  const { role, ownIndex: index, address, checkRunId, machine } = known;
  handleEvent(draft, { type: "joined", at, agent: name, session, role, index, address, checkRunId, machine });
}

/** An agent is at work on the attempt in force, as it says. */
function handleStatus(draft: Draft, slot: number, event: Sync): void {
  if (!isWorking(event.status)) return;
  const { assignment } = draft.agent(slot);
  if (assignment === null || assignment.stage !== event.stage) return;
  if (!isCurrent(draft, slot, assignment.stage, event)) return;
  // It says so of work whose end is in this very message, or has been told before.
  if (assignment.finished || event.finished.some(({ attempt }) => attempt === assignment.attempt)) return;
  if (!assignment.seenRunning) draft.editAssignment(slot, { seenRunning: true });
}

function handleProgress(draft: Draft, slot: number, event: Sync): void {
  const { assignment } = draft.agent(slot);
  if (event.progress === null || assignment === null || assignment.stage !== event.stage || assignment.finished) return;
  if (assignment.seenRunning && isCurrent(draft, slot, assignment.stage, event))
    countProgress(draft, slot, event.progress);
}

/** A background command that others may rely on: its stage is done for this agent, the command runs on. */
function handleReady(draft: Draft, slot: number, stage: number, event: Sync): void {
  if (draft.plan.stages[stage] === undefined || !isCurrent(draft, slot, stage, event)) return;
  const { assignment, backgrounds, index } = draft.agent(slot);
  const again = backgrounds.find((run) => run.stage === stage && !run.ready);
  if (again !== undefined) {
    draft.editAgent(slot, { backgrounds: backgrounds.map((run) => (run === again ? { ...run, ready: true } : run)) });
    return;
  }
  if (
    assignment === null ||
    assignment.finished ||
    assignment.stage !== stage ||
    draft.planned(stage).background === null
  )
    return;
  if (draft.stage(stage).stopping !== null) return;
  const { attempt, attempts, startAt, overdueAt } = assignment;
  draft.editAssignment(slot, { startedAt: assignment.startedAt ?? startAt });
  draft.editAgent(slot, {
    backgrounds: [...backgrounds, { stage, attempt, attempts, ready: true, startAt, overdueAt }],
  });
  if (event.stage === stage) {
    for (const [key, value] of Object.entries(event.outputs)) addOutput(draft, stage, index, key, value);
  }
  finishAssignment(draft, slot, outcome(draft, "success", null));
}

/**
 * Whether what an agent says of its work in a stage is about the attempt in force. In the first round there is nothing
 * else that it could be about; later, word of an earlier round may have been on its way.
 */
function isCurrent(draft: Draft, slot: number, stage: number, { attempts = [] }: Sync): boolean {
  const run = draft.stage(stage);
  if (run.round === 1) return true;
  const { assignment, backgrounds } = draft.agent(slot);
  const inForce = backgrounds.filter((one) => one.stage === stage);
  return [...inForce, ...(isAssigned(assignment, run) ? [assignment] : [])].some(({ attempt }) =>
    attempts.includes(attempt),
  );
}

/** Whose event it is; null (and a notice): nobody's, or one from a life that is over. */
function slotOf(draft: Draft, event: Extract<RunEvent, { readonly session: string }>): number | null {
  const slot = draft.slotOf(event.agent);
  if (slot === undefined) {
    draft.notice(`ignored a message of ${event.agent}, who is not in this group`, event.agent);
    return null;
  }
  const { session, presence } = draft.agent(slot);
  if (session === event.session) return slot;
  if (presence === "left" && event.type === "left") return null; // Its last word, said again.
  draft.reject(slot, `a message of an old session of ${event.agent}`);
  return null;
}
