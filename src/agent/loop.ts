/**
 * The agent's loop: tell the coordinator what is, get told what to do, do it, again and again.
 *
 * It decides nothing about the run. Everything is level-triggered: the same instruction twice changes nothing, and an
 * instruction that was missed is given again with the next answer.
 */
import type { CoordinatorPort, JoinRequest, SyncAnswer } from "../coordinator/protocol/port.ts";
import { RunEnded } from "../coordinator/protocol/refusal.ts";
import { WIRE_BOUNDS } from "../plan/bounds.ts";
import { COORDINATOR_SILENCE_MS, heartbeatOf } from "../plan/liveness.ts";
import type { PlanStage } from "../plan/plan.ts";
import type { Instruction } from "../run/instruction.ts";
import type { RunSummary } from "../run/result/record.ts";
import { ownCleanup } from "../run/stage/participants.ts";
import type { Sync } from "../run/types.ts";
import { steadyNow } from "../steady-clock.ts";
import type { Surroundings } from "./attempt-options.ts";
import { missedCleanup, runCleanup } from "./cleanup.ts";
import { after, ClockOffset, NEWS, sleepFor } from "./clock.ts";
import { endOfLateJoin, type LoopEnd } from "./loop-end.ts";
import { within } from "./output/report-limits.ts";
import { GRACE_MS, SHUTDOWN_GRACE_MS } from "./process/ending.ts";
import { LoopRemarks } from "./remarks.ts";
import { doingOf, statusOf } from "./status.ts";
import { type GroupView, viewOf, Work } from "./work.ts";

/** At least so long between two syncs that are answered at once and change nothing. */
const QUIET_MS = 100;

export interface LoopOptions {
  readonly join: JoinRequest;
  readonly coordinator: CoordinatorPort;
  readonly around: Surroundings;
  /** Milliseconds; default 90 s. */
  readonly silenceMs?: number;
}

