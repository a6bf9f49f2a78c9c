import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldAgainstBaselines, runReport } from "../../src/action/output/run-report.ts";
import { resultJson } from "../../src/report/record/json.ts";
import type { RunSummary } from "../../src/run/result/record.ts";
import { plan } from "../plan/builders.ts";
import { phase, summary, T0 } from "../report/builders.ts";

const PLAN = plan(
  "stages: [{ name: load, run: x, expect: { rate: { baseline: { from: results, better: bigger, at_least: 2 } } } }]",
);
const MACHINE = { cores: 1, memoryBytes: 1, cpu: "", os: "linux", kernel: "6", arch: "x64", runner: "r" };
const MASKS = { text: (text: string) => text, json: <T>(value: T) => value };

let workspace: string;
const task = (reports: boolean) => ({
  plan: PLAN,
  selection: { only: null, skip: [], stopAfter: null },
  source: { file: "plan.yml" },
  job: { workspace, headSha: "c0ffee" },
  key: { repositoryId: "1", runId: "2", attempt: 1, group: "g", plan: PLAN.name },
  place: { reports },
});

function measured(value: number): RunSummary {
  const metrics = [{ name: "rate", value, unit: "", agg: "sum", count: 1, expected: null, met: null }] as const;
  const machines = [{ agent: "a", index: 0, role: null, machine: MACHINE }];
  return summary({ machines, phases: [phase({ name: "load", metrics })] });
}

const reportOf = (value: number, reports = true) =>
  runReport(task(reports), measured(value), MASKS, { startedAt: T0, completedAt: T0 + 1 });

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "stagewright-report-"));
  mkdirSync(join(workspace, "results"));
  for (const n of [1, 2]) writeFileSync(join(workspace, "results", `${n}.json`), resultJson(reportOf(100)));
  writeFileSync(join(workspace, "results", "other.json"), "[]");
});
afterAll(() => rmSync(workspace, { recursive: true }));

describe("a job's report, held against results in its workspace", () => {
  it.each([
    [100, "success", "✓ rate within its baseline"],
    [50, "failure", "✗ rate worse than its baseline"],
  ])("of %d is a %s", async (value, verdict, line) => {
    const said: string[] = [];
    const held = await heldAgainstBaselines(reportOf(value), task(true), (text) => said.push(text));
    expect(held.summary.verdict).toBe(verdict);
    expect(said).toEqual([expect.stringContaining("other.json:1:1: error: no result"), expect.stringContaining(line)]);
  });

  it("is left as it is by a job that does not show the group's result", async () => {
    const report = reportOf(50, false);
    expect(await heldAgainstBaselines(report, task(false), () => undefined)).toBe(report);
  });
});
