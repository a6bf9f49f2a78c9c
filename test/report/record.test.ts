/** What makes a result a record: where it comes from, what it was measured on, and the schema that it keeps to. */
import { Ajv2020 } from "ajv/dist/2020.js";
import * as hdr from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { readHistogram } from "../../src/coordinator/hosting/histograms.ts";
import { planDigest } from "../../src/plan/canonical.ts";
import type { Baseline } from "../../src/plan/plan.ts";
import { histogramFigures } from "../../src/report/histograms.ts";
import { resultJson, resultOf } from "../../src/report/record/json.ts";
import { provenanceOf } from "../../src/report/record/provenance.ts";
import { readResult } from "../../src/report/record/read-result.ts";
import { resultJsonSchema, resultSchema } from "../../src/report/record/result-schema.ts";
import { testbedOf } from "../../src/report/record/testbed.ts";
import type { AgentMachine } from "../../src/run/result/record.ts";
import { plan } from "../plan/builders.ts";
import { agentPhase, failed, phase, report } from "./builders.ts";

const BASELINE: Baseline = {
  ...{ metric: "sum", from: ["r"], better: "bigger", runs: 10, atLeast: 1 },
  ...{ test: "percent", limit: 10, onTooFew: "fail" },
};
const KEY = { repositoryId: "7", runId: "42", attempt: 2, group: "train", plan: "train" };
const FACTS = { cores: 64, memoryBytes: 2 ** 38, cpu: "EPYC", os: "linux", kernel: "6.8.0-41", arch: "x64" };
const machine = (index: number, overrides: object = {}): AgentMachine => ({
  agent: `train-${index}`,
  index,
  role: null,
  machine: { ...FACTS, runner: `bench-${index}`, ...overrides },
});
const MASK = { text: (text: string) => text.replaceAll("hunter2", "***"), json: <T>(value: T) => value };
const PLAN = plan(
  "params: { epochs: { type: integer, default: 3 }, token: { default: hunter2 } }\nstages: [{ name: a, run: x }]",
);

function encoded(values: readonly number[]): string {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2,
    numberOfSignificantValueDigits: 3,
  });
  histogram.autoResize = true;
  for (const value of values) histogram.recordValue(value);
  return hdr.encodeIntoCompressedBase64(histogram);
}

describe("the record of a run", () => {
  const metric = { name: "rate", value: 12, unit: "MB/s", agg: "sum", count: 2 } as const;
  const measured = [{ ...metric, value: 5, count: 1 }];
  const told = report(
    {
      provenance: provenanceOf({ key: KEY, plan: PLAN, commit: "c0ffee", version: "0.1.0" }, MASK),
      readHistogram,
    },
    {
      machines: [machine(0), machine(1)],
      phases: [
        phase({
          metrics: [{ ...metric, expected: ">= 3", met: true }],
          histograms: { lat: encoded([1, 2, 3, 1000]) },
          agents: [agentPhase({ measured })],
          earlier: [phase()],
          tasks: { done: 1, failed: 0, skipped: 0, total: 1 },
          progress: { done: 1, total: null, errors: 0 },
          outputs: { a: [null, { b: 1 }] },
        }),
        failed("save"),
        phase({ status: "skipped", startedAt: null, completedAt: null, agents: [] }),
      ],
    },
  );
  const result = resultOf(told);

  it("says which plan ran, with what, for which commit, in which run, and where", () => {
    expect(result).toMatchObject({
      schema_version: 1,
      started_at: "2026-11-21T09:00:00.000Z",
      completed_at: "2026-11-21T09:01:05.000Z",
      plan: { name: "train", file: "plans/train.yml", digest: planDigest(PLAN) },
      params: { epochs: 3, token: "***" },
      commit: "c0ffee",
      run: { repository_id: "7", run_id: "42", attempt: 2, group: "train" },
      versions: { stagewright: "0.1.0" },
      agents: [
        { agent: "train-0", index: 0, role: null, machine: { cores: 64, memory_bytes: 2 ** 38, runner: "bench-0" } },
        { agent: "train-1" },
      ],
    });
  });

  it("has each agent's values beside the group's, and the percentiles of histograms", () => {
    expect(result.phase_results[0]?.agents[0]?.metrics).toEqual(measured);
    expect(result.phase_results[0]?.percentiles.lat).toMatchObject({ count: 4, min: 1, p50: 2, p99: 1000, max: 1000 });
  });

  it("keeps to its schema, which is also that of `stagewright schema result`", () => {
    const strict = resultSchema.strict();
    for (const each of [told, report(), report({}, { phases: [] })]) {
      const written = JSON.parse(resultJson(each));
      expect(strict.parse(written)).toEqual(written);
    }
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(resultJsonSchema());
    expect(validate(JSON.parse(resultJson(told))), JSON.stringify(validate.errors)).toBe(true);
  });
});

