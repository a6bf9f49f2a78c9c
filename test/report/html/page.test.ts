import { describe, expect, it } from "vitest";
import { htmlReport } from "../../../src/report/html/page.ts";
import { bencherMetrics, comparisonJson, githubActionBenchmark } from "../../../src/report/record/exports.ts";
import { resultOf } from "../../../src/report/record/json.ts";
import type { Result } from "../../../src/report/record/result-schema.ts";
import type { PhaseRecord } from "../../../src/run/result/record.ts";
import { agentPhase, phase, report, T0 } from "../builders.ts";

const SAMPLES = [
  { least: 1, most: 1, count: 3 },
  { least: 1000, most: 1000, count: 1 },
];
const OPTIONS = { readHistogram: (encoded: string) => (encoded === "AAAA" ? SAMPLES : null) };
const metric = { name: "rate", unit: "MB/s", agg: "mean", count: 2 } as const;

function result(phases: readonly PhaseRecord[], params: Readonly<Record<string, string>> = {}): Result {
  const made = resultOf(report({ readHistogram: OPTIONS.readHistogram }, { phases }));
  return { ...made, params };
}

function load(rate: number): PhaseRecord {
  return phase({
    name: "load",
    completedAt: T0 + 4000,
    metrics: [{ ...metric, value: rate, expected: ">= 3", met: rate >= 3 }],
    histograms: { latency: "AAAA" },
    agents: [
      agentPhase({ agent: "a", measured: [{ ...metric, value: rate - 1, count: 1 }] }),
      agentPhase({
        ...{ agent: "b", index: 1, status: "failure", reason: "exit code 3", endedAt: T0 + 4000 },
        measured: [{ ...metric, value: rate + 1, count: 1 }],
      }),
    ],
  });
}

const text = (page: string): string =>
  page.replaceAll(/<style>[\s\S]*?<\/style>|<[^>]*>/gu, " ").replaceAll(/\s+/gu, " ");

describe("the page of a result", () => {
  const page = htmlReport([{ file: "r.json", result: result([load(10)], { size: "8k" }) }], OPTIONS);

  it("shows who worked when, and who waited for whom", () => {
    expect(page).toContain('title="a, load: success after 1.0 s"');
    expect(page).toContain('title="a waited 3.0 s at the barrier of load"');
    expect(page).toContain('title="b, load: failure after 4.0 s: exit code 3"');
    expect(page).not.toContain("b waited");
  });

  it("shows each metric, what was expected of it, and where each agent stands", () => {
    expect(text(page)).toContain("rate load 10 MB/s mean of 2 ✓ &gt;= 3");
    expect(page).toContain('title="a: 9 MB/s"');
    expect(page).toContain('title="b: 11 MB/s"');
  });

  it("shows histograms in bars and numbers", () => {
    expect(page).toContain(
      'title="1000 to 1000: 1"'.replace("1000 to 1000", page.match(/(\d+ to 1000): 1"/u)?.[1] ?? "?"),
    );
    expect(text(page)).toContain("values 4 1 1 1000 1000 1000 1000");
  });

  it("needs nothing from outside, and runs nothing", () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import|\son[a-z]+=/u);
  });
});

describe("several results on one page", () => {
  const page = htmlReport(
    [10, 12, 8].map((rate, n) => ({ file: `${n}.json`, result: result([load(rate)]) })),
    OPTIONS,
  );

  it("stand side by side, each against the first", () => {
    expect(text(page)).toMatch(/A 10 MB\/s.*B 12 MB\/s mean of 2 \+20 %.*C 8 MB\/s mean of 2 −20 %/u);
    expect(text(page)).toContain("A 0.json B 1.json C 2.json");
  });

  it("and as JSON, null where one has none", () => {
    const others = result([phase({ name: "other" })]);
    const json = comparisonJson([
      { file: "a", result: result([load(10)]) },
      { file: "b", result: others },
    ]);
    expect(json).toMatchObject({
      runs: [{ file: "a" }, { file: "b" }],
      stages: [
        { stage: "load", duration_ms: [4000, null], metrics: [{ name: "rate", unit: "MB/s", values: [10, null] }] },
        { stage: "other", duration_ms: [null, 1000] },
      ],
    });
  });
});

