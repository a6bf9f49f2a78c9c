/** The timeline of a result: a row for each agent, a bar for each stage, and how long it then waited for the others. */
import { duration } from "../format.ts";
import type { PhaseResult, ResultAgent, RoundResult } from "../record/result-schema.ts";
import { badge, leftOut, PAGE_BOUNDS, percent, type ShownResult, shown } from "./parts.ts";

/** Between two lines of the scale, milliseconds. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000],
  ...[600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000, 172_800_000, 604_800_000],
];
const MOST_LINES = 4;
/** A bar narrower than this is still to be seen; a wait narrower than this is none. */
const LEAST_WIDTH = 0.002;
/** A narrower one has no room for a stage's name. */
const LEAST_NAMED = 0.025;
/** Of the names of agents. */
const LONG_PREFIX = 10;

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Work {
  readonly phase: PhaseResult;
  readonly round: number;
  readonly span: Span;
  readonly agents: ReadonlyMap<string, ResultAgent>;
}

/** One below the other, all on the scale of the longest. @param most bars of all of them */
export function timelines(results: readonly ShownResult[], most: number): string {
  const drawn = results.flatMap((of) => {
    const work = of.result.phase_results.slice(0, PAGE_BOUNDS.stages).flatMap(worksOf);
    return work.length === 0 ? [] : [{ of, work, from: wholeOf(work).from, length: lengthOf(wholeOf(work)) }];
  });
  const length = drawn.reduce((longest, each) => Math.max(longest, each.length), 1);
  const bars = Math.floor(most / Math.max(1, drawn.length));
  return drawn.map(({ of, work, from }) => timeline(of, work, { from, to: from + length }, bars)).join("");
}

function wholeOf(work: readonly Work[]): Span {
  return {
    from: work.reduce((least, { span }) => Math.min(least, span.from), Number.POSITIVE_INFINITY),
    to: work.reduce((last, { span }) => Math.max(last, span.to), 0),
  };
}

function timeline(of: ShownResult, work: readonly Work[], whole: Span, bars: number): string {
  const { result } = of;
  const agents = agentsIn(work);
  const room = Math.max(1, Math.min(PAGE_BOUNDS.agents, Math.floor(bars / (2 * work.length))));
  const told = mostTelling(agents, work, room);
  const prefix = commonPrefix(told);
  const rows = told.map((agent) => row(agent, prefix, work, whole));
  return [
    `<div class="timeline">${badge(of)}${scale(whole)}${stagesRow(work, whole)}${rows.join("")}</div>`,
    leftOut(agents.length - told.length, "agent"),
    leftOut(result.phase_results.length - PAGE_BOUNDS.stages, "stage"),
  ].join("");
}

export const LEGEND = `<p class="legend">${[
  ["success", "success"],
  ["failure", "failed, lost or excluded"],
  ["stopped", "stopped"],
  ["wait", "waiting at the barrier"],
]
  .map(([key, words]) => `<span><i class="key ${key}"></i>${words}</span>`)
  .join("")}</p>`;

function worksOf(phase: PhaseResult): readonly Work[] {
  const rounds: readonly RoundResult[] = [...(phase.earlier_rounds ?? []), phase];
  return rounds.flatMap((round, index) => {
    const span = spanOf(round);
    return span === null
      ? []
      : [{ phase, round: index + 1, span, agents: new Map(round.agents.map((part) => [part.agent, part])) }];
  });
}

function spanOf({ started_at, completed_at }: Pick<ResultAgent, "started_at" | "completed_at">): Span | null {
  if (started_at === null || completed_at === null) return null;
  const [from, to] = [Date.parse(started_at), Date.parse(completed_at)];
  return { from, to: Math.max(from, to) };
}

function agentsIn(work: readonly Work[]): readonly string[] {
  const byName = new Map<string, number>();
  for (const { agents } of work) for (const { agent, index } of agents.values()) byName.set(agent, index);
  return [...byName].toSorted(([, a], [, b]) => a - b).map(([name]) => name);
}

