/** Durations, dates and numbers as people read them. */
import type { Metric } from "../run/types.ts";

/** "84 ms", "12.3 s", "3 min 04 s", "2 h 05 min". `ms` ≥ 0. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Between two times; null when either is missing. */
export function between(start: number | null, end: number | null): number | null {
  return start === null || end === null ? null : Math.max(0, end - start);
}

/** ISO 8601 in UTC with its zone; null for null. */
export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** "02:43:29" in UTC. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** "1 stage", "3 stages". */
export function count(n: number, singular: string, plural = `${singular}s`): string {
  return `${n} ${n === 1 ? singular : plural}`;
}

/** "512 bytes", "1.2 MiB". */
export function bytes(n: number): string {
  if (n < 1024) return count(n, "byte");
  return n < 1_048_576 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1_048_576).toFixed(1)} MiB`;
}

/** At most six significant digits, no exponent where it can be helped: 1234567, 0.333333, 12.5. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(6)));
}

/** "sum of 10"; of `last` there is one value of each agent: "last", "last of 4 agents, summed". */
export function aggregation({ agg, count: samples }: Pick<Metric, "agg" | "count">): string {
  if (agg !== "last") return `${agg} of ${samples}`;
  return samples === 1 ? agg : `${agg} of ${samples} agents, summed`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
