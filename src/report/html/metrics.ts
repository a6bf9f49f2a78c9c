/** Metrics and histograms, by stage and name: each result a row, on one scale, so that they can be compared. */
import { aggregation, number } from "../format.ts";
import { binned, histogramFigures, type Sample } from "../histograms.ts";
import type { PhaseResult } from "../record/result-schema.ts";
import {
  badge,
  leftOut,
  PAGE_BOUNDS,
  type PageOptions,
  percent,
  type ShownResult,
  shown,
  table,
  value,
} from "./parts.ts";

const BINS = 48;

type ShownMetric = PhaseResult["metrics"][number];

interface Row<T> {
  readonly of: ShownResult;
  readonly phase: PhaseResult;
  readonly told: T;
}

interface Group<T> {
  readonly stage: string;
  readonly name: string;
  readonly rows: readonly Row<T>[];
}

/** Of several results those of one stage and name, in the order in which they first appear. */
function grouped<T extends object>(
  results: readonly ShownResult[],
  told: (phase: PhaseResult) => readonly (readonly [string, T])[],
): readonly Group<T>[] {
  const groups = new Map<string, { stage: string; name: string; rows: Row<T>[] }>();
  for (const of of results) {
    for (const phase of of.result.phase_results) {
      for (const [name, each] of told(phase)) {
        const key = JSON.stringify([phase.phase, name]);
        const group = groups.get(key) ?? { stage: phase.phase, name, rows: [] };
        group.rows.push({ of, phase, told: each });
        groups.set(key, group);
      }
    }
  }
  return [...groups.values()];
}

export function metricsOf(results: readonly ShownResult[]): string {
  const groups = grouped<ShownMetric>(results, ({ metrics }) => metrics.map((metric) => [metric.name, metric]));
  let dots: number = PAGE_BOUNDS.dots;
  const told = groups.slice(0, PAGE_BOUNDS.metrics).map((group) => {
    const strips = group.rows.map((row) => partsOf(row, Math.max(0, dots)));
    dots -= strips.reduce((sum, parts) => sum + parts.length, 0);
    return metricCard(group, strips);
  });
  return told.length === 0
    ? ""
    : `<div class="cards">${told.join("")}</div>${leftOut(groups.length - told.length, "metric")}`;
}

interface Part {
  readonly agent: string;
  readonly amount: number;
}

function partsOf({ phase, told }: Row<ShownMetric>, most: number): readonly Part[] {
  const parts = phase.agents.flatMap(({ agent, metrics = [] }) => {
    const own = metrics.find(({ name }) => name === told.name);
    return own === undefined ? [] : [{ agent, amount: own.value }];
  });
  return parts.slice(0, most);
}

function metricCard({ stage, name, rows }: Group<ShownMetric>, strips: readonly (readonly Part[])[]): string {
  const [first] = rows;
  const amounts = strips.flat().map(({ amount }) => amount);
  const range = { low: Math.min(...amounts), high: Math.max(...amounts) };
  const lines = rows.map((row, index) => {
    const { told } = row;
    const before = first === undefined || row === first ? "" : change(first.told.value, told.value);
    const expected =
      told.expected === null
        ? ""
        : ` <span class="${told.met === true ? "ok" : "bad"}">${told.met === true ? "✓" : "✗"} ${shown(told.expected, 80)}</span>`;
    const head = `<div class="figure">${badge(row.of)}<strong>${value(told.value, told.unit)}</strong> <small>${shown(aggregation(told))}</small>${before}${expected}</div>`;
    return head + strip(strips[index] ?? [], told.unit, range, row.of);
  });
  return `<article><h3>${shown(name)} <small>${shown(stage)}</small></h3>${lines.join("")}</article>`;
}

