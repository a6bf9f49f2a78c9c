import { describe, expect, it } from "vitest";
import { BROKEN, type Broken } from "./broken.ts";
import { machine } from "./machine.ts";
import { Random } from "./random.ts";
import { scenarioOf } from "./scenario.ts";
import { simulate } from "./world.ts";

/** A share of what `npm run simulate` goes through; the seeds are fixed, so a failure is the same everywhere. */
const SHARE = 300;
/** How many seeds may be needed until a broken machine is caught. */
const PATIENCE = 400;
/** Where the first seed that catches it is further away: the runs before it would be simulated for nothing. */
const FIRST_SEEDS: Readonly<Record<string, number>> = {
  "believes attempts that are not in force": 141,
  "is green though work never ran": 58,
  "fails by what is a warning": 287,
  "fails by a background command that is optional": 38,
  "passes trials that are not stable": 31,
  "bears more errors than it may": 298,
  "works on after the deadline": 30,
  "wipes what the others work on": 64,
  "counts a validator that errs as PASS": 43,
  "repeats one stage alone": 330,
  "believes that everybody is where they were": 105,
  "takes for done what is not": 37,
  "does again what is done": 56,
  "runs a stage without the context that it requires": 96,
  "takes a failed task for a finished one": 390,
};

describe("simulated runs", () => {
  it(`hold every invariant (${SHARE} seeds)`, () => {
    const violations: string[] = [];
    const ends = new Set<string>();
    for (let seed = 1; seed <= SHARE; seed++) {
      const outcome = simulate(seed, machine);
      ends.add(outcome.status);
      for (const violation of outcome.violations) violations.push(`seed ${seed}: ${violation}`);
    }
    expect(violations).toEqual([]);
    // Otherwise the seeds say little.
    expect([...ends].sort()).toEqual(["cancelled", "failed", "succeeded"]);
  });

  it("are the same for the same seed", () => {
    for (const seed of [7, 77, 777]) expect(simulate(seed, machine)).toEqual(simulate(seed, machine));
  });
});

describe("the simulation catches a machine that", () => {
  it.each(Object.entries(BROKEN))("%s", (name, broken) => {
    expect(firstViolation(broken, FIRST_SEEDS[name] ?? 1)).toMatch(broken.caughtAs);
  });
});

function firstViolation({ machine: broken, caughtAs, concerns }: Broken, first: number): string {
  const others: string[] = [];
  for (let seed = first; seed < first + PATIENCE; seed++) {
    // Where it is no other than it should be there is nothing to catch.
    if (concerns?.(scenarioOf(new Random(seed), seed).plan) === false) continue;
    const { violations } = simulate(seed, broken);
    const caught = violations.find((violation) => caughtAs.test(violation));
    if (caught !== undefined) return caught;
    others.push(...violations.slice(0, 1));
  }
  return `nothing but: ${others.slice(0, 3).join("; ")}`;
}
