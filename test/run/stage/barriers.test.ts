import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Barrier, BarrierRule } from "../../../src/plan/plan.ts";
import { consequenceOf, quorumOf, type Ruling, rule, type Tally } from "../../../src/run/stage/barriers.ts";
import { barrier } from "../builders.ts";

const all: BarrierRule = { kind: "all_or_nothing" };
const majority: BarrierRule = { kind: "majority" };
const best: BarrierRule = { kind: "best_effort" };
const three: BarrierRule = { kind: "at_least", count: 3 };
const most: BarrierRule = { kind: "at_least_percent", percent: 75 };
const none: BarrierRule = { kind: "none" };

const NOW = 100_000;
const release: Ruling = { kind: "release" };
const late: Ruling = { kind: "abort", why: "late" };
const lost: Ruling = { kind: "abort", why: "out_of_reach" };
const wait = (until: number | null): Ruling => ({ kind: "wait", until });

const barrierOf = (of: BarrierRule, timeoutMs: number | null = null): Barrier => ({ ...barrier, rule: of, timeoutMs });
const tally = (arrived: number, pending: number, electorate = 4, agoMs = 0): Tally => ({
  electorate,
  arrived,
  pending,
  firstArrivalAt: arrived > 0 ? NOW - agoMs : null,
  metAt: null,
});

describe("a barrier", () => {
  it.each<[string, BarrierRule, Tally, Ruling]>([
    ["all_or_nothing waits for the last", all, tally(3, 1), wait(null)],
    ["all_or_nothing releases when all arrived", all, tally(4, 0), release],
    ["majority waits at half", majority, tally(2, 2), wait(null)],
    ["majority gives stragglers their grace", majority, tally(3, 1), wait(NOW + 30_000)],
    ["majority releases when nobody is to come", majority, tally(3, 0), release],
    ["majority of the roster, not of the living", majority, tally(2, 0), lost],
    ["majority is out of reach before everybody is through", majority, tally(0, 2), lost],
    ["majority of three is two", majority, tally(2, 0, 3), release],
    ["best_effort waits for the living", best, tally(1, 1), wait(null)],
    ["best_effort goes on with one", best, tally(1, 0), release],
    ["best_effort needs one", best, tally(0, 0), lost],
    ["at_least 3 waits at two", three, tally(2, 2), wait(null)],
    ["at_least 3 then waits like majority", three, tally(3, 1), wait(NOW + 30_000)],
    ["at_least 3 of a stage for one agent is that one", three, tally(1, 0, 1), release],
    ["at_least 3 aborts when two are left", three, tally(1, 1), lost],
    ["75% of 4 is 3", most, tally(3, 0), release],
    ["75% of 5 is 4", most, tally(3, 0, 5), lost],
    ["none waits for whoever is still at work", none, tally(0, 1), wait(null)],
    ["none goes on with one", none, tally(1, 0), release],
    ["none needs one", none, tally(0, 0), lost],
  ])("%s", (_name, of, counts, ruling) => {
    expect(rule(barrierOf(of), counts, NOW, false)).toEqual(ruling);
  });

  it.each<[string, BarrierRule, Tally, Ruling]>([
    ["all_or_nothing aborts", all, tally(3, 1, 4, 5_000), late],
    ["majority that is met releases", majority, tally(3, 1, 4, 5_000), release],
    ["majority that is not met aborts", majority, tally(2, 2, 4, 5_000), late],
    ["best_effort goes on", best, tally(1, 3, 4, 5_000), release],
    ["at_least that is not met aborts", three, tally(2, 2, 4, 5_000), late],
    ["nobody arrived: the time has not begun", majority, tally(0, 4), wait(null)],
    ["there is time left", all, tally(3, 1, 4, 4_999), wait(NOW + 1)],
    ["the grace is over first", majority, { ...tally(3, 1), metAt: NOW - 30_000 }, release],
    ["the timeout comes before the grace is over", majority, tally(3, 1, 4, 2_000), wait(NOW + 3_000)],
  ])("with a timeout of 5 s: %s", (_name, of, counts, ruling) => {
    expect(rule(barrierOf(of, 5_000), counts, NOW, false)).toEqual(ruling);
  });

  it.each([all, majority, best, three, most, none])("lets everyone go after a failure: $kind", (of) => {
    expect(rule(barrierOf(of), tally(0, 0), NOW, true)).toEqual(release);
    expect(rule(barrierOf(of), tally(0, 1), NOW, true)).toEqual(wait(null));
    expect(rule(barrierOf(of, 5_000), tally(1, 1, 4, 5_000), NOW, true)).toEqual(release);
  });
});

