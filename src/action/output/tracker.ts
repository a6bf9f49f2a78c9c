/** Follows a run, to say while it goes on how far it is. */
import type { AgentEvent } from "../../agent/log.ts";
import { approversText } from "../../plan/checkpoints.ts";
import type { RunProgress } from "../../report/check.ts";
import { between, duration } from "../../report/format.ts";
import type { PhaseRecord } from "../../run/result/record.ts";

export class Tracker {
  readonly #base: Pick<RunProgress, "planName" | "stages" | "startedAt">;
  /** By the stage's place in the plan. */
  readonly #done = new Map<number, RunProgress["done"][number]>();
  #doing = "";

  constructor(base: Pick<RunProgress, "planName" | "stages" | "startedAt">) {
    this.#base = base;
  }

  /** @returns whether there is something new to show */
  follow(event: AgentEvent): boolean {
    switch (event.kind) {
      case "started":
        // Entered again, it is not over any more.
        this.#done.delete(event.stage.index);
        if (event.task !== null) return false;
        this.#doing = `running ${event.stage.name}${event.attemptNumber > 1 ? `, attempt ${event.attemptNumber}` : ""}`;
        return true;
      case "waiting":
        this.#doing = event.text;
        return true;
      case "checkpoint":
        this.#doing = `${event.stage.name} waits for ${approversText(event.stage)}`;
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

  /** @param phases those that are new or other than before @returns whether a stage is over that was not before */
  judged(phases: readonly PhaseRecord[]): boolean {
    let isNew = false;
    for (const { stage, name, status, reason, startedAt, completedAt } of phases) {
      if (completedAt === null) continue;
      isNew ||= !this.#done.has(stage);
      const took = between(startedAt, completedAt);
      const how = `${status}${took === null ? "" : ` in ${duration(took)}`}${reason === null ? "" : `: ${reason}`}`;
      this.#done.set(stage, { name, how });
    }
    return isNew;
  }

  progress(now: number): RunProgress {
    const done = [...this.#done].sort(([a], [b]) => a - b).map(([, phase]) => phase);
    return { ...this.#base, done, doing: this.#doing, now };
  }
}