it("a result may say each word that a run's record has", () => {
  const statuses = ["success", "warning", "failure", "skipped", "cancelled"] as const;
  const parts = ["success", "failure", "skipped", "excluded", "lost", "stopped"] as const;
  const tasks = ["done", "failed", "skipped", "unfinished"] as const;
  const verdicts = ["within", "worse", "no_verdict"] as const;
  const decisions = ["PASS", "RETRY", "FAIL"] as const;
  const aggs = ["sum", "mean", "max", "min", "last"] as const;
  const metrics = aggs.map((agg) => ({ name: agg, value: 1, unit: "s", agg, count: 1, expected: null, met: null }));
  const record = { agent: null, attempts: 0, failures: 0, preemptions: 0, startedAt: null, endedAt: null, end: null };
  const phases = statuses.map((status, stage) =>
    phase({
      ...{ stage, status, metrics },
      agents: parts.map((each, index) => agentPhase({ index, status: each, measured: metrics.slice(0, 1) })),
      tasks: {
        ...{ done: 1, failed: 1, skipped: 1, total: 4 },
        records: tasks.map((each) => ({ ...record, task: each, status: each, reason: null, outputs: { a: 1 } })),
      },
      trial: {
        ...{ of: "load", number: 2, count: 2, discarded: false },
        spreads: [{ metric: "sum", values: [1, null], median: 1, min: 1, max: 1, spread: 0 }],
      },
    }),
  );
  const votes = decisions.map((decision) => ({
    ...{ validator: decision, weight: 1, decision, confidence: null, agent: null, reason: null },
  }));
  const quorums = decisions.map((decision) =>
    phase({
      quorum: {
        ...{ decision, confidence: 0.5, weights: { pass: 1, retry: 1, fail: 1 }, votes },
        ...{ deficiencies: [{ validator: "PASS", deficiency: ["x"] }], leftOut: 2, exhausted: null },
      },
    }),
  );
  const bound = { samples: 1, median: 1, bound: 1, text: "", stage: 0, baseline: BASELINE };
  const baselines = verdicts.map((verdict, index) => ({ ...bound, verdict, metric: aggs[index] ?? "sum" }));
  for (const verdict of ["success", "failure", "cancelled"] as const) {
    const { result, problems } = readResult(
      Buffer.from(resultJson(report({ baselines }, { verdict, phases: [...phases, ...quorums] }))),
      "r",
    );
    expect(problems).toEqual([]);
    expect(result?.verdict).toBe(verdict);
    const [first] = result?.phase_results ?? [];
    expect(result?.phase_results.slice(0, 5).map(({ status }) => status)).toEqual(statuses);
    expect(first?.agents.map(({ status }) => status)).toEqual(parts);
    expect(first?.task_records?.map(({ status }) => status)).toEqual(tasks);
    expect(first?.metrics.map(({ baseline }) => baseline?.verdict)).toEqual([...verdicts, undefined, undefined]);
    expect(first?.metrics.map(({ agg }) => agg)).toEqual(aggs);
    expect(first?.trial?.spreads?.[0]?.values).toEqual([1, null]);
    const [quorum] = result?.phase_results.slice(5) ?? [];
    expect(quorum?.quorum?.votes).toEqual(votes);
    expect(quorum?.quorum?.deficiencies_left_out).toBe(2);
  }
});

describe("the fingerprint of the testbed", () => {
  const two = [machine(0), machine(1)];
  it("is the same for the same machines, whatever they are called and in whatever order", () => {
    const renamed = [machine(1, { runner: "x", kernel: "6.8.0-99" }), machine(0, { memoryBytes: 2 ** 38 + 4096 })];
    expect(testbedOf(renamed)).toBe(testbedOf(two));
    expect(testbedOf(two)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ["one machine more", [...two, machine(2)]],
    ["fewer processors", [machine(0), machine(1, { cores: 32 })]],
    ["less memory", [machine(0), machine(1, { memoryBytes: 2 ** 37 })]],
    ["another processor", [machine(0), machine(1, { cpu: "Xeon" })]],
    ["another kernel", [machine(0), machine(1, { kernel: "6.9.1" })]],
    ["another role", [machine(0), { ...machine(1), role: "server" }]],
  ])("is another with %s", (_, machines) => {
    expect(testbedOf(machines)).not.toBe(testbedOf(two));
  });

  it("is not known where one does not say what it is", () => {
    expect([testbedOf([machine(0), { ...machine(1), machine: null }]), testbedOf([])]).toEqual([null, null]);
  });
});

describe("a histogram in numbers", () => {
  it.each([
    ["few", [1, 1, 2, 5]],
    ["large and small", [1, 2047, 2048, 2049, 4095, 4096, 123_456_789]],
    ["many", Array.from({ length: 5_000 }, (_, n) => ((n * 7919) % 100_003) + 1)],
    ["one", [7]],
  ])("%s: what the library says", (_, values) => {
    const text = encoded(values);
    const library = hdr.decodeFromCompressedBase64(text);
    const figures = histogramFigures(readHistogram(text) ?? []);
    expect(figures).toMatchObject({
      count: values.length,
      p50: library.getValueAtPercentile(50),
      p90: library.getValueAtPercentile(90),
      p99: library.getValueAtPercentile(99),
      p99_9: library.getValueAtPercentile(99.9),
    });
    expect(figures?.mean).toBeCloseTo(library.mean, 3);
  });

  it("is nothing for what is none, and for one without values", () => {
    expect(readHistogram("AAAA")).toBeNull();
    expect(histogramFigures(readHistogram(encoded([])) ?? [])).toBeNull();
  });
});
