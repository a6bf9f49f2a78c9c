import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { histogramMerger } from "../../../src/coordinator/hosting/merge-histograms.ts";
import { begin, instructionFor, nextDeadline, noticesFor, summary } from "../../../src/run/machine.ts";
import { hasHistogramsToMerge } from "../../../src/run/result/summary.ts";
import type { Aggregation, AttemptReport, Metric } from "../../../src/run/types.ts";
import { created, Group, joined, plan, retrying, type StageOverrides, synced } from "../builders.ts";

function finished(of: StageOverrides, reports: readonly Partial<AttemptReport>[]): Group {
  const group = new Group(plan([of]), reports.length).join();
  for (const [index, one] of reports.entries()) group.finish(`agent-${index}`, undefined, one);
  return group;
}

const metric = (agg: Aggregation, value: number, count = 1): { readonly metrics: readonly Metric[] } => ({
  metrics: [{ name: "ops", value, unit: "1/s", agg, count }],
});

describe("metrics of a stage", () => {
  it.each<[Aggregation, readonly (readonly [number, number])[], number, number]>([
    [
      "sum",
      [
        [3, 1],
        [4, 1],
        [5, 1],
      ],
      12,
      3,
    ],
    [
      "mean",
      [
        [10, 1],
        [20, 3],
      ],
      17.5,
      4,
    ],
    [
      "min",
      [
        [3, 2],
        [1, 2],
        [2, 2],
      ],
      1,
      6,
    ],
    [
      "max",
      [
        [3, 2],
        [1, 2],
        [2, 2],
      ],
      3,
      6,
    ],
    // A running total: of each agent the last, however many samples it stands for.
    [
      "last",
      [
        [3, 20],
        [1, 30],
        [2, 1],
      ],
      6,
      3,
    ],
  ])("%s over the group", (agg, told, value, count) => {
    const group = finished(
      { name: "a" },
      told.map(([one, samples]) => metric(agg, one, samples)),
    );
    expect(summary(group.state).phases[0]?.metrics).toEqual([
      { name: "ops", unit: "1/s", agg, value, count, expected: null, met: null },
    ]);
  });

  it.each([
    [">=", 12, true],
    [">", 12, false],
    ["<", 13, true],
    ["<=", 11, false],
    ["==", 12, true],
    ["!=", 12, false],
  ] as const)("are held against what is expected: 12 %s %d is %s", (comparison, value, met) => {
    const group = finished({ name: "a", expect: [{ metric: "ops", comparison, value }] }, [
      metric("sum", 7),
      metric("sum", 5),
    ]);
    expect(summary(group.state).phases[0]?.metrics[0]).toMatchObject({ expected: `${comparison} ${value}`, met });
    expect(group.state.status).toBe(met ? "succeeded" : "failed");
    if (!met) expect(group.state.failure?.reason).toBe(`a: expected ops ${comparison} ${value}, got 12`);
  });

  it.each([
    ["sum", 1e300, ">=", 2e300, true],
    ["sum", -1e300, ">", 0, false],
    ["mean", 1e300, ">=", 9e299, true],
    ["mean", 1e300, "<", 1, false],
    ["max", 1e300, "==", 1e300, true],
    ["min", -1e300, ">", -1e299, false],
  ] as const)("at the end of the range stay numbers: %s of %d, twice", (agg, told, comparison, value, met) => {
    const samples = Number.MAX_SAFE_INTEGER;
    const group = finished({ name: "a", expect: [{ metric: "ops", comparison, value }] }, [
      metric(agg, told, samples),
      metric(agg, told, samples),
    ]);
    const [phase] = summary(group.state).phases;
    expect(Number.isFinite(phase?.metrics[0]?.value)).toBe(true);
    expect(Number.isFinite(phase?.metrics[0]?.count)).toBe(true);
    expect(phase?.metrics[0]?.met).toBe(met);
    expect(group.state.status).toBe(met ? "succeeded" : "failed");
  });

  it("that were never told do not meet anything", () => {
    const group = finished({ name: "a", expect: [{ metric: "ops", comparison: ">", value: 0 }] }, [{}]);
    expect(group.state.failure?.reason).toBe("a: expected ops > 0, got nothing of that name");
  });

  it("beyond a bound are left out, and that is said once", () => {
    const named = (from: number) =>
      Array.from(
        { length: 600 },
        (_, at) => ({ name: `m${from + at}`, value: 1, unit: "", agg: "sum", count: 1 }) as const,
      );
    const group = finished({ name: "a" }, [{ metrics: named(0) }, { metrics: named(600) }, { metrics: named(1_200) }]);
    expect(summary(group.state).phases[0]?.metrics).toHaveLength(1_000);
    const said = noticesFor(group.state, "agent-0", 0).filter(({ text }) => text.includes("metrics"));
    expect(said.map(({ text }) => text)).toEqual([
      "a has 1000 metrics, which is the most: further ones are left out of its result",
    ]);
  });

  it("of an attempt that failed do not count", () => {
    const retry = retrying({ maxAttempts: 2, backoffMs: 0, maxBackoffMs: 0 });
    const group = new Group(plan([{ name: "a", retry }]), 1).join();
    group.finish("agent-0", { kind: "exited", code: 1 }, metric("sum", 100));
    group.finish("agent-0", undefined, metric("sum", 1));
    expect(summary(group.state).phases[0]).toMatchObject({ retryCount: 1, metrics: [{ value: 1, count: 1 }] });
  });
});

