/**
 * Hosts one run: feeds what happens into the machine with the real clock, and holds agents until there is news.
 *
 * Everything that decides is the machine's; who may speak, and over what, is the caller's.
 */
import { apply, instructionFor, isOver, nextDeadline, start, summaryOf } from "../run/machine.ts";
import type { RunState } from "../run/state.ts";
import type { Instruction, RunEvent, RunSummary, Sync } from "../run/types.ts";
import type { JoinRequest, SyncAnswer } from "./port.ts";

/** setTimeout takes at most 2^31 - 1 ms. */
const LONGEST_TIMER = 2_000_000_000;

export type Created = Extract<RunEvent, { type: "created" }>;

export interface RunHostOptions {
  readonly created: Created;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Told after each change, in the same tick; must not throw. */
  readonly onChange?: (host: RunHost) => void;
  /**
   * Keeps events; an agent's answer waits for it. Heartbeats (syncs that tell nothing new) are not among them.
   * Rejects: the agents get the error and ask again.
   */
  readonly append?: (events: readonly RunEvent[]) => Promise<void>;
}

interface Waiter {
  readonly agent: string;
  readonly wake: () => void;
}

export class RunHost {
  readonly #options: RunHostOptions;
  readonly #now: () => number;
  readonly #waiters = new Set<Waiter>();
  /** Per agent: what its last answer instructed, as `newsKey`. */
  readonly #answered = new Map<string, string>();
  /** Per agent: the number of the last notice that it was told. */
  readonly #told = new Map<string, number>();
  #state: RunState;
  #timer: NodeJS.Timeout | null = null;
  #flush: NodeJS.Immediate | null = null;
  #stored: Promise<void> = Promise.resolve();

  constructor(options: RunHostOptions, state?: RunState) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#state = state ?? start(options.created);
    this.#arm();
  }

  get state(): RunState {
    return this.#state;
  }

  get isOver(): boolean {
    return isOver(this.#state.status);
  }

  /** Takes an agent in (or back). The machine may refuse: then its reason is among the answer's notices. */
  async join(request: JoinRequest, session: string, checkRunId: string | null): Promise<{ readonly now: number }> {
    const { agent, role, index, address } = request;
    await this.commit({ type: "joined", at: this.#now(), agent, session, role, index, address, checkRunId });
    this.#answered.delete(agent);
    return { now: this.#now() };
  }

  /** Applies what an agent tells; answers at once when its instruction is new, else with news or after `holdMs`. */
  async sync(sync: Sync, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    signal.throwIfAborted();
    await this.commit({ type: "synced", at: this.#now(), ...sync });
    await this.#news(sync.agent, holdMs, signal);
    await this.#stored;
    return this.#answer(sync.agent);
  }

  async reset(agent: string, session: string, why: string): Promise<void> {
    await this.commit({ type: "reset", at: this.#now(), agent, session, why });
    this.#answered.delete(agent);
  }

  async leave(agent: string, session: string, why: string): Promise<void> {
    await this.commit({ type: "left", at: this.#now(), agent, session, why });
  }

  async approve(stage: number, by: string): Promise<void> {
    await this.commit({ type: "approved", at: this.#now(), stage, by });
  }

  async cancel(by: string, why: string): Promise<void> {
    await this.commit({ type: "cancelled", at: this.#now(), by, why });
  }

  /** Where the run stands, whether it is over or not. */
  summary(): RunSummary {
    return summaryOf(this.#state);
  }

  /** Stops its timer; held agents are answered. The run itself goes on where another host takes it up. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const waiter of this.#waiters) waiter.wake();
  }

  /** Applies one event and tells everyone concerned. Resolves when it is kept. */
  async commit(event: RunEvent): Promise<void> {
    const before = this.#state;
    this.#state = apply(before, event);
    // Heartbeats do not raise it.
    if (this.#options.append !== undefined && this.#state.revision !== before.revision) {
      const { append } = this.#options;
      this.#stored = this.#stored.then(() => append([event]));
      await this.#stored;
    }
    this.#options.onChange?.(this);
    this.#arm();
    // Once for everything that arrives in one turn of the event loop: with many agents, most of a barrier.
    this.#flush ??= setImmediate(() => {
      this.#flush = null;
      for (const waiter of this.#waiters) {
        if (this.#isNews(waiter.agent)) waiter.wake();
      }
    });
  }

  #isNews(agent: string): boolean {
    return this.#answered.get(agent) !== newsKey(instructionFor(this.#state, agent));
  }

  #news(agent: string, holdMs: number, signal: AbortSignal): Promise<void> {
    if (holdMs <= 0 || this.#isNews(agent)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        agent,
        wake: () => {
          done();
          resolve();
        },
      };
      const onAbort = (): void => {
        done();
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      const timer = setTimeout(() => waiter.wake(), holdMs);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #answer(agent: string): SyncAnswer {
    const instruction = instructionFor(this.#state, agent);
    this.#answered.set(agent, newsKey(instruction));
    return {
      instruction,
      now: this.#now(),
      roster: this.#state.roster,
      outputs: this.#state.outputs,
      notices: this.#noticesFor(agent),
    };
  }

  /** What this agent has not been told yet. */
  #noticesFor(agent: string): string[] {
    const told = this.#told.get(agent) ?? 0;
    const { notices, noticeSeq } = this.#state;
    this.#told.set(agent, noticeSeq);
    return notices.filter((notice) => notice.seq > told && (notice.agent ?? agent) === agent).map(({ text }) => text);
  }

  /** Time is an event, too: the next one at which the machine has something to decide. */
  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.isOver ? null : nextDeadline(this.#state);
    if (at === null) return;
    const ms = Math.min(LONGEST_TIMER, Math.max(1, at - this.#now()));
    this.#timer = setTimeout(() => void this.commit({ type: "ticked", at: this.#now() }), ms);
  }
}

/** What of an instruction is news. Who is awaited and since when changes all the time, and comes with each answer. */
function newsKey(instruction: Instruction): string {
  switch (instruction.do) {
    case "wait":
      return JSON.stringify([instruction.do, instruction.reason, instruction.stage, instruction.until]);
    case "execute": {
      const leases = instruction.leases.map((lease) => lease.attempt);
      return JSON.stringify([instruction.do, instruction.attempt, instruction.startAt, instruction.tasksOnly, leases]);
    }
    case "stop":
      return JSON.stringify([instruction.do, instruction.stage, instruction.why]);
    case "abort":
    case "exclude":
      return JSON.stringify([instruction.do, instruction.why]);
    case "finish":
      return instruction.do;
    default:
      return instruction satisfies never;
  }
}
