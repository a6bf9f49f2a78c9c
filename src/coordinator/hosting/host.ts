/**
 * Hosts one run: feeds what happens into the machine with the real clock, keeps it, and holds agents until there is
 * something new. Everything that decides is the machine's; who may speak, and over what, is the caller's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Instruction } from "../../run/instruction.ts";
import {
  apply,
  begin,
  type Created,
  instructionFor,
  newPhases,
  nextDeadline,
  type RunState,
  summary,
} from "../../run/machine.ts";
import { itemsOf } from "../../run/persistent-array.ts";
import type { PhaseRecord, RunSummary } from "../../run/result/record.ts";
import { hasHistogramsToMerge, type MergeHistograms } from "../../run/result/summary.ts";
import { steadyNow } from "../../steady-clock.ts";
import { Refusal } from "../protocol/refusal.ts";
import { groupKey, instructionKey } from "./change-detection.ts";
import { Journal } from "./journal.ts";
import type { RunRecord } from "./run-store.ts";

/** setTimeout takes at most 2^31 - 1 ms. */
const LONGEST_TIMER = 2_000_000_000;
/** Between two looks whether what happens can be kept again. */
const STALLED_MS = 500;

export interface RunHostOptions {
  /** Milliseconds since the epoch, never going back; default: the steady clock of this process. */
  readonly now?: () => number;
  /** Told after each change, in the same tick; must not throw. */
  readonly onChange?: (host: RunHost) => void;
  /**
   * Keeps records; an agent's answer waits for it. Rejects: the agents get the error and ask again.
   */
  readonly append?: (records: readonly RunRecord[]) => Promise<void>;
  /** Whether the run is still to be told from here; null: certainly. Rejects: nothing may be told of it. */
  readonly confirm?: () => Promise<void> | null;
}

interface Waiter {
  readonly wake: () => void;
  readonly refuse: (error: Error) => void;
}

export class RunHost {
  readonly #options: RunHostOptions;
  readonly #now: () => number;
  /** By agent: each is held once. */
  readonly #waiters = new Map<string, Waiter>();
  /** Per agent: what its last answer instructed, as `instructionKey`. */
  readonly #answered = new Map<string, string>();
  /** Those who were answered that the run is over. */
  readonly #finished = new Set<string>();
  /** Those of them who have said that the answer came, and who will not ask for it. */
  readonly #confirmed = new Set<string>();
  readonly #journal: Journal | null;
  #state: RunState;
  #timer: NodeJS.Timeout | null = null;
  /** The machine's next deadline, as of the last turn: later ones are found when this one comes. */
  #deadline: number | null = null;
  #flush: NodeJS.Immediate | null = null;
  #closed = false;
  #lost: Error | null = null;
  /** A deadline came while nothing could be kept: it has yet to be met. */
  #stalled = false;
  /** As of the last look for changes. */
  #looked: { readonly agents: RunState["agents"]; readonly group: string };
  #finish: Instruction | null = null;
  #merge: MergeHistograms | null = null;
  #merging: Promise<void> | null = null;

