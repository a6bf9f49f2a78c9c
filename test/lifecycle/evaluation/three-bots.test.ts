/** The hand-off between three bots: rex writes, cleo formats and says that it is ready, tess tests. */
import { expect, test } from "vitest";
import type { ActWithoutId } from "../../../src/lifecycle/facts/change.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { desiredDisplay } from "../../../src/lifecycle/presentation/display.ts";
import {
  alice,
  bob,
  check,
  checked,
  cleo,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  lead,
  minute,
  opened,
  pushed,
  ran,
  review,
  rex,
  tess,
  unlabeled,
} from "../builders.ts";
import { readExample } from "../policies.ts";

const policy = readExample("three-bots");
const [A, B, C, D] = ["aaaaaaa1", "bbbbbbb2", "ccccccc3", "ddddddd4"] as const;
const READY = "ready-for-qa";

/** With a green build on each of the heads. */
function facts(...deeds: ActWithoutId[]): Facts {
  return history(opened(), did(...deeds), checked(...[A, B, C, D].map((sha) => check(0, { sha }))));
}

function where(...deeds: ActWithoutId[]) {
  return evaluationOf(facts(...deeds), policy);
}

/** What Stagewright takes off after a reset. */
function takenOff(...deeds: ActWithoutId[]) {
  const all = facts(...deeds);
  return desiredDisplay({ evaluation: evaluationOf(all, policy), policy, facts: all })?.removeLabels;
}

const round1 = [labeled(10, READY, cleo), ran(15, "qa.yml", "failure", A, 1)];
const round2 = [
  unlabeled(16, READY, lead),
  pushed(20, A, B, rex),
  labeled(22, READY, cleo),
  review(25, tess, "changes_requested", B),
];
const round3 = [unlabeled(26, READY, lead), pushed(30, B, C, rex), labeled(32, READY, cleo)];

test("goes to QA when cleo says so and the build is green", () => {
  expect(evaluationOf(history(opened(), did(labeled(10, READY, cleo))), policy)).toMatchObject({
    stage: "pr-created",
    missing: { stage: READY, summary: "build has not reported" },
  });
  expect(where(labeled(10, READY, cleo)).stage).toBe(READY);
});

test("two rounds of failed QA, by a workflow and by a review, then approval", () => {
  expect(where(...round1)).toMatchObject({ stage: "pr-created", rounds: 1, held: null });
  expect(takenOff(...round1)).toEqual([READY]);
  expect(where(...round1, ...round2.slice(0, 3)).stage).toBe(READY);
  expect(where(...round1, ...round2)).toMatchObject({ stage: "pr-created", rounds: 2 });
  expect(where(...round1, ...round2, ...round3)).toMatchObject({ stage: READY, rounds: 2 });
  const passed = where(
    ...round1,
    ...round2,
    ...round3,
    ran(35, "qa.yml", "success", C, 3),
    review(36, tess, "approved", C),
  );
  expect(passed.stage).toBe("approved");
  expect(passed.entries.map(({ stage, at }) => [stage, at])).toEqual([
    ["pr-created", minute(0)],
    [READY, minute(32)],
    ["approved", minute(36)],
  ]);
});

test("the reset says who sent it back and why", () => {
  expect(where(...round1).resets).toEqual([
    expect.objectContaining({ why: "back", stage: "pr-created", at: minute(15), by: tess, note: "qa.yml failed" }),
  ]);
});

test("an old failure does not send the next round back, though nothing was pushed", () => {
  const again = [unlabeled(16, READY, lead), labeled(22, READY, cleo)];
  expect(where(...round1, ...again).stage).toBe(READY);
});

test("a label that was not taken off in time does not bring it forward again", () => {
  expect(where(...round1, pushed(20, A, B, rex)).stage).toBe("pr-created");
});

test("a push by the formatter keeps the stage, with approval, QA result and checks", () => {
  const approved = [labeled(10, READY, cleo), ran(15, "qa.yml", "success"), review(16, tess, "approved")];
  expect(where(...approved).stage).toBe("approved");
  const formatted = history(opened(), did(...approved, pushed(20, A, B, cleo)), checked(check(0)));
  expect(evaluationOf(formatted, policy).stage).toBe("approved");
  expect(evaluationOf(formatted, policy).resets).toEqual([]);
});

