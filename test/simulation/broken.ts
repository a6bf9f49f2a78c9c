/**
 * Machines that were broken on purpose, each in the one way that an invariant is there to catch. Kept as a test: a
 * simulation that finds nothing wrong with these finds nothing.
 */
import type { Approval, Json, Plan, PlanStage, Quorum } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf, persistentArray } from "../../src/run/persistent-array.ts";
import { cleanupStages } from "../../src/run/stage/participants.ts";
import type { StageRun } from "../../src/run/state.ts";
import type { AttemptReport, RunEvent } from "../../src/run/types.ts";
import { type Machine, machine } from "./machine.ts";

export interface Broken {
  readonly machine: Machine;
  /** What the simulation says of it. */
  readonly caughtAs: RegExp;
  /** The plans with which it is another one than it should be; not there: any. */
  readonly concerns?: (plan: Plan) => boolean;
}

/** A barrier that counts a message that arrived twice as two arrivals. */
const countsMessages: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    return state !== null && isRepetition(state, event) ? arriveOnceMore(after) : after;
  },
};

function isRepetition(state: RunState, event: RunEvent): boolean {
  if (event.type !== "synced" || event.finished.length === 0) return false;
  const agent = state.agents.flat().find(({ name }) => name === event.agent);
  return agent !== undefined && agent.session === event.session && (event.sequence ?? 0) <= agent.sequence;
}

/** One arrival more, at the cost of somebody who is still at work. */
function arriveOnceMore(state: RunState): RunState {
  const { segment } = state;
  const run = segment === null ? undefined : itemAt(state.stages, segment.last);
  if (run === undefined || run.pending === 0 || state.failure !== null || run.pool !== null) return state;
  const arrived: StageRun = { ...run, arrived: run.arrived + 1, pending: run.pending - 1, firstArrivalAt: state.now };
  return { ...state, stages: persistentArray([...itemsOf(state.stages)].map((one) => (one === run ? arrived : one))) };
}

/** A barrier that lets whoever has arrived go on at once. */
const lets: Machine = {
  ...machine,
  instructionFor: (state, agent) => {
    const instruction = machine.instructionFor(state, agent);
    if (instruction.do !== "wait" || instruction.reason !== "barrier" || instruction.stage === null) return instruction;
    const stage = instruction.stage + 1;
    if (stage >= state.plan.stages.length) return instruction;
    const until = { at: state.now + 60_000, limit: "timeout" } as const;
    const rest = { startAt: state.now, until, partition: null, leases: [], tasksOnly: false } as const;
    return { do: "execute", stage, attempt: `${stage}.${agent}.early`, attemptNumber: 1, ...rest };
  },
};

/** Tasks whose results are believed whichever attempt they come from. */
const believesStaleAttempts: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    if (state === null || event.type !== "synced") return after;
    return event.finished.reduce((known, report) => (report.task === null ? known : believe(known, report)), after);
  },
};

/** Takes a task as done although somebody else holds it now, or nobody. */
function believe(state: RunState, { stage, task, attempt }: AttemptReport): RunState {
  const run = itemAt(state.stages, stage);
  if (run?.pool == null || run.phase !== "open") return state;
  const records = run.pool.records.flat();
  const number = records.findIndex(({ key }) => key === task);
  const record = records[number];
  if (record?.status !== "leased" || record.attempt === attempt) return state;
  const done = persistentArray(records.with(number, { ...record, status: "done", attempt }));
  const pool = { ...run.pool, records: done, open: run.pool.open - 1, done: run.pool.done + 1 };
  const agents = state.agents.flat().map((agent) => ({
    ...agent,
    assignment: agent.assignment && {
      ...agent.assignment,
      leases: agent.assignment.leases.filter((lease) => lease !== number),
    },
  }));
  const stages = [...itemsOf(state.stages)].map((one) => (one === run ? { ...run, pool } : one));
  return { ...state, agents: persistentArray(agents), stages: persistentArray(stages) };
}

