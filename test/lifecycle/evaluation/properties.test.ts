/** What holds for every history under every policy of a family. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateWith } from "../../../src/lifecycle/evaluation/evaluate.ts";
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { ActWithoutId, Change } from "../../../src/lifecycle/facts/change.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { desiredDisplay } from "../../../src/lifecycle/presentation/display.ts";
import {
  alice,
  bob,
  check,
  checked,
  cleo,
  comment,
  did,
  dismissed,
  evaluationOf,
  history,
  labeled,
  lead,
  minute,
  OUR_APP_ID,
  opened,
  outsider,
  permissions,
  pushed,
  ran,
  review,
  rex,
  tess,
  unlabeled,
} from "../builders.ts";
import { policyOf, readExample } from "../policies.ts";

const SHAS = ["aaaaaaa1", "bbbbbbb2", "ccccccc3"] as const;
const LABELS = ["ready-for-qa", "to-b", "to-c", "stage/c", "stage/approved", "broken"] as const;

const POLICIES: readonly Policy[] = [
  readExample("three-bots"),
  policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b }, back: { when: { label: broken }, to: a } }
  - { name: c, enter: { any: [{ label: to-c }, { checks: [build] }] }, back: { when: changes_requested, to: a } }
  - { name: d, enter: { approvals: 1, not: changes_requested } }
on_push: { back_to: b, except: { by: "cleo[bot]" } }
max_rounds: 2
`),
  policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { not: { label: broken } } }
  - { name: c, when: { label: to-c }, enter: { workflow: qa.yml } }
  - { name: e, enter: { approvals: 2 } }
on_push: { back_to: false }
`),
  policyOf(`
operators: [lead]
stages:
  - { name: a, owner: alice, enter: { any: [{ label: "to-*" }, { command: ship-it }] } }
  - name: b
    owner: bob
    enter: { label: to-b, workflow: { workflow: qa.yml, result: failure } }
    back: { when: { any: [{ command: stop }, { all: [{ workflow: qa.yml }, { not: { label: broken } }] }] }, to: a }
  - { name: c, enter: { approvals: 1 }, back: { when: { any: [changes_requested, { label: "*-c" }] }, to: b } }
on_push: { back_to: a, except: { by: ["cleo[bot]", alice] } }
`),
];

const anyone = fc.constantFrom(alice, bob, lead, outsider, rex, cleo, tess);
const time = fc.nat(30);
const anyDeed: fc.Arbitrary<ActWithoutId> = fc.oneof(
  fc
    .record({ n: time, by: anyone, label: fc.constantFrom(...LABELS) })
    .map(({ n, by, label }) => labeled(n, label, by)),
  fc
    .record({ n: time, by: anyone, label: fc.constantFrom(...LABELS) })
    .map(({ n, by, label }) => unlabeled(n, label, by)),
  fc
    .record({ n: time, by: anyone, ok: fc.boolean(), sha: fc.constantFrom(...SHAS) })
    .map(({ n, by, ok, sha }) => review(n, by, ok ? "approved" : "changes_requested", sha)),
  fc.record({ n: time, m: time, by: anyone }).map(({ n, m, by }) => dismissed(n, by, m * 1000 + by.id)),
  fc
    .record({ n: time, from: fc.nat(2), to: fc.nat(2), by: anyone })
    .map(({ n, from, to, by }) => pushed(n, SHAS[from] ?? "", SHAS[to] ?? "", by)),
  fc
    .record({ n: time, ok: fc.boolean(), sha: fc.constantFrom(...SHAS) })
    .map(({ n, ok, sha }) => ran(n, "qa.yml", ok ? "success" : "failure", sha)),
  fc
    .record({
      n: time,
      by: anyone,
      name: fc.constantFrom("to", "back", "hold", "unhold", "ship-it", "stop"),
      to: fc.constantFrom("a", "b", "c", "approved", ""),
    })
    .map(({ n, by, name, to }) => comment(n, by, name, to)),
  fc
    .record({ n: time, by: anyone, kind: fc.constantFrom("drafted", "readied", "reopened") })
    .map(({ n, by, kind }): ActWithoutId => ({ kind, at: minute(n), by })),
);

const anyCheck: fc.Arbitrary<Change> = fc
  .record({ n: time, sha: fc.constantFrom(...SHAS), conclusion: fc.constantFrom("success", "failure", null) })
  .map(({ n, sha, conclusion }) =>
    checked(check(n, { sha, conclusion, status: conclusion === null ? "in_progress" : "completed" })),
  );

const anyHistory = fc.record({
  policy: fc.constantFrom(...POLICIES),
  changes: fc.array(
    fc.oneof({ weight: 5, arbitrary: anyDeed.map((deed) => did(deed)) }, { weight: 1, arbitrary: anyCheck }),
    {
      maxLength: 25,
    },
  ),
});

function everyHistory(check: (evaluation: Evaluation, facts: Facts, policy: Policy) => void): void {
  fc.assert(
    fc.property(anyHistory, ({ policy, changes }) => {
      const facts = history(opened(), ...changes);
      check(evaluationOf(facts, policy), facts, policy);
    }),
    { numRuns: 1_000 },
  );
}

test("no stage is ever skipped: those reached are the first ones, each with an entry", () => {
  everyHistory((evaluation) => {
    const reached = evaluation.stages.filter((stage) => stage.reached).map((stage) => stage.name);
    expect(reached).toEqual(evaluation.stages.slice(0, reached.length).map((stage) => stage.name));
    expect(evaluation.entries.map((entry) => entry.stage)).toEqual(reached);
    expect(evaluation.stage).toBe(reached.at(-1) ?? null);
  });
});

test("what is remembered from one act to the next changes nothing", () => {
  everyHistory((evaluation, facts, policy) => {
    expect(evaluateWith({ facts, policy, permissions, ourAppId: OUR_APP_ID }, null)).toEqual(evaluation);
  });
});

test("entries are dated in order, none before the opening", () => {
  everyHistory((evaluation, facts) => {
    const dates = [facts.openedAt, ...evaluation.entries.map((entry) => entry.at)];
    expect(dates).toEqual([...dates].sort((a, b) => a - b));
  });
});

test("a stage that is reached holds by its own tree or by an operator's act that is among the facts", () => {
  everyHistory((evaluation, facts) => {
    for (const [index, entry] of evaluation.entries.entries()) {
      expect(evaluation.stages[index]?.result.holds).toBe(true);
      for (const id of entry.evidence) {
        expect(facts.acts.some((each) => each.id === id && each.at <= entry.at)).toBe(true);
      }
    }
  });
});

test("no evidence of a stage is older than the entry before it, or than a reset to an earlier stage", () => {
  everyHistory((evaluation, facts, policy) => {
    const place = (name: string | null) => policy.stages.findIndex((stage) => stage.name === name);
    for (const [index, entry] of evaluation.entries.entries()) {
      for (const evidence of facts.acts.filter((each) => entry.evidence.includes(each.id))) {
        const before = evaluation.entries[index - 1];
        expect(before === undefined || evidence.at >= before.at).toBe(true);
        const earlier = evaluation.resets.filter((reset) => place(reset.stage) < place(entry.stage));
        expect(earlier.every((reset) => evidence.at > reset.at)).toBe(true);
      }
    }
  });
});

test("an outsider's acts make no difference but for what they withdraw", () => {
  const withdraws = new Set(["unlabeled", "review_dismissed", "drafted", "reopened", "pushed"]);
  everyHistory((evaluation, facts, policy) => {
    const without = {
      ...facts,
      acts: facts.acts.filter(
        (each) => each.by.id !== outsider.id || withdraws.has(each.kind) || each.kind === "labeled",
      ),
    };
    const label = evaluation.stage;
    // Who labels first decides who is asked; an outsider's label on top of another's adds nothing either.
    expect(evaluationOf(without, policy).stage).toBe(label);
  });
});

test("one stage label at most is wanted, and all others that are on it go", () => {
  everyHistory((evaluation, facts, policy) => {
    const shown = desiredDisplay({ evaluation, policy, facts });
    const left = facts.labels.filter((label) => !shown?.removeLabels.includes(label) && label.startsWith("stage/"));
    expect(left.filter((label) => label !== shown?.label)).toEqual([]);
    expect(shown?.removeLabels ?? []).not.toContain(shown?.label);
  });
});

test("a label that carries it where it is is never taken off", () => {
  everyHistory((evaluation, facts, policy) => {
    const shown = desiredDisplay({ evaluation, policy, facts });
    for (const entry of evaluation.entries) {
      for (const act of facts.acts.filter((each) => each.kind === "labeled" && entry.evidence.includes(each.id))) {
        // An operator's stage label is an act, and what shows the stage is another matter.
        if ("label" in act && !act.label.startsWith("stage/")) {
          expect(shown?.removeLabels ?? []).not.toContain(act.label);
        }
      }
    }
  });
});

test("what is taken off and what is put on changes no stage", () => {
  everyHistory((evaluation, facts, policy) => {
    const shown = desiredDisplay({ evaluation, policy, facts });
    const off = (shown?.removeLabels ?? []).map((label) =>
      unlabeled(100, label, { kind: "bot", id: 5, login: "us[bot]" }),
    );
    const on = shown?.label == null ? [] : [labeled(100, shown.label, { kind: "bot", id: 5, login: "us[bot]" })];
    const after = evaluationOf(record(facts, did(...off, ...on)), policy);
    expect(after.stage).toBe(evaluation.stage);
    expect(after.rounds).toBe(evaluation.rounds);
  });
});

test("the order in which it all came, and doubles, change nothing", () => {
  fc.assert(
    fc.property(
      anyHistory.chain(({ policy, changes }) =>
        fc.record({
          policy: fc.constant(policy),
          changes: fc.constant(changes),
          shuffled: fc.shuffledSubarray([...changes, ...changes], { minLength: changes.length * 2 }),
        }),
      ),
      ({ policy, changes, shuffled }) => {
        const expected = evaluationOf(history(opened(), ...changes), policy);
        expect(evaluationOf(history(...shuffled, opened()), policy)).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});
