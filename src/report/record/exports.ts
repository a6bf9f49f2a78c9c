/** A result as other programs take it: as one JSON beside others, and for the two benchmark trackers people use most. */
import type { Json } from "../../plan/plan.ts";
import { clip, oneLine } from "../escape.ts";
import type { PhaseResult, Result } from "./result-schema.ts";

/** Bencher's bounds. */
const LONGEST_BENCHMARK = 1_024;
const LONGEST_MEASURE = 64;
const LATENCIES = ["p50", "p90", "p99"] as const;

export const DIRECTIONS = ["bigger", "smaller"] as const;
export type Direction = (typeof DIRECTIONS)[number];

interface Named {
  readonly file: string;
  readonly result: Result;
}

/** Several results side by side: of each stage and metric the values in the order of the results, null where there is none. */
export function comparisonJson(results: readonly Named[]): Json {
  const stages = [...new Set(results.flatMap(({ result }) => result.phase_results.map(({ phase }) => phase)))];
  const byName = results.map(({ result }) => new Map(result.phase_results.map((phase) => [phase.phase, phase])));
  return {
    runs: results.map(({ file, result }) => ({
      file,
      plan: result.plan.name,
      digest: result.plan.digest,
      params: result.params,
      commit: result.commit,
      testbed: result.testbed,
      verdict: result.verdict,
      started_at: result.started_at,
      total_duration_ms: result.timing_summary.total_duration_ms,
    })),
    stages: stages.map((stage) => {
      const phases = byName.map((each) => each.get(stage));
      const names = [...new Set(phases.flatMap((phase) => phase?.metrics.map(({ name }) => name) ?? []))];
      return {
        stage,
        status: phases.map((phase) => phase?.status ?? null),
        duration_ms: phases.map((phase) => (phase === undefined || phase.skipped ? null : phase.duration_ms)),
        metrics: names.map((name) => {
          const told = phases.map((phase) => phase?.metrics.find((metric) => metric.name === name));
          return {
            name,
            unit: told.find((metric) => metric !== undefined)?.unit ?? "",
            values: told.map((metric) => metric?.value ?? null),
          };
        }),
      };
    }),
  };
}

/** Bencher Metric Format: a benchmark for each stage that ran, its metrics, percentiles and duration as measures. */
export function bencherMetrics({ plan, phase_results }: Result): Json {
  const ran = phase_results.filter(({ skipped }) => !skipped);
  return Object.fromEntries(
    ran.map((phase) => [
      clip(oneLine(`${plan.name} / ${phase.phase}`), LONGEST_BENCHMARK),
      Object.fromEntries([
        ...phase.metrics.map((metric) => [measure(metric.name), { value: metric.value, ...boundsOf(phase, metric) }]),
        ...Object.entries(phase.percentiles).flatMap(([name, figures]) =>
          LATENCIES.map((percentile) => [measure(`${name}-${percentile}`), { value: figures[percentile] }]),
        ),
        [measure("duration-ms"), { value: phase.duration_ms }],
      ]),
    ]),
  );
}

function measure(name: string): string {
  return clip(oneLine(name), LONGEST_MEASURE);
}

/** The least and the greatest of its agents, where the value is one between them. */
function boundsOf(phase: PhaseResult, { name, agg }: PhaseResult["metrics"][number]): Readonly<Record<string, number>> {
  if (agg === "sum" || agg === "last") return {};
  const own = phase.agents.flatMap(({ metrics = [] }) => metrics.filter((metric) => metric.name === name));
  if (own.length < 2) return {};
  const amounts = own.map(({ value }) => value);
  const least = amounts.reduce((a, b) => Math.min(a, b));
  const most = amounts.reduce((a, b) => Math.max(a, b));
  return { lower_value: least, upper_value: most };
}

/**
 * What github-action-benchmark takes as `customBiggerIsBetter` or `customSmallerIsBetter`. What `expect` says is better the
 * other way round is left out; times are better when they are smaller.
 */
export function githubActionBenchmark({ phase_results, testbed, commit }: Result, better: Direction): Json {
  const extra = [`commit ${commit ?? "not known"}`, `testbed ${testbed ?? "not known"}`].join("\n");
  return phase_results
    .filter(({ skipped }) => !skipped)
    .flatMap((phase) => [
      ...phase.metrics
        .filter(({ expected }) => (directionOf(expected) ?? better) === better)
        .map(({ name, value, unit }) => ({
          name: entryName(phase, name),
          unit: unit === "" ? "1" : unit,
          value,
          extra,
        })),
      ...(better === "bigger"
        ? []
        : [
            ...Object.entries(phase.percentiles).flatMap(([name, figures]) =>
              LATENCIES.map((percentile) => ({
                name: entryName(phase, `${name} ${percentile}`),
                unit: "value",
                value: figures[percentile],
                extra,
              })),
            ),
            { name: entryName(phase, "duration"), unit: "ms", value: phase.duration_ms, extra },
          ]),
    ]);
}

function entryName({ phase }: PhaseResult, name: string): string {
  return oneLine(`${phase} / ${name}`);
}

/** What an expectation holds to be better; null where it does not say. */
function directionOf(expected: string | null): Direction | null {
  if (expected === null) return null;
  const [first = ""] = expected.trim();
  return first === ">" ? "bigger" : first === "<" ? "smaller" : null;
}
