import { describe, expect, it } from "vitest";
import { heartbeatOf } from "../../src/plan/liveness.ts";
import { extraStopMs, stopGraceOf } from "../../src/plan/stop-grace.ts";
import { PLAIN_STAGE, plan } from "./builders.ts";

describe("what a plan says", () => {
  it("nothing but a stage: all the rest has its default", () => {
    expect(plan("stages:\n  - { name: a, run: x }\n")).toEqual({
      name: "p",
      agentCount: null,
      agents: [],
      roles: {},
      sharedFilesystem: false,
      treeCreationMode: "isolated",
      pathSelection: "partitioned",
      env: {},
      params: {},
      deadlineMs: null,
      assembly: { timeoutMs: 1_200_000, atLeast: null },
      liveness: { heartbeatIntervalMs: 2_000, warnAfterMs: 5_000, lostAfterMs: 30_000 },
      stages: [PLAIN_STAGE],
    });
  });

  it("every key of the plan itself", () => {
    const read = plan(`name: big run
description: for a reason
params: { n: { type: number, default: 1.5, enum: [1.5, 2], description: how many } }
agents: [{ address: "node1:7761", id: first, env: { A: 1 } }, { address: "[fd00::1]:7761" }, {}]
roles: { s: 1, c: 2 }
shared_filesystem: true
tree_creation_mode: concurrent
path_selection: exclusive
env: { B: 0x10, C: false }
secrets: [TOKEN]
workload: { prepare: make }
assembly: { timeout: 5m, at_least: 2 }
deadline: 2h
liveness: { heartbeat_interval: 1s, warn_after: 4s, lost_after: 9s }
stages: [{ name: prepare }]
`);
    expect(read).toEqual({
      name: "big run",
      agentCount: 3,
      agents: [
        { id: "first", address: "node1:7761", env: { A: "1" } },
        { id: "agent-1", address: "[fd00::1]:7761", env: {} },
        { id: "agent-2", address: null, env: {} },
      ],
      roles: { s: 1, c: 2 },
      sharedFilesystem: true,
      treeCreationMode: "concurrent",
      pathSelection: "exclusive",
      env: { B: "0x10", C: "false" },
      secrets: ["TOKEN"],
      params: { n: 1.5 },
      deadlineMs: 7_200_000,
      assembly: { timeoutMs: 300_000, atLeast: 2 },
      liveness: { heartbeatIntervalMs: 1_000, warnAfterMs: 4_000, lostAfterMs: 9_000 },
      stages: [
        {
          ...PLAIN_STAGE,
          name: "prepare",
          type: "prepare",
          completion: "tasks_done",
          command: { kind: "script", script: "make" },
          line: 15,
          column: 10,
        },
      ],
    });
  });

  it("every key of a stage", () => {
    const read = plan(`agents: [{ id: x }, { id: y }]
roles: { s: 1, c: 1 }
stages:
  - { name: base, run: x, order: 3 }
  - name: a
    description: what for
    order: 4
    type: hybrid
    completion: duration_or_tasks
    command: prog
    args: [--n, 1.50, true]
    env: { V: 2.0 }
    working_directory: sub
    max_duration: 2m
    timeout_secs: 1h
    optional: true
    when: on_failure
    runs_on: [x, 1]
    role: c
    retry: { max_attempts: 3, attempt_timeout: 3m, backoff: 2s, max_backoff: 3s, on: [failure, failure], on_exit_codes: [1, 2], not_on_exit_codes: [3] }
    barrier: { type: at_least, at_least: 75%, agent_barrier_timeout: 1m, straggler_grace: 0, on_straggler: rejoin, heartbeat_interval: 3s, missed_threshold: 4, query_timeout: 5s, query_retries: 6 }
    depends_on: [base]
    expected_objects: 7
    expected_tasks: 8
    thresholds: { max_errors: 9, max_error_rate: 0.1, max_consecutive_errors: 11, min_samples: 12 }
    expect: { m: ">= 12", n: "!= -1.5e1", b: { baseline: { from: r, better: smaller, runs: 4, at_least: 3, test: percent, limit: 2.5, on_too_few: warn } } }
    checkpoint: { by: [ann, "deployer[bot]", "@acme/qa"], timeout: 2h, on_timeout: go_on }
    context: ["base.*"]
    context_limit: 13
    soft_fail: [4, 5, 4]
    stop_grace: 7s
    collect: ["out/*.json", log, log]
    tasks: { values: [p, { id: q }, [r]], concurrency: 14, max_failures: 15, max_preemptions: 16, needs: { p: [q, 2] } }
    resume: rerun
`);
    expect(read.stages[1]).toEqual({
      ...PLAIN_STAGE,
      name: "a",
      description: "what for",
      index: 1,
      order: 4,
      type: "hybrid",
      completion: "duration_or_tasks",
      line: 5,
      column: 5,
      command: { kind: "program", file: "prog", args: ["--n", "1.50", "true"] },
      env: { V: "2.0" },
      workingDirectory: "sub",
      maxDurationMs: 120_000,
      timeoutMs: 3_600_000,
      optional: true,
      when: "on_failure",
      runsOn: { kind: "agents", agents: ["x", 1] },
      role: "c",
      retry: {
        maxAttempts: 3,
        attemptTimeoutMs: 180_000,
        on: ["failure"],
        backoffMs: 2_000,
        maxBackoffMs: 3_000,
        onExitCodes: [1, 2],
        notOnExitCodes: [3],
      },
      barrier: {
        rule: { kind: "at_least_percent", percent: 75 },
        timeoutMs: 60_000,
        stragglerGraceMs: 0,
        onStraggler: "rejoin",
        heartbeatIntervalMs: 3_000,
        missedThreshold: 4,
        queryTimeoutMs: 5_000,
        queryRetries: 6,
      },
      dependsOn: [{ stage: "base", evenIf: [] }],
      expectedObjects: 7,
      expectedTasks: 8,
      thresholds: { maxErrors: 9, maxErrorRate: 0.1, maxConsecutiveErrors: 11, minSamples: 12 },
      expect: [
        { metric: "m", comparison: ">=", value: 12 },
        { metric: "n", comparison: "!=", value: -15 },
      ],
      baselines: [
        {
          ...{ metric: "b", from: ["r"], better: "smaller", runs: 4, atLeast: 3 },
          ...{ test: "percent", limit: 2.5, onTooFew: "warn" },
        },
      ],
      checkpoint: true,
      approval: { by: ["ann", "deployer[bot]", "@acme/qa"], timeoutMs: 7_200_000, onTimeout: "go_on" },
      context: ["base.*"],
      contextLimit: 13,
      softFail: [4, 5],
      stopGraceMs: 7_000,
      collect: ["out/*.json", "log"],
      tasks: {
        source: { kind: "list", values: ["p", { id: "q" }, ["r"]] },
        concurrency: 14,
        maxFailures: 15,
        maxPreemptions: 16,
        needs: { p: ["q", "2"] },
      },
      resume: "rerun",
    });
  });

  it.each([
    ["", { runs: 10, atLeast: 5, test: "mad", limit: 3, onTooFew: "fail" }],
    [", runs: 3", { runs: 3, atLeast: 3, test: "mad", limit: 3, onTooFew: "fail" }],
    [", runs: 3, at_least: 3", { runs: 3, atLeast: 3, test: "mad", limit: 3, onTooFew: "fail" }],
    [", test: percent", { runs: 10, atLeast: 5, test: "percent", limit: 10, onTooFew: "fail" }],
    [", limit: 2", { runs: 10, atLeast: 5, test: "mad", limit: 2, onTooFew: "fail" }],
  ])("every default of a baseline%s", (said, rest) => {
    const [stage] = plan(
      `stages: [{ name: a, run: x, expect: { m: { baseline: { from: [r, s], better: bigger${said} } } } }]\n`,
    ).stages;
    expect(stage?.baselines).toEqual([{ metric: "m", from: ["r", "s"], better: "bigger", ...rest }]);
  });

  it("how often an agent is heard from, and how long its command may take to end", () => {
    const read = plan(
      "stages: [{ name: a, run: x, barrier: { heartbeat_interval: 5s }, stop_grace: 9s }, { name: b, run: x, stop_grace: 1s }]\n",
    );
    expect([null, 0, 1, 2].map((stage) => heartbeatOf(read, stage))).toEqual([2_000, 5_000, 2_000, 2_000]);
    expect(read.stages.map(extraStopMs)).toEqual([8_000, 0]);
    expect([stopGraceOf({}), extraStopMs({})]).toEqual([5_000, 0]);
  });

  it("until when a background command lives that does not say it: the last stage before cleanup, or its own", () => {
    const background = "run: x, background: true";
    const { stages } = plan(
      `stages: [{ name: a, ${background} }, { name: b, run: x }, { name: c, ${background} }, { name: d, type: cleanup, ${background} }, { name: cleanup, run: x }]\n`,
    );
    expect(stages.map((stage) => stage.background?.until ?? null)).toEqual(["c", null, "c", "d", null]);
  });

  it("every default of barriers", () => {
    const read = plan(`agents: 9
barrier_sync: { default_type: at_least, default_at_least: 2, default_agent_barrier_timeout: 1m, default_straggler_grace: 2s, default_on_straggler: rejoin, default_heartbeat_interval: 3s, default_missed_threshold: 4, default_query_timeout: 5s, default_query_retries: 6, prepare: best_effort, validation: { at_least: 3 }, cleanup: none, execute: majority }
stages:
  - { name: a, run: x }
  - { name: prepare }
  - { name: preflight }
  - { name: cleanup, when: on_success, barrier: { query_retries: 1 } }
  - { name: execute }
  - { name: h, type: hybrid }
`);
    const shared = {
      timeoutMs: 60_000,
      stragglerGraceMs: 2_000,
      onStraggler: "rejoin",
      heartbeatIntervalMs: 3_000,
      missedThreshold: 4,
      queryTimeoutMs: 5_000,
      queryRetries: 6,
    };
    expect(read.stages.map(({ barrier }) => barrier)).toEqual([
      { ...shared, rule: { kind: "at_least", count: 2 } },
      { ...shared, rule: { kind: "best_effort" } },
      { ...shared, rule: { kind: "at_least", count: 3 } },
      { ...shared, rule: { kind: "none" }, queryRetries: 1 },
      { ...shared, rule: { kind: "majority" } },
      { ...shared, rule: { kind: "at_least", count: 2 } },
    ]);
  });
});
