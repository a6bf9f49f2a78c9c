import fc from "fast-check";
import { expect, it } from "vitest";
import { acrossAgents, combined, isTellable, LARGEST_METRIC } from "../../../src/run/stage/metrics.ts";
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