/** A task that has ended is leased again. */
const leasesEndedTasks: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    const run = after.segment === null ? undefined : itemAt(after.stages, after.segment.last);
    if (run?.pool == null || run.pool.done < 2) return after;
    const records = run.pool.records.flat();
    const number = records.findIndex(({ status }) => status === "done");
    const record = records[number];
    if (record === undefined) return after;
    const again = records.with(number, { ...record, status: "ready", attempt: null });
    const { open, done, queue } = run.pool;
    const pool = { ...run.pool, records: persistentArray(again), queue: persistentArray([...queue.flat(), number]) };
    const changed = { ...run, pool: { ...pool, open: open + 1, done: done - 1 } };
    return {
      ...after,
      stages: persistentArray([...itemsOf(after.stages)].map((one) => (one === run ? changed : one))),
    };
  },
};

/** Counts attempts anew in each round, and does not tell the rounds apart. */
const reusesTokens: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    const agents = [...itemsOf(after.agents)].map((agent) => {
      const attempt = agent.assignment?.attempt.replace(/^(\d+)\.\d+\.(\d+\.\d+)$/, "$1.1.$2");
      return agent.assignment === null || attempt === undefined
        ? agent
        : { ...agent, assignment: { ...agent.assignment, attempt } };
    });
    return { ...after, agents: persistentArray(agents) };
  },
};

/** Waits that never run out: time does not pass for it. */
const timeless: Machine = {
  ...machine,
  apply: (state, event) => machine.apply(state, { ...event, at: state?.createdAt ?? event.at }),
};

/** Every reset is a new one, however often the same is told. */
const resetsAgain: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "reset") return machine.apply(state, event);
    const { sequence: _sequence, ...without } = event;
    return machine.apply(state, without);
  },
};

/** It changes the state that it is given. */
const changesInPlace: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    return state === null ? after : Object.assign(state, after);
  },
};

/** A run that says success whatever happened. */
const neverFails: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    return after.status === "failed" ? { ...after, status: "succeeded" } : after;
  },
};

/** A state that loses something when it is stored. */
const forgets: Machine = {
  ...machine,
  load: (text) => ({ ...machine.load(text), approved: [], noticeSeq: 0 }),
};

/** A machine that reads something else in the plan than what stands there. */
function misreads(changed: (plan: Plan) => Plan): Machine {
  return {
    ...machine,
    apply: (state, event) =>
      machine.apply(state, event.type === "created" ? { ...event, plan: changed(event.plan) } : event),
  };
}

function withStages(change: (stage: PlanStage) => Partial<PlanStage>): (plan: Plan) => Plan {
  return (plan) => ({ ...plan, stages: plan.stages.map((stage) => ({ ...stage, ...change(stage) })) });
}

/** Leaves out what misses something it needs as if nobody had wanted it. */
const leavesOut = misreads(withStages(({ optional, dependsOn }) => ({ optional: optional || dependsOn.length > 0 })));

/** Knows no "even if". */
const acceptsNothing = misreads(
  withStages(({ dependsOn }) => ({ dependsOn: dependsOn.map(({ stage }) => ({ stage, evenIf: [] })) })),
);

/** Runs a stage whatever became of what it needs. */
const needsNothing = misreads(withStages(() => ({ dependsOn: [] })));

/** Knows no soft_fail. */
const failsHard = misreads(withStages(() => ({ softFail: undefined })));

/** Takes every background command for one that the others cannot do without. */
const needsBackgrounds = misreads(
  withStages(({ background, optional }) => ({ optional: background === null && optional })),
);

/** Takes any number for a result, however far it is from the others. */
const comparesNothing = misreads(
  withStages(({ trial }) => (trial === undefined ? {} : { trial: { ...trial, maxSpread: null } })),
);

/** Bears whatever goes wrong. */
const bearsEverything = misreads(withStages(() => ({ thresholds: null })));

/** Begins each attempt's time for the stage anew: it never comes to the stage's timeout. */
const countsEachAttempt = misreads(withStages(({ timeoutMs }) => ({ timeoutMs: 9 * timeoutMs })));

/** Knows no deadline. */
const neverLate = misreads((plan) => ({ ...plan, deadlineMs: null }));

