import { describe, expect, it } from "vitest";
import type { Baseline } from "../../src/plan/plan.ts";
import { judge, judgeBaselines, withBaselines } from "../../src/report/record/baselines.ts";
import { resultOf } from "../../src/report/record/json.ts";
import { workDigestOf } from "../../src/report/record/provenance.ts";
import type { Result } from "../../src/report/record/result-schema.ts";
import { plan } from "../plan/builders.ts";
import { phase, report, summary } from "./builders.ts";

const BASELINE: Baseline = {
  ...{ metric: "rate", from: ["r"], better: "bigger", runs: 10, atLeast: 5 },
  ...{ test: "mad", limit: 3, onTooFew: "fail" },
};
/** Median 100, median absolute deviation 2: a spread of 2.9652. */
const AROUND_100 = [98, 99, 100, 102, 103, 96, 104];

describe("a value against earlier ones", () => {
  it.each<[string, number, readonly number[], Partial<Baseline>, string]>([
    ["well within", 100, AROUND_100, {}, "within"],
    ["better than all", 200, AROUND_100, {}, "within"],
    ["at the bound", 100 - 3 * 1.4826 * 2, AROUND_100, {}, "within"],
    ["beyond it", 100 - 3 * 1.4826 * 2 - 0.01, AROUND_100, {}, "worse"],
    ["beyond a narrower one", 95, AROUND_100, { limit: 1 }, "worse"],
    ["too large where smaller is better", 110, AROUND_100, { better: "smaller" }, "worse"],
    ["small where smaller is better", 1, AROUND_100, { better: "smaller" }, "within"],
    ["within ten percent", 90, AROUND_100, { test: "percent", limit: 10 }, "within"],
    ["not within ten percent", 89.9, AROUND_100, { test: "percent", limit: 10 }, "worse"],
    ["of values that are all the same, a little less", 98.6, [100, 100, 100, 100, 100], {}, "within"],
    ["of values that are all the same, much less", 98.4, [100, 100, 100, 100, 100], {}, "worse"],
    ["of negative values", -111, AROUND_100.map((each) => -each), { test: "percent", limit: 10 }, "worse"],
    ["with one far off among them", 97, [...AROUND_100, 1_000_000, 0], {}, "within"],
    ["with too few", 100, AROUND_100.slice(0, 4), {}, "no_verdict"],
    ["with none", 100, [], {}, "no_verdict"],
    ["with as many as are asked for", 100, [100], { atLeast: 1 }, "within"],
  ])("%s", (_, value, samples, overrides, verdict) => {
    expect(judge(value, samples, { ...BASELINE, ...overrides }).verdict).toBe(verdict);
  });

  it("says what was expected, and of how many", () => {
    expect(judge(80, AROUND_100, BASELINE)).toEqual({
      ...{ verdict: "worse", samples: 7, median: 100, bound: 100 - 3 * 1.4826 * 2 },
      text: ">= 91.1044 (median 100 of 7 runs, 3 × its spread of 2.9652)",
    });
  });
});

describe("which earlier runs count", () => {
  const PLAN = plan(
    "stages: [{ name: load, run: x, expect: { rate: { baseline: { from: r, better: bigger, runs: 3, at_least: 2 } } } }]",
  );
  const metrics = (value: number) =>
    [{ name: "rate", value, unit: "", agg: "sum", count: 1, expected: null, met: null }] as const;
  const about = { workDigest: workDigestOf(PLAN), testbed: "bed" };
  const record = (value: number, day: number, overrides: Partial<Result> = {}): Result => {
    const made = resultOf(report({}, { phases: [phase({ name: "load", metrics: metrics(value) })] }));
    const at = `2026-11-${String(day).padStart(2, "0")}T00:00:00.000Z`;
    return {
      ...made,
      started_at: at,
      testbed: "bed",
      plan: { ...made.plan, work_digest: about.workDigest },
      ...overrides,
    };
  };
  const now = summary({ phases: [phase({ name: "load", metrics: metrics(50) })] });
  const judged = (records: readonly Result[], bed: string | null = "bed", run = now) =>
    judgeBaselines(PLAN, run, { ...about, testbed: bed }, () => records)[0];

  it("the newest of the same plan on the same testbed, in whatever order they come", () => {
    const records = [record(1, 1), record(49, 2), record(50, 3), record(51, 4)];
    for (const given of [records, records.toReversed(), [...records.slice(2), ...records.slice(0, 2)]])
      expect(judged(given)).toMatchObject({ verdict: "within", samples: 3, median: 50 });
  });

  it.each<[string, Partial<Result>]>([
    ["of another plan", { plan: { name: "x", file: "x", digest: "x", work_digest: "other" } }],
    ["on another testbed", { testbed: "other" }],
    ["on one that is not known", { testbed: null }],
    ["in which the stage was not", { phase_results: [] }],
    ["in which it failed", { phase_results: record(9, 1).phase_results.map((each) => ({ ...each, success: false })) }],
    [
      "in which it told nothing",
      { phase_results: record(9, 1).phase_results.map((each) => ({ ...each, metrics: [] })) },
    ],
  ])("none %s", (_, overrides) => {
    expect(judged([record(50, 1), record(50, 2, overrides)])).toMatchObject({ verdict: "no_verdict", samples: 1 });
  });

  it("none at all where the agents' machines are not known, or the metric was not told", () => {
    const records = [record(50, 1), record(50, 2)];
    expect(judged(records, null)?.text).toBe("no verdict: what the agents run on is not known");
    const silent = summary({ phases: [phase({ name: "load", metrics: [] })] });
    expect(judged(records, "bed", silent)?.text).toBe("no verdict: it was not told");
  });

  it("a plan that expects something else is the same plan, one that does something else is not", () => {
    const other = plan('stages: [{ name: load, run: x, expect: { rate: ">= 3" } }]');
    expect(workDigestOf(other)).toBe(about.workDigest);
    expect(workDigestOf(plan("stages: [{ name: load, run: y }]"))).not.toBe(about.workDigest);
  });

  it("what is worse fails its stage and the run; no verdict is never a pass", () => {
    const worse = judged([record(90, 1), record(90, 2)]);
    const none = judged([]);
    if (worse === undefined || none === undefined) throw new Error("not judged");
    const failed = withBaselines(now, [worse]);
    expect(failed).toMatchObject({
      verdict: "failure",
      failedStage: "load",
      phases: [{ status: "failure", worked: false }],
    });
    expect(failed.message).toMatch(/^load: rate is worse than its baseline, expected >= /);
    expect(failed.phases[0]?.metrics[0]).toMatchObject({ met: false });
    const unknown = withBaselines(now, [none]);
    expect(unknown).toMatchObject({ verdict: "failure", phases: [{ status: "warning", worked: true }] });
    expect(unknown.message).toBe("load: rate no verdict: 0 earlier runs, expected at least 2");
    expect(unknown.phases[0]?.metrics[0]?.met).toBeNull();
    const borne = withBaselines(now, [{ ...none, baseline: { ...none.baseline, onTooFew: "warn" } }]);
    expect(borne).toMatchObject({ verdict: "success", phases: [{ status: "warning" }] });
    const optional = summary({ phases: [phase({ name: "load", optional: true, metrics: metrics(50) })] });
    expect(withBaselines(optional, [worse])).toMatchObject({
      verdict: "success",
      phases: [{ status: "warning", worked: false }],
    });
    const result = resultOf(report({ baselines: [worse] }, failed));
    expect(result.phase_results[0]?.metrics[0]?.baseline).toMatchObject({ verdict: "worse", samples: 2, median: 90 });
  });
});
