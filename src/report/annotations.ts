/**
 * Annotations: on the plan file at the line of each stage that failed or warned, and those that the plan's commands
 * asked for. The same list serves check runs and workflow commands; both show only so many.
 */
import type { Problem } from "../plan/plan.ts";
import type { AgentPhase, PhaseRecord } from "../run/result/record.ts";
import type { Annotation } from "../run/types.ts";
import { clean, clip, lastLines, oneLine, workflowCommand } from "./escape.ts";
import { count } from "./format.ts";
import { failingAgents, type RunReport } from "./report.ts";

export interface ReportAnnotation {
  readonly path: string;
  readonly line: number;
  readonly column: number | null;
  readonly level: "notice" | "warning" | "failure";
  readonly title: string;
  readonly message: string;
  /** Last lines of output; check runs show them folded. */
  readonly details: string | null;
}

/** GitHub takes this many annotations in one request; further requests append. */
export const ANNOTATIONS_PER_REQUEST = 50;
/** Ours: ten requests. GitHub names no total; a reader of more has the results file. */
export const ANNOTATIONS_PER_CHECK = 500;
/** A step's workflow commands beyond this many of one level are dropped by GitHub without a word. */
export const COMMANDS_PER_LEVEL = 10;

/** GitHub's are 255 characters, 64 KB and 64 KB; a workflow command's message is cut at 4,096. */
const LIMITS = { title: 255, message: 4000, details: 16_000 } as const;
/** Times its limit, a text is looked at at all: most of it may be what steers terminals, and is left out. */
const LOOKED_AT = 4;
const AGENTS_NAMED = 20;
const AGENTS_WITH_OUTPUT = 3;
const OUTPUT_LINES = 15;
const OUTPUT_LINES_IN_COMMAND = 5;

/** Everything worth an annotation: failures first, then warnings, then notices; the stages' own before their commands'. */
export function annotationsOf(report: RunReport): readonly ReportAnnotation[] {
  const own: ReportAnnotation[] = [];
  const theirs: ReportAnnotation[] = [];
  const { summary } = report;
  if (summary.verdict === "failure" && !summary.phases.some((phase) => phase.status === "failure")) {
    own.push(bounded({ ...atLine(report, 1, null), level: "failure", title: "run failed", message: summary.message }));
  }
  for (const phase of summary.phases) {
    if (phase.status === "failure" || phase.status === "warning" || phase.status === "cancelled") {
      own.push(stageAnnotation(report, phase));
    }
    for (const annotation of phase.annotations) theirs.push(commandAnnotation(report, phase, annotation));
  }
  const rank = { failure: 0, warning: 1, notice: 2 } as const;
  return [...own, ...theirs].sort((a, b) => rank[a.level] - rank[b.level]);
}

/** One annotation for each problem of a file, at its place. */
export function problemAnnotations(
  problems: readonly Problem[],
  what: "plan" | "policy" = "plan",
): readonly ReportAnnotation[] {
  return problems.map((problem) =>
    bounded({
      path: problem.file,
      line: problem.line,
      column: problem.column,
      level: problem.severity === "error" ? "failure" : "warning",
      title: problem.severity === "error" ? `invalid ${what}` : what,
      message: problem.message,
      details: null,
    }),
  );
}

export interface Shown {
  readonly shown: readonly ReportAnnotation[];
  /** How many are left out. */
  readonly hidden: number;
}

/** The first so many in all, and of each level. */
export function limited(annotations: readonly ReportAnnotation[], limit: { total?: number; perLevel?: number }): Shown {
  const perLevel = { failure: 0, warning: 0, notice: 0 };
  const shown: ReportAnnotation[] = [];
  for (const annotation of annotations) {
    if (shown.length >= (limit.total ?? Number.POSITIVE_INFINITY)) break;
    if (perLevel[annotation.level] >= (limit.perLevel ?? Number.POSITIVE_INFINITY)) continue;
    perLevel[annotation.level] += 1;
    shown.push(annotation);
  }
  return { shown, hidden: annotations.length - shown.length };
}

/** "12 annotations not shown", or null when all are. */
export function hiddenLine(hidden: number): string | null {
  return hidden === 0 ? null : `${count(hidden, "annotation")} not shown`;
}

/** In groups of at most 50, as many as one request takes. */
export function batches(annotations: readonly ReportAnnotation[]): readonly (readonly ReportAnnotation[])[] {
  const groups: ReportAnnotation[][] = [];
  for (let start = 0; start < annotations.length; start += ANNOTATIONS_PER_REQUEST) {
    groups.push(annotations.slice(start, start + ANNOTATIONS_PER_REQUEST));
  }
  return groups;
}

