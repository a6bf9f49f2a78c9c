import { describe, expect, it } from "vitest";
import { between, clock, count, duration, iso, number } from "../../src/report/format.ts";
import {
  agentOutcomes,
  metricLines,
  NO_COLOURS,
  progressText,
  stageBanner,
  stageOutcome,
  verdictLines,
} from "../../src/report/log.ts";
import { agentPhase, failed, phase, summary, T0 } from "./builders.ts";

describe("log lines", () => {
  it("announces a stage", () => {
    const stage = { name: "epoch-1", position: 3, total: 7, about: "execute, 1 h 00 min" };
    expect(stageBanner(stage, NO_COLOURS)).toBe("── epoch-1 (3 of 7) · execute, 1 h 00 min");
  });

  it.each([
    [phase(), "✓ preflight in 1.0 s"],
    [phase({ retryCount: 2 }), "✓ preflight in 1.0 s (2 retries)"],
    [phase({ status: "warning", reason: "ended early" }), "⚠ preflight after 1.0 s: ended early"],
    [failed("save"), "✗ save after 1.0 s: exit code 3"],
    [phase({ status: "cancelled", reason: "SIGINT" }), "✗ preflight cancelled after 1.0 s: SIGINT"],
    [phase({ status: "skipped", startedAt: null, reason: "not selected" }), "- preflight skipped: not selected"],
  ])("tells how a stage ended (%#)", (record, line) => {
    expect(stageOutcome(record, NO_COLOURS)).toBe(line);
  });

  it("names failing agents only where there are several", () => {
    expect(agentOutcomes(failed("save"), NO_COLOURS)).toEqual([]);
    const agents = [agentPhase(), agentPhase({ agent: "b", index: 1, status: "lost", reason: "silent for 30 s" })];
    expect(agentOutcomes(failed("save", { agents }), NO_COLOURS)).toEqual(["  ✗ b lost: silent for 30 s"]);
  });

  it("shows a metric with what was expected", () => {
    const metric = { name: "rate", value: 3, unit: "", agg: "min", count: 2, expected: ">= 2", met: true } as const;
    expect(metricLines(phase({ metrics: [metric] }), NO_COLOURS)).toEqual(["  rate 3 (min of 2), expected >= 2 ✓"]);
  });

  it.each([
    [{ done: 450, total: 1000, errors: 2 }, "450 of 1000 (45 %), 2 errors"],
    [{ done: 7, total: null, errors: 0 }, "7"],
    [{ done: 0, total: 0, errors: 0 }, "0 of 0"],
  ])("shows progress (%#)", (progress, text) => {
    expect(progressText(progress)).toBe(text);
  });

  it("ends with the verdict, the counts and the place", () => {
    const run = { planFile: "p.yml", startedAt: T0, completedAt: T0 + 2000 };
    expect(verdictLines({ ...run, summary: summary() }, NO_COLOURS)).toEqual(["✓ succeeded in 2.0 s: 1 succeeded"]);
    const broken = summary({
      verdict: "failure",
      failedStage: "save",
      message: "save: exit code 3",
      phases: [failed("save")],
    });
    expect(verdictLines({ ...run, summary: broken }, NO_COLOURS)).toEqual([
      "✗ failed after 2.0 s: 1 failed",
      "  save: exit code 3 (p.yml:3)",
    ]);
  });

  it("is one line a thing, whatever names and reasons hold", () => {
    const evil = "a\n::error::b\u001b[31m\r\nc";
    for (const line of [
      stageOutcome(failed(evil, { reason: evil }), NO_COLOURS),
      stageBanner({ name: evil, position: 1, total: 1, about: evil }, NO_COLOURS),
    ]) {
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  });
});

describe("format", () => {
  it.each([
    [0, "0 ms"],
    [440, "440 ms"],
    [999.6, "1.0 s"],
    [59_940, "59.9 s"],
    [59_990, "1 min 00 s"],
    [184_000, "3 min 04 s"],
    [3_599_999, "1 h 00 min"],
    [7_500_000, "2 h 05 min"],
  ])("%i ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it("formats times, counts and numbers", () => {
    expect(iso(T0)).toBe("2026-11-21T09:00:00.000Z");
    expect(iso(null)).toBeNull();
    expect(clock(T0)).toBe("09:00:00");
    expect(between(5, 3)).toBe(0);
    expect(between(null, 3)).toBeNull();
    expect(count(1, "stage")).toBe("1 stage");
    expect(number(1 / 3)).toBe("0.333333");
    expect(number(1_234_567)).toBe("1234567");
  });
});
