/** Reports of runs as large as GitHub's limits meet: made soon, within each limit, and whole. */
import { describe, expect, it } from "vitest";
import {
  ANNOTATIONS_PER_CHECK,
  ANNOTATIONS_PER_REQUEST,
  annotationsOf,
  batches,
  commandLine,
  hiddenLine,
  limited,
} from "../../src/report/annotations.ts";
import { CHECK_TEXT_LIMIT, checkOutput } from "../../src/report/check.ts";
import { byteLength } from "../../src/report/escape.ts";
import { SUMMARY_LIMIT, summaryOf } from "../../src/report/summary.ts";
import { agentPhase, failed, phase, report } from "./builders.ts";

/** What would end a block, begin one, or be more than one character where a limit is counted. */
const HOSTILE =
  "```\n</details>\n|a|b|\n::error::x\u001b[31m<script>@team #1 \u{1F600}\u202e``` ~~~ [x](javascript:1)\n";
const TEN_MB = HOSTILE.repeat(Math.ceil(10_000_000 / HOSTILE.length));

function large(tail: string) {
  const agents = Array.from({ length: 256 }, (_, index) =>
    agentPhase({
      agent: `${HOSTILE.slice(0, 40)}-${index}`,
      index,
      status: index % 32 === 0 ? "failure" : "success",
      reason: index % 32 === 0 ? HOSTILE : null,
      tail,
    }),
  );
  const annotations = Array.from({ length: 17 }, (_, n) => ({
    path: "src/a.ts",
    line: n + 1,
    level: (["notice", "warning", "failure"] as const)[n % 3] ?? "notice",
    title: HOSTILE,
    message: HOSTILE.repeat(20),
    agent: "a",
  }));
  const metrics = Array.from({ length: 20 }, (_, n) => ({
    ...{ name: `${HOSTILE}${n}`, value: n, unit: HOSTILE, agg: "sum", count: 256 },
    ...{ expected: HOSTILE, met: n % 2 === 0 },
  })) as ReturnType<typeof phase>["metrics"];
  const phases = Array.from({ length: 300 }, (_, n) => {
    const stage = { stage: n, name: `${HOSTILE}${n}`, description: HOSTILE, reason: HOSTILE };
    return n % 4 === 0
      ? failed("x", { ...stage, agents, annotations })
      : phase({ ...stage, agents, annotations, metrics });
  });
  return report({}, { verdict: "failure", failedStage: HOSTILE, message: TEN_MB, phases });
}

/** Nothing is cut within a block: what is opened is closed. */
function isWhole(text: string): boolean {
  let fence: string | null = null;
  let details = 0;
  for (const line of text.split("\n")) {
    const [mark = null] = /^`{3,}/u.exec(line) ?? [];
    if (fence !== null) fence = mark !== null && mark.length >= fence.length && line === mark ? null : fence;
    else if (mark !== null) fence = mark;
    else details += (line.startsWith("<details") ? 1 : 0) - (line === "</details>" ? 1 : 0);
  }
  return details === 0 && fence === null;
}

describe("a run of 300 stages and 256 agents, which printed 10 MB, in hostile words", () => {
  const whole = large(TEN_MB.slice(-16_384));
  const notes = ["12 annotations not shown"];

  it("has a job summary within GitHub's limit, with nothing open, the verdict first, and what was left out said", () => {
    const text = summaryOf(whole, notes);
    expect(byteLength(text)).toBeLessThanOrEqual(SUMMARY_LIMIT);
    expect(isWhole(text)).toBe(true);
    expect(text.startsWith("## ❌ train: failed at ")).toBe(true);
    expect(text).toContain("12 annotations not shown");
  });

  it("has a check run within GitHub's limits", () => {
    const { title, summary, text } = checkOutput(whole, notes);
    for (const each of [summary, text ?? ""]) {
      expect(byteLength(each)).toBeLessThanOrEqual(CHECK_TEXT_LIMIT);
      expect(isWhole(each)).toBe(true);
    }
    expect(title.length).toBeLessThanOrEqual(255);
    expect(summary).toContain("12 annotations not shown");
  });

  it("gets shorter step by step where less fits, down to the verdict alone", () => {
    const sizes = [200_000, 5_000, 200].map((limit) => {
      const text = summaryOf(whole, notes, limit);
      expect(byteLength(text)).toBeLessThanOrEqual(limit);
      expect(isWhole(text)).toBe(true);
      expect(text).toContain("❌ train");
      return byteLength(text);
    });
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  it("shows 500 of its more than 5,000 annotations, 50 a request, failures first, and counts the others", () => {
    const all = annotationsOf(whole);
    expect(all.length).toBeGreaterThan(5_000);
    const { shown, hidden } = limited(all, { total: ANNOTATIONS_PER_CHECK });
    const groups = batches(shown);
    expect(groups.map((group) => group.length)).toEqual(new Array(10).fill(ANNOTATIONS_PER_REQUEST));
    expect(hiddenLine(hidden)).toBe(`${all.length - 500} annotations not shown`);
    expect(new Set(shown.map(({ level }) => level))).toEqual(new Set(["failure"]));
    expect(Math.max(...shown.map((each) => each.message.length + (each.details ?? "").length))).toBeLessThan(64 * 1024);
    for (const line of shown.map(commandLine)) expect(line).not.toMatch(/[\n\r]/u);
  });
});
