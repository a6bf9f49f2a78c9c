import { describe, expect, it } from "vitest";
import type { PreflightCheck, VersionBound } from "../../src/plan/plan.ts";
import { isVersion, versionIn } from "../../src/plan/version.ts";
import { plan } from "./builders.ts";

const checkOf = (written: string): PreflightCheck | undefined =>
  plan(`stages: [{ name: a, run: x, checks: [${written}] }]\n`).stages[0]?.checks?.[0];

describe("a check", () => {
  it.each<[string, PreflightCheck]>([
    ["{ disk: { path: /data, free: 1.5GiB } }", { kind: "disk", path: "/data", freeBytes: 1_610_612_736 }],
    ["{ disk: { path: ., free: 2 TB } }", { kind: "disk", path: ".", freeBytes: 2_000_000_000_000 }],
    ["{ memory: 1kB }", { kind: "memory", availableBytes: 1_000 }],
    ["{ memory: 7 }", { kind: "memory", availableBytes: 7 }],
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
