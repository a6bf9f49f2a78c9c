/** `expect`: bounds, which the group holds its metrics against, and baselines, which are looked at when the run is over. */
import type { Keys, Place } from "../parsing/key-parser.ts";
import { quote } from "../parsing/problems.ts";
import type { Baseline, Expectation } from "../plan.ts";
import type { stageShape } from "../schema.ts";

const RUNS = 10;
const AT_LEAST = 5;
const LIMITS = { mad: 3, percent: 10 } as const;

/** `place` is that of the stage. `baselines` is left out where there is none. */
export function expectationsOf(
  said: Keys<typeof stageShape>["expect"],
  { source, problems, path }: Place,
): { readonly expect: readonly Expectation[]; readonly baselines?: readonly Baseline[] } {
  const expect: Expectation[] = [];
  const baselines: Baseline[] = [];
  for (const [metric, expected] of Object.entries(said ?? {})) {
    if (!("baseline" in expected)) {
      expect.push({ metric, ...expected });
      continue;
    }
    const { from, better, runs = RUNS, at_least = Math.min(AT_LEAST, runs), test = "mad", ...rest } = expected.baseline;
    if (at_least > runs) {
      const message = `expect.${quote(metric).slice(1, -1)}.baseline.at_least: ${at_least} are never looked at, of ${runs} runs`;
      problems.error(source.at([...path, "expect", metric, "baseline", "at_least"]), message);
    }
    baselines.push({
      metric,
      from: typeof from === "string" ? [from] : from,
      better,
      runs,
      atLeast: at_least,
      test,
      limit: rest.limit ?? LIMITS[test],
      onTooFew: rest.on_too_few ?? "fail",
    });
  }
  return baselines.length === 0 ? { expect } : { expect, baselines };
}
