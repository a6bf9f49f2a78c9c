/** One table of bounds: what a plan may say, the wire carries; what a command tells, its agent cuts before it is sent. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Masks } from "../../../src/agent/masking/masks.ts";
import { readEvent } from "../../../src/agent/output/event-schema.ts";
import { AttemptRecord } from "../../../src/agent/output/record.ts";
import { fitted, within } from "../../../src/agent/output/report-limits.ts";
import { Listing } from "../../../src/agent/output/task-list.ts";
import { planSchema } from "../../../src/coordinator/protocol/plan-schema.ts";
import { PROTOCOL, syncBodySchema } from "../../../src/coordinator/protocol/protocol.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { jsonBytes, PLAN_BOUNDS, RUN_BOUNDS, TOLD_BOUNDS, WIRE_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json } from "../../../src/plan/plan.ts";
import { readPlan } from "../../../src/plan/read.ts";
import type { AttemptReport } from "../../../src/run/types.ts";
import { agentOf, clientOf, idle, joinOf, NEVER, planOf, removeDirectories, startCoordinator } from "../builders.ts";
import { planTexts } from "./extreme-plans.ts";

const RUNS = Number(process.env.STAGEWRIGHT_PROPERTY_RUNS ?? 150);

const one = (stage: string, plan = "") => `agents: 2\n${plan}stages:\n  - ${stage}\n`;

describe("what a plan may say", () => {
  it.each([
    [
      "heartbeats of two minutes",
      one("{ name: a, run: x, barrier: { heartbeat_interval: 2m, missed_threshold: 10 } }"),
    ],
    ["heartbeats of five minutes", one("{ name: a, run: x }", "liveness: { heartbeat_interval: 300s }\n")],
    ["as many tasks as there may be", one(`{ name: a, run: x, tasks: { count: ${PLAN_BOUNDS.tasks} } }`)],
    ["a long command", one(`{ name: a, run: ${"x".repeat(200_000)} }`)],
    ["a long path of a program", one(`{ name: a, command: ${"x".repeat(PLAN_BOUNDS.path)} }`)],
    ["a long task", one(`{ name: a, run: x, tasks: [${"x".repeat(60_000)}] }`)],
    [
      "a needed long task",
      one(`{ name: a, run: x, tasks: [${"x".repeat(5_000)}, b], needs: { b: [${"x".repeat(5_000)}] } }`),
    ],
    ["the longest times", one("{ name: a, run: x, timeout: 24d, retry: { max_attempts: 1000, backoff: 24d } }")],
  ])("comes through: %s", (_what, text) => {
    const { plan, problems } = readPlan(text, "plan.yml");
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it.each([
    ["more tasks", one(`{ name: a, run: x, tasks: { count: ${PLAN_BOUNDS.tasks + 1} } }`), /from 1 to 100000/],
    ["a longer task", one(`{ name: a, run: x, tasks: [${"x".repeat(70_000)}] }`), /at most 65535 bytes as JSON/],
    ["a program that cannot be a path", one(`{ name: a, command: ${"x".repeat(5_000)} }`), /at most 4096 characters/],
    [
      "more agents than there may be at a barrier",
      one("{ name: a, run: x, barrier: at_least 99999 }"),
      /10000 or fewer/,
    ],
    ["more agents in roles", one("{ name: a, run: x }", "roles: { a: 10000, b: 10000 }\n"), /at most 10000/],
    ["a name with a control character", `stages: [{ name: a, run: x, runs_on: ["a\\nb"] }]`, /on one line/],
    [
      "a silence that no timer measures",
      one("{ name: a, run: x, barrier: { heartbeat_interval: 24d, missed_threshold: 9 } }"),
      /at most 24d/,
    ],
    ["nothing to do", "stages: [{ repeat: 0, stages: [{ name: a, run: x }] }]", /none is left/],
    [
      "long scripts a thousand times",
      `stages: [{ repeat: 1000, stages: [{ name: a, run: ${"x".repeat(9_000)} }] }]`,
      /more than 4 MiB/,
    ],
    [
      "a value that no process takes",
      one(`{ name: a, run: x, env: { A: ${"x".repeat(150_000)} } }`),
      /at most 100000 bytes/,
    ],
  ])("is refused by name where no run could carry it: %s", (_what, text, message) => {
    const { plan, problems } = readPlan(text, "plan.yml");
    expect(plan).toBeNull();
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
  });

  it("is carried by the wire unchanged, whatever it is", () => {
    let accepted = 0;
    fc.assert(
      fc.property(planTexts, (text) => {
        const { plan } = readPlan(text, "plan.yml");
        if (plan === null) return;
        accepted += 1;
        const sent = JSON.stringify(plan);
        expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(PLAN_BOUNDS.planBytes);
        expect(planSchema.parse(JSON.parse(sent))).toEqual(plan);
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 4);
  });
});

/** A report as the coordinator reads it: what it would refuse throws. */
function received(report: AttemptReport): AttemptReport {
  const body = { protocol: PROTOCOL, seq: 1, holdMs: 0, reset: null, sync: idle({ finished: [report] }), known: KNOWN };
  expect(jsonBytes(report)).toBeLessThanOrEqual(TOLD_BOUNDS.reportBytes);
  const parsed = syncBodySchema.parse(JSON.parse(JSON.stringify(body)));
  return parsed.sync.finished[0] ?? report;
}
const KNOWN = { roster: null, outputs: null, notice: 0 };

