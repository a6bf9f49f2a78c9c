/** Attempts of one agent: what its reports count for, when another attempt follows, and what they add to. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { summary } from "../../../src/run/machine.ts";
import type { AgentPhase } from "../../../src/run/result/record.ts";
import { exitCodeOf } from "../../../src/run/stage/exit-code.ts";
import type { StageRun } from "../../../src/run/state.ts";
import type { AttemptReport } from "../../../src/run/types.ts";
import { barrier, Group, plan, report, retrying, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const free = { ...barrier, rule: { kind: "none" } } as const;
const source = { kind: "list", values: ["x", "y"] } as const;
const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} } as const;
const listed = {
  name: "a",
  type: "prepare",
  completion: "tasks_done",
  tasks: { ...tasks, source: { kind: "from", command: "./list" } },
} as const;

function group(stages: readonly StageOverrides[], size = 1, over: Partial<Plan> = {}): Group {
  return new Group(plan(stages, over), size).join();
}

function run(of: Group, stage = 0): StageRun {
  const found = of.state.stages.flat()[stage];
  if (found === undefined) throw new Error(`there is no stage ${stage}`);
  return found;
}

function result(of: Group, stage = 0, slot = 0): AgentPhase {
  const found = run(of, stage).results.flat()[slot];
  if (found == null) throw new Error(`agent ${slot} has no result of stage ${stage}`);
  return found;
}

describe("the times of an attempt", () => {
  /** Of an attempt that begins at 0, reported 10 s later. */
  const times = (startedAt: number, endedAt: number): readonly (number | null)[] => {
    const of = group([{ name: "a", barrier: best }, { name: "b" }]);
    const { at } = of;
    of.pass(10_000);
    of.finish("agent-0", undefined, { startedAt: at + startedAt, endedAt: at + endedAt });
    const told = result(of);
    return [(told.startedAt ?? 0) - at, (told.endedAt ?? 0) - at];
  };

  it.each([
    ["as told", 1_000, 9_000, 1_000, 9_000],
    ["as told, to its very end", 0, 10_000, 0, 10_000],
    ["of a clock a little behind", -1_000, 9_000, 0, 9_000],
    ["of a clock too far behind", -1_001, 8_999, 0, 10_000],
    ["of a clock too far behind, of a short one", -5_000, -1_000, 6_000, 10_000],
    ["of a clock ahead", 4_000, 10_001, 3_999, 10_000],
    ["of a clock ahead, longer than can be", 1, 20_001, 0, 10_000],
    ["that end before they begin", 9_000, 8_000, 8_000, 8_000],
  ])("are %s", (_name, startedAt, endedAt, from, to) => {
    expect(times(startedAt, endedAt)).toEqual([from, to]);
  });
});

