import { describe, expect, it } from "vitest";
import { jsonBytes, RUN_BOUNDS, TOLD_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json } from "../../../src/plan/plan.ts";
import { begin, summary } from "../../../src/run/machine.ts";
import type { PhaseRecord } from "../../../src/run/result/record.ts";
import type { Annotation, AttemptReport } from "../../../src/run/types.ts";
import { barrier, created, Group, plan, report, retrying, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;

/** Sees of what was told before whatever there is. */
const END = { name: "end", contextLimit: 2 * RUN_BOUNDS.outputBytes } as const;

function group(size = 1, ...stages: readonly StageOverrides[]): Group {
  return new Group(plan([{ name: "a" }, ...stages, END]), size).join();
}

function phase(of: Group, stage = 0): PhaseRecord {
  const found = summary(of.state).phases[stage];
  if (found === undefined) throw new Error(`stage ${stage} has no result`);
  return found;
}

const annotation = (message: string): Annotation => ({ path: "a.ts", line: 1, level: "notice", title: null, message });
const annotations = (count: number) => Array.from({ length: count }, (_, at) => annotation(`m${at}`));
/** Two that have so many bytes together. */
function twoOf(bytes: number): readonly Annotation[] {
  const first = annotation("x".repeat(1_000));
  return [first, annotation("x".repeat(bytes - jsonBytes(first) - jsonBytes(annotation(""))))];
}

describe("the annotations of a stage", () => {
  it.each([
    ["1,000 of them", annotations(RUN_BOUNDS.annotations), [], RUN_BOUNDS.annotations, 0],
    ["more than 1,000 of one agent", annotations(RUN_BOUNDS.annotations + 1), [], RUN_BOUNDS.annotations, 1],
    ["more than 1,000 of two", annotations(600), annotations(600), RUN_BOUNDS.annotations, 1],
    ["as many bytes as a result holds", twoOf(RUN_BOUNDS.annotationBytes), [], 2, 0],
    ["a byte more", twoOf(RUN_BOUNDS.annotationBytes + 1), [], 1, 1],
    ["as many bytes, and more of another agent", twoOf(RUN_BOUNDS.annotationBytes), [annotation("")], 2, 1],
    ["none", [], [], 0, 0],
  ])("are kept up to a bound, and it is said once that there are more: %s", (_name, first, second, kept, said) => {
    const of = group(3);
    of.finish("agent-0", undefined, { annotations: first });
    of.finish("agent-1", undefined, { annotations: second });
    of.finish("agent-2", undefined, { annotations: said > 0 ? first.toReversed() : [] });
    expect(phase(of).annotations).toHaveLength(kept);
    expect(of.notices()).toEqual(
      Array.from({ length: said }, () => "a has more annotations than a result holds: further ones are left out of it"),
    );
  });

  it("name their agent, and are those of the last attempt when all have failed", () => {
    const of = group(2, { name: "b", retry: retrying({ maxAttempts: 2, backoffMs: 0 }), barrier: best });
    of.finishAll();
    for (const message of ["first", "second"]) of.finish("agent-1", fails, { annotations: [annotation(message)] });
    of.finish("agent-0", undefined, { annotations: [annotation("good")] });
    expect(phase(of, 1).annotations).toEqual([
      { ...annotation("second"), agent: "agent-1" },
      { ...annotation("good"), agent: "agent-0" },
    ]);
  });

  it("of one that failed are bounded, too", () => {
    const of = new Group(plan([{ name: "a", barrier: best }, { name: "b" }]), 2).join();
    of.finish("agent-0", fails, { annotations: annotations(RUN_BOUNDS.annotations + 1) });
    of.finish("agent-1");
    expect(phase(of).annotations).toHaveLength(RUN_BOUNDS.annotations);
    expect(of.notices().filter((text) => text.includes("more annotations"))).toHaveLength(1);
  });
});

describe("an optional stage", () => {
  it("has been arrived at by those that failed it, and not by those that were lost in it", () => {
    const of = new Group(plan([{ name: "a", optional: true, barrier: best }, { name: "b" }]), 3).join();
    of.finish("agent-0");
    of.finish("agent-1", fails);
    of.pass(31_000, ["agent-2"]);
    expect(of.state.stages.flat()[0]).toMatchObject({ phase: "closed", arrived: 2, workers: 3 });
  });
});

describe("what an agent printed last", () => {
  const text = `${"x".repeat(TOLD_BOUNDS.tail)}y`;

  it("is kept shorter where all went well", () => {
    const of = new Group(plan([{ name: "a", barrier: best }, { name: "b" }]), 2).join();
    of.finish("agent-0", undefined, { tail: text });
    of.finish("agent-1", fails, { tail: text });
    expect(phase(of).agents.map(({ tail }) => tail)).toEqual([
      text.slice(-RUN_BOUNDS.tailOfSuccess),
      text.slice(-TOLD_BOUNDS.tail),
    ]);
  });
});

describe("outputs of a stage", () => {
  const text = (bytes: number): string => "x".repeat(bytes - 2);
  /** Of the key `k`, and what a mapping takes around it. */
  const AROUND = 3 + 2;

  it.each([
    ["as large as a stage's may be", RUN_BOUNDS.stageOutputBytes - AROUND, true],
    ["a byte larger", RUN_BOUNDS.stageOutputBytes - AROUND + 1, false],
  ])("that are %s", (_name, bytes, fits) => {
    const of = group();
    of.finish("agent-0", undefined, { outputs: { k: text(bytes) } });
    expect(Object.keys(phase(of).outputs)).toEqual(fits ? ["k"] : []);
    expect(of.notices()).toEqual(fits ? [] : ["output k of a was left out: a stage's outputs may have 256 KiB"]);
    expect(of.state.outputBytes - jsonBytes({})).toBe(fits ? RUN_BOUNDS.stageOutputBytes : 0);
  });

  it("are counted together", () => {
    const of = group(2);
    const half = text(RUN_BOUNDS.stageOutputBytes / 2 - AROUND);
    of.finish("agent-0", undefined, { outputs: { k: half, l: half, m: 1 } });
    expect(Object.keys(phase(of.finishAll()).outputs)).toEqual(["k", "l"]);
  });

  it("of a lower index take the place of another's, whose bytes are free again", () => {
    const of = group(3);
    const large = RUN_BOUNDS.stageOutputBytes - AROUND - 100;
    of.finish("agent-1", undefined, { outputs: { k: text(large), own: 1 } });
    of.finish("agent-0", undefined, { outputs: { k: `0${text(large - 1)}` } });
    of.finish("agent-2", undefined, { outputs: { k: 2, other: 2 } });
    expect(Object.keys(phase(of).outputs).toSorted()).toEqual(["k", "other", "own"]);
    expect(String(phase(of).outputs.k).startsWith("0")).toBe(true);
    const whole: readonly (readonly [string, Json])[] = Object.entries(phase(of).outputs);
    const bytes = whole.reduce((sum, [key, value]) => sum + jsonBytes(key) + jsonBytes(value) + 2, 0);
    expect(of.state.outputBytes).toBe(jsonBytes({}) + bytes);
  });

  it("are what the same agent said of them last", () => {
    const server = { name: "a", background: { ready: null, until: "b" } } as const;
    const of = new Group(plan([server, { name: "b" }]), 2).join();
    of.sync("agent-0", { ready: [0], outputs: { url: "first" } });
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", outputs: { url: "second" } })] });
    expect(of.state.stages.flat()[0]?.outputs).toMatchObject([{ key: "url", value: "second" }]);
  });

  it.each([
    ["will be tried again", true, 2, {}],
    ["was the last of a stage that may fail", true, 1, { half: 1 }],
    ["was the last of a stage that may not", false, 1, {}],
  ])("of an attempt that failed where it %s", (_what, optional, maxAttempts, outputs) => {
    const retry = retrying({ maxAttempts, backoffMs: 0 });
    const of = new Group(plan([{ name: "a", optional, retry }, { name: "end" }]), 1).join();
    of.finish("agent-0", fails, { outputs: { half: 1 } });
    if (maxAttempts > 1) of.finish("agent-0");
    expect(phase(of).outputs).toEqual(outputs);
  });

  it("of a whole run have a bound, which what is carried over counts against", () => {
    const room = 100;
    const outputs = { old: { k: "x".repeat(RUN_BOUNDS.outputBytes - room - jsonBytes({ old: { k: "" } })) } };
    const of = plan([{ ...END, name: "a" }, END]);
    const first = begin({ ...created(of, 1, 1_000_000), carried: { succeeded: [], outputs } });
    expect(first.outputBytes).toBe(RUN_BOUNDS.outputBytes - room);
    const kept = (bytes: number): readonly string[] => {
      const run = new Group(of, 1);
      run.state = first;
      run.join().finish("agent-0", undefined, { outputs: { k: text(bytes) } });
      expect(Object.keys(phase(run).outputs)).toHaveLength(run.notices().length === 0 ? 1 : 0);
      return run.notices();
    };
    expect(kept(room - AROUND)).toEqual([]);
    expect(kept(room - AROUND + 1)).toEqual(["output k of a was left out: the outputs of a run may have 16 MiB"]);
  });
});

describe("metrics of which the last value counts", () => {
  const last = (values: Readonly<Record<string, number>>): Pick<AttemptReport, "metrics"> => ({
    metrics: Object.entries(values).map(([name, value]) => ({ name, value, unit: "", agg: "last", count: 7 })),
  });
  const tasks = {
    source: { kind: "list", values: ["t0", "t1", "t2", "t3"] },
    concurrency: 1,
    maxFailures: 0,
    maxPreemptions: 1,
    needs: {},
  } as const;
  const work = { type: "prepare", completion: "tasks_done", tasks } as const;

  it("replace what the same agent told before, of the same metric and in the same stage alone", () => {
    const of = new Group(plan([{ name: "a", ...work }, { name: "b", ...work }, { name: "end" }]), 2).join();
    const tell = (agent: string, values: Readonly<Record<string, number>>): void => {
      of.sync(agent, { wants: 1 });
      const { stage, leases } = of.execute(agent);
      const [lease] = leases;
      if (lease === undefined) throw new Error(`${agent} has no task`);
      of.sync(agent, { finished: [report({ stage, task: lease.task, attempt: lease.attempt, ...last(values) })] });
    };
    tell("agent-0", { x: 3, y: 10 });
    tell("agent-1", { x: 100 });
    tell("agent-0", { x: 5 });
    tell("agent-0", { y: 12 });
    expect(phase(of).metrics.map(({ name, value, count }) => [name, value, count])).toEqual([
      ["x", 105, 2],
      ["y", 12, 1],
    ]);
    tell("agent-0", { x: 1 });
    tell("agent-1", { x: 7 });
    tell("agent-0", { x: 4, y: 1 });
    tell("agent-1", { x: 8 });
    expect(phase(of, 1).metrics.map(({ name, value, count }) => [name, value, count])).toEqual([
      ["x", 12, 2],
      ["y", 1, 1],
    ]);
  });

  it("are remembered up to a bound", () => {
    const of = group();
    const many = Object.fromEntries(Array.from({ length: RUN_BOUNDS.metrics + 5 }, (_, at) => [`m${at}`, at]));
    of.finish("agent-0", undefined, last(many));
    const lasts = of.state.agents[0]?.[0]?.lasts ?? [];
    expect(lasts).toHaveLength(RUN_BOUNDS.metrics);
    expect(lasts.at(-1)?.metric).toBe(`m${RUN_BOUNDS.metrics + 4}`);
  });

  it.each([
    [RUN_BOUNDS.metrics - 1, 0],
    [RUN_BOUNDS.metrics, 1],
  ])("%i of a stage: it is said once that there is no more room", (count, said) => {
    const of = group(2);
    const many = Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, at]));
    of.finish("agent-0", undefined, last(many));
    expect(of.notices()).toHaveLength(said);
    of.pass(1_000);
    of.finish("agent-1", undefined, last({ m0: 1 }));
    expect(phase(of).metrics).toHaveLength(count);
    expect(of.notices()).toHaveLength(said);
  });
});

