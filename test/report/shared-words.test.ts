import { describe, expect, it } from "vitest";
import { clip, codeBlock, codeSpan, html, lastLines, markdown, mermaidLabel } from "../../src/report/escape.ts";
import { aggregation, between, count, duration, number } from "../../src/report/format.ts";
import { timeline } from "../../src/report/gantt.ts";
import { resultOf } from "../../src/report/record/json.ts";
import { doneTimes, failingAgents, rosterOf } from "../../src/report/report.ts";
import type { AgentPhase } from "../../src/run/result/record.ts";
import { agentPhase, failed, phase, report, summary, T0 } from "./builders.ts";

const metric = { name: "rate", value: 3.5, unit: "MB/s", agg: "mean", count: 4, expected: ">= 4", met: false } as const;
const statuses: readonly AgentPhase["status"][] = ["success", "failure", "lost", "excluded", "stopped", "skipped"];
const everyone = statuses.map((status, index) =>
  agentPhase({ agent: `a-${index}`, index, status, reason: `why ${index}` }),
);

describe("what the reports ask of a run", () => {
  it("who failed, in the order of their indexes", () => {
    expect(failingAgents(phase({ agents: everyone.toReversed() })).map(({ agent }) => agent)).toEqual([
      "a-1",
      "a-2",
      "a-3",
    ]);
  });

  it("who took part in any stage", () => {
    const other = phase({ agents: [agentPhase({ agent: "z", index: 9 }), agentPhase({ agent: "a-1", index: 1 })] });
    expect(rosterOf(summary({ phases: [other, phase({ agents: everyone })] })).map(({ index }) => index)).toEqual([
      0, 1, 2, 3, 4, 5, 9,
    ]);
  });

  it("when the first and the last were done", () => {
    const ends = [null, 5, 3, 9, null].map((endedAt, index) => agentPhase({ index, endedAt }));
    expect(doneTimes(phase({ agents: ends }))).toEqual({ first: 3, last: 9 });
    expect(doneTimes(phase({ agents: ends.slice(0, 1) }))).toEqual({ first: null, last: null });
  });
});

describe("the timeline", () => {
  it("marks each bar by how it ended", () => {
    const text = timeline([phase({ agents: everyone })], "agents") ?? "";
    expect(
      text
        .split("\n")
        .slice(5)
        .map((line) => line.trim().replace(/,.*/, "")),
    ).toEqual(["✓ a-0 :done", "✗ a-1 :crit", "✗ a-2 :crit", "✗ a-3 :crit", "! a-4 :active", "✓ a-5 :done"]);
    const stages = (["success", "skipped", "failure", "warning", "cancelled"] as const).map((status) =>
      phase({ status, name: status }),
    );
    expect(
      (timeline(stages, "stages") ?? "")
        .split("\n")
        .filter((line) => /:/.test(line) && !line.includes("axisFormat"))
        .map((line) => line.trim().replace(/,.*/, "")),
    ).toEqual(["✓ success :done", "✓ skipped :done", "✗ failure :crit", "! warning :active", "! cancelled :active"]);
  });

  it("has a bar of the stage where no agent's times are known, and none where the stage's are not", () => {
    const unknown = [agentPhase({ startedAt: null }), agentPhase({ agent: "b", index: 1, endedAt: null })];
    expect(timeline([phase({ agents: unknown })], "agents")).toContain(
      `  ✓ preflight (spread 0 ms) :done, ${T0}, ${T0 + 1000}`,
    );
    expect(timeline([phase({ agents: [] })], "stages")).toContain(`  ✓ preflight :done, ${T0}, ${T0 + 1000}`);
    expect(timeline([phase({ completedAt: null }), phase({ startedAt: null })], "stages")).toBeNull();
  });

  it.each([
    [400, true],
    [401, false],
  ])("with %i bars of stages can be read: %s", (bars, isDrawn) => {
    expect(
      timeline(
        Array.from({ length: bars }, () => phase()),
        "stages",
      ) !== null,
    ).toBe(isDrawn);
  });

  it("is none where its text is too long for Mermaid", () => {
    const long = Array.from({ length: 390 }, () => phase({ name: "x".repeat(60) }));
    expect(timeline(long, "stages")).toBeNull();
    expect(timeline(long.slice(0, 200), "stages")).not.toBeNull();
  });
});

