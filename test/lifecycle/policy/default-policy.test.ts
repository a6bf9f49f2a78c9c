import { expect, test } from "vitest";
import {
  alice,
  bob,
  check,
  checked,
  did,
  dismissed,
  evaluationOf,
  history,
  labeled,
  minute,
  opened,
  openedThen,
  outsider,
  pushed,
  review,
  rex,
  tess,
  unlabeled,
} from "../builders.ts";

test("a pull request that is no draft is in pr-created, since it was opened", () => {
  const result = evaluationOf(openedThen());
  expect(result.stage).toBe("pr-created");
  expect(result.entries).toEqual([expect.objectContaining({ stage: "pr-created", at: minute(0) })]);
  expect(result.missing).toEqual({
    stage: "ready-for-qa",
    summary: "label ready-for-qa is missing: someone with write permission can add it",
  });
});

test("a draft has no stage", () => {
  const result = evaluationOf(history(opened({ draft: true })));
  expect(result.stage).toBeNull();
  expect(result.inactive).toBe("draft");
});

test("the label, then an approval, lead through all stages, each entry dated by its act", () => {
  const result = evaluationOf(openedThen(labeled(5, "ready-for-qa", alice), review(9, bob, "approved")));
  expect(result.stage).toBe("approved");
  expect(result.missing).toBeNull();
  expect(result.entries.map(({ stage, at }) => ({ stage, at }))).toEqual([
    { stage: "pr-created", at: minute(0) },
    { stage: "ready-for-qa", at: minute(5) },
    { stage: "approved", at: minute(9) },
  ]);
});

test("an approval before ready-for-qa skips no stage, and does not count later", () => {
  expect(evaluationOf(openedThen(review(3, bob, "approved"))).stage).toBe("pr-created");
  const result = evaluationOf(openedThen(review(3, bob, "approved"), labeled(5, "ready-for-qa", alice)));
  expect(result.stage).toBe("ready-for-qa");
  expect(result.missing?.summary).toContain("bob approved before ready-for-qa was reached");
});

test("a pull request opened with the label already on it gets through to ready-for-qa", () => {
  const facts = history(opened({ labels: ["ready-for-qa"] }), did(labeled(0, "ready-for-qa", alice)));
  expect(evaluationOf(facts).stage).toBe("ready-for-qa");
});

test("a push moves it back, and label and approval must be given again", () => {
  const facts = openedThen(
    labeled(5, "ready-for-qa", alice),
    review(9, bob, "approved"),
    pushed(10, "aaaaaaa1", "bbbbbbb2", rex),
  );
  const result = evaluationOf(facts);
  expect(result.stage).toBe("pr-created");
  expect(result.since).toBe(minute(10));
  expect(result.resets).toEqual([expect.objectContaining({ stage: "pr-created", why: "push", at: minute(10) })]);
  const again = [unlabeled(11, "ready-for-qa", tess), labeled(12, "ready-for-qa", alice)];
  expect(evaluationOf(history(opened(), did(...again, pushed(10, "aaaaaaa1", "bbbbbbb2", rex)))).stage).toBe(
    "ready-for-qa",
  );
});

test.each([
  ["the author", rex, "rex[bot] is the author"],
  ["an app that is not named", tess, "name it in `by`"],
  ["someone without write permission", outsider, "outsider has no write permission"],
])("an approval by %s does not count", (_, by, reason) => {
  const result = evaluationOf(openedThen(labeled(5, "ready-for-qa", alice), review(9, by, "approved")));
  expect(result.stage).toBe("ready-for-qa");
  expect(result.missing?.summary).toContain(reason);
});

test("a dismissed approval and a removed label move it back as far as they carried it", () => {
  const both = [labeled(5, "ready-for-qa", alice), review(9, bob, "approved", "aaaaaaa1", 1)];
  expect(evaluationOf(openedThen(...both, dismissed(10, alice, 1))).stage).toBe("ready-for-qa");
  expect(evaluationOf(openedThen(...both, unlabeled(10, "ready-for-qa", alice))).stage).toBe("pr-created");
});

test("nothing is known before anything told of the pull request itself", () => {
  expect(evaluationOf(history(checked(check(1)))).inactive).toBe("unknown");
});
