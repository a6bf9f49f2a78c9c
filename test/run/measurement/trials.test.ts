import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { summary } from "../../../src/run/machine.ts";
import { isMeasured } from "../../../src/run/measurement/measure.ts";
import { spreadOf } from "../../../src/run/measurement/trials.ts";
import { Group, plan, type StageOverrides } from "../builders.ts";

const trial = (number: number, count: number, maxSpread: number | null, discard = 0) => ({
  name: `epoch-${number}`,
  trial: { of: "epoch", number, count, discard, maxSpread },
});
const trials = (count: number, maxSpread: number | null, discard = 0, more: Partial<StageOverrides> = {}) =>
  Array.from({ length: count }, (_, index) => ({ ...trial(index + 1, count, maxSpread, discard), ...more }));

/** A run of one agent whose trials came to these values; null: the trial told none. */
function ran(stages: readonly StageOverrides[], values: readonly (number | null)[]): Group {
  const group = new Group(plan(stages), 1).join();
  for (const value of values) {
    const metrics = value === null ? [] : [{ name: "rate", value, unit: "", agg: "mean" as const, count: 1 }];
    group.finish("agent-0", undefined, { metrics });
  }
  return group;
}

describe("trials", () => {
  it.each<[string, number | null, readonly (number | null)[], string | null]>([
    ["hold together", 0.1, [100, 104, 98], null],
    ["spread as much as they may", 0.1, [100, 105, 95], null],
    [
      "spread more than they may",
      0.1,
      [100, 106, 95],
      "rate spreads from 95 to 106 over 3 trials, 11 % of its median; at most 10 % are allowed",
    ],
    ["are only recorded", null, [100, 200, 1], null],
    ["tell nothing at times", 0.1, [100, null, 100], "rate was told in 2 of 3 trials"],
    ["are equal", 0, [7, 7, 7], null],
    ["are around 0", 0.5, [-1, 0, 1], "rate spreads from -1 to 1 over 3 trials, around 0; at most 50 % are allowed"],
    ["are negative", 0.1, [-100, -104, -98], null],
  ])("that %s", (_what, maxSpread, values, unstable) => {
    const { state } = ran(trials(3, maxSpread), values);
    expect(state.status).toBe(unstable === null ? "succeeded" : "failed");
    expect(state.failure?.reason ?? null).toBe(unstable === null ? null : `epoch-3: unstable: ${unstable}`);
  });

  it("that only warm up are not compared", () => {
    const { state } = ran(trials(4, 0.1, 2), [1, 50, 100, 101]);
    expect(state.status).toBe("succeeded");
    const { phases } = summary(state);
    expect(phases.map(({ trial: one }) => one?.discarded)).toEqual([true, true, false, false]);
    expect(phases[3]?.trial?.spreads).toEqual([
      { metric: "rate", values: [100, 101], median: 100.5, min: 100, max: 101, spread: expect.closeTo(1 / 100.5) },
    ]);
    expect(phases[2]?.trial).toEqual({ of: "epoch", number: 3, count: 4, discarded: false });
  });

  it("are held to what is expected of alone, where something is", () => {
    const expecting = (metric: string) => trials(2, 0.1, 0, { expect: [{ metric, comparison: ">=", value: -9 }] });
    expect(ran(expecting("rate"), [1, 9]).state.failure?.reason).toContain("unstable: rate");
    // What nobody told was not what was expected, already in the first.
    expect(ran(expecting("loss"), [1]).state.failure?.reason).not.toContain("unstable");
  });

  it("are not held to what else they tell, nor to other trials", () => {
    const told = (rate: number, other: number) =>
      Object.entries({ rate, other }).map(([name, value]) => ({
        name,
        value,
        unit: "",
        agg: "mean" as const,
        count: 1,
      }));
    const expecting = trials(2, 0.1, 0, { expect: [{ metric: "rate", comparison: ">=", value: 0 }] });
    const warm = [1, 2].map((number) => {
      const { name, trial: one } = trial(number, 2, 0.1);
      return { name: `warm-${name}`, trial: { ...one, of: "warm" } };
    });
    const group = new Group(plan([...warm, ...expecting]), 1).join();
    for (const [rate, other] of [
      [500, 3],
      [500, 3],
      [100, 1],
      [101, 9],
    ] as const)
      group.finish("agent-0", undefined, { metrics: told(rate, other) });
    expect(group.state.failure).toBeNull();
    expect(summary(group.state).phases[3]?.trial?.spreads?.map(({ metric, values }) => [metric, values])).toEqual([
      ["rate", [100, 101]],
      ["other", [1, 9]],
    ]);
  });

  it("of an optional stage are a warning", () => {
    const { state } = ran(trials(2, 0.1, 0, { optional: true }), [1, 9]);
    expect(state.status).toBe("succeeded");
    expect(summary(state).phases[1]).toMatchObject({ status: "warning", worked: false });
  });

  it("that were not run are not compared", () => {
    const group = new Group(plan(trials(3, 0.1)), 1);
    group.state = { ...group.state, selection: { only: [2], skip: [], stopAfter: null } };
    group.join();
    group.finish("agent-0", undefined, { metrics: [{ name: "rate", value: 1, unit: "", agg: "mean", count: 1 }] });
    expect(group.state.status).toBe("succeeded");
  });
});

describe("a spread", () => {
  it.each<[readonly number[], number, number | null]>([
    [[2, 4], 3, 2 / 3],
    [[1, 2, 4], 2, 1.5],
    [[5], 5, 0],
    [[0, 0], 0, 0],
    [[-1, 1], 0, null],
  ])("of %o", (values, median, spread) => {
    expect(spreadOf("m", values)).toMatchObject({ median, spread: spread === null ? null : expect.closeTo(spread) });
  });

  it("does not depend on the order, and lies between the least and the most", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((value) => value + 0),
          { minLength: 1, maxLength: 9 },
        ),
        (values) => {
          const { values: _, ...one } = spreadOf("m", values);
          const { values: __, ...other } = spreadOf("m", values.toReversed());
          expect(other).toEqual(one);
          expect(one.min).toBeLessThanOrEqual(one.median);
          expect(one.median).toBeLessThanOrEqual(one.max);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("what is measured", () => {
  const measure = { warmupMs: 1_000, cooldownMs: 2_000 };
  it.each([
    [{ durationMs: 10_000 }, 0, true],
    [{ durationMs: 10_000, measure }, 999, false],
    [{ durationMs: 10_000, measure }, 1_000, true],
    [{ durationMs: 10_000, measure }, 8_000, true],
    [{ durationMs: 10_000, measure }, 8_001, false],
    [{ durationMs: null, measure: { ...measure, cooldownMs: 0 } }, 99_000, true],
    [{ durationMs: 10_000, measure: { ...measure, cooldownMs: 0 } }, 10_300, true],
  ])("with %o after %i ms counts: %s", (stage, afterMs, counts) => {
    expect(isMeasured(stage, afterMs)).toBe(counts);
  });
});