describe("for benchmark trackers", () => {
  it("Bencher's metric format: a benchmark for each stage, with the range of its agents", () => {
    expect(bencherMetrics(result([load(10)]))).toEqual({
      "train / load": {
        rate: { value: 10, lower_value: 9, upper_value: 11 },
        "latency-p50": { value: 1 },
        "latency-p90": { value: 1000 },
        "latency-p99": { value: 1000 },
        "duration-ms": { value: 4000 },
      },
    });
  });

  it("github-action-benchmark: what is better when it is bigger apart from what is better when smaller", () => {
    const names = (better: "bigger" | "smaller"): unknown[] =>
      JSON.parse(JSON.stringify(githubActionBenchmark(result([load(10)]), better))).map(
        (each: { name: string }) => each.name,
      );
    expect(names("bigger")).toEqual(["load / rate"]);
    expect(names("smaller")).toEqual([
      "load / latency p50",
      "load / latency p90",
      "load / latency p99",
      "load / duration",
    ]);
  });
});

describe("whatever a result holds", () => {
  it("text of others stays text", () => {
    const evil = `"><script>alert(1)</script><img src=x onerror=y>' style='x`;
    const part = agentPhase({
      agent: evil,
      status: "failure",
      reason: evil,
      measured: [{ ...metric, name: evil, value: 1 }],
    });
    const phases = [
      phase({
        ...{ name: evil, description: evil, reason: evil, status: "failure", histograms: { [evil]: "AAAA" } },
        metrics: [{ ...metric, name: evil, unit: evil, value: 1, expected: evil, met: false }],
        agents: [part, { ...part, agent: `${evil}2`, index: 1 }],
      }),
    ];
    const made = { ...result(phases, { [evil]: evil }), message: evil, commit: evil, testbed: evil };
    const named = { ...made, plan: { name: evil, file: evil, digest: evil, work_digest: evil } };
    const run = { repository_id: evil, run_id: evil, attempt: 1, group: evil };
    const machine = { cores: 1, memory_bytes: 1, cpu: evil, os: evil, kernel: evil, arch: evil, runner: evil };
    const whole = { ...named, run, agents: [{ agent: evil, index: 0, role: evil, machine }] };
    const page = htmlReport(
      [
        { file: evil, result: whole },
        { file: evil, result: whole },
      ],
      OPTIONS,
    );
    expect(page).not.toMatch(/<script|<img|onerror=y>/u);
    // Each attribute is one that we wrote.
    const attributes = new Set(
      [...page.matchAll(/<[a-z0-9]+((?:\s[a-z-]+="[^"]*")*)\s*>/gu)].flatMap(([, all = ""]) =>
        [...all.matchAll(/\s([a-z-]+)="/gu)].map(([, name]) => name),
      ),
    );
    expect([...attributes].sort()).toEqual([
      "charset",
      "class",
      "content",
      "http-equiv",
      "lang",
      "name",
      "scope",
      "style",
      "title",
    ]);
  });

  it("long names that begin alike are told by their ends", () => {
    const agents = [0, 1].map((index) => agentPhase({ agent: `runner-pool-eu-${index}`, index }));
    const page = htmlReport([{ file: "r", result: result([phase({ agents })]) }], OPTIONS);
    expect(page).toContain('title="runner-pool-eu-1">…1</span>');
  });

  it("who is excluded is told of once, not of each stage that follows", () => {
    const out = (attempts: number) =>
      agentPhase({ agent: "b", index: 1, status: "excluded", attempts, reason: "silent for 30 s" });
    const phases = [1, 0, 0].map((attempts, n) => phase({ name: `s-${n}`, agents: [agentPhase(), out(attempts)] }));
    const page = htmlReport([{ file: "r", result: result(phases) }], OPTIONS);
    expect(text(page).match(/b excluded: silent for 30 s/gu)).toHaveLength(1);
    expect(text(page)).toContain("s-0 : succeeded, but not on all agents");
  });

  it("300 stages of 256 agents, four times: a page that opens, with what is left out counted", () => {
    const agents = Array.from({ length: 256 }, (_, index) =>
      agentPhase({
        agent: `a-${index}`,
        index,
        status: index === 200 ? "lost" : "success",
        measured: [{ ...metric, value: index }],
      }),
    );
    const many = Array.from({ length: 300 }, (_, n) =>
      phase({
        name: `s-${n}`,
        metrics: [{ ...metric, value: n, expected: null, met: null }],
        histograms: { h: "AAAA" },
        agents,
      }),
    );
    const whole = result(many);
    const page = htmlReport(
      Array.from({ length: 4 }, (_, n) => ({ file: `${n}`, result: whole })),
      OPTIONS,
    );
    expect(page.length).toBeLessThan(6_000_000);
    expect(text(page)).toMatch(/25\d agents are not shown/u);
    expect(page).toContain("a-200, s-0: lost");
    expect(text(page)).toContain("100 metrics are not shown");
    expect(text(page)).toContain("240 histograms are not shown");
  });
});