/** Takes no word for it that somebody will not come. */
const waitsForTheAbsent: Machine = {
  ...machine,
  apply: (state, event) => (event.type === "not_coming" && state !== null ? state : machine.apply(state, event)),
};

/** Counts whoever is said not to come once more each time. */
const countsTheAbsentAgain: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "not_coming") return machine.apply(state, event);
    const { length } = state?.absent ?? [];
    const absent = event.absent.flatMap((one) => [one, { ...one, id: `${one.id} ${length}` }]);
    return machine.apply(state, { ...event, absent });
  },
};

/** Everyone runs everything. */
const knowsNobody = misreads(withStages(() => ({ runsOn: { kind: "all" } })));

/** Who is left out cleans up whatever there is to be cleaned up. */
const wipes: Machine = { ...machine, ownCleanup: (plan) => cleanupStages(plan) };

/** Waits for whatever it was to end until it has ended. */
const waitsForTheUnendable: Machine = {
  ...machine,
  endingFrom: (now, graceMs) => ({ ...machine.endingFrom(now, graceMs), giveUpAt: Number.POSITIVE_INFINITY }),
};

/** Takes for PASS what a validator that errs, or prints something else, would have said. */
const passesWhatErrs: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "synced" || state === null) return machine.apply(state, event);
    const finished = event.finished.map((told): AttemptReport => {
      const isQuorum = state.plan.stages[told.stage]?.quorum !== undefined && told.task !== null;
      const isSound = told.ballot !== undefined && "decision" in told.ballot;
      if (!isQuorum || isSound || told.end.kind !== "exited") return told;
      return {
        ...told,
        end: { kind: "exited", code: 0 },
        ballot: { decision: "PASS", confidence: 1, deficiencies: [] },
      };
    });
    return machine.apply(state, { ...event, finished });
  },
};

/** Repeats what a quorum sends back without a word of what was wanting. */
const repeatsAlike: Machine = {
  ...machine,
  instructionFor: (state, agent) => {
    const instruction = machine.instructionFor(state, agent);
    if (instruction.do !== "execute") return instruction;
    const { because: _because, ...rest } = instruction;
    return rest;
  },
};

/** Repeats the last stage that a quorum names, and what depends on it, but none of the others. */
const repeatsOne = misreads(
  withStages(({ quorum }) =>
    quorum === undefined ? {} : { quorum: { ...quorum, retryStages: quorum.retryStages.slice(-1) } },
  ),
);

/** Takes another list of tasks for the one that was told. */
function rewrites(change: (tasks: readonly Json[]) => readonly Json[]): Machine {
  return {
    ...machine,
    apply: (state, event) => {
      if (event.type !== "synced" || state === null) return machine.apply(state, event);
      const finished = event.finished.map((told) =>
        told.laterTasks === undefined ? told : { ...told, laterTasks: change(told.laterTasks) },
      );
      return machine.apply(state, { ...event, finished });
    },
  };
}

/** Does not look at what a task says that it needs. */
const needsNoTask = rewrites((tasks) =>
  tasks.map((task) => (typeof task === "object" && task !== null && "id" in task ? { id: task.id ?? null } : task)),
);

/** Takes a task that failed for one that is done, as far as others need it. */
const buildsOnFailures: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "synced" || state === null) return machine.apply(state, event);
    const finished = event.finished.map((told): AttemptReport => {
      const isGenerated = state.plan.stages[told.stage]?.tasks?.source.kind === "stage" && told.task !== null;
      return isGenerated && told.end.kind === "exited" ? { ...told, end: { kind: "exited", code: 0 } } : told;
    });
    return machine.apply(state, { ...event, finished });
  },
};

/** A machine that reads something else of the quorums than what stands there. */
function misreadsQuorums(change: Partial<Quorum>): Machine {
  return misreads(withStages(({ quorum }) => (quorum === undefined ? {} : { quorum: { ...quorum, ...change } })));
}

/** Believes that everybody is where they were. */
const knowsNoMachines: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "joined" || event.machine === undefined) return machine.apply(state, event);
    const host = state?.carried.resumed?.hosts[event.agent] ?? event.machine.host;
    return machine.apply(state, { ...event, machine: { ...event.machine, host } });
  },
};

