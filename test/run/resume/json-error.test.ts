import { describe, expect, it } from "vitest";
import { excessAt, jsonErrorAt } from "../../../src/run/resume/json-error.ts";

const WHOLE =
  ' {"a":[1,-2.5e+3, 0,-0.5,10E5,7e-10,{"b\\n\\u0aF9":null}],\t"":true,\r"d" : false,"e\\\\":"x\\"",\n"f":{},"g":[ ]} ';

/** The place as an offset, in a text of one line. */
const offset = (text: string): number => jsonErrorAt(text).column - 1;

describe("where a text ceases to be JSON", () => {
  it("is its end, where that comes too early", () => {
    expect(() => JSON.parse(WHOLE)).not.toThrow();
    const flat = WHOLE.replaceAll("\n", " ");
    const last = flat.lastIndexOf("}");
    for (let length = 0; length <= last; length++)
      expect([length, offset(flat.slice(0, length))]).toEqual([length, length]);
    expect(offset(flat)).toBe(flat.length);
  });

  it("is what can stand nowhere, wherever it stands", () => {
    const flat = WHOLE.replaceAll("\n", " ");
    for (let at = 0; at <= flat.length; at++)
      expect([at, offset(`${flat.slice(0, at)}\u0001${flat.slice(at)}`)]).toEqual([at, at]);
  });

  it.each([
    ["]", 0],
    ["+1", 0],
    [".5", 0],
    ["x", 0],
    ["01", 1],
    ["-01", 2],
    ["--1", 1],
    ["1.", 2],
    ["1.e5", 2],
    ["1.+5", 2],
    ["[1.,2]", 3],
    ["[1e,2]", 3],
    ["[1e+,2]", 4],
    ["1e+", 3],
    ["1e++1", 3],
    ["1ee1", 2],
    ["1.5.5", 3],
    ["1:", 1],
    ["1/", 1],
    ["1e5.5", 3],
    ["1 2", 2],
    ["1,2", 1],
    ["[1,]", 3],
    ["[,1]", 1],
    ["[1}", 2],
    ["[1 2]", 3],
    ["[]]", 2],
    ["[1]]", 3],
    ["{,}", 1],
    ["{a:1}", 1],
    ["{1:1}", 1],
    ['{"a" 1}', 5],
    ['{"a",1}', 4],
    ['{"a":}', 5],
    ['{"a":1]', 6],
    ['{"a":1,}', 7],
    ['{"a":1,,', 7],
    ['{"a":1 "b"', 7],
    ['{"a":[1}', 7],
    ["[{]", 2],
    ["[}", 1],
    ["{]", 1],
    ["nul!", 3],
    ["trues", 4],
    ["falsE", 4],
    ["tfue", 1],
    ['"\\x"', 2],
    ['"\\u12g4"', 5],
    ['"\\u123/"', 6],
    ['"\\u123:"', 6],
    ['"\\u123`"', 6],
    ['"\\u123G"', 6],
    ['"a\tb"', 2],
    ['["\\,1]', 3],
    ['["\\u12,1]', 6],
    ['{"\\u12:1}', 6],
    ['"a b"c', 5],
  ])("%s: at %i", (text, at) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(offset(text)).toBe(at);
  });

  it("is told by line and column", () => {
    expect(jsonErrorAt("")).toEqual({ line: 1, column: 1 });
    expect(jsonErrorAt("[1,\n2,\n  x]")).toEqual({ line: 3, column: 3 });
    expect(jsonErrorAt("[1,\nx]")).toEqual({ line: 2, column: 1 });
    expect(jsonErrorAt('["a\n"]')).toEqual({ line: 1, column: 4 });
    expect(jsonErrorAt("[1,\n\n")).toEqual({ line: 3, column: 1 });
  });
});

describe("what a text holds too much of", () => {
  const most = (depth: number, values: number, members = 9) => ({ depth, values, members });

  it.each([
    ["[[1]]", most(2, 9), null],
    ["[[1]]", most(1, 9), ["depth", 2]],
    ["{{", most(1, 9), ["depth", 2]],
    ["[],[],{}", most(1, 9), null],
    ["[[],[[", most(2, 9), ["depth", 6]],
    ["1,2,3", most(9, 3), null],
    ["1,2,3", most(9, 2), ["values", 4]],
    ["1", most(9, 1), null],
    ["[1,[2,3],4]", most(9, 9, 3), null],
    ["[1,[2,3],4]", most(9, 9, 2), ["members", 9]],
    ['{"a":[1,2,3]}', most(9, 9, 2), ["members", 10]],
    ["]],1,2", most(9, 2), ["values", 5]],
    ['"[[,,"', most(0, 1), null],
    ['"\\"[", [', most(0, 9), ["depth", 8]],
    ['"a\n[', most(0, 9), ["depth", 2]],
  ] as const)("%s, of %o: %o", (text, bounds, found) => {
    const excess = excessAt(text, bounds);
    expect(excess === null ? null : [excess.what, excess.at.line > 1 ? excess.at.line : excess.at.column]).toEqual(
      found,
    );
  });
});
