import { describe, expect, it } from "vitest";
import { checkOutput, conclusionOf, progressOutput } from "../../src/report/check.ts";
import { quorumSection } from "../../src/report/decisions-section.ts";
import { fitting, icon, SUMMARY_LIMIT, summaryOf, verdictLine } from "../../src/report/summary.ts";
import type { AgentPhase, QuorumRound, RunSummary, ValidatorVote } from "../../src/run/result/record.ts";
import { agentPhase, failed, phase, report, T0 } from "./builders.ts";

const metric = { name: "rate", value: 3.5, unit: "MB/s", agg: "mean", count: 4, expected: ">= 4", met: false } as const;
const statuses: readonly AgentPhase["status"][] = ["success", "failure", "lost", "excluded", "stopped", "skipped"];
const everyone = statuses.map((status, index) =>
  agentPhase({ agent: `a-${index}`, index, status, reason: `why ${index}` }),
);
const vote = (validator: string, decision: ValidatorVote["decision"]): ValidatorVote => ({
  ...{ validator, decision, weight: 1, confidence: null, agent: null, reason: null },
});
const cells = (text: string, row: number): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    [row]?.slice(2, -2)
    .split(" | ") ?? [];

describe("check runs", () => {
  it("conclude as the run did", () => {
    expect((["success", "failure", "cancelled"] as const).map(conclusionOf)).toEqual([
      "success",
      "failure",
      "cancelled",
    ]);
  });

  it.each<[Partial<RunSummary>, string]>([
    [
      { phases: [phase({ agents: everyone }), phase({ status: "skipped" }), phase({ status: "warning" })] },
      "2 stages, 7 agents, 1 min 05 s, 1 warning",
    ],
    [{ phases: [] }, "0 stages, 1 min 05 s"],
    [{ verdict: "cancelled", message: "" }, "cancelled"],
    [{ verdict: "failure", message: "a\nb" }, "a b"],
  ])("have a title (%#)", (run, title) => {
    expect(checkOutput(report({}, run)).title).toBe(title);
  });

  it("have what is shown first in the summary, the rest in the text", () => {
    const output = checkOutput(report({}, { phases: [failed("save", { metrics: [metric], status: "warning" })] }), [
      "one",
      "two *",
    ]);
    expect(output.summary).toContain("_one_  \n_two \\*_");
    expect(output.summary).toContain("| ⚠️ | save |");
    expect([...(output.text ?? "").matchAll(/^### .*$/gm)].map(([heading]) => heading)).toEqual([
      "### What failed",
      "### Worth knowing",
      "### Metrics",
      "### Timeline",
    ]);
    expect(output.text).toBe(output.text?.trim());
  });

  it("of a run that goes on say how far it is", () => {
    const progress = { planName: "tr*in", stages: ["a"], done: [], doing: "", startedAt: T0, now: T0 - 5 };
    expect(progressOutput(progress)).toEqual({
      title: "starting (0 of 1 stage done)",
      summary: "## tr\\*in: starting\n\n0 of 1 stage done after 0 ms\n",
      text: null,
    });
    const done = Array.from({ length: 250 }, (_, index) => ({ name: `s${index}`, how: "fine" }));
    const { summary: text, title } = progressOutput({ ...progress, done, doing: "x".repeat(600), now: T0 + 5000 });
    expect(text.split("\n").filter((line) => line.startsWith("- "))).toHaveLength(200);
    expect(text).toContain("- s249: fine");
    expect(text).not.toContain("- s49: fine");
    expect(text).toContain("250 of 1 stage done after 5.0 s");
    expect(title).toHaveLength(255);
  });
});

describe("the summary", () => {
  it.each<[Partial<RunSummary>, string]>([
    [{}, "✅ train: succeeded"],
    [{ phases: [phase({ status: "warning" })] }, "⚠️ train: succeeded"],
    [{ phases: [phase(), phase({ status: "warning" })] }, "⚠️ train: succeeded"],
    [{ verdict: "failure" }, "❌ train: failed"],
    [{ verdict: "failure", failedStage: "a" }, "❌ train: failed at a"],
    [{ verdict: "cancelled", failedStage: "a" }, "⛔ train: cancelled"],
  ])("begins with the verdict (%#)", (run, line) => {
    expect(verdictLine(report({}, run))).toBe(line);
  });

  it("each status has a sign of its own, but for what was stopped from outside", () => {
    const all = ["success", "warning", "failure", "skipped", "cancelled", "excluded", "lost"] as const;
    expect(new Set(all.map(icon)).size).toBe(all.length);
    expect(icon("stopped")).toBe(icon("cancelled"));
  });

  it("counts what ran, who took part and how long it took", () => {
    const run = { phases: [phase({ agents: everyone }), phase({ status: "skipped", agents: [] })] };
    expect(summaryOf(report({ stoppedAfter: "pre" }, run))).toContain(
      "1 stage of 2 · 6 agents · 1 min 05 s · plan `plans/train.yml` · stopped after `pre` as asked",
    );
    expect(summaryOf(report({ completedAt: T0 - 1 }, run))).toContain(" · 0 ms · ");
  });

  it("shows in a cell who was there, how long, and how often", () => {
    const phases = [
      phase({
        description: "what *for*",
        optional: true,
        agents: [agentPhase({ attempts: 3 }), agentPhase({ agent: "b", index: 1, endedAt: null, status: "lost" })],
      }),
      phase({ name: "two", startedAt: null, agents: [agentPhase({ agent: "b", index: 1 })] }),
      phase({ name: "none", agents: [] }),
    ];
    const text = summaryOf(report({}, { phases }));
    expect(cells(text, 2)).toEqual([
      "✅",
      "preflight – what \\*for\\* _(optional)_",
      "1.0 s",
      "09:00:01",
      "09:00:01",
      "✅ 1.0 s ×3",
      "📡",
    ]);
    expect(cells(text, 3)).toEqual(["✅", "two", "–", "09:00:01", "09:00:01", "–", "✅ 1.0 s"]);
    expect(cells(text, 4)).toEqual(["✅", "none", "1.0 s", "–", "–", "–", "–"]);
  });

  it.each([
    [8, "train-7"],
    [9, "agents"],
  ])("%i agents: the last column is %s", (size, last) => {
    const agents = Array.from({ length: size }, (_, index) => agentPhase({ agent: `train-${index}`, index }));
    expect(cells(summaryOf(report({}, { phases: [phase({ agents })] })), 0).at(-1)).toBe(last);
  });

  it("tells of each agent that failed, and of those of a stage that did not", () => {
    const agents = [
      agentPhase({ status: "failure", attempts: 2, tail: "x" }),
      agentPhase({ agent: "b", index: 1, status: "lost", reason: " " }),
    ];
    const text = summaryOf(report({}, { phases: [phase({ status: "warning", reason: null, agents })] }));
    expect(text).toContain(
      "**preflight** (`plans/train.yml:3`): warning\n\n❌ train-0 failure, 2 attempts: no reason recorded\n\n<details open>",
    );
    expect(text).toContain("📡 b lost: no reason recorded");
    expect(text).not.toContain("_and ");
    expect(summaryOf(report())).not.toContain("What failed");
  });

  it("of more agents than columns counts how they fared, and has a dash where none took part", () => {
    const many = Array.from({ length: 9 }, (_, index) =>
      agentPhase({ agent: `a-${index}`, index, status: index > 6 ? "lost" : "success" }),
    );
    const text = summaryOf(report({}, { phases: [phase({ agents: many }), phase({ agents: [] })] }));
    expect([2, 3].map((row) => cells(text, row).at(-1))).toEqual(["7 ✅ 2 📡", "–"]);
  });

  it("tells what is worth knowing, each with its reason", () => {
    const phases = [
      phase({ name: "s", status: "skipped", reason: "r1" }),
      phase({ name: "c", status: "cancelled", reason: "r2" }),
      phase({ name: "w", status: "warning", reason: null }),
      phase({ name: "t", retryCount: 3 }),
      phase({ name: "e", agents: everyone }),
    ];
    const text = summaryOf(report({}, { phases }));
    expect(text.split("### Worth knowing\n\n")[1]?.split("\n\n")[0]?.split("\n")).toEqual([
      "- `s` skipped: r1",
      "- `c` cancelled: r2",
      "- `w` warning: no reason recorded",
      "- `t` retried 3 times",
      "- `e`: a-2 lost: why 2",
      "- `e`: a-3 excluded: why 3",
      "- `e`: a-4 stopped: why 4",
    ]);
    expect(summaryOf(report())).not.toContain("Worth knowing");
    expect(summaryOf(report())).not.toContain("### Metrics");
  });

  it("shows a metric that met what was expected, and one of which nothing was", () => {
    const metrics = [
      { ...metric, met: true },
      { ...metric, unit: "", expected: null, met: null },
    ];
    const text = summaryOf(report({}, { phases: [phase({ metrics })] }));
    expect(text).toContain(
      "| preflight | `rate` | 3.5 MB/s | mean of 4 | ✅ `>= 4` |\n| preflight | `rate` | 3.5 | mean of 4 |  |",
    );
    expect(text).not.toContain("not shown");
  });

  it("tells how each quorum decided, round by round, and what it found wanting", () => {
    const quorum: QuorumRound = {
      decision: "PASS",
      confidence: 0.75,
      weights: { pass: 2, retry: 1.5, fail: 0 },
      votes: [vote("a|b", "PASS"), vote("c", "FAIL")],
      deficiencies: [
        { validator: "c", deficiency: "too *slow*" },
        { validator: "a", deficiency: { of: ["x"] } },
      ],
      leftOut: 0,
      exhausted: null,
    };
    const earlier: QuorumRound = {
      ...quorum,
      decision: "RETRY",
      confidence: null,
      votes: Array.from({ length: 12 }, (_, n) => vote(`v${n}`, "RETRY")),
      deficiencies: Array.from({ length: 11 }, (_, n) => ({ validator: `v${n}`, deficiency: n })),
      leftOut: 3,
    };
    const phases = [phase({ name: "load" }), phase({ name: "q*", quorum, earlier: [{ ...phase(), quorum: earlier }] })];
    const shown = (remarks: number) => quorumSection(report({}, { phases }), { remarks });
    const ten = (word: (n: number) => string) => Array.from({ length: 10 }, (_, n) => word(n)).join("<br>");
    const last =
      '| q\\* | 2 | PASS | 0.75 | 2 / 1.5 / 0 | a\\|b: PASS<br>c: FAIL | c: too \\*slow\\*<br>a: {"of":\\["x"\\]} |';
    expect(shown(2).split("\n")).toEqual([
      "### Quorums",
      "",
      "| quorum | round | decision | confidence | pass / retry / fail | votes | found wanting |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      `| q\\* | 1 | RETRY |  | 2 / 1.5 / 0 | ${ten((n) => `v${n}: RETRY`)}<br>and 2 more | ${ten((n) => `v${n}: ${n}`)}<br>and 4 more |`,
      last,
    ]);
    expect(shown(1)).toMatch(/\| --- \|\n\| q\\\* \| 2 .*\|\n\n_1 earlier round not shown._$/);
    expect(shown(0)).toBe("");
    expect(quorumSection(report(), { remarks: 9 })).toBe("");
    expect(summaryOf(report({}, { phases }))).toContain(last);
  });

  it("names the round of a stage that was entered again", () => {
    const cell = (earlier: number) =>
      cells(
        summaryOf(report({}, { phases: [phase({ earlier: Array.from({ length: earlier }, () => phase()) })] })),
        2,
      )[1];
    expect([cell(0), cell(1), cell(2)]).toEqual(["preflight", "preflight (round 2)", "preflight (round 3)"]);
  });

  it("of one agent has a column for it, and of none no table", () => {
    expect(cells(summaryOf(report()), 0)).toEqual(["", "stage", "took", "train-0"]);
    expect(summaryOf(report({}, { phases: [] }))).not.toContain("|");
  });

  it("in its shortest forms leaves out output, then failures and stages", () => {
    const phases = [failed("save", { metrics: [metric] })];
    const text = (limit: number) => summaryOf(report({}, { phases }), ["n".repeat(50)], limit);
    const whole = text(10_000);
    expect(whole).toContain("<details open>");
    const steps = [...new Set(Array.from({ length: whole.length }, (_, cut) => text(whole.length - cut)))];
    const short = steps.find((step) => !step.includes("<details"));
    expect(short).toContain("### What failed");
    expect(short).toContain("| ❌ | save |");
    const shortest = steps.findLast((step) => step.includes("Shortened"));
    expect(shortest).not.toContain("### What failed");
    expect(shortest).not.toContain("|");
    expect(shortest).not.toContain("### Metrics");
  });

  it("counts what it leaves out of each part", () => {
    const failing = Array.from({ length: 51 }, (_, index) =>
      agentPhase({ agent: `a-${index}`, index, status: "failure" }),
    );
    const phases = Array.from({ length: 51 }, (_, index) =>
      failed(`s-${index}`, { agents: index === 0 ? failing : [failing[0] ?? agentPhase()] }),
    );
    const remarks = Array.from({ length: 502 }, (_, index) =>
      phase({ name: `r-${index}`, retryCount: 1, metrics: [metric] }),
    );
    const text = summaryOf(report({}, { phases: [...phases, ...remarks] }));
    expect(text).toContain("_and 1 more agent_");
    expect(text).toContain("_and 1 more stage_");
    expect(text).toContain("- _and 2 more_");
    expect(text.match(/\| `rate` \|/g)).toHaveLength(500);
    expect(text).toContain("_2 metrics not shown._");
    expect(text).not.toContain("stages not shown");
  });

  it("of more stages than fit shows those that went otherwise, in the plan's order", () => {
    const phases = Array.from({ length: 2002 }, (_, index) =>
      index === 2001
        ? phase({ name: "late", status: "warning" })
        : phase({ name: `s-${index}`, status: index === 3 ? "skipped" : "success" }),
    );
    const text = summaryOf(report({}, { phases }));
    expect(text).toContain("| s-1998 | ");
    expect(text).not.toContain("| s-1999 | ");
    expect(text.indexOf("| late | ")).toBeGreaterThan(text.indexOf("| s-1998 | "));
    expect(text).toContain("_2 stages not shown._");
  });

  it("is made again with less until it fits, and says so; at last it is one line", () => {
    // GitHub's, with room for a line more.
    expect(SUMMARY_LIMIT).toBeLessThan(1024 ** 2);
    const seen: number[] = [];
    const build = (limit: number) =>
      fitting(limit, (detail) => {
        seen.push(detail.stageRows);
        return ["## head", "", "x".repeat(detail.stageRows * 10)];
      });
    expect(build(20_009 + 1)).toBe(`## head\n\n${"x".repeat(20_000)}\n`);
    expect(seen).toEqual([2000]);
    expect(build(5_100)).toBe(
      `## head\n\n${"x".repeat(5_000)}\n\n_Shortened to fit GitHub's limit; the results file has everything._\n`,
    );
    expect(build(80)).toBe("## head\n\n_Shortened to fit GitHub's limit; the results file has everything._\n");
    expect(build(15)).toBe("## h…");
    expect(build(1)).toBe("…");
  });
});
