import { expect, test } from "vitest";
import { BatchSize } from "../../../app/transitions/batch-size.ts";

const TARGET = 6_000;

/** The sizes of full requests when each mutation takes so long (milliseconds), and each request `trip` on top. */
function sizes(costs: readonly number[], trip = 0): number[] {
  const size = new BatchSize({ target: TARGET });
  return costs.map((cost) => {
    const { mutations } = size;
    size.answered(mutations, trip + cost * mutations);
    return mutations;
  });
}

test("grows to what fits into the time aimed at, at most to twice as much at once", () => {
  expect(sizes([10, 10, 10, 10, 10])).toEqual([20, 40, 80, 100, 100]);
  expect(sizes([200, 200, 200])).toEqual([20, 30, 30]);
});

test("a request of a single pull request does not make those after it small for long", () => {
  const size = new BatchSize({ target: TARGET });
  size.answered(4, 300 + 4 * 150);
  const grown = Array.from({ length: 5 }, () => {
    size.answered(size.mutations, 300 + size.mutations * 150);
    return size.mutations;
  });
  expect(grown.at(-1)).toBeGreaterThanOrEqual(35);
});

test("a slow answer counts at once, and is forgotten by and by", () => {
  const all = sizes([100, 100, 600, 100, 100, 100, 100, 100, 100]);
  expect(all.slice(0, 4)).toEqual([20, 40, 60, 10]);
  expect(all.at(-1)).toBeGreaterThan(50);
  expect(all.slice(4).every((each, index) => each >= (all[3 + index] ?? 0))).toBe(true);
});

test("a request that GitHub ended is halved, and does not grow back to what was too long", () => {
  const size = new BatchSize({ target: TARGET });
  for (let n = 0; n < 3; n += 1) {
    size.answered(size.mutations, size.mutations * 50);
  }
  expect(size.mutations).toBe(100);
  size.failed(100, 10_000);
  expect(size.mutations).toBe(50);
  size.answered(50, 5_000);
  expect(size.mutations).toBe(60);
});

test("a connection that breaks at once says nothing of how long mutations take, and the size recovers", () => {
  const size = new BatchSize({ target: TARGET });
  size.failed(20, 5);
  expect(size.mutations).toBe(10);
  size.answered(10, 1_000);
  expect(size.mutations).toBe(20);
});

test("is never so small that nothing fits, nor beyond what GitHub takes", () => {
  const size = new BatchSize({ target: TARGET });
  for (let n = 0; n < 20; n += 1) {
    size.failed(20, 15_000);
  }
  expect(size.mutations).toBe(5);
});

test("requests without mutations teach nothing", () => {
  const size = new BatchSize({ target: TARGET });
  size.answered(0, 9_000);
  expect(size.mutations).toBe(20);
});
