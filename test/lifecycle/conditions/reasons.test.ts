import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../../../src/lifecycle/conditions/index.ts";
import type { Actor, Facts } from "../../../src/lifecycle/facts/facts.ts";
import type { Condition } from "../../../src/lifecycle/policy/policy.ts";
import {
  alice,
  bob,
  comment,
  evaluationOf,
  history,
  labeled,
  minute,
  opened,
  openedThen,
  outsider,
  pushed,
  ran,
  review,
  tess,
  unlabeled,
  withOrigins,
} from "../builders.ts";
import { policyOf, verdict } from "../policies.ts";

const stranger: Actor = { kind: "user", id: 999, login: "stranger" };

describe("commands and labels", () => {
  it.each<[string, Facts, boolean, string]>([
    ["{ command: ship }", openedThen(), false, "/ship is missing: someone with write permission can comment it"],
    ["{ command: ship }", openedThen(comment(1, alice, "ship")), true, "/ship by alice"],
    [
      "{ command: ship }",
      openedThen(comment(1, outsider, "ship")),
      false,
      "/ship came from outsider, who has no write permission",
    ],
    [
      "{ command: { name: ship, by: bob } }",
      openedThen(comment(1, alice, "ship"), comment(2, bob, "ship")),
      true,
      "/ship by bob",
    ],
    ["{ label: go }", openedThen(), false, "label go is missing: someone with write permission can add it"],
    ["{ label: go }", openedThen(labeled(1, "Go", alice)), true, "label go by alice"],
    [
      "{ label: go }",
      openedThen(labeled(1, "go", outsider)),
      false,
      "label go was added by outsider, who has no write permission: someone with write permission can remove it and add it again",
    ],
    [
      "{ label: go }",
      openedThen(labeled(1, "go", alice), unlabeled(2, "go", bob)),
      false,
      "label go is missing: someone with write permission can add it",
    ],
    [
      "{ label: go }",
      history(opened({ labels: ["go"] })),
      false,
      "label go is on it, and it is not known who gave it: someone with write permission can remove it and add it again",
    ],
    ["{ label: 'go/*' }", openedThen(), false, "no label go/* is on it: someone with write permission can add one"],
    ["{ label: 'go/*' }", openedThen(labeled(2, "go/b", alice), labeled(1, "go/c", bob)), true, "label go/c by bob"],
    [
      "{ label: 'go/*' }",
      openedThen(labeled(1, "go/a", outsider), labeled(2, "go/b", alice)),
      true,
      "label go/b by alice",
    ],
    [
      "{ label: 'go/*' }",
      openedThen(labeled(1, "go/a", outsider)),
      false,
      "label go/a was added by outsider, who has no write permission: someone with write permission can remove it and add it again",
    ],
    [
      "{ label: 'go/*' }",
      history(opened({ labels: ["Go/x"] })),
      false,
      "label go/x is on it, and it is not known who gave it: someone with write permission can remove it and add it again",
    ],
    [
      "{ label: '*' }",
      history(opened({ labels: ["stage/only"] })),
      false,
      "no label * is on it: someone with write permission can add one",
    ],
  ])("%s: %#", (condition, facts, holds, reason) => {
    expect(verdict(condition, facts)).toMatchObject({ holds, reason });
  });

  it("on it though taken off in the second in which it was given was given last, by whoever gave it", () => {
    const on = (...deeds: Parameters<typeof openedThen>): Facts => ({ ...openedThen(...deeds), labels: ["Go"] });
    const off = unlabeled(5, "go", alice);
    expect(verdict("{ label: go }", on(labeled(5, "go", bob), off))).toMatchObject({
      holds: true,
      reason: "label go by bob",
    });
    expect(verdict("{ label: go }", on(labeled(5, "go", outsider), off))).toMatchObject({
      holds: false,
      reason: expect.stringMatching(/^label go was added by outsider/),
    });
    expect(verdict("{ label: go }", on(labeled(4, "go", bob), off)).reason).toMatch(/it is not known who gave it/);
    expect(verdict("{ label: go }", on(labeled(4, "go", outsider), labeled(5, "go", bob), off)).reason).toBe(
      "label go by bob",
    );
  });

  it("that do not count are no reason for their opposite, but for those that anybody may write", () => {
    expect(verdict("{ not: { label: go } }", openedThen(labeled(1, "go", outsider))).holds).toBe(false);
    expect(verdict("{ not: { label: 'go/*' } }", openedThen(labeled(1, "go/a", outsider))).holds).toBe(false);
    expect(verdict("{ not: { command: ship } }", openedThen(comment(1, outsider, "ship"))).holds).toBe(true);
    expect(
      verdict("{ not: { command: ship } }", openedThen(comment(1, stranger, "ship"), comment(2, outsider, "ship")))
        .holds,
    ).toBe(false);
  });
});

