import { describe, expect, it } from "vitest";
import { opinions, shortSha } from "../../../src/lifecycle/evidence/reviews.ts";
import { ActIndex } from "../../../src/lifecycle/facts/act-index.ts";
import type { Actor, Facts } from "../../../src/lifecycle/facts/facts.ts";
import {
  actsOf,
  alice,
  bob,
  did,
  dismissed,
  history,
  minute,
  opened,
  openedThen,
  outsider,
  review,
  rex,
} from "../builders.ts";
import { verdict } from "../policies.ts";

const stranger: Actor = { kind: "user", id: 999, login: "stranger" };

describe("approvals", () => {
  it.each<[string, Facts, boolean, string]>([
    [
      "{ approvals: 1 }",
      openedThen(),
      false,
      "an approval is missing on the head commit: someone with write permission can give it",
    ],
    [
      "{ approvals: 2 }",
      openedThen(),
      false,
      "2 approvals are missing on the head commit: someone with write permission can give it",
    ],
    [
      "{ approvals: 2 }",
      openedThen(review(1, alice, "approved")),
      false,
      "an approval is missing on the head commit: someone with write permission can give it",
    ],
    [
      "{ approvals: 1 }",
      openedThen(review(1, rex, "approved")),
      false,
      "an approval is missing on the head commit: someone with write permission can give it (rex[bot] is the author)",
    ],
    [
      "{ approvals: 1 }",
      openedThen(review(1, outsider, "approved")),
      false,
      "an approval is missing on the head commit: someone with write permission can give it (outsider has no write permission)",
    ],
    [
      "{ approvals: { by: bob } }",
      openedThen(review(1, alice, "approved")),
      false,
      "an approval is missing on the head commit: bob can give it (alice is not bob)",
    ],
    [
      "{ approvals: 1 }",
      openedThen(review(1, alice, "approved", "0123456789")),
      false,
      "an approval is missing on the head commit: someone with write permission can give it (alice approved 0123456, not the head commit)",
    ],
    [
      "{ approvals: 1 }",
      openedThen(review(1, alice, "approved"), review(2, alice, "changes_requested")),
      false,
      "an approval is missing on the head commit: someone with write permission can give it",
    ],
    [
      "{ approvals: 2 }",
      openedThen(review(2, bob, "approved"), review(1, alice, "approved")),
      true,
      "approved by alice, bob",
    ],
    [
      "{ approvals: 1 }",
      openedThen(review(2, bob, "approved"), review(1, alice, "approved")),
      true,
      "approved by alice",
    ],
  ])("%s: %#", (condition, facts, holds, reason) => {
    expect(verdict(condition, facts)).toMatchObject({ holds, reason });
  });

  it("are dated by the one that was enough", () => {
    const facts = openedThen(
      review(1, alice, "approved"),
      review(2, bob, "approved"),
      review(3, alice, "approved", "aaaaaaa1", 77),
    );
    expect(verdict("{ approvals: 2 }", facts)).toMatchObject({
      at: minute(2),
      evidence: ["review:1021", "review:2022"],
    });
    expect(verdict("{ approvals: 1 }", facts)).toMatchObject({ at: minute(1), evidence: ["review:1021"] });
  });

  it("of one second are told in the order of their ids", () => {
    const facts = openedThen(review(1, bob, "approved", "aaaaaaa1", 8), review(1, alice, "approved", "aaaaaaa1", 9));
    expect(verdict("{ approvals: 1 }", facts)).toMatchObject({ reason: "approved by bob", evidence: ["review:8"] });
    const asked = openedThen(
      review(1, bob, "changes_requested", "aaaaaaa1", 9),
      review(1, alice, "changes_requested", "aaaaaaa1", 8),
    );
    expect(verdict("changes_requested", asked)).toMatchObject({
      reason: "alice requests changes",
      evidence: ["review:8"],
    });
  });

  it("that may count one day are unknown, those that are too few in any case are missing", () => {
    const facts = openedThen(review(1, stranger, "approved"));
    const not = (condition: string) => verdict(`{ not: ${condition} }`, facts).holds;
    expect([not("{ approvals: 1 }"), not("{ approvals: 2 }")]).toEqual([false, true]);
    expect(verdict("{ approvals: 1 }", facts).lookups).toEqual([{ kind: "permission", actor: stranger }]);
  });

  it("names no more than five that do not count", () => {
    const crowd = Array.from({ length: 7 }, (_, n): Actor => ({ kind: "bot", id: 500 + n, login: `b${n}` }));
    const { reason } = verdict(
      "{ approvals: 1 }",
      openedThen(...crowd.map((who, n) => review(n + 1, who, "approved"))),
    );
    expect(reason.split("; ")).toHaveLength(5);
  });
});

