/** What `expect` may say of a metric: a bound, or the distribution of earlier runs. */
import { z } from "zod";
import { PLAN_BOUNDS } from "../bounds.ts";
import { BASELINE_TESTS, BETTER } from "../plan.ts";
import { lazyShape, once } from "./lazy.ts";
import { comparison, list, mapping, oneOf, text, whole } from "./value-schemas.ts";

const MOST_RUNS = 1_000;
const LIMIT = "expected a number above 0, at most 1000";
const path = once(() => text("a path", PLAN_BOUNDS.path));

export const baselineShape = lazyShape({
  from: () =>
    z
      .union([path(), list(path(), "paths", 100).min(1)], { error: "expected a folder of results, or a list of files" })
      .describe("Where the results of earlier runs are: a folder, or files; relative to where the run was started"),
  better: () => oneOf(BETTER).describe("Which values are better"),
  runs: () => whole(1, MOST_RUNS).describe("How many of the newest are looked at; default 10").optional(),
  at_least: () => whole(1, MOST_RUNS).describe("With fewer there is no verdict; default 5").optional(),
  test: () =>
    oneOf(BASELINE_TESTS)
      .describe(
        "`mad` (default): worse than the median by `limit` times the spread (1.4826 × the median absolute deviation, at least 0.5 % of the median); `percent`: by `limit` percent",
      )
      .optional(),
  limit: () =>
    z
      .number({ error: LIMIT })
      .gt(0, { error: LIMIT })
      .max(1_000, { error: LIMIT })
      .describe("Default 3 (`mad`) or 10 (`percent`)")
      .optional(),
  on_too_few: () =>
    oneOf(["fail", "warn"])
      .describe("What no verdict does to the run; default `fail`: nothing is passed that was not compared")
      .optional(),
});

const EXPECTATION =
  'expected a comparison such as ">= 3", or a mapping such as {baseline: {from: results, better: bigger}}';
export const expectation = once(() =>
  z.union([comparison(), mapping({ baseline: mapping(baselineShape) })], { error: EXPECTATION }),
);
