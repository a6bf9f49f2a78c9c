/**
 * Results as one HTML file that needs nothing else: no script, nothing from outside, readable on a telephone, light or
 * dark as its reader's system is. What would make it slow to open is left out, and counted.
 */
import { html } from "../escape.ts";
import { count, duration } from "../format.ts";
import type { PhaseResult, Result } from "../record/result-schema.ts";
import { approvalsOf, quorumsOf, taskTables } from "./decisions.ts";
import { change, histogramsOf, metricsOf } from "./metrics.ts";
import {
  badge,
  leftOut,
  PAGE_BOUNDS,
  type PageOptions,
  type ShownResult,
  section,
  shown,
  table,
  time,
} from "./parts.ts";
import { STYLE } from "./style.ts";
import { LEGEND, timelines } from "./timeline.ts";

/** @param given at least one; beyond the bound they are counted */
export function htmlReport(
  given: readonly { readonly file: string; readonly result: Result }[],
  options: PageOptions,
): string {
  const results = given.slice(0, PAGE_BOUNDS.results).map(
    ({ file, result }, index): ShownResult => ({
      letter: given.length > 1 ? String.fromCharCode(65 + index) : "",
      index,
      file,
      result,
    }),
  );
  const [first] = results;
  const names = [...new Set(results.map(({ result }) => result.plan.name))];
  const title = names.length === 1 ? (names[0] ?? "") : `${names.length} plans`;
  const drawn = timelines(results, PAGE_BOUNDS.bars);
  const body = [
    `<h1>${shown(title)}</h1>`,
    first !== undefined && results.length === 1 ? verdict(first.result) : "",
    section(results.length > 1 ? "Runs" : "Run", runs(results) + leftOut(given.length - results.length, "result")),
    section("What did not succeed", failures(results)),
    section("Timeline", drawn === "" ? "" : LEGEND + drawn),
    section("Approvals", approvalsOf(results)),
    section("Quorums", quorumsOf(results)),
    section("Tasks", taskTables(results)),
    section("Metrics", metricsOf(results)),
    section("Histograms", histogramsOf(results, options)),
    section("Stages", stages(results)),
    section("Machines", machines(results)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${shown(title)}: result</title>
<style>${STYLE}</style>
</head>
<body><main>
${body.filter((part) => part !== "").join("\n")}
<footer>Made by <code>stagewright report</code>. Times are in UTC.</footer>
</main></body>
</html>
`;
}

function verdict({ verdict: said, message }: Result): string {
  return `<p class="verdict ${said}">${VERDICTS[said]}<span>${shown(message, 2_000)}</span></p>`;
}

const VERDICTS = { success: "✓ succeeded", failure: "✗ failed", cancelled: "⊘ cancelled" } as const;

/** A column for each result. */
function runs(results: readonly ShownResult[]): string {
  const row = (name: string, cell: (of: ShownResult) => string): readonly string[] => [name, ...results.map(cell)];
  const [first] = results;
  const isSeveral = results.length > 1;
  const head = isSeveral
    ? ["", ...results.map((of) => `${badge(of)} ${shown(of.file, 80)}`)]
    : ["file", ...results.map(({ file }) => shown(file, 80))];
  const rows = [
    ...(isSeveral
      ? [row("verdict", ({ result }) => `<span class="${result.verdict}">${VERDICTS[result.verdict]}</span>`)]
      : []),
    ...(isSeveral ? [row("plan", ({ result }) => shown(result.plan.name, 80))] : []),
    row("started", ({ result }) => html(result.started_at.slice(0, 19).replace("T", " "))),
    row("took", ({ result }) => {
      const ms = result.timing_summary.total_duration_ms;
      if (first === undefined || result === first.result) return time(ms);
      return time(ms) + change(first.result.timing_summary.total_duration_ms, ms);
    }),
    row("agents", ({ result }) => String(result.agents.length)),
    row("commit", ({ result }) => (result.commit === null ? "–" : `<code>${shown(result.commit, 12)}</code>`)),
    row("parameters", ({ result }) => parameters(result)),
    row("testbed", ({ result }) =>
      result.testbed === null ? "not known" : `<code>${shown(result.testbed, 16)}</code>`,
    ),
    row("run", ({ result }) =>
      result.run === null ? "–" : shown(`${result.run.run_id} · attempt ${result.run.attempt}`, 80),
    ),
    row("plan's digest", ({ result }) =>
      result.plan.digest === null ? "–" : `<code>${shown(result.plan.digest.slice(0, 12))}</code>`,
    ),
  ];
  return table(head, rows, "runs");
}

function parameters({ params }: Result): string {
  const pairs = Object.entries(params).slice(0, 20);
  if (pairs.length === 0) return "–";
  return pairs.map(([name, said]) => `${shown(name, 40)}=${shown(String(said), 60)}`).join("<br>");
}

function failures(results: readonly ShownResult[]): string {
  const lines = results.flatMap((of) => {
    // Who is excluded stays so: it is told once, not of each stage that follows.
    const gone = new Set<string>();
    return of.result.phase_results.flatMap((phase) => {
      const agents = phase.agents.filter(({ agent, status, attempts }) => {
        if (status === "success" || status === "skipped" || (attempts === 0 && gone.has(agent))) return false;
        if (status === "excluded" || status === "lost") gone.add(agent);
        return true;
      });
      const isBad = phase.status === "failure" || phase.status === "warning" || phase.status === "cancelled";
      return isBad || agents.length > 0 ? [failure(of, phase, agents)] : [];
    });
  });
  if (lines.length === 0) return "";
  const told = lines.slice(0, PAGE_BOUNDS.failures);
  return `<ul class="failures">${told.join("")}</ul>${leftOut(lines.length - told.length, "stage")}`;
}

function failure(of: ShownResult, phase: PhaseResult, agents: PhaseResult["agents"]): string {
  const parts = agents
    .slice(0, 10)
    .map(
      ({ agent, status, reason }) =>
        `<li>${shown(agent, 100)} ${status}: ${shown(reason ?? "no reason recorded")}</li>`,
    );
  const more = agents.length - parts.length;
  const rest = more > 0 ? `<li>and ${count(more, "more agent")}</li>` : "";
  const list = parts.length === 0 ? "" : `<ul>${parts.join("")}${rest}</ul>`;
  const why = phase.reason ?? (phase.status === "success" ? "succeeded, but not on all agents" : phase.status);
  return `<li>${badge(of)}${mark(phase)} <b>${shown(phase.phase, 100)}</b>: ${shown(why, 1_000)}${list}</li>`;
}

/** A row for each stage, a column for each result. */
function stages(results: readonly ShownResult[]): string {
  const names = [...new Set(results.flatMap(({ result }) => result.phase_results.map(({ phase }) => phase)))];
  const byName = results.map(({ result }) => new Map(result.phase_results.map((phase) => [phase.phase, phase])));
  const told = names.slice(0, PAGE_BOUNDS.stages);
  const rows = told.map((name) => {
    const before = byName[0]?.get(name);
    return [
      shown(name, 100),
      ...byName.map((phases, index) => {
        const phase = phases.get(name);
        if (phase === undefined) return "–";
        const against =
          index > 0 && before !== undefined && !before.skipped ? change(before.duration_ms, phase.duration_ms) : "";
        return stageCell(phase) + (phase.skipped ? "" : against);
      }),
    ];
  });
  const head = ["stage", ...results.map((of) => (of.letter === "" ? "what came of it" : badge(of)))];
  return rows.length === 0 ? "" : table(head, rows, "stages") + leftOut(names.length - told.length, "stage");
}

function stageCell(phase: PhaseResult): string {
  if (phase.skipped)
    return `<span class="muted">skipped${phase.reason === null ? "" : `: ${shown(phase.reason, 120)}`}</span>`;
  const rounds = (phase.earlier_rounds?.length ?? 0) + 1;
  const parts = [
    `${mark(phase)} ${html(duration(phase.duration_ms))}`,
    ...(rounds > 1 ? [`round ${rounds}`] : []),
    ...(phase.retry_count > 0 ? [count(phase.retry_count, "retry", "retries")] : []),
    ...(phase.tasks === null ? [] : [`${phase.tasks.done} of ${count(phase.tasks.total, "task")}`]),
  ];
  return parts.join(" · ");
}

function mark({ status }: PhaseResult): string {
  const signs = { success: "✓", warning: "!", failure: "✗", cancelled: "⊘", skipped: "–" } as const;
  return `<span class="${status}" title="${status}">${signs[status]}</span>`;
}

function machines(results: readonly ShownResult[]): string {
  const rows = results.flatMap((of) =>
    of.result.agents.map(({ agent, role, machine }) => {
      const named = `${badge(of)}${shown(agent, 60)}`;
      const who = role === null ? named : `${named} <small>${shown(role, 40)}</small>`;
      if (machine === null) return [who, "not known", "", "", ""];
      const { cores, memory_bytes, cpu, os, kernel, arch, runner } = machine;
      const memory = `${(memory_bytes / 1024 ** 3).toFixed(1)} GiB`;
      return [
        who,
        `${cores} × ${shown(cpu, 60)} ${shown(arch, 20)}`,
        memory,
        shown(`${os} ${kernel}`, 60),
        shown(runner ?? "–", 60),
      ];
    }),
  );
  const told = rows.slice(0, PAGE_BOUNDS.machines);
  const head = ["agent", "processors", "memory", "system", "runner"];
  if (told.length === 0) return "";
  return `<details><summary>${count(rows.length, "agent")}</summary>${table(head, told)}${leftOut(rows.length - told.length, "agent")}</details>`;
}
