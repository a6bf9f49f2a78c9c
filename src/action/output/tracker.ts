/** Follows a run, to say while it goes on how far it is. */
import type { AgentEvent } from "../../agent/log.ts";
import type { RunProgress } from "../../report/check.ts";
import { between, duration } from "../../report/format.ts";
import type { PhaseRecord } from "../../run/result/record.ts";

export class Tracker {
  readonly #base: Pick<RunProgress, "planName" | "stages" | "startedAt">;
  #done: RunProgress["done"] = [];
  #doing = "";

  constructor(base: Pick<RunProgress, "planName" | "stages" | "startedAt">) {
    this.#base = base;
  }

  /** @returns whether there is something new to show */
  follow(event: AgentEvent): boolean {
    switch (event.kind) {
      case "started":
        if (event.task !== null) return false;
        this.#doing = `running ${event.stage.name}${event.attemptNumber > 1 ? `, attempt ${event.attemptNumber}` : ""}`;
        return true;
      case "waiting":
        this.#doing = event.text;
        return true;
      case "checkpoint":
        this.#doing = `${event.stage.name} waits for a person`;
        return true;
      case "joined":
      case "assembled":
      case "ended":
      case "collected":
      case "output":
      case "group":
      case "progress":
      case "ready":
      case "mask":
      case "excluded":
      case "notice":
      case "warning":
        return false;
    }
  }

  /** @returns whether a stage is over that was not before */
  judged(phases: readonly PhaseRecord[]): boolean {
    const before = this.#done.length;
    this.#done = phases
      .filter(({ completedAt }) => completedAt !== null)
      .map(({ name, status, reason, startedAt, completedAt }) => {
        const took = between(startedAt, completedAt);
        return {
          name,
          how: `${status}${took === null ? "" : ` in ${duration(took)}`}${reason === null ? "" : `: ${reason}`}`,
        };
      });
    return this.#done.length !== before;
  }

  progress(now: number): RunProgress {
    return { ...this.#base, done: this.#done, doing: this.#doing, now };
  }
}