describe("a request for changes", () => {
  it("stands for whoever may, on the head commit, and not for the author", () => {
    const by = (facts: Facts) => verdict("changes_requested", facts);
    expect(by(openedThen(review(1, alice, "changes_requested")))).toMatchObject({
      holds: true,
      reason: "alice requests changes",
      at: minute(1),
    });
    expect(by(openedThen(review(2, alice, "changes_requested"), review(1, bob, "changes_requested")))).toMatchObject({
      reason: "bob requests changes",
      at: minute(1),
    });
    expect(by(openedThen(review(1, rex, "changes_requested"))).holds).toBe(false);
    const own = history(opened({ author: alice }), did(review(1, alice, "changes_requested")));
    expect(by(own)).toMatchObject({ holds: false, reason: "nobody with write permission requests changes" });
    expect(by(openedThen(review(1, alice, "changes_requested", "other"))).holds).toBe(false);
    expect(by(openedThen(review(1, alice, "changes_requested"), review(2, alice, "approved"))).holds).toBe(false);
    expect(by(openedThen(review(1, alice, "changes_requested", "aaaaaaa1", 5), dismissed(2, bob, 5))).holds).toBe(
      false,
    );
    expect(by(openedThen(review(1, outsider, "changes_requested")))).toMatchObject({
      holds: false,
      reason: "nobody with write permission requests changes",
    });
    expect(
      verdict("{ changes_requested: { by: bob } }", openedThen(review(1, alice, "changes_requested"))),
    ).toMatchObject({
      holds: false,
      reason: "nobody of bob requests changes on the head commit",
    });
    expect(verdict("{ not: changes_requested }", openedThen(review(1, stranger, "changes_requested"))).holds).toBe(
      false,
    );
    expect(verdict("{ not: changes_requested }", openedThen(review(1, outsider, "changes_requested"))).holds).toBe(
      true,
    );
  });

  it("is one opinion of each, the newest; a dismissed one leaves none", () => {
    const said = (...deeds: Parameters<typeof actsOf>) =>
      opinions({ acts: ActIndex.of(actsOf(...deeds)), memo: null }).map(({ by, state, reviews }) => [
        by.login,
        state,
        reviews.length,
      ]);
    expect(said(review(1, alice, "approved"), review(2, alice, "commented"), review(3, alice, "approved"))).toEqual([
      ["alice", "approved", 2],
    ]);
    expect(
      said(review(1, alice, "approved"), review(2, alice, "changes_requested"), review(3, bob, "approved")),
    ).toEqual([
      ["alice", "changes_requested", 1],
      ["bob", "approved", 1],
    ]);
    expect(said(review(1, alice, "approved"), review(2, alice, "approved", "a", 9), dismissed(3, bob, 9))).toEqual([]);
    // The dismissal may be heard of before the review.
    expect(said(review(1, alice, "approved"), dismissed(2, bob, 9), review(3, alice, "approved", "a", 9))).toEqual([]);
    expect(said(dismissed(2, bob, 9), review(3, alice, "approved", "a", 9), review(4, alice, "approved"))).toEqual([
      ["alice", "approved", 1],
    ]);
    expect(said(review(1, alice, "approved", "a", 8), dismissed(2, bob, 8), review(3, alice, "approved"))).toEqual([
      ["alice", "approved", 1],
    ]);
    expect(shortSha("0123456789")).toBe("0123456");
  });
});
