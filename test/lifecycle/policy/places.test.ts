import { describe, expect, it } from "vitest";
import { readPolicy, unreadable } from "../../../src/lifecycle/policy/read-policy.ts";

/** Where what is wrong: `line:column severity key`. */
function places(text: string): string[] {
  return readPolicy(text).problems.map(
    ({ line, column, severity, message }) =>
      `${line}:${column} ${severity} ${message.split(/[: ]/).slice(0, 1).join(" ")}`,
  );
}
const first = "stages: [{ name: a, enter: { draft: false } }";

describe("what is wrong is told at its place", () => {
  it.each<[string, string, string[]]>([
    ["no stages", "version: 1\n", ["1:1 error stages"]],
    ["an unknown version", `version: 2\n${first}]\n`, ["1:10 error version"]],
    ["a stage that is none", "stages: [a]\n", ["1:10 error expected"]],
    ["a stage without a name", "stages: [{ enter: { draft: false } }]\n", ["1:10 error name"]],
    ["a name that is none", "stages: [{ name: A, enter: { draft: false } }]\n", ["1:18 error name"]],
    ["two stages of one name", `${first}, { name: a, enter: { draft: true } }]\n`, ["1:56 error there"]],
    ["no condition", "stages: [{ name: a }]\n", ["1:10 error a"]],
    ["an empty condition", "stages: [{ name: a, enter: {} }]\n", ["1:28 error enter"]],
    ["a list as a condition", "stages: [{ name: a, enter: [] }]\n", ["1:28 error enter"]],
    ["an unknown condition", "stages: [{ name: a, enter: { drafts: true } }]\n", ["1:30 error enter.drafts"]],
    ["an unknown bare condition", "stages: [{ name: a, enter: drafts }]\n", ["1:28 error enter"]],
    ["a condition that needs a value", "stages: [{ name: a, enter: draft }]\n", ["1:28 error enter"]],
    ["no parts", "stages: [{ name: a, enter: { all: [] } }]\n", ["1:35 error enter.all"]],
    [
      "a wrong part",
      "stages: [{ name: a, enter: { any: [{ draft: 1 }, { draft: true }] } }]\n",
      ["1:45 error enter.any.0.draft"],
    ],
    ["a wrong opposite", "stages: [{ name: a, enter: { not: { draft: 1 } } }]\n", ["1:44 error enter.not.draft"]],
    ["a wrong when", "stages: [{ name: a, when: 1, enter: { draft: true } }]\n", ["1:27 error when"]],
    [
      "a way back without acts",
      `${first}, { name: b, enter: { label: x }, back: { when: { draft: true }, to: a } }]\n`,
      ["1:94 error back.when"],
    ],
    [
      "a way back that may rest on states alone",
      `${first}, { name: b, enter: { label: x }, back: { when: { any: [{ label: y }, { draft: true }] }, to: a } }]\n`,
      ["1:94 error back.when"],
    ],
    [
      "a way back by what was not done",
      `${first}, { name: b, enter: { label: x }, back: { when: { not: { label: y } }, to: a } }]\n`,
      ["1:94 error back.when"],
    ],
    [
      "a way back that rests on an act and a state",
      `${first}, { name: b, enter: { label: x }, back: { when: { label: y, draft: true }, to: a } }]\n`,
      [],
    ],
    [
      "a way back to nobody",
      `${first}, { name: b, enter: { label: x }, back: { when: { label: y }, to: c } }]\n`,
      ["1:112 error back.to"],
    ],
    [
      "a way back to itself",
      `${first}, { name: b, enter: { label: x }, back: { when: { label: y }, to: b } }]\n`,
      ["1:112 error back.to"],
    ],
    [
      "the second of two ways back",
      `${first}, { name: b, enter: { label: x }, back: { when: { label: y }, to: a } }, { name: c, enter: { label: x }, back: { when: { label: y }, to: d } }]\n`,
      ["1:183 error back.to"],
    ],
    ["a push back to nobody", `${first}]\non_push: c\n`, ["2:10 error on_push.back_to"]],
    [
      "overdue without an age",
      "stages: [{ name: a, enter: { draft: false }, on_overdue: [{ comment: x }] }]\n",
      ["1:46 error on_overdue"],
    ],
    [
      "an unknown action",
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ commet: x }] }]\n",
      ["1:59 error on_enter.0"],
    ],
    [
      "two actions in one",
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ comment: x, assign: y }] }]\n",
      ["1:57 error on_enter.0"],
    ],
    ["no action", "stages: [{ name: a, enter: { draft: false }, on_enter: [x] }]\n", ["1:57 error on_enter.0"]],
    [
      "an unknown place in a text",
      'stages: [{ name: a, enter: { draft: false }, on_back: [{ comment: "{{title}}" }] }]\n',
      ["1:67 error on_back.0.comment"],
    ],
    [
      "an app to review",
      'stages: [{ name: a, enter: { draft: false }, on_enter: [{ request_review: "x[bot]" }] }]\n',
      ["1:75 error on_enter.0.request_review"],
    ],
    [
      "a team to assign",
      'stages: [{ name: a, enter: { draft: false }, on_enter: [{ assign: "@org/x" }] }]\n',
      ["1:67 error on_enter.0.assign"],
    ],
    [
      "an app to assign",
      'stages: [{ name: a, enter: { draft: false }, on_enter: [{ assign: "x[bot]" }] }]\n',
      ["1:67 error on_enter.0.assign"],
    ],
    [
      "ten users to assign",
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ assign: [a, b, c, d, e, f, g, h, i, j] }] }]\n",
      [],
    ],
    [
      "eleven users to assign",
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ assign: [a, b, c, d, e, f, g, h, i, j, k] }] }]\n",
      ["1:67 error on_enter.0.assign"],
    ],
    [
      "an input that every run is given",
      "stages: [{ name: a, enter: { draft: false }, on_enter: [{ start: { workflow: a.yml, inputs: { sha: x } } }] }]\n",
      ["1:100 error on_enter.0.start.inputs.sha"],
    ],
    ["a gate by checks alone", "stages: [{ name: a, enter: { checks: build } }]\n", ["1:28 warning a"]],
    ["a label of ours", "stages: [{ name: a, enter: { label: Stage/x } }]\n", ["1:37 error enter.label"]],
    ["a command of ours", "stages: [{ name: a, enter: { command: stage } }]\n", ["1:39 error enter.command"]],
    ["a color that is none", "stages: [{ name: a, enter: { draft: false }, color: red }]\n", ["1:53 error color"]],
  ])("%s", (_what, text, expected) => {
    expect(places(text)).toEqual(expected);
  });

  it.each([
    [300, true],
    [301, false],
  ])("%i conditions in all: %s", (count, isRead) => {
    const parts = (number: number) =>
      `{ all: [${Array.from({ length: number }, () => "{ draft: false }").join(",")}] }`;
    const text = `stages:\n${[100, 100, 99, count - 299].map((number, index) => `- { name: s${index}, enter: ${parts(number)} }\n`).join("")}`;
    expect(readPolicy(text).policy !== null).toBe(isRead);
  });

  it("what cannot be read at all is one problem", () => {
    expect(unreadable("f", "too large")).toEqual({
      policy: null,
      parts: null,
      extends: null,
      extendsAt: { line: 1, column: 1 },
      problems: [{ severity: "error", file: "f", line: 1, column: 1, message: "too large" }],
    });
    expect(readPolicy("- a\n")).toMatchObject({ policy: null, parts: null, extends: null });
  });
});