describe("histograms", () => {
  const encoded = (values: readonly number[]): string => {
    const histogram = build({ numberOfSignificantValueDigits: 3 });
    for (const value of values) histogram.recordValue(value);
    return encodeIntoCompressedBase64(histogram);
  };

  it("of several agents are merged exactly, not averaged", async () => {
    const fast = Array.from({ length: 990 }, () => 10);
    const slow = Array.from({ length: 10 }, () => 5_000);
    const group = finished({ name: "a" }, [
      { histograms: { latency: encoded(fast) } },
      { histograms: { latency: encoded(slow) } },
    ]);
    expect(hasHistogramsToMerge(group.state)).toBe(true);
    expect(summary(group.state).phases[0]?.histograms).toEqual({});
    const merge = await histogramMerger();
    const merged = decodeFromCompressedBase64(summary(group.state, merge).phases[0]?.histograms.latency ?? "");
    expect(merged.totalCount).toBe(1_000);
    expect(merged.getValueAtPercentile(98)).toBe(10);
    expect(merged.getValueAtPercentile(99.5)).toBeGreaterThanOrEqual(4_990);
  });

  it("of one agent alone need nothing", () => {
    const only = encoded([1, 2, 3]);
    expect(summary(finished({ name: "a" }, [{ histograms: { h: only } }]).state).phases[0]?.histograms).toEqual({
      h: only,
    });
  });

  it("are merged exactly beyond counts of 32 bits", async () => {
    const many = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3 });
    many.recordValueWithCount(7, 3_000_000_000);
    const part = encodeIntoCompressedBase64(many);
    const merged = (await histogramMerger())([part, part]);
    expect(decodeFromCompressedBase64(merged.encoded ?? "", 64).totalCount).toBe(6_000_000_000);
  });

  it("that cannot be read are left out with a warning that names stage, histogram and agent", async () => {
    const merge = await histogramMerger();
    const group = finished({ name: "a" }, [
      { histograms: { latency: encoded([1, 2, 3]), size: "no histogram" } },
      { histograms: { latency: "not-base64!!" } },
    ]);
    const said = summary(group.state, merge);
    expect(said.message).toBe("1 stage succeeded, 1 of them with warnings (a)");
    const [phase] = said.phases;
    expect(phase?.status).toBe("warning");
    expect(phase?.reason).toMatch(
      /histogram latency of agent-1 could not be read and was left out: .+; histogram size of agent-0/,
    );
    expect(Object.keys(phase?.histograms ?? {})).toEqual(["latency"]);
    expect(decodeFromCompressedBase64(phase?.histograms.latency ?? "").totalCount).toBe(3);
  });

  it("that cannot be read do not crowd out why a stage failed", async () => {
    const merge = await histogramMerger();
    const bad = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`h${index}`, "AAAA"]));
    const expected = [{ metric: "ops", comparison: ">" as const, value: 0 }];
    const group = finished({ name: "a", expect: expected }, [{ histograms: bad }, { histograms: bad }]);
    const [phase] = summary(group.state, merge).phases;
    expect(phase?.status).toBe("failure");
    expect(phase?.reason).toMatch(
      /^expected ops > 0, got nothing of that name; histogram h0 of agent-0 .*; and 7 more$/,
    );
  });

  it("of one agent in a group are read, too", async () => {
    const merge = await histogramMerger();
    const group = finished({ name: "a" }, [{ histograms: { h: "AAAA" } }, {}]);
    expect(hasHistogramsToMerge(group.state)).toBe(true);
    expect(summary(group.state, merge).phases[0]).toMatchObject({
      status: "warning",
      histograms: {},
      reason: expect.stringContaining("histogram h of agent-0"),
    });
    expect(hasHistogramsToMerge(finished({ name: "a" }, [{ histograms: { h: "AAAA" } }]).state)).toBe(false);
  });
});

