import { describe, expect, test } from "vitest";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { desiredDisplay, stageOfLabel } from "../../../src/lifecycle/presentation/display.ts";
import {
  alice,
  bob,
  cleo,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  opened,
  openedThen,
  outsider,
  pushed,
  review,
  rex,
} from "../builders.ts";
import { policyOf, readExample } from "../policies.ts";

function shown(facts: Facts, policy: Policy = DEFAULT_POLICY) {
  const result = desiredDisplay({ evaluation: evaluationOf(facts, policy), policy, facts });
  if (result === null) {
    throw new Error("nothing is to be shown");
  }
  return result;
}

function checks(facts: Facts, policy: Policy = DEFAULT_POLICY) {
  return shown(facts, policy).checks.map(({ name, status, conclusion, title }) => [name, conclusion ?? status, title]);
}

test("success for what is reached, in progress with what is missing for the next, queued for later gates", () => {
  expect(checks(openedThen())).toEqual([
    ["stagewright / pr-created", "success", "Reached: it is not a draft"],
    [
      "stagewright / ready-for-qa",
      "in_progress",
      "Label ready-for-qa is missing: someone with write permission can add it",
    ],
    ["stagewright / approved", "queued", "Waits for ready-for-qa"],
  ]);
});

test("in the last stage all are success, and its label is the only one wanted", () => {
  const facts = openedThen(labeled(1, "ready-for-qa", alice), review(2, bob, "approved"));
  expect(checks(facts).map(([, state]) => state)).toEqual(["success", "success", "success"]);
  expect(shown(facts)).toMatchObject({ label: "stage/approved", removeLabels: [] });
});

test("a move leaves what is shown of stages reached before, and of later gates, as it is", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { label: to-c } }
  - { name: d, gate: true, enter: { label: to-d } }
  - { name: e, gate: true, enter: { label: to-e } }
`);
  const steps = ["to-b", "to-c", "to-d", "to-e"].map((name, index) => labeled(index + 1, name, alice));
  const changed = steps.map((_, index) => {
    const before = shown(openedThen(...steps.slice(0, index)), policy).checks;
    const after = shown(openedThen(...steps.slice(0, index + 1)), policy).checks;
    return after
      .filter((check) => JSON.stringify(before.find(({ name }) => name === check.name)) !== JSON.stringify(check))
      .map(({ stage }) => stage);
  });
  expect(changed).toEqual([["b", "c"], ["c", "d"], ["d", "e"], ["e"]]);
});

test.each(["pr-created", "ready-for-qa"])(
  "the check of a stage that was left tells of that stage alone: %s",
  (name) => {
    const facts = openedThen(labeled(1, "ready-for-qa", alice), review(2, bob, "approved"));
    const check = shown(facts).checks.find(({ stage }) => stage === name);
    expect(check?.summary.split("\n").slice(2)).toEqual([expect.stringContaining(name)]);
  },
);

test("the next stage's check tells of all stages, and so does the last one's in the end", () => {
  const rows = (facts: Facts, name: string) =>
    shown(facts)
      .checks.find(({ stage }) => stage === name)
      ?.summary.split("\n").length;
  expect(rows(openedThen(), "ready-for-qa")).toBe(5);
  expect(rows(openedThen(labeled(1, "ready-for-qa", alice), review(2, bob, "approved")), "approved")).toBe(5);
});

test("`checks: gates` tells of what is missing on the gate, as there is nothing else", () => {
  const gates = shown(openedThen(), { ...DEFAULT_POLICY, checks: "gates" }).checks;
  expect(gates.map(({ title }) => title)).toEqual(["Waits for ready-for-qa"]);
  expect(gates[0]?.summary).toContain("label ready-for-qa is missing");
});

test("`checks: gates` shows gates only", () => {
  const policy = { ...DEFAULT_POLICY, checks: "gates" } as const;
  expect(checks(openedThen(), policy).map(([name]) => name)).toEqual(["stagewright / approved"]);
});

test("a draft has no label, and its gates wait", () => {
  const draft = history(opened({ draft: true, labels: ["stage/pr-created"] }));
  expect(shown(draft)).toMatchObject({ label: null, removeLabels: ["stage/pr-created"] });
  expect(checks(draft).map(([, state]) => state)).toEqual(["in_progress", "queued"]);
});

test("opted out, the gate ends as cancelled, which opens nothing", () => {
  const facts = openedThen(
    labeled(1, "ready-for-qa", alice),
    review(2, bob, "approved"),
    labeled(3, "stagewright/off", outsider),
  );
  expect(shown(facts).label).toBeNull();
  expect(checks(facts).every(([, state]) => state === "cancelled")).toBe(true);
});

test("closed, or not known yet, what is shown is left as it is", () => {
  const closed = history(opened({ state: "closed" }));
  expect(desiredDisplay({ evaluation: evaluationOf(closed), policy: DEFAULT_POLICY, facts: closed })).toBeNull();
  const unheard = history(did(labeled(1, "x", alice)));
  expect(desiredDisplay({ evaluation: evaluationOf(unheard), policy: DEFAULT_POLICY, facts: unheard })).toBeNull();
});

test("on hold, the next check says so", () => {
  const facts = openedThen(comment(1, alice, "hold", "wait for *Friday*"));
  const [, next] = shown(facts).checks;
  expect(next?.title).toMatch(
    /^On hold by alice since 2026-03-02 09:01 UTC: wait for \*Friday\*\. Label ready-for-qa is missing/,
  );
  expect(next?.summary).toContain("On hold by alice since 2026-03-02 09:01 UTC: wait for \\*Friday\\*");
});

test.each([
  [{ labels: ["task-7"] }, "Ticket 7, named by its label."],
  [{ labels: ["task-7", "task-8"] }, "No ticket: its labels name several (7, 8), and none is taken."],
  [
    { title: "Add a gadget", head: { sha: "aaaaaaa1", ref: "gadget", repositoryId: 100 } },
    "No ticket: expected one in a label or the branch or the title.",
  ],
])("the ticket is said, and so is that there is none or more than one: %j", (state, said) => {
  const [check] = shown(history(opened(state)), readExample("three-bots")).checks;
  expect(check?.summary).toContain(`\n\n${said}`);
});

test("a policy without tickets says nothing of them", () => {
  expect(shown(history(opened({ labels: ["task-7"] }))).checks[0]?.summary).not.toMatch(/ticket/iu);
});

describe("labels that go", () => {
  test("other stages' labels, whoever set them", () => {
    const facts = history(opened({ labels: ["stage/approved", "Stage/Old", "bug"] }));
    expect(shown(facts)).toMatchObject({ label: "stage/pr-created", removeLabels: ["Stage/Old", "stage/approved"] });
  });

  test("the trigger of a later stage after a reset, so that it can be given again", () => {
    const facts = openedThen(labeled(1, "ready-for-qa", alice), pushed(2, "aaaaaaa1", "bbbbbbb2", rex));
    expect(shown(facts).removeLabels).toEqual(["ready-for-qa"]);
  });

  test("not the trigger that was given since", () => {
    const facts = openedThen(labeled(3, "ready-for-qa", alice), pushed(2, "aaaaaaa1", "bbbbbbb2", rex));
    expect(shown(facts).removeLabels).toEqual([]);
  });

  test("not one that merely does not count: it is left to people", () => {
    expect(shown(openedThen(labeled(3, "ready-for-qa", outsider))).removeLabels).toEqual([]);
  });

  const byPattern = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: c, enter: { label: "ship/*", approvals: 1 } }
`);
  const push = pushed(9, "aaaaaaa1", "bbbbbbb2", rex);

  test("of those that a pattern stands for only the one that had counted", () => {
    const both = [labeled(2, "ship/now", alice), labeled(3, "ship/notes", outsider)];
    expect(shown(openedThen(labeled(1, "to-b", alice), ...both, push), byPattern).removeLabels).toEqual([
      "ship/now",
      "to-b",
    ]);
  });

  test("asks who gave it where that is not known, and takes it off then", () => {
    const facts = openedThen(labeled(1, "to-b", alice), push);
    const unknown = evaluationOf(facts, byPattern, { levels: {}, teams: {}, identities: {} });
    expect(unknown.lookups).toContainEqual({ kind: "permission", actor: alice });
    expect(shown(facts, byPattern).removeLabels).toEqual(["to-b"]);
  });

  test("not one that came too early and was evidence of nothing", () => {
    const facts = openedThen(labeled(1, "ship/now", alice), labeled(2, "to-b", alice), push);
    expect(shown(facts, byPattern).removeLabels).toEqual(["to-b"]);
  });

  test("not one that stands beside the condition that held", () => {
    const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: { name: to-b, by: bob } } }