describe("runs", () => {
  const wf = (facts: Facts, result = "success") => verdict(`{ workflow: qa.yml, result: ${result} }`, facts);

  it.each<[Facts, string, boolean, string]>([
    [openedThen(), "success", false, "qa.yml has not finished"],
    [openedThen(ran(1, "qa.yml", "success")), "success", true, "qa.yml succeeded"],
    [openedThen(ran(1, "qa.yml", "failure")), "success", false, "qa.yml failed"],
    [openedThen(ran(1, "qa.yml", "failure")), "failure", true, "qa.yml failed"],
    [openedThen(ran(1, "qa.yml", "cancelled")), "success", false, "qa.yml has not finished"],
    [openedThen(ran(1, "qa.yml", "cancelled")), "cancelled", true, "qa.yml was cancelled"],
    [openedThen(ran(1, "qa.yml", "success"), ran(2, "qa.yml", "cancelled")), "success", true, "qa.yml succeeded"],
    [openedThen(ran(1, "qa.yml", "success"), ran(2, "qa.yml", "failure")), "success", false, "qa.yml failed"],
    [openedThen(ran(1, "qa.yml", "failure"), ran(2, "qa.yml", "success")), "success", true, "qa.yml succeeded"],
    [
      openedThen(ran(1, "qa.yml", "success", "0123456789")),
      "success",
      false,
      "qa.yml succeeded on 0123456, and has not finished on the head commit",
    ],
  ])("%#", (facts, result, holds, reason) => {
    expect(wf(facts, result)).toMatchObject({ holds, reason });
  });

  it("count since the first of the row that says so now", () => {
    const facts = openedThen(
      ran(1, "qa.yml", "success"),
      ran(2, "qa.yml", "failure"),
      ran(3, "qa.yml", "success"),
      ran(4, "qa.yml", "success"),
    );
    expect(wf(facts)).toMatchObject({ holds: true, at: minute(3) });
  });

  it.each([
    ["started", true, ""],
    ["default_branch", true, ""],
    ["unchanged", true, ""],
    ["changed", false, "but it does not count"],
    ["untold", false, "but it does not count, since who wrote what it ran is not known"],
    ["not_started", false, "but who wrote what it ran is not known yet"],
  ] as const)("whose origin is %s count: %s", (origin, holds, why) => {
    const facts = withOrigins({ ...openedThen(ran(1, "qa.yml", "success")), runOrigins: [] }, origin);
    const found = wf(facts);
    expect(found.holds).toBe(holds);
    expect(found.reason).toContain(why);
    expect(found.lookups).toHaveLength(origin === "not_started" ? 1 : 0);
  });

  it("of a workflow that the policy starts count only where it did", () => {
    const policy = policyOf(
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ start: qa.yml }] }, { name: b, enter: { workflow: qa.yml } }]",
    );
    const stage = (origin: "started" | "default_branch" | "not_started") =>
      evaluationOf(withOrigins({ ...openedThen(ran(1, "qa.yml", "success")), runOrigins: [] }, origin), policy);
    expect(stage("started").stage).toBe("b");
    expect(stage("default_branch")).toMatchObject({
      stage: "a",
      missing: { summary: expect.stringContaining("only runs that it started count") },
    });
    expect(stage("not_started")).toMatchObject({ stage: "a", lookups: [] });
  });
});

