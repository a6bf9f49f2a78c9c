import { describe, expect, it } from "vitest";
import { binned, histogramFigures, type Sample } from "../../src/report/histograms.ts";
import { bencherMetrics, comparisonJson, githubActionBenchmark } from "../../src/report/record/exports.ts";
import { resultOf } from "../../src/report/record/json.ts";
import { locateInJson } from "../../src/report/record/json-position.ts";
import type { PhaseResult, Result } from "../../src/report/record/result-schema.ts";
import { positionAt } from "../../src/run/resume/json-error.ts";
import { agentPhase, phase, report, T0 } from "./builders.ts";

const metric = (name: string, value: number, more: Partial<PhaseResult["metrics"][number]> = {}) => ({
  ...{ name, value, unit: "MB/s", agg: "mean" as const, count: 2, expected: null, met: null },
  ...more,
});
const own = (index: number, ...values: [string, number][]) =>
  agentPhase({
    index,
    agent: `a${index}`,
    measured: values.map(([name, value]) => ({ name, value, unit: "", agg: "mean" as const, count: 1 })),
  });
const skipped = phase({
  name: "never",
  status: "skipped",
  worked: false,
  startedAt: null,
  completedAt: null,
  agents: [],
});
const figures = { ...{ count: 9, min: 1, max: 99, mean: 50 }, ...{ p50: 50, p90: 90, p95: 95, p99: 98, p99_9: 99 } };

/** One stage with these metrics, and one that was skipped. */
function result(metrics: readonly ReturnType<typeof metric>[], more: Partial<Result> = {}): Result {
  const told = resultOf(
    report(
      {},
      {
        phases: [
          phase({ name: "load", metrics, agents: [own(0, ["rate", 3], ["p", 1]), own(1, ["rate", 8])] }),
          skipped,
        ],
      },
    ),
  );
  return { ...told, ...more };
}
const withPercentiles = (of: Result): Result => ({
  ...of,
  phase_results: of.phase_results.map((each) => (each.skipped ? each : { ...each, percentiles: { lat: figures } })),
});

describe("results side by side", () => {
  it("have the values of each stage and metric in their order, null where there is none", () => {
    const [one, other] = [
      result([metric("rate", 5)]),
      result([metric("p", 7, { unit: "" }), metric("rate", 6, { unit: "GB/s" })]),
    ];
    const without = { ...other, phase_results: other.phase_results.slice(1) };
    const json = comparisonJson([
      { file: "1.json", result: { ...one, commit: "c0", testbed: "t" } },
      { file: "2.json", result: other },
      { file: "3.json", result: without },
    ]);
    const run = { plan: "train", digest: one.plan.digest, params: one.params, commit: null, testbed: null };
    const ended = { verdict: "success", started_at: one.started_at, total_duration_ms: 65_000 };
    expect(json).toEqual({
      runs: [
        { file: "1.json", ...run, ...ended, commit: "c0", testbed: "t" },
        { file: "2.json", ...run, ...ended },
        { file: "3.json", ...run, ...ended },
      ],
      stages: [
        {
          stage: "load",
          status: ["success", "success", null],
          duration_ms: [1_000, 1_000, null],
          metrics: [
            { name: "rate", unit: "MB/s", values: [5, 6, null] },
            { name: "p", unit: "", values: [null, 7, null] },
          ],
        },
        { stage: "never", status: ["skipped", "skipped", "skipped"], duration_ms: [null, null, null], metrics: [] },
      ],
    });
    expect(comparisonJson([])).toEqual({ runs: [], stages: [] });
  });
});

