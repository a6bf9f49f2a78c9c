import { describe, expect, it } from "vitest";
import type { Baseline } from "../../src/plan/plan.ts";
import { clip } from "../../src/report/escape.ts";
import { htmlReport } from "../../src/report/html/page.ts";
import { baselineLine, NO_COLOURS } from "../../src/report/log.ts";
import { type BaselineJudgement, judge, withBaselines } from "../../src/report/record/baselines.ts";
import { reportOfResult } from "../../src/report/record/from-result.ts";
import { resultOf } from "../../src/report/record/json.ts";
import type { Result } from "../../src/report/record/result-schema.ts";
import { agentPhase, failed, phase, report, summary } from "./builders.ts";

const BASELINE: Baseline = {
  ...{ metric: "rate", from: ["r"], better: "bigger", runs: 10, atLeast: 1 },
  ...{ test: "percent", limit: 10, onTooFew: "fail" },
};
const judgement = (overrides: Partial<BaselineJudgement> = {}): BaselineJudgement => ({
  ...{ stage: 0, metric: "rate", verdict: "worse", samples: 3, median: 10, bound: 9 },
  ...{ text: ">= 9", baseline: BASELINE },
  ...overrides,
});
const none = { verdict: "no_verdict", median: null, bound: null, text: "no verdict: none" } as const;
const metrics = ["rate", "other"].map((name) => ({
  ...{ name, value: 8, unit: "", agg: "sum" as const, count: 1, expected: null, met: null },
}));

describe("the bound of a baseline", () => {
  it.each<[readonly number[], Partial<Baseline>, number, number]>([
    [[10], {}, 10, 9],
    [[12, 10], {}, 11, 9.9],
    [[30, 10, 20], {}, 20, 18],
    [[40, 10, 30, 20], {}, 25, 22.5],
    [[10], { better: "smaller" }, 10, 11],
    [[-10], {}, -10, -11],
    [[10, 10, 10], { test: "mad", limit: 2 }, 10, 9.9],
    [[8, 10, 12], { test: "mad", limit: 1 }, 10, 10 - 1.4826 * 2],
    [[8, 10, 12], { test: "mad", limit: 1, better: "smaller" }, 10, 10 + 1.4826 * 2],
  ])("of %j with %j", (samples, more, median, bound) => {
    const baseline = { ...BASELINE, ...more };
    const found = judge(0, samples, baseline);
    expect([found.samples, found.median]).toEqual([samples.length, median]);
    expect(found.bound).toBeCloseTo(bound, 9);
    const at = found.bound ?? 0;
    const beyond = baseline.better === "bigger" ? at - 0.001 : at + 0.001;
    expect([judge(at, samples, baseline).verdict, judge(beyond, samples, baseline).verdict]).toEqual([
      "within",
      "worse",
    ]);
  });

  it("is said with how it came to be", () => {
    expect(judge(0, [12, 10], BASELINE).text).toBe(">= 9.9 (median 11 of 2 runs, 10 %)");
    expect(judge(0, [8, 10, 12], { ...BASELINE, better: "smaller", test: "mad", limit: 1 }).text).toBe(
      "<= 12.9652 (median 10 of 3 runs, 1 × its spread of 2.9652)",
    );
    expect(judge(0, [1], { ...BASELINE, atLeast: 2 }).text).toBe("no verdict: 1 earlier run, expected at least 2");
  });
});

describe("what came of baselines", () => {
  const run = (...judged: BaselineJudgement[]) =>
    withBaselines(summary({ phases: [phase({ metrics }), phase({ stage: 1, name: "b", metrics })] }), judged);

  it("is the run as it was where there are none, and told beside the metric where it is within", () => {
    const before = summary();
    expect(withBaselines(before, [])).toBe(before);
    const within = run(judgement({ verdict: "within" }));
    expect(within).toMatchObject({ status: "succeeded", verdict: "success", failedStage: null, message: "" });
    expect(within.phases[0]).toEqual(
      phase({
        metrics: metrics.map((each) => (each.name === "rate" ? { ...each, expected: ">= 9", met: true } : each)),
      }),
    );
    expect(within.phases[1]).toEqual(phase({ stage: 1, name: "b", metrics }));
  });

  it.each<[BaselineJudgement[], string | null, string, string | null]>([
    [[judgement()], null, "failure", "rate: expected >= 9"],
    [[judgement()], "slow", "failure", "slow; rate: expected >= 9"],
    [[judgement(none)], "slow", "warning", "slow; rate: no verdict: none"],
    [
      [judgement(), judgement({ ...none, metric: "other" })],
      null,
      "failure",
      "rate: expected >= 9; other: no verdict: none",
    ],
    [[judgement({ verdict: "within" })], "slow", "success", "slow"],
  ])("%#: a stage's status and reason", (judged, before, status, reason) => {
    const of = summary({ phases: [phase({ metrics, reason: before })] });
    expect(withBaselines(of, judged).phases[0]).toMatchObject({ status, reason });
  });

  it("fails the first stage that it is worse in", () => {
    expect(run(judgement({ stage: 1 }), judgement())).toMatchObject({
      status: "failed",
      failedStage: "b",
      message: "b: rate is worse than its baseline, expected >= 9",
      phases: [{ worked: false }, { worked: false }],
    });
    const lenient = judgement({ ...none, baseline: { ...BASELINE, onTooFew: "warn" } });
    expect(run(lenient)).toMatchObject({ verdict: "success", failedStage: null });
    expect(run(lenient, judgement({ stage: 1 }))).toMatchObject({ failedStage: "b" });
  });

  it("leaves a run that failed by itself as it was", () => {
    const lost = summary({
      status: "failed",
      verdict: "failure",
      failedStage: "save",
      message: "m",
      phases: [phase({ metrics }), failed("save", { stage: 1 })],
    });
    expect(withBaselines(lost, [judgement()])).toMatchObject({
      failedStage: "save",
      message: "m",
      phases: [{ status: "failure" }, {}],
    });
  });
});