describe("a report", () => {
  it("of a stage that the plan lacks is rejected", () => {
    const of = group([{ name: "a" }]);
    of.sync("agent-0", { finished: [report({ stage: 1, attempt: "1.1.0.1" })] });
    expect(of.notices()).toEqual(["rejected: a report of stage 1, which the plan does not have"]);
  });

  it("of a task that is nobody's, or of a stage that is over, is ignored, and that is said", () => {
    const of = group([{ name: "a", type: "prepare", completion: "tasks_done", tasks }, { name: "b" }], 2);
    const ignored = (task: string, attempt: string) =>
      `ignored agent-0's report of attempt at task ${task} ${attempt} of a: it is not in force`;
    const tell = (task: string, attempt: string): string | undefined => {
      of.sync("agent-0", { stage: 0, wants: 1, finished: [report({ stage: 0, task, attempt })] });
      return of.notices().at(-1);
    };
    expect(tell("z", "0.1.t0.1")).toBe(ignored("z", "0.1.t0.1"));
    expect(tell("x", "0.1.t0.2")).toBe(ignored("x", "0.1.t0.2"));
    of.sync("agent-1", { wants: 1 });
    expect(of.execute("agent-1").leases).toMatchObject([{ task: "y", attempt: "0.1.t1.1" }]);
    expect(tell("y", "0.1.t1.1")).toBe(ignored("y", "0.1.t1.1"));
    tell("x", "0.1.t0.1");
    const { noticeSeq } = of.state;
    tell("x", "0.1.t0.1");
    expect(of.state.noticeSeq).toBe(noticeSeq);
    of.sync("agent-1", { finished: [report({ stage: 0, task: "y", attempt: "0.1.t1.1" })] });
    expect(of.execute("agent-0").stage).toBe(1);
    expect(tell("x", "0.1.t0.1")).toBe(ignored("x", "0.1.t0.1"));
  });

  it("that work was dropped is no failure: it is begun again, and what was counted is not", () => {
    const progress = { done: 5, total: null, errors: 2 };
    for (const [end, why] of [
      [{ kind: "stopped", why: "SIGINT" }, "SIGINT"],
      [{ kind: "reset" }, "reset"],
    ] as const) {
      const of = group([{ name: "a" }]);
      of.sync("agent-0", { progress });
      of.sync("agent-0", { progress });
      expect(run(of)).toMatchObject({ done: 5, errors: 2 });
      of.finish("agent-0", end, { progress, metrics: [{ name: "m", value: 1, unit: "", agg: "sum", count: 1 }] });
      expect(of.execute("agent-0").attempt).toBe("0.1.0.2");
      expect(run(of)).toMatchObject({ done: 0, errors: 0, retryCount: 0, metrics: [] });
      expect(of.notices()).toEqual([`a: agent-0 lost its attempt 0.1.0.1 (${why}) and runs it again`]);
    }
  });

  it("says how much was done in the end, also where it was never told before", () => {
    const of = group([{ name: "a", retry: retrying({ backoffMs: 0 }) }, { name: "b" }], 2);
    const progress = (done: number, errors = 0) => ({ progress: { done, total: 9, errors } });
    of.sync("agent-0", progress(1));
    of.sync("agent-0", progress(4, 1));
    of.sync("agent-0", progress(3, 1));
    expect(run(of)).toMatchObject({ done: 3, errors: 1 });
    of.finish("agent-0", fails, progress(6, 2));
    expect(run(of)).toMatchObject({ done: 0, errors: 0, retryCount: 1 });
    of.finish("agent-0", undefined, progress(7));
    of.finish("agent-1", undefined, progress(2));
    expect(summary(of.state).phases[0]?.progress).toEqual({ done: 9, total: null, errors: 0 });
  });

  it("warns of an end before the time, for its agent", () => {
    const of = group([{ name: "a", type: "execute", completion: "duration", durationMs: 60_000 }, { name: "b" }]);
    of.finish("agent-0");
    const said = "ended by itself before its duration (1m) was over";
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "warning",
      reason: `agent-0: ${said}`,
      agents: [{ status: "success", reason: said }],
    });
  });

  it("at the plan's deadline fails the run in what the deadline counts for alone", () => {
    const end = { kind: "time_over", limit: "deadline" } as const;
    const of = group([{ name: "a" }, { name: "b" }], 2, { deadlineMs: 60_000 });
    of.finish("agent-0", end);
    expect(of.state.failure).toMatchObject({ stage: 0, reason: "a: the plan's deadline (1m) is over" });
    const always = group([{ name: "a", when: "always", barrier: best }, { name: "b" }], 2, { deadlineMs: 60_000 });
    always.finish("agent-0", end);
    expect(always.state.failure).toBeNull();
    const other = group([{ name: "a", barrier: best }, { name: "b" }], 2, { deadlineMs: 60_000 });
    other.finish("agent-0", { kind: "time_over", limit: "attempt_timeout" });
    expect(other.state.failure).toBeNull();
  });

  it("of tasks whose time is over ends the stage, unless that is success, or the task's own", () => {
    const work = { name: "a", type: "hybrid", completion: "duration_or_tasks", maxDurationMs: 90_000, tasks } as const;
    const stoppedAfter = (limit: "max_duration" | "attempt_timeout" | "timeout") => {
      const of = group([{ ...work, tasks: { ...tasks, maxFailures: 1 } }, { name: "b" }], 2);
      for (const name of of.names) of.sync(name, { wants: 1 });
      const end = { kind: "time_over", limit } as const;
      of.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1", end })] });
      return run(of).stopping?.why ?? null;
    };
    expect(stoppedAfter("timeout")).toBe("timed out (10m)");
    expect(stoppedAfter("attempt_timeout")).toBeNull();
    expect(stoppedAfter("max_duration")).toBeNull();
  });

  it("of who listed the tasks, that there are none, is a warning", () => {
    const of = group([listed, { name: "b" }], 2);
    of.finish("agent-0", undefined, { outputs: { k: 1 } });
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "warning",
      worked: true,
      reason: "no tasks were listed",
      outputs: { k: 1 },
    });
    const some = group([listed, { name: "b" }], 2);
    some.sync("agent-0", { addTasks: ["x"], wants: 1 });
    some.finish("agent-0");
    some.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1" })] });
    expect(summary(some.state).phases[0]).toMatchObject({ status: "success", reason: null });
  });

  it("of one that has no list to end is none, though it carries its attempt", () => {
    const of = group([listed, { name: "b" }], 2);
    const { attempt } = of.execute("agent-1");
    of.sync("agent-1", { finished: [report({ stage: 0, attempt, end: fails })] });
    expect(run(of)).toMatchObject({ pending: 2, error: null, pool: { generator: 0 } });
    expect(of.state.failure).toBeNull();
  });
});

