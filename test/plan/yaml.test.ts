import { describe, expect, it } from "vitest";
import { formatProblem, readPlan } from "../../src/plan/read.ts";

/** Where something is wrong, how badly, and with which key (or the first words): `line:column error key`. */
function places(text: string | Uint8Array, params: Record<string, string> = {}): string[] {
  return readPlan(text, "p", { params }).problems.map(({ line, column, severity, message }) => {
    const key = /^[\w.]+(?=:)/.exec(message)?.[0];
    const about = key ?? message.split(" ").slice(0, 3).join(" ");
    return `${line}:${column} ${severity} ${about}`;
  });
}

/** All of it in one text. */
function said(text: string, params: Record<string, string> = {}): string {
  return readPlan(text, "p", { params }).problems.map(formatProblem).join("\n");
}

describe("YAML", () => {
  it.each<[string, string | Uint8Array, string[]]>([
    ["a key that is no text", "? [a]\n: 1\nstages: [{ name: a, run: x }]\n", ["1:3 error expected a key"]],
    ["a key that is a truth", "true: 1\nstages: [{ name: a, run: x }]\n", ["1:1 error expected a key"]],
    ["a number that is none", "env: { A: .inf }\nstages: [{ name: a, run: x }]\n", ["1:11 error expected a finite"]],
    ["a NUL character", 'stages: [{ name: a, run: "a\\0b" }]\n', ["1:26 error a NUL character"]],
    ["a NUL byte", "stages: [{ name: a, run: 'a\0b' }]\n", ["1:1 error the file is"]],
    ["nothing but null", "null\n", ["1:1 error the file says"]],
    ["a text", "hello\n", ["1:1 error expected a mapping"]],
    ["a key without a value", "stages:\n", ["1:8 error stages"]],
    ["a byte order mark", "\ufeffstages: [{ name: a, run: x }]\n", []],
    ["a byte order mark in bytes", new TextEncoder().encode("\ufeffstages: [{ name: a, run: x }]\n"), []],
    ["a list in a list", "stages: [[{ name: a, run: x }]]\n", ["1:10 error stages.0"]],
  ])("%s", (_name, text, expected) => {
    expect(places(text)).toEqual(expected);
  });

  it("a mistake that is easily made is told with what to do", () => {
    expect(said("stages:\n\t- name: a\n")).toContain("indent with spaces");
    expect(said("stages: [\n{ name: a\nrun: x }]\n")).not.toContain("\u0000");
    expect(said("a: [1\nb: 2\n")).toContain("is a ] or } missing before?");
  });

  it("keys that are numbers keep their spelling", () => {
    const read = readPlan("stages: [{ name: a, run: x, tasks: ['010', '1.50'], needs: { 010: [1.50] } }]\n", "p");
    expect(read.problems.map(formatProblem)).toEqual([
      'p:1:68: error: needs: there is no task "1.5"; did you mean "1.50"?',
    ]);
  });
});
