/** What this agent is carrying out now: attempts of the stage, its tasks, and background commands. */
import type { SyncAnswer } from "../coordinator/protocol/port.ts";
import type { Command, Json, PlanStage } from "../plan/plan.ts";
import type { Instruction, Lease } from "../run/instruction.ts";
import { roundOf } from "../run/stage/attempt-id.ts";
import type { AttemptReport, Progress } from "../run/types.ts";
import { steadyNow } from "../steady-clock.ts";
import { Attempt } from "./attempt.ts";
import { type AttemptOptions, type Surroundings, workingDirectoryOf } from "./attempt-options.ts";
import { becomesReady } from "./background.ts";
import { after } from "./clock.ts";
import type { ErrorSeries } from "./output/record.ts";
import { countable } from "./output/report-limits.ts";
import type { RosterMember } from "./process/environment.ts";

export type Execute = Extract<Instruction, { do: "execute" }>;
type Times = Pick<AttemptOptions, "startInMs" | "until" | "clockOffsetMs">;
type Ending = Parameters<Attempt["end"]>[0];

/** What of the group an attempt's environment shows. */
export interface GroupView {
  readonly member: RosterMember;
  readonly roster: readonly RosterMember[];
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The group as an answer shows it; before it is assembled what was known before. */
export function viewOf(answer: SyncAnswer, before: GroupView): GroupView {
  if (answer.roster === null) return { ...before, outputs: answer.outputs };
  const roster = answer.roster.agents;
  return {
    member: roster.find(({ name }) => name === before.member.name) ?? before.member,
    roster,
    outputs: answer.outputs,
  };
}

/** How many reports are kept in case the coordinator asks for an attempt that is over already. */
const KEPT_REPORTS = 1_000;

/** This agent's part in the stage that it is in. */
interface Part {
  readonly stage: PlanStage;
  readonly attempt: string;
  /** performance.now() */
  readonly startedAt: number;
  readonly series: ErrorSeries;
}

export class Work {
  /** Reports that the coordinator has not acknowledged yet. */
  finished: AttemptReport[] = [];
  /** Tasks that generators printed and that have not been told yet. */
  newTasks: Json[] = [];
  readonly #around: Surroundings;
  readonly #onChange: () => void;
  readonly #running = new Map<string, Attempt>();
  readonly #background = new Map<number, { attempt: Attempt; over: AbortController; ready: boolean }>();
  readonly #reports = new Map<string, AttemptReport>();
  #stage: Part | null = null;
  /** A task has ended since its stage's files were kept. */
  #hasUnkept = false;
  #beingKept: Part | null = null;
  #collecting: Promise<unknown> = Promise.resolve();

  constructor(around: Surroundings, onChange: () => void) {
    this.#around = around;
    this.#onChange = onChange;
  }

  get isIdle(): boolean {
    return this.#running.size === 0 && this.#background.size === 0;
  }

