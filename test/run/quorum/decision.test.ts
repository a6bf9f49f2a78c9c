import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, Quorum } from "../../../src/plan/plan.ts";
import { confidenceOf, decisionOf, weightsOf } from "../../../src/run/quorum/decision.ts";
import { deficienciesText, pauseBefore, roundText } from "../../../src/run/quorum/round.ts";
import type { QuorumRound } from "../../../src/run/result/record.ts";
import { DECISIONS } from "../../../src/run/types.ts";

const SHARES = { passAt: 60, retryAt: 40 };

/** `P2 R1.5 F`: a vote each, with its weight. */
function votes(text: string) {
  const names = { P: "PASS", R: "RETRY", F: "FAIL" } as const;
  return text
    .split(" ")
    .filter((vote) => vote !== "")
    .map((vote) => {
      const letter = vote[0];
      if (letter !== "P" && letter !== "R" && letter !== "F") throw new Error(vote);
      return { decision: names[letter], weight: Number(vote.slice(1) || "1") };
    });
}

describe("a quorum's decision", () => {
  it.each([
    ["", "FAIL"],
    ["P", "PASS"],
    ["R", "RETRY"],
    ["F", "FAIL"],
    ["P3 F2", "PASS"],
    ["P2.999 F2.001", "FAIL"],
    ["P0.3 P0.3 R0.2 F0.2", "PASS"],
    ["P0.1 P0.2 F0.2", "PASS"],
    ["R2 F3", "RETRY"],
    ["R1.999 F3.001", "FAIL"],
    ["P1 R2 F2", "RETRY"],
    ["P2 R1 F2", "RETRY"],
    ["P2 R0.999 F2.001", "FAIL"],
    ["P5 R4 F1", "RETRY"],
    ["P1 P1 F1", "PASS"],
    ["P1 F1", "FAIL"],
  ])("of %j is %s", (text, decision) => {
    expect(decisionOf(votes(text), SHARES)).toBe(decision);
  });

  it("follows the shares that it is given", () => {
    expect(decisionOf(votes("P2 F1"), { ...SHARES, passAt: 66.67 })).toBe("FAIL");
    expect(decisionOf(votes("P2 F1"), { ...SHARES, passAt: 66.66 })).toBe("PASS");
    expect(decisionOf(votes("P9 R1"), { passAt: 100, retryAt: 100 })).toBe("RETRY");
    expect(decisionOf(votes("P8 R1 F1"), { passAt: 100, retryAt: 10 })).toBe("RETRY");
  });

  const vote = fc.record({
    decision: fc.constantFrom(...DECISIONS),
    weight: fc.integer({ min: 1, max: 1_000_000_000 }).map((weight) => weight / 1_000),
  });
  const shares = fc.record({
    passAt: fc.integer({ min: 1, max: 10_000 }).map((share) => share / 100),
    retryAt: fc.integer({ min: 1, max: 10_000 }).map((share) => share / 100),
  });
  const order = { FAIL: 0, RETRY: 1, PASS: 2 };

  it("does not depend on the order of the votes, nor on the unit of their weight", () => {
    fc.assert(
      fc.property(fc.array(vote, { maxLength: 10 }), shares, (cast, asked) => {
        const decision = decisionOf(cast, asked);
        expect(decisionOf(cast.toReversed(), asked)).toBe(decision);
        expect(
          decisionOf(
            cast.map((one) => ({ ...one, weight: one.weight * 2 })),
            asked,
          ),
        ).toBe(decision);
      }),
    );
  });

  it("never becomes worse when one who votes FAIL changes it, and is PASS only with the weight that it asks for", () => {
    fc.assert(
      fc.property(fc.array(vote, { maxLength: 10 }), shares, fc.constantFrom(...DECISIONS), (cast, asked, to) => {
        const at = cast.findIndex(({ decision }) => decision === "FAIL");
        const changed = cast.map((one, index) => (index === at ? { ...one, decision: to } : one));
        expect(order[decisionOf(changed, asked)]).toBeGreaterThanOrEqual(order[decisionOf(cast, asked)]);
        const { pass, retry, fail } = weightsOf(cast);
        if (decisionOf(cast, asked) === "PASS") {
          expect(pass * 100).toBeGreaterThanOrEqual(asked.passAt * (pass + retry + fail) * (1 - 1e-9));
        }
        const none = cast.map((one) => ({ ...one, decision: "FAIL" as const }));
        expect(decisionOf(none, asked)).toBe("FAIL");
      }),
    );
  });

  it("is as sure as those who voted for it", () => {
    const cast = [
      { decision: "PASS", weight: 3, confidence: 0.5 },
      { decision: "PASS", weight: 1, confidence: 1 },
      { decision: "PASS", weight: 5, confidence: null },
      { decision: "FAIL", weight: 9, confidence: 0 },
    ] as const;
    expect(confidenceOf(cast, "PASS")).toBe(0.625);
    expect(confidenceOf(cast, "FAIL")).toBe(0);
    expect(confidenceOf(cast, "RETRY")).toBeNull();
  });
});

describe("a decision in words", () => {
  const round: QuorumRound = {
    decision: "RETRY",
    confidence: null,
    weights: { pass: 1, retry: 2, fail: 0 },
    votes: [],
    deficiencies: [],
    leftOut: 0,
    exhausted: null,
  };
  const found = (...deficiencies: readonly Json[]) =>
    deficiencies.map((deficiency, at) => ({ validator: `v${at}`, deficiency }));

  it("has the shares of the weight, and how sure it is where somebody said so", () => {
    expect(roundText(round)).toBe("RETRY: pass 33.3 %, retry 66.7 %, fail 0 % of the weight");
    expect(roundText({ ...round, confidence: 0.25 })).toMatch(/ of the weight, confidence 0\.25$/);
    const weights = { pass: 0, retry: 0, fail: 0 };
    expect(roundText({ ...round, weights })).toBe("RETRY: pass 0 %, retry 0 %, fail 0 % of the weight");
  });

  it.each<[string, readonly Json[], number, string]>([
    ["nothing", [], 0, ""],
    ["three", ["a", { at: 1 }, "c"], 0, 'v0: a; v1: {"at":1}; v2: c'],
    ["more than three", ["a", "b", "c", "d"], 0, "v0: a; v1: b; v2: c; and 1 more"],
    ["some that were left out", ["a"], 2, "v0: a; and 2 more"],
    ["nothing that there was room for", [], 2, "and 2 more"],
    ["a long one", ["x".repeat(200)], 0, `v0: ${"x".repeat(200)}`],
    ["one that is too long", ["x".repeat(201)], 0, `v0: ${"x".repeat(199)}…`],
  ])("names what was wanting: %s", (_what, deficiencies, leftOut, text) => {
    expect(deficienciesText({ ...round, deficiencies: found(...deficiencies), leftOut })).toBe(text);
  });
});

describe("the pause before a round", () => {
  const quorum = (backoffMs: number): Quorum => ({
    validators: [],
    ...SHARES,
    retryStages: [],
    maxRetries: 9,
    backoffMs,
    onExhausted: "warn",
  });

  it("doubles up to ten minutes, or stays what it is where that is longer", () => {
    expect([0, 1, 2].map((retries) => pauseBefore(quorum(0), retries))).toEqual([0, 0, 0]);
    expect([0, 1, 2].map((retries) => pauseBefore(quorum(200_000), retries))).toEqual([200_000, 400_000, 600_000]);
    expect([0, 1].map((retries) => pauseBefore(quorum(900_000), retries))).toEqual([900_000, 900_000]);
  });
});
