import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CommandFileProblem,
  createCommandFiles,
  parseNamesAndValues,
  readCommandFiles,
  SUMMARY_LIMIT,
} from "../../../src/sandbox/runner/command-files.ts";
import { directoryWith } from "./builders.ts";

describe("names and values", () => {
  test.each([
    ["a=1\nb=2\n", { a: "1", b: "2" }],
    ["a=x=y<<z\n", { a: "x=y<<z" }],
    ["a<<EOF\none\n\ntwo\nEOF\nb=1", { a: "one\n\ntwo", b: "1" }],
    ["a<<E=F\nx\nE=F\n", { a: "x" }],
    ["a<<EOF\r\none\r\nEOF\r\n", { a: "one" }],
    ["a<<EOF\nEOF\n", { a: "" }],
    ["a=\n", { a: "" }],
    ["\n\na=1\n\n", { a: "1" }],
  ])("%j", (text, expected) => {
    expect(Object.fromEntries(parseNamesAndValues(text))).toEqual(expected);
  });

  test.each(["novalue", "=x", "<<EOF\nx\nEOF", "a<<\nx\n", "a<<EOF\nx\n"])("%j is refused", (text) => {
    expect(() => parseNamesAndValues(text)).toThrow(CommandFileProblem);
  });

  test("whatever @actions/core writes comes back", () => {
    const value = fc.string({ unit: "binary" }).filter((text) => !/\r/.test(text));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z_][\w-]{0,8}$/), value), (pairs) => {
        const text = Object.entries(pairs)
          .map(([name, body]) => `${name}<<ghadelimiter_1\n${body}\nghadelimiter_1\n`)
          .join("");
        expect(new Map(parseNamesAndValues(text))).toEqual(new Map(Object.entries(pairs)));
      }),
    );
  });
});

test("a summary over 1 MiB is not taken, and the step is told", async () => {
  const files = await createCommandFiles(await directoryWith({}));
  await writeFile(files.GITHUB_STEP_SUMMARY, "x".repeat(SUMMARY_LIMIT + 1));
  const read = await readCommandFiles(files);
  expect(read.summary).toBe("");
  expect(read.problems).toEqual([
    { fatal: false, message: expect.stringContaining("supports content up to a size of 1024k") },
  ]);
});

test("NODE_OPTIONS cannot be set for later steps", async () => {
  const files = await createCommandFiles(await directoryWith({}));
  await writeFile(files.GITHUB_ENV, "A=1\nNODE_OPTIONS=--inspect\n");
  const read = await readCommandFiles(files);
  expect([...read.env]).toEqual([["A", "1"]]);
  expect(read.problems).toHaveLength(1);
});
