/** Shows on the step's log what happens on this agent: a foldable group for each stage, everything of it inside. */
import type { AgentEvent } from "../../agent/log.ts";
import { approversText } from "../../plan/checkpoints.ts";
import { oneLine, workflowCommand } from "../../report/escape.ts";
import { duration } from "../../report/format.ts";
import {
  agentOutcomes,
  collectedText,
  endText,
  metricLines,
  NO_COLOURS,
  progressText,
  stageOutcome,
} from "../../report/log.ts";
import { roundNumber } from "../../report/report.ts";
import type { PhaseRecord } from "../../run/result/record.ts";
import type { RunnerConsole } from "../runner.ts";

/** At least so long between two lines about the progress of one stage. */
const PROGRESS_EVERY_MS = 10_000;

export class Display {
  readonly #console: RunnerConsole;
  readonly #now: () => number;
  /** `stage/round` */
  readonly #told = new Set<string>();
  #group: number | null = null;
  #progressAt = 0;

  constructor(console: RunnerConsole, now: () => number) {
    this.#console = console;
    this.#now = now;
  }

  show(event: AgentEvent): void {
    if (event.kind === "mask") this.#console.mask(event.value);
    else if (event.kind === "excluded") this.#console.warning(`this agent was excluded: ${event.why}`);
    else {
      if (event.kind === "started") this.#openGroup(event.stage.index, event.stage.name);
      const line = this.#lineOf(event);
      if (line !== null) this.#console.text(line);
    }
  }

  /** Tells of each stage that is over how it ended, once; with `over`, also of those that never began. */
  judged(phases: readonly PhaseRecord[], over: boolean): void {
    for (const phase of phases) {
      const known = phase.completedAt !== null || (over && phase.startedAt === null);
      const key = `${phase.stage}/${roundNumber(phase)}`;
      if (!known || this.#told.has(key)) continue;
      this.#told.add(key);
      if (this.#group === phase.stage) this.closeGroup();
      const lines = [
        stageOutcome(phase, NO_COLOURS),
        ...agentOutcomes(phase, NO_COLOURS),
        ...metricLines(phase, NO_COLOURS),
      ];
      for (const line of lines) this.#console.text(line);
    }
  }

  closeGroup(): void {
    if (this.#group === null) return;
    this.#group = null;
    this.#console.command("::endgroup::");
  }

  #openGroup(stage: number, name: string): void {
    if (this.#group === stage) return;
    this.closeGroup();
    this.#group = stage;
    this.#console.command(workflowCommand("group", {}, oneLine(name)));
  }

  #lineOf(event: Exclude<AgentEvent, { kind: "mask" | "excluded" }>): string | null {
    switch (event.kind) {
      case "joined":
      case "assembled":
        return null;
      case "started":
        if (event.task !== null) return `▸ task ${oneLine(event.task)}, attempt ${event.attemptNumber}`;
        return event.attemptNumber > 1 ? `▸ attempt ${event.attemptNumber}` : null;
      case "output":
        return event.line;
      case "group":
        // Groups do not nest on GitHub: the stage has one already.
        return event.title === null ? null : `▸ ${event.title}`;
      case "progress":
        if (this.#now() - this.#progressAt < PROGRESS_EVERY_MS) return null;
        this.#progressAt = this.#now();
        return `… ${progressText(event.progress)}`;
      case "ended": {
        const { task, end, startedAt, endedAt } = event.report;
        const what = task === null ? "" : `task ${oneLine(task)}: `;
        return `▸ ${what}${endText(end)} after ${duration(Math.max(0, endedAt - startedAt))}`;
      }
      case "collected":
        return `▸ ${collectedText(event)}`;
      case "ready":
        return `▸ ${oneLine(event.stage.name)} is ready`;
      case "waiting":
        return `… ${oneLine(event.text)}`;
      case "checkpoint":
        return `… ${oneLine(checkpointText(event))}`;
      case "notice":
        return oneLine(event.text);
      case "warning":
        return `⚠ ${oneLine(event.text)}`;
    }
  }
}

/** Whom it waits for, until when, and what they do: only the app has somebody to ask. */
function checkpointText({ stage, until }: Extract<AgentEvent, { kind: "checkpoint" }>): string {
  const limit = until === null ? "" : ` until ${new Date(until).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return `${stage.name} waits for ${approversText(stage)}${limit}: it begins with the button Continue of the group's check run, or with a comment /stage continue on the pull request`;
}
