import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import { formatProblem } from "../../../src/plan/parsing/problems.ts";
import { readExample, THREE_BOTS } from "../policies.ts";

function problems(text: string | Uint8Array, base?: Parameters<typeof readPolicy>[2]): string[] {
  const reading = readPolicy(text, "p", base);
  expect(reading.policy).toBeNull();
  return reading.problems.map(formatProblem);
}

const stage = (rest: string): string => `stages:\n  - { name: a, enter: { draft: false } }\n  - ${rest}\n`;

test("the three-bot policy is read as it is meant", () => {
  const policy = readExample("three-bots");
  expect(policy.stages.map((each) => [each.name, each.owner, each.gate, each.maxAgeMs])).toEqual([
    ["pr-created", "rex[bot]", false, null],
    ["ready-for-qa", "tess[bot]", false, 86_400_000],
    ["approved", null, true, null],
  ]);
  expect(policy.stages[1]?.enter).toEqual({
    kind: "all",
    of: [
      { kind: "label", name: "ready-for-qa", by: ["cleo[bot]", "@org/quality"] },
      { kind: "checks", names: ["build"], app: null },
    ],
  });
  expect(policy.stages[1]?.back).toEqual({
    when: {
      kind: "any",
      of: [
        { kind: "changes_requested", by: null },
        { kind: "workflow", workflow: "qa.yml", result: "failure" },
      ],
    },
    to: "pr-created",
  });
  expect(policy).toMatchObject({
    onPush: { backTo: "pr-created", cancel: true, exceptBy: ["cleo[bot]"] },
    operators: ["@org/leads"],
    taskId: { label: "task-*", branch: "task-*", title: "task-*" },
    maxRounds: 5,
    checks: "all",
    optOutLabel: "stagewright/off",
  });
});

test("the default policy, written as a file, is the default policy", () => {
  const { policy } = readPolicy(`
stages:
  - { name: pr-created, enter: { draft: false } }
  - { name: ready-for-qa, enter: { label: ready-for-qa } }
  - { name: approved, enter: { approvals: 1 } }
`);
  expect(policy).toEqual(DEFAULT_POLICY);
});

