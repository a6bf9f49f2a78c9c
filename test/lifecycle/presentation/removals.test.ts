import { describe, expect, it } from "vitest";
import type { Evaluation, ResultNode } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts, Lookup, Reset } from "../../../src/lifecycle/facts/facts.ts";
import type { Absence, OrderInSecond } from "../../../src/lifecycle/facts/order-in-second.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { desiredDisplay, statusText, treeText } from "../../../src/lifecycle/presentation/display.ts";
import { actsOf, alice, evaluationOf, labeled, lead, minute, openedThen, rex, unlabeled } from "../builders.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`
stages:
  - { name: a, owner: alice, enter: { draft: false } }
  - { name: b, enter: { label: go } }
  - { name: c, enter: { label: ship } }
  - { name: d, gate: true, enter: { label: done } }
`);
const inA = evaluationOf(openedThen(), POLICY);
const node = (overrides: Partial<ResultNode> = {}): ResultNode => ({
  ...{ condition: "draft", holds: true, reason: "so it is", at: null, by: null, evidence: [], children: [] },
  ...overrides,
});
const reset = (overrides: Partial<Reset> = {}): Reset => ({
  ...{ id: "r", stage: "a", head: "", at: minute(5), by: alice, why: "push", note: "" },
  ...overrides,
});
/** The stages of these names as reached, the others not. */
const reaching = (names: string, result: Partial<ResultNode> = {}): Evaluation["stages"] =>
  POLICY.stages.map(({ name, gate }) => {
    const reached = names.includes(name);
    return { name, gate, reached, result: node(reached ? result : { holds: false }) };
  });

describe("a label that had counted for a stage and is older than a reset to one before it", () => {
  const [given] = actsOf(labeled(5, "Go", alice));
  const id = given?.id ?? "";
  interface Case {
    /** When it was given; null: nobody knows. */
    readonly given?: number | null;
    readonly evaluation?: Partial<Evaluation>;
    readonly orders?: readonly OrderInSecond[];
    readonly absences?: readonly Absence[];
    readonly labels?: readonly string[];
  }
  const removed = ({ given: at = 5, evaluation = {}, labels = ["Go"], ...more }: Case): readonly string[] => {
    const deeds = at === null ? [unlabeled(5, "go", alice)] : [labeled(at, "Go", alice), unlabeled(9, "other", alice)];
    const facts: Facts = { ...openedThen(), acts: actsOf(...deeds), labels, ...more };
    const whole = { ...inA, usedLabels: [{ label: "Go", stage: "b" }], resets: [reset()], ...evaluation };
    return desiredDisplay({ evaluation: whole, policy: POLICY, facts })?.removeLabels ?? [];
  };
  const order = (keys: readonly string[], at = minute(5)): OrderInSecond => ({ at, keys, givers: {}, asked: [] });
  const absence = (overrides: Partial<Absence> = {}): Absence => ({
    ...{ label: "go", at: minute(5), after: ["r"] },
    ...overrides,
  });
  const place = (n: number): Partial<Evaluation> => ({ resets: [reset({ place: n })] });
  const lookup = (at: number): Partial<Evaluation> => ({ lookups: [{ kind: "timeline", at: minute(at) }] });

  it.each<[string, Case, boolean]>([
    ["given before", { given: 4 }, true],
    ["given in its second", {}, true],
    ["given after", { given: 6 }, false],
    ["given nobody knows when", { given: null }, false],
    ["whose place is before the reset's", { orders: [order(["x", id])], evaluation: place(4) }, true],
    ["whose place is the reset's", { orders: [order(["x", id])], evaluation: place(3) }, true],
    ["whose place is after the reset's", { orders: [order(["x", id])], evaluation: place(2) }, false],
    ["seen to be gone after it", { absences: [absence()] }, false],
    ["of which another was seen to be gone", { absences: [absence({ label: "ship" })] }, true],
    ["seen to be gone at another time", { absences: [absence({ at: minute(6) })] }, true],
    ["seen to be gone before the reset", { absences: [absence({ after: ["q"] })] }, true],
    ["seen to be gone, and placed before it", { absences: [absence()], orders: [order([id])] }, true],
    ["whose second is still asked for", { evaluation: lookup(5) }, false],
    ["where another second is asked for", { evaluation: lookup(6) }, true],
    ["where something else is asked for", { evaluation: { lookups: [{ kind: "files" } satisfies Lookup] } }, true],
    ["to the label's own stage", { evaluation: { resets: [reset({ stage: "b" })] } }, false],
    ["to no stage", { evaluation: { resets: [reset({ stage: null })] } }, true],
    [
      "with another that is newer",
      { given: 6, evaluation: { resets: [reset(), reset({ id: "s", at: minute(7) })] } },
      true,
    ],
    ["for a later stage", { evaluation: { usedLabels: [{ label: "go", stage: "c" }] } }, true],
    [
      "for a later stage, to one between",
      { evaluation: { usedLabels: [{ label: "go", stage: "c" }], resets: [reset({ stage: "b" })] } },
      true,
    ],
    ["for a stage that is reached", { evaluation: { stages: reaching("ab") } }, false],
    ["that was not used", { evaluation: { usedLabels: [] } }, false],
    ["that is evidence now", { evaluation: { stages: reaching("a", { evidence: [id] }) } }, false],
    [
      "that is evidence below",
      { evaluation: { stages: reaching("a", { children: [node(), node({ evidence: ["x", id] })] }) } },
      false,
    ],
    ["where another is evidence", { evaluation: { stages: reaching("a", { evidence: ["x"] }) } }, true],
    [
      "that is evidence of what is not reached",
      {
        evaluation: {
          stages: reaching("a").map((stage) => ({ ...stage, result: node({ evidence: stage.reached ? [] : [id] }) })),
        },
      },
      true,
    ],
    ["opted out", { evaluation: { inactive: "opted_out" } }, false],
  ])("%s", (_, what, goes) => {
    expect(removed(what)).toEqual(goes ? ["Go"] : []);
  });

  it("goes as well where nobody can say when it was given, and is no label of a stage", () => {
    const unclear = [{ label: "GO", at: 0, what: "" }];
    expect(removed({ given: 6, evaluation: { unclear } })).toEqual(["Go"]);
    expect(removed({ given: 5, evaluation: { unclear, stages: reaching("a", { evidence: [id] }) } })).toEqual([]);
    const old = { unclear: [{ label: "stage/old", at: 0, what: "" }] };
    expect(removed({ given: 6, labels: ["stage/old", "Stage/A", "stage/a"], evaluation: old })).toEqual(["stage/old"]);
    expect(
      removed({ labels: ["stage/a", "stage/old", "Go"], evaluation: { inactive: "opted_out", stage: null } }),
    ).toEqual(["stage/a", "stage/old"]);
  });
});

describe("check runs", () => {
  const shown = (evaluation: Partial<Evaluation>, policy: Policy = POLICY) =>
    desiredDisplay({ evaluation: { ...inA, ...evaluation }, policy, facts: openedThen() })?.checks ?? [];
  const gates: Policy = { ...POLICY, checks: "gates" };
  const titles = (evaluation: Partial<Evaluation>, policy?: Policy): string[][] =>
    shown(evaluation, policy).map(({ stage, title }) => [stage, title]);
  const twoGates = reaching("a").map((stage) => ({ ...stage, gate: stage.name === "c" || stage.name === "d" }));
  const held = { why: "command", at: minute(5), by: lead, reason: "wait" } as const;
  const SAID = "On hold by lead since 2026-03-02 09:05 UTC: wait";

  it("wait for the stage before, or for the next where gates alone are shown", () => {
    expect(titles({ stages: twoGates })).toEqual([
      ["a", "Reached: so it is"],
      ["b", "So it is"],
      ["c", "Waits for b"],
      ["d", "Waits for c"],
    ]);
    expect(titles({ stages: twoGates }, gates)).toEqual([
      ["c", "Waits for b"],
      ["d", "Waits for b"],
    ]);
  });

  it("tell of all stages where it is next, and in the end; of their own else", () => {
    const rows = (evaluation: Partial<Evaluation>, policy?: Policy): [string, number][] =>
      shown(evaluation, policy).map(({ stage, summary }) => [stage, summary.split("\n").length - 2]);
    expect(rows({ stages: twoGates })).toEqual([
      ["a", 1],
      ["b", 4],
      ["c", 1],
      ["d", 1],
    ]);
    expect(rows({ stages: reaching("abcd") })).toEqual([
      ["a", 1],
      ["b", 1],
      ["c", 1],
      ["d", 4],
    ]);
    expect(rows({ stages: twoGates }, gates)).toEqual([
      ["c", 4],
      ["d", 4],
    ]);
    const between = twoGates.map((stage) => ({ ...stage, reached: "abc".includes(stage.name) }));
    expect(rows({ stages: between }, gates)).toEqual([
      ["c", 1],
      ["d", 4],
    ]);
    expect(rows({ stages: reaching("abcd"), inactive: "opted_out" }).map(([, count]) => count)).toEqual([4, 4, 4, 4]);
  });

  it("mark what is reached, what is next and what comes later, with their owners", () => {
    const [, next] = shown({});
    expect(next?.summary).toBe(
      [
        "| | Stage | Owner | |",
        "|---|---|---|---|",
        "| ✓ | a | `alice` | it is not a draft |",
        "| → | **b** |  | label go is missing: someone with write permission can add it |",
        "| · | c |  | label ship is missing: someone with write permission can add it |",
        "| · | d |  | label done is missing: someone with write permission can add it |",
      ].join("\n"),
    );
    expect(next?.text).toBe("- ✗ label go: label go is missing: someone with write permission can add it");
  });

  it("say a hold once: on the next stage's, and on gates that it closes", () => {
    const next = shown({ held }).map(({ stage, title, summary }) => [
      stage,
      title.startsWith(SAID),
      summary.split(SAID).length - 1,
    ]);
    expect(next).toEqual([
      ["a", false, 0],
      ["b", true, 1],
      ["d", false, 0],
    ]);
    const end = shown({ held, stages: reaching("abcd") });
    expect(end.map(({ conclusion }) => conclusion)).toEqual(["success", "success", "success", null]);
    expect(end.at(-1)).toMatchObject({ title: `${SAID}. Reached: so it is` });
    expect(end.at(-1)?.summary).toMatch(/^[^|]*This gate is closed until `\/stage unhold`\.\n\n\| \| Stage/);
    expect(end.at(-1)?.summary.split(SAID)).toHaveLength(2);
  });

  it("of gates that do not apply let pass, but for a hold or when it is opted out", () => {
    const notApplying = [
      { name: "x", gate: true, reason: "no docs" },
      { name: "y", gate: false, reason: "no docs" },
    ];
    const last = (evaluation: Partial<Evaluation>) => shown({ ...evaluation, notApplying }).slice(3);
    expect(last({})).toEqual([
      {
        name: "stagewright / x",
        stage: "x",
        status: "completed",
        conclusion: "skipped",
        title: "Does not apply: no docs",
        summary: "Does not apply: no docs.",
        text: "",
      },
    ]);
    expect(last({ inactive: "opted_out", stage: null })).toMatchObject([
      { stage: "x", status: "completed", conclusion: "cancelled", summary: "" },
    ]);
    expect(last({ held })).toMatchObject([{ stage: "x", status: "in_progress", conclusion: null }]);
  });
});

describe("texts", () => {
  const facts = openedThen();

  it("of the status say what does not apply, and what is missing with its tree", () => {
    const evaluation: Evaluation = { ...inA, notApplying: [{ name: "x*", gate: true, reason: "no *docs*" }] };
    expect(statusText({ evaluation, policy: POLICY, facts }).split("\n\n")).toEqual([
      "It is in **a** since 2026-03-02 09:00 UTC.",
      expect.stringMatching(/^\| \| Stage \| Owner \| \|\n/),
      "- **x\\*** does not apply: no \\*docs\\*",
      "Missing for **b**: label go is missing: someone with write permission can add it",
      "- ✗ label go: label go is missing: someone with write permission can add it",
    ]);
    expect(statusText({ evaluation: { ...inA, since: null }, policy: POLICY, facts })).toMatch(
      /^It is in \*\*a\*\*\.\n/,
    );
    const elsewhere: Evaluation = { ...inA, missing: { stage: "gone", summary: "x" } };
    expect(statusText({ evaluation: elsewhere, policy: POLICY, facts })).not.toContain("Missing for");
  });

  it("of a tree name what an operator overrode", () => {
    const tree = node({
      condition: "override",
      reason: "lead moved it",
      children: [
        node({ condition: "all", children: [node({ condition: "not", holds: false, children: [node()] })] }),
        node({ condition: "any" }),
      ],
    });
    expect(treeText(tree).split("\n")).toEqual([
      "- ✓ lead moved it",
      "  - ✓ all of",
      "    - ✗ not",
      "      - ✓ draft: so it is",
      "  - ✓ any of: so it is",
    ]);
  });

  it("hold as many whole lines as GitHub takes, and say how many are left", () => {
    // Each line is 100 characters long with its end: 655 of them are 65,500.
    const lines = (count: number, first: number): string =>
      treeText(
        node({
          condition: "x".repeat(first),
          children: Array.from({ length: count }, () => node({ condition: "x", reason: "y".repeat(90) })),
        }),
      );
    const whole = lines(654, 60);
    expect([whole.split("\n").length, whole.length]).toEqual([655, 64 + 654 * 100]);
    expect(whole).not.toContain("more lines");
    const most = (length: number): string => `\n\n…and ${length} more lines`;
    for (const first of Array.from({ length: 100 }, (_, n) => n + 1)) {
      const text = lines(700, first);
      const [kept = "", more = ""] = text.split("\n\n");
      const left = 701 - kept.split("\n").length;
      expect(more).toBe(`…and ${left} more lines`);
      expect(text.length).toBeLessThanOrEqual(65_535);
      // One line more would have been too much, beside what is said of the rest.
      expect(kept.length + 100 + most(left).length).toBeGreaterThan(65_535);
    }
  });
});

it("a stage's label is that of the stage that it is in, in its own letters", () => {
  const shown = desiredDisplay({ evaluation: { ...inA, stage: null }, policy: POLICY, facts: openedThen() });
  expect(shown?.label).toBeNull();
  expect(
    desiredDisplay({ evaluation: inA, policy: POLICY, facts: openedThen(labeled(1, "stage/a", rex)) }),
  ).toMatchObject({
    label: "stage/a",
    removeLabels: [],
  });
});
