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
  it.each(Object.entries(BROKEN))("%s", (_name, broken) => {
    expect(firstViolation(broken)).toMatch(broken.caughtAs);
  });
});

function firstViolation({ machine: broken, caughtAs, concerns }: Broken): string {
  const others: string[] = [];
  for (let seed = 1; seed <= PATIENCE; seed++) {
    // Where it is no other than it should be there is nothing to catch.
    if (concerns?.(scenarioOf(new Random(seed), seed).plan) === false) continue;
    const { violations } = simulate(seed, broken);
    const caught = violations.find((violation) => caughtAs.test(violation));
    if (caught !== undefined) return caught;
    others.push(...violations.slice(0, 1));
  }
  return `nothing but: ${others.slice(0, 3).join("; ")}`;
}
