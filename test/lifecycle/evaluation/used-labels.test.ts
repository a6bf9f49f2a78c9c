import { describe, expect, it, test } from "vitest";
import { decidedByActs } from "../../../src/lifecycle/evaluation/replay-state.ts";
import type { ActWithoutId } from "../../../src/lifecycle/facts/change.ts";
import type { Act, Facts, Reset } from "../../../src/lifecycle/facts/facts.ts";
import type { Absence, OrderInSecond } from "../../../src/lifecycle/facts/order-in-second.ts";
import type { Condition } from "../../../src/lifecycle/policy/policy.ts";
import {
  actsOf,
  alice,
  bob,
  comment,
  evaluationOf,
  labeled,
  lead,
  minute,
  openedThen,
  outsider,
  pushed,
  review,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { approvals: 1 } }
  - { name: b, enter: { any: [{ label: { name: go, by: bob } }, { label: { name: "go*", by: alice } }, { label: stop }] } }
  - { name: c, enter: { label: ship } }
`);
const HEAD = "aaaaaaa1";
const approved = review(1, bob, "approved");
const go = (n: number, by = alice): ActWithoutId => labeled(n, "go", by);
const push = (n: number, before = HEAD, sha = "bbbbbbb2"): ActWithoutId => pushed(n, before, sha, alice);
const own = (n: number, stage: string): Reset => ({
  ...{ id: `own ${n}`, stage, head: HEAD, at: minute(n) },
  ...{ by: alice, why: "command", note: "" },
});

describe("a label is used up", () => {
  const used = (
    deeds: readonly ActWithoutId[],
    resets: readonly Reset[] = [],
    labels?: readonly string[],
  ): string[] => {
    const facts = openedThen(...deeds);
    const all: Facts = { ...facts, resets, labels: labels ?? facts.labels };
    return evaluationOf(all, POLICY).usedLabels.map(({ label, stage }) => `${label} of ${stage}`);
  };

  it.each<[string, readonly ActWithoutId[], readonly string[]]>([
    ["it had counted when the reset came", [approved, go(2), push(5)], ["go of b"]],
    ["there was no reset", [approved, go(2)], []],
    ["the reset came before it", [approved, push(2), go(5)], []],
    [
      "between two resets",
      [approved, push(2), review(3, bob, "approved", "bbbbbbb2"), go(4), push(5, "bbbbbbb2", "ccccccc3")],
      ["go of b"],
    ],
    ["by the first of two resets", [approved, go(2), push(5), push(7, "bbbbbbb2", "ccccccc3")], ["go of b"]],
    ["given by somebody who may not", [approved, go(2, outsider), push(5)], []],
    ["the stage before had not been reached", [go(2), push(5)], []],
    ["given before the stage before was reached", [go(2), review(3, bob, "approved"), push(5)], []],
    ["given again since", [approved, go(1), push(2), unlabeled(3, "go", alice), go(4)], []],
    ["taken off and given again before", [approved, go(2), unlabeled(3, "go", alice), go(4), push(5)], ["go of b"]],
    ["nothing asks for it", [approved, labeled(2, "other", alice), push(5)], []],
    ["by any of the names asked for", [approved, labeled(2, "go-on", alice), push(5)], ["go-on of b"]],
    ["by none of the names asked for", [approved, labeled(2, "go-on", lead), push(5)], []],
    ["of each stage", [approved, go(2), labeled(3, "ship", alice), push(5)], ["go of b", "ship of c"]],
    ["not of a stage that was not reached", [approved, labeled(3, "ship", alice), push(5)], []],
    [
      "what ends with the prefix is a label like any other",
      [approved, labeled(2, "go-stage/", alice), push(5)],
      ["go-stage/ of b"],
    ],
  ])("%s", (_, deeds, expected) => {
    expect(used(deeds)).toEqual(expected);
  });

  it("not by a reset to its own stage, but by one to the stage before it", () => {
    const deeds = [approved, go(2), labeled(3, "ship", alice)];
    expect(used(deeds, [own(5, "b")])).toEqual(["ship of c"]);
    expect(used(deeds, [own(5, "a")])).toEqual(["go of b", "ship of c"]);
    // The app's own come before those that follow from acts, whatever their dates.
    expect(used([...deeds, push(5)], [own(8, "a")])).toEqual(["go of b", "ship of c"]);
    expect(used([...deeds, push(8)], [own(5, "a")])).toEqual(["go of b", "ship of c"]);
  });

  it("in the second of the reset by whoever may give it", () => {
    const back = comment(5, lead, "to", "a");
    expect(used([approved, go(5), back])).toEqual(["go of b"]);
    expect(used([approved, go(5, outsider), back])).toEqual([]);
    expect(used([approved, labeled(5, "stop", bob), back])).toEqual(["stop of b"]);
  });

  it("though it was taken off in the second before it, if it is on", () => {
    const deeds = [approved, go(3), unlabeled(3, "go", alice), push(5)];
    expect(used(deeds)).toEqual([]);
    expect(used(deeds, [], ["go"])).toEqual(["go of b"]);
  });
});

test("labels of stages are the app's own, and never used up", () => {
  const any = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: "*" } }
`);
  const deeds = [labeled(1, "stage/b", alice), labeled(2, "Stage/x", alice), labeled(3, "go", alice), push(5)];
  expect(evaluationOf(openedThen(...deeds), any).usedLabels).toEqual([{ label: "go", stage: "b" }]);
});

