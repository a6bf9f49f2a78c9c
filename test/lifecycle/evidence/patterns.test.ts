import { describe, expect, it } from "vitest";
import { globProblem, matcher } from "../../../src/lifecycle/evidence/globs.ts";
import { isPattern, labelMatcher, literalName, nameMatcher } from "../../../src/lifecycle/evidence/name-patterns.ts";

describe("globs", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["a.ts", ["a.ts"], ["ab.ts", "a.tsx", "x/a.ts", ""]],
    ["*.md", [".md", "a.md"], ["x/a.md", "a.mdx"]],
    ["a?c", ["abc", "a😀c"], ["ac", "a/c", "abbc"]],
    ["src/**", ["src/", "src/a", "src/a/b"], ["src", "asrc/a"]],
    ["**/a.ts", ["a.ts", "x/a.ts", "x/y/a.ts"], ["xa.ts", "x/ba.ts", "/b.ts"]],
    ["src/**/a.ts", ["src/a.ts", "src/x/a.ts", "src/x/y/a.ts"], ["srca.ts", "src/xa.ts", "src/a.ts/b"]],
    ["a**b", ["ab", "axb", "a/x/b"], ["a/x/c"]],
    ["***", ["", "a", "a/b"], []],
    ["[a-c]x", ["ax", "bx", "cx"], ["dx", "x", "a"]],
    ["[^a-c]x", ["dx", "-x"], ["ax", "/x"]],
    ["[ab-]", ["a", "b", "-"], ["c"]],
    ["[/]", [], ["/"]],
    ["{a,b/c}.ts", ["a.ts", "b/c.ts"], ["b.ts", "a,b/c.ts"]],
    ["{a,}b{1,2}", ["ab1", "b2"], ["a1", "ab"]],
    ["", [""], ["a"]],
  ])("%j", (glob, matching, others) => {
    expect(globProblem(glob)).toBeNull();
    const matches = matcher([glob]);
    expect(matching.filter((path) => !matches(path))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it("any of several is enough, none is never", () => {
    expect(matcher(["a", "b"])("b")).toBe(true);
    expect(matcher([])("")).toBe(false);
  });

  it.each([
    "!a",
    "a(b)",
    "a\\b",
    "{a",
    "a}",
    "{a,{b,c}}",
    "[a",
    "a]",
    "[]",
    "[[a]",
    "{[a,b]}",
    "[c-a]",
    "[^z-a]",
    `${"{a,b}".repeat(7)}`,
  ])("%j cannot be used", (glob) => {
    expect(globProblem(glob)).toMatch(/^expected a glob/);
  });

  it("braces may stand for 64, and a range for one character", () => {
    expect(globProblem("{a,b}".repeat(6))).toBeNull();
    expect(globProblem("[a-a]")).toBeNull();
    expect(globProblem("[z-a]")).toContain('"a-z" for "z-a"');
  });
});

describe("patterns of names", () => {
  it.each<[string, boolean, readonly string[], readonly string[]]>([
    ["build", false, ["build"], ["build ", "xbuild", "Build"]],
    ["build (*", true, ["build (", "build (a, 1)"], ["build", "xbuild ("]],
    ["*", true, ["", "a/b"], []],
    ["a*a", true, ["aa", "aba"], ["a", "ab", "ba"]],
    ["a*b*c", true, ["abc", "a-b-c", "abbc", "abcbc"], ["acb", "ab", "ac"]],
    ["*ab*ab", true, ["abab", "xabab"], ["ab", "aab"]],
    ["a\\*", false, ["a*"], ["a", "ab", "a\\*"]],
    ["\\**", true, ["*", "*x"], ["x"]],
    ["a**b", true, ["ab", "axb"], ["a"]],
  ])("%j", (pattern, several, matching, others) => {
    expect(isPattern(pattern)).toBe(several);
    const matches = nameMatcher(pattern);
    expect(matching.filter((name) => !matches(name))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it("without wildcards stand for one name", () => {
    expect([literalName("a\\*b"), literalName("a"), literalName("\\*\\*")]).toEqual(["a*b", "a", "**"]);
  });

  it("of labels do not look at the case", () => {
    expect(["Do-Not-Merge/x", "do-not-merge/"].filter(labelMatcher("do-NOT-merge/*"))).toHaveLength(2);
    expect(labelMatcher("A")("b")).toBe(false);
  });
});
