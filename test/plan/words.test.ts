import { describe, expect, it } from "vitest";
import { HOST_AND_PORT, hostOf, joinAddress, splitAddress } from "../../src/plan/parsing/address.ts";
import { formatDuration, parseDuration } from "../../src/plan/parsing/duration.ts";
import { escapeUnprintable, PRINTABLE, withoutUnprintable } from "../../src/plan/parsing/names.ts";
import { Problems, quote, suggestion } from "../../src/plan/parsing/problems.ts";

describe("a value in a message", () => {
  it.each<[unknown, string]>([
    ["a b", '"a b"'],
    ['a"\n\u202e\u0085', '"a\\"\\n\\u202e\\u0085"'],
    ["x".repeat(60), `"${"x".repeat(60)}"`],
    ["x".repeat(61), `"${"x".repeat(59)}…"`],
    [1.5, "1.5"],
    [true, "true"],
    [3n, "3"],
    [undefined, "nothing"],
    [null, "nothing"],
    [[], "an empty list"],
    [[1], "a list"],
    [{}, "a mapping"],
    [() => 1, "function"],
    [Symbol("a"), "symbol"],
  ])("%o is shown as %s", (value, shown) => {
    expect(quote(value)).toBe(shown);
  });
});

describe("a misspelt word", () => {
  it.each<[string, readonly string[], string | null]>([
    ["stagse", ["agents", "stages"], "stages"],
    ["timeuot", ["timeout", "duration"], "timeout"],
    ["max-attempts", ["max_attempts"], "max_attempts"],
    ["a-b-c-d", ["a_b_c_d"], "a_b_c_d"],
    ["rnu", ["run"], "run"],
    ["NAME", ["name"], "name"],
    ["x", ["y"], null],
    ["x", ["X"], "X"],
    ["run", ["ruin"], "ruin"],
    ["run", ["rain"], null],
    ["args", ["barge"], "barge"],
    ["args", ["largest"], null],
    ["abcdefghi", ["abcdefxyz"], "abcdefxyz"],
    ["abcdefghi", ["abcdewxyz"], null],
    // The nearer of two, and of two that are as near the first.
    ["barier", ["carrier", "barrier"], "barrier"],
    ["bat", ["cat", "hat"], "cat"],
    ["something else", [], null],
    [`${"a".repeat(64)}`, [`${"a".repeat(63)}b`], `${"a".repeat(63)}b`],
    [`${"a".repeat(65)}`, [`${"a".repeat(64)}b`], null],
  ])("%s among %o", (word, known, best) => {
    expect(suggestion(word, known)).toBe(best === null ? "" : `; did you mean "${best}"?`);
  });
});

describe("a list of problems", () => {
  const at = (line: number, column = 1) => ({ line, column });

  it("is in the file's order, each told once", () => {
    const problems = new Problems("f");
    problems.error(at(3), "third");
    problems.warning(at(2, 5), "second");
    problems.error(at(2, 4), "b");
    problems.error(at(2, 4), "a");
    problems.error(at(3), "third");
    expect(problems.list().map(({ severity, line, message }) => `${line} ${severity} ${message}`)).toEqual([
      "2 error a",
      "2 error b",
      "2 warning second",
      "3 error third",
    ]);
    expect(problems.list()[0]).toEqual({ severity: "error", file: "f", line: 2, column: 4, message: "a" });
  });

  it("has errors when one is no warning", () => {
    const problems = new Problems("f");
    problems.warning(at(1), "a");
    expect(problems.hasErrors).toBe(false);
    problems.error(at(1), "b");
    expect(problems.hasErrors).toBe(true);
  });

  it.each<[number, number, string | undefined]>([
    [100, 0, undefined],
    [90, 20, "warning and 10 more problems in this file"],
    [101, 5, "error and 6 more problems in this file"],
    [100, 1, "warning and 1 more problems in this file"],
  ])("of %i errors and %i warnings shows a hundred, the errors first", (errors, warnings, rest) => {
    const problems = new Problems("f");
    for (let line = 1; line <= warnings; line++) problems.warning(at(line), "w");
    for (let line = errors; line >= 1; line--) problems.error(at(line, 2), "e");
    const listed = problems.list();
    const last = listed[100];
    expect(last && `${last.severity} ${last.message}`).toBe(rest);
    expect(listed.slice(0, 100).filter(({ severity }) => severity === "error").length).toBe(Math.min(100, errors));
    expect(listed.filter(({ severity }) => severity === "error")[0]?.line).toBe(1);
    expect(listed.map(({ line }) => line)).toEqual(listed.map(({ line }) => line).sort((a, b) => a - b));
  });

  it("suggests no more once it is longer than what is shown: each costs a comparison", () => {
    const problems = new Problems("f");
    for (let line = 1; line <= 101; line++) {
      expect(problems.suggest("abc", ["abd"])).not.toBe("");
      problems.error(at(line), "e");
    }
    expect(problems.suggest("abc", ["abd"])).toBe("");
    const others = Array.from({ length: 1_000 }, (_, index) => `other-word-${index}`);
    expect(new Problems("f").suggest("abc", [...others, "abd"])).toBe("");
    expect(new Problems("f").suggest("abc", [...others.slice(1), "abd"])).not.toBe("");
  });
});

describe("addresses", () => {
  it.each<[string, string | null, number | null]>([
    ["node1:7761", "node1", 7761],
    ["node1", "node1", null],
    ["[fd00::1]:80", "fd00::1", 80],
    ["[::]", "::", null],
    [":80", null, 80],
    ["", null, null],
    ["n:65535", "n", 65_535],
    ["n:0", "n", 0],
  ])("%s", (text, host, port) => {
    expect(splitAddress(text)).toEqual({ host, port });
    expect(hostOf(text)).toBe(host);
    if (host !== null) expect(joinAddress(host, port)).toBe(text);
  });

  it.each(["n:65536", "a b", "-n:1", "fd00::1", "n:", "n:x", "n:1:2", "[n]:1"])("%s is none", (text) => {
    expect(() => splitAddress(text)).toThrow("no address");
    expect(HOST_AND_PORT.test(text) && !text.endsWith("65536")).toBe(false);
  });
});

describe("names", () => {
  it("are printable, or shown with what is not", () => {
    expect(PRINTABLE.test("größe 1")).toBe(true);
    for (const hidden of ["", "a\n", "a\u202eb", "\ufeffa", "\ud800", "\u200f"])
      expect(PRINTABLE.test(hidden)).toBe(false);
    expect(escapeUnprintable("a\u202eb\n\ud800c")).toBe("a\\u202eb\\u000a\\ud800c");
    expect(withoutUnprintable("a\u202eb\n\ud800c")).toBe("abc");
  });
});

describe("durations", () => {
  it.each<[string | number, number | null]>([
    [0, 0],
    [0.0004, 0],
    [0.0006, 1],
    [Number.POSITIVE_INFINITY, null],
    [Number.NaN, null],
    [" 5m ", 300_000],
    ["0.5d", 43_200_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["1.0005s", 1_001],
    ["1.5", 1_500],
    ["1m1m", null],
    [`${"0".repeat(63)}1`, 1_000],
    [`${"0".repeat(64)}1`, null],
  ])("%s is %s ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each<[number, string]>([
    [0, "0s"],
    [0.4, "0s"],
    [1, "1ms"],
    [93_784_005, "1d2h3m4s5ms"],
    [60_000, "1m"],
  ])("%s ms are %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