  /** @param from how the run begins, or what became of one that was begun before */
  constructor(from: Created | RunState, options: RunHostOptions = {}) {
    this.#options = options;
    this.#state = "type" in from ? begin(from) : from;
    const now = options.now ?? steadyNow;
    // The clock may have been set back since the last process: the run's time only goes on.
    const behind = Math.max(0, this.#state.now - now());
    this.#now = () => now() + behind;
    this.#journal = options.append === undefined ? null : new Journal(options.append);
    if ("type" in from) this.#journal?.keep({ event: from });
    this.#looked = { agents: this.#state.agents, group: groupKey(this.#state) };
    this.#prepareEnd();
    this.#arm();
  }

  get state(): RunState {
    return this.#state;
  }

  get now(): number {
    return this.#now();
  }

  /** Somebody else goes on with the run. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  get isOver(): boolean {
    const { status } = this.#state;
    return status === "succeeded" || status === "failed" || status === "cancelled";
  }

  /** A message of this agent is on its way. */
  heard(agent: string, session: string): void {
    if (!this.isOver) this.commit({ event: { type: "heard", at: this.#now(), agent, session } });
  }

  async approve(stage: number, by: string): Promise<void> {
    this.commit({ event: { type: "approved", at: this.#now(), stage, by } });
    await this.saved();
  }

  async cancel(by: string, why: string): Promise<void> {
    this.commit({ event: { type: "cancelled", at: this.#now(), by, why } });
    await this.saved();
  }

  /** Where the run stands, whether it is over or not. */
  summary(): RunSummary {
    return summary(this.#state, this.#merge ?? undefined);
  }

  /** Of it what is not in `told`, where it is then: who looks at each step need not look at all stages each time. */
  newPhases(told: WeakSet<object>): readonly PhaseRecord[] {
    return newPhases(this.#state, told, this.#merge ?? undefined);
  }

  /** Stops its timer; held agents are answered. The run itself goes on where another host takes it up. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#journal?.close();
    for (const waiter of [...this.#waiters.values()]) waiter.wake();
  }

  /** Applies one event, now; `saved` tells when it is kept. */
  commit(record: RunRecord): void {
    if (this.#lost !== null) return;
    const { event } = record;
    this.#resume();
    if (event.type === "left" && this.isOver) this.noteHeardEnd(event.agent);
    // What time alone decides is an event of its own: then heartbeats decide nothing, and need not all be kept.
    const isSign = event.type === "synced" || event.type === "heard";
    if (isSign && this.#deadline !== null && event.at >= this.#deadline) this.#tick(event.at);
    const { revision } = this.#state;
    this.#state = apply(this.#state, event);
    if (isSign && this.#state.revision === revision) this.#journal?.noteHeartbeat(record);
    else this.#journal?.keep(record);
    this.#prepareEnd();
    this.#options.onChange?.(this);
    // Once for everything that arrives in one turn of the event loop: with many agents, most of a barrier.
    this.#flush ??= setImmediate(() => {
      this.#flush = null;
      this.#arm();
      this.#wakeChanged();
    });
  }

  /** Resolves when everything committed so far survives a crash, and may be told. @throws what the store says; as `confirm` */
  async saved(): Promise<void> {
    await this.#journal?.saved();
    await this.#merging;
    await this.confirm();
  }

  /** As `saved`, however long that takes. @throws once this host is closed: another one goes on with the run */
  async kept(): Promise<void> {
    for (;;) {
      try {
        return await this.saved();
      } catch (error) {
        if (this.#closed) throw error;
        await sleep(STALLED_MS, undefined, { ref: false });
      }
    }
  }

  /** Resolves when what is in memory may be told: nobody else goes on with the run. @throws Refusal `not_stored`; Elsewhere */
  async confirm(): Promise<void> {
    if (this.#lost !== null) throw this.#lost;
    await this.#options.confirm?.();
  }

  /**
   * Somebody else goes on with the run: nothing is decided or told here any more.
   * @param why what whoever asks is told
   */
  lose(why: Error = new Refusal("not_stored", "another replica goes on with this run: ask again")): void {
    this.#lost = why;
    this.close();
  }

  /** What this agent is to do, noted as told. */
  instruct(agent: string): Instruction {
    if (this.isOver) {
      this.#finished.add(agent);
      // A run that is over does not change: its result is put together once for all.
      this.#finish ??= { do: "finish", summary: this.summary() };
      return this.#finish;
    }
    const instruction = instructionFor(this.#state, agent);
    this.#answered.set(agent, instructionKey(instruction));
    return instruction;
  }

  /**
   * Who has not said that it heard that the run is over, and may still come for it: whoever was seen within this time
   * and did not leave. The lost among them may be back, and an answer may have got lost on its way.
   */
  untold(seenWithinMs: number): readonly string[] {
    const since = this.#now() - seenWithinMs;
    return [...itemsOf(this.#state.agents)].flatMap(({ name, presence, lastSeenAt }) =>
      presence === "left" || lastSeenAt < since || this.#confirmed.has(name) ? [] : [name],
    );
  }

  /** This agent has heard the end, or will not ask for it. */
  noteHeardEnd(agent: string): void {
    this.#finished.add(agent);
    this.#confirmed.add(agent);
  }

  /** Nobody of these jobs (their check runs) will ask for the end any more. */
  noteOver(jobs: readonly string[]): void {
    for (const { name, checkRunId } of itemsOf(this.#state.agents)) {
      if (checkRunId !== null && jobs.includes(checkRunId)) this.noteHeardEnd(name);
    }
  }

  /** Its next request is answered at once: it knows nothing (any more). */
  forget(agent: string): void {
    this.#answered.delete(agent);
  }

  /**
   * Resolves when there is something this agent was not told yet, or after `holdMs`.
   * @throws Refusal `sequence` when a newer request of the same agent takes this one's place; the signal's reason.
   */
  untilChanged(agent: string, holdMs: number, signal: AbortSignal): Promise<void> {
    this.#waiters.get(agent)?.refuse(new Refusal("sequence", `a newer request of ${agent} is being answered`));
    if (holdMs <= 0 || this.#closed || this.#hasChanged(agent)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#waiters.delete(agent);
      };
      const waiter: Waiter = {
        wake: () => {
          done();
          resolve();
        },
        refuse: (error) => {
          done();
          reject(error);
        },
      };
      const onAbort = (): void =>
        waiter.refuse(signal.reason instanceof Error ? signal.reason : new Error("the wait was ended"));
      const timer = setTimeout(waiter.wake, holdMs);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.set(agent, waiter);
    });
  }

  /** Looks only at those whose instruction can have changed: with a thousand held, an arrival concerns one. */
  #wakeChanged(): void {
    const { agents } = this.#state;
    const before = this.#looked;
    const group = groupKey(this.#state);
    this.#looked = { agents, group };
    if (group !== before.group) {
      for (const [agent, waiter] of this.#waiters) if (this.#hasChanged(agent)) waiter.wake();
      return;
    }
    for (const [number, chunk] of agents.entries()) {
      const old = before.agents[number];
      if (chunk === old) continue;
      for (const [at, row] of chunk.entries()) {
        if (row === old?.[at]) continue;
        const waiter = this.#waiters.get(row.name);
        if (waiter !== undefined && this.#hasChanged(row.name)) waiter.wake();
      }
    }
  }

  #hasChanged(agent: string): boolean {
    if (this.isOver) return !this.#finished.has(agent);
    return this.#answered.get(agent) !== instructionKey(instructionFor(this.#state, agent));
  }

  /** Merging histograms takes a library that is loaded when there is something to merge. */
  #prepareEnd(): void {
    if (!this.isOver || this.#merging !== null || !hasHistogramsToMerge(this.#state)) return;
    this.#merging = import("./merge-histograms.ts")
      .then(({ histogramMerger }) => histogramMerger())
      .then((merge) => {
        this.#merge = merge;
      });
  }

  /** Time is an event, too: the next one at which the machine has something to decide. */
  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.isOver || this.#closed ? null : nextDeadline(this.#state);
    this.#deadline = at;
    if (at === null) return;
    const ms = Math.min(LONGEST_TIMER, Math.max(1, at - this.#now()));
    this.#timer = setTimeout(() => this.#tick(this.#now()), ms);
  }

  /**
   * While nothing can be kept, agents are refused and only ask again: nobody's silence is their own then, and time
   * decides nothing.
   */
  #tick(at: number): void {
    if (this.#journal?.failing === true) {
      this.#stalled = true;
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = this.#closed ? null : setTimeout(() => this.#tick(this.#now()), STALLED_MS);
      return;
    }
    this.#deadline = null;
    this.commit({ event: { type: "ticked", at } });
  }

  /** What is kept again goes on as after a restart: the time without does not count. */
  #resume(): void {
    if (!this.#stalled || this.#journal?.failing === true) return;
    this.#stalled = false;
    this.commit({ event: { type: "coordinator_started", at: this.#now() } });
  }
}
