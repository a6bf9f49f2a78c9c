/**
 * A model of an agent: what `src/agent` does, without processes. It tells what is, does what it is told, repeats a
 * request until it is answered, and can be killed, frozen, revived and reset at any moment.
 */
import type { Json, Plan, PlanStage } from "../../src/plan/plan.ts";
import type { Instruction, Lease } from "../../src/run/instruction.ts";
import { roundOf } from "../../src/run/stage/attempt-id.ts";
import type { AgentStatus, AttemptEnd, AttemptReport, Ballot, Progress, RunEvent, Sync } from "../../src/run/types.ts";
import { machineOf, report, synced } from "../run/builders.ts";

type Execute = Extract<Instruction, { do: "execute" }>;

/** What the world gives an agent. */
export interface Surroundings {
  readonly plan: Plan;
  readonly now: () => number;
  readonly later: (ms: number, what: () => void) => void;
  /** May arrive late, twice, or never. The answer comes back to `answered`. */
  readonly tell: (event: Extract<RunEvent, { type: "joined" | "synced" | "reset" | "left" }>, from: ModelAgent) => void;
  /** How long an attempt takes and how it ends by itself. */
  readonly fate: (stage: PlanStage) => { readonly ms: number; readonly end: AttemptEnd; readonly isUnendable: boolean };
  /** What an attempt at a stage tells as tasks of a later one. */
  readonly laterTasks: (agent: ModelAgent) => readonly Json[];
  /** How a validator votes; undefined: it prints nothing. */
  readonly vote: () => Ballot | undefined;
  /** After how long an attempt that cannot be ended is left to itself; told of each that is to end. */
  readonly giveUpMs: (agent: ModelAgent, attempt: string, isOver: () => boolean) => number;
  /** It has been excluded, and cleans up by itself. */
  readonly onExcluded: (agent: ModelAgent) => void;
  /** The machine that it is on. */
  readonly hostOf: (index: number) => string;
  readonly onStart: (agent: ModelAgent, stage: number, attempt: string, startAt: number) => void;
}

interface Running {
  readonly stage: PlanStage;
  readonly attempt: string;
  readonly task: string | null;
  readonly startAt: number;
  readonly isBackground: boolean;
  readonly share: number;
  readonly until: Execute["until"];
  started: boolean;
  over: boolean;
  isUnendable: boolean;
}

type Request = Extract<RunEvent, { type: "joined" | "synced" | "reset" | "left" }>;

const HEARTBEAT_MS = 1_000;
const REPEAT_MS = 1_500;
const GRACE_MS = 300;

export class ModelAgent {
  readonly name: string;
  readonly index: number;
  readonly #around: Surroundings;
  alive = false;
  frozen = false;
  finished = false;
  #excluded = false;
  #life = 0;
  #sequence = 0;
  #resets = 0;
  #request: Request | null = null;
  #instruction: Instruction | null = null;
  #running = new Map<string, Running>();
  /** Stage -> the background attempt that is ready there. */
  #ready = new Map<number, string>();
  /** What it was told to execute last. */
  #own = "";
  #reports: AttemptReport[] = [];
  #known = new Map<string, AttemptReport>();
  #newTasks: Json[] = [];
  /** What came in while it was frozen. */
  #held: (() => void)[] = [];

  constructor(name: string, index: number, around: Surroundings) {
    this.name = name;
    this.index = index;
    this.#around = around;
  }

  get session(): string {
    return `${this.name}#${this.#life}`;
  }

