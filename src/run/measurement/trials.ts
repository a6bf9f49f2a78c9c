/** Trials compared: what each metric came to in those that count, and whether that is one number or several. */
import type { PlanStage } from "../../plan/plan.ts";
import type { TrialSpread } from "../result/record.ts";
import type { StageRun } from "../state.ts";
import { medianOf } from "./median.ts";

/**
 * Each metric over the trials that this last one of them is compared with, warm-ups left out. Empty where it is not the
 * last, or fewer than two were run (the others were left out by who started the run).
 * @param stageAt a stage's present round
 */
export function spreadsOf(
  planned: PlanStage,
  stages: readonly PlanStage[],
  stageAt: (stage: number) => StageRun | undefined,
): readonly TrialSpread[] {
  const { trial } = planned;
  if (trial === undefined || trial.number < trial.count) return [];
  const runs = stages.flatMap(({ index, trial: other }) => {
    const isCompared = other?.of === trial.of && other.number > trial.discard;
    const run = isCompared ? stageAt(index) : undefined;
    return run?.startAt == null ? [] : [run];
  });
  if (runs.length < 2) return [];
  const names = new Set(runs.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
  return [...names].map((metric) =>
    spreadOf(
      metric,
      runs.map(({ metrics }) => metrics.find(({ name }) => name === metric)?.value ?? null),
    ),
  );
}

/** `values`: of each trial in order; null: it told nothing of the metric. */
export function spreadOf(metric: string, values: readonly (number | null)[]): TrialSpread {
  const told = values.filter((value) => value !== null).sort((a, b) => a - b);
  const median = medianOf(told);
  const [min = 0, max = 0] = [told[0], told.at(-1)];
  const width = max - min;
  // Of something that is nothing in the middle, any difference is too much.
  const spread = width === 0 ? 0 : median === 0 ? null : width / Math.abs(median);
  return { metric, values, median, min, max, spread };
}

/** Why the trials are not one result; empty: they are, or nothing is said about it. */
export function unstableTrials({ trial, expect }: PlanStage, spreads: readonly TrialSpread[]): readonly string[] {
  const most = trial?.maxSpread ?? null;
  if (most === null) return [];
  // What is expected of is what is measured; else everything is.
  const asked = new Set(expect.map(({ metric }) => metric));
  return spreads
    .filter(({ metric }) => asked.size === 0 || asked.has(metric))
    .flatMap(({ metric, values, spread, min, max }) => {
      const missing = values.filter((value) => value === null).length;
      if (missing > 0) return [`unstable: ${metric} was told in ${values.length - missing} of ${values.length} trials`];
      if (spread !== null && spread <= most) return [];
      const wide = spread === null ? "around 0" : `${percent(spread)} of its median`;
      return [
        `unstable: ${metric} spreads from ${min} to ${max} over ${values.length} trials, ${wide}; at most ${percent(most)} are allowed`,
      ];
    });
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