/** Takes whatever a state names for finished, the stage that it was in, too. */
const takesTooMuch: Machine = {
  ...machine,
  apply: (state, event) => {
    const resumed = event.type === "created" ? event.carried?.resumed : undefined;
    if (event.type !== "created" || event.carried === undefined || resumed === undefined)
      return machine.apply(state, event);
    const next = event.plan.stages.find(({ name }) => !resumed.finished.some((stage) => stage.name === name));
    if (next === undefined) return machine.apply(state, event);
    const more = { name: next.name, status: "success", worked: true, completedAt: null } as const;
    const finished = [...resumed.finished, more];
    return machine.apply(state, { ...event, carried: { ...event.carried, resumed: { ...resumed, finished } } });
  },
};

/** Begins anew what it was to go on with. */
const takesNothing: Machine = {
  ...machine,
  apply: (state, event) => {
    if (event.type !== "created" || event.carried?.resumed === undefined) return machine.apply(state, event);
    const resumed = { ...event.carried.resumed, finished: [] };
    return machine.apply(state, { ...event, carried: { ...event.carried, resumed } });
  },
};

/** A machine that reads something else of who is waited for than what stands there. */
function misreadsApprovals(change: Partial<Approval>): Machine {
  return misreads(
    withStages(({ approval }) => (approval === undefined ? {} : { approval: { ...approval, ...change } })),
  );
}

/** Takes who agreed to a round for agreeing to all that follow. */
const approvesForGood: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    const approved = [...new Set([...(state?.approved ?? []), ...after.approved])];
    return { ...after, approved };
  },
};

/** Takes no notice of who attends to the run. */
const asksNobody: Machine = {
  ...machine,
  apply: (state, event) => machine.apply(state, event.type === "attended" ? { ...event, wanted: false } : event),
};

/** Goes on from each stage that is over, and into the next, as if somebody had looked at it. */
const goesOnUnseen: Machine = {
  ...machine,
  apply: (state, event) => {
    const after = machine.apply(state, event);
    const { checkpoint } = after;
    if (checkpoint?.after === undefined) return after;
    const { stage } = checkpoint;
    const round = itemAt(after.stages, stage)?.round ?? 1;
    const approved = [...after.approved, stage + 1];
    const looked = { type: "stage_reviewed", at: event.at, stage, round, by: "nobody", repeat: null } as const;
    return machine.apply({ ...after, approved }, looked);
  },
};

function votes({ stages }: Plan): boolean {
  return stages.some(({ quorum }) => quorum !== undefined);
}

function namesSeveral({ stages }: Plan): boolean {
  return stages.some(({ quorum }) => quorum !== undefined && quorum.retryStages.length > 1);
}

function waitsForSomebody({ stages }: Plan): boolean {
  return stages.some(({ checkpoint }) => checkpoint);
}

function tellsTasks({ stages }: Plan): boolean {
  return stages.some(({ tasks }) => tasks?.source.kind === "stage");
}

