import { describe, expect, it } from "vitest";
import type { PreflightCheck, VersionBound } from "../../src/plan/plan.ts";
import { formatProblem, readPlan } from "../../src/plan/read.ts";
import { isVersion, versionIn } from "../../src/plan/version.ts";

const read = (written: string) => readPlan(`stages: [{ name: a, run: x, ${written} }]\n`, "p");
const checkOf = (written: string): PreflightCheck | undefined =>
  read(`checks: [${written}]`).plan?.stages[0]?.checks?.[0];

describe("a check", () => {
  it.each<[string, PreflightCheck | undefined]>([
    ["{ disk: { path: /data, free: 1.5GiB } }", { kind: "disk", path: "/data", freeBytes: 1_610_612_736 }],
    ["{ disk: { path: ., free: 2 TB } }", { kind: "disk", path: ".", freeBytes: 2_000_000_000_000 }],
    ["{ memory: 1kB }", { kind: "memory", availableBytes: 1_000 }],
    ["{ memory: 7 }", { kind: "memory", availableBytes: 7 }],
    ["{ memory: 3B }", { kind: "memory", availableBytes: 3 }],
    ["{ memory: 3 kB }", { kind: "memory", availableBytes: 3_000 }],
    ["{ memory: 3KB }", { kind: "memory", availableBytes: 3_000 }],
    ["{ memory: 3MB }", { kind: "memory", availableBytes: 3_000_000 }],
    ["{ memory: 3GB }", { kind: "memory", availableBytes: 3_000_000_000 }],
    ["{ memory: 3KiB }", { kind: "memory", availableBytes: 3_072 }],
    ["{ memory: 3MiB }", { kind: "memory", availableBytes: 3_145_728 }],
    ["{ memory: 3TiB }", { kind: "memory", availableBytes: 3_298_534_883_328 }],
    ["{ memory: 1.001kB }", { kind: "memory", availableBytes: 1_001 }],
    ["{ memory: 9007199254740991 }", { kind: "memory", availableBytes: Number.MAX_SAFE_INTEGER }],
    ["{ memory: 9007.199254740991TB }", undefined],
    ["{ memory: 0.4B }", undefined],
    ["{ memory: 0.5B }", { kind: "memory", availableBytes: 1 }],
    ["{ memory: 9008TB }", undefined],
    ["{ tool: { name: fio } }", { kind: "tool", name: "fio", version: null }],
    [
      '{ tool: { name: fio, version: "<3" } }',
      { kind: "tool", name: "fio", version: { comparison: "<", numbers: [3] } },
    ],
    ["{ tool: fio }", { kind: "tool", name: "fio", version: null }],
    [
      '{ tool: { name: fio, version: ">= 3.35" } }',
      { kind: "tool", name: "fio", version: { comparison: ">=", numbers: [3, 35] } },
    ],
    ["{ variable: A }", { kind: "variable", name: "A" }],
    ['{ reachable: "node1:80" }', { kind: "reachable", address: "node1:80" }],
    ["{ port: 80 }", { kind: "port", port: 80 }],
    ["{ clock: 500ms }", { kind: "clock", mostMs: 500 }],
  ])("%s", (written, check) => {
    expect(checkOf(written)).toEqual(check);
  });
});

it.each([
  ["checks: [{ port: 1 }], tasks: [1]", "1:29: error: checks: they are made once, not for each task"],
  ["checks: []", "1:37: error: checks: expected a list of checks, each with one of disk, memory, tool, variable"],
  ["checks: [{}]", "1:38: error: checks.0: expected one of disk, memory, tool, variable, reachable, port, clock, each"],
  ["checks: [{ port: 1, tool: x }]", "1:38: error: checks.0: expected one of disk, memory"],
  ["checks: [{ tool: 1 }]", "1:46: error: checks.0.tool: expected the name of a program or {name: fio"],
])("what cannot be is told at its place: %s", (written, problem) => {
  const { plan, problems } = read(written);
  expect(plan).toBeNull();
  expect(problems.map(formatProblem)).toEqual([expect.stringContaining(problem)]);
});

it("tasks may have checks on a stage before them, and each alone is right", () => {
  expect(read("tasks: [1]").problems).toEqual([]);
  expect(read("checks: [{ port: 1 }]").problems).toEqual([]);
});

describe("a version", () => {
  it.each([
    ["fio-3.35", [3, 35]],
    ["Python 3.12.1rc1", [3, 12, 1]],
    ["v22.1.0\nnpm 10", [22, 1, 0]],
    ["1", [1]],
    ["none", null],
  ])("in %j is %o", (text, numbers) => {
    expect(versionIn(text)).toEqual(numbers);
  });

  it.each<[VersionBound["comparison"], readonly boolean[]]>([
    // 3.34, 3.35, 3.35.0, 3.35.1, 4
    [">=", [false, true, true, true, true]],
    [">", [false, false, false, true, true]],
    ["<=", [true, true, true, false, false]],
    ["<", [true, false, false, false, false]],
    ["==", [false, true, true, false, false]],
    ["!=", [true, false, false, true, true]],
  ])("%s 3.35", (comparison, expected) => {
    const versions = [[3, 34], [3, 35], [3, 35, 0], [3, 35, 1], [4]];
    expect(versions.map((version) => isVersion(version, { comparison, numbers: [3, 35] }))).toEqual(expected);
  });

  it("is compared number by number, not as a text", () => {
    expect(isVersion([3, 9], { comparison: "<", numbers: [3, 10] })).toBe(true);
  });
});
