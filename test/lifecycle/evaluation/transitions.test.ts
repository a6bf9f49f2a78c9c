import { describe, expect, it } from "vitest";
import type { Evaluation, Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { overdueAndHoldActions } from "../../../src/lifecycle/evaluation/overdue-and-hold.ts";
import { describeReset } from "../../../src/lifecycle/evaluation/progress.ts";
import { simulatePolicy } from "../../../src/lifecycle/evaluation/simulate.ts";
import { transitionActions } from "../../../src/lifecycle/evaluation/transition-actions.ts";
import type { Facts, Reset } from "../../../src/lifecycle/facts/facts.ts";
import {
  alice,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  lead,
  minute,
  opened,
  openedThen,
  permissions,
  pushed,
  rex,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`operators: [lead]
max_rounds: 2
stages:
  - { name: a, owner: alice, enter: { draft: false }, on_enter: [{ comment: in a }], on_back: [{ comment: "back: {{reason}}" }], max_age: 90s, on_overdue: [{ comment: "{{owner}} {{reason}}" }] }
  - { name: b, enter: { label: to-b }, on_enter: [{ comment: in b }, { release: qa }, { auto_merge: squash }], on_back: [{ assign: bob }] }
  - { name: c, enter: { label: to-c }, on_enter: [{ comment: "{{reason}}" }] }
`);
const go = (from: string | null, facts: Facts) =>
  transitionActions({ from, evaluation: evaluationOf(facts, POLICY), policy: POLICY, facts });
const brief = (actions: ReturnType<typeof go>) =>
  actions.map(({ stage, occasion, at, passed, effects }) => [
    stage,
    occasion,
    (at - minute(0)) / 60_000,
    passed,
    effects.map(({ kind }) => kind).join(" "),
  ]);
const toB = labeled(1, "to-b", alice);
const toC = labeled(2, "to-c", alice);

describe("a move sets off", () => {
  it("what each stage on the way forward asks for, in passing only releases", () => {
    expect(brief(go(null, openedThen(toB, toC)))).toEqual([
      ["a", "enter", 0, true, ""],
      ["b", "enter", 1, true, "release"],
      ["c", "enter", 2, false, "comment"],
    ]);
    expect(brief(go("a", openedThen(toB)))).toEqual([["b", "enter", 1, false, "comment release auto_merge"]]);
    expect(brief(go("gone", openedThen()))).toEqual([["a", "enter", 0, false, "comment"]]);
    expect(go("b", openedThen(toB))).toEqual([]);
  });

  it("on the way back what the stage asks for that it comes back to, and merging is turned off", () => {
    const back = openedThen(toB, toC, unlabeled(5, "to-b", alice));
    expect(brief(go("c", back))).toEqual([
      ["b", "back", 0, false, "disable_auto_merge"],
      ["a", "back", 0, false, "comment"],
    ]);
    expect(brief(go("b", openedThen(toB, pushed(5, "aaaaaaa1", "bbbbbbb2", rex))))).toEqual([
      ["b", "back", 5, false, "disable_auto_merge"],
      ["a", "back", 5, false, "comment"],
    ]);
    expect(brief(go("c", openedThen(toB, toC, unlabeled(5, "to-c", alice))))).toEqual([
      ["b", "back", 1, false, "assign"],
    ]);
    const closed = history(opened(), did(toB, { kind: "closed", at: minute(9), by: alice, merged: false }));
    expect(brief(go("b", closed))).toEqual([["b", "back", 9, false, "disable_auto_merge"]]);
  });

  it("says why it came back: by what was done, else by what it lacks", () => {
    const reason = (facts: Facts) => go("b", facts).at(-1)?.effects[0];
    expect(reason(openedThen(toB, pushed(5, "aaaaaaa1", "bbbbbbb2", rex)))).toMatchObject({
      body: "back: rex\\[bot\\] pushed bbbbbbb",
    });
    expect(reason(openedThen(toB, comment(5, lead, "to", "a")))).toMatchObject({ body: "back: lead moved it to a" });
    expect(reason(openedThen(toB, unlabeled(5, "to-b", alice)))).toMatchObject({
      body: expect.stringMatching(/^back: label to-b is missing/),
    });
  });

  it("of two resets of one date says the later one", () => {
    const resets = ["first", "second"].map(
      (note): Reset => ({
        ...{ id: note, stage: "a", head: "", at: minute(5), by: alice },
        ...{ why: "command", note },
      }),
    );
    const facts = openedThen(toB);
    const evaluation = { ...evaluationOf(openedThen(), POLICY), since: minute(5), resets };
    const [, back] = transitionActions({ from: "b", evaluation, policy: POLICY, facts });
    expect(back?.effects[0]).toMatchObject({ body: "back: second" });
  });

  it.each<[Reset["why"], string]>([
    ["push", "rex[bot] pushed abcdefg"],
    ["draft", "rex[bot] made it a draft or marked it ready"],
    ["reopened", "rex[bot] reopened it"],
    ["base_changed", "rex[bot] changed its base"],
    ["back", "it was sent back (note)"],
    ["command", "it was sent back (note)"],
  ])("a reset by %s is told as %s", (why, text) => {
    expect(describeReset({ id: "r", stage: null, head: "abcdefgh", at: 0, by: rex, why, note: "note" })).toBe(text);
  });
});

it("texts are filled with what is known of it", () => {
  const policy = policyOf(
    'task_id: { branch: "task-*" }\nstages: [{ name: a, owner: alice, enter: { draft: false }, on_enter: [{ repository_dispatch: { event_type: x, payload: { all: "{{number}} {{sha}} {{base}} {{stage}} {{owner}} {{ticket}} {{reason}}" } } }] }]\n',
  );
  const actions = (facts: Facts) =>
    transitionActions({ from: null, evaluation: evaluationOf(facts, policy), policy, facts })[0]?.effects[0];
  expect(actions(openedThen())).toMatchObject({ payload: { all: "7 aaaaaaa1 main a alice 7 it is not a draft" } });
  expect(actions(history(opened({ head: { sha: "b", ref: "x", repositoryId: 100 } })))).toMatchObject({
    payload: { all: "7 b main a alice  it is not a draft" },
  });
});

describe("while it stays where it is", () => {
  const hold = (overrides: Partial<Hold> = {}): Hold => ({
    why: "command",
    at: minute(3),
    by: alice,
    reason: "wait",
    ...overrides,
  });
  const actions = (evaluation: Evaluation, now: number, before: Evaluation | null = null, facts = openedThen()) =>
    brief(overdueAndHoldActions({ before, evaluation, policy: POLICY, facts, now: minute(now) }));
  const inA = evaluationOf(openedThen(), POLICY);
  const inB = evaluationOf(openedThen(toB), POLICY);

  it("it is overdue from the minute on in which its time is over", () => {
    expect(inA.dueAt).toBe(minute(1.5));
    expect(actions(inA, 1.4)).toEqual([]);
    expect(actions(inA, 1.5)).toEqual([["a", "overdue", 1.5, false, "note comment"]]);
    expect(actions({ ...inA, held: hold() }, 9)).toEqual([]);
    expect(actions({ ...inA, since: null }, 9)).toEqual([]);
    expect(actions({ ...inA, dueAt: null }, 9)).toEqual([]);
    expect(actions({ ...inA, stage: "gone" }, 9)).toEqual([]);
    expect(actions(inB, 9)).toEqual([]);
  });

  it.each([
    [90_000, "90 s"],
    [120_000, "2 min"],
    [3_600_000, "1 h"],
    [5_400_000, "90 min"],
    [86_400_000, "24 h"],
  ])("%i ms are said as %s", (age, text) => {
    const late = { ...inA, dueAt: minute(0) + age, since: minute(0) };
    const [first] = overdueAndHoldActions({
      before: null,
      evaluation: late,
      policy: POLICY,
      facts: openedThen(),
      now: minute(9_999),
    });
    expect(first?.effects[0]).toMatchObject({
      kind: "note",
      text: expect.stringContaining(`for ${text} at most (label to-b is missing`),
    });
  });

  it("a hold turns off what merges, of the stages reached", () => {
    expect(actions({ ...inB, held: hold() }, 9)).toEqual([["b", "hold", 3, false, "disable_auto_merge"]]);
    expect(actions({ ...inA, held: hold() }, 0)).toEqual([]);
  });

  it("says of how many rounds the policy lets it go, though there were more", () => {
    const held = { ...inA, held: hold({ why: "max_rounds", by: null }), rounds: 5 };
    const said = (policy: typeof POLICY) =>
      overdueAndHoldActions({ before: null, evaluation: held, policy, facts: openedThen(), now: 0 })[0]?.effects[0];
    const note = (times: string) => ({ kind: "note", text: `on hold: it was sent back ${times}` });
    expect(said(POLICY)).toEqual(note("2 times"));
    expect(said({ ...POLICY, maxRounds: 1 })).toEqual(note("once"));
    expect(said({ ...POLICY, maxRounds: null })).toEqual(note("5 times"));
  });

  it("its owner hears of a hold that nobody gave", () => {
    const tired = { ...inA, held: hold({ why: "max_rounds", by: null }) };
    const told = overdueAndHoldActions({
      before: null,
      evaluation: tired,
      policy: POLICY,
      facts: openedThen(),
      now: minute(0),
    });
    expect(told).toMatchObject([
      {
        stage: "a",
        occasion: "hold",
        at: minute(3),
        effects: [{ kind: "note" }, { kind: "comment", marker: "on hold", body: expect.stringContaining("@alice ") }],
      },
    ]);
  });

  it("off hold what merges is turned on again", () => {
    const before = { ...inB, held: hold() };
    expect(actions(inB, 9, before).map(([stage, occasion, , , kinds]) => [stage, occasion, kinds])).toEqual([
      ["b", "unhold", "auto_merge"],
    ]);
    expect(actions(inB, 9, inB)).toEqual([]);
    expect(actions({ ...inB, held: hold() }, 9, before)).toEqual([["b", "hold", 3, false, "disable_auto_merge"]]);
  });
});

describe("an event tried out", () => {
  const answer = () => permissions;
  const tried = (facts: Facts, before: Facts | null, shown: string | null = null) =>
    simulatePolicy({ policy: POLICY, facts, before, shown, answer });

  it("says what would be taken off and put on, and what would be done", () => {
    const result = tried(openedThen(toB), openedThen());
    expect(result).toMatchObject({
      from: "a",
      label: "stage/b",
      addLabels: ["stage/b"],
      removeLabels: ["stage/a"],
      cancelsRuns: false,
      unknown: [],
    });
    expect(brief([...result.actions])).toEqual([["b", "enter", 1, false, "comment release auto_merge"]]);
    expect(result.checks.map(({ stage }) => stage)).toEqual(["a", "b", "c"]);
  });

  it("without a time before is compared with what is shown", () => {
    expect(tried(openedThen(), null)).toMatchObject({ from: null, addLabels: ["stage/a"], removeLabels: [] });
    expect(tried(openedThen(), null, "a")).toMatchObject({ from: "a", addLabels: [], removeLabels: [], actions: [] });
    expect(tried(history(opened({ labels: ["Stage/A"] })), null, "b")).toMatchObject({
      from: "b",
      addLabels: [],
      removeLabels: ["stage/b"],
    });
  });

  it("a push cancels runs, where the policy says so", () => {
    const after = openedThen(pushed(5, "aaaaaaa1", "bbbbbbb2", rex));
    expect(tried(after, openedThen()).cancelsRuns).toBe(true);
    expect(tried(after, null).cancelsRuns).toBe(false);
    const keeps = { ...POLICY, onPush: { ...POLICY.onPush, cancel: false } };
    expect(simulatePolicy({ policy: keeps, facts: after, before: openedThen(), answer }).cancelsRuns).toBe(false);
  });

  it("of a pull request that is closed nothing is changed", () => {
    const closed = history(
      opened({ labels: ["stage/a"] }),
      did({ kind: "closed", at: minute(9), by: alice, merged: true }),
    );
    expect(tried(closed, null)).toMatchObject({ label: null, addLabels: [], removeLabels: [], checks: [] });
  });

  it("asks nothing where everything is known", () => {
    const answer = () => {
      throw new Error("nothing is to be asked");
    };
    const facts = openedThen();
    expect(simulatePolicy({ policy: POLICY, facts, before: null, answer })).toMatchObject({ unknown: [], from: null });
  });

  it("asks as long as there is something new to be known, and then says what is not", () => {
    let rounds = 0;
    const result = simulatePolicy({
      policy: POLICY,
      facts: openedThen(toB),
      before: null,
      answer: (known) => {
        rounds += 1;
        return known;
      },
    });
    expect(rounds).toBe(1);
    expect(result.unknown.length).toBeGreaterThan(0);
    expect(result.evaluation.stage).toBe("a");
  });
});