export const BROKEN: Readonly<Record<string, Broken>> = {
  "counts messages instead of identities": { machine: countsMessages, caughtAs: /was released with/ },
  "lets agents go on before the release": { machine: lets, caughtAs: /before stage \d+ was released/ },
  "believes attempts that are not in force": { machine: believesStaleAttempts, caughtAs: /not in force or not said/ },
  "gives a token twice": { machine: reusesTokens, caughtAs: /is given again/ },
  "ends a task twice": { machine: leasesEndedTasks, caughtAs: /ended twice/ },
  "waits without an end": { machine: timeless, caughtAs: /did not end within/ },
  "takes what is told twice as two": { machine: resetsAgain, caughtAs: /applied twice changes/ },
  "changes what it was given": { machine: changesInPlace, caughtAs: /changed the state that it was applied to/ },
  "waits for a person for good": {
    machine: misreadsApprovals({ timeoutMs: 6 * 3_600_000 }),
    concerns: waitsForSomebody,
    caughtAs: /still waits for a person/,
  },
  "takes no answer for a yes": {
    machine: misreadsApprovals({ onTimeout: "go_on" }),
    concerns: waitsForSomebody,
    caughtAs: /began without a person's word/,
  },
  "takes an approval for all rounds": {
    machine: approvesForGood,
    concerns: waitsForSomebody,
    caughtAs: /round [2-9].* began without a person's word/,
  },
  "asks nobody who attends": { machine: asksNobody, caughtAs: /who attends was not asked/ },
  "goes on before anybody has looked": { machine: goesOnUnseen, caughtAs: /before anybody looked/ },
  "hides a failure": { machine: neverFails, caughtAs: /it succeeded although/ },
  "is green though work never ran": { machine: leavesOut, caughtAs: /although the work of \S+ never ran/ },
  "does not accept what the plan accepts": { machine: acceptsNothing, caughtAs: /although nothing kept it/ },
  "runs what misses its results": { machine: needsNothing, caughtAs: /which is not there/ },
  "gives more time than a stage's timeout": {
    machine: countsEachAttempt,
    caughtAs: /than its timeout|after its timeout/,
  },
  "fails by what is a warning": { machine: failsHard, caughtAs: /by a code of its soft_fail/ },
  "fails by a background command that is optional": { machine: needsBackgrounds, caughtAs: /which is optional/ },
  "passes trials that are not stable": { machine: comparesNothing, caughtAs: /are not stable/ },
  "bears more errors than it may": { machine: bearsEverything, caughtAs: /came through with \d+ failures/ },
  "works on after the deadline": { machine: neverLate, caughtAs: /plan's deadline/ },
  "waits for those who will not come": { machine: waitsForTheAbsent, caughtAs: /can come|is gone for good/ },
  "counts one who does not come twice": { machine: countsTheAbsentAgain, caughtAs: /it gave up although/ },
  "has everyone run what is for some": { machine: knowsNobody, caughtAs: /which is not for it/ },
  "wipes what the others work on": { machine: wipes, caughtAs: /which is not its own/ },
  "waits for what cannot be ended": { machine: waitsForTheUnendable, caughtAs: /which cannot be ended/ },
  "counts a validator that errs as PASS": { machine: passesWhatErrs, concerns: votes, caughtAs: /was decided as/ },
  "repeats without saying why": { machine: repeatsAlike, concerns: votes, caughtAs: /is not told why/ },
  "repeats as often as it likes": {
    machine: misreadsQuorums({ maxRetries: 9 }),
    concerns: votes,
    caughtAs: /sent back more often than max_retries/,
  },
  "goes back at once": {
    machine: misreadsQuorums({ backoffMs: 0 }),
    concerns: votes,
    caughtAs: /before the pause is over/,
  },
  "passes with less than it needs": {
    machine: misreadsQuorums({ passAt: 20 }),
    concerns: votes,
    caughtAs: /was decided as/,
  },
  "repeats one stage alone": { machine: repeatsOne, concerns: namesSeveral, caughtAs: /began a new round of stages/ },
  "believes that everybody is where they were": { machine: knowsNoMachines, caughtAs: /its machines have changed/ },
  "takes for done what is not": { machine: takesTooMuch, caughtAs: /left out as done, which it is not/ },
  "does again what is done": { machine: takesNothing, caughtAs: /was run again, though it was done/ },
  "runs a stage without the context that it requires": {
    machine: misreads(withStages(() => ({ contextRequired: [] }))),
    concerns: tellsTasks,
    caughtAs: /without the context/,
  },
  "shares out tasks before what they need": { machine: needsNoTask, concerns: tellsTasks, caughtAs: /has the tasks/ },
  "takes a failed task for a finished one": {
    machine: buildsOnFailures,
    concerns: tellsTasks,
    caughtAs: /before what it needs is done/,
  },
  "loses tasks that were told": {
    machine: rewrites((tasks) => tasks.slice(0, -1)),
    concerns: tellsTasks,
    caughtAs: /has the tasks/,
  },
  "loses what was stored": { machine: forgets, caughtAs: /reads back as another one/ },
};