describe("outputs", () => {
  it("are known to all after the barrier; of one key the lowest index's, whoever came first", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b" }]), 3).join();
    for (const name of ["agent-2", "agent-0"]) group.finish(name, undefined, { outputs: { path: name, [name]: 1 } });
    expect(group.state.outputs).toEqual({});
    group.finish("agent-1", undefined, { outputs: { path: "agent-1" } });
    expect(group.state.outputs).toEqual({ a: { path: "agent-0", "agent-0": 1, "agent-2": 1 } });
  });

  it("over a bound are left out, and that is said", () => {
    const group = finished({ name: "a" }, [{ outputs: { small: 1, large: "x".repeat(300_000) } }]);
    expect(summary(group.state).phases[0]?.outputs).toEqual({ small: 1 });
    expect(group.notices()).toContain("output large of a was left out: a stage's outputs may have 256 KiB");
  });
});

describe("times", () => {
  it("are from the first start to the last end", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    const start = group.at;
    group.pass(10_000);
    group.finish("agent-0", undefined, { startedAt: start + 1_000, endedAt: start + 9_000 });
    group.finish("agent-1", undefined, { startedAt: start + 500, endedAt: start + 8_000 });
    expect(summary(group.state).phases[0]).toMatchObject({ startedAt: start + 500, completedAt: start + 9_000 });
  });

  it.each([
    ["an hour ahead", 3_600_000],
    ["an hour behind", -3_600_000],
  ])("of a clock that is %s are put right by their length", (_name, off) => {
    const group = new Group(plan([{ name: "a" }]), 1).join();
    const start = group.at;
    group.pass(10_000);
    group.finish("agent-0", undefined, { startedAt: start + 2_000 + off, endedAt: start + 10_000 + off });
    expect(summary(group.state).phases[0]?.agents[0]).toMatchObject({
      startedAt: start + 2_000,
      endedAt: start + 10_000,
    });
  });
});

describe("large groups", () => {
  it("wait without naming everyone", () => {
    const group = new Group(plan([{ name: "a" }]), 200).join();
    group.finish("agent-0");
    const wait = group.instruction("agent-0");
    expect(wait).toMatchObject({ do: "wait", more: 199 - 16 });
    expect(wait.do === "wait" ? wait.who : []).toHaveLength(16);
  });
});

describe("a state", () => {
  it("is plain JSON and is never changed in place", () => {
    const of = plan([{ name: "a" }, { name: "b", when: "always" }]);
    let state = freeze(begin(created(of, 2, 0)));
    for (const event of [
      joined("x", 1),
      joined("y", 2, { index: 1 }),
      synced("x", 3, { stage: 0, status: "running", sequence: 1, progress: { done: 1, total: 2, errors: 0 } }),
      { type: "ticked", at: 4_000 } as const,
      { type: "coordinator_started", at: 9_000 } as const,
      { type: "reset", at: 9_001, agent: "x", session: "x#1", why: "" } as const,
      { type: "left", at: 9_002, agent: "y", session: "y#1", why: "" } as const,
    ]) {
      const group = new Group(of, 2);
      group.state = state;
      group.send(event);
      state = freeze(group.state);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      expect(instructionFor(JSON.parse(JSON.stringify(state)), "x")).toEqual(instructionFor(state, "x"));
      expect(nextDeadline(JSON.parse(JSON.stringify(state)))).toBe(nextDeadline(state));
    }
    expect(state.status).toBe("aborting");
  });

  it("says by its revision whether there is something to keep", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "running" });
    const { revision } = group.state;
    group.at += 1_000;
    group.sync("agent-0", {
      stage: 0,
      status: "running",
      doing: "running a",
      progress: { done: 3, total: null, errors: 0 },
    });
    expect(group.state.revision).toBe(revision);
    group.finish("agent-0");
    expect(group.state.revision).toBeGreaterThan(revision);
  });

  it("has notices for everyone and for one, from a number on", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "running", addTasks: [1] });
    group.send({ type: "approved", at: group.at, stage: 1, by: "ann" });
    expect(noticesFor(group.state, "agent-0").map(({ text }) => text)).toHaveLength(2);
    expect(noticesFor(group.state, "agent-1").map(({ text }) => text)).toEqual(["ann approved b"]);
    expect(noticesFor(group.state, "agent-1", group.state.noticeSeq)).toEqual([]);
  });
});

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
