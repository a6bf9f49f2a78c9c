import { describe, expect, it } from "vitest";
import type { PlanStage } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";
import { PLAIN_STAGE, plan } from "./builders.ts";

/** The only stage of a plan, written in one line. */
function stage(written: string): PlanStage {
  const [only] = readPlan(`stages:\n  - ${written}\n`, "p.yml").plan?.stages ?? [];
  if (only === undefined) throw new Error(`${written} is no stage.`);
  return only;
}

describe("what is not said follows from what is", () => {
  it.each<[string, Partial<PlanStage>]>([
    ["{ name: preflight }", { type: "validation", completion: "validation_passed" }],
    ["{ name: prepare }", { type: "prepare", completion: "tasks_done", when: "on_success" }],
    ["{ name: execute }", { type: "execute", completion: "duration_or_tasks" }],
    ["{ name: execute, duration: 1s }", { type: "execute", completion: "duration", durationMs: 1_000 }],
    ["{ name: cleanup }", { type: "cleanup", completion: "tasks_done", when: "always", runsOn: { kind: "all" } }],
    ["{ name: cleanup, when: on_failure }", { when: "on_failure" }],
    ["{ name: a, duration: 1s }", { type: "execute", completion: "duration", command: null }],
    ["{ name: a, type: custom, run: x }", { type: "custom", completion: "script_exit" }],
    ["{ name: a, type: hybrid }", { type: "hybrid", completion: "duration_or_tasks" }],
    ["{ name: a, type: hybrid, completion: validation_passed }", { completion: "validation_passed" }],
    ["{ name: a, type: validation }", { completion: "validation_passed" }],
    ["{ name: a, run: x, tasks: [1] }", { type: "custom", completion: "duration_or_tasks" }],
    ["{ name: a, type: execute, run: x, tasks: [1] }", { completion: "duration_or_tasks" }],
    [
      "{ name: prepare, completion: duration_or_tasks, max_duration: 1m }",
      { completion: "duration_or_tasks", maxDurationMs: 60_000 },
    ],
    ["{ name: cleanup, completion: duration_or_tasks }", { completion: "duration_or_tasks" }],
    ["{ name: a, run: x, runs_on: first }", { runsOn: { kind: "first" } }],
    ["{ name: a, run: x, context: 'b.*' }", { context: ["b.*"] }],
    [
      "{ name: a, run: x, thresholds: {} }",
      { thresholds: { maxErrors: null, maxErrorRate: null, maxConsecutiveErrors: null } },
    ],
    ["{ name: a, command: x }", { command: { kind: "program", file: "x", args: [] } }],
    // An attempt is bounded by its own timeout, by the time that its work takes, or else by five minutes.
    ["{ name: a, max_duration: 7h, type: validation }", { timeoutMs: 25_500_000 }],
    ["{ name: a, run: x, retry: { max_attempts: 200, backoff: 0 } }", { timeoutMs: 200 * 300_000 }],
    ["{ name: a, run: x, timeout: 1m }", { timeoutMs: 60_000 }],
    // A pause that is longer than our longest moves that along.
    [
      "{ name: a, run: x, retry: { max_attempts: 2, backoff: 2m } }",
      { retry: { ...PLAIN_STAGE.retry, maxAttempts: 2, backoffMs: 120_000, maxBackoffMs: 120_000 } },
    ],
    [
      "{ name: a, run: x, tasks: { count: 3 }, concurrency: 2 }",
      {
        tasks: { source: { kind: "count", count: 3 }, concurrency: 2, maxFailures: 0, maxPreemptions: 100, needs: {} },
      },
    ],
    [
      "{ name: a, run: x, tasks: { from: list }, max_failures: 1, max_preemptions: 5 }",
      {
        tasks: {
          source: { kind: "from", command: "list" },
          concurrency: 1,
          maxFailures: 1,
          maxPreemptions: 5,
          needs: {},
        },
      },
    ],
    [
      "{ name: a, run: x, tasks: [p, q], needs: { q: [p] } }",
      {
        tasks: {
          source: { kind: "list", values: ["p", "q"] },
          concurrency: 1,
          maxFailures: 0,
          maxPreemptions: 100,
          needs: { q: ["p"] },
        },
      },
    ],
    [
      "{ name: a, run: x, background: true, ready: { run: probe } }",
      { background: { ready: { run: "probe" }, until: "a" } },
    ],
    ["{ name: a, run: x, background: false }", { background: null }],
    [
      "{ name: a, run: x, barrier: at_least 40% }",
      { barrier: { ...PLAIN_STAGE.barrier, rule: { kind: "at_least_percent", percent: 40 } } },
    ],
    [
      "{ name: a, run: x, barrier: at_least 4 }",
      { barrier: { ...PLAIN_STAGE.barrier, rule: { kind: "at_least", count: 4 } } },
    ],
  ])("%s", (written, expected) => {
    expect(stage(written)).toMatchObject(expected);
  });

  it.each([
    ["agents: 3", 3],
    ["agents: [{}, {}]", 2],
    ["roles: { s: 1, c: 2 }", 3],
    ["roles: {}", null],
  ])("the size of the group with %s", (said, count) => {
    expect(plan(`${said}\nstages: [{ name: a, run: x }]\n`).agentCount).toBe(count);
  });

  it.each([
    ["isolated", undefined, false],
    ["coordinator", undefined, true],
    ["concurrent", undefined, true],
    ["concurrent", false, false],
    ["isolated", true, true],
  ])("one file system with tree_creation_mode %s and shared_filesystem %s", (mode, shared, expected) => {
    const said = shared === undefined ? "" : `shared_filesystem: ${shared}\n`;
    expect(plan(`tree_creation_mode: ${mode}\n${said}stages: [{ name: a, run: x }]\n`).sharedFilesystem).toBe(expected);
  });

  it.each([
    ["liveness: { heartbeat_interval: 4s }", { heartbeatIntervalMs: 4_000, warnAfterMs: 10_000, lostAfterMs: 60_000 }],
    ["liveness: { warn_after: 10s }", { heartbeatIntervalMs: 2_000, warnAfterMs: 10_000, lostAfterMs: 60_000 }],
    ["liveness: { lost_after: 4s }", { heartbeatIntervalMs: 2_000, warnAfterMs: 4_000, lostAfterMs: 4_000 }],
    [
      "liveness: { warn_after: 20d }",
      { heartbeatIntervalMs: 2_000, warnAfterMs: 1_728_000_000, lostAfterMs: 2_073_600_000 },
    ],
  ])("%s", (said, expected) => {
    expect(plan(`${said}\nstages: [{ name: a, run: x }]\n`).liveness).toEqual(expected);
  });

  it.each([
    ["p.yml", "p"],
    ["a/b\\multi.epoch.yaml", "multi.epoch"],
    ["noending", "noending"],
    [".yml", "plan"],
    ["", "plan"],
    [`${"x".repeat(150)}.yml`, "x".repeat(100)],
    ["a\u202eb.yml", "ab"],
  ])("the name of a plan in the file %o", (file, name) => {
    expect(plan("stages: [{ name: a, run: x }]\n", file).name).toBe(name);
  });

  it("default stages run the workload's commands, and stand where those do", () => {
    const read = plan("agents: 1\nworkload:\n  prepare: make\n  cleanup: wipe\n");
    expect(
      read.stages.map(({ name, command, line }) => [name, command?.kind === "script" ? command.script : null, line]),
    ).toEqual([
      ["preflight", null, 3],
      ["prepare", "make", 3],
      ["execute", null, 3],
      ["cleanup", "wipe", 4],
    ]);
  });

  it("a command of the workload is that of stages of its type, and of its name", () => {
    const read = plan(`workload: { preflight: a, prepare: b, execute: c, cleanup: d }
stages:
  - { name: v, type: validation }
  - { name: p, type: prepare }
  - { name: e, type: execute, duration: 1s }
  - { name: w, type: cleanup }
  - { name: execute, type: hybrid }
  - { name: h, type: hybrid }
  - { name: own, type: prepare, run: mine }
`);
    expect(read.stages.map(({ command }) => (command?.kind === "script" ? command.script : null))).toEqual([
      "a",
      "b",
      "c",
      "d",
      "c",
      null,
      "mine",
    ]);
  });

  it("the long form under distributed is the same plan", () => {
    const inner = "stages:\n  - { name: a, run: x }\n";
    const nested = plan(`distributed:\n${inner.replace(/^(?=.)/gm, "  ")}`);
    const { line, column, ...same } = nested.stages[0] ?? PLAIN_STAGE;
    expect({ ...PLAIN_STAGE, line, column }).toEqual({ ...same, line, column });
    expect([line, column]).toEqual([3, 7]);
    expect(plan(`name: outer\ndistributed:\n  ${inner.replace(/\n(?=.)/g, "\n  ")}`).name).toBe("outer");
    expect(plan(`distributed:\n  name: inner\n  ${inner.replace(/\n(?=.)/g, "\n  ")}`).name).toBe("inner");
  });

  it("and values in it keep their spelling", () => {
    const read = plan(
      "distributed:\n  env: { V: 1.10 }\n  agents: [{ env: { W: 2.0 } }]\n  stages: [{ name: a, run: x, env: { X: 3.00 } }]\n",
    );
    expect([read.env, read.agents[0]?.env, read.stages[0]?.env]).toEqual([{ V: "1.10" }, { W: "2.0" }, { X: "3.00" }]);
  });

  it("the places of the plan's keys come with it, nested or not", () => {
    expect(readPlan("agents: 2\nstages: [{ name: a, run: x }]\n", "p.yml").keys).toEqual({
      agents: { line: 1, column: 1 },
      stages: { line: 2, column: 1 },
    });
    expect(readPlan("distributed:\n  agents: 2\n", "p.yml").keys).toEqual({ agents: { line: 2, column: 3 } });
    expect(readPlan("- a\n", "p.yml").keys).toEqual({});
  });
});

describe("background commands", () => {
  it.each([
    ["{ name: db, run: x, background: true, until: two }", "two"],
    ["{ name: db, run: x, background: true }", "two"],
  ])("%s", (written, until) => {
    const read = plan(
      `stages:\n  - ${written}\n  - { name: one, run: x }\n  - { name: two, run: x }\n  - { name: cleanup }\n`,
    );
    expect(read.stages[0]?.background).toEqual({ ready: null, until });
  });

  it("in a repetition mean its own round", () => {
    const read = plan(
      "stages:\n  - repeat: 2\n    stages:\n      - { name: db, run: x, background: true, until: t }\n      - { name: t, run: x }\n",
    );
    expect(read.stages.map(({ background }) => background?.until ?? null)).toEqual(["t-1", null, "t-2", null]);
  });
});
