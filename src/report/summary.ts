/**
 * The job summary and the sections that the check run shares with it. Verdict first. A text that is over its limit is
 * made again with less detail, step by step; it is never cut in the middle of anything.
 */
import type { AgentPhase, PhaseRecord } from "../run/result/record.ts";
import { approvalsSection, quorumSection, tasksSection } from "./decisions-section.ts";
import { byteLength, clip, codeBlock, codeSpan, lastLines, markdown } from "./escape.ts";
import { aggregation, between, clock, count, duration, number } from "./format.ts";
import { timeline } from "./gantt.ts";
import { doneTimes, failingAgents, type RunReport, rosterOf, roundNumber } from "./report.ts";

/** GitHub's limit for the summary of one step is 1 MiB; the rest is room for what a later line may add. */
export const SUMMARY_LIMIT = 1024 * 1024 - 4096;

/** How much of everything a text shows. */
export interface Detail {
  /** Up to so many agents each have a column of their own. */
  readonly agentColumns: number;
  readonly stageRows: number;
  /** Failing stages, and agents of each, that are told in full. */
  readonly failures: number;
  readonly outputLines: number;
  readonly remarks: number;
  readonly metrics: number;
  /** Bars of the timeline: of each agent, of the stages alone, or no timeline. */
  readonly timeline: "agents" | "stages" | "none";
}

const STEPS: readonly Detail[] = [
  { agentColumns: 8, stageRows: 2000, failures: 50, outputLines: 50, remarks: 500, metrics: 500, timeline: "agents" },
  { agentColumns: 8, stageRows: 500, failures: 20, outputLines: 20, remarks: 200, metrics: 200, timeline: "stages" },
  { agentColumns: 4, stageRows: 200, failures: 10, outputLines: 10, remarks: 50, metrics: 50, timeline: "none" },
  { agentColumns: 0, stageRows: 50, failures: 5, outputLines: 5, remarks: 10, metrics: 10, timeline: "none" },
  { agentColumns: 0, stageRows: 10, failures: 2, outputLines: 0, remarks: 0, metrics: 0, timeline: "none" },
  { agentColumns: 0, stageRows: 0, failures: 0, outputLines: 0, remarks: 0, metrics: 0, timeline: "none" },
];

/** The job summary, at most `limit` bytes. `notes`: further lines, ours ("12 annotations not shown"). */
export function summaryOf(report: RunReport, notes: readonly string[] = [], limit = SUMMARY_LIMIT): string {
  const isWhole = report.part !== "own";
  return fitting(limit, (detail) => [
    verdictSection(report),
    stagesSection(report, detail),
    failuresSection(report, detail),
    remarksSection(report, detail),
    // What the whole group came to is shown once, not by each of its jobs.
    ...(isWhole
      ? [
          approvalsSection(report, detail),
          quorumSection(report, detail),
          tasksSection(report, detail),
          metricsSection(report, detail),
          timelineSection(report, detail),
        ]
      : []),
    notes.map((note) => `_${markdown(note)}_`).join("  \n"),
  ]);
}

/** The most detailed text within `limit` bytes; below the shortest form that is the verdict's first words. */
export function fitting(limit: number, build: (detail: Detail) => readonly string[]): string {
  let text = "";
  for (const [step, detail] of STEPS.entries()) {
    const sections = build(detail).filter((section) => section !== "");
    if (step > 0) sections.push("_Shortened to fit GitHub's limit; the results file has everything._");
    text = `${sections.join("\n\n")}\n`;
    if (byteLength(text) <= limit) return text;
  }
  // A character takes at most three bytes a UTF-16 unit.
  return clip(text.split("\n", 1)[0] ?? "", Math.max(1, Math.floor(limit / 3)));
}

/** "❌ train: failed at checkpoint-1", without Markdown. */
export function verdictLine(report: RunReport): string {
  const { summary } = report;
  switch (summary.verdict) {
    case "success":
      return `${summary.phases.some((phase) => phase.status === "warning") ? "⚠️" : "✅"} ${report.planName}: succeeded`;
    case "failure":
      return `❌ ${report.planName}: failed${summary.failedStage === null ? "" : ` at ${summary.failedStage}`}`;
    case "cancelled":
      return `⛔ ${report.planName}: cancelled`;
  }
}

