/** The Mermaid gantt chart of a run: a section for each stage, a bar for each agent. */
import type { AgentPhase, PhaseRecord } from "../run/result/record.ts";
import { mermaidLabel } from "./escape.ts";
import { doneTimes } from "./report.ts";

/** Mermaid refuses texts over 50,000 characters. */
const MAX_CHARACTERS = 45_000;
/** More bars than this cannot be read. */
const MAX_BARS = 400;

/** The chart's text; null when nothing ran or it would be too large to render or read. */
export function timeline(phases: readonly PhaseRecord[], bars: "agents" | "stages"): string | null {
  const ran = phases.filter((phase) => phase.startedAt !== null && phase.completedAt !== null);
  if (ran.length === 0) return null;
  // Counted before they are drawn: of a large group there are a hundred times as many.
  const drawn = bars === "agents" ? ran.reduce((sum, phase) => sum + barsOf(phase), 0) : ran.length;
  if (drawn > MAX_BARS) return bars === "agents" ? timeline(phases, "stages") : null;
  const lines = ["gantt", "  dateFormat x", "  axisFormat %H:%M:%S", "  todayMarker off"];
  for (const phase of ran) {
    lines.push(`  section ${mermaidLabel(phase.name)}`);
    const drawnBars = bars === "agents" ? agentBars(phase) : [];
    if (drawnBars.length === 0) drawnBars.push(stageBar(phase));
    lines.push(...drawnBars);
  }
  const text = lines.join("\n");
  if (text.length <= MAX_CHARACTERS) return text;
  return bars === "agents" ? timeline(phases, "stages") : null;
}

/** How many bars a stage has where each agent has one. */
function barsOf(phase: PhaseRecord): number {
  return Math.max(1, phase.agents.filter((agent) => agent.startedAt !== null && agent.endedAt !== null).length);
}

function agentBars(phase: PhaseRecord): string[] {
  return phase.agents.flatMap((agent) =>
    agent.startedAt === null || agent.endedAt === null
      ? []
      : [bar(agent.agent, agentTag(agent.status), agent.startedAt, agent.endedAt)],
  );
}

/** From the stage's start to its end; with several agents, the label says how far apart they were done. */
function stageBar(phase: PhaseRecord): string {
  const { first, last } = doneTimes(phase);
  const spread = phase.agents.length > 1 && first !== null && last !== null ? ` (spread ${last - first} ms)` : "";
  return bar(`${phase.name}${spread}`, stageTag(phase.status), phase.startedAt ?? 0, phase.completedAt ?? 0);
}

/** The mark in front keeps a label such as "section 2" from being read as a keyword. */
function bar(label: string, tag: "done" | "crit" | "active", start: number, end: number): string {
  const mark = tag === "done" ? "✓" : tag === "crit" ? "✗" : "!";
  return `  ${mark} ${mermaidLabel(label)} :${tag}, ${Math.round(start)}, ${Math.round(Math.max(end, start + 1))}`;
}

function agentTag(status: AgentPhase["status"]): "done" | "crit" | "active" {
  switch (status) {
    case "success":
    case "skipped":
      return "done";
    case "failure":
    case "lost":
    case "excluded":
      return "crit";
    case "stopped":
      return "active";
  }
}

function stageTag(status: PhaseRecord["status"]): "done" | "crit" | "active" {
  switch (status) {
    case "success":
    case "skipped":
      return "done";
    case "failure":
      return "crit";
    case "warning":
    case "cancelled":
      return "active";
  }
}