it("each verdict stands beside its own stage's metric in the result", () => {
  const judged = [judgement({ stage: 1, verdict: "within" }), judgement({ metric: "other", verdict: "worse" })];
  const { phase_results } = resultOf(
    report({ baselines: judged }, { phases: [phase({ metrics }), phase({ stage: 1, metrics })] }),
  );
  const beside = phase_results.map((each) => each.metrics.map(({ baseline }) => baseline?.verdict ?? null));
  expect(beside).toEqual([
    [null, "worse"],
    ["within", null],
  ]);
});

it("a log says what came of a baseline, with a mark of its own", () => {
  const marks = {
    green: (text: string) => `g${text}`,
    red: (text: string) => `r${text}`,
    yellow: (text: string) => `y${text}`,
  };
  const said = (overrides: Partial<BaselineJudgement>) =>
    baselineLine(judgement(overrides), { ...NO_COLOURS, ...marks });
  expect([said({ verdict: "within" }), said({}), said(none)]).toEqual([
    "g✓ rate within its baseline: >= 9",
    "r✗ rate worse than its baseline: >= 9",
    "y⚠ rate no verdict: none",
  ]);
});

it.each([
  ["success", "succeeded"],
  ["failure", "failed"],
  ["cancelled", "cancelled"],
] as const)("a result's verdict %s is a run that %s", (verdict, status) => {
  expect(reportOfResult(resultOf(report({}, { verdict }))).summary).toMatchObject({ verdict, status });
});

it("no half of a character is left where a text is cut", () => {
  for (const pair of ["\u{10000}", "\u{10fc00}", "\u{1f600}"]) {
    expect([clip(`a${pair}b`, 3), clip(`a${pair}b`, 4), clip(`${pair}bc`, 3)]).toEqual(["a…", `a${pair}b`, `${pair}…`]);
  }
  expect([clip("a\ue000bc", 3), clip("a\ud7ffbc", 3)]).toEqual(["a\ue000…", "a\ud7ff…"]);
});

