import { describe, expect, it, test } from "vitest";
import type { ConditionContext } from "../../../src/lifecycle/conditions/condition.ts";
import { concerningActs, firingActs, indexOf, sinceOf } from "../../../src/lifecycle/evaluation/back-rules.ts";
import { authorityOf } from "../../../src/lifecycle/evaluation/permissions.ts";
import { ResetIndex } from "../../../src/lifecycle/evaluation/resets.ts";
import { ActIndex } from "../../../src/lifecycle/facts/act-index.ts";
import { type ActWithoutId, act } from "../../../src/lifecycle/facts/change.ts";
import type { Reset } from "../../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import {
  alice,
  bob,
  cleo,
  comment,
  dismissed,
  evaluationOf,
  labeled,
  lead,
  minute,
  OUR_APP_ID,
  openedThen,
  outsider,
  permissions,
  pushed,
  ran,
  review,
  rex,
  tess,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, owner: "tess[bot]", enter: { label: To-B }, back: { when: { any: [{ command: redo }, { command: { name: stop, by: bob } }, { command: hold }, { label: { name: "bad/*", by: alice } }] }, to: a } }
  - { name: c, enter: { approvals: { by: bob } } }
`);
const context: Omit<ConditionContext, "window"> = {
  facts: openedThen(),
  acts: ActIndex.of([]),
  commits: [],
  present: false,
  inBackRule: false,
  authority: (actor, names) => authorityOf(actor, names, permissions),
  ask() {},
  ourAppId: OUR_APP_ID,
  startedWorkflows: new Set(),
  memo: null,
};
const of = (policy: Policy) => ({ policy, stages: policy.stages, context });
const at = minute(1);
const plain = (kind: "drafted" | "readied" | "reopened"): ActWithoutId => ({ kind, at, by: outsider });

describe("an act may fire a `back` rule, or concerns one", () => {
  it.each<[ActWithoutId, boolean, boolean]>([
    [labeled(1, "to-b", alice), true, true],
    [labeled(1, "to-b", outsider), false, true],
    [labeled(1, "other", alice), false, false],
    [labeled(1, "Bad/x", alice), true, true],
    [labeled(1, "bad/x", bob), false, true],
    [labeled(1, "to-b", tess), false, true],
    [unlabeled(1, "TO-B", outsider), true, true],
    [unlabeled(1, "bad/y", outsider), true, true],
    [unlabeled(1, "other", alice), false, false],
    [labeled(1, "stage/b", lead), true, false],
    [labeled(1, "stage/b", alice), false, false],
    [unlabeled(1, "stage/b", outsider), true, false],
    [labeled(1, "my-stage/", lead), false, false],
    [unlabeled(1, "my-stage/", lead), false, false],
    [comment(1, outsider, "to", "a"), true, false],
    [comment(1, outsider, "back"), true, false],
    [comment(1, alice, "redo"), true, true],
    [comment(1, tess, "redo"), true, true],
    [comment(1, rex, "redo"), false, true],
    [comment(1, outsider, "redo"), false, true],
    [comment(1, bob, "stop"), true, true],
    [comment(1, alice, "stop"), false, true],
    [comment(1, tess, "stop"), false, true],
    [comment(1, alice, "ship"), false, false],
    [comment(1, alice, "hold"), false, false],
    [comment(1, alice, "/hold"), true, true],
    [review(1, bob, "approved"), true, true],
    [review(1, alice, "approved"), false, true],
    [dismissed(1, outsider, 3), true, true],
    [pushed(1, "a", "b", outsider), true, true],
    [ran(1, "qa.yml", "success"), true, false],
    [{ kind: "plan", at, by: tess, plan: "p", run: "r", result: "success", sha: "a" }, true, false],
    [plain("drafted"), true, false],
    [plain("readied"), true, false],
    [plain("reopened"), true, false],
    [{ kind: "base_changed", at, by: outsider, from: "a", to: "b" }, true, false],
    [{ kind: "opened", at, by: alice }, false, false],
    [{ kind: "closed", at, by: alice, merged: false }, false, false],
  ])("%o: %s, %s", (deed, fires, concerns) => {
    expect([firingActs(of(POLICY))(act(deed)), concerningActs(of(POLICY))(act(deed))]).toEqual([fires, concerns]);
  });

  it("fires none where there is none, and concerns what leads forward", () => {
    const stages = POLICY.stages.map((stage) => ({ ...stage, back: null }));
    const none = of({ ...POLICY, stages });
    expect([comment(1, lead, "to", "a"), labeled(1, "to-b", alice)].map((deed) => firingActs(none)(act(deed)))).toEqual(
      [false, false],
    );
    expect(
      [labeled(1, "to-b", alice), comment(1, alice, "redo")].map((deed) => concerningActs(none)(act(deed))),
    ).toEqual([true, false]);
  });

  it("by a review where a rule asks for changes requested", () => {
    const rule = policyOf(`stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: x }, back: { when: { changes_requested: { by: bob } }, to: a } }