  /** Attempts of the stage, background commands not counted. */
  get running(): readonly Attempt[] {
    return [...this.#running.values()];
  }

  /** Background stages that are ready here. */
  get ready(): readonly number[] {
    return [...this.#background].flatMap(([stage, { ready }]) => (ready ? [stage] : []));
  }

  /** Of all that runs for the stage; null when nothing has been told. */
  get progress(): Progress | null {
    const known = this.running.flatMap(({ record }) => (record.progress === null ? [] : [record.progress]));
    if (known.length === 0) return null;
    return countable(
      known.reduce((a, b) => ({
        done: a.done + b.done,
        total: a.total === null || b.total === null ? null : a.total + b.total,
        errors: a.errors + b.errors,
      })),
    );
  }

  /** What a background command of this stage that is ready has told so far: nobody waits for its end. */
  outputsOf(stage: number): Readonly<Record<string, Json>> {
    const background = this.#background.get(stage);
    return background?.ready === true ? background.attempt.record.outputs() : {};
  }

  /** What is told of the work is about these attempts; those of a first round need not be named. */
  get attempts(): readonly string[] {
    const own = this.#stage === null ? [] : [this.#stage.attempt];
    const background = [...this.#background.values()].map(({ attempt }) => attempt.options.attempt);
    return [...own, ...background].filter((attempt) => roundOf(attempt) > 1);
  }

  /** How many further tasks of this stage could be run now. */
  wants(stage: PlanStage): number {
    if (stage.tasks === null) return 0;
    const busy = this.running.filter(({ options }) => options.lease !== null).length;
    return Math.max(0, stage.tasks.concurrency - busy);
  }

  /**
   * Makes what runs be what is wanted: starts what is missing, ends what is no longer named. `now`: on the clock of the
   * instruction's times.
   */
  execute(stage: PlanStage, instruction: Execute, now: number, view: GroupView): void {
    const startInMs = Math.max(0, instruction.startAt - now);
    const until = { ...instruction.until, at: performance.now() + instruction.until.at - now };
    const times = { startInMs, until, clockOffsetMs: now - steadyNow() };
    if (this.#stage?.stage.index !== stage.index || this.#stage.attempt !== instruction.attempt) {
      // What an attempt had listed and not told: the next one lists it again.
      this.newTasks = [];
      this.#endOther(stage.index, instruction.attempt);
      const before = this.#stage;
      // Another attempt of the same stage goes on with its tasks.
      if (before?.stage.index !== stage.index || roundOf(before.attempt) !== roundOf(instruction.attempt))
        this.collectTasks();
      this.#stage = {
        stage,
        attempt: instruction.attempt,
        startedAt: performance.now() + startInMs,
        series: { inARow: 0 },
      };
    }
    const own = instruction.tasksOnly ? [] : [instruction.attempt];
    const wanted = new Set([...own, ...instruction.leases.map((lease) => lease.attempt)]);
    for (const [id, attempt] of this.#running) {
      if (!wanted.has(id)) attempt.end({ kind: "stopped", why: "its lease or attempt is no longer in force" });
    }
    if (!instruction.tasksOnly) this.#ensure(stage, instruction, null, times, view);
    for (const lease of instruction.leases) this.#ensure(stage, instruction, lease, times, view);
  }

  /** Ends everything but background commands. `graceMs`: no longer than that between TERM and KILL. */
  endStage(why: Ending, graceMs?: number): void {
    for (const attempt of this.#running.values()) attempt.end(why, graceMs);
  }

  /** Ends all background commands. */
  endBackground(why: Ending, graceMs?: number): void {
    for (const { attempt, over } of this.#background.values()) {
      over.abort();
      attempt.end(why, graceMs);
    }
  }

  /** Ends background commands that a group in stage `at` has no use for. */
  endUnneeded(at: number, graceMs?: number): void {
    for (const [stage, { attempt, over }] of this.#background) {
      const until = this.#around.plan.stages.findIndex(({ name }) => name === attempt.options.stage.background?.until);
      if (stage <= at && at <= until) continue;
      over.abort();
      const why = at < stage ? "the group has gone back before its stage" : "its last stage is over";
      attempt.end({ kind: "stopped", why }, graceMs);
    }
  }

  /** Of a background stage that begins anew the command of the round before. */
  #endOther(stage: number, attempt: string): void {
    const background = this.#background.get(stage);
    if (background === undefined || background.attempt.options.attempt === attempt) return;
    background.over.abort();
    background.attempt.end({ kind: "stopped", why: "its stage has begun a new round" });
  }

  /** Resolves once nothing runs. */
  async settled(): Promise<void> {
    const all = [...this.#running.values(), ...[...this.#background.values()].map(({ attempt }) => attempt)];
    await Promise.all(all.map((attempt) => attempt.ended));
    this.collectTasks();
    await this.#collecting;
  }

  /** What the tasks of the stage have left here, when there are no more of them. What is begun then waits for it. */
  collectTasks(): void {
    const { collector, log, masks } = this.#around;
    const left = this.#stage;
    if (collector === null || left === null || left.stage.tasks === null || this.#beingKept === left) return;
    const { running } = this;
    if (!this.#hasUnkept && running.length === 0) return;
    this.#beingKept = left;
    const { stage, attempt } = left;
    const warn = (text: string): void => log({ kind: "warning", stage, text: masks.text(text) });
    const ended = Promise.all(running.map((each) => each.ended));
    this.#collecting = Promise.all([this.#collecting, ended]).then(async () => {
      this.#hasUnkept = false;
      await collector.collect(stage, attempt, workingDirectoryOf(stage, this.#around), warn);
      this.#beingKept = null;
    });
  }

  #ensure(stage: PlanStage, instruction: Execute, lease: Lease | null, times: Times, view: GroupView): void {
    const id = lease?.attempt ?? instruction.attempt;
    if (this.#running.has(id) || this.#background.get(stage.index)?.attempt.options.attempt === id) return;
    const known = this.#reports.get(id);
    if (known !== undefined) {
      // It is over, but the coordinator does not know (its memory is older than ours): say it again.
      if (!this.finished.includes(known)) this.finished.push(known);
      return;
    }
    const attempt = new Attempt(this.#optionsFor(stage, instruction, lease, times, view), this.#around);
    if (stage.background !== null && lease === null) this.#keep(stage, attempt);
    else this.#running.set(id, attempt);
    void attempt.ended.then((report) => this.#onEnded(id, stage, report));
  }

  #optionsFor(
    stage: PlanStage,
    instruction: Execute,
    lease: Lease | null,
    times: Times,
    view: GroupView,
  ): AttemptOptions {
    const generator = lease === null && stage.tasks?.source.kind === "from";
    return {
      stage,
      attempt: lease?.attempt ?? instruction.attempt,
      attemptNumber: instruction.attemptNumber,
      lease,
      command: commandFor(stage, lease),
      generator,
      after: this.#ending(),
      ...times,
      timesFrom: lease === null ? null : (this.#stage?.startedAt ?? null),
      series: this.#stage?.series ?? { inARow: 0 },
      partition: instruction.partition,
      ...(instruction.because === undefined ? {} : { because: instruction.because }),
      ...view,
      onTasks: (values) => {
        this.newTasks.push(...values);
        this.#onChange();
      },
    };
  }

  /** Resolves once everything that has been told to end is gone. */
  #ending(): Promise<unknown> {
    const all = [...this.#running.values(), ...[...this.#background.values()].map(({ attempt }) => attempt)];
    const ending = all.filter((attempt) => attempt.isEnding).map((attempt) => attempt.ended);
    return Promise.all([...ending, this.#collecting]);
  }

  #keep(stage: PlanStage, attempt: Attempt): void {
    const over = new AbortController();
    const entry = { attempt, over, ready: false };
    this.#background.set(stage.index, entry);
    const cancel = after(stage.timeoutMs, () => attempt.end({ kind: "time_over", limit: "timeout" }));
    void attempt.ended.then(() => over.abort());
    void becomesReady(stage, attempt, this.#around, over.signal).then((ready) => {
      cancel();
      if (!ready) return;
      entry.ready = true;
      this.#around.log({ kind: "ready", stage });
      this.#onChange();
    });
  }

  #onEnded(id: string, stage: PlanStage, report: AttemptReport): void {
    this.#running.delete(id);
    if (this.#background.get(stage.index)?.attempt.options.attempt === id) this.#background.delete(stage.index);
    if (report.task !== null) this.#hasUnkept = true;
    // Dropped to begin anew: the coordinator has been told of the reset, and gives a new attempt.
    if (report.end.kind === "reset") return;
    this.finished.push(report);
    this.#reports.set(id, report);
    if (this.#reports.size > KEPT_REPORTS) {
      for (const oldest of this.#reports.keys()) {
        this.#reports.delete(oldest);
        break;
      }
    }
    this.#onChange();
  }
}

/** A stage with tasks runs its command once a task; its own attempt is only the generator, if there is one. */
function commandFor(stage: PlanStage, lease: Lease | null): Command | null {
  if (stage.quorum !== undefined) {
    const validator = stage.quorum.validators.find(({ name }) => name === lease?.task);
    return validator === undefined ? null : { kind: "script", script: validator.run };
  }
  if (stage.tasks === null || lease !== null) return stage.command;
  return stage.tasks.source.kind === "from" ? { kind: "script", script: stage.tasks.source.command } : null;
}
