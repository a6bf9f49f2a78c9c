/** What the sections of the page share: how much of everything is shown, and small pieces of HTML. */
import { clip, html } from "../escape.ts";
import { duration, number } from "../format.ts";
import type { ReadHistogram } from "../histograms.ts";
import type { Result } from "../record/result-schema.ts";

/** One of the results on the page. */
export interface ShownResult {
  /** "A", "B", … where there are several, else "". */
  readonly letter: string;
  /** Position on the page; colours follow it. */
  readonly index: number;
  readonly file: string;
  readonly result: Result;
}

export interface PageOptions {
  readonly readHistogram: ReadHistogram;
}

/** Beyond these the page would be slow to open; what is left out is counted. */
export const PAGE_BOUNDS = {
  results: 12,
  /** Bars of all timelines together, and agents of one. */
  bars: 12_000,
  agents: 64,
  stages: 300,
  /** Metrics, and dots of all of them together. */
  metrics: 200,
  dots: 12_000,
  histograms: 60,
  machines: 300,
  failures: 50,
  /** Of approvals and quorums; votes and deficiencies of each. */
  rounds: 100,
  votes: 50,
  tasks: 500,
  text: 300,
} as const;

/** Text of others, bounded, for the page. */
export function shown(text: string, most: number = PAGE_BOUNDS.text): string {
  return html(clip(text, most));
}

export function value(amount: number, unit: string): string {
  return unit === "" ? number(amount) : `${number(amount)} ${shown(unit, 20)}`;
}

export function time(ms: number): string {
  return html(duration(Math.max(0, ms)));
}

/** "12 agents are not shown", or nothing. */
export function leftOut(count: number, singular: string, plural = `${singular}s`): string {
  if (count <= 0) return "";
  return `<p class="note">${count} ${count === 1 ? `${singular} is` : `${plural} are`} not shown.</p>`;
}

/** The mark of a result where there are several. */
export function badge({ letter, index }: ShownResult): string {
  return letter === "" ? "" : `<span class="badge c${index % 6}">${letter}</span>`;
}

/** A share of the width, as CSS takes it. */
export function percent(share: number): string {
  const bounded = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return `${Number((bounded * 100).toFixed(3))}%`;
}

/** A table that scrolls by itself where it is wider than the page. Cells are HTML. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], className = ""): string {
  const cells = (tag: string, row: readonly string[]): string => row.map((cell) => `<${tag}>${cell}</${tag}>`).join("");
  const body = rows.map(([first = "", ...rest]) => `<tr><th scope="row">${first}</th>${cells("td", rest)}</tr>`);
  return `<div class="wide"><table class="${className}"><thead><tr>${cells("th", head)}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

export function section(title: string, body: string): string {
  return body === "" ? "" : `<section><h2>${title}</h2>${body}</section>`;
}