`);
    expect(shown(openedThen(labeled(1, "to-b", alice), push), policy).removeLabels).toEqual([]);
    expect(shown(openedThen(labeled(1, "to-b", bob), push), policy).removeLabels).toEqual(["to-b"]);
  });

  test("not one that the policy forbids", () => {
    const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b, not: { label: blocked } } }
`);
    const facts = openedThen(
      labeled(1, "to-b", alice),
      labeled(1, "blocked", bob),
      pushed(2, "aaaaaaa1", "bbbbbbb2", rex),
    );
    expect(shown(facts, policy).removeLabels).toEqual(["to-b"]);
  });
});

describe("what GitHub is given", () => {
  const hostile = "](https://evil.example) @everyone <img src=x> `x` | **b**";

  test("is escaped", () => {
    const facts = history(
      opened({ author: rex }),
      did(labeled(1, "ready-for-qa", { ...outsider, login: hostile }), comment(2, { ...alice }, "hold", hostile)),
    );
    for (const { summary, text } of shown(facts).checks) {
      expect(summary + text).not.toMatch(/[^\\]\]\(https|@everyone\b|<img|[^\\]\*\*b/);
    }
  });

  test("is bounded", () => {
    const many = Array.from({ length: 200 }, (_, index) => `{ label: ${`${"é".repeat(40)}${index}`} }`);
    const any = (from: number) => `any: [${many.slice(from, from + 100).join(", ")}]`;
    const policy = policyOf(`stages:\n  - { name: a, enter: { all: [{ ${any(0)} }, { ${any(100)} }] } }\n`);
    const logins = Array.from({ length: 200 }, (_, index) =>
      labeled(1, `${"é".repeat(40)}${index}`, { ...cleo, login: "x".repeat(600) }),
    );
    for (const { title, summary, text } of shown(openedThen(...logins), policy).checks) {
      expect(title.length).toBeLessThanOrEqual(200);
      expect(Math.max(summary.length, text.length)).toBeLessThanOrEqual(65_535);
      expect(text).toContain("more lines");
    }
  });

  test("shows the tree of the stage's conditions", () => {
    const policy = policyOf("stages:\n  - { name: a, enter: { any: [{ label: x }, { not: { base: main } }] } }\n");
    expect(shown(openedThen(), policy).checks[0]?.text).toBe(
      [
        "- ✗ any of",
        "  - ✗ label x: label x is missing: someone with write permission can add it",
        "  - ✗ not",
        "    - ✓ base main: it goes into main",
      ].join("\n"),
    );
  });
});

test.each([
  ["stage/a", "a"],
  ["Stage/A", "A"],
  ["stage", null],
  ["staged/a", null],
])("the label %s stands for the stage %s", (label, stage) => {
  expect(stageOfLabel(label)).toBe(stage);
});
