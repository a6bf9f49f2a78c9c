/** Whatever a file holds, each command that reads one ends with what it made of it, or with a place and no stack. */
import { describe, expect, it } from "vitest";
import { convertBench } from "../../src/plan/conversion/convert.ts";
import { formatProblem, readPlan } from "../../src/plan/read.ts";
import { readResult } from "../../src/report/record/read-result.ts";
import { readSavedRun } from "../../src/run/resume/read-saved-run.ts";

const SIZE = 48 * 1024;
const repeated = (unit: string, before = "", after = ""): Buffer =>
  Buffer.from(before + unit.repeat(Math.ceil(SIZE / unit.length)) + after);
const numbered = (line: (n: number) => string, before = "", after = ""): Buffer =>
  Buffer.from(before + Array.from({ length: SIZE / 16 }, (_, n) => line(n)).join("") + after);

/** With what the reader would look for at their beginning, so that it does not end before them. */
const texts = (before: string, after: string): Readonly<Record<string, Buffer>> => ({
  nothing: Buffer.alloc(0),
  NULs: Buffer.alloc(SIZE),
  "wrong UTF-8": Buffer.alloc(SIZE, 0xff),
  "UTF-8 that is cut off": Buffer.concat([repeated("x", before), Buffer.from([0xe2, 0x82])]),
  "half of a surrogate pair": Buffer.from(`${before}"\\ud800"${after}`),
  "byte order marks": repeated("\ufeff"),
  "lists that are never closed": repeated("[", before),
  "lists in lists": Buffer.from(`${before}${"[".repeat(SIZE / 2)}${"]".repeat(SIZE / 2)}${after}`),
  "mappings in mappings": repeated('{"a":', before),
  "many empty mappings": repeated("{},", before, `{}${after}`),
  "many keys": numbered((n) => `"k${n}":${n},`, `${before}{`, `"z":1}${after}`),
  "a key many times": repeated('"a":1,', `${before}{`, `"a":1}${after}`),
  "a long key": repeated("k", `${before}{"`, `":1}${after}`),
  "a long line": repeated("x", `${before}"`, `"${after}`),
  "many lines": repeated("\n"),
  escapes: repeated("\\u0000", `${before}"`, `"${after}`),
  "names of Object's own": Buffer.from(`${before}{"__proto__":{"x":1},"constructor":1,"toString":1}${after}`),
  "aliases of aliases": numbered(
    (n) => `a${n}: &a${n} [*a${Math.max(0, n - 1)}, *a${Math.max(0, n - 1)}]\n`,
    "a: &a0 [x]\n",
  ),
  "YAML lists in lists": repeated("- "),
  "colons and quotes": repeated(": '\"|>\n", before),
});

const formatted = ({
  problems,
}: {
  readonly problems: Parameters<typeof formatProblem>[0][] | readonly Parameters<typeof formatProblem>[0][];
}) => problems.map(formatProblem);

const READERS: readonly (readonly [
  name: string,
  before: string,
  after: string,
  read: (bytes: Buffer) => readonly string[],
])[] = [
  ["validate", "stages: ", "", (bytes) => formatted(readPlan(bytes, "f"))],
  ["convert", "workload: ", "", (bytes) => formatted(convertBench(bytes, "f"))],
  ["report", '{"schema_version": 1, "phase_results": [', "]}", (bytes) => formatted(readResult(bytes, "f"))],
  [
    "--load-state",
    '{"version": 1, "global_context": {"a": [',
    "]}}",
    (bytes) => {
      const read = readSavedRun(bytes);
      return "problems" in read ? read.problems.map((line) => `f:${line}`) : [];
    },
  ],
];

describe.each(READERS)("%s", (_name, before, after, read) => {
  it.each(Object.entries(texts(before, after)))("of %s", (_what, bytes) => {
    const said = read(bytes);
    expect(said.length).toBeLessThanOrEqual(101);
    for (const line of said) {
      expect(line).toMatch(/^f:(?:\d+:\d+: |[\w.]+: |and \d+ more )/u);
      expect(line.length).toBeLessThan(5_000);
      expect(line).not.toMatch(/[\n\0]|\bat .*\.ts:\d/u);
    }
  });
});