describe("who fails, is lost or late", () => {
  it.each([
    [all, ["abort", "abort", "abort"]],
    [majority, ["exclude", "exclude", "exclude"]],
    [best, ["away", "away", "away"]],
    [three, ["exclude", "exclude", "exclude"]],
    [most, ["exclude", "exclude", "exclude"]],
    [none, ["abort", "away", "away"]],
  ] as const)("%o: failure, loss, late", (of, [failure, loss, straggler]) => {
    expect(consequenceOf(barrierOf(of), "failure")).toBe(failure);
    expect(consequenceOf(barrierOf(of), "loss")).toBe(loss);
    expect(consequenceOf(barrierOf(of), "late")).toBe(straggler);
  });

  it("comes back at the next stage with on_straggler: rejoin, if it was only late", () => {
    const rejoin = { ...barrierOf(majority), onStraggler: "rejoin" } as const;
    expect(consequenceOf(rejoin, "late")).toBe("away");
    expect(consequenceOf(rejoin, "failure")).toBe("exclude");
    expect(consequenceOf(rejoin, "loss")).toBe("exclude");
  });
});

describe("properties of barriers", () => {
  const rules = fc.oneof(
    fc.constantFrom(all, majority, best, none),
    fc.integer({ min: 1, max: 20 }).map((count): BarrierRule => ({ kind: "at_least", count })),
    fc.integer({ min: 1, max: 100 }).map((percent): BarrierRule => ({ kind: "at_least_percent", percent })),
  );
  const counts = fc
    .tuple(fc.nat(20), fc.nat(20), fc.nat(20))
    .map(([arrived, pending, gone]) => ({ arrived, pending, electorate: arrived + pending + gone }))
    .filter(({ electorate }) => electorate > 0);

  it("a quorum is at least one and at most everyone", () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 100 }), (of, electorate) => {
        const quorum = quorumOf(of, electorate);
        expect(quorum === null || (quorum >= 1 && quorum <= electorate)).toBe(true);
      }),
    );
  });

  it("never releases below its quorum", () => {
    fc.assert(
      fc.property(
        rules,
        counts,
        fc.option(fc.nat(10_000)),
        fc.nat(50_000),
        (of, { electorate, arrived, pending }, timeout, ago) => {
          const metAt = NOW - ago;
          const ruling = rule(
            barrierOf(of, timeout),
            { electorate, arrived, pending, firstArrivalAt: metAt, metAt },
            NOW,
            false,
          );
          if (ruling.kind === "release") expect(arrived).toBeGreaterThanOrEqual(quorumOf(of, electorate) ?? 0);
        },
      ),
    );
  });

  it("never waits when nobody is to come", () => {
    fc.assert(
      fc.property(rules, counts, (of, { electorate, arrived }) => {
        expect(rule(barrierOf(of), { ...tally(arrived, 0, electorate) }, NOW, false).kind).not.toBe("wait");
      }),
    );
  });

  it("what was released stays released as time passes", () => {
    fc.assert(
      fc.property(rules, counts, fc.nat(100_000), (of, { electorate, arrived, pending }, later) => {
        const known = { electorate, arrived, pending, firstArrivalAt: NOW, metAt: NOW };
        if (rule(barrierOf(of, 10_000), known, NOW, false).kind !== "release") return;
        expect(rule(barrierOf(of, 10_000), known, NOW + later, false).kind).toBe("release");
      }),
    );
  });
});
