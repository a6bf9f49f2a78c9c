/** Numbers that several told of the same thing, as one. */
import type { Metric } from "../types.ts";

/**
 * The largest value of a metric, in either direction, that is taken from a command and from a report. Far beyond any
 * use, and so far below the largest number (1.8e308) that the sum of 170 million of them is still one: a stage has at
 * most 100,000 tasks and 10,000 agents, and a report 1,000 metrics.
 */
export const LARGEST_METRIC = 1e300;

/** Whether it may be told: within the range, and standing for a number of samples that is known exactly. */
export function isTellable({ value, count }: Pick<Metric, "value" | "count">): boolean {
  return Math.abs(value) <= LARGEST_METRIC && count <= Number.MAX_SAFE_INTEGER;
}

/** Two values of one agent, the later one second, as one: aggregated as the first one is. Finite within the range. */
export function combined(a: Metric, b: Pick<Metric, "value" | "count">): Metric {
  const count = a.count + b.count;
  switch (a.agg) {
    case "sum":
      return { ...a, count, value: a.value + b.value };
    case "mean":
      return { ...a, count, value: count === 0 ? 0 : weighted(a, b, count) };
    case "min":
      return { ...a, count, value: Math.min(a.value, b.value) };
    case "max":
      return { ...a, count, value: Math.max(a.value, b.value) };
    case "last":
      return { ...a, count: 1, value: b.value };
    default:
      return a.agg satisfies never;
  }
}

/**
 * The group's value and what one agent tells, as one. `before`: what that agent told earlier, which its word replaces
 * with `last`; null: nothing.
 */
export function acrossAgents(group: Metric, told: Metric, before: number | null): Metric {
  if (group.agg !== "last") return combined(group, told);
  const value = group.value - (before ?? 0) + told.value;
  return { ...group, value, count: before === null ? group.count + 1 : group.count };
}

function weighted(a: Pick<Metric, "value" | "count">, b: Pick<Metric, "value" | "count">, count: number): number {
  const mean = (a.value * a.count + b.value * b.count) / count;
  // A large value of many samples: their product is out of range where their mean is not.
  return Number.isFinite(mean) ? mean : a.value * (a.count / count) + b.value * (b.count / count);
}