function recordOf(masks = new Masks()): { readonly record: AttemptRecord; readonly warnings: string[] } {
  const warnings: string[] = [];
  const record = new AttemptRecord({
    masks,
    tellsOutput: true,
    series: { inARow: 0 },
    place: { path: "plan.yml", line: 3 },
    thresholds: null,
    isMeasured: () => true,
    warn: (text) => warnings.push(text),
    onProgress: () => undefined,
    onTasks: () => undefined,
    onThreshold: () => undefined,
  });
  return { record, warnings };
}
const ABOUT = {
  stage: 0,
  attempt: "0.0.1",
  task: null,
  startedAt: 1,
  endedAt: 2,
  end: { kind: "exited", code: 0 },
} as const;

describe("what a command tells", () => {
  it("is cut and counted by its agent, not refused by its coordinator", async () => {
    const { record, warnings } = recordOf();
    record.annotate({ path: "p".repeat(9_000), line: 1, level: "failure", title: "t".repeat(900), message: "m" });
    for (let n = 0; n < 999; n += 1) {
      record.annotate({ path: "a.ts", line: n + 1, level: "notice", title: null, message: "x".repeat(65_536) });
    }
    for (let n = 0; n < 30_000; n += 1) await record.take({ output: { [`k${n}`]: "v".repeat(12) } });
    for (let n = 0; n < 100; n += 1) {
      await record.take({
        histogram: { name: `h${n}`, values: Array.from({ length: 4_000 }, (_, i) => i * 7_919 * (n + 1)) },
      });
    }
    for (let n = 0; n < 60; n += 1) record.tail.push("\u0007".repeat(9_000));
    const report = received(await record.report({ ...ABOUT, end: { kind: "stopped", why: "w".repeat(10_000) } }));
    expect(report.annotations.length).toBeGreaterThan(10);
    expect(Object.keys(report.outputs).length).toBeGreaterThan(5_000);
    expect(warnings.join("\n")).toMatch(/[0-9]+ annotations left out/);
    expect(warnings.join("\n")).toMatch(/output k[0-9]+ was left out/);
  });

  it("fits though what is masked makes it longer", async () => {
    const masks = new Masks();
    masks.add("ä");
    masks.add("7");
    const { record } = recordOf(masks);
    for (let n = 0; n < 12; n += 1) await record.take({ output: { [`k${n}`]: "7".repeat(21_000) } });
    await record.take({ metric: { name: "ä".repeat(150), value: 7 } });
    for (let n = 0; n < 40; n += 1) record.tail.push("7".repeat(1_000));
    const report = received(
      await record.report({ ...ABOUT, end: { kind: "not_started", message: "7".repeat(4_000) } }),
    );
    expect(JSON.stringify(report)).not.toContain("ä");
    expect(Object.keys(report.outputs).length).toBeGreaterThan(0);
  });

  it("without what is no histogram that anybody could read", async () => {
    const { record, warnings } = recordOf();
    await record.take({ histogram: { name: "wide", values: [1, 2 ** 50, 3] } });
    const report = received({ ...(await record.report(ABOUT)) });
    const broken = fitted({ ...report, histograms: { ...report.histograms, not: "AAAA" } });
    expect(Object.keys(broken.report.histograms)).toEqual(Object.keys(report.histograms));
    expect(broken.leftOut).toEqual(["1 histogram"]);
    expect(warnings).toEqual([]);
  });

  it("whatever it is, reaches the coordinator", async () => {
    const masks = new Masks();
    masks.add("a");
    const names = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.constantFrom("n".repeat(200), "a".repeat(200), "😀".repeat(100)),
    );
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom("x".repeat(300_000), "a".repeat(90_000), "\u0001".repeat(70_000), "😀".repeat(9_000)),
    );
    const deep = fc.tuple(fc.constantFrom(1, 62, 63, 1_500), fc.boolean()).map(([levels, isList]) => {
      let value: Json = 1;
      for (let level = 0; level < levels; level += 1) value = isList ? [value] : { v: value };
      return value;
    });
    const told = fc.oneof(
      fc.record({ output: fc.dictionary(names, fc.oneof(texts, fc.jsonValue(), deep), { maxKeys: 3 }) }),
      fc.record({ metric: fc.record({ name: names, value: fc.double(), unit: texts }) }),
      fc.record({ annotation: fc.record({ message: texts, title: texts, path: texts }) }),
      fc.record({ progress: fc.record({ done: fc.double({ min: 0 }), total: fc.double({ min: 0 }) }) }),
      fc.record({ histogram: fc.record({ name: names, values: fc.array(fc.nat(), { minLength: 1 }) }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(told, { maxLength: 30 }), texts, async (said, text) => {
        const { record } = recordOf(masks);
        for (const each of said) {
          const event = readEvent(JSON.stringify(each));
          if (typeof event !== "string") await record.take(event);
        }
        record.annotate({ path: text, line: 1, level: "notice", title: text, message: text });
        record.tail.push(text);
        received(await record.report({ ...ABOUT, end: { kind: "not_started", message: text } }));
      }),
      { numRuns: Math.ceil(RUNS / 6) },
    );
  });

  it("as a task is refused by its agent, by its line, or taken by the coordinator as it was said", () => {
    const atom = fc.oneof(
      fc.constantFrom(
        "1e20",
        "1e-7",
        '{"__proto__":1}',
        "1e400",
        "-1e400",
        "-0",
        '"\\ud800"',
        '"\\u2028"',
        '"\u{1f600}"',
        "true",
      ),
      fc.json({ maxDepth: 2 }),
    );
    const lines = fc.oneof(
      atom,
      fc.tuple(atom, fc.integer({ min: 1, max: 20_000 })).map(([text, n]) => `[${`${text},`.repeat(n)}1]`),
      fc.tuple(atom, fc.constantFrom(1, 63, 64, 65, 3_000, 30_000)).map(([text, n]) => {
        return `${"[".repeat(n)}${text}${"]".repeat(n)}`;
      }),
    );
    fc.assert(
      fc.property(lines, (line) => {
        const listing = new Listing((text) => text);
        const addTasks = listing.take(line);
        expect(addTasks.length === 0).toBe(listing.trouble !== null);
        const body = { protocol: PROTOCOL, seq: 1, holdMs: 0, reset: null, sync: idle({ addTasks }), known: KNOWN };
        const parsed = syncBodySchema.parse(JSON.parse(JSON.stringify(body)));
        for (const value of parsed.sync.addTasks) expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(line)));
      }),
      { numRuns: RUNS },
    );
  });

  it("is told in as many messages as it takes", () => {
    const report = {
      ...ABOUT,
      progress: null,
      metrics: [],
      histograms: {},
      annotations: [],
      tail: "x".repeat(16_000),
      outputs: {},
    };
    const reports = Array.from({ length: 400 }, (_, n) => ({ ...report, attempt: `0.t${n}.1` }));
    const first = within(reports, WIRE_BOUNDS.reports, WIRE_BOUNDS.reportBytes);
    expect(first.length).toBeGreaterThan(10);
    expect(jsonBytes(first)).toBeLessThanOrEqual(WIRE_BOUNDS.reportBytes + 2);
    expect(within([{ ...report, tail: "x".repeat(2_000_000) }, report], 10, 1_000)).toHaveLength(1);
  });
});

