import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import { CHECK_TEXT_LIMIT, checkOutput, progressOutput } from "../../src/report/check.ts";
import { byteLength } from "../../src/report/escape.ts";
import { timeline } from "../../src/report/gantt.ts";
import { summaryOf } from "../../src/report/summary.ts";
import type { PhaseRecord } from "../../src/run/result/record.ts";
import { agentPhase, failed, phase, report, T0 } from "./builders.ts";

const failure = {
  verdict: "failure",
  status: "failed",
  failedStage: "save",
  message: "save failed: exit code 3",
} as const;
const parser = new MarkdownIt({ html: true });

/** The rows of the first table, as cells of text. */
function rows(markdown: string): string[][] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.slice(2, -2).split(" | "));
}

function group(n: number, overrides: Partial<PhaseRecord> = {}): PhaseRecord {
  const agents = Array.from({ length: n }, (_, index) =>
    agentPhase({ agent: `train-${index}`, index, endedAt: T0 + 1000 + index }),
  );
  return phase({ agents, ...overrides });
}

describe("the job summary", () => {
  it("begins with the verdict", () => {
    expect(summaryOf(report())).toMatch(
      /^## ✅ train: succeeded\n\n1 stage of 1 · 1 min 05 s · plan `plans\/train\.yml`\n/u,
    );
    expect(summaryOf(report({}, failure))).toMatch(/^## ❌ train: failed at save\n\nsave failed: exit code 3\n/u);
  });

  it("has a row for each stage and a column for each agent", () => {
    const text = summaryOf(report({}, { phases: [group(2), group(2, { name: "epoch-1", retryCount: 1 })] }));
    expect(rows(text)).toEqual([
      ["", "stage", "took", "first done", "last done", "train-0", "train-1"],
      ["---", "---", "---", "---", "---", "---", "---"],
      ["✅", "preflight", "1.0 s", "09:00:01", "09:00:01", "✅ 1.0 s", "✅ 1.0 s"],
      ["✅", "epoch-1", "1.0 s", "09:00:01", "09:00:01", "✅ 1.0 s", "✅ 1.0 s"],
    ]);
    expect(text).toContain("- `epoch-1` retried once");
  });

  it("counts agents where they are too many for columns", () => {
    const agents = [...group(15).agents, agentPhase({ agent: "x", index: 15, status: "lost", reason: "silent" })];
    const text = summaryOf(report({}, { phases: [phase({ agents })] }));
    expect(rows(text)[2]?.at(-1)).toBe("15 ✅ 1 📡");
    expect(text).toContain("`preflight`: x lost: silent");
  });

  it("tells of a failure: stage, place in the plan, agent, reason, last lines", () => {
    const text = summaryOf(report({}, { ...failure, phases: [failed("save", { line: 12 })] }));
    expect(text).toContain("**save** (`plans/train.yml:12`): exit code 3");
    expect(text).toContain("❌ train-0 failure: exit code 3");
    expect(text).toContain("```text\nsaving…\ndisk full\n```");
  });

  it("shows metrics with their aggregation and what was expected of them", () => {
    const metric = {
      name: "throughput",
      value: 812.5,
      unit: "MB/s",
      agg: "sum",
      count: 4,
      expected: ">= 900",
      met: false,
    } as const;
    const text = summaryOf(report({}, { phases: [phase({ metrics: [metric] })] }));
    expect(text).toContain("| preflight | `throughput` | 812.5 MB/s | sum of 4 | ❌ `>= 900` |");
  });

  it("says why a stage was skipped, and what is not shown", () => {
    const skipped = phase({
      status: "skipped",
      reason: "not selected",
      startedAt: null,
      completedAt: null,
      agents: [],
    });
    const text = summaryOf(report({}, { phases: [skipped] }), ["12 annotations not shown"]);
    expect(text).toContain("- `preflight` skipped: not selected");
    expect(text).toContain("_12 annotations not shown_");
  });

  it("is shortened in whole pieces where it is too long, verdict first", () => {
    const noisy = (name: string) =>
      failed(name, {
        agents: [agentPhase({ status: "failure", reason: "r".repeat(500), tail: "line\n".repeat(400) })],
      });
    const run = report({}, { ...failure, phases: Array.from({ length: 300 }, (_, i) => noisy(`stage-${i}`)) });
    for (const limit of [60_000, 20_000, 4000, 1000]) {
      const text = summaryOf(run, [], limit);
      expect(byteLength(text)).toBeLessThanOrEqual(limit);
      expect(text.startsWith("## ❌ train: failed at save")).toBe(true);
      expect(text).toContain("Shortened to fit");
      // Nothing is left open.
      expect(text.split("\n").filter((line) => line.startsWith("```")).length % 2).toBe(0);
      expect(text.split("<details").length).toBe(text.split("</details>").length);
      for (const row of text.split("\n").filter((line) => line.startsWith("|"))) expect(row.endsWith("|")).toBe(true);
    }
  });

  it("keeps failures in a table that is too long for all stages", () => {
    const phases = [...Array.from({ length: 3000 }, (_, i) => phase({ name: `s-${i}` })), failed("save")];
    const text = summaryOf(report({}, { ...failure, phases }));
    expect(text).toContain("| ❌ | save |");
    expect(text).toContain("_1001 stages not shown._");
  });

  it("takes any text for names, reasons, output and metrics, and stays within its limits", () => {
    const any = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.constantFrom("```", "|", "</details>", "<script>", "\n\n# x", "`", "\\", "[a](b)", "| --- |\n| a |"),
    );
    fc.assert(
      fc.property(any, any, any, any, (name, reason, tail, unit) => {
        const metric = { name, value: 1, unit, agg: "mean", count: 1, expected: reason, met: true } as const;
        const agents = [agentPhase({ agent: name, status: "failure", reason, tail, attempts: 2 })];
        const record = failed(name, { description: unit, reason, metrics: [metric], agents, optional: true });
        const run = report(
          { planName: name, planFile: unit },
          { ...failure, failedStage: name, message: reason, phases: [record] },
        );
        for (const text of [summaryOf(run), checkOutput(run).summary, checkOutput(run).text ?? ""]) {
          expect(text).not.toMatch(/(?![\n\t])\p{Cc}/u);
          // No heading, link, quote or list of theirs; tables keep their shape; details are closed.
          const tokens = parser.parse(text, {});
          const headings = tokens.flatMap((token, i) =>
            token.type === "heading_open" ? [tokens[i + 1]?.content] : [],
          );
          for (const heading of headings.filter((h) => !h?.includes("❌"))) {
            expect(["What failed", "Worth knowing", "Metrics", "Timeline"]).toContain(heading);
          }
          expect(
            tokens
              .flatMap((t) => t.children ?? [])
              .filter((t) => ["link_open", "image", "html_inline"].includes(t.type)),
          ).toEqual([]);
          const html = tokens.filter((t) => t.type === "html_block").map((t) => t.content.trim());
          for (const block of html) {
            expect(["<details open><summary>Last lines of output</summary>", "</details>"]).toContain(block);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the check's output", () => {
  it("has a title that says it all", () => {
    expect(checkOutput(report()).title).toBe("1 stage, 1 min 05 s");
    expect(checkOutput(report({}, failure)).title).toBe("save failed: exit code 3");
    expect(checkOutput(report({}, { ...failure, message: "x".repeat(999) })).title).toHaveLength(255);
  });

  it("keeps summary and text within GitHub's limit each", () => {
    const agents = Array.from({ length: 256 }, (_, index) =>
      agentPhase({
        agent: `agent-${index}`,
        index,
        status: "failure",
        reason: "❌".repeat(300),
        tail: "€".repeat(20_000),
      }),
    );
    const phases = Array.from({ length: 50 }, (_, i) => failed(`s${i}`, { agents }));
    const output = checkOutput(report({}, { ...failure, phases }));
    expect(byteLength(output.summary)).toBeLessThanOrEqual(CHECK_TEXT_LIMIT);
    expect(byteLength(output.text ?? "")).toBeLessThanOrEqual(CHECK_TEXT_LIMIT);
    expect(output.text).toContain("### What failed");
  });

  it("has no text when there is nothing beyond the summary", () => {
    const empty = report({}, { phases: [] });
    expect(checkOutput(empty).text).toBeNull();
  });

  it("says while it runs what it is doing", () => {
    const output = progressOutput({
      planName: "train",
      stages: ["preflight", "epoch-1", "cleanup"],
      done: [{ name: "preflight", how: "exit code 0" }],
      doing: "running epoch-1",
      startedAt: T0,
      now: T0 + 5000,
    });
    expect(output.title).toBe("running epoch-1 (1 of 3 stages done)");
    expect(output.summary).toContain("- preflight: exit code 0");
  });
});

describe("the timeline", () => {
  it("has a section for each stage and a bar for each agent", () => {
    expect(timeline([group(2), failed("save")], "agents")).toBe(
      [
        "gantt",
        "  dateFormat x",
        "  axisFormat %H:%M:%S",
        "  todayMarker off",
        "  section preflight",
        `  ✓ train-0 :done, ${T0}, ${T0 + 1000}`,
        `  ✓ train-1 :done, ${T0}, ${T0 + 1001}`,
        "  section save",
        `  ✗ train-0 :crit, ${T0}, ${T0 + 1000}`,
      ].join("\n"),
    );
  });

  it("falls back to a bar a stage, then to none, where it could not be read", () => {
    expect(timeline([group(256), group(256)], "agents")).toContain("✓ preflight (spread 255 ms) :done");
    expect(
      timeline(
        Array.from({ length: 500 }, () => phase()),
        "agents",
      ),
    ).toBeNull();
    expect(timeline([phase({ startedAt: null, completedAt: null })], "agents")).toBeNull();
  });

  it("gives a stage of no length a bar that can be seen", () => {
    expect(timeline([phase({ agents: [agentPhase({ endedAt: T0 })] })], "agents")).toContain(`:done, ${T0}, ${T0 + 1}`);
  });
});
