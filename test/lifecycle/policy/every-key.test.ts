import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Condition, PolicyStage } from "../../../src/lifecycle/policy/policy.ts";
import {
  actionTable,
  commandTable,
  conditionTable,
  POLICY_KEY_TABLES,
  policyJsonSchema,
  templateList,
} from "../../../src/lifecycle/policy/reference.ts";
import { keyTable } from "../../../src/plan/key-table.ts";
import { policyOf } from "../policies.ts";

describe("what a policy says", () => {
  it("every key of it, and of a stage", () => {
    const policy = policyOf(`version: 1
stages:
  - { name: a, enter: { draft: false } }
  - name: b
    owner: "@org/qa"
    description: what it is for
    when: { base: main }
    enter: { all: [{ label: go }, { not: { draft: true } }] }
    on_enter: [{ comment: "{{stage}}" }, { label: { add: [x], remove: [y] } }]
    on_back: [{ assign: alice }]
    on_overdue: [{ request_review: [bob, "@org/qa"] }]
    back: { when: { any: [changes_requested, { command: redo }] }, to: a }
    max_age: 2d
    gate: true
    color: "#ABCDEF"
  - { name: c, enter: { approvals: 2 }, on_enter: [{ auto_merge: rebase }] }
on_push: { back_to: b, cancel: false, except: { by: "rex[bot]" } }
operators: alice
task_id: { title: "T-*" }
max_rounds: 3
checks: gates
opt_out_label: off/*
`);
    expect(policy).toEqual({
      version: 1,
      stages: [
        plain("a", { kind: "draft", draft: false }, { color: "1d76db" }),
        {
          name: "b",
          owner: "@org/qa",
          description: "what it is for",
          when: { kind: "base", patterns: ["main"] },
          enter: {
            kind: "all",
            of: [
              { kind: "label", name: "go", by: null },
              { kind: "not", of: { kind: "draft", draft: true } },
            ],
          },
          onEnter: [
            { kind: "comment", body: "{{stage}}" },
            { kind: "label", add: ["x"], remove: ["y"] },
          ],
          onBack: [{ kind: "assign", users: ["alice"] }],
          onOverdue: [{ kind: "request_review", users: ["bob"], teams: ["org/qa"] }],
          back: {
            when: {
              kind: "any",
              of: [
                { kind: "changes_requested", by: null },
                { kind: "command", name: "redo", by: null },
              ],
            },
            to: "a",
          },
          maxAgeMs: 172_800_000,
          gate: true,
          color: "abcdef",
        },
        plain(
          "c",
          { kind: "approvals", count: 2, by: null },
          { color: "0e8a16", onEnter: [{ kind: "auto_merge", method: "rebase" }] },
        ),
      ],
      onPush: { backTo: "b", cancel: false, exceptBy: ["rex[bot]"] },
      operators: ["alice"],
      taskId: { label: null, branch: null, title: "T-*" },
      maxRounds: 3,
      checks: "gates",
      optOutLabel: "off/*",
    });
  });

  it("a push leads back to the first stage, to one that is named, or nowhere", () => {
    const backTo = (said: string) =>
      policyOf(`stages: [{ name: a, enter: { draft: false } }, { name: b, enter: { label: x } }]\n${said}`).onPush;
    expect(backTo("")).toEqual({ backTo: "a", cancel: true, exceptBy: [] });
    expect(backTo("on_push: b")).toEqual({ backTo: "b", cancel: true, exceptBy: [] });
    expect(backTo("on_push: { back_to: false }")).toEqual({ backTo: null, cancel: true, exceptBy: [] });
    expect(backTo("on_push: { cancel: false }")).toEqual({ backTo: "a", cancel: false, exceptBy: [] });
  });

  it("stages have six colours in turn, the last one is green; an overdue one reminds", () => {
    const stages = policyOf(
      `stages: [${Array.from({ length: 8 }, (_, n) => `{ name: s${n}, enter: { draft: false }, max_age: 1h }`).join(", ")}]`,
    ).stages;
    expect(stages.map(({ color }) => color)).toEqual([
      "1d76db",
      "fbca04",
      "5319e7",
      "d93f0b",
      "006b75",
      "b60205",
      "1d76db",
      "0e8a16",
    ]);
    expect(stages.map(({ gate }) => gate)).toEqual([false, false, false, false, false, false, false, true]);
    expect(stages[0]?.onOverdue).toMatchObject([{ kind: "comment" }]);
  });

  it.each<[string, Condition]>([
    ["draft: true", { kind: "draft", draft: true }],
    ["label: a", { kind: "label", name: "a", by: null }],
    ["label: { name: a, by: alice }", { kind: "label", name: "a", by: ["alice"] }],
    ["approvals: 3", { kind: "approvals", count: 3, by: null }],
    ["approvals: { by: [alice, bob] }", { kind: "approvals", count: 1, by: ["alice", "bob"] }],
    ["approvals: { count: 2 }", { kind: "approvals", count: 2, by: null }],
    ["changes_requested: true", { kind: "changes_requested", by: null }],
    ["changes_requested: { by: alice }", { kind: "changes_requested", by: ["alice"] }],
    ["checks: a", { kind: "checks", names: ["a"], app: null }],
    ["checks: { names: [a, b], app: ci }", { kind: "checks", names: ["a", "b"], app: "ci" }],
    ["checks: { names: a, result: failure }", { kind: "checks", names: ["a"], app: null, result: "failure" }],
    ["checks: { names: a, result: any }", { kind: "checks", names: ["a"], app: null, result: "any" }],
    ["checks: { names: a, result: success }", { kind: "checks", names: ["a"], app: null }],
    ["checks_pass: true", { kind: "checks_pass", ignore: [] }],
    ["checks_pass: { ignore: a }", { kind: "checks_pass", ignore: ["a"] }],
    ["workflow: qa.yml", { kind: "workflow", workflow: "qa.yml", result: "success" }],
    [
      "workflow: { workflow: qa.yml, result: cancelled }",
      { kind: "workflow", workflow: "qa.yml", result: "cancelled" },
    ],
    ["workflow: { workflow: qa.yml }", { kind: "workflow", workflow: "qa.yml", result: "success" }],
    ["workflow: qa.yml, result: failure", { kind: "workflow", workflow: "qa.yml", result: "failure" }],
    ["plan_passed: bench", { kind: "plan_passed", plan: "bench" }],
    ["checklist: true", { kind: "checklist", section: null }],
    ["checklist: Before", { kind: "checklist", section: "Before" }],
    ["base: [main, 'v*']", { kind: "base", patterns: ["main", "v*"] }],
    ["paths: 'a/**'", { kind: "paths", patterns: ["a/**"] }],
    ["only_paths: 'a/**'", { kind: "only_paths", patterns: ["a/**"] }],
    ["author: alice", { kind: "author", by: ["alice"] }],
    ["command: ship", { kind: "command", name: "ship", by: null }],
    ["command: { name: ship, by: alice }", { kind: "command", name: "ship", by: ["alice"] }],
    [
      "draft: false, label: a",
      {
        kind: "all",
        of: [
          { kind: "draft", draft: false },
          { kind: "label", name: "a", by: null },
        ],
      },
    ],
  ])("the condition { %s }", (written, condition) => {
    expect(policyOf(`stages: [{ name: a, enter: { ${written} } }]`).stages[0]?.enter).toEqual(condition);
  });

  it.each<[string, PolicyStage["onEnter"][number]]>([
    ["comment: x", { kind: "comment", body: "x" }],
    ["comment: { body: x }", { kind: "comment", body: "x" }],
    ["start: qa.yml", { kind: "start", workflow: "qa.yml", inputs: {}, limit: null, forks: false }],
    [
      "start: { workflow: qa.yml, inputs: { a: 1, b: true, c: '', d: '{{sha}}' }, limit: 2, forks: true }",
      { kind: "start", workflow: "qa.yml", inputs: { a: "1", b: "true", c: "", d: "{{sha}}" }, limit: 2, forks: true },
    ],
    ["repository_dispatch: x", { kind: "repository_dispatch", eventType: "x", payload: {} }],
    [
      "repository_dispatch: { event_type: x, payload: { a: b } }",
      { kind: "repository_dispatch", eventType: "x", payload: { a: "b" } },
    ],
    ["release: qa", { kind: "release", environment: "qa", forks: false }],
    ["release: { environment: qa, forks: true }", { kind: "release", environment: "qa", forks: true }],
    ["request_review: '@org/qa'", { kind: "request_review", users: [], teams: ["org/qa"] }],
    ["assign: [alice, bob]", { kind: "assign", users: ["alice", "bob"] }],
    ["label: x", { kind: "label", add: ["x"], remove: [] }],
    ["label: { remove: x }", { kind: "label", add: [], remove: ["x"] }],
    ["auto_merge: queue", { kind: "auto_merge", method: "queue" }],
  ])("the action { %s }", (written, action) => {
    expect(
      policyOf(`stages: [{ name: a, enter: { draft: false }, on_enter: [{ ${written} }] }]`).stages[0]?.onEnter,
    ).toEqual([action]);
  });
});

/** A stage of which nothing is said but this. */
function plain(name: string, enter: Condition, more: Partial<PolicyStage>): PolicyStage {
  return {
    name,
    enter,
    owner: null,
    description: null,
    when: null,
    onEnter: [],
    onBack: [],
    onOverdue: [],
    back: null,
    maxAgeMs: null,
    gate: false,
    color: "",
    ...more,
  };
}

describe("the guide says what the schemas say", () => {
  const guide = readFileSync("docs/policy.md", "utf8");

  it.each<[string, () => string]>([
    ["conditions", conditionTable],
    ["actions", actionTable],
    ["commands", commandTable],
    ["templates", templateList],
    ...Object.entries(POLICY_KEY_TABLES).map(([name, shape]): [string, () => string] => [name, () => keyTable(shape)]),
  ])("%s", (_name, table) => {
    expect(guide).toContain(`\n${table()}\n`);
  });

  it("and so does the JSON Schema that editors read", () => {
    expect(policyJsonSchema()).toEqual(JSON.parse(readFileSync("schema/policy.json", "utf8")));
  });
});
