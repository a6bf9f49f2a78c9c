/** The log on stderr: banners, outcomes, output; progress that updates in a terminal and is plain lines elsewhere. */
import type { AgentEvent } from "../../agent/log.ts";
import type { Masks } from "../../agent/masking/masks.ts";
import { formatDuration } from "../../plan/parsing/duration.ts";
import type { Plan, PlanStage } from "../../plan/plan.ts";
import {
  agentOutcomes,
  type Colours,
  collectedText,
  endText,
  metricLines,
  NO_COLOURS,
  progressText,
  stageBanner,
  stageOutcome,
} from "../../report/log.ts";

import { roundNumber } from "../../report/report.ts";
import type { PhaseRecord } from "../../run/result/record.ts";

/** Between two lines about progress where lines cannot be updated. */
const PLAIN_PROGRESS_MS = 10_000;
const LIVE_PROGRESS_MS = 100;
/** How much of a live line is shown: longer ones would wrap and could not be updated. */
const FALLBACK_COLUMNS = 80;

export interface Screen {
  readonly write: (text: string) => void;
  readonly colours: Colours;
  /** Lines may be updated in place. */
  readonly live: boolean;
  readonly columns: () => number;
}

/** What stderr can do: neither colours nor updates unless it is a terminal, in CI, or with NO_COLOR / TERM=dumb. */
export function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Screen {
  const terminal = stream.isTTY === true && env.TERM !== "dumb" && (env.CI ?? "") === "";
  const colour = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
  const colours: Colours =
    terminal && (env.NO_COLOR ?? "") === ""
      ? { bold: colour(1), dim: colour(2), green: colour(32), yellow: colour(33), red: colour(31) }
      : NO_COLOURS;
  return {
    write: (text) => void stream.write(text),
    colours,
    live: terminal,
    // 0 where the terminal does not say.
    columns: () => stream.columns || FALLBACK_COLUMNS,
  };
}

/** The same screen, without what is masked. */
export function maskedScreen(screen: Screen, masks: Masks): Screen {
  return { ...screen, write: (text) => screen.write(masks.text(text)) };
}

export class ConsoleLog {
  readonly #screen: Screen;
  readonly #plan: Plan;
  readonly #selected: readonly PlanStage[];
  readonly #told = new Set<string>();
  #banner = -1;
  #liveShown = false;
  #progressAt = Number.NEGATIVE_INFINITY;

  constructor(screen: Screen, plan: Plan, selected: readonly PlanStage[]) {
    this.#screen = screen;
    this.#plan = plan;
    this.#selected = selected;
  }

  line(text: string): void {
    this.#clearLive();
    this.#screen.write(`${text}\n`);
  }

  event(event: AgentEvent): void {
    const { colours } = this.#screen;
    switch (event.kind) {
      case "joined":
      case "assembled":
      case "mask":
      case "checkpoint":
        return;
      case "started":
        if (this.#banner !== event.stage.index) this.#showBanner(event.stage);
        if (event.attemptNumber > 1) this.line(colours.dim(`  attempt ${event.attemptNumber}`));
        return;
      case "output":
        this.line(event.task === null ? event.line : `${colours.dim(`[${event.task}]`)} ${event.line}`);
        return;
      case "group":
        if (event.title !== null) this.line(colours.bold(`▸ ${event.title}`));
        return;
      case "progress":
        this.#progress(event.stage.name, progressText(event.progress));
        return;
      case "ended":
        if (event.report.task !== null && !(event.report.end.kind === "exited" && event.report.end.code === 0)) {
          this.line(`  ${colours.yellow("⚠")} task ${event.report.task}: ${endText(event.report.end)}`);
        }
        return;
      case "collected":
        this.line(`  ${collectedText(event)}`);
        return;
      case "ready":
        this.line(`  ${colours.green("✓")} ${event.stage.name} is ready and goes on in the background`);
        return;
      case "waiting":
        this.line(colours.dim(`  ${event.text}`));
        return;
      case "excluded":
        this.line(`${colours.red("✗")} this agent is excluded from the group: ${event.why}`);
        return;
      case "notice":
        this.line(`  ${event.text}`);
        return;
      case "warning":
        this.line(`${colours.yellow("⚠")} ${event.stage === null ? "" : `${event.stage.name}: `}${event.text}`);
        return;
      default:
        event satisfies never;
    }
  }

  /** Tells the outcome of each stage that has been decided on, once. */
  phases(phases: readonly PhaseRecord[]): void {
    const { colours } = this.#screen;
    for (const phase of phases) {
      const key = `${phase.stage}/${roundNumber(phase)}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.line(stageOutcome(phase, colours));
      for (const line of [...agentOutcomes(phase, colours), ...metricLines(phase, colours)]) this.line(line);
    }
  }

  #showBanner(stage: PlanStage): void {
    this.#banner = stage.index;
    const position = this.#selected.findIndex(({ index }) => index === stage.index) + 1;
    const total = this.#selected.length;
    this.line(
      stageBanner(
        {
          name: stage.name,
          position: position === 0 ? stage.index + 1 : position,
          total: position === 0 ? this.#plan.stages.length : total,
          about: about(stage),
        },
        this.#screen.colours,
      ),
    );
  }

  #progress(name: string, text: string): void {
    const now = performance.now();
    if (now - this.#progressAt < (this.#screen.live ? LIVE_PROGRESS_MS : PLAIN_PROGRESS_MS)) return;
    this.#progressAt = now;
    if (!this.#screen.live) {
      this.line(`  ${name}: ${text}`);
      return;
    }
    this.#clearLive();
    this.#screen.write(`  ${name}: ${text}`.slice(0, this.#screen.columns() - 1));
    this.#liveShown = true;
  }

  #clearLive(): void {
    if (!this.#liveShown) return;
    this.#liveShown = false;
    this.#screen.write("\r\u001b[K");
  }
}

/** What is known of a stage before it starts: "execute for 1h, optional". */
export function about(stage: PlanStage): string {
  const parts: string[] = [stage.type];
  if (stage.durationMs !== null) parts.push(`for ${formatDuration(stage.durationMs)}`);
  if (stage.maxDurationMs !== null) parts.push(`at most ${formatDuration(stage.maxDurationMs)}`);
  if (stage.optional) parts.push("optional");
  return parts.join(", ");
}