describe("the tables of a page", () => {
  const OPTIONS = { readHistogram: () => null };
  const result = (...phases: Parameters<typeof phase>[0][]): Result =>
    resultOf(report({}, { phases: phases.map((each) => phase(each)) }));
  const words = (page: string): string =>
    page
      .replaceAll(/<style>[\s\S]*?<\/style>/gu, "")
      .replaceAll(/<[^>]*>/gu, " ")
      .replaceAll(/\s+/gu, " ");
  const first = result(
    { name: "load" },
    { name: "save", status: "skipped", worked: false, startedAt: null, completedAt: null, agents: [] },
  );

  it("of one result name its file", () => {
    const text = words(htmlReport([{ file: "r.json", result: first }], OPTIONS));
    expect(text).toContain(
      " file r.json started 2026-11-21 09:00:00 took 1 min 05 s agents 0 commit – parameters – testbed not known run – plan's digest – ",
    );
    expect(text).toContain(" stage what came of it load ");
    expect(text).not.toContain("stages are not shown");
  });

  it("of several have a column for each, and what is another than in the first", () => {
    const slow = resultOf(
      report(
        { completedAt: report().startedAt + 130_000 },
        { phases: [phase({ name: "load" }), phase({ name: "more" })] },
      ),
    );
    const text = words(
      htmlReport(
        [
          { file: "1", result: first },
          { file: "2", result: slow },
        ],
        OPTIONS,
      ),
    );
    expect(text).toMatch(
      / A 1 B 2 verdict ✓ succeeded ✓ succeeded plan train train started .* took 1 min 05 s 2 min 10 s \+100 % agents /u,
    );
    expect(text).toMatch(/ stage A B load .* save skipped – more – /u);
    expect(text).toMatch(/^(?:[^✓]* )Runs A 1 B 2 /u);
  });

  it("name the columns of machines, and results beyond those that fit", () => {
    const facts = { cores: 8, memoryBytes: 2 ** 34, cpu: "EPYC", os: "linux", kernel: "6.8", arch: "x64" };
    const machines = [
      { agent: "a", index: 0, role: "server", machine: { ...facts, runner: "r1" } },
      { agent: "b", index: 1, role: null, machine: { ...facts, runner: null } },
      { agent: "c", index: 2, role: null, machine: null },
    ];
    const made = resultOf(report({}, { phases: [phase()], machines }));
    const text = words(htmlReport([{ file: "r", result: made }], OPTIONS));
    expect(text).toContain(
      " Machines 3 agents agent processors memory system runner a server 8 × EPYC x64 16.0 GiB linux 6.8 r1 b 8 × EPYC x64 16.0 GiB linux 6.8 – c not known ",
    );
    expect(text).not.toContain("not shown");
    const agents = Array.from({ length: 301 }, () => ({ agent: "a", index: 0, role: null, machine: null }));
    expect(words(htmlReport([{ file: "r", result: { ...made, agents } }], OPTIONS))).toContain("1 agent is not shown");
    expect(words(htmlReport([{ file: "r", result: first }], OPTIONS))).not.toContain("Machines");
    const many = Array.from({ length: 14 }, (_, index) => ({ file: `${index}`, result: first }));
    expect(words(htmlReport(many, OPTIONS))).toContain("2 results are not shown");
    expect(words(htmlReport(many.slice(2), OPTIONS))).not.toContain("not shown");
  });

  it("tell of a stage its rounds, retries and tasks, where there are any", () => {
    const tasks = { done: 1, failed: 0, skipped: 1, total: 2 };
    const text = words(
      htmlReport(
        [
          {
            file: "r",
            result: result(
              { name: "one" },
              { name: "two", earlier: [phase()], retryCount: 2, tasks },
              { name: "three", retryCount: 1, tasks: { ...tasks, total: 1 } },
              { name: "four", status: "skipped", reason: "not selected" },
            ),
          },
        ],
        OPTIONS,
      ),
    );
    expect(/ what came of it (.*) Made by/u.exec(text)?.[1]).toBe(
      "one ✓ 1.0 s two ✓ 1.0 s · round 2 · 2 retries · 1 of 2 tasks three ✓ 1.0 s · 1 retry · 1 of 1 task four skipped: not selected",
    );
  });

  it("of failures tell of fifty stages", () => {
    const failures = (count: number) => {
      const phases = Array.from({ length: count }, (_, n) => ({ name: `s${n}`, status: "failure" as const }));
      return words(htmlReport([{ file: "r", result: result(...phases) }], OPTIONS)).split(" Timeline ")[0];
    };
    expect(failures(50)).toMatch(/ ✗ s49 : failure$/u);
    expect(failures(52)).toMatch(/ ✗ s49 : failure 2 stages are not shown\.$/u);
  });

  it("shorten what tells commits, plans and testbeds from one another", () => {
    const digest = "0123456789abcdef0123456789abcdef";
    const made = { ...first, commit: digest, testbed: digest, plan: { ...first.plan, digest } };
    const text = words(htmlReport([{ file: "r", result: made }], OPTIONS));
    expect(text).toContain(" commit 0123456789a… ");
    expect(text).toContain(" testbed 0123456789abcde… ");
    expect(text).toContain(" plan's digest 0123456789ab ");
  });

  it("of failures tell of stages that did not come through on all agents, and of who is gone once", () => {
    const gone = (index: number, status: "excluded" | "lost", attempts: number) =>
      agentPhase({ index, agent: `a${index}`, status, attempts, reason: "r" });
    const text = words(
      htmlReport(
        [
          {
            file: "r",
            result: result(
              { name: "one", agents: [agentPhase(), gone(1, "excluded", 1), gone(2, "lost", 1)] },
              { name: "two", agents: [gone(1, "excluded", 0), gone(2, "lost", 0)] },
              { name: "three", agents: [gone(1, "excluded", 1), agentPhase({ status: "skipped" })] },
              { name: "four", status: "warning", reason: null },
              { name: "five", status: "cancelled", worked: false, reason: null },
            ),
          },
        ],
        OPTIONS,
      ),
    );
    expect(/What did not succeed (.*) Timeline/u.exec(text)?.[1]).toBe(
      "✓ one : succeeded, but not on all agents a1 excluded: r a2 lost: r ✓ three : succeeded, but not on all agents a1 excluded: r ! four : warning ⊘ five : cancelled",
    );
    const warned = result({ name: "four", status: "warning", reason: null });
    expect(htmlReport([{ file: "r", result: warned }], OPTIONS)).not.toContain("<ul></ul>");
    expect(words(htmlReport([{ file: "r", result: first }], OPTIONS))).not.toContain("What did not succeed");
  });

  it("of failures name the agents that failed, ten of them", () => {
    const agents = Array.from({ length: 12 }, (_, index) =>
      agentPhase({ index, agent: `a${index}`, status: "failure", reason: index === 0 ? null : "exit 3" }),
    );
    const text = words(
      htmlReport(
        [{ file: "r", result: result({ name: "load", status: "failure", worked: false, reason: "exit 3", agents }) }],
        OPTIONS,
      ),
    );
    expect(text).toContain("load : exit 3 a0 failure: no reason recorded a1 failure: exit 3 ");
    expect(text).toContain("a9 failure: exit 3 and 2 more agents");
  });
});
