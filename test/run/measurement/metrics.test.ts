import fc from "fast-check";
import { expect, it } from "vitest";
import { acrossAgents, combined, isTellable, LARGEST_METRIC } from "../../../src/run/measurement/metrics.ts";
import { AGGREGATIONS, type Aggregation, type Metric } from "../../../src/run/types.ts";

const value = fc.double({ min: -LARGEST_METRIC, max: LARGEST_METRIC, noNaN: true });
const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const told = fc.array(fc.record({ value, count }), { minLength: 1, maxLength: 50 });
const aggregation = fc.constantFrom<Aggregation>(...AGGREGATIONS);

function all(agg: Aggregation, [first, ...rest]: readonly Pick<Metric, "value" | "count">[]): Metric {
  const begin = { name: "ops", unit: "", agg, value: 0, count: 0, ...first };
  return rest.reduce<Metric>(combined, begin);
}

it("whatever may be told comes to a number, which is the mean, the least or the most where it says so", () => {
  fc.assert(
    fc.property(aggregation, told, (agg, values) => {
      const least = Math.min(...values.map((one) => one.value));
      const most = Math.max(...values.map((one) => one.value));
      const whole = all(agg, values);
      expect(Number.isFinite(whole.value) && Number.isFinite(whole.count)).toBe(true);
      if (agg === "last") expect(whole.value).toBe(values.at(-1)?.value);
      if (agg === "min") expect(whole.value).toBe(least);
      if (agg === "max") expect(whole.value).toBe(most);
      if (agg === "mean") {
        const slack = 1e-12 * Math.max(Math.abs(least), Math.abs(most));
        expect(whole.value).toBeGreaterThanOrEqual(least - slack);
        expect(whole.value).toBeLessThanOrEqual(most + slack);
      }
    }),
  );
});

it("as many reports as a stage can have, each at the end of the range, still have a sum", () => {
  let sum = all("sum", [{ value: LARGEST_METRIC, count: 1 }]);
  // Doubling: 2^27 is more than 110,000 reports of 1,000 metrics each.
  for (let doubled = 0; doubled < 27; doubled += 1) sum = combined(sum, sum);
  expect(Number.isFinite(sum.value)).toBe(true);
  expect(isTellable(sum)).toBe(false);
});

it("running totals of several agents come to the sum of what each told last, however often one tells", () => {
  const told = fc.array(fc.record({ agent: fc.nat(4), value: fc.integer() }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(told, (values) => {
      const lasts = new Map<number, number>();
      let group: Metric | null = null;
      for (const { agent, value: last } of values) {
        const metric: Metric = { name: "samples", unit: "", agg: "last", value: last, count: 1 };
        group = group === null ? metric : acrossAgents(group, metric, lasts.get(agent) ?? null);
        lasts.set(agent, last);
      }
      expect(group?.value).toBe([...lasts.values()].reduce((sum, one) => sum + one, 0));
      expect(group?.count).toBe(lasts.size);
    }),
  );
});

it("may be told up to the range's end, of as many samples as are counted exactly", () => {
  const most = Number.MAX_SAFE_INTEGER;
  expect([LARGEST_METRIC, -LARGEST_METRIC].map((value) => isTellable({ value, count: most }))).toEqual([true, true]);
  expect([1.1e300, -1.1e300].map((value) => isTellable({ value, count: 1 }))).toEqual([false, false]);
  expect(isTellable({ value: 1, count: most + 1 })).toBe(false);
});

it.each<readonly [Aggregation, number, number]>([
  ["sum", 14, 5],
  ["mean", 5.2, 5],
  ["min", 4, 5],
  ["max", 10, 5],
  ["last", 10, 1],
])("two values are one: %s", (agg, value, count) => {
  const first = { name: "m", unit: "s", agg, value: 4, count: 4 };
  expect(combined(first, { value: 10, count: 1 })).toEqual({ ...first, value, count });
});

it("a mean of no samples is nothing, and of very many what it would be of few", () => {
  const mean = { name: "m", unit: "", agg: "mean", value: 4, count: 0 } as const;
  expect(combined(mean, { value: 9, count: 0 })).toMatchObject({ value: 0, count: 0 });
  const large = { ...mean, value: 1e300, count: 3e15 };
  expect(combined(large, { value: 0, count: 1e15 }).value).toBeCloseTo(7.5e299, -286);
});

it("what each told last is summed over the agents, and counted once for each", () => {
  const group = { name: "m", unit: "", agg: "last", value: 10, count: 2 } as const;
  const told = { ...group, value: 7, count: 9 };
  expect(acrossAgents(group, told, null)).toMatchObject({ value: 17, count: 3 });
  expect(acrossAgents(group, told, 4)).toMatchObject({ value: 13, count: 2 });
  expect(acrossAgents({ ...group, agg: "sum" }, { ...told, agg: "sum" }, 4)).toMatchObject({ value: 17, count: 11 });
});