/** As the check-runs API takes it. */
export function checkAnnotation(annotation: ReportAnnotation): Record<string, string | number> {
  return {
    path: annotation.path,
    start_line: annotation.line,
    end_line: annotation.line,
    ...(annotation.column === null ? {} : { start_column: annotation.column, end_column: annotation.column }),
    annotation_level: annotation.level,
    title: annotation.title,
    message: annotation.message,
    ...(annotation.details === null ? {} : { raw_details: annotation.details }),
  };
}

/** As a workflow command; the last lines of output follow in the message, since a command has no place of their own. */
export function commandLine(annotation: ReportAnnotation): string {
  const name = annotation.level === "failure" ? "error" : annotation.level;
  const details = annotation.details === null ? "" : `\n${lastLines(annotation.details, OUTPUT_LINES_IN_COMMAND)}`;
  return workflowCommand(
    name,
    { title: annotation.title, file: annotation.path, line: annotation.line, col: annotation.column },
    clip(`${annotation.message}${details}`, LIMITS.message),
  );
}

/** A path as GitHub's annotations want it: relative, with slashes; null when it lies outside the checkout. */
export function repositoryPath(path: string, workspace: string | null): string | null {
  const slashes = (text: string): string => (workspace?.includes("\\") ? text.replaceAll("\\", "/") : text);
  let relative = slashes(oneLine(path));
  if (workspace !== null) {
    const root = `${slashes(workspace).replace(/(?<!\/)\/+$/u, "")}/`;
    if (relative.startsWith(root)) relative = relative.slice(root.length);
  }
  if (relative.startsWith("/") || /^[A-Za-z]:\//u.test(relative)) return null;
  const parts: string[] = [];
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else parts.push(part);
  }
  return parts.length === 0 ? null : parts.join("/");
}

function stageAnnotation(report: RunReport, phase: PhaseRecord): ReportAnnotation {
  const failing = failingAgents(phase);
  const lines = [phase.reason ?? phase.status];
  if (phase.agents.length > 1) {
    lines.push(...failing.slice(0, AGENTS_NAMED).map(agentLine));
    if (failing.length > AGENTS_NAMED) lines.push(`and ${failing.length - AGENTS_NAMED} more`);
  }
  const outputs = failing.filter((agent) => agent.tail.trim() !== "").slice(0, AGENTS_WITH_OUTPUT);
  return bounded({
    ...atLine(report, phase.line, phase.column),
    level: phase.status === "failure" ? "failure" : "warning",
    title: `${phase.name}: ${stageWord(phase)}`,
    message: lines.join("\n"),
    details: outputs.map((agent) => outputOf(agent, outputs.length > 1)).join("\n\n"),
  });
}

function stageWord(phase: PhaseRecord): string {
  switch (phase.status) {
    case "failure":
      return "failed";
    case "cancelled":
      return "cancelled";
    case "warning":
      return phase.optional && failingAgents(phase).length > 0 ? "failed (optional)" : "warning";
    case "success":
    case "skipped":
      return phase.status;
  }
}

function agentLine(agent: AgentPhase): string {
  const tries = agent.attempts > 1 ? ` (${agent.attempts} attempts)` : "";
  return `${agent.agent}: ${agent.reason ?? agent.status}${tries}`;
}

function outputOf(agent: AgentPhase, named: boolean): string {
  const tail = lastLines(agent.tail, OUTPUT_LINES);
  return named ? `── ${agent.agent}\n${tail}` : tail;
}

function commandAnnotation(
  report: RunReport,
  phase: PhaseRecord,
  from: Annotation & { agent: string },
): ReportAnnotation {
  const path = repositoryPath(from.path, report.workspace);
  const who = phase.agents.length > 1 ? `${phase.name}, ${from.agent}` : phase.name;
  const place =
    path === null
      ? atLine(report, phase.line, phase.column)
      : { path, line: Math.max(1, Math.trunc(from.line)), column: null, details: null };
  return bounded({
    ...place,
    level: from.level,
    title: from.title ?? who,
    message: path === null && from.path !== "" ? `${from.path}:${from.line}: ${from.message}` : from.message,
  });
}

function atLine(report: RunReport, line: number, column: number | null) {
  return { path: report.planFile, line, column, details: null };
}

function bounded(annotation: ReportAnnotation): ReportAnnotation {
  const message = clip(clean(clip(annotation.message, LOOKED_AT * LIMITS.message)).trim(), LIMITS.message);
  const end = annotation.details?.slice(-LOOKED_AT * LIMITS.details) ?? "";
  const details = lastWithin(clean(end), LIMITS.details);
  return {
    ...annotation,
    title: clip(oneLine(clip(annotation.title, LOOKED_AT * LIMITS.title)), LIMITS.title),
    message: message === "" ? "(no message)" : message,
    details: details.trim() === "" ? null : details,
  };
}

/** The end of a text in at most `max` units, in whole lines, which are shorter. */
function lastWithin(text: string, max: number): string {
  if (text.length <= max) return text;
  const tail = text.slice(-max);
  return tail.slice(tail.indexOf("\n") + 1);
}