describe("Bencher's metrics", () => {
  it("are those of stages that ran, with their duration, percentiles and what the agents told around them", () => {
    const told = withPercentiles(result([metric("rate", 5), metric("p", 1), metric("all", 9, { agg: "sum" })]));
    expect(bencherMetrics(told)).toEqual({
      "train / load": {
        rate: { value: 5, lower_value: 3, upper_value: 8 },
        p: { value: 1 },
        all: { value: 9 },
        "lat-p50": { value: 50 },
        "lat-p90": { value: 90 },
        "lat-p99": { value: 98 },
        "duration-ms": { value: 1_000 },
      },
    });
  });

  it.each(["sum", "last"] as const)("have no bounds where the value is a %s", (agg) => {
    expect(bencherMetrics(result([metric("rate", 11, { agg })]))).toMatchObject({
      "train / load": { rate: { value: 11 } },
    });
    expect(bencherMetrics(result([metric("rate", 11, { agg })]))).not.toHaveProperty([
      "train / load",
      "rate",
      "lower_value",
    ]);
  });

  it.each(["mean", "max", "min"] as const)("have bounds where it is a %s", (agg) => {
    expect(bencherMetrics(result([metric("rate", 8, { agg })]))).toMatchObject({
      "train / load": { rate: { value: 8, lower_value: 3, upper_value: 8 } },
    });
  });

  it("keep to Bencher's lengths, each on one line", () => {
    const long = result([metric("m".repeat(100), 1), metric("a\nb", 2)]);
    const [name, measures] = Object.entries(
      bencherMetrics({ ...long, plan: { ...long.plan, name: "n".repeat(2_000) } }) as Record<string, object>,
    )[0] ?? ["", {}];
    expect(name).toHaveLength(1_024);
    expect(Object.keys(measures).map((each) => each.length)).toEqual([64, 3, 11]);
    expect(measures).toHaveProperty("a b");
  });
});

describe("github-action-benchmark's entries", () => {
  const extra = "commit not known\ntestbed not known";
  const metrics = [
    metric("rate", 5, { expected: ">= 3", met: true }),
    metric("errors", 1, { expected: " < 3", met: true, unit: "" }),
    metric("plain", 2),
    metric("same", 4, { expected: "= 4", met: true }),
  ];
  const names = (better: "bigger" | "smaller") =>
    (githubActionBenchmark(withPercentiles(result(metrics)), better) as { name: string }[]).map(({ name }) => name);

  it("are those that are better when they are bigger", () => {
    expect(githubActionBenchmark(withPercentiles(result(metrics)), "bigger")).toEqual([
      { name: "load / rate", unit: "MB/s", value: 5, extra },
      { name: "load / plain", unit: "MB/s", value: 2, extra },
      { name: "load / same", unit: "MB/s", value: 4, extra },
    ]);
  });

  it("or smaller, with times", () => {
    expect(names("smaller")).toEqual([
      ...["load / errors", "load / plain", "load / same"],
      ...["load / lat p50", "load / lat p90", "load / lat p99", "load / duration"],
    ]);
    const told = githubActionBenchmark(withPercentiles(result(metrics, { commit: "c0", testbed: "t" })), "smaller");
    const of = { extra: "commit c0\ntestbed t" };
    expect(told).toEqual(
      expect.arrayContaining([
        { name: "load / errors", unit: "1", value: 1, ...of },
        { name: "load / lat p90", unit: "value", value: 90, ...of },
        { name: "load / duration", unit: "ms", value: 1_000, ...of },
      ]),
    );
  });
});

