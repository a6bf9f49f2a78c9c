/** What an evaluation costs grows as the history does: conditions are evaluated again only for acts that concern them. */
import { expect, test } from "vitest";
import { evaluateWith } from "../../../src/lifecycle/evaluation/evaluate.ts";
import type { EvaluatedTree } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { ConditionMemo } from "../../../src/lifecycle/evidence/memo.ts";
import type { ActWithoutId } from "../../../src/lifecycle/facts/change.ts";
import { MOST_ACTS } from "../../../src/lifecycle/facts/prune.ts";
import { STORIES } from "../../bench/histories.ts";
import { did, history, OUR_APP_ID, opened, permissions } from "../builders.ts";
import { readExample } from "../policies.ts";

class CountingMemo extends ConditionMemo {
  evaluated = 0;

  override of(...[condition, basis, evaluate]: Parameters<ConditionMemo["of"]>): EvaluatedTree {
    return super.of(condition, basis, () => {
      this.evaluated += 1;
      return evaluate();
    });
  }
}

const policy = readExample("three-bots");

function evaluations(acts: readonly ActWithoutId[]): number {
  const memo = new CountingMemo();
  evaluateWith({ facts: history(opened(), did(...acts)), policy, permissions, ourAppId: OUR_APP_ID }, memo);
  return memo.evaluated;
}

test.each(Object.keys(STORIES))("%s: twice the acts, twice the conditions evaluated", (name) => {
  const story = STORIES[name] ?? (() => []);
  expect(evaluations(story(400))).toBeLessThan(2.2 * evaluations(story(200)) + 50);
});

test("acts that no condition asks about have none evaluated", () => {
  const otherRuns = STORIES["runs of another workflow"]?.(MOST_ACTS - 1) ?? [];
  expect(otherRuns.length).toBe(MOST_ACTS - 1);
  expect(evaluations(otherRuns)).toBeLessThan(50);
});

test.each(["reviews", "runs that fail"])("%s: what they do not concern is not evaluated for each", (name) => {
  const story = STORIES[name] ?? (() => []);
  // Two at each act: the condition that is about it, and what it is a part of.
  expect(evaluations(story(200))).toBeLessThan(2.5 * 200);
});
