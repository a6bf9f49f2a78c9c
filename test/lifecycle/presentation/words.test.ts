import { describe, expect, it } from "vitest";
import type { Evaluation, Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { BUTTONS, buttonsOf, pressed } from "../../../src/lifecycle/presentation/buttons.ts";
import {
  desiredDisplay,
  stageLabel,
  stageOfLabel,
  statusText,
  treeText,
} from "../../../src/lifecycle/presentation/display.ts";
import { ceased, closedBy, letsPass, skippedGate } from "../../../src/lifecycle/presentation/gate-checks.ts";
import { earlierHold, sayDate, sayHold, unholdOf } from "../../../src/lifecycle/presentation/hold.ts";
import { sayInactive } from "../../../src/lifecycle/presentation/inactive.ts";
import { alice, comment, did, evaluationOf, history, labeled, lead, minute, opened, openedThen } from "../builders.ts";
import { policyOf } from "../policies.ts";

const hold = (overrides: Partial<Hold> = {}): Hold => ({
  why: "command",
  at: minute(5),
  by: alice,
  reason: "it burns",
  ...overrides,
});
const POLICY = policyOf(`operators: [lead]
stages:
  - { name: a, owner: alice, enter: { draft: false } }
  - { name: b, enter: { label: to-b } }
  - { name: away, gate: true, when: { base: v1 }, enter: { draft: false } }
  - { name: c, gate: true, enter: { all: [{ label: to-c }, { not: { label: stop } }] } }
`);
const at = (...deeds: Parameters<typeof openedThen>) => openedThen(...deeds);
const inA = evaluationOf(at(), POLICY);
const inB = evaluationOf(at(labeled(1, "to-b", alice)), POLICY);
const inC = evaluationOf(at(labeled(1, "to-b", alice), labeled(2, "to-c", alice)), POLICY);

describe("a hold", () => {
  it("is said with who, since when and why", () => {
    expect(sayHold(hold())).toBe("On hold by alice since 2026-03-02 09:05 UTC: it burns");
    expect(sayHold(hold({ by: null, reason: "" }))).toBe(
      "On hold by the policy since 2026-03-02 09:05 UTC: no reason given",
    );
    expect(sayHold(hold({ reason: "a\nb" }), "#7 is")).toBe("#7 is on hold by alice since 2026-03-02 09:05 UTC: a b");
    expect(sayHold(hold({ why: "repository" }), "#7 is")).toMatch(/^The whole repository is on hold by alice/);
    expect([unholdOf(hold()), unholdOf(hold({ why: "repository" }))]).toEqual([
      "/stage unhold",
      "/stage unhold --repository",
    ]);
    expect(sayDate(minute(0))).toBe("2026-03-02 09:00 UTC");
  });

  it("of two the earlier one counts", () => {
    const [early, late] = [hold({ at: 1 }), hold({ at: 2 })];
    expect([
      earlierHold(null, null),
      earlierHold(early, null),
      earlierHold(null, late),
      earlierHold(early, late),
      earlierHold(late, early),
    ]).toEqual([null, early, late, early, early]);
    const same = hold({ at: 1, reason: "other" });
    expect(earlierHold(early, same)).toBe(early);
  });

  it("closes what would let pass, and nothing else", () => {
    const check = { status: "completed", conclusion: "success", title: "Reached", summary: "s" } as const;
    expect(closedBy(check, hold())).toEqual({
      status: "in_progress",
      conclusion: null,
      title: "On hold by alice since 2026-03-02 09:05 UTC: it burns. Reached",
      summary: "On hold by alice since 2026-03-02 09:05 UTC: it burns. This gate is closed until `/stage unhold`.\n\ns",
    });
    const red = { ...check, conclusion: "cancelled" } as const;
    expect(closedBy(red, hold())).toBe(red);
    expect(["success", "skipped", "cancelled", "failure", null].map((conclusion) => letsPass({ conclusion }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("a stage that concerns a pull request no more", () => {
  const gates = policyOf(
    "checks: gates\nstages: [{ name: a, enter: { draft: false } }, { name: c, gate: true, enter: { label: x } }]\n",
  );
  const name = (stage: string): string => `stagewright / ${stage}`;

  it("is skipped where it does not apply", () => {
    expect(ceased(name("away"), [inA], POLICY)).toEqual(skippedGate(inA.notApplying[0]?.reason ?? ""));
    expect(skippedGate("a *")).toEqual({
      status: "completed",
      conclusion: "skipped",
      title: "Does not apply: a *",
      summary: "Does not apply: a \\*.",
    });
  });

  it("still can be reached where the policy has it", () => {
    expect(ceased(name("b"), [inA], POLICY)).toBeNull();
    expect(ceased(name("c"), [inA], gates)).toBeNull();
  });

  it("passes with the policy's own gates where it has it no more, or shows gates alone", () => {
    expect(ceased(name("old"), [inA], POLICY)).toMatchObject({
      conclusion: "cancelled",
      title: "Passes with the policy's own gates: the policy has no such stage any more",
    });
    expect(ceased(name("old"), [inC], POLICY)).toMatchObject({ conclusion: "skipped" });
    expect(ceased(name("old"), [inC, inA], POLICY)).toMatchObject({ conclusion: "cancelled" });
    expect(ceased(name("a"), [inA], gates)).toMatchObject({
      conclusion: "cancelled",
      title: expect.stringContaining("it is no gate any more"),
    });
    const optedOut: Evaluation = { ...inC, inactive: "opted_out" };
    expect(ceased(name("old"), [optedOut], POLICY)).toMatchObject({ conclusion: "cancelled" });
  });
});

describe("buttons", () => {
  const names = (evaluation: Evaluation, stage: string) =>
    buttonsOf(evaluation, stage).map(({ identifier }) => identifier);

  it("stand on the next stage's check, or on the last one's", () => {
    expect([names(inA, "a"), names(inA, "b"), names(inA, "c")]).toEqual([[], ["hold"], []]);
    expect([names(inB, "b"), names(inB, "c")]).toEqual([[], ["back", "hold"]]);
    expect([names(inC, "b"), names(inC, "c")]).toEqual([[], ["back", "hold"]]);
  });

  it("end a hold, but not the repository's, and are none of a pull request that is closed or out", () => {
    const held = (overrides: Partial<Evaluation>) => names({ ...inB, ...overrides }, "c");
    expect(held({ held: hold() })).toEqual(["back", "unhold"]);
    expect(held({ held: hold({ why: "repository" }) })).toEqual(["back"]);
    expect(held({ inactive: "closed" })).toEqual(["back"]);
    expect(held({ inactive: "opted_out" })).toEqual(["back"]);
    expect(names({ ...inA, stages: [], missing: null }, "a")).toEqual([]);
  });

  it("fit into GitHub's room", () => {
    expect(Object.values(BUTTONS).map(({ label }) => label)).toEqual(["Retry", "Send back", "Hold", "Unhold"]);
    for (const { label, description, identifier } of Object.values(BUTTONS)) {
      expect([label.length <= 20, description.length <= 40, identifier.length <= 20]).toEqual([true, true, true]);
    }
  });

  it("mean a command, as long as what they stood on is so", () => {
    const press = (identifier: string, check: string, evaluation = inB) =>
      pressed(identifier, `stagewright / ${check}`, evaluation);
    expect(press("hold", "a")).toEqual({ command: { kind: "stage", name: "hold", argument: "" } });
    expect(press("unhold", "a")).toEqual({ command: { kind: "stage", name: "unhold", argument: "" } });
    expect(press("retry", "a")).toEqual({ command: { kind: "stage", name: "retry", argument: "" } });
    expect(press("back", "c")).toEqual({ command: { kind: "stage", name: "back", argument: "b" } });
    expect(press("back", "b")).toEqual({ refused: "it has moved since: it is in b now" });
    expect(press("sing", "c")).toEqual({ refused: 'there is no button "sing"' });
    expect(press("back", "x", { ...inB, stage: null })).toEqual({
      refused: "it has moved since: it is in no stage now",
    });
  });
});

describe("words", () => {
  it.each<[Evaluation["inactive"], string]>([
    ["closed", "the pull request is closed"],
    ["draft", "it is a draft"],
    ["opted_out", "a label opts it out"],
    ["unknown", "nothing is known of it yet"],
    ["conditions", "label to-b is missing: someone with write permission can add it"],
    [null, "label to-b is missing: someone with write permission can add it"],
  ])("in no stage: %s", (inactive, text) => {
    expect(sayInactive({ ...inA, inactive })).toBe(text);
    expect(sayInactive({ ...inA, inactive: "conditions", missing: null })).toBe("no stage's conditions hold");
  });

  it("labels of stages", () => {
    expect([
      stageLabel("a"),
      stageOfLabel("stage/a"),
      stageOfLabel("Stage/A"),
      stageOfLabel("stages/a"),
      stageOfLabel("stage/"),
    ]).toEqual(["stage/a", "a", "A", null, ""]);
  });

  it("a tree is a nested list, with a mark at each of its conditions", () => {
    const [, , third] = inA.stages;
    const lines = treeText(
      third?.result ??
        inA.stages[0]?.result ?? {
          condition: "",
          holds: false,
          reason: "",
          at: null,
          by: null,
          evidence: [],
          children: [],
        },
    ).split("\n");
    expect(lines.map((line) => line.replace(/:.*/, ""))).toEqual([
      expect.stringMatching(/^- . all of$/u),
      expect.stringMatching(/^ {2}- . label to-c$/u),
      expect.stringMatching(/^ {2}- . not$/u),
      expect.stringMatching(/^ {4}- . label stop$/u),
    ]);
  });

  it("the status tells where it is, what is missing, and what does not apply", () => {
    const facts = at(labeled(1, "to-b", alice));
    const text = statusText({ evaluation: inB, policy: POLICY, facts });
    expect(text).toMatch(
      /^It is in \*\*b\*\* since 2026-03-02 09:01 UTC\.\n\n\| \| Stage \| Owner \| \|\n\|---\|---\|---\|---\|\n\| ✓ \| a \| `alice` \| it is not a draft \|\n\| ✓ \| \*\*b\*\* \|/,
    );
    expect(text).toContain("\n| → | c |");
    expect(text).toContain("\n- **away** does not apply: ");
    expect(text).toContain("\nMissing for **c**: ");
    const held = statusText({ evaluation: { ...inB, held: hold() }, policy: POLICY, facts });
    expect(held).toContain(
      "On hold by alice since 2026-03-02 09:05 UTC: it burns. It goes no further until `/stage unhold`.",
    );
    const last = statusText({ evaluation: inC, policy: POLICY, facts });
    expect(last).not.toContain("Missing for");
    expect(statusText({ evaluation: { ...inA, stage: null, inactive: "draft" }, policy: POLICY, facts })).toMatch(
      /^It is in no stage: it is a draft\.\n/,
    );
  });

  it("what is too long is left out in whole lines, and counted", () => {
    const long = "x".repeat(499);
    const stages = inB.stages.flatMap((stage) =>
      Array.from({ length: 60 }, () => ({ ...stage, name: "z".repeat(60), result: { ...stage.result, reason: long } })),
    );
    const text = statusText({ evaluation: { ...inB, stages, notApplying: [] }, policy: POLICY, facts: at() });
    expect(text.length).toBeLessThanOrEqual(65_535);
    expect(text).toMatch(/\n\n…and \d+ more lines$/);
    const shown = text.split("\n").filter((line) => line.startsWith("| ")).length;
    expect(shown).toBeGreaterThan(100);
  });
});

describe("what is shown", () => {
  const shown = (facts: Parameters<typeof evaluationOf>[0], policy = POLICY) =>
    desiredDisplay({ evaluation: evaluationOf(facts, policy), policy, facts });

  it("is left as it is of a pull request that is closed or not known", () => {
    expect(shown(history(opened(), did({ kind: "closed", at: minute(1), by: alice, merged: false })))).toBeNull();
    expect(desiredDisplay({ evaluation: { ...inA, inactive: "unknown" }, policy: POLICY, facts: at() })).toBeNull();
  });

  it("is each gate, what is reached and what is next, unless only gates are", () => {
    const states = (policy: typeof POLICY) =>
      shown(at(), policy)?.checks.map(({ stage, status, conclusion, title }) => [stage, conclusion ?? status, title]);
    expect(states(POLICY)).toEqual([
      ["a", "success", "Reached: it is not a draft"],
      ["b", "in_progress", "Label to-b is missing: someone with write permission can add it"],
      ["c", "queued", "Waits for b"],
      ["away", "skipped", expect.stringContaining("Does not apply: ")],
    ]);
    expect(states({ ...POLICY, checks: "gates" })).toEqual([
      ["c", "queued", "Waits for b"],
      ["away", "skipped", expect.stringContaining("Does not apply: ")],
    ]);
  });

  it("on hold the gates that were open are closed, and the next stage says so", () => {
    const facts = at(labeled(1, "to-b", alice), labeled(2, "to-c", alice), comment(3, lead, "hold", "wait"));
    expect(shown(facts)?.checks.map(({ stage, conclusion, status }) => [stage, conclusion ?? status])).toEqual([
      ["a", "success"],
      ["b", "success"],
      ["c", "in_progress"],
      ["away", "in_progress"],
    ]);
    const before = shown(at(labeled(1, "to-b", alice), comment(2, lead, "hold", "wait"), labeled(3, "to-c", alice)));
    expect(before?.checks.find(({ stage }) => stage === "c")).toMatchObject({
      status: "in_progress",
      title: expect.stringMatching(/^On hold by lead since .*: wait\. /),
    });
  });

  it("opted out no gate is open and no label of a stage is on it", () => {
    const facts = history(opened({ labels: ["stagewright/off", "stage/b"] }));
    const display = shown(facts);
    expect(display).toMatchObject({ label: null, removeLabels: ["stage/b"] });
    expect(display?.checks.map(({ conclusion, title }) => [conclusion, title])).toEqual(
      display?.checks.map(() => ["cancelled", "Opted out by the label stagewright/off"]),
    );
    expect(display?.checks.map(({ stage }) => stage)).toContain("away");
  });
});
