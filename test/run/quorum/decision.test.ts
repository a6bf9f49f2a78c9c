import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confidenceOf, decisionOf, weightsOf } from "../../../src/run/quorum/decision.ts";
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