describe("a group", () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await startCoordinator();
  });
  afterAll(async () => {
    await serving.close();
    removeDirectories();
  });

  it("with heartbeats of two minutes goes through its stages: an agent is held no longer than it may be", async () => {
    const plan = planOf(`
name: slow-hearts
agents: 2
barrier_sync: { default_heartbeat_interval: 120s, default_missed_threshold: 10 }
stages: [{ name: first, runs_on: first, run: "true" }, { name: both, run: "true" }]
`);
    const retries: string[] = [];
    const agents = ["node-0", "node-1"].map((name) => agentOf(clientOf(serving.address, retries), joinOf(plan, name)));
    for (const end of await Promise.all(agents.map(({ agent }) => agent.run()))) {
      expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
    }
    expect(retries).toEqual([]);
  });

  it("is leased as much at a time as one answer carries", async () => {
    const plan = planOf(`
name: heavy-tasks
agents: 1
stages: [{ name: work, run: "true", concurrency: 1000, tasks: { from: list } }]
`);
    const client = clientOf(serving.address);
    await client.join(joinOf(plan, "node-0"), NEVER);
    const values = Array.from({ length: 60 }, (_, n) => `${n} ${"x".repeat(60_000)}`);
    let answer = await client.sync(idle(), 0, NEVER);
    const leased = new Set<string>();
    for (let from = 0; from < 90; from += 15) {
      const addTasks = values.slice(from, from + 15);
      answer = await client.sync(idle({ status: "running", stage: 0, wants: 1_000, addTasks }), 0, NEVER);
      if (answer.instruction.do !== "execute") throw new Error(`it is told to ${answer.instruction.do}`);
      expect(jsonBytes(answer.instruction.leases)).toBeLessThan(2 * RUN_BOUNDS.leaseBytes);
      for (const { task } of answer.instruction.leases) leased.add(task);
    }
    expect(leased.size).toBeGreaterThan(5);
    const { leases } = answer.instruction.do === "execute" ? answer.instruction : { leases: [] };
    const finished = leases.map(({ attempt, task }) => ({
      ...ABOUT,
      attempt,
      task,
      progress: null,
      metrics: [],
      histograms: {},
      outputs: {},
      annotations: [],
      tail: "",
    }));
    const next = await client.sync(idle({ status: "running", stage: 0, wants: 1_000, finished }), 0, NEVER);
    if (next.instruction.do !== "execute") throw new Error(`it is told to ${next.instruction.do}`);
    expect(next.instruction.leases.filter(({ task }) => leased.has(task))).toEqual([]);
    expect(next.instruction.leases.length).toBeGreaterThan(5);
  });
});