/** Where not all fit: those that did not come through first, in the order of their index. */
function mostTelling(agents: readonly string[], work: readonly Work[], room: number): readonly string[] {
  const isThrough = ({ status }: ResultAgent): boolean => status === "success" || status === "skipped";
  const failed = new Set(
    work.flatMap((each) => [...each.agents.values()].filter((part) => !isThrough(part)).map(({ agent }) => agent)),
  );
  const chosen = new Set(agents.toSorted((a, b) => Number(failed.has(b)) - Number(failed.has(a))).slice(0, room));
  return agents.filter((agent) => chosen.has(agent));
}

/** What all names begin with, up to a sign that parts words, where it is so long that the rest would not be seen. */
function commonPrefix(names: readonly string[]): number {
  const [first = "", ...others] = names;
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) length += 1;
  const end = others.length === 0 ? 0 : first.slice(0, length).search(/[^-._/ ]*$/u);
  return end >= LONG_PREFIX ? end : 0;
}

function row(agent: string, prefix: number, work: readonly Work[], whole: Span): string {
  const bars = work.flatMap((each) => {
    const part = each.agents.get(agent);
    const span = part === undefined ? null : spanOf(part);
    if (part === undefined || span === null) return [];
    const name = `${each.phase.phase}${each.round > 1 ? ` (round ${each.round})` : ""}`;
    const why = part.reason === null ? "" : `: ${part.reason}`;
    const tries = part.attempts > 1 ? `, ${part.attempts} attempts` : "";
    const took = `${agent}, ${name}: ${part.status} after ${duration(span.to - span.from)}${tries}${why}`;
    const waited = { from: span.to, to: Math.max(span.to, each.span.to) };
    return [
      bar(`bar ${statusClass(part.status)}`, span, whole, took),
      ...(isWide(waited, whole)
        ? [
            bar(
              "bar wait",
              waited,
              whole,
              `${agent} waited ${duration(waited.to - waited.from)} at the barrier of ${name}`,
            ),
          ]
        : []),
    ];
  });
  return `<div class="lane"><span class="who" title="${shown(agent)}">${prefix > 0 ? "…" : ""}${shown(agent.slice(prefix), 60)}</span><div class="track">${bars.join("")}</div></div>`;
}

function isWide({ from, to }: Span, whole: Span): boolean {
  return (to - from) / lengthOf(whole) >= LEAST_WIDTH;
}

function lengthOf({ from, to }: Span): number {
  return Math.max(1, to - from);
}

function bar(className: string, span: Span, whole: Span, title: string): string {
  const length = lengthOf(whole);
  const width = Math.max(LEAST_WIDTH, (span.to - span.from) / length);
  const left = Math.min(1 - width, (span.from - whole.from) / length);
  return `<i class="${className}" style="left:${percent(left)};width:${percent(width)}" title="${shown(title)}"></i>`;
}

function stagesRow(work: readonly Work[], whole: Span): string {
  const length = lengthOf(whole);
  const names = work.map(({ phase, round, span }) => {
    const name = `${phase.phase}${round > 1 ? ` (${round})` : ""}`;
    const place = `left:${percent((span.from - whole.from) / length)};width:${percent((span.to - span.from) / length)}`;
    return `<b style="${place}" title="${shown(`${name}: ${phase.status}, ${duration(span.to - span.from)}`)}">${(span.to - span.from) / length >= LEAST_NAMED ? shown(name, 60) : ""}</b>`;
  });
  return `<div class="lane stages"><span class="who">stages</span><div class="track">${names.join("")}</div></div>`;
}

function scale(whole: Span): string {
  const length = lengthOf(whole);
  const step = STEPS.find((each) => length / each <= MOST_LINES) ?? length;
  const lines = Array.from({ length: Math.floor(length / step) + 1 }, (_, n) => n * step).map((at) => {
    const side = at / length > 0.84 ? " end" : "";
    return `<span class="tick${side}" style="left:${percent(at / length)}">${at === 0 ? "0" : duration(at).replace(/ 00 (?:s|min)$/u, "")}</span>`;
  });
  return `<div class="lane scale"><span class="who"></span><div class="track">${lines.join("")}</div></div>`;
}

function statusClass(status: ResultAgent["status"]): string {
  switch (status) {
    case "success":
    case "skipped":
      return "success";
    case "failure":
    case "lost":
    case "excluded":
      return "failure";
    case "stopped":
      return "stopped";
  }
}