`);
    expect([bob, alice].map((by) => firingActs(of(rule))(act(review(1, by, "changes_requested"))))).toEqual([
      true,
      false,
    ]);
    expect(firingActs(of(rule))(act(comment(1, bob, "x")))).toBe(false);
  });
});

it("a stage that does not exist for a pull request stands for the one before it", () => {
  const stages = POLICY.stages.filter(({ name }) => name !== "b");
  expect([null, "a", "b", "c", "gone"].map((name) => indexOf({ policy: POLICY, stages }, name))).toEqual([
    -1, 0, 0, 1, -1,
  ]);
  expect(indexOf({ policy: POLICY, stages: stages.slice(1) }, "b")).toBe(-1);
});

it("it is in a stage since its entry, or since a newer reset that left it there", () => {
  const reset = (n: number): Reset => ({
    ...{ id: `${n}`, stage: "b", head: "", at: n },
    ...{ by: alice, why: "command", note: "" },
  });
  const resets = new ResetIndex(3, [{ reset: reset(5), index: 1 }]);
  expect([sinceOf({ resets }, 1, 3), sinceOf({ resets }, 1, 7), sinceOf({ resets }, 0, 3)]).toEqual([5, 7, 3]);
});

describe("a rule", () => {
  test("is its owner's only where it names nobody, and an outsider's never", () => {
    const owned = policyOf(`stages:
  - { name: a, enter: { draft: false } }
  - { name: b, owner: "tess[bot]", enter: { label: to-b }, back: { when: { any: [{ command: redo }, { command: { name: stop, by: bob } }] }, to: a } }
`);
    const readied: ActWithoutId = { kind: "readied", at: minute(3), by: alice };
    const rounds = (...deeds: ActWithoutId[]) =>
      evaluationOf(openedThen(labeled(1, "to-b", alice), ...deeds, readied), owned).rounds;
    expect([tess, alice, outsider, cleo].map((by) => rounds(comment(2, by, "redo")))).toEqual([1, 1, 0, 0]);
    expect([tess, alice, outsider, bob].map((by) => rounds(comment(2, by, "stop")))).toEqual([0, 0, 0, 1]);
  });

  describe("of an earlier stage fires after the furthest's, at the next act that may make one fire", () => {
    const rule = (command: string, to: string): string =>
      `back: { when: { all: [{ command: ${command} }, { not: { label: broken } }, { not: changes_requested }] }, to: ${to} }`;
    const both = policyOf(`stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b }, ${rule("redo", "a")} }
  - { name: c, enter: { label: to-c }, ${rule("stop", "b")} }
on_push: { back_to: false }
`);
    const reached = [labeled(1, "to-b", alice), labeled(2, "to-c", alice)];
    const asked = [comment(4, alice, "stop"), comment(5, alice, "redo")];
    const mended = unlabeled(8, "broken", alice);
    const ready = (n: number): ActWithoutId => ({ kind: "readied", at: minute(n), by: alice });
    // From then on neither holds, so that nothing is made up for now.
    const brokenAgain = labeled(12, "broken", alice);
    const sentTo = (wrong: ActWithoutId, deeds: readonly ActWithoutId[], resets: readonly Reset[] = []) =>
      evaluationOf({ ...openedThen(...reached, wrong, ...asked, ...deeds, brokenAgain), resets }, both).resets.map(
        ({ stage }) => stage,
      );

    it.each<[string, readonly ActWithoutId[], readonly string[]]>([
      ["none", [mended], ["b"]],
      ["a later one", [mended, ready(9)], ["b", "a"]],
    ])("%s", (_, deeds, stages) => {
      expect(sentTo(labeled(3, "broken", alice), deeds)).toEqual(stages);
    });

    it("or now, which counts as a round as well", () => {
      const facts = openedThen(...reached, labeled(3, "broken", alice), ...asked, mended);
      expect(evaluationOf(facts, both)).toMatchObject({ rounds: 2, resets: [{ stage: "b" }, { stage: "a" }] });
    });

    it("one after a reset of the app's own", () => {
      const own: Reset = {
        ...{ id: "own", stage: "c", head: "aaaaaaa1", at: minute(9) },
        ...{ by: alice, why: "command", note: "" },
      };
      expect(sentTo(labeled(3, "broken", alice), [mended, ready(9)], [own])).toEqual(["b", "a", "c"]);
    });

    it("one in the same second that comes before it", () => {
      const wrong = review(3, bob, "changes_requested");
      const approved = review(8, bob, "approved");
      expect([sentTo(wrong, [approved]), sentTo(wrong, [ready(8), approved])]).toEqual([["b"], ["b", "a"]]);
    });
  });
});