describe("the values of single agents", () => {
  const metrics = Array.from({ length: TOLD_BOUNDS.metrics }, (_, n) => {
    return { name: `m${n}`, value: n, unit: "", agg: "sum", count: 1 } as const;
  });
  const kept = (of: Group): readonly (number | undefined)[] =>
    phase(of)
      .agents.toSorted((a, b) => a.index - b.index)
      .map(({ measured }) => measured?.length);

  it("are kept beside the group's, up to a bound of all of them, which is said once", () => {
    const full = RUN_BOUNDS.agentMetrics / TOLD_BOUNDS.metrics;
    const of = group(full + 2);
    for (let n = 0; n < full + 2; n++) of.finish(`agent-${n}`, undefined, { metrics });
    expect(kept(of)).toEqual([...new Array(full).fill(TOLD_BOUNDS.metrics), undefined, undefined]);
    expect(of.notices().filter((text) => text.includes("single agents"))).toEqual([
      `the values of single agents fill the result (${RUN_BOUNDS.agentMetrics}): further ones are left out of it`,
    ]);
  });

  it("are those of the attempt that counts", () => {
    const of = group(1, { name: "b", retry: retrying({ maxAttempts: 2, backoffMs: 0 }) });
    of.finishAll();
    const told = (value: number) => [{ name: "m", value, unit: "", agg: "sum", count: 1 }] as const;
    of.finish("agent-0", fails, { metrics: told(1) });
    of.finish("agent-0", undefined, { metrics: told(2) });
    expect(phase(of, 1).agents[0]?.measured).toEqual(told(2));
  });
});