/** The verdict, its reason, and how much ran how long. */
export function verdictSection(report: RunReport): string {
  const { summary } = report;
  const ran = summary.phases.filter((phase) => phase.status !== "skipped");
  const agents = rosterOf(summary).length;
  const facts = [
    `${count(ran.length, "stage")} of ${summary.phases.length}`,
    ...(agents > 1 ? [count(agents, "agent")] : []),
    duration(Math.max(0, report.completedAt - report.startedAt)),
    `plan ${codeSpan(clip(report.planFile, 300))}`,
    ...(report.stoppedAfter === null ? [] : [`stopped after ${codeSpan(clip(report.stoppedAfter, 300))} as asked`]),
  ];
  const message = clip(summary.message, 2000);
  return [
    `## ${markdown(verdictLine(report))}`,
    ...(message === "" ? [] : [markdown(message)]),
    facts.join(" · "),
  ].join("\n\n");
}

/** The table of stages × agents. With more agents than columns: how many fared how. */
export function stagesSection(report: RunReport, detail: Detail): string {
  const { phases } = report.summary;
  if (phases.length === 0 || detail.stageRows === 0) return "";
  const roster = rosterOf(report.summary);
  const columns = roster.length <= detail.agentColumns ? roster : null;
  const head = ["", "stage", "took"];
  if (roster.length > 1) head.push("first done", "last done");
  head.push(...(columns === null ? ["agents"] : columns.map((agent) => markdown(clip(agent.name, 60)))));
  const { shown, hidden } = mostTelling(phases, detail.stageRows);
  const rows = shown.map((phase) => {
    const took = between(phase.startedAt, phase.completedAt);
    const row = [icon(phase.status), stageCell(phase), took === null ? "–" : duration(took)];
    if (roster.length > 1) {
      const { first, last } = doneTimes(phase);
      row.push(first === null ? "–" : clock(first), last === null ? "–" : clock(last));
    }
    if (columns === null) row.push(tally(phase));
    else for (const { name } of columns) row.push(agentCell(phase.agents.find((agent) => agent.agent === name)));
    return row;
  });
  const table = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return hidden === 0 ? table : `${table}\n\n_${count(hidden, "stage")} not shown._`;
}

/** Each failing stage with its agents' reasons and last lines of output. */
export function failuresSection(report: RunReport, detail: Detail): string {
  const failed = report.summary.phases.filter((phase) => phase.status === "failure" || failingAgents(phase).length > 0);
  if (failed.length === 0 || detail.failures === 0) return "";
  const parts = failed.slice(0, detail.failures).map((phase) => {
    const agents = failingAgents(phase);
    const told = agents.slice(0, detail.failures);
    return [
      `**${stageName(phase)}** (${codeSpan(clip(`${report.planFile}:${phase.line}`, 300))}): ${markdown(clip(phase.reason ?? phase.status, 2000))}`,
      ...told.map((agent) => agentFailure(agent, detail.outputLines)),
      ...(agents.length > told.length ? [`_and ${count(agents.length - told.length, "more agent")}_`] : []),
    ].join("\n\n");
  });
  const rest = failed.length - parts.length;
  return ["### What failed", ...parts, ...(rest > 0 ? [`_and ${count(rest, "more stage")}_`] : [])].join("\n\n");
}

/** What was retried, skipped, warned of or excluded, and why. */
export function remarksSection(report: RunReport, detail: Detail): string {
  if (detail.remarks === 0) return "";
  const remarks: string[] = [];
  for (const phase of report.summary.phases) {
    const name = codeSpan(clip(phase.name, 200));
    if (phase.status === "skipped") remarks.push(`${name} skipped: ${why(phase.reason)}`);
    if (phase.status === "cancelled") remarks.push(`${name} cancelled: ${why(phase.reason)}`);
    if (phase.status === "warning") remarks.push(`${name} warning: ${why(phase.reason)}`);
    if (phase.retryCount > 0)
      remarks.push(`${name} retried ${phase.retryCount === 1 ? "once" : `${phase.retryCount} times`}`);
    for (const agent of phase.agents) {
      if (agent.status === "excluded" || agent.status === "lost" || agent.status === "stopped") {
        remarks.push(`${name}: ${markdown(clip(agent.agent, 100))} ${agent.status}: ${why(agent.reason)}`);
      }
    }
  }
  if (remarks.length === 0) return "";
  const hidden = remarks.length - detail.remarks;
  const lines = remarks.slice(0, detail.remarks).map((remark) => `- ${remark}`);
  if (hidden > 0) lines.push(`- _and ${hidden} more_`);
  return `### Worth knowing\n\n${lines.join("\n")}`;
}

