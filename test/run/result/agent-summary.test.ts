import { describe, expect, it } from "vitest";
import { AgentSummary } from "../../../src/run/result/agent-summary.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { planStage, report } from "../builders.ts";

const first = planStage({ name: "first", index: 0 });
const second = planStage({ name: "second", index: 1 });
const ok: AttemptEnd = { kind: "exited", code: 0 };

describe("what an agent knows by itself", () => {
  it("has its stages in order, with its attempts, annotations and the newest end", () => {
    const own = new AgentSummary({ agent: "train-2", index: 2 });
    const annotation = { path: "a.ts", line: 3, level: "warning", title: null, message: "careful" } as const;
    own.add(
      second,
      report({ stage: 1, attempt: "1.1.2.1", end: { kind: "stopped", why: "cancelled (SIGINT)" }, tail: "half" }),
    );
    own.add(
      first,
      report({ stage: 0, attempt: "0.1.2.1", end: { kind: "exited", code: 3 }, annotations: [annotation] }),
    );
    own.add(first, report({ stage: 0, attempt: "0.1.2.2", end: ok, outputs: { rows: 3 }, annotations: [annotation] }));
    expect(own.records()).toMatchObject([
      {
        name: "first",
        status: "success",
        worked: true,
        retryCount: 1,
        outputs: { rows: 3 },
        annotations: [{ ...annotation, agent: "train-2" }],
        agents: [{ agent: "train-2", index: 2, status: "success", attempts: 2 }],
      },
      {
        name: "second",
        status: "cancelled",
        worked: false,
        reason: "stopped: cancelled (SIGINT)",
        agents: [{ status: "stopped", tail: "half" }],
      },
    ]);
  });

  it("counts its own tasks, but for those that it was made to drop", () => {
    const source = { kind: "count", count: 9 } as const;
    const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} };
    const stage = planStage({ name: "tasks", tasks });
    const own = new AgentSummary({ agent: "a", index: 0 });
    const ends: AttemptEnd[] = [ok, ok, { kind: "exited", code: 1 }, { kind: "stopped", why: "cancelled" }];
    for (const [n, end] of ends.entries()) own.add(stage, report({ stage: 0, attempt: `t${n}`, task: `t${n}`, end }));
    expect(own.records()[0]?.tasks).toEqual({ done: 2, failed: 1, skipped: 0, total: 3 });
  });

  it("is told whole: what came of each stage, as its own word goes", () => {
    const own = new AgentSummary({ agent: "a", index: 3 });
    const stage = planStage({
      name: "load",
      description: "under load",
      index: 4,
      order: 7,
      line: 8,
      column: 9,
      type: "execute",
      completion: "duration",
      durationMs: 60_000,
    });
    const metric = { name: "ops", value: 1, unit: "", agg: "sum", count: 1 } as const;
    const progress = { done: 1, total: 2, errors: 3 };
    const times = { startedAt: 5, endedAt: 9 };
    const more = { histograms: { h: "x" }, outputs: { k: 1 }, metrics: [metric], progress, tail: "end", ...times };
    own.add(stage, report({ stage: 4, attempt: "4.1.3.1", end: ok, ...more }));
    const reason = "ended by itself before its duration (1m) was over";
    expect(own.records()).toEqual([
      {
        stage: 4,
        name: "load",
        description: "under load",
        order: 7,
        line: 8,
        column: 9,
        optional: false,
        status: "warning",
        worked: true,
        reason,
        startedAt: 5,
        completedAt: 9,
        retryCount: 0,
        progress,
        metrics: [{ ...metric, expected: null, met: null }],
        agents: [
          {
            agent: "a",
            index: 3,
            status: "success",
            startedAt: 5,
            endedAt: 9,
            attempts: 1,
            reason,
            tail: "end",
            end: ok,
          },
        ],
        tasks: null,
        histograms: { h: "x" },
        outputs: { k: 1 },
        annotations: [],
      },
    ]);
  });

  it.each<[string, boolean, AttemptEnd, string, boolean, string, string | null]>([
    ["went well", false, ok, "success", true, "success", null],
    ["failed", false, { kind: "exited", code: 2 }, "failure", false, "failure", "exit code 2"],
    ["failed, and was optional", true, { kind: "exited", code: 2 }, "warning", false, "failure", "exit code 2"],
    ["was stopped", false, { kind: "stopped", why: "x" }, "cancelled", false, "stopped", "stopped: x"],
    ["was stopped, and was optional", true, { kind: "stopped", why: "x" }, "cancelled", false, "stopped", "stopped: x"],
    ["was dropped", false, { kind: "reset" }, "cancelled", false, "stopped", "dropped by its agent"],
  ])("that %s", (_name, optional, end, status, worked, agentStatus, reason) => {
    const own = new AgentSummary({ agent: "a", index: 0 });
    own.add({ ...first, optional }, report({ stage: 0, attempt: "0.1.0.1", end }));
    expect(own.records()).toMatchObject([{ status, worked, reason, agents: [{ status: agentStatus, reason }] }]);
  });

  it("begins anew with each round, and keeps the rounds before, each once", () => {
    const own = new AgentSummary({ agent: "a", index: 0 });
    const add = (attempt: string, startedAt: number, end: AttemptEnd = ok) =>
      own.add(first, report({ stage: 0, attempt, startedAt, endedAt: startedAt + 1, end }));
    add("0.1.0.1", 10, { kind: "exited", code: 1 });
    add("0.1.0.2", 20);
    expect(own.records()).toMatchObject([{ startedAt: 10, completedAt: 21, retryCount: 1, agents: [{ attempts: 2 }] }]);
    expect(own.records()[0]).not.toHaveProperty("earlier");
    add("0.2.0.1", 30);
    add("0.3.0.1", 40);
    add("0.3.0.2", 50);
    const [record] = own.records();
    expect(record).toMatchObject({ startedAt: 40, completedAt: 51, retryCount: 1 });
    expect(record?.earlier).toMatchObject([
      { startedAt: 10, completedAt: 21, retryCount: 1 },
      { startedAt: 30, completedAt: 31, retryCount: 0 },
    ]);
    // Word of a round that is over.
    add("0.2.0.2", 60);
    expect(own.records()[0]?.earlier).toHaveLength(2);
  });

  it("has the annotations of its last attempt, and of all its tasks up to a bound", () => {
    const note = (line: number) => ({ path: "a.ts", line, level: "notice", title: null, message: "" }) as const;
    const own = new AgentSummary({ agent: "a", index: 0 });
    for (const line of [1, 2])
      own.add(first, report({ stage: 0, attempt: `0.1.0.${line}`, annotations: [note(line)] }));
    expect(own.records()[0]?.annotations).toEqual([{ ...note(2), agent: "a" }]);
    const many = new AgentSummary({ agent: "a", index: 0 });
    const source = { kind: "count", count: 9 } as const;
    const stage = planStage({
      name: "tasks",
      tasks: { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} },
    });
    for (const task of ["x", "y", "z"]) {
      const annotations = Array.from({ length: 400 }, (_, line) => note(line));
      many.add(stage, report({ stage: 0, attempt: `0.1.${task}.1`, task, annotations }));
      if (task === "y") expect(many.records()[0]?.annotations).toHaveLength(800);
    }
    const [record] = many.records();
    expect(record?.annotations).toHaveLength(1_000);
    expect(record).toMatchObject({ retryCount: 0, agents: [{ attempts: 1 }], tasks: { done: 3, total: 3 } });
  });

  it("counts no task that it was made to drop by a reset", () => {
    const source = { kind: "count", count: 9 } as const;
    const stage = planStage({
      name: "tasks",
      tasks: { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} },
    });
    const own = new AgentSummary({ agent: "a", index: 0 });
    own.add(stage, report({ stage: 0, attempt: "0.1.t0.1", task: "x", end: { kind: "reset" } }));
    own.add(stage, report({ stage: 0, attempt: "0.1.0.1" }));
    expect(own.records()[0]?.tasks).toEqual({ done: 0, failed: 0, skipped: 0, total: 0 });
  });
});