describe("another attempt", () => {
  it("follows where there is time for it: in the stage's timeout", () => {
    const again = (timeoutMs: number): boolean => {
      const of = group([{ name: "a", timeoutMs, retry: retrying({ backoffMs: 1_000 }) }]);
      of.finish("agent-0", fails);
      if (of.state.failure !== null)
        expect(of.state.failure.reason).toBe(
          "a: agent-0 failed: exit code 1; its timeout (1s) leaves no time for another",
        );
      return of.state.failure === null;
    };
    expect([again(1_001), again(1_000)]).toEqual([true, false]);
  });

  it("follows where there is time for it: in the group's duration, whose end is no reason of its own", () => {
    const load = { name: "a", type: "execute", completion: "duration" } as const;
    const again = (durationMs: number): boolean => {
      const of = group([{ ...load, durationMs, retry: retrying({ backoffMs: 1_000 }) }]);
      of.finish("agent-0", fails);
      if (of.state.failure !== null) expect(of.state.failure.reason).toBe("a: agent-0 failed: exit code 1");
      return of.state.failure === null;
    };
    expect([again(1_001), again(1_000)]).toEqual([true, false]);
  });

  it("follows no end that was the last, of which is said how many there were", () => {
    const of = group([{ name: "a", retry: retrying({ maxAttempts: 2, backoffMs: 0 }) }]);
    of.finish("agent-0", fails, { tail: "one" });
    expect(of.notices()).toEqual(["a: agent-0's attempt 1 of 2 failed (exit code 1), next in 0s"]);
    of.finish("agent-0", { kind: "signalled", signal: "SIGKILL" }, { tail: "two" });
    expect(of.state.failure?.reason).toBe("a: agent-0 failed: ended by SIGKILL, after 2 attempts");
    expect(result(of)).toMatchObject({ attempts: 2, tail: "two", end: { kind: "signalled" } });
    const once = group([{ name: "a", retry: retrying({ maxAttempts: 1 }) }]);
    once.finish("agent-0", fails);
    expect(once.state.failure?.reason).toBe("a: agent-0 failed: exit code 1");
  });

  it("that is not wanted lacks no time", () => {
    const of = group([{ name: "a", timeoutMs: 5_000, retry: retrying({ maxAttempts: 1 }) }]);
    of.pass(5_000);
    of.finish("agent-0", { kind: "time_over", limit: "timeout" });
    expect(of.state.failure?.reason).toBe("a: agent-0 failed: timed out (5s)");
  });

  it("is one of the list, where that failed", () => {
    const of = group([{ ...listed, retry: retrying({ maxAttempts: 2, backoffMs: 0 }) }, { name: "b" }], 2);
    of.sync("agent-0", { addTasks: ["x"] });
    of.finish("agent-0", fails);
    expect(run(of)).toMatchObject({ retryCount: 1, error: null, pool: { generator: 0, counted: 0 } });
    of.finish("agent-0", fails);
    expect(run(of)).toMatchObject({
      error: "its tasks could not be listed: exit code 1, after 2 attempts",
      pool: { generator: null, open: 1 },
    });
  });

  it("after threshold errors is none", () => {
    const of = group([{ name: "a", retry: retrying({ maxAttempts: 3 }) }]);
    of.finish("agent-0", { kind: "threshold", threshold: "max_consecutive_errors", message: "9 in a row" });
    expect(of.state.failure?.reason).toBe("a: agent-0 failed: max_consecutive_errors: 9 in a row");
  });

  it("is told of as overdue a minute after its own time, or a minute after the stage's", () => {
    const overdue = (stage: Partial<StageOverrides>) => {
      const of = group([{ name: "a", timeoutMs: 60_000, ...stage }]);
      return (run(of).overdueAt ?? 0) - of.at;
    };
    expect(overdue({})).toBe(120_000);
    expect(overdue({ retry: retrying({ attemptTimeoutMs: 20_000 }) })).toBe(80_000);
    expect(overdue({ retry: retrying({ attemptTimeoutMs: 70_000 }) })).toBe(120_000);
    expect(overdue({ ...listed, retry: retrying({ attemptTimeoutMs: 20_000 }) })).toBe(120_000);
    const of = group([
      { name: "a", timeoutMs: 60_000, retry: retrying({ attemptTimeoutMs: 20_000, backoffMs: 5_000 }) },
    ]);
    of.pass(10_000);
    of.finish("agent-0", fails);
    expect(run(of).overdueAt).toBe(of.at + 5_000 + 80_000);
  });
});