/** Metrics of all stages: value, how it was put together, and what was expected of it. */
export function metricsSection(report: RunReport, detail: Detail): string {
  if (detail.metrics === 0) return "";
  const rows = report.summary.phases.flatMap((phase) =>
    phase.metrics.map((metric) => {
      const value = `${number(metric.value)}${metric.unit === "" ? "" : ` ${markdown(clip(metric.unit, 40))}`}`;
      const expected =
        metric.expected === null ? "" : `${metric.met ? "✅" : "❌"} ${codeSpan(clip(metric.expected, 80))}`;
      const combined = aggregation(metric);
      return `| ${stageName(phase)} | ${codeSpan(clip(metric.name, 120))} | ${value} | ${combined} | ${expected} |`;
    }),
  );
  if (rows.length === 0) return "";
  const hidden = rows.length - detail.metrics;
  const table = ["| stage | metric | value | aggregation | expected |", "| --- | --- | --- | --- | --- |"];
  table.push(...rows.slice(0, detail.metrics));
  return `### Metrics\n\n${table.join("\n")}${hidden > 0 ? `\n\n_${count(hidden, "metric")} not shown._` : ""}`;
}

/** The gantt chart of stages × agents. */
export function timelineSection(report: RunReport, detail: Detail): string {
  if (detail.timeline === "none") return "";
  const chart = timeline(report.summary.phases, detail.timeline);
  return chart === null ? "" : `### Timeline\n\n${codeBlock(chart, "mermaid")}`;
}

/** Where not all stages fit: the ones that did not simply succeed first, then the earliest; in the plan's order. */
function mostTelling(phases: readonly PhaseRecord[], max: number) {
  if (phases.length <= max) return { shown: phases, hidden: 0 };
  const dull = (phase: PhaseRecord): number => (phase.status === "success" || phase.status === "skipped" ? 1 : 0);
  const chosen = new Set(phases.toSorted((a, b) => dull(a) - dull(b)).slice(0, max));
  return { shown: phases.filter((phase) => chosen.has(phase)), hidden: phases.length - max };
}

export function icon(status: PhaseRecord["status"] | AgentPhase["status"]): string {
  switch (status) {
    case "success":
      return "✅";
    case "warning":
      return "⚠️";
    case "failure":
      return "❌";
    case "skipped":
      return "⏭️";
    case "cancelled":
    case "stopped":
      return "⛔";
    case "excluded":
      return "🚫";
    case "lost":
      return "📡";
  }
}

function stageName(phase: PhaseRecord): string {
  return markdown(clip(phase.name, 200));
}

function stageCell(phase: PhaseRecord): string {
  const description = phase.description === null ? "" : ` – ${markdown(clip(phase.description, 200))}`;
  const round = roundNumber(phase);
  return `${stageName(phase)}${round > 1 ? ` (round ${round})` : ""}${description}${phase.optional ? " _(optional)_" : ""}`;
}

function agentCell(agent: AgentPhase | undefined): string {
  if (agent === undefined) return "–";
  const took = between(agent.startedAt, agent.endedAt);
  const tries = agent.attempts > 1 ? ` ×${agent.attempts}` : "";
  return `${icon(agent.status)}${took === null ? "" : ` ${duration(took)}`}${tries}`;
}

function tally(phase: PhaseRecord): string {
  const counts = new Map<AgentPhase["status"], number>();
  for (const agent of phase.agents) counts.set(agent.status, (counts.get(agent.status) ?? 0) + 1);
  return [...counts].map(([status, n]) => `${n} ${icon(status)}`).join(" ") || "–";
}

function agentFailure(agent: AgentPhase, outputLines: number): string {
  const tries = agent.attempts > 1 ? `, ${agent.attempts} attempts` : "";
  const line = `${icon(agent.status)} ${markdown(clip(agent.agent, 100))} ${agent.status}${tries}: ${why(agent.reason)}`;
  const tail = outputLines === 0 ? "" : lastLines(agent.tail, outputLines);
  if (tail.trim() === "") return line;
  return `${line}\n\n<details open><summary>Last lines of output</summary>\n\n${codeBlock(tail)}\n\n</details>`;
}

function why(reason: string | null): string {
  return reason === null || reason.trim() === "" ? "no reason recorded" : markdown(clip(reason, 1000));
}
