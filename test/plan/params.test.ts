import { describe, expect, it } from "vitest";
import { PLAN_BOUNDS } from "../../src/plan/bounds.ts";
import { readPlan } from "../../src/plan/read.ts";

/** Where something is wrong, how badly, and with which key (or the first words): `line:column error key`. */
function places(text: string | Uint8Array, params: Record<string, string> = {}): string[] {
  return readPlan(text, "p", { params }).problems.map(({ line, column, severity, message }) => {
    const key = /^[\w.]+(?=:)/.exec(message)?.[0];
    const about = key ?? message.split(" ").slice(0, 3).join(" ");
    return `${line}:${column} ${severity} ${about}`;
  });
}

describe("parameters", () => {
  const use = (declaration: string, field = "'{{params.p}}'"): string =>
    `params: { p: ${declaration} }\nenv: { V: ${field} }\nstages: [{ name: a, run: x }]\n`;
  const value = (declaration: string, given?: string): unknown =>
    readPlan(use(declaration), "p", { params: given === undefined ? {} : { p: given } }).plan?.params.p;

  it.each<[string, string | undefined, unknown]>([
    ["{ default: x }", undefined, "x"],
    ["{ default: x }", "y", "y"],
    ["{ default: x }", "", ""],
    ["{ type: string }", "7", "7"],
    ["{ type: integer }", "-7", -7],
    ["{ type: integer }", "9007199254740991", 9_007_199_254_740_991],
    ["{ type: integer }", "9007199254740993", undefined],
    ["{ type: integer }", "1.0", undefined],
    ["{ type: integer, default: 1 }", "", undefined],
    ["{ type: number }", "-1.5e-3", -0.0015],
    ["{ type: number }", "1e999", undefined],
    ["{ type: number }", "0x10", undefined],
    ["{ type: boolean }", "true", true],
    ["{ type: boolean }", "false", false],
    ["{ type: boolean }", "TRUE", undefined],
    ["{ type: boolean, default: false }", undefined, false],
    ["{ type: integer, default: 1.5 }", undefined, undefined],
    ["{ type: number, default: true }", undefined, undefined],
    ["{ default: 1 }", undefined, undefined],
    ["{ enum: [x, y] }", "y", "y"],
    ["{ enum: [x, y] }", "z", undefined],
    ["{ enum: [x, y], default: z }", undefined, undefined],
    ["{ type: integer, enum: [x] }", "1", undefined],
    ["{}", "a\0b", undefined],
    ["{}", "x".repeat(PLAN_BOUNDS.param), "x".repeat(PLAN_BOUNDS.param)],
    ["{}", "x".repeat(PLAN_BOUNDS.param + 1), undefined],
  ])("%s given as %o", (declaration, given, expected) => {
    expect(value(declaration, given)).toBe(expected);
  });

  it.each<[string, string, Record<string, string>, string[]]>([
    ["no mapping of them", "params: [a]\nstages: [{ name: a, run: x }]\n", {}, ["1:9 error params"]],
    ["no mapping of one", "params: { a: 3 }\nstages: [{ name: a, run: x }]\n", {}, ["1:14 error params.a"]],
    [
      "a name that is none",
      "params: { a-b: { default: x } }\nstages: [{ name: a, run: x }]\n",
      {},
      ['1:11 error params."a-b": expected a'],
    ],
    [
      "two names of one variable",
      "params: { a: { default: x }, A: { default: x } }\nstages: [{ name: a, run: x }]\n",
      {},
      ["1:30 error params.A and params.a"],
    ],
    ["a default that is not among its values", use("{ enum: [x], default: y }"), {}, ['1:36 error the parameter "p"']],
    ["a given value that is not among its values", use("{ enum: [x] }"), { p: "y" }, ['1:11 error the parameter "p"']],
    ["a choice of another type", use("{ type: integer, enum: [1, x], default: 1 }"), {}, ["1:41 error params.p.enum"]],
    ["a default of another shape, told once", use("{ default: [1] }"), {}, ["1:25 error default"]],
    ["an unknown key of one", use("{ defualt: x, default: y }"), {}, ['1:16 error unknown key "defualt";']],
    [
      "one that nobody declares, though it is misspelt",
      use("{ default: x }"),
      { pp: "1" },
      ['1:1 error the parameter "pp"'],
    ],
    ["a placeholder of nobody", use("{ default: x }", "'a {{params.q}} b'"), {}, ['2:11 error unknown parameter "q",']],
    [
      "a placeholder in each kind of command",
      "params: { p: { default: x } }\nworkload: { prepare: '{{params.p}}' }\nstages:\n  - { name: prepare }\n  - { name: b, command: '{{params.p}}', args: ['{{ params.p }}'], tasks: { from: '{{params.p}}' } }\n",
      {},
      [
        "2:22 warning parameters are not",
        "5:25 warning parameters are not",
        "5:48 warning parameters are not",
        "5:82 warning parameters are not",
      ],
    ],
  ])("%s", (_name, text, params, expected) => {
    expect(places(text, params)).toEqual(expected);
  });

  it("a text that is one placeholder becomes the value, in a longer one its spelling is put in", () => {
    const text = `params: { n: { type: integer, default: 2 }, s: { default: "a b" } }
env: { run: "{{params.s}}", ONE: " {{params.n}} ", TWO: "{{params.n}}{{params.n}}", THREE: "{{ params.s }}!" }
stages:
  - { name: a, run: x, max_duration: "{{params.n}}m", type: validation }
  - repeat: "{{params.n}}"
    stages:
      - { name: b, run: x, env: { command: "{{params.n}}" }, tasks: [{ from: "{{params.n}}" }, "{{params.s}}", { id: 1, in: { run: "{{params.n}}" } }] }
`;
    const read = readPlan(text, "p").plan;
    expect(read?.env).toEqual({ run: "a b", ONE: "2", TWO: "22", THREE: "a b!" });
    expect(read?.stages.map(({ name }) => name)).toEqual(["a", "b-1", "b-2"]);
    expect(read?.stages[0]?.maxDurationMs).toBe(120_000);
    expect(read?.stages[1]).toMatchObject({
      env: { command: "2" },
      tasks: { source: { values: [{ from: 2 }, "a b", { id: 1, in: { run: 2 } }] } },
    });
  });
});
