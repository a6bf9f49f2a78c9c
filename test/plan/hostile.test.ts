import { describe, expect, it } from "vitest";
import { formatProblem, readPlan } from "../../src/plan/read.ts";

/** Far above what any of them takes, far below what a missing bound would cost. */
const SECONDS = 10_000;

describe("a hostile file is refused with a clear error, soon", () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ["10 MB", "a: b\n".repeat(2_000_000), /^p:1:1: error: the file has 10000000 bytes, expected at most 1048576/],
    ["50,000 open brackets", `a: ${"[".repeat(50_000)}`, /^p:1:\d+: error: lists and mappings stand more than 62 deep/],
    ["50,000 list signs", "- ".repeat(50_000), /stand more than 62 deep/],
    [
      "an alias bomb",
      "a: &a [x, x]\nb: &b [*a, *a]\nstages: [*b, *b]\n",
      /^p:2:8: error: aliases \(\*name\) are not allowed/m,
    ],
    [
      "__proto__ keys",
      "__proto__: { x: 1 }\nstages: [{ name: a, run: x }]\n",
      /^p:1:1: error: the key "__proto__" is not allowed/,
    ],
    [
      "names of Object's own",
      "params: { x: { type: constructor } }\ntoString: 1\nstages: [{ name: a, run: x }]\n",
      /^p:2:1: error: unknown key "toString"/m,
    ],
    [
      "a program",
      new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff]),
      /^p:1:1: error: the file is not text in UTF-8/,
    ],
    ["wrong UTF-8", new Uint8Array([0xc3, 0x28]), /^p:1:1: error: the file is not text in UTF-8/],
    ["an empty file", "", /^p:1:1: error: the file is empty/],
    ["only a comment", "# nothing\n", /^p:1:1: error: the file says nothing/],
    ["a list", "- a\n", /^p:1:1: error: expected a mapping/],
    ["two documents", "stages: [{ name: a, run: x }]\n---\na: 1\n", /^p:2:1: error: a second document/],
    ["a key twice", "stages: [{ name: a, run: x, run: y }]\n", /^p:1:29: error: the key "run" stands here twice/],
    ["a tag", "stages: !!js/function x\n", /not valid YAML/],
    [
      "100,000 keys",
      Array.from({ length: 100_000 }, (_, i) => `k${i}: 1\n`).join(""),
      /more than 80000 words and signs/,
    ],
    [
      "10,000 unknown keys",
      Array.from({ length: 10_000 }, (_, i) => `k${i}: 1\n`).join(""),
      /and 9901 more problems in this file$/,
    ],
    [
      "repetition in repetition",
      `stages: ${"[{ repeat: 1000, stages: ".repeat(9)}[{ name: a, run: x }]${"}]".repeat(9)}`,
      /expected at most 1000/,
    ],
    [
      "a long value in many places",
      `params: { a: { default: ${"x".repeat(9_000)} } }\nstages: [{ name: a, run: x }]\nenv:\n${Array.from({ length: 5000 }, (_, i) => `  A${i}: "{{params.a}}!"\n`).join("")}`,
      /would be longer than 1048576 characters together/,
    ],
  ])("%s", (_, content, expected) => {
    const start = performance.now();
    const { plan, problems } = readPlan(content, "p");
    expect(performance.now() - start).toBeLessThan(SECONDS);
    expect(plan).toBeNull();
    expect(problems.map(formatProblem).join("\n")).toMatch(expected);
    expect(problems.length).toBeLessThanOrEqual(101);
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
  });
});
