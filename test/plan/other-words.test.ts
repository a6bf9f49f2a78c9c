import { describe, expect, it } from "vitest";
import { parse as readYaml } from "yaml";
import { readPolicy } from "../../src/lifecycle/policy/read-policy.ts";
import { fileKindOf } from "../../src/plan/parsing/file-kind.ts";
import { formatProblem, readPlan } from "../../src/plan/read.ts";

const said = (text: string) => readPlan(text, "p").problems.map(formatProblem);
const one = (stage: string) => `stages:\n  - ${stage}\n`;

/** What is said of each word, after "unknown key". */
const IN_STAGES: readonly (readonly [words: string, hint: string])[] = [
  ["if condition rules only", "expected when: on_success | on_failure | always, or depends_on"],
  ["retries attempts max_attempts retry_count", "expected retry: { max_attempts: 3, backoff: 1s }"],
  [
    "continue-on-error continue_on_error allow_failure ignore_errors",
    "expected optional: true (a failure is a warning)",
  ],
  ["timeout-minutes timeout_minutes timeout_in_minutes", 'expected timeout, such as "10m"'],
  ["script cmd shell steps commands exec", "expected run: a shell script"],
  ["uses with", "expected run: actions have their place in a workflow's steps"],
  ["dependencies requires after", "expected depends_on (needs is between tasks)"],
  ["matrix strategy parallel foreach for_each with_items", "expected tasks: a value for each"],
  ["runs-on hosts agents nodes", "expected runs_on: all | first | [names or indexes], or role"],
  ["image container services", "expected run with the container tool of the runner"],
  ["environment variables vars", "expected env"],
];
const IN_PLANS: typeof IN_STAGES = [
  ["jobs steps phases tasks pipeline", 'expected "stages"'],
  ["timeout timeout-minutes timeout_minutes max_duration", "expected deadline"],
  ["inputs parameters variables vars", "expected params: { name: { type, default } }"],
  ["environment", "expected env"],
];
const each = (table: typeof IN_STAGES) =>
  table.flatMap(([words, hint]) => words.split(" ").map((word) => [word, hint]));

describe("a word of another tool", () => {
  it("in a stage: each has its own hint", () => {
    const keys = each(IN_STAGES).map(([word]) => `    ${word}: x\n`);
    expect(said(`stages:\n  - name: a\n    run: x\n${keys.join("")}`)).toEqual(
      each(IN_STAGES).map(([word, hint], index) => `p:${index + 4}:5: error: unknown key "${word}", ${hint}`),
    );
  });

  it("among the plan's own keys, too", () => {
    const keys = each(IN_PLANS).map(([word]) => `${word}: {}\n`);
    expect(said(keys.join("") + one("{ name: a, run: x }"))).toEqual(
      each(IN_PLANS).map(([word, hint], index) => `p:${index + 1}:1: error: unknown key "${word}", ${hint}`),
    );
  });

  it.each([
    ["int", "integer"],
    ["float", "number"],
    ["bool", "boolean"],
    ["str", "string"],
  ])("for a type: %s is %s, and nothing is said of values of a type that is not known", (type, meant) => {
    expect(said(`params: { n: { type: ${type}, default: x, enum: [x, 1] } }\n${one("{ name: a, run: x }")}`)).toEqual([
      `p:1:22: error: type: expected string | integer | number | boolean (did you mean "${meant}"), got "${type}"`,
    ]);
  });

  it.each(["{ http: x, interval: 3 }", "{ log: done }", "[1]", "soon"])("for ready: %s", (ready) => {
    expect(said(one(`{ name: a, run: x, background: true, ready: ${ready} }`))).toEqual([
      expect.stringMatching(
        /^p:2:49: error: ready: expected {port: 5432} or {run: "curl .*"}, a command that succeeds/,
      ),
    ]);
  });
});

describe("an expression of GitHub's", () => {
  it.each([
    ['{ name: a, run: "echo ${{ github.sha }}" }', "2:21: warning: run"],
    ["{ name: a, command: x, args: ['${{ x }}'] }", "2:35: warning: args"],
    ["{ name: a, run: x, env: { A: '${{ x }}' } }", "2:34: warning: A"],
  ])("is warned of where it stands: %s", (stage, where) => {
    expect(said(one(stage))).toEqual([
      expect.stringContaining(`p:${where}: GitHub evaluates \${{ … }} in workflows only`),
    ]);
  });

  it("is no shell's own braces", () => {
    expect(said(one("{ name: a, run: 'echo ${A} {{b}} $ {{' }"))).toEqual([]);
  });
});

