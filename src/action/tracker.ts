/** Follows an agent's events, to say while a run goes on how far it is. What they mean is judged elsewhere. */
import type { AgentEvent } from "../agent/log.ts";
import type { RunProgress } from "../report/check.ts";
import { duration } from "../report/format.ts";
import { endText } from "../report/log.ts";

export class Tracker {
  readonly #base: Pick<RunProgress, "planName" | "stages" | "startedAt">;
  readonly #done = new Map<string, string>();
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
      case "ended": {
        const { task, end, startedAt, endedAt } = event.report;
        if (task !== null) return false;
        const how = `${endText(end)} after ${duration(Math.max(0, endedAt - startedAt))}`;
        // Told again after a retry, it moves to the end.
        this.#done.delete(event.stage.name);
        this.#done.set(event.stage.name, how);
        return true;
      }
      case "waiting":
        this.#doing = event.text;
        return true;
      case "checkpoint":
        this.#doing = `${event.stage.name} waits for a person`;
        return true;
      case "joined":
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

  progress(now: number): RunProgress {
    const done = [...this.#done].map(([name, how]) => ({ name, how }));
    return { ...this.#base, done, doing: this.#doing, now };
  }
}