describe("a policy that extends another", () => {
  const base = readPolicy(
    `stages: [{ name: a, enter: { draft: false } }, { name: b, owner: alice, enter: { label: x }, back: { when: { label: y }, to: a } }]\noperators: bob\nmax_rounds: 2\n`,
  ).parts;

  it("waits for it, and is read with it", () => {
    const text = "extends: org/.github\nmax_rounds: 5\n";
    expect(readPolicy(text)).toMatchObject({
      policy: null,
      extends: "org/.github",
      extendsAt: { line: 1, column: 10 },
      problems: [],
      parts: { maxRounds: 5 },
    });
    expect(readPolicy(text, "p", base).policy).toMatchObject({
      operators: ["bob"],
      maxRounds: 5,
      stages: [{ name: "a" }, { name: "b", owner: "alice" }],
    });
  });

  const whole = readPolicy(`
stages:
  - { name: a, enter: { draft: false }, description: first, on_enter: [{ comment: in }], gate: true }
  - name: b
    owner: alice
    enter: { label: x }
    when: { base: main }
    back: { when: { label: y }, to: a }
    description: second
    on_enter: [{ comment: in }]
    on_back: [{ comment: back }]
    on_overdue: [{ comment: late }]
    max_age: 2d
    gate: true
    color: abcdef
on_push: { back_to: b, cancel: false, except: { by: carol } }
operators: bob
task_id: { label: "t-*", branch: "b-*", title: "c-*" }
max_rounds: 2
checks: gates
opt_out_label: off
`);

  it("keeps every key that it does not give, of the policy, of pushes and of stages", () => {
    expect(whole.problems).toEqual([]);
    const own = (text: string) => readPolicy(`extends: org/x\n${text}`, "p", whole.parts);
    expect(own("").policy).toEqual(whole.policy);
    expect(own("stages: [{ name: a }, { name: b }]\n").policy).toEqual(whole.policy);
    const { policy } = own(
      "stages: [{ name: a }, { name: b, owner: dora }]\non_push: { cancel: true }\nmax_rounds: 3\n",
    );
    expect(policy).toEqual({
      ...whole.policy,
      stages: whole.policy?.stages.map((stage) => (stage.name === "b" ? { ...stage, owner: "dora" } : stage)),
      onPush: { backTo: "a", cancel: true, exceptBy: [] },
      maxRounds: 3,
    });
  });

  it("gives each key in place of the other's", () => {
    const all = `stages:
  - { name: a }
  - name: b
    owner: zoe
    enter: { label: z }
    when: { base: dev }
    back: { when: { label: w }, to: a }
    description: other
    on_enter: []
    on_back: []
    on_overdue: []
    max_age: 3d
    gate: false
    color: "123456"
on_push: { back_to: false }
operators: zoe
task_id: { label: "z-*" }
max_rounds: 5
checks: all
opt_out_label: out
`;
    expect(readPolicy(`extends: org/x\n${all}`, "p", whole.parts).policy).toMatchObject({
      stages: [
        { name: "a", description: "first" },
        {
          ...{
            owner: "zoe",
            enter: { name: "z" },
            when: { patterns: ["dev"] },
            back: { when: { name: "w" } },
            description: "other",
          },
          ...{ onEnter: [], onBack: [], onOverdue: [], maxAgeMs: 3 * 86_400_000, gate: false, color: "123456" },
        },
      ],
      onPush: { backTo: null, cancel: true, exceptBy: [] },
      operators: ["zoe"],
      taskId: { label: "z-*", branch: null, title: null },
      maxRounds: 5,
      checks: "all",
      optOutLabel: "out",
    });
  });

  it("is warned of a gate by checks alone where it says so itself, else at its stages", () => {
    const forged = readPolicy("stages: [{ name: a, enter: { checks: build } }]\n").parts;
    const at = (text: string) =>
      readPolicy(text, "p", forged).problems.map(({ line, column, severity }) => `${line}:${column} ${severity}`);
    expect(at("extends: org/x\nstages: [{ name: a, enter: { checks: lint } }]\n")).toEqual(["2:28 warning"]);
    expect(at("extends: org/x\nstages: [{ name: a, owner: alice }]\n")).toEqual(["2:9 warning"]);
    expect(at("extends: org/x\nmax_rounds: 5\n")).toEqual(["1:1 warning"]);
    const waiting = readPolicy(
      "extends: org/x\nstages: [{ name: b }, { name: c, back: { when: { label: x }, to: z } }]\n",
    );
    expect(waiting.problems).toEqual([]);
  });

  it("takes the keys that it does not give from the stage of that name", () => {
    const read = readPolicy(
      "extends: org/x\nstages: [{ name: b, owner: carol }, { name: c, enter: { label: z } }]\non_push: { back_to: false }\n",
      "p",
      base,
    );
    // Its way back leads to a stage that this policy does not have.
    expect(read.problems.map(({ line, column, message }) => `${line}:${column} ${message.slice(0, 12)}`)).toEqual([
      "2:9 back.to of b",
    ]);
    const fine = readPolicy(
      "extends: org/x\nstages: [{ name: a }, { name: b, owner: carol, max_age: 1d, on_overdue: [] }]\n",
      "p",
      base,
    );
    expect(fine.policy?.stages).toMatchObject([
      { name: "a", enter: { kind: "draft" } },
      { name: "b", owner: "carol", enter: { kind: "label" }, back: { to: "a" }, maxAgeMs: 86_400_000 },
    ]);
  });
});