describe("where no barrier stands between stages", () => {
  it("a failure that is tolerated ends one's part in all of them", () => {
    const of = group([{ name: "a", barrier: free, optional: true }, { name: "b", barrier: best }, { name: "c" }], 2);
    of.finish("agent-0", fails);
    expect(of.execute("agent-0").stage).toBe(1);
    const hard = group(
      [{ name: "a", barrier: free }, { name: "b", barrier: free }, { name: "c", barrier: best }, { name: "d" }],
      2,
    );
    hard.finish("agent-0", fails);
    expect(hard.state.failure).toBeNull();
    expect(result(hard, 1)).toMatchObject({ status: "stopped", reason: "it failed in a", attempts: 1 });
    expect(result(hard, 2)).toMatchObject({ status: "stopped", reason: "it failed in a" });
    expect([0, 1, 2].map((stage) => run(hard, stage).pending)).toEqual([1, 1, 1]);
    expect(hard.instruction("agent-0")).toMatchObject({ do: "wait", stage: 2 });
  });

  it("a failure that is tolerated leaves alone what is for others", () => {
    const of = group(
      [
        { name: "a", barrier: free },
        { name: "b", barrier: free, runsOn: { kind: "agents", agents: [1] } },
        { name: "c", barrier: best },
        { name: "d" },
      ],
      2,
    );
    of.finish("agent-0", fails);
    expect([0, 1, 2].map((stage) => run(of, stage).pending)).toEqual([1, 1, 1]);
    expect(run(of, 1).results.flat()[0]).toBeNull();
  });

  it("one goes on to the next that it is for", () => {
    const of = group(
      [
        { name: "a", barrier: free },
        { name: "b", barrier: free, runsOn: { kind: "agents", agents: [1] } },
        { name: "c" },
      ],
      2,
    );
    of.pass(2_000);
    of.finish("agent-0");
    expect(of.execute("agent-0")).toMatchObject({ stage: 2, startAt: of.at, until: { at: of.at + 600_000 } });
    of.finish("agent-1");
    expect(of.execute("agent-1").stage).toBe(1);
  });

  it("one passes by what has been stopped for all meanwhile", () => {
    const thresholds = { maxErrors: 2, maxErrorRate: null, maxConsecutiveErrors: null };
    const stages = [
      { name: "a", barrier: free },
      { name: "b", barrier: free, optional: true, thresholds },
      { name: "c" },
    ] as const;
    const of = group(stages, 2);
    of.sync("agent-1");
    of.finish("agent-0");
    of.sync("agent-0", { progress: { done: 0, total: null, errors: 3 } });
    expect(run(of, 1).stopping?.why).toBe("max_errors: 3 errors, at most 2 are allowed");
    of.finish("agent-1");
    expect(of.execute("agent-1").stage).toBe(2);
    expect(result(of, 1, 1)).toMatchObject({
      status: "success",
      reason: "max_errors: 3 errors, at most 2 are allowed",
    });
  });
});

describe("an optional stage", () => {
  it("has been arrived at by those that failed it, also where one is enough", () => {
    const of = group([{ name: "a", optional: true, barrier: best }, { name: "b" }], 2);
    of.finishAll(fails);
    expect(of.execute("agent-0").stage).toBe(1);
    expect(summary(of.state).phases[0]).toMatchObject({ status: "warning", worked: false });
  });
});

describe("the exit code of an end", () => {
  const ends: readonly (readonly [AttemptReport["end"], number | null])[] = [
    [{ kind: "exited", code: 0 }, 0],
    [{ kind: "signalled", signal: "SIGKILL" }, 137],
    [{ kind: "signalled", signal: "SIGNONE" }, null],
    [{ kind: "signalled", signal: "toString" }, null],
    [{ kind: "no_command" }, null],
  ];
  it.each(ends)("%o: %s", (end, code) => {
    expect(exitCodeOf(end)).toBe(code);
  });
});