describe("a histogram", () => {
  const sample = (least: number, most: number, count: number): Sample => ({ least, most, count });

  it("is some numbers", () => {
    expect(histogramFigures([sample(1, 1, 1), sample(2, 3, 2), sample(10, 13, 1)])).toEqual({
      ...{ count: 4, min: 1, max: 13, mean: (1 + 2 * 3 + 12) / 4 },
      ...{ p50: 3, p90: 13, p95: 13, p99: 13, p99_9: 13 },
    });
    const hundred = Array.from({ length: 100 }, (_, n) => sample(n + 1, n + 1, 10));
    expect(histogramFigures(hundred)).toMatchObject({ count: 1_000, p50: 50, p90: 90, p95: 95, p99: 99, p99_9: 100 });
    expect(histogramFigures([sample(7, 7, 1)])).toMatchObject({ p50: 7, p99_9: 7, mean: 7 });
    expect([histogramFigures([]), histogramFigures([sample(1, 1, 0)])]).toEqual([null, null]);
  });

  it("is put into bins that grow, and loses nothing", () => {
    const samples = [sample(0, 0, 1), sample(1, 1, 2), sample(3, 3, 4), sample(7, 7, 8)];
    const bins = binned(samples, 3, { least: 0, most: 7 });
    expect(bins.map(({ count }) => count)).toEqual([1, 2, 12]);
    expect(bins.map(({ least, most }) => [least, most].map((edge) => Math.round(edge * 1e6) / 1e6))).toEqual([
      [0, 1],
      [1, 3],
      [3, 7],
    ]);
    expect(binned(samples, 2, { least: 3, most: 3 }).reduce((sum, { count }) => sum + count, 0)).toBe(15);
    expect(
      binned([sample(-5, -5, 3), sample(900, 900, 2)], 2, { least: 0, most: 3 }).map(({ count }) => count),
    ).toEqual([3, 2]);
    // What stands for several values counts where their middle is.
    expect(binned([sample(0, 3, 1)], 3, { least: 0, most: 7 }).map(({ count }) => count)).toEqual([0, 1, 0]);
  });
});

describe("a place in a JSON text", () => {
  const text = '{\n  "a": [1, {"b": "x\\"]", "c": true}, [-2.5e3, null]],\n "d" : {"a": {}, "e": "," }\n}';

  it.each<[readonly (string | number)[], string]>([
    [[], "{\n"],
    [["a"], "[1,"],
    [["a", 0], "1,"],
    [["a", 1], '{"b"'],
    [["a", 1, "b"], '"x'],
    [["a", 1, "c"], "true"],
    [["a", 2], "[-2"],
    [["a", 2, 0], "-2.5"],
    [["a", 2, 1], "null"],
    [["d"], '{"a"'],
    [["d", "a"], "{}"],
    [["d", "e"], '","'],
    [["a", 1, "z"], '{"b"'],
    [["a", 9], "[1,"],
    [["a", "b"], "[1,"],
    [["d", "a", "x"], "{}"],
    [["z"], "{\n"],
    [[0], "{\n"],
  ])("%j", (path, begins) => {
    const offset = locateInJson(text, path);
    expect(text.slice(offset, offset + begins.length)).toBe(begins);
  });

  it("is the same whatever white space stands between", () => {
    for (const space of ["", " ", "\n", "\r", "\t", "\r\n"]) {
      const parts = ["{", '"a"', ":", "[", "1", ",", '"x"', "]", ",", '"b"', ":", "true", "}"];
      const spaced = parts.join(space);
      expect(spaced.slice(locateInJson(spaced, ["a", 1])).startsWith('"x"')).toBe(true);
      expect(spaced.slice(locateInJson(spaced, ["b"])).startsWith("true")).toBe(true);
    }
  });

  it("may be a text's only value", () => {
    expect([
      locateInJson(" 12", []),
      locateInJson("", []),
      locateInJson("[]", [0]),
      locateInJson('"a"', ["x"]),
    ]).toEqual([1, 0, 0, 0]);
  });

  it.each([
    [0, 1, 1],
    [1, 1, 2],
    [2, 2, 1],
    [4, 2, 3],
    [11, 2, 10],
    [12, 3, 1],
    [13, 3, 2],
  ])("offset %i is line %i, column %i", (offset, line, column) => {
    expect(positionAt("{\n123456789\n12", offset)).toEqual({ line, column });
  });
});

it("a result's own dates are those of the run", () => {
  expect(result([]).started_at).toBe(new Date(T0).toISOString());
});
