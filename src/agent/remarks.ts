/** What an agent's log says of how it fares, each when it is due and not again: waits, checkpoints, a clock that is off. */
import type { Plan } from "../plan/plan.ts";
import { type ToldWait, waitLine } from "../run/wait-lines.ts";
import { after } from "./clock.ts";
import type { AgentLog } from "./log.ts";
import { explainWait, type Wait } from "./waits.ts";

const CLOCK_WARNING_MS = 1_000;

export class LoopRemarks {
  readonly #plan: Plan;
  readonly #log: AgentLog;
  readonly #now: () => number;
  #wait: Wait | null = null;
  #lastLine: ToldWait | null = null;
  #cancelNext: () => void = () => undefined;
  #checkpointSince = -1;
  #clockWarned = false;

  /** @param now on the coordinator's clock */
  constructor(plan: Plan, log: AgentLog, now: () => number) {
    this.#plan = plan;
    this.#log = log;
    this.#now = now;
  }

  /** What it waits for now; null: for nothing. */
  waits(wait: Wait | null): void {
    this.#wait = wait;
    this.#cancelNext();
    const now = this.#now();
    const about = wait === null ? null : { key: `${wait.reason} ${wait.stage}`, since: wait.since };
    const { isDue, told, next } = waitLine(this.#lastLine, about, now);
    this.#lastLine = told;
    if (isDue && wait !== null) this.#log({ kind: "waiting", text: explainWait(wait, this.#plan, now) });
    if (next !== null) this.#cancelNext = after(next - now, () => this.waits(this.#wait));
  }

  /** Told once of each wait for a person: of each round of a stage. */
  checkpoint({ reason, stage: index, since, until }: Wait): void {
    const stage = reason === "checkpoint" && index !== null ? this.#plan.stages[index] : undefined;
    if (stage === undefined || this.#checkpointSince === since) return;
    this.#checkpointSince = since;
    this.#log({ kind: "checkpoint", stage, until });
  }

  /** @param offsetMs how far this machine's clock is behind the coordinator's */
  clock(offsetMs: number): void {
    const ms = Math.round(offsetMs);
    if (this.#clockWarned || Math.abs(ms) <= CLOCK_WARNING_MS) return;
    this.#clockWarned = true;
    const text = `this machine's clock is ${Math.abs(ms)} ms ${ms > 0 ? "behind" : "ahead of"} the coordinator's; starts are corrected for it`;
    this.#log({ kind: "warning", stage: null, text });
  }
}
