/** What becomes of writes of a pull request's label and check runs, and how long they take. */
import { Counter, Histogram, type Registry } from "prom-client";

/** What became of a write of a pull request's label and check runs. `retried`: put off, to be tried again. */
export type MoveOutcome = "verified" | "retried" | "blocked";

export interface MoveTime {
  readonly outcome: Exclude<MoveOutcome, "retried">;
  /** From the event's arrival (or the time that came) on. */
  readonly tookMs: number;
  /** What of it GitHub's pace took: see `InstallationWriter.pacedFor`. */
  readonly pacedMs: number;
}

const OUTCOMES = ["verified", "retried", "blocked"] as const satisfies readonly MoveOutcome[];
/** Seconds. 5 is what is aimed at. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3_600];

export class MoveMetrics {
  readonly #moves: Counter<"outcome">;
  readonly #transitions: Counter;
  readonly #took: Histogram<"outcome">;
  readonly #own: Histogram<"outcome">;

  constructor(registry: Registry, prefix: string) {
    const registers = [registry];
    const labelNames = ["outcome"] as const;
    this.#moves = new Counter({
      name: `${prefix}moves_total`,
      help: "Writes of a pull request's label and check runs, by what became of them.",
      labelNames,
      registers,
    });
    this.#transitions = new Counter({
      name: `${prefix}transitions_total`,
      help: "Confirmed moves of pull requests to another stage.",
      registers,
    });
    const buckets = BUCKETS;
    this.#took = new Histogram({
      name: `${prefix}event_to_verified_seconds`,
      help: "From an event's arrival to the label and check runs that follow from it, as GitHub's answer confirms them.",
      labelNames,
      buckets,
      registers,
    });
    this.#own = new Histogram({
      name: `${prefix}event_to_verified_beyond_pace_seconds`,
      help: "The same without the time in which GitHub's pace or its rate limit kept us from writing.",
      labelNames,
      buckets,
      registers,
    });
    for (const outcome of OUTCOMES) {
      this.#moves.inc({ outcome }, 0);
      if (outcome !== "retried") {
        this.#took.zero({ outcome });
        this.#own.zero({ outcome });
      }
    }
  }

  moved(outcome: MoveOutcome): void {
    this.#moves.inc({ outcome });
  }

  transitioned(): void {
    this.#transitions.inc();
  }

  timed({ outcome, tookMs, pacedMs }: MoveTime): void {
    const took = Math.max(0, tookMs);
    this.#took.observe({ outcome }, took / 1_000);
    this.#own.observe({ outcome }, Math.max(0, took - pacedMs) / 1_000);
  }
}