describe("the result", () => {
  it("has every value of a stage, and of its agents", () => {
    const record = phase({
      name: "a",
      order: 4,
      optional: true,
      reason: "r",
      retryCount: 2,
      progress: { done: 1, total: 2, errors: 3 },
      metrics: [metric],
      histograms: { h: "AAAA" },
      tasks: { done: 1, failed: 2, skipped: 3, total: 6 },
      agents: [
        agentPhase({ attempts: 2, reason: "why", end: { kind: "signalled", signal: "SIGTERM" } }),
        agentPhase({ agent: "b", index: 1, startedAt: null, end: null }),
      ],
    });
    const result = resultOf(report({ stoppedAfter: "a", completedAt: T0 - 1 }, { message: "m", phases: [record] }));
    expect(result).toMatchObject({ message: "m", stopped_after_phase: "a", timing_summary: { total_duration_ms: 0 } });
    expect(result.phase_results[0]).toEqual({
      phase: "a",
      phase_name: "a",
      order: 4,
      status: "success",
      success: true,
      skipped: false,
      optional: true,
      duration_ms: 1000,
      started_at: "2026-11-21T09:00:00.000Z",
      completed_at: "2026-11-21T09:00:01.000Z",
      output_data: {},
      error: null,
      reason: "r",
      retry_count: 2,
      progress: { done: 1, total: 2, errors: 3 },
      tasks: { done: 1, failed: 2, skipped: 3, total: 6 },
      metrics: [metric],
      histograms: { h: "AAAA" },
      percentiles: {},
      agents: [
        {
          agent: "train-0",
          index: 0,
          status: "success",
          started_at: "2026-11-21T09:00:00.000Z",
          completed_at: "2026-11-21T09:00:01.000Z",
          duration_ms: 1000,
          attempts: 2,
          reason: "why",
          exit_code: null,
        },
        {
          agent: "b",
          index: 1,
          status: "success",
          started_at: null,
          completed_at: "2026-11-21T09:00:01.000Z",
          duration_ms: null,
          attempts: 1,
          reason: null,
          exit_code: null,
        },
      ],
    });
    expect(resultOf(report({}, { phases: [failed("a", { reason: null, startedAt: null })] }))).toMatchObject({
      phase_results: [{ error: "failed", duration_ms: 0 }],
      timing_summary: { phases: [{ duration_ms: 0 }] },
    });
  });
});

describe("texts", () => {
  it.each<[string, number, string]>([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["abcd", 1, "…"],
    ["a😀b", 3, "a…"],
    ["ab😀", 3, "ab…"],
    ["😀😀", 3, "😀…"],
  ])("%j in at most %i is %j", (text, max, expected) => {
    expect(clip(text, max)).toBe(expected);
  });

  it("last lines, without empty ones at the end", () => {
    expect(lastLines("a\nb\nc\n\n", 2)).toBe("b\nc");
    expect(lastLines("a\nb", 0)).toBe("b");
    expect(lastLines("abcdef", 1, 3)).toBe("ab…");
    expect(lastLines("x".repeat(2001), 1)).toHaveLength(2000);
  });

  it("marks at the start of a line open nothing", () => {
    const shown = ["- a", "+ a", "# a", "1. a", "23) a", "= a", "1 a"].map((text) =>
      markdown(text).replaceAll("\u200b", "|"),
    );
    expect(shown).toEqual(["\\- a", "\\+ a", "\\# a", "1|. a", "23|) a", "\\= a", "1 a"]);
  });

  it("HTML, code and labels", () => {
    expect(html(`<a href="x" b='y'>&`)).toBe("&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    expect([codeSpan(""), codeSpan("a`b"), codeSpan("`a"), codeSpan("a`"), codeSpan("a|b")]).toEqual([
      "",
      "``a`b``",
      "`` `a ``",
      "`` a` ``",
      "`a\\|b`",
    ]);
    expect(codeBlock("a\n````\nb\n\n", "yaml")).toBe("`````yaml\na\n````\nb\n`````");
    expect(codeBlock("a")).toBe("```text\na\n```");
    expect([mermaidLabel("a:b;c"), mermaidLabel(" "), mermaidLabel("x".repeat(61))]).toEqual([
      "a_b_c",
      "_",
      `${"x".repeat(59)}…`,
    ]);
  });

  it("numbers, counts and times", () => {
    expect([999.4, 999.5, 59_949, 59_950, 3_599_499, 3_599_500, 7_259_999].map(duration)).toEqual([
      "999 ms",
      "1.0 s",
      "59.9 s",
      "1 min 00 s",
      "59 min 59 s",
      "1 h 00 min",
      "2 h 01 min",
    ]);
    expect([Number.NaN, 1e15, -1e15, 123456.789, -2.5, 0].map(number)).toEqual([
      "NaN",
      "1000000000000000",
      "-1000000000000000",
      "123457",
      "-2.5",
      "0",
    ]);
    expect([count(0, "retry", "retries"), count(1, "retry", "retries")]).toEqual(["0 retries", "1 retry"]);
    expect([between(1, null), between(1, 4)]).toEqual([null, 3]);
    expect([
      aggregation({ agg: "sum", count: 1 }),
      aggregation({ agg: "last", count: 1 }),
      aggregation({ agg: "last", count: 4 }),
    ]).toEqual(["sum of 1", "last", "last of 4 agents, summed"]);
  });
});