  /** A new life: nothing of the old one is left. */
  revive(): void {
    this.#life++;
    this.alive = true;
    this.frozen = false;
    this.finished = false;
    this.#sequence = 0;
    this.#resets = 0;
    this.#request = null;
    this.#instruction = null;
    this.#running = new Map();
    this.#ready = new Map();
    this.#reports = [];
    this.#known = new Map();
    this.#newTasks = [];
    this.#own = "";
    this.#held = [];
    this.#ask({
      type: "joined",
      at: 0,
      agent: this.name,
      session: this.session,
      role: null,
      index: this.index,
      address: null,
      checkRunId: null,
      machine: machineOf(this.#around.hostOf(this.index)),
    });
  }

  kill(): void {
    this.alive = false;
    this.#running = new Map();
  }

  freeze(ms: number): void {
    this.frozen = true;
    const life = this.#life;
    this.#around.later(ms, () => {
      if (life !== this.#life || !this.alive) return;
      this.frozen = false;
      for (const what of this.#held.splice(0)) what();
    });
  }

  reset(): void {
    if (this.finished || this.#request?.type === "joined") return;
    for (const running of this.#running.values()) running.over = true;
    this.#running = new Map();
    this.#ready = new Map();
    this.#instruction = null;
    this.#ask({
      type: "reset",
      at: 0,
      agent: this.name,
      session: this.session,
      sequence: ++this.#resets,
      why: "SIGHUP",
    });
  }

  leave(): void {
    if (this.finished || this.#request?.type === "joined") return;
    this.kill();
    this.#around.tell({ type: "left", at: 0, agent: this.name, session: this.session, why: "SIGTERM" }, this);
  }

  /** The answer to a request of the present life; `null`: it was refused and is asked again later. */
  answered(to: Request, instruction: Instruction | null): void {
    this.#act(() => {
      if (to !== this.#request) return;
      this.#request = null;
      if (instruction === null) {
        this.#after(500, () => this.#ask(to));
        return;
      }
      if (to.type === "synced") {
        this.#reports = this.#reports.filter((one) => !to.finished.includes(one));
        this.#newTasks = this.#newTasks.slice(to.addTasks.length);
      }
      const isNews = JSON.stringify(instruction) !== JSON.stringify(this.#instruction);
      this.#instruction = instruction;
      if (instruction.do === "finish") {
        this.finished = true;
        this.#running = new Map();
        return;
      }
      const before = this.#wants();
      this.#carryOut(instruction);
      const more = isNews || this.#reports.length > 0 || this.#newTasks.length > 0 || this.#wants() !== before;
      this.#after(more ? 20 : HEARTBEAT_MS, () => this.#sync());
    });
  }

  /** Told to stop for good because the run refuses it. */
  giveUp(): void {
    this.finished = true;
    this.#running = new Map();
  }

  #carryOut(instruction: Instruction): void {
    switch (instruction.do) {
      case "wait":
      case "stop":
        this.#endAll(false, { kind: "stopped", why: instruction.do });
        return;
      case "exclude":
        if (!this.#excluded) this.#around.onExcluded(this);
        this.#excluded = true;
        this.#endAll(true, { kind: "stopped", why: instruction.do });
        return;
      case "abort":
        this.#endAll(true, { kind: "stopped", why: instruction.do });
        return;
      case "execute":
        this.#execute(instruction);
        return;
      case "finish":
        return;
    }
  }

  #execute(instruction: Execute): void {
    const stage = this.#around.plan.stages[instruction.stage];
    if (stage === undefined) throw new Error(`told to execute stage ${instruction.stage}, which does not exist`);
    if (this.#own !== instruction.attempt) this.#newTasks = [];
    this.#own = instruction.attempt;
    this.#endUnneeded(instruction.stage, instruction.attempt);
    const leases = new Map<string, Lease>(instruction.leases.map((lease) => [lease.attempt, lease]));
    for (const running of this.#running.values()) {
      if (running.isBackground || running.attempt === instruction.attempt || leases.has(running.attempt)) continue;
      this.#end(running, { kind: "stopped", why: "no longer in force" }, GRACE_MS);
    }
    const share = instruction.partition === null ? 0 : instruction.partition.end - instruction.partition.start;
    const { startAt, until } = instruction;
    const times = { startAt, until };
    if (!instruction.tasksOnly) this.#start(stage, instruction.attempt, null, times, share);
    for (const lease of leases.values()) this.#start(stage, lease.attempt, lease.task, times, 1);
  }

  #start(
    stage: PlanStage,
    attempt: string,
    task: string | null,
    { startAt, until }: Pick<Execute, "startAt" | "until">,
    share: number,
  ): void {
    if (this.#running.has(attempt)) return;
    const known = this.#known.get(attempt);
    if (known !== undefined) {
      if (!this.#reports.includes(known)) this.#reports.push(known);
      return;
    }
    const isBackground = stage.background !== null && task === null;
    const so = { started: false, over: false, isUnendable: false };
    const running: Running = { stage, attempt, task, startAt, isBackground, share, until, ...so };
    this.#running.set(attempt, running);
    this.#after(Math.max(0, startAt - this.#around.now()), () => this.#begin(running), running);
  }

  #begin(running: Running): void {
    const { stage, attempt, task, startAt } = running;
    running.started = true;
    this.#around.onStart(this, stage.index, attempt, startAt);
    const { ms, end, isUnendable } = this.#around.fate(stage);
    running.isUnendable = isUnendable;
    if (running.isBackground) {
      this.#after(
        Math.min(ms, 2_000),
        () => {
          this.#ready.set(stage.index, attempt);
          this.#news();
        },
        running,
      );
      if (end.kind === "exited" && end.code !== 0) this.#after(ms + 1_000, () => this.#end(running, end, 0), running);
      return;
    }
    if (stage.tasks?.source.kind === "from" && task === null) {
      this.#after(
        ms / 2,
        () => {
          this.#newTasks.push("a", "b", { n: 1 }, { n: 2 });
          this.#news();
        },
        running,
      );
    }
    const validator = stage.quorum?.validators.find(({ name }) => name === task);
    const endless = stage.completion === "duration" && end.kind === "exited" && end.code === 0;
    if (end.kind === "exited" && !endless) this.#after(ms, () => this.#end(running, end, 0), running);
    for (const [limit, at] of [
      ["duration", stage.durationMs],
      ["max_duration", stage.maxDurationMs],
      ["attempt_timeout", validator?.timeoutMs ?? stage.retry.attemptTimeoutMs],
      [running.until.limit, Math.max(0, running.until.at - this.#around.now())],
    ] as const) {
      if (at !== null) this.#after(at, () => this.#end(running, { kind: "time_over", limit }, 0), running);
    }
  }

  /** Background commands of later stages, and of this one's earlier rounds: the group has gone back. */
  #endUnneeded(at: number, attempt: string): void {
    for (const running of this.#running.values()) {
      const { index } = running.stage;
      if (!running.isBackground || index < at || running.attempt === attempt) continue;
      this.#ready.delete(index);
      this.#end(running, { kind: "stopped", why: "the group has gone back" }, GRACE_MS);
    }
  }

  /** Those of later rounds that its word is about. */
  #attempts(): Pick<Sync, "attempts"> {
    const attempts = [this.#own, ...this.#ready.values()].filter((attempt) => roundOf(attempt) > 1);
    return attempts.length > 0 ? { attempts } : {};
  }

  #endAll(background: boolean, end: AttemptEnd): void {
    for (const running of this.#running.values())
      if (background || !running.isBackground) this.#end(running, end, GRACE_MS);
  }

  #end(running: Running, end: AttemptEnd, graceMs: number): void {
    if (running.over) return;
    running.over = true;
    const isLeft = running.isUnendable && end.kind !== "exited";
    const life = this.#life;
    const isOver = (): boolean => life !== this.#life || !this.alive || this.#running.get(running.attempt) !== running;
    const ms = isLeft ? this.#around.giveUpMs(this, running.attempt, isOver) : graceMs;
    this.#after(ms, () => {
      if (this.#running.get(running.attempt) !== running) return;
      this.#running.delete(running.attempt);
      if (this.#ready.get(running.stage.index) === running.attempt) this.#ready.delete(running.stage.index);
      const now = this.#around.now();
      const done = end.kind === "exited" && end.code === 0 ? running.share : 0;
      const later = this.#told(running, end);
      const told = report({
        stage: running.stage.index,
        attempt: running.attempt,
        task: running.task,
        startedAt: Math.min(now, running.startAt),
        endedAt: now,
        end,
        progress: running.share > 0 ? { done, total: running.share, errors: 0 } : null,
        outputs: { from: this.name, ...(later.laterTasks === undefined ? {} : { told: true }) },
        metrics: [{ name: "ops", value: 1, unit: "", agg: "sum", count: 1 }],
        ...this.#voted(running, end),
        ...later,
      });
      this.#reports.push(told);
      this.#known.set(running.attempt, told);
      this.#news();
    });
  }

  #told({ stage, task }: Running, end: AttemptEnd): Pick<AttemptReport, "laterTasks"> {
    const { plan } = this.#around;
    const isSource = plan.stages.some(
      ({ tasks }) => tasks?.source.kind === "stage" && tasks.source.stage === stage.name,
    );
    if (!isSource || task !== null || end.kind !== "exited") return {};
    const laterTasks = this.#around.laterTasks(this);
    return laterTasks.length === 0 ? {} : { laterTasks };
  }

  #voted({ stage, task }: Running, end: AttemptEnd): Pick<AttemptReport, "ballot"> {
    if (stage.quorum === undefined || task === null || end.kind !== "exited" || end.code !== 0) return {};
    const ballot = this.#around.vote();
    return ballot === undefined ? {} : { ballot };
  }

  /** Something to tell: with the next sync, at once if none is on its way. */
  #news(): void {
    this.#after(10, () => this.#sync());
  }

  #sync(): void {
    if (this.#request !== null || this.finished) return;
    const now = this.#instruction;
    const stage = now !== null && "stage" in now ? now.stage : null;
    this.#ask(
      synced(this.name, 0, {
        session: this.session,
        sequence: ++this.#sequence,
        doing: now?.do ?? "joining",
        status: this.#status(),
        stage,
        progress: this.#progress(),
        finished: [...this.#reports],
        wants: this.#wants(),
        addTasks: [...this.#newTasks],
        ready: [...this.#ready.keys()],
        ...this.#attempts(),
      }),
    );
  }

  #foreground(): readonly Running[] {
    return [...this.#running.values()].filter(({ isBackground }) => !isBackground);
  }

  #status(): AgentStatus {
    const now = this.#instruction;
    if (now?.do === "execute") return this.#foreground().length > 0 ? "running" : "at_barrier";
    return now?.do === "abort" ? "aborting" : "idle";
  }

  #progress(): Progress | null {
    const shares = this.#foreground().filter(({ share }) => share > 0);
    return shares.length === 0
      ? null
      : { done: 0, total: shares.reduce((sum, { share }) => sum + share, 0), errors: 0 };
  }

  #wants(): number {
    const now = this.#instruction;
    const tasks = now?.do === "execute" ? (this.#around.plan.stages[now.stage]?.tasks ?? null) : null;
    const busy = this.#foreground().filter(({ task }) => task !== null).length;
    return tasks === null ? 0 : Math.max(0, tasks.concurrency - busy);
  }

  /** Sends a request and repeats it until it is answered. */
  #ask(request: Request): void {
    this.#request = request;
    const again = (): void => {
      if (this.#request !== request) return;
      this.#around.tell(request, this);
      this.#after(REPEAT_MS, again);
    };
    again();
  }

  /** Later in this same life (and, if given, as long as that runs). */
  #after(ms: number, what: () => void, running?: Running): void {
    const life = this.#life;
    this.#around.later(ms, () => {
      if (life !== this.#life || !this.alive) return;
      this.#act(() => {
        if (running === undefined || (!running.over && this.#running.get(running.attempt) === running)) what();
      });
    });
  }

  #act(what: () => void): void {
    if (this.frozen) this.#held.push(what);
    else if (this.alive) what();
  }
}