/** A dot for each agent on the scale of the card. */
function strip(parts: readonly Part[], unit: string, range: { low: number; high: number }, of: ShownResult): string {
  if (parts.length < 2) return "";
  const width = range.high - range.low;
  const at = (amount: number): string => percent(width > 0 ? (amount - range.low) / width : 0.5);
  const dots = parts.map(
    ({ agent, amount }) =>
      `<i class="dot c${of.index % 6}" style="left:${at(amount)}" title="${shown(`${agent}: `)}${value(amount, unit)}"></i>`,
  );
  const sorted = parts.toSorted((a, b) => a.amount - b.amount);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const said =
    least === undefined || most === undefined
      ? ""
      : `<p class="ends"><span>${end(least)}</span><span>${end(most)}</span></p>`;
  return `<div class="strip">${dots.join("")}</div>${said}`;
}

/** A dot at the end of its strip: which agent, and how much. */
function end({ agent, amount }: Part): string {
  return `${number(Number(amount.toPrecision(4)))} · ${shown(agent, 40)}`;
}

/** "+3.2 %" against the first result. */
export function change(before: number, now: number): string {
  if (before === 0 || !Number.isFinite(now / before)) return "";
  const share = ((now - before) / Math.abs(before)) * 100;
  return ` <span class="change">${share > 0 ? "+" : share < 0 ? "−" : "±"}${number(Math.abs(Number(share.toFixed(1))))} %</span>`;
}

export function histogramsOf(results: readonly ShownResult[], { readHistogram }: PageOptions): string {
  const groups = grouped<{ readonly encoded: string }>(results, ({ histograms }) =>
    Object.entries(histograms).map(([name, encoded]) => [name, { encoded }]),
  );
  const told = groups.slice(0, PAGE_BOUNDS.histograms).map(({ stage, name, rows }) => {
    const read = rows.map(({ of, told: { encoded } }) => ({ of, samples: readHistogram(encoded) }));
    return histogramCard(stage, name, read);
  });
  return told.length === 0
    ? ""
    : `<div class="cards">${told.join("")}</div>${leftOut(groups.length - told.length, "histogram")}`;
}

function histogramCard(
  stage: string,
  name: string,
  read: readonly { readonly of: ShownResult; readonly samples: readonly Sample[] | null }[],
): string {
  // Samples rise.
  const range = {
    least: Math.min(...read.map(({ samples }) => samples?.[0]?.least ?? Number.POSITIVE_INFINITY)),
    most: Math.max(...read.map(({ samples }) => samples?.at(-1)?.most ?? 0)),
  };
  const charts = read.map(({ of, samples }) => {
    if (samples === null || samples.length === 0) return `<p class="note">${badge(of)}It holds no values.</p>`;
    return badge(of) + bars(samples, range, of);
  });
  const figures = read.flatMap(({ of, samples }) => {
    const numbers = samples === null ? null : histogramFigures(samples);
    if (numbers === null) return [];
    const { count, min, p50, p90, p99, p99_9, max } = numbers;
    return [[of.letter === "" ? "values" : badge(of), ...[count, min, p50, p90, p99, p99_9, max].map(number)]];
  });
  const head = ["", "count", "min", "p50", "p90", "p99", "p99.9", "max"];
  return `<article class="histogram"><h3>${shown(name)} <small>${shown(stage)}</small></h3>${charts.join("")}${table(head, figures)}</article>`;
}

function bars(samples: readonly Sample[], range: { least: number; most: number }, of: ShownResult): string {
  const bins = binned(samples, BINS, range);
  const tallest = Math.max(1, ...bins.map(({ count }) => count));
  const columns = bins.map(({ least, most, count }) => {
    if (count === 0) return "<i></i>";
    const height = percent(Math.max(0.02, count / tallest));
    const values = `${number(Math.round(least))} to ${number(Math.round(most))}: ${number(count)}`;
    return `<i class="c${of.index % 6}" style="height:${height}" title="${values}"></i>`;
  });
  return `<div class="bins">${columns.join("")}</div><p class="ends"><span>${number(range.least)}</span><span>logarithmic</span><span>${number(range.most)}</span></p>`;
}
