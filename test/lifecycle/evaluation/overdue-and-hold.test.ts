/** What is done while a pull request stays where it is, and what leaving a stage turns off. */
import { expect, test } from "vitest";
import { overdueAndHoldActions } from "../../../src/lifecycle/evaluation/overdue-and-hold.ts";
import { transitionActions } from "../../../src/lifecycle/evaluation/transition-actions.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import { alice, bob, comment, did, evaluationOf, history, labeled, minute, opened, unlabeled } from "../builders.ts";
import { policyOf } from "../policies.ts";

const HOUR = 60 * 60_000;
const policy = policyOf(`stages:
  - { name: open, owner: alice, enter: { draft: false } }
  - { name: merging, owner: bob, enter: { label: go }, on_enter: [{ auto_merge: squash }, { comment: hi }], max_age: 2h }
  - { name: done, enter: { approvals: 1 } }
max_rounds: 1
`);
const entered = [labeled(10, "go", alice)];

function facts(...deeds: Parameters<typeof did>) {
  return history(opened(), did(...deeds));
}
function meanwhile(now: number, deeds: Parameters<typeof did>, before?: Parameters<typeof did>) {
  const all = facts(...deeds);
  const evaluation = evaluationOf(all, policy);
  const earlier = before === undefined ? null : evaluationOf(facts(...before), policy);
  return overdueAndHoldActions({ before: earlier, evaluation, policy, facts: all, now }).map(
    ({ stage, occasion, at, effects }) => [stage, occasion, at, effects.map((effect) => effect.kind)],
  );
}

test("nothing is due before max_age is over, then the reminder and a line, dated by the deadline", () => {
  expect(meanwhile(minute(10) + 2 * HOUR - 1, entered)).toEqual([]);
  const overdue = [["merging", "overdue", minute(10) + 2 * HOUR, ["note", "comment"]]];
  expect(meanwhile(minute(10) + 2 * HOUR, entered)).toEqual(overdue);
  // The same when it is asked again: its key is the same.
  expect(meanwhile(minute(10) + 9 * HOUR, entered)).toEqual(overdue);
});

test("the line says how long it may stay and what is missing, the comment mentions the owner", () => {
  const all = facts(...entered);
  const evaluation = evaluationOf(all, policy);
  const [planned] = overdueAndHoldActions({ before: null, evaluation, policy, facts: all, now: minute(10) + 2 * HOUR });
  expect(planned?.effects).toEqual([
    { kind: "note", text: expect.stringMatching(/^overdue in merging: .* 2 h at most \(an approval is missing/u) },
    { kind: "comment", marker: "merging/overdue", body: expect.stringMatching(/^@bob .*an approval is missing/u) },
  ]);
});

test("on hold nobody is reminded, and nothing merges itself; off hold it may again", () => {
  const held = [...entered, comment(20, alice, "hold")];
  expect(meanwhile(minute(10) + 9 * HOUR, held)).toEqual([["merging", "hold", minute(20), ["disable_auto_merge"]]]);
  const free = [...held, comment(30, alice, "unhold")];
  expect(meanwhile(minute(30), free, held)).toEqual([["merging", "unhold", minute(20), ["auto_merge"]]]);
  expect(meanwhile(minute(30), free, free)).toEqual([]);
});

test("who owns the stage that it was sent back to hears of a hold that nobody gave", () => {
  const tired = [...entered, comment(20, bob, "back"), unlabeled(21, "go", alice)];
  const all = facts(...tired);
  const evaluation = evaluationOf(all, policy);
  expect(evaluation.held).toMatchObject({ why: "max_rounds", at: minute(20) });
  expect(overdueAndHoldActions({ before: null, evaluation, policy, facts: all, now: minute(21) })).toEqual([
    expect.objectContaining({
      stage: "open",
      occasion: "hold",
      at: minute(20),
      effects: [
        { kind: "note", text: "on hold: it was sent back once" },
        { kind: "comment", marker: "on hold", body: expect.stringMatching(/^@alice .*`\/stage unhold`/u) },
      ],
    }),
  ]);
});

test.each<[string, string, Parameters<typeof did>]>([
  ["a label taken off", "open", [...entered, unlabeled(20, "go", alice)]],
  ["a draft, which is in no stage", "nowhere", [...entered, { kind: "drafted", at: minute(20), by: alice }]],
])("%s turns off what leaving the stage turned on, before anything else", (_, __, deeds) => {
  const all = facts(...deeds);
  const [first] = transitionActions({ from: "merging", evaluation: evaluationOf(all, policy), policy, facts: all });
  expect(first).toMatchObject({
    stage: "merging",
    occasion: "back",
    effects: [{ kind: "disable_auto_merge", stage: "merging" }],
  });
});

test("going on to a later stage leaves it on", () => {
  const all = facts(...entered);
  const evaluation = { ...evaluationOf(all, policy), stage: "done" };
  expect(transitionActions({ from: "merging", evaluation, policy, facts: all })).toEqual([]);
});

test("a label of a stage is no action's to set: that is said when the policy is read", () => {
  const text = (label: string) =>
    `stages:\n  - { name: a, enter: { draft: false }, on_enter: [{ label: ${label} }] }\n`;
  for (const label of ["stage/a", "{ add: [x], remove: [Stage/b] }"]) {
    const { policy: read, problems } = readPolicy(text(label));
    expect(read).toBeNull();
    expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining("Stagewright's own") })]);
  }
});