test("a check that fails on the formatter's commit is withdrawn there", () => {
  const formatted = history(
    opened(),
    did(labeled(10, READY, cleo), pushed(20, A, B, cleo)),
    checked(check(0), check(21, { sha: B, status: "in_progress", conclusion: null })),
  );
  expect(evaluationOf(formatted, policy).stage).toBe(READY);
  const failed = history(
    opened(),
    did(labeled(10, READY, cleo), pushed(20, A, B, cleo)),
    checked(check(0), check(22, { sha: B, conclusion: "failure" })),
  );
  expect(evaluationOf(failed, policy).stage).toBe("pr-created");
});

test("a push by a person, before or after the formatter's, resets it", () => {
  const approved = [labeled(10, READY, cleo), ran(15, "qa.yml", "success"), review(16, tess, "approved")];
  expect(where(...approved, pushed(20, A, B, alice)).stage).toBe("pr-created");
  expect(where(...approved, pushed(20, A, B, cleo), pushed(21, B, C, alice)).stage).toBe("pr-created");
  expect(where(...approved, pushed(20, A, B, alice), pushed(21, B, C, cleo)).stage).toBe("pr-created");
  expect(takenOff(...approved, pushed(20, A, B, alice))).toEqual([READY]);
});

test("an approval of an old commit does not count, whoever pushed since", () => {
  const result = where(
    labeled(10, READY, cleo),
    pushed(12, A, B, rex),
    unlabeled(13, READY, lead),
    labeled(14, READY, cleo),
    ran(15, "qa.yml", "success", B),
    review(16, tess, "approved", A),
  );
  expect(result.stage).toBe(READY);
  expect(result.missing?.summary).toContain("tess[bot] approved aaaaaaa, not the head commit");
});

test("QA without approval, or approval without QA, is not enough", () => {
  expect(where(labeled(10, READY, cleo), ran(15, "qa.yml", "success")).stage).toBe(READY);
  expect(where(labeled(10, READY, cleo), review(16, tess, "approved")).stage).toBe(READY);
});

test("changes that tess requests in QA send it back, as tess owns that stage; bob's do, too; rex's do not", () => {
  expect(where(labeled(10, READY, cleo), review(12, tess, "changes_requested")).stage).toBe("pr-created");
  expect(where(labeled(10, READY, cleo), review(12, bob, "changes_requested")).stage).toBe("pr-created");
  expect(where(labeled(10, READY, cleo), review(12, rex, "changes_requested")).stage).toBe(READY);
});

function rounds(count: number, from = 0): ActWithoutId[] {
  return Array.from({ length: count }, (_, index) => {
    const start = from + index * 10;
    return [
      labeled(start + 1, READY, cleo),
      ran(start + 3, "qa.yml", "failure", A, start + 3),
      unlabeled(start + 4, READY, lead),
    ];
  }).flat();
}

test("after max_rounds it is held where it was sent to, and goes no further", () => {
  expect(where(...rounds(4))).toMatchObject({ rounds: 4, held: null });
  const held = where(...rounds(5));
  expect(held).toMatchObject({ stage: "pr-created", rounds: 5, held: { why: "max_rounds", by: null, at: minute(43) } });
  const again = where(...rounds(5), labeled(60, READY, cleo));
  expect(again).toMatchObject({ stage: "pr-created", missing: { stage: READY } });
  expect(again.missing?.summary).toContain("on hold");
});

test("off hold, what was done meanwhile counts, and rounds begin anew", () => {
  const result = where(...rounds(5), labeled(60, READY, cleo), comment(61, alice, "unhold"));
  expect(result).toMatchObject({ stage: READY, rounds: 0, held: null });
});

test("is overdue a day after it came to QA, not after it was opened", () => {
  const day = 24 * 60 * 60_000;
  expect(where(labeled(10, READY, cleo)).dueAt).toBe(minute(10) + day);
  expect(where().dueAt).toBeNull();
});

test("a label that is taken off in the second in which QA failed leaves the round as it was", () => {
  const failed = [labeled(10, READY, cleo), ran(15, "qa.yml", "failure", A, 1)];
  const expected = { stage: "pr-created", rounds: 1, resets: [expect.objectContaining({ why: "back" })] };
  expect(where(...failed, unlabeled(15, READY, lead))).toMatchObject(expected);
  expect(where(labeled(10, READY, cleo), unlabeled(15, READY, lead))).toMatchObject({ stage: "pr-created", rounds: 0 });
  expect(where(labeled(10, READY, cleo), comment(15, tess, "back"), unlabeled(15, READY, lead))).toMatchObject({
    stage: "pr-created",
    rounds: 1,
  });
});
