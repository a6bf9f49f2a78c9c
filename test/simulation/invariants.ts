/**
 * What must hold after each step, whatever happened. Counted anew from what the agents really said and from the
 * members' records, never from the machine's own counters (which are checked against that, too).
 */
import { isDeepStrictEqual } from "node:util";
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import { type RunState, summary } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import { roundOf } from "../../src/run/stage/attempt-id.ts";
import { type AgentState, isAssigned, type StageRun, type TaskRecord } from "../../src/run/state.ts";
import type { RunEvent } from "../../src/run/types.ts";
import { Absences } from "./absences.ts";
import { Attendance } from "./attended.ts";
import { Checkpoints } from "./checkpoints.ts";
import { GeneratedTasks } from "./generated.ts";
import type { Machine } from "./machine.ts";
import { Quorums } from "./quorums.ts";
import { type GoingOn, judgeResumed } from "./resumed.ts";
import { beforeGoingBack, Rounds, roundKey } from "./rounds.ts";
import { judgeStatuses } from "./statuses.ts";
import { TimeLimits } from "./time-limits.ts";
import { judgeClosed, judgeFailure, missingWork, noteLostResults, unstable } from "./what-ran.ts";
import { judgeOwnCleanup, judgeWorker } from "./who-ran.ts";

type Told = Exclude<RunEvent, { type: "created" }>;

export class Oracle {
  readonly #plan: Plan;
  readonly #machine: Machine;
  readonly #from: GoingOn | null;
  /** `stage/round/agent`: that agent itself said that it is through (an end of the attempt in force, or ready). */
  readonly #said = new Set<string>();
  /** When each round of a stage (`stage/round`) was first seen to be met, and its first arrival. */
  readonly #met = new Map<string, number>();
  readonly #first = new Map<string, number>();
  readonly #released = new Set<string>();
  readonly #times: TimeLimits;
  readonly #absences: Absences;
  readonly #rounds = new Rounds();
  readonly #lost = new Map<number, number>();
  readonly #quorums: Quorums;
  readonly #checkpoints: Checkpoints;
  readonly #attendance: Attendance;
  readonly #generated: GeneratedTasks;
  /** Attempts that agents were told of. */
  readonly #told = new Set<string>();
  #latest: RunState | null = null;
  #releasedAt = 0;
  #endedTasks = new Map<string, string>();

  /** @param from what the run goes on from; null: nothing */
  constructor(plan: Plan, machine: Machine, from: GoingOn | null = null) {
    this.#plan = plan;
    this.#from = from;
    this.#machine = machine;
    this.#times = new TimeLimits(plan);
    this.#absences = new Absences(plan);
    this.#quorums = new Quorums(plan);
    this.#checkpoints = new Checkpoints(plan);
    this.#attendance = new Attendance(plan);
    this.#generated = new GeneratedTasks(plan);
  }

