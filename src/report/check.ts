/** What a check run shows of a run, while it goes on and when it is over. */
import type { Verdict } from "../run/result/record.ts";
import { approvalsSection, quorumSection, tasksSection } from "./decisions-section.ts";
import { clip, markdown, oneLine } from "./escape.ts";
import { count, duration } from "./format.ts";
import { type RunReport, rosterOf } from "./report.ts";
import {
  failuresSection,
  fitting,
  metricsSection,
  remarksSection,
  stagesSection,
  timelineSection,
  verdictSection,
} from "./summary.ts";

/** GitHub's limit for `summary` and for `text`, counted here in bytes to be on the safe side. */
export const CHECK_TEXT_LIMIT = 65_535;
const TITLE_LIMIT = 255;

export interface CheckOutput {
  readonly title: string;
  readonly summary: string;
  /** Null: nothing beyond the summary. */
  readonly text: string | null;
}

/** The conclusion that GitHub knows for a verdict. */
export function conclusionOf(verdict: Verdict): "success" | "failure" | "cancelled" {
  return verdict;
}

/** The output of a finished run. `notes`: further lines of ours ("12 annotations not shown"). */
export function checkOutput(report: RunReport, notes: readonly string[] = []): CheckOutput {
  const text = fitting(CHECK_TEXT_LIMIT, (detail) => [
    failuresSection(report, detail),
    remarksSection(report, detail),
    approvalsSection(report, detail),
    quorumSection(report, detail),
    tasksSection(report, detail),
    metricsSection(report, detail),
    timelineSection(report, detail),
  ]).trim();
  return {
    title: title(report),
    summary: fitting(CHECK_TEXT_LIMIT, (detail) => [
      verdictSection(report),
      stagesSection(report, detail),
      notes.map((note) => `_${markdown(note)}_`).join("  \n"),
    ]),
    text: text === "" ? null : text,
  };
}

export interface RunProgress {
  readonly planName: string;
  /** Names of the stages that this run goes through, in order. */
  readonly stages: readonly string[];
  /** Those that are over, each with how it ended. */
  readonly done: readonly { readonly name: string; readonly how: string }[];
  /** What is going on now: "running epoch-1", "waiting for agent-3"; empty: nothing yet. */
  readonly doing: string;
  readonly startedAt: number;
  readonly now: number;
}

/** The output of a run that is going on. */
export function progressOutput(progress: RunProgress): CheckOutput {
  const done = `${progress.done.length} of ${count(progress.stages.length, "stage")} done`;
  const doing = progress.doing === "" ? "starting" : progress.doing;
  const rows = progress.done
    .slice(-200)
    .map(({ name, how }) => `- ${markdown(clip(name, 200))}: ${markdown(clip(how, 200))}`);
  return {
    title: clip(oneLine(`${doing} (${done})`), TITLE_LIMIT),
    summary: fitting(CHECK_TEXT_LIMIT, (detail) => [
      `## ${markdown(progress.planName)}: ${markdown(clip(doing, 500))}`,
      `${done} after ${duration(Math.max(0, progress.now - progress.startedAt))}`,
      (detail.stageRows === 0 ? [] : rows.slice(-detail.stageRows)).join("\n"),
    ]),
    text: null,
  };
}

function title(report: RunReport): string {
  const { summary } = report;
  switch (summary.verdict) {
    case "success": {
      const ran = summary.phases.filter((phase) => phase.status !== "skipped").length;
      const warnings = summary.phases.filter((phase) => phase.status === "warning").length;
      const agents = rosterOf(summary).length;
      const parts = [
        count(ran, "stage"),
        ...(agents > 1 ? [count(agents, "agent")] : []),
        duration(Math.max(0, report.completedAt - report.startedAt)),
        ...(warnings > 0 ? [count(warnings, "warning")] : []),
      ];
      return parts.join(", ");
    }
    case "failure":
    case "cancelled":
      return clip(oneLine(clip(summary.message || summary.verdict, 4 * TITLE_LIMIT)), TITLE_LIMIT);
  }
}