describe("a label given in the second of a reset, and seen to be gone after it", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: go } }
`);
  const deeds = [labeled(5, "Go", alice), push(5)];
  const [given, reset] = actsOf(...deeds) as [Act, Act];
  const absence: Absence = { label: "go", at: minute(5), after: [`push:${reset.id}`] };
  const stage = (more: Partial<Facts>): string | null =>
    evaluationOf({ ...openedThen(...deeds), labels: ["Go"], absences: [absence], ...more }, policy).stage;
  const order = (...keys: string[]): OrderInSecond[] => [{ at: minute(5), keys, givers: {}, asked: [] }];

  it.each<[string, Partial<Facts>, string]>([
    ["was given again", {}, "b"],
    ["is not on it", { labels: ["other"] }, "a"],
    ["was never seen gone", { absences: [] }, "a"],
    ["another was seen gone", { absences: [{ ...absence, label: "other" }] }, "a"],
    ["was seen gone at another time", { absences: [{ ...absence, at: minute(6) }] }, "a"],
    ["was seen gone before the reset", { absences: [{ ...absence, after: ["another"] }] }, "a"],
    ["among others", { absences: [{ ...absence, label: "other" }, absence], labels: ["x", "GO"] }, "b"],
    ["is known to have been given before", { orders: order(given.id, "commit:bbbbbbb2") }, "a"],
    ["is known to have been given after", { orders: order("commit:bbbbbbb2", given.id), absences: [] }, "b"],
  ])("%s", (_, more, expected) => {
    expect(stage(more)).toBe(expected);
  });
});

describe("what acts decide of a condition", () => {
  const act: Condition = { kind: "label", name: "x", by: null };
  const other: Condition = { kind: "approvals", count: 1, by: null };
  const state: Condition = { kind: "draft", draft: false };
  const all = (...of: Condition[]): Condition => ({ kind: "all", of });
  const any = (...of: Condition[]): Condition => ({ kind: "any", of });
  const not = (of: Condition): Condition => ({ kind: "not", of });
  const always = all();
  const [stage] = POLICY.stages;

  it.each<[Condition, Condition]>([
    [act, act],
    [state, always],
    [all(act, state), all(act)],
    [all(act, other), all(act, other)],
    [all(state, state), always],
    [all(all(state), act), all(act)],
    [any(act, state), always],
    [any(act, other), any(act, other)],
    [any(all(act, state), other), any(all(act), other)],
    [not(act), not(act)],
    [not(state), always],
    [not(any(act, state)), not(any(act))],
    [not(all(act, state)), always],
    [not(all(act, other)), not(all(act, other))],
    [not(not(any(act, state))), always],
    [all(not(all(state, act)), other), all(other)],
  ])("%j: %j", (enter, left) => {
    if (stage === undefined) throw new Error("There is one.");
    expect(decidedByActs([{ ...stage, enter }])).toEqual([{ ...stage, enter: left }]);
  });
});