export class AgentLoop {
  readonly #options: LoopOptions;
  readonly #work: Work;
  readonly #clock = new ClockOffset();
  readonly #remarks: LoopRemarks;
  readonly #leaving = new AbortController();
  readonly #silence = new AbortController();
  #hold: AbortController | null = null;
  #cancelSilence: () => void = () => undefined;
  #hasNews = false;
  #toldWants = 0;
  #resetWhy: string | null = null;
  #leaveWhy = "";
  /** No command gets longer between TERM and KILL, whatever its stage says. */
  #graceMs = Number.POSITIVE_INFINITY;
  #instruction: Instruction | null = null;
  #view: GroupView;
  #excluded: string | null = null;
  #cleanup: Promise<unknown> | null = null;
  #worked = false;
  #assembled = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#work = new Work(options.around, () => this.#wake());
    this.#remarks = new LoopRemarks(options.around.plan, options.around.log, () => this.#now());
    const { agent, index, role, address } = options.join;
    const member = { name: agent, index: index ?? 0, role, roleIndex: 0, address };
    this.#view = { member, roster: [member], outputs: {} };
  }

  /** From joining to the end of the run. @throws what the coordinator refuses, once nothing runs any more */
  async run(): Promise<LoopEnd> {
    const { coordinator, join, around } = this.#options;
    try {
      this.#armSilence();
      const signal = AbortSignal.any([this.#leaving.signal, this.#silence.signal]);
      try {
        const joined = await coordinator.join(join, signal, () => this.#armSilence());
        around.masks.hold(joined.session);
        this.#clock.sample(joined.now, steadyNow());
        around.log({ kind: "joined", agent: join.agent });
        this.#armSilence();
        for (;;) {
          const finished = await this.#turn(signal);
          if (finished !== null) return { kind: "finished", summary: finished, excluded: this.#excluded };
        }
      } catch (error) {
        if (error instanceof RunEnded) return endOfLateJoin(error, join, around.log);
        if (this.#leaving.signal.aborted) return await this.#left();
        if (!this.#silence.signal.aborted) throw error;
        const why = `the coordinator has not answered for ${Math.round(this.#silenceMs / 1000)} s: this agent stops its work`;
        this.#warn(why);
        return { kind: "unreachable", why };
      }
    } finally {
      this.#cancelSilence();
      this.#remarks.waits(null);
      await this.#endAll("the run is over for this agent");
    }
  }

  /** Drops what it is doing and begins anew as idle (SIGHUP). */
  reset(why: string): void {
    this.#resetWhy = why;
    this.#wake();
  }

  /** Ends its work within seconds and tells the coordinator that it is gone. `run` resolves with `left`. */
  leave(why: string, graceMs = SHUTDOWN_GRACE_MS): void {
    this.#leaveWhy = why;
    this.hurry(graceMs);
    this.#leaving.abort();
  }

  /** From now on commands get this short a grace between TERM and KILL. */
  hurry(graceMs = SHUTDOWN_GRACE_MS): void {
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    this.#options.around.collector?.hurry();
  }

  /** KILLs what runs, without any grace. */
  kill(): void {
    this.hurry(0);
    this.#work.endStage({ kind: "stopped", why: "killed" }, 0);
    this.#work.endBackground({ kind: "stopped", why: "killed" }, 0);
  }

  /** One exchange. @returns the run's summary when it is over. */
  async #turn(signal: AbortSignal): Promise<RunSummary | null> {
    if (this.#resetWhy !== null) await this.#reset(this.#resetWhy, signal);
    const began = performance.now();
    const before = this.#instruction;
    const answer = await this.#sync(signal);
    if (answer === null) return null;
    this.#armSilence();
    this.#clock.sample(answer.now, steadyNow());
    this.#remarks.clock(this.#clock.ms);
    for (const text of answer.notices) this.#options.around.log({ kind: "notice", text });
    this.#see(answer);
    this.#instruction = answer.instruction;
    const { instruction } = answer;
    this.#remarks.waits(instruction.do === "wait" ? instruction : null);
    if (instruction.do === "finish") {
      await this.#cleanUpIfMissed(instruction.summary);
      return instruction.summary;
    }
    this.#carryOut(instruction);
    // A coordinator that does not hold must not make this a busy loop.
    const quiet = !this.#hasNews && JSON.stringify(before) === JSON.stringify(instruction);
    if (quiet && performance.now() - began < QUIET_MS) {
      this.#hold = new AbortController();
      await sleepFor(QUIET_MS, AbortSignal.any([signal, this.#hold.signal]));
      this.#hold = null;
    }
    return null;
  }

  /** @returns null when local news cut the wait short: they are told with the next call. */
  async #sync(signal: AbortSignal): Promise<SyncAnswer | null> {
    const work = this.#work;
    // With news it is not held, and so never cut: what has been sent gets its answer.
    const holdMs = this.#hasNews || this.#instruction === null ? 0 : this.#heartbeatMs();
    this.#hasNews = false;
    const content = this.#content();
    const hold = new AbortController();
    if (holdMs > 0) this.#hold = hold;
    try {
      const cut = AbortSignal.any([signal, hold.signal]);
      const answer = await this.#options.coordinator.sync(content, holdMs, cut, () => this.#armSilence());
      work.finished = work.finished.filter((report) => !content.finished.includes(report));
      work.newTasks = work.newTasks.slice(content.addTasks.length);
      if (work.newTasks.length > 0 || work.finished.length > 0) this.#hasNews = true;
      return answer;
    } catch (error) {
      if (hold.signal.aborted && !signal.aborted) return null;
      throw error;
    } finally {
      this.#hold = null;
    }
  }

  #content(): Omit<Sync, "session" | "agent"> {
    const work = this.#work;
    const instruction = this.#instruction;
    const stage = stageOf(instruction);
    const planned = stage === null ? undefined : this.#options.around.plan.stages[stage];
    const takesTasks = instruction?.do === "execute" || (instruction?.do === "wait" && instruction.reason === "tasks");
    const wants = takesTasks && planned !== undefined ? work.wants(planned) : 0;
    this.#toldWants = wants;
    const addTasks = within(work.newTasks, WIRE_BOUNDS.tasks, WIRE_BOUNDS.taskBytes);
    // The end of what lists tasks comes after them.
    const isListed = addTasks.length === work.newTasks.length;
    const { attempts } = work;
    const activity = { instruction, stage: planned, running: work.running.length, excluded: this.#excluded !== null };
    return {
      doing: doingOf(activity),
      status: statusOf(activity),
      stage,
      progress: work.progress,
      finished: isListed ? within(work.finished, WIRE_BOUNDS.reports, WIRE_BOUNDS.reportBytes) : [],
      wants,
      addTasks,
      ready: work.ready,
      outputs: stage === null ? {} : work.outputsOf(stage),
      ...(attempts.length > 0 ? { attempts } : {}),
    };
  }

  #carryOut(instruction: Exclude<Instruction, { do: "finish" }>): void {
    const work = this.#work;
    const { log, plan } = this.#options.around;
    switch (instruction.do) {
      case "wait": {
        this.#remarks.checkpoint(instruction);
        work.endStage({ kind: "stopped", why: "the group is no longer in this stage" }, this.#graceMs);
        if (instruction.reason !== "tasks") work.collectTasks();
        if (instruction.stage !== null) work.endUnneeded(instruction.stage, this.#graceMs);
        return;
      }
      case "execute": {
        const stage = plan.stages[instruction.stage];
        if (stage === undefined)
          throw new Error(`the coordinator names stage ${instruction.stage}, which the plan lacks`);
        work.endUnneeded(instruction.stage, this.#graceMs);
        this.#worked = true;
        work.execute(stage, instruction, this.#now(), this.#view);
        if (work.wants(stage) !== this.#toldWants) this.#hasNews = true;
        return;
      }
      case "stop":
        work.endStage({ kind: "stopped", why: instruction.why }, this.#graceMs);
        return;
      case "abort":
        this.#stopAll(instruction.why);
        return;
      case "exclude":
        if (this.#excluded !== null) return;
        this.#excluded = instruction.why;
        log({ kind: "excluded", why: instruction.why });
        this.#stopAll(instruction.why);
        this.#cleanup = work
          .settled()
          .then(() => runCleanup(this.#ownCleanup(), this.#options.around, this.#view, this.#leaving.signal))
          .finally(() => this.#wake());
        return;
      default:
        instruction satisfies never;
    }
  }

  /** The run ended while this agent was out of reach: the group's cleanup has not been here. */
  async #cleanUpIfMissed(summary: RunSummary): Promise<void> {
    const { around } = this.#options;
    if (!this.#worked || this.#cleanup !== null) return;
    const missed = missedCleanup(this.#ownCleanup(), summary, this.#view.member.name);
    if (missed.length === 0) return;
    this.#warn("the group has cleaned up without this agent: doing its part now");
    this.#stopAll("the run is over");
    await this.#work.settled();
    await runCleanup(missed, around, this.#view, this.#leaving.signal);
  }

  /** What it cleans up when the group goes on, or has ended, without it. */
  #ownCleanup(): readonly PlanStage[] {
    const { around, join } = this.#options;
    const { member, roster } = this.#view;
    return ownCleanup(around.plan, join.selection, { agent: member.name, group: roster, leftOut: true });
  }

  /** The group as it was told last. */
  get view(): GroupView {
    return this.#view;
  }

  #see(answer: SyncAnswer): void {
    this.#view = viewOf(answer, this.#view);
    if (answer.roster === null || this.#assembled) return;
    this.#assembled = true;
    const { member, roster } = this.#view;
    this.#options.around.log({ kind: "assembled", member, roster });
  }

  #stopAll(why: string): void {
    this.#work.endStage({ kind: "stopped", why }, this.#graceMs);
    this.#work.endBackground({ kind: "stopped", why }, this.#graceMs);
  }

  async #reset(why: string, signal: AbortSignal): Promise<void> {
    this.#resetWhy = null;
    this.#work.endStage({ kind: "reset" }, this.#graceMs);
    this.#work.endBackground({ kind: "reset" }, this.#graceMs);
    // The coordinator is told at once, so that it does not wait for what is being dropped.
    await this.#options.coordinator.reset(why, signal);
    await this.#work.settled();
    // Whoever told of them does so again.
    this.#work.newTasks = [];
    this.#instruction = null;
    this.#warn(`reset (${why}): dropped its work, rejoins as idle`);
  }

  async #left(): Promise<LoopEnd> {
    await this.#endAll(this.#leaveWhy);
    let told = false;
    try {
      await this.#options.coordinator.leave(this.#leaveWhy, AbortSignal.timeout(1_000));
      told = true;
    } catch (error) {
      this.#warn(`could not tell the coordinator: ${error instanceof Error ? error.message : String(error)}`);
    }
    return { kind: "left", why: this.#leaveWhy, told };
  }

  async #endAll(why: string): Promise<void> {
    this.#stopAll(why);
    await this.#cleanup;
    await this.#work.settled();
    await this.#options.around.processes.endAll(Math.min(this.#graceMs, GRACE_MS));
  }

  #warn(text: string): void {
    this.#options.around.log({ kind: "warning", stage: null, text });
  }

  #wake(): void {
    this.#hasNews = true;
    this.#hold?.abort(NEWS);
  }

  get #silenceMs(): number {
    return this.#options.silenceMs ?? COORDINATOR_SILENCE_MS;
  }

  #armSilence(): void {
    this.#cancelSilence();
    this.#cancelSilence = after(this.#silenceMs, () => this.#silence.abort());
  }

  /** How long the next request may be held. An agent may be heard from more often than it has to be, not less. */
  #heartbeatMs(): number {
    return Math.min(heartbeatOf(this.#options.around.plan, stageOf(this.#instruction)), WIRE_BOUNDS.holdMs);
  }

  /** Now, on the coordinator's clock. */
  #now(): number {
    return steadyNow() + this.#clock.ms;
  }
}

function stageOf(instruction: Instruction | null): number | null {
  return instruction !== null && "stage" in instruction ? instruction.stage : null;
}
