import { describe, expect, it } from "vitest";
import { NO_COLOURS, stageOutcome } from "../../src/report/log.ts";
import { maskedSummary } from "../../src/report/masked.ts";
import { resultJson, resultOf } from "../../src/report/record/json.ts";
import { agentPhase, failed, phase, report, T0 } from "./builders.ts";

describe("the result", () => {
  it("carries every stage with its times in UTC", () => {
    const result = resultOf(
      report({}, { phases: [phase({ description: "Check the disks", outputs: { disks: 4 }, retryCount: 1 })] }),
    );
    expect(result).toMatchObject({ success: true, verdict: "success", stopped_after_phase: null });
    expect(result.phase_results[0]).toMatchObject({
      phase: "preflight",
      phase_name: "Check the disks",
      order: 1,
      success: true,
      skipped: false,
      duration_ms: 1000,
      started_at: "2026-11-21T09:00:00.000Z",
      completed_at: "2026-11-21T09:00:01.000Z",
      output_data: { disks: 4 },
      error: null,
      retry_count: 1,
    });
    expect(result.timing_summary).toEqual({
      total_duration_ms: 65_000,
      phases: [
        {
          phase: "preflight",
          success: true,
          skipped: false,
          duration_ms: 1000,
          first_done_at: "2026-11-21T09:00:01.000Z",
          last_done_at: "2026-11-21T09:00:01.000Z",
        },
      ],
    });
  });

  it("says of a failed stage why, and of each agent its exit code", () => {
    const result = resultOf(
      report({}, { verdict: "failure", failedStage: "save", message: "save failed", phases: [failed("save")] }),
    );
    expect(result).toMatchObject({ success: false, verdict: "failure", failed_stage: "save" });
    expect(result.phase_results[0]).toMatchObject({ success: false, error: "exit code 3", agents: [{ exit_code: 3 }] });
  });

  it("counts a failed optional stage as failed, though the run succeeded", () => {
    const result = resultOf(report({}, { phases: [failed("wipe", { optional: true, status: "warning" })] }));
    expect(result.success).toBe(true);
    expect(result.phase_results[0]).toMatchObject({ success: false, error: "exit code 3", status: "warning" });
  });

  it("counts a stage that only warned as succeeded", () => {
    const warned = phase({ status: "warning", reason: "ended before its duration was over" });
    expect(resultOf(report({}, { phases: [warned] })).phase_results[0]).toMatchObject({
      success: true,
      error: null,
      reason: "ended before its duration was over",
    });
  });

  it("tells the rounds of a stage that was entered again, in order, and masks each", () => {
    const part = agentPhase({ reason: "no hunter2 here" });
    const metrics = [
      { ...{ name: "rate", value: 3, unit: "", count: 1, expected: ">= 4", met: false }, agg: "sum" as const },
    ];
    const earlier = ["first", "second"].map((reason) => ({
      ...phase({ metrics }),
      reason: `${reason}: hunter2`,
      agents: [part],
    }));
    const masks = { text: (text: string) => text.replaceAll("hunter2", "***"), json: <T>(value: T) => value };
    const { summary } = report({}, { phases: [phase({ earlier })] });
    const [result] = resultOf(report({}, maskedSummary(summary, masks))).phase_results;
    expect(result?.earlier_rounds?.map(({ reason, agents }) => [reason, agents[0]?.reason])).toEqual([
      ["first: ***", "no *** here"],
      ["second: ***", "no *** here"],
    ]);
    expect(result?.earlier_rounds?.map((round) => [round.duration_ms, round.metrics])).toEqual([
      [1_000, metrics],
      [1_000, metrics],
    ]);
    expect(stageOutcome(phase({ earlier }), NO_COLOURS)).toContain("preflight (round 3)");
    expect(resultOf(report({}, { phases: [phase()] })).phase_results[0]).not.toHaveProperty("earlier_rounds");
  });

  it("tells of skipped stages that they were, in the results and in the timing", () => {
    const skipped = phase({
      status: "skipped",
      startedAt: null,
      completedAt: null,
      agents: [],
      reason: "not selected",
    });
    const result = resultOf(report({}, { phases: [skipped] }));
    expect(result.phase_results[0]).toMatchObject({
      skipped: true,
      success: false,
      error: null,
      reason: "not selected",
    });
    expect(result.timing_summary.phases).toMatchObject([
      { phase: "preflight", skipped: true, success: false, duration_ms: 0 },
    ]);
  });

  it("names when the first and the last agent were done", () => {
    const both = phase({
      agents: [agentPhase({ endedAt: T0 + 9 }), agentPhase({ agent: "b", index: 1, endedAt: T0 + 5 })],
    });
    expect(resultOf(report({}, { phases: [both] })).timing_summary.phases[0]).toMatchObject({
      first_done_at: "2026-11-21T09:00:00.005Z",
      last_done_at: "2026-11-21T09:00:00.009Z",
    });
  });

  it("is JSON that says the same, with outputs of any name", () => {
    const outputs = JSON.parse('{"__proto__": 1, "constructor": {"a": [null]}}');
    const text = resultJson(report({}, { phases: [phase({ outputs })] }));
    expect(text.endsWith("}\n")).toBe(true);
    expect(Object.entries(JSON.parse(text).phase_results[0].output_data)).toEqual([
      ["__proto__", 1],
      ["constructor", { a: [null] }],
    ]);
  });
});