  /** Applies one event. `deep`: also what costs more to look at. */
  step(
    before: RunState,
    event: Told,
    deep: boolean,
  ): { readonly state: RunState; readonly violations: readonly string[] } {
    const violations: string[] = [];
    const copy = deep ? JSON.stringify(before) : null;
    const after = this.#machine.apply(before, event);
    if (copy !== null) {
      if (before.steps === after.steps && !isDeepStrictEqual(resultsOf(before), resultsOf(after)))
        violations.push(`${event.type} changed a result, and no step was counted`);
      if (JSON.stringify(before) !== copy) violations.push(`${event.type} changed the state that it was applied to`);
      const again = this.#machine.apply(after, event);
      if (!isDeepStrictEqual(again, after))
        violations.push(`${event.type} applied twice changes something: ${difference(after, again)}`);
      if (!isDeepStrictEqual(JSON.parse(JSON.stringify(after)), after)) violations.push("the state is not plain JSON");
    }
    this.#listen(before, event);
    violations.push(...this.#counts(after), ...this.#tasks(before, event, after));
    this.#latest = after;
    noteLostResults(before, after, this.#lost);
    if (before.failure === null) violations.push(...judgeFailure(this.#plan, after));
    const closed = beforeGoingBack(before, after);
    this.#watchArrivals(closed);
    violations.push(...this.#releases(before, closed));
    if (closed !== after) {
      // Stages that were left out at once after going back.
      this.#watchArrivals(after);
      violations.push(...this.#releases(closed, after));
    }
    violations.push(
      ...this.#rounds.step(before, after),
      ...this.#quorums.step(before, closed, after),
      ...this.#checkpoints.step(before, event, after),
      ...this.#attendance.step(before, event, after),
      ...this.#generated.step(before, after),
      ...judgeStatuses(before, after),
      ...this.#times.step(after),
      ...this.#absences.step(before, event, after),
    );
    return { state: after, violations };
  }

  /** An agent is told something. */
  instructed(agent: string, instruction: Instruction, state: RunState): readonly string[] {
    if (instruction.do !== "execute") return [];
    const early = this.#unreleasedBefore(instruction.stage, state);
    this.#told.add(instruction.attempt);
    for (const { attempt } of instruction.leases) this.#told.add(attempt);
    if (early !== null)
      return [`${agent} is told to execute stage ${instruction.stage} before stage ${early} was released`];
    if (!isDeepStrictEqual(this.#machine.instructionFor(state, agent), instruction))
      return [`asking twice gives ${agent} two answers`];
    const worker = byName(state, agent);
    const stranger = worker === undefined ? [] : judgeWorker(this.#stage(instruction.stage), worker);
    const again = this.#rounds.instructed(agent, instruction, state);
    const repeated = this.#quorums.instructed(agent, instruction, state);
    return [...stranger, ...again, ...repeated, ...this.#times.instructed(agent, instruction, state)];
  }

  /** An agent really starts something. */
  started(agent: string, stage: number, attempt: string, startAt: number, now: number): readonly string[] {
    // What it was told before the group went back it may begin late.
    const isOld = this.#told.has(attempt) && roundOf(attempt) < (this.#round(stage) ?? 1);
    const early = isOld || this.#latest === null ? null : this.#unreleasedBefore(stage, this.#latest);
    if (early !== null) return [`${agent} starts ${attempt} before stage ${early} was released`];
    if (now < startAt) return [`${agent} starts ${attempt} before its time`];
    return [];
  }

  /** An agent that was left out cleans up with these stages. */
  cleansUp(agent: string, stages: readonly PlanStage[], state: RunState): readonly string[] {
    return judgeOwnCleanup(this.#plan, state, agent, stages);
  }

  /** A crashed coordinator has read its state again: what is gone with it did not happen. */
  loaded(state: RunState, text: string): readonly string[] {
    this.#endedTasks = new Map();
    this.#noteTasks(state);
    this.#latest = state;
    this.#rounds.forget();
    this.#quorums.forget();
    this.#checkpoints.loaded(state);
    this.#attendance.loaded(state);
    return isDeepStrictEqual(JSON.parse(text), state) ? [] : ["the stored state reads back as another one"];
  }

  ended(state: RunState): readonly string[] {
    const resumed = judgeResumed(this.#plan, state, this.#from);
    if (resumed.length > 0) return resumed;
    const stages = state.stages.flat();
    const failed = stages.filter(({ status }) => status === "failure" || status === "cancelled");
    if (state.status === "succeeded" && failed.length > 0)
      return [`it succeeded although stage ${failed[0]?.stage} did not`];
    if (state.status !== "succeeded") return [];
    const wrong = [...missingWork(this.#plan, state), ...unstable(this.#plan, state), ...this.#times.ended(state)];
    if (wrong.length > 0) return wrong;
    return stages.flatMap((run) => {
      const stage = this.#plan.stages[run.stage];
      if (stage === undefined || stage.optional || run.status === "skipped") return [];
      const strict = stage.barrier.rule.kind === "all_or_nothing";
      const bad = run.results.flat().find((result) => result !== null && result.status !== "success");
      return strict && bad != null ? [`it succeeded although ${bad.agent} did not come through ${stage.name}`] : [];
    });
  }

  /** Notes who says what of its own stage, before the machine decides on it. */
  #listen(before: RunState, event: Told): void {
    if (event.type === "coordinator_started") this.#times.away(event.at - before.now);
    if (event.type !== "synced") return;
    const agent = byName(before, event.agent);
    if (agent === undefined || agent.session !== event.session) return;
    this.#quorums.listen(before, event);
    this.#generated.listen(before, event);
    for (const { task, stage, attempt } of event.finished) {
      if (task === null && agent.assignment?.attempt === attempt)
        this.#said.add(`${stage}/${agent.assignment.round}/${agent.name}`);
    }
    for (const stage of event.ready) {
      const round = itemAt(before.stages, stage)?.round ?? 1;
      const isAbout = event.attempts?.some((attempt) => attempt.startsWith(`${stage}.${round}.`)) === true;
      if (round === 1 || isAbout) this.#said.add(`${stage}/${round}/${agent.name}`);
    }
  }

  #round(stage: number): number | undefined {
    return this.#latest === null ? undefined : itemAt(this.#latest.stages, stage)?.round;
  }

  #counts(state: RunState): readonly string[] {
    const agents = state.agents.flat();
    const violations: string[] = [];
    if (new Set(agents.map(({ name }) => name)).size !== agents.length) violations.push("an identity is there twice");
    if (state.roster !== null && new Set(agents.map(({ index }) => index)).size !== agents.length)
      violations.push("an index is given twice");
    const living = agents.filter(isThere).filter(({ membership }) => membership === "member").length;
    if (living !== state.living) violations.push(`${living} members are there, counted ${state.living}`);
    const backgrounds = agents.reduce((sum, agent) => sum + agent.backgrounds.length, 0);
    if (backgrounds !== state.backgrounds)
      violations.push(`${backgrounds} background commands, counted ${state.backgrounds}`);
    for (const run of itemsOf(state.stages)) {
      if (run.phase !== "open") continue;
      const pending = pendingIn(run, agents).length;
      if (pending !== run.pending)
        violations.push(`stage ${run.stage}: ${pending} are pending, counted ${run.pending}`);
      const arrived = arrivedIn(run, this.#stage(run.stage)).length;
      if (arrived !== run.arrived) violations.push(`stage ${run.stage}: ${arrived} arrived, counted ${run.arrived}`);
    }
    return violations;
  }

  #watchArrivals(state: RunState): void {
    for (const run of itemsOf(state.stages)) {
      if (run.phase === "before" || run.startAt === null) continue;
      const stage = this.#stage(run.stage);
      const arrived = arrivedIn(run, stage).length;
      const key = roundKey(run);
      if (arrived > 0 && !this.#first.has(key)) this.#first.set(key, state.now);
      const quorum = quorumOf(stage, electorateOf(state, stage));
      if (quorum !== null && arrived >= quorum && !this.#met.has(key)) this.#met.set(key, state.now);
    }
  }

  /** A barrier that was released must have been met, by identities that spoke for themselves. */
  #releases(before: RunState, after: RunState): readonly string[] {
    const violations: string[] = [];
    for (const run of itemsOf(after.stages)) {
      if (run.phase !== "closed" || this.#released.has(roundKey(run))) continue;
      this.#released.add(roundKey(run));
      this.#releasedAt = Math.max(this.#releasedAt, after.now);
      if (run.startAt !== null || this.#generated.isDoable(this.#stage(run.stage), after))
        violations.push(...judgeClosed(this.#plan, before, after, run, this.#lost, this.#from?.carried ?? null));
      const wentOn = run.startAt !== null && run.worked === true && !run.cleanupMode;
      if (wentOn) violations.push(...this.#judgeRelease(before, after, run));
    }
    return violations;
  }

  #judgeRelease(before: RunState, after: RunState, run: StageRun): readonly string[] {
    const stage = this.#stage(run.stage);
    const arrived = arrivedIn(run, stage);
    const names = new Set(arrived);
    const took = run.results.flat().filter((result) => result !== null);
    const electorate = electorateOf(after, stage);
    const where = `${stage.name} (${stage.barrier.rule.kind}) was released with ${arrived.length} of ${electorate}`;
    const violations: string[] = [];
    if (names.size !== arrived.length) violations.push(`${where}: an identity was counted twice`);
    const unheard =
      run.pool !== null || run.stopping !== null
        ? []
        : arrived.filter((name) => !this.#said.has(`${roundKey(run)}/${name}`));
    if (unheard.length > 0) violations.push(`${where}: ${unheard.join(", ")} never said so`);
    const waiting = after.agents.flat().filter(({ assignment }) => isAssigned(assignment, run) && !assignment.finished);
    if (waiting.length > 0)
      violations.push(`${where}, ${waiting.map(({ name }) => name).join(", ")} being at work and not left behind`);
    const inSegment = before.segment !== null && run.stage < before.segment.last;
    if (inSegment) return violations;
    const quorum = quorumOf(stage, electorate);
    if (quorum !== null && names.size < quorum) violations.push(`${where}, its quorum is ${quorum}`);
    const { kind } = stage.barrier.rule;
    if (kind === "all_or_nothing" && (names.size < took.length || names.size === 0))
      violations.push(`${where}, ${took.length} took part`);
    if (kind === "best_effort" && names.size === 0) violations.push(`${where}: nobody arrived`);
    const left = took.filter(
      ({ status, reason }) => (status === "excluded" || status === "stopped") && reason?.startsWith("was still in"),
    );
    if (left.length > 0 && !this.#mayLeaveBehind(stage, run, after.now)) {
      violations.push(
        `${where}, leaving ${left.map(({ agent }) => agent).join(", ")} behind before the grace was over`,
      );
    }
    return violations;
  }

  #mayLeaveBehind({ barrier }: PlanStage, run: StageRun, now: number): boolean {
    const first = this.#first.get(roundKey(run));
    const late = barrier.timeoutMs !== null && first !== undefined && now >= first + barrier.timeoutMs;
    const met = this.#met.get(roundKey(run));
    return late || (barrier.rule.kind !== "best_effort" && met !== undefined && now >= met + barrier.stragglerGraceMs);
  }

  /** The first stage before this one that nobody may have passed yet; null: there is none. */
  #unreleasedBefore(stage: number, state: RunState): number | null {
    for (let earlier = stage - 1; earlier >= 0; earlier--) {
      const run = itemAt(state.stages, earlier);
      if (run !== undefined && this.#released.has(roundKey(run))) continue;
      if (this.#stage(earlier).barrier.rule.kind !== "none") return earlier;
    }
    return null;
  }

  #tasks(before: RunState, event: Told, after: RunState): readonly string[] {
    const violations: string[] = [];
    for (const run of itemsOf(after.stages)) {
      if (run.pool === null || run.pool === itemAt(before.stages, run.stage)?.pool) continue;
      const records = run.pool.records.flat();
      const old = itemAt(before.stages, run.stage);
      const earlier = old?.round === run.round ? (old.pool?.records ?? []) : [];
      for (const [number, record] of records.entries()) {
        violations.push(...this.#task(run, record, itemAt(earlier, number), before, event));
      }
      const { open, done, failed, skipped, unfinished } = run.pool;
      const counted = [open, done, failed, skipped, unfinished];
      const is = (status: TaskRecord["status"]): number => records.filter((record) => record.status === status).length;
      const real = [
        is("waiting") + is("ready") + is("leased"),
        is("done"),
        is("failed"),
        is("skipped"),
        is("unfinished"),
      ];
      if (!isDeepStrictEqual(counted, real))
        violations.push(`stage ${run.stage}: tasks are ${real}, counted ${counted}`);
      violations.push(...this.#leases(run.stage, records, after));
    }
    return violations;
  }

  #task(
    run: StageRun,
    record: TaskRecord,
    earlier: TaskRecord | undefined,
    before: RunState,
    event: Told,
  ): readonly string[] {
    const { stage } = run;
    const name = `task ${record.key} of stage ${stage}`;
    const key = `${roundKey(run)}/${record.key}`;
    const ended = this.#endedTasks.get(key);
    const now = `${record.status} by ${record.attempt}`;
    if (ended !== undefined) return ended === now ? [] : [`${name} ended twice: ${ended}, then ${now}`];
    if (!isEnded(record)) return [];
    this.#endedTasks.set(key, now);
    if (record.status !== "done") return [];
    const holder = earlier?.holder == null ? undefined : itemAt(before.agents, earlier.holder);
    const said =
      event.type === "synced" &&
      event.finished.some((one) => one.task === record.key && one.stage === stage && one.attempt === record.attempt);
    const inForce = earlier?.status === "leased" && earlier.attempt === record.attempt;
    if (!said || !inForce || event.agent !== holder?.name)
      return [`${name} is ${now}, which was not in force or not said`];
    return [];
  }

  #leases(stage: number, records: readonly TaskRecord[], state: RunState): readonly string[] {
    const held = state.agents
      .flat()
      .flatMap(({ assignment, name }, slot) =>
        assignment?.stage === stage ? assignment.leases.map((number) => ({ number, slot, name })) : [],
      );
    const leased = records.filter(({ status }) => status === "leased").length;
    const wrong = held.find(
      ({ number, slot }) => records[number]?.status !== "leased" || records[number]?.holder !== slot,
    );
    if (wrong !== undefined || held.length !== leased) return [`stage ${stage}: leases and their holders disagree`];
    const most = this.#stage(stage).tasks?.concurrency ?? 0;
    const greedy = state.agents
      .flat()
      .find(({ assignment }) => assignment?.stage === stage && assignment.leases.length > most);
    return greedy === undefined ? [] : [`${greedy.name} holds more tasks than it may`];
  }

  #noteTasks(state: RunState): void {
    for (const run of itemsOf(state.stages)) {
      for (const record of run.pool === null ? [] : itemsOf(run.pool.records)) {
        if (isEnded(record))
          this.#endedTasks.set(`${roundKey(run)}/${record.key}`, `${record.status} by ${record.attempt}`);
      }
    }
  }

  #stage(index: number): PlanStage {
    const stage = this.#plan.stages[index];
    if (stage === undefined) throw new Error(`the plan has no stage ${index}`);
    return stage;
  }
}

function isEnded({ status }: TaskRecord): boolean {
  return status !== "waiting" && status !== "ready" && status !== "leased";
}

function isThere({ presence }: AgentState): boolean {
  return presence === "here" || presence === "silent";
}

function byName(state: RunState, name: string): AgentState | undefined {
  return state.agents.flat().find((agent) => agent.name === name);
}

function arrivedIn(run: StageRun, stage: PlanStage): readonly string[] {
  return run.results
    .flat()
    .flatMap((result) =>
      result?.status === "success" || (result?.status === "failure" && stage.optional) ? [result.agent] : [],
    );
}

function pendingIn(run: StageRun, agents: readonly AgentState[]): readonly AgentState[] {
  return agents.filter(({ assignment }, slot) =>
    isAssigned(assignment, run) ? !assignment.finished : itemAt(run.results, slot)?.status === "skipped",
  );
}

function electorateOf(state: RunState, stage: PlanStage): number {
  if (stage.runsOn.kind === "first") return 1;
  const { runsOn } = stage;
  // Who joined after the stage was opened was not asked.
  const openedAt = itemAt(state.stages, stage.index)?.openedAt ?? state.now;
  const there = state.agents.flat().filter(({ joinedAt }) => joinedAt <= openedAt);
  return there.filter(
    ({ index, name }) => runsOn.kind !== "agents" || runsOn.agents.includes(index) || runsOn.agents.includes(name),
  ).length;
}

function quorumOf(stage: PlanStage, electorate: number): number | null {
  const { rule } = stage.barrier;
  if (rule.kind === "majority") return Math.floor(electorate / 2) + 1;
  if (rule.kind === "at_least") return Math.min(rule.count, electorate);
  if (rule.kind === "at_least_percent") return Math.max(1, Math.ceil((rule.percent * electorate) / 100));
  return null;
}

/** How the stages fared that are over. */
function resultsOf(state: RunState): readonly unknown[] {
  return summary(state).phases.map(({ stage, status, worked, reason, earlier }) => ({
    stage,
    status,
    worked,
    reason,
    earlier,
  }));
}

function difference(one: object, other: object): string {
  const left = new Map(Object.entries(one));
  return Object.entries(other)
    .filter(([key, value]) => !isDeepStrictEqual(left.get(key), value))
    .map(([key]) => key)
    .join(", ");
}