describe("a stage that can only fail", () => {
  it("is no stage whose command is only wrong", () => {
    expect(said(one("{ name: prepare, expected_objects: 1, run: 3 }")).join()).not.toContain("can only fail");
  });

  it.each(["expected_objects: 1", "expected_tasks: 1", "expect: { rate: '> 1' }"])("is warned of: %s", (key) => {
    expect(said(one(`{ name: prepare, ${key} }`))).toEqual([
      expect.stringMatching(
        /^p:2:22: warning: \w+: without a command nothing is ever told, so the stage can only fail/,
      ),
    ]);
  });

  it.each(["{ name: prepare, expected_objects: 0 }", "{ name: prepare, expected_objects: 1, run: x }"])(
    "is none of these: %s",
    (stage) => {
      expect(said(one(stage))).toEqual([]);
    },
  );
});

describe("a file of another kind", () => {
  const workflow = "on: push\njobs: { a: { steps: [] } }\n";
  const policy = one("{ name: a, enter: { draft: false } }");
  const plan = one("{ name: a, run: x }");
  const action = "name: a\nruns: { using: node24, main: x }\n";
  it.each([
    [workflow, "workflow"],
    [policy, "policy"],
    ["extends: org/.github\n", "policy"],
    [plan, "plan"],
    ["workload: { prepare: x }\n", "plan"],
    [action, "action"],
    ["jobs: {}\n", null],
    ["stages: []\n", null],
    // Of both: whoever reads it says what is wrong.
    [one("{ name: a, run: x, gate: true }"), null],
    ["- a\n", null],
    // A key of both kinds of files, or of a list of none.
    ["jobs: { a: {} }\nfoo: 1\n", null],
    ["jobs: 3\nname: x\n", null],
    ["name: a\nruns: { foo: 1 }\n", null],
    ["name: a\nruns: x\n", null],
    ["stages: { a: { run: x } }\n", null],
    ["stages: [x, ~, { run: x }]\n", "plan"],
    ["stages: [x, ~, { gate: x }]\n", "policy"],
  ])("%j is told to be one", (text, kind) => {
    expect(fileKindOf(readYaml(text))).toBe(kind);
  });

  it.each<[string, (key: string) => object, string]>([
    ["on true permissions concurrency name", (key) => ({ jobs: {}, [key]: 1 }), "workflow"],
    ["extends on_push operators task_id max_rounds opt_out_label", (key) => ({ [key]: 1 }), "policy"],
    ["distributed workload params barrier_sync liveness assembly tree_creation_mode", (key) => ({ [key]: 1 }), "plan"],
    ["enter on_enter on_back gate owner max_age", (key) => ({ stages: [{ name: 1, [key]: 1 }] }), "policy"],
    ["run command type completion duration barrier repeat", (key) => ({ stages: [{ name: 1, [key]: 1 }] }), "plan"],
  ])("is known by any of its keys: %s", (keys, file, kind) => {
    for (const key of keys.split(" ")) expect([key, fileKindOf(file(key))]).toEqual([key, kind]);
  });

  it("is told once, at its beginning, instead of each of its keys", () => {
    const told = (text: string) => said(text).join();
    expect(told(workflow)).toMatch(/^p:1:1: error: this is a workflow of GitHub Actions, not a plan: expected [^,]+$/);
    expect(told(action)).toMatch(/^p:1:1: error: this is the metadata of an action, not a plan: expected [^,]+$/);
    expect(told(policy)).toMatch(/^p:1:1: error: this is a policy, not a plan: expected [^,]+$/);
    for (const text of [workflow, action, plan]) {
      const problems = readPolicy(text, "p").problems.map(formatProblem);
      expect(problems.join()).toMatch(
        /^p:1:1: error: this is [^,]+, not a policy: expected stages with conditions \(enter\)/,
      );
    }
  });
});