test("all mistakes are told at once, each at its place", () => {
  const text = `version: 2
stagse: 1
operators: [x y]
stages:
  - name: A
    enter: { lable: x, draft: 3 }
  - name: b
    enter: draft
    back: { when: checks_pass, to: c }
    on_enter: [{ comment: "{{titel}}" }, { start: { workflow: qa.yml, inptus: {} } }, 5]
  - { name: b, max_age: 0 }
on_push: { back_to: zz, except: { b: 1 } }
max_rounds: 0
`;
  expect(problems(text)).toEqual([
    "p:1:10: error: version: expected 1, got 2",
    'p:2:1: error: unknown key "stagse"; did you mean "stages"?',
    'p:3:13: error: operators.0: expected a user ("alice"), an app ("rex[bot]") or a team ("@org/team"), got "x y"',
    expect.stringMatching(/^p:5:11: error: name: expected a stage's name: .*, got "A"$/),
    'p:6:14: error: enter.lable: unknown condition "lable"; did you mean "label"?',
    "p:6:31: error: enter.draft: expected true or false, got 3",
    "p:8:12: error: enter: draft needs a value, expected for example { draft: false }",
    expect.stringMatching(
      /^p:9:19: error: back.when: expected something that somebody does .*; states belong into "enter"$/,
    ),
    'p:9:36: error: back.to of b: there is no stage "c"',
    expect.stringMatching(/^p:10:27: error: on_enter.0.comment: expected one of \{\{number\}\}/),
    'p:10:71: error: on_enter.1.start: unknown key "inptus"; did you mean "inputs"?',
    expect.stringMatching(/^p:10:\d+: error: on_enter.2: expected one action, .*, got 5$/),
    "p:11:5: error: b: enter: expected a condition for entering it",
    'p:11:13: error: there are two stages named "b", expected names that differ',
    expect.stringMatching(/^p:11:25: error: max_age: expected a duration such as .*, got 0$/),
    expect.stringMatching(/^p:12:\d+: error: on_push.except.by: expected the name of a user/),
    expect.stringMatching(/^p:12:\d+: error: on_push.except: unknown key "b"/),
    "p:13:13: error: max_rounds: expected a whole number from 1 to 1000, got 0",
  ]);
});

test.each([
  [stage("{ name: b, enter: { nto: { label: x } } }"), /unknown condition "nto"; did you mean "not"\?/],
  [stage("{ name: b, enter: {} }"), /^p:3:23: error: enter: expected a condition, got an empty mapping$/],
  [stage("{ name: b, enter: [draft] }"), /enter: expected a condition, such as .*, got a list/],
  [stage("{ name: b, enter: { any: [] } }"), /enter.any: expected a list of 1 to 100 conditions/],
  [stage("{ name: b, enter: { not: [] } }"), /enter.not: expected a condition/],
  [stage("{ name: b, enter: { label: { nam: x } } }"), /unknown key "nam"; did you mean "name"/],
  [stage("{ name: b, enter: { label: stage/a } }"), /expected another label: those that begin with stage\//],
  [stage("{ name: b, enter: { label: [x, y] } }"), /enter.label: expected a label, or \{ name, by \}, got a list/],
  [stage("{ name: b, enter: { approvals: 0 } }"), /expected a whole number from 1 to 100/],
  [stage('{ name: b, enter: { label: { name: x, by: ["@team"] } } }'), /expected .*a team \("@org\/team"\)/],
  [stage("{ name: b, enter: { command: stage } }"), /\/stage is Stagewright's own/],
  [stage("{ name: b, enter: { command: Ship } }"), /expected a command's name/],
  [stage("{ name: b, enter: { workflow: qa.yml, result: won } }"), /expected success \| failure \| cancelled/],
  [stage("{ name: b, enter: { paths: '(a+)+b' } }"), /expected a glob without parentheses/],
  [stage("{ name: b, enter: { paths: '{a,{b,c}}' } }"), /braces are closed, not nested/],
  [
    stage('{ name: b, enter: { paths: [ok, "web/[**"] } }'),
    /^p:3:37: error: enter.paths.1: expected a glob whose brackets are closed, .*, got "web\/\[\*\*"$/,
  ],
  [stage('{ name: b, when: { only_paths: "a]" }, enter: { label: x } }'), /^p:3:36: error: when.only_paths: .*closed/],
  [stage('{ name: b, enter: { base: "[]" } }'), /^p:3:31: error: enter.base: .*hold something/],
  [stage('{ name: b, enter: { base: "[^]" } }'), /hold something/],
  [stage('{ name: b, enter: { base: "{[a,b]}" } }'), /closed/],
  [stage('{ name: b, enter: { base: "v[9-0]" } }'), /expected a glob whose ranges go upwards, so "0-9" for "9-0"/],
  [stage("{ name: b, enter: { checks: { names: x, result: fail } } }"), /expected success \| failure \| any/],
  [stage("{ name: b, enter: { label: x, result: failure } }"), /unknown condition "result"/],
  [stage("{ name: b, enter: { label: x }, back: { to: a } }"), /back.when: expected a condition/],
  [
    stage("{ name: b, enter: { label: x }, back: { when: { label: y }, to: b } }"),
    /back.to of b: expected a stage before it/,
  ],
  [
    stage("{ name: b, enter: { label: x }, back: { when: { not: { label: y } }, to: a } }"),
    /something that somebody does/,
  ],
  [
    stage("{ name: b, enter: { label: x }, back: { when: { any: [changes_requested, checks_pass] }, to: a } }"),
    /something that somebody does/,
  ],
  [stage("{ name: b, enter: { label: x }, on_overdue: [] }"), /on_overdue: expected "max_age" beside it/],
  [stage("{ name: b, enter: { label: x }, on_enter: [{ comment: x, release: y }] }"), /expected one action/],
  [
    stage("{ name: b, enter: { label: x }, on_enter: [{ commnt: x }] }"),
    /unknown action "commnt"; did you mean "comment"/,
  ],
  [
    stage("{ name: b, enter: { label: x }, on_enter: [{ auto_merge: fast }] }"),
    /expected merge \| squash \| rebase \| queue/,
  ],
  [stage("{ name: b, enter: { label: x }, on_enter: [{ request_review: 'x[bot]' }] }"), /GitHub takes no apps/],
  [stage("{ name: b, enter: { label: x }, on_enter: [{ label: stage/x }] }"), /expected another label/],
  [stage("{ name: b, enter: { label: x }, on_enter: [{ start: ../x.yml }] }"), /name of a workflow file/],
  [stage("{ name: b, enter: { label: x }, max_age: 400d }"), /at most 365d/],
  [stage(`{ name: ${"b".repeat(45)}, enter: { label: x } }`), /at most 44 characters/],
  [stage("{ name: b, enter: { label: x }, color: red }"), /six hexadecimal digits/],
  [stage("5"), /expected a stage with "name" and "enter", got 5/],
  ["stages: []\n", /expected a list of 1 to 30 stages/],
  ["version: 1\n", /stages: expected a list of stages/],
  [`${stage("{ name: b, enter: { label: x } }")}on_push: c\n`, /on_push.back_to: there is no stage "c"/],
  [`${stage("{ name: b, enter: { label: x } }")}task_id: { label: "task" }\n`, /one "\*" that stands for digits/],
  [`${stage("{ name: b, enter: { label: x } }")}extends: nowhere\n`, /expected a repository, such as "org\/.github"/],
  [`${stage("{ name: b, enter: { label: x } }")}checks: some\n`, /expected all \| gates/],
])("case %#: %j", (text, expected) => {
  expect(problems(text).join("\n")).toMatch(expected);
});

describe("a hostile file is refused", () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ["10 MB", `a: ${"x".repeat(10_000_000)}`, /expected at most 1048576/],
    ["an alias bomb", "a: &a [x]\nb: [*a, *a]\n", /aliases/],
    ["50,000 brackets", "[".repeat(50_000), /deep/],
    ["a prototype", "__proto__: { polluted: true }\nstages: []\n", /"__proto__" is not allowed/],
    [
      "a prototype within",
      stage("{ name: b, __proto__: 1, enter: { constructor: 1 } }"),
      /__proto__[\s\S]*unknown condition "constructor"/,
    ],
    ["bytes", new Uint8Array([0xff, 0xfe, 0x00]), /not text in UTF-8/],
    ["nothing", "", /^p:1:1: error: the file is empty, expected a policy with "stages"$/],
    ["a list", "- a\n", /expected a mapping/],
    ["no YAML", "a: [", /not valid YAML/],
    [
      "more conditions than are judged in time",
      `stages:\n${Array.from({ length: 4 }, (_, s) => `  - { name: s${s}, enter: { any: [${Array.from({ length: 90 }, (_, i) => `{ label: l${i} }`).join(", ")}] } }\n`).join("")}`,
      /360 conditions in all, expected at most 300/,
    ],
  ])("%s", (_, content, expected) => {
    expect(problems(content).join("\n")).toMatch(expected);
  });
});

describe("a policy that extends another", () => {
  const base = readPolicy(THREE_BOTS).parts;
  const own = `
extends: org/.github
stages:
  - { name: pr-created }
  - { name: ready-for-qa, max_age: 3d }
  - { name: docs, enter: { label: docs-ok } }
  - { name: approved, enter: { approvals: 2 } }
max_rounds: 9
`;

  test("waits for that one, which is named", () => {
    expect(readPolicy(own)).toMatchObject({ policy: null, extends: "org/.github", problems: [] });
  });

  test("takes from it what it does not say itself", () => {
    const { policy, problems } = readPolicy(own, "p", base);
    expect(problems).toEqual([]);
    expect(policy?.stages.map((each) => [each.name, each.owner, each.maxAgeMs, each.gate])).toEqual([
      ["pr-created", "rex[bot]", null, false],
      ["ready-for-qa", "tess[bot]", 259_200_000, false],
      ["docs", null, null, false],
      ["approved", null, null, true],
    ]);
    expect(policy?.stages[3]).toMatchObject({
      enter: { kind: "approvals", count: 2, by: null },
      onEnter: [{ kind: "auto_merge", method: "squash" }],
    });
    expect(policy).toMatchObject({ maxRounds: 9, operators: ["@org/leads"], onPush: { backTo: "pr-created" } });
  });

  test("may leave out the stages", () => {
    expect(readPolicy("extends: org/.github\nmax_rounds: 1\n", "p", base).policy).toMatchObject({
      maxRounds: 1,
      stages: [{ name: "pr-created" }, { name: "ready-for-qa" }, { name: "approved" }],
    });
  });

  test("is told of names that lead nowhere once both are put together", () => {
    const text =
      "extends: org/.github\nstages:\n  - { name: first, enter: { draft: false } }\n  - { name: ready-for-qa }\n";
    expect(problems(text, base)).toEqual([
      'p:1:1: error: on_push.back_to: there is no stage "pr-created"',
      'p:3:3: error: back.to of ready-for-qa: there is no stage "pr-created"',
    ]);
  });

  test("still needs a condition for a stage that only it has", () => {
    const text = "extends: org/.github\nstages:\n  - { name: pr-created }\n  - { name: extra }\n";
    expect(problems(text, base).join("\n")).toMatch(/extra: enter: expected a condition/);
  });
});

test("gates: the last stage where none is said, else those that are said", () => {
  const gates = (text: string) =>
    readPolicy(text)
      .policy?.stages.filter((each) => each.gate)
      .map((each) => each.name);
  expect(gates(stage("{ name: b, enter: { label: x } }"))).toEqual(["b"]);
  expect(gates(stage("{ name: b, gate: false, enter: { label: x } }"))).toEqual([]);
  expect(
    gates("stages:\n  - { name: a, gate: true, enter: { draft: false } }\n  - { name: b, enter: { label: x } }\n"),
  ).toEqual(["a"]);
});