describe("every condition", () => {
  it.each<[Condition, string]>([
    [{ kind: "draft", draft: true }, "a draft"],
    [{ kind: "draft", draft: false }, "not a draft"],
    [{ kind: "label", name: "x", by: null }, "label x"],
    [{ kind: "approvals", count: 1, by: null }, "an approval"],
    [{ kind: "approvals", count: 2, by: null }, "2 approvals"],
    [{ kind: "changes_requested", by: null }, "changes requested"],
    [{ kind: "checks", names: ["a", "b"], app: null }, "checks a, b"],
    [{ kind: "checks", names: ["a"], app: null, result: "any" }, "checks a any"],
    [{ kind: "checks_pass", ignore: [] }, "all checks"],
    [{ kind: "workflow", workflow: "qa.yml", result: "success" }, "workflow qa.yml"],
    [{ kind: "workflow", workflow: "qa.yml", result: "failure" }, "workflow qa.yml failure"],
    [{ kind: "plan_passed", plan: "p" }, "plan p"],
    [{ kind: "checklist", section: null }, "checklist"],
    [{ kind: "checklist", section: "X" }, 'checklist "X"'],
    [{ kind: "base", patterns: ["a", "b"] }, "base a or b"],
    [{ kind: "paths", patterns: ["a"] }, "changes in a"],
    [{ kind: "only_paths", patterns: ["a"] }, "changes only in a"],
    [{ kind: "author", by: ["alice"] }, "author alice"],
    [{ kind: "command", name: "x", by: null }, "command /x"],
  ])("%o is called %s", (condition, title) => {
    const policy = { ...policyOf("stages: [{ name: a, enter: { draft: false } }]") };
    const [stage] = policy.stages;
    const { stages } = evaluationOf(openedThen(), {
      ...policy,
      stages: stage === undefined ? [] : [{ ...stage, enter: condition }],
    });
    expect(stages[0]?.result.condition).toBe(title);
  });

  it("rests on what somebody does, or is a state", () => {
    const acts = Object.values(CONDITIONS)
      .filter(({ basis }) => basis === "act")
      .map(({ kind }) => kind);
    expect(acts.sort()).toEqual(["approvals", "changes_requested", "command", "label", "plan_passed", "workflow"]);
    expect(Object.entries(CONDITIONS).every(([key, { kind }]) => key === kind)).toBe(true);
  });

  it.each<[string, Facts, boolean, string]>([
    ["{ base: main }", openedThen(), true, "it goes into main"],
    ["{ base: [dev, v*] }", openedThen(), false, "it goes into main, not into dev or v*"],
    ["{ author: 'rex[bot]' }", openedThen(), true, "rex[bot], who opened it, is named as rex[bot]"],
    ["{ author: alice }", openedThen(), false, "rex[bot], who opened it, is not alice"],
    ["{ author: zoe }", openedThen(), false, "rex[bot], who opened it, is not yet known to be zoe"],
    ["{ paths: 'a/**' }", openedThen(), false, "the changed files are not known yet"],
    ["{ draft: true }", openedThen(), false, "it is not a draft"],
    ["{ draft: false }", history(opened({ draft: true })), false, "it is a draft: mark it as ready for review"],
    [
      "checklist",
      history(opened({ body: "- [x] a\n- [ ] b" })),
      false,
      "1 of 2 boxes in the description are not ticked",
    ],
    ["checklist", history(opened({ body: "- [x] a\n- [X] b" })), true, "all 2 boxes in the description are ticked"],
    [
      "{ checklist: Todo }",
      history(opened({ body: "# todo\n- [x] a\n## more\n- [x] b\n# other\n- [ ] c" })),
      true,
      'all 2 boxes under "Todo" in the description are ticked',
    ],
    ["checklist", openedThen(), false, "there is no task list in the description"],
  ])("%s: %s", (condition, facts, holds, reason) => {
    const found = verdict(condition, facts);
    expect(found.holds).toBe(holds);
    expect(found.reason).toBe(reason);
  });

  it("about tess's reviews asks nobody else", () => {
    expect(verdict("{ approvals: { by: 'tess[bot]' } }", openedThen(review(1, tess, "approved")))).toMatchObject({
      holds: true,
      lookups: [],
    });
    expect(verdict("{ paths: a }", openedThen()).lookups).toEqual([{ kind: "files" }]);
    expect(verdict("{ only_paths: a }", openedThen()).lookups).toEqual([{ kind: "files" }]);
    expect(
      verdict("{ approvals: 1 }", openedThen(pushed(2, "aaaaaaa1", "bbbbbbb2", alice), review(1, bob, "approved")))
        .holds,
    ).toBe(false);
  });
});
