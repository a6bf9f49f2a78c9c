import { describe, expect, test } from "vitest";
import {
  callsStatusFunction,
  ExpressionProblem,
  expand,
  expandText,
  holds,
  type Scope,
} from "../../../src/sandbox/runner/expressions.ts";

const scope = (status: "success" | "failure" = "success"): Scope => ({
  contexts: {
    github: { ref: "refs/heads/main", event: { number: 7 }, Actor: "mona" },
    matrix: { os: "linux", size: 3 },
    needs: { a: { outputs: { list: "[1,2]" } } },
  },
  functions: {
    success: () => status === "success",
    failure: () => status === "failure",
    always: () => true,
    cancelled: () => false,
  },
});

describe("templates", () => {
  test.each([
    ["plain", "plain"],
    ["${{ matrix.size }}", 3],
    ["n=${{ matrix.size }}", "n=3"],
    ["${{ github.event.number == 7 }}", true],
    ["${{ 'a }} b' }}", "a }} b"],
    ["${{ github.actor }}", "mona"],
    ["${{ fromJSON(needs.a.outputs.list)[1] }}", 2],
    ["${{ format('{0}-{1}', matrix.os, matrix.nothing) }}", "linux-"],
    ["${{ matrix }}", { os: "linux", size: 3 }],
  ])("%s is %j", (template, value) => {
    expect(expand(template, scope())).toEqual(value);
  });

  test("what is true, null or a number becomes the text that GitHub gives a variable", () => {
    expect(expandText(true, scope())).toBe("true");
    expect(expandText(null, scope())).toBe("");
    expect(expandText("${{ null }}|${{ 1.50 }}|${{ true }}", scope())).toBe("|1.5|true");
  });

  test.each(["${{ nowhere.x }}", "${{ unknown(1) }}", "${{ 1 + }}", "a ${{ b"])("%s is refused", (template) => {
    expect(() => expand(template, scope())).toThrow(ExpressionProblem);
  });
});

describe("conditions", () => {
  test.each([
    [null, "success", true],
    [null, "failure", false],
    ["matrix.size == 3", "success", true],
    ["matrix.size == 3", "failure", false],
    ["always()", "failure", true],
    ["${{ failure() }}", "failure", true],
    ["!cancelled() && matrix.size > 4", "failure", false],
    ["'always()' == 'x'", "failure", false],
    [true, "success", true],
    [false, "success", false],
  ] as const)("%j after %s is %s", (condition, status, expected) => {
    expect(holds(condition, scope(status))).toBe(expected);
  });

  test("a status function inside a string is no status function", () => {
    expect(callsStatusFunction("'always()' == github.ref")).toBe(false);
    expect(callsStatusFunction("ALWAYS () && true")).toBe(true);
  });
});
