import { describe, expect, it } from "vitest";
import { apply, begin, summary } from "../../src/run/machine.ts";
import type { Selection } from "../../src/run/types.ts";
import { barrier, created, Group, joined, plan, report, type StageOverrides, synced } from "./builders.ts";

const fails = { kind: "exited", code: 1 } as const;

function statuses(group: Group): readonly string[] {
  return summary(group.state).phases.map(
    ({ name, status, reason }) => `${name} ${status}${reason === null ? "" : `: ${reason}`}`,
  );
}

describe("one agent alone", () => {
  it("goes through the stages in their order, without any lead", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b" }]), 1).join();
    expect(group.execute("agent-0")).toEqual({
      do: "execute",
      stage: 0,
      attempt: "0.0.1",
      attemptNumber: 1,
      startAt: group.at,
      partition: null,
      leases: [],
      tasksOnly: false,
    });
    group.finish("agent-0");
    expect(group.execute("agent-0").stage).toBe(1);
    const finish = group.finish("agent-0");
    expect(finish).toMatchObject({
      do: "finish",
      summary: { status: "succeeded", verdict: "success", message: "2 stages succeeded", failedStage: null },
    });
  });
});

describe("a group", () => {
  it("starts each stage at one time a little ahead, and waits at its barrier", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b" }]), 4).join();
    const starts = group.names.map((name) => group.execute(name).startAt);
    expect(new Set(starts).size).toBe(1);
    expect((starts[0] ?? 0) - group.at).toBeGreaterThan(0);
    expect((starts[0] ?? 0) - group.at).toBeLessThanOrEqual(1_000);
    for (const name of ["agent-0", "agent-1", "agent-3"]) group.finish(name);
    expect(group.instruction("agent-0")).toMatchObject({
      do: "wait",
      reason: "barrier",
      stage: 0,
      who: [{ agent: "agent-2" }],
    });
    group.finish("agent-2");
    expect(group.names.map((name) => group.execute(name).stage)).toEqual([1, 1, 1, 1]);
  });

  it("answers the same when it is asked twice", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    for (const name of group.names) expect(group.instruction(name)).toEqual(group.instruction(name));
  });
});

describe("why a stage is not run", () => {
  const run = (
    stages: readonly StageOverrides[],
    selection: Partial<Selection> = {},
    ends: Readonly<Record<string, number>> = {},
  ) => {
    const of = plan(stages);
    const group = new Group(of, 1);
    group.state = begin({
      ...created(of, 1, group.at),
      selection: { only: null, skip: [], stopAfter: null, ...selection },
    });
    group.join();
    while (group.instruction("agent-0").do === "execute") {
      const name = of.stages[group.execute("agent-0").stage]?.name ?? "";
      group.finish("agent-0", { kind: "exited", code: ends[name] ?? 0 });
    }
    return group;
  };
  const always = { name: "cleanup", when: "always" } as const;

  it.each<[string, readonly StageOverrides[], Partial<Selection>, Readonly<Record<string, number>>, readonly string[]]>(
    [
      [
        "not selected",
        [{ name: "a" }, { name: "b" }],
        { only: [1] },
        {},
        ["a skipped: left out by phase control", "b success"],
      ],
      [
        "skipped",
        [{ name: "a" }, { name: "b" }],
        { skip: [0] },
        {},
        ["a skipped: left out by phase control", "b success"],
      ],
      [
        "after the last wanted",
        [{ name: "a" }, always],
        { stopAfter: 0 },
        {},
        ["a success", "cleanup skipped: left out by phase control"],
      ],
      [
        "cleanup after a failure all the same",
        [{ name: "a" }, always],
        { stopAfter: 0 },
        { a: 1 },
        ["a failure: agent-0 failed: exit code 1", "cleanup success"],
      ],
      [
        "cleanup that is named to be skipped",
        [{ name: "a" }, always],
        { skip: [1] },
        { a: 1 },
        ["a failure: agent-0 failed: exit code 1", "cleanup skipped: left out by phase control"],
      ],
      [
        "the run has failed",
        [{ name: "a" }, { name: "b" }, always],
        {},
        { a: 1 },
        ["a failure: agent-0 failed: exit code 1", "b skipped: the run has failed at a", "cleanup success"],
      ],
      [
        "no failure",
        [{ name: "a" }, { name: "rescue", when: "on_failure" }],
        {},
        {},
        ["a success", "rescue skipped: runs only after a failure"],
      ],
      [
        "a failure",
        [{ name: "a" }, { name: "rescue", when: "on_failure" }],
        {},
        { a: 1 },
        ["a failure: agent-0 failed: exit code 1", "rescue success"],
      ],
      [
        "needs what was skipped",
        [{ name: "a" }, { name: "b", dependsOn: ["a"] }],
        { skip: [0] },
        {},
        ["a skipped: left out by phase control", "b skipped: needs the result of a, which was skipped"],
      ],
      [
        "needs what failed though it was optional",
        [{ name: "a", optional: true }, { name: "b", dependsOn: ["a"] }, { name: "c" }],
        {},
        { a: 1 },
        ["a warning: agent-0: exit code 1", "b skipped: needs the result of a, which did not succeed", "c success"],
      ],
      ["needs what succeeded", [{ name: "a" }, { name: "b", dependsOn: ["a"] }], {}, {}, ["a success", "b success"]],
    ],
  )("%s", (_name, stages, selection, ends, expected) => {
    expect(statuses(run(stages, selection, ends))).toEqual(expected);
  });

  it("takes results of a loaded state for what it needs", () => {
    const of = plan([{ name: "a" }, { name: "b", dependsOn: ["a"] }]);
    const carried = { succeeded: ["a"], outputs: { a: { rows: 7 } } };
    const group = new Group(of, 1);
    group.state = begin({ ...created(of, 1, group.at), selection: { only: [1], skip: [], stopAfter: null }, carried });
    group.join();
    expect(group.execute("agent-0").stage).toBe(1);
    expect(group.state.outputs).toEqual({ a: { rows: 7 } });
  });

  it("fails a stage that nobody is left to run", () => {
    const group = new Group(plan([{ name: "a", runsOn: { kind: "agents", agents: [7] } }]), 2).join();
    expect(group.state.failure?.reason).toBe("a: none of the agents that it is for is left");
    expect(group.state.status).toBe("failed");
    const optional = new Group(
      plan([{ name: "a", optional: true, runsOn: { kind: "agents", agents: [7] } }]),
      2,
    ).join();
    expect(optional.state.status).toBe("succeeded");
  });
});

describe("who runs a stage", () => {
  it.each([
    ["the first", { runsOn: { kind: "first" } }, {}, ["agent-0"]],
    ["those named or numbered", { runsOn: { kind: "agents", agents: ["agent-1", 2] } }, {}, ["agent-1", "agent-2"]],
    ["a role", { role: "client" }, { roles: { server: 1, client: 2 } }, ["agent-1", "agent-2"]],
    ["one for the whole tree", { type: "prepare" }, { treeCreationMode: "coordinator" }, ["agent-0"]],
    ["each for its own tree", { type: "prepare" }, { treeCreationMode: "isolated" }, ["agent-0", "agent-1", "agent-2"]],
    [
      "all other stages, whatever the tree",
      { type: "execute" },
      { treeCreationMode: "coordinator" },
      ["agent-0", "agent-1", "agent-2"],
    ],
  ] as const)("%s", (_name, stage, overrides, workers) => {
    const group = new Group(plan([{ name: "a", ...stage }, { name: "b" }], overrides), 3).join();
    expect(group.names.filter((name) => group.instruction(name).do === "execute")).toEqual(workers);
    const other = group.names.find((name) => !workers.some((worker) => worker === name));
    if (other !== undefined)
      expect(group.instruction(other)).toMatchObject({ do: "wait", reason: "not_my_stage", stage: 0 });
    for (const name of workers) group.finish(name);
    expect(group.names.map((name) => group.execute(name).stage)).toEqual([1, 1, 1]);
  });

  it("counts a majority among those that a stage is for", () => {
    const stage = {
      name: "a",
      runsOn: { kind: "first" },
      barrier: { ...barrier, rule: { kind: "majority" } },
    } as const;
    const group = new Group(plan([stage, { name: "b" }]), 5).join();
    group.pass(60_000);
    expect(group.execute("agent-0").stage).toBe(0);
    group.finish("agent-0");
    expect(group.execute("agent-4").stage).toBe(1);
  });
});

describe("expected objects", () => {
  const prepare = { name: "prepare", type: "prepare", completion: "tasks_done", expectedObjects: 10 } as const;

  it("are shared out evenly, in the order of the indexes", () => {
    const group = new Group(plan([prepare]), 3).join();
    expect(group.names.map((name) => group.execute(name).partition)).toEqual([
      { start: 0, end: 3 },
      { start: 3, end: 6 },
      { start: 6, end: 10 },
    ]);
  });

  it("are everyone's with path_selection random, which ends when all are done", () => {
    const group = new Group(plan([prepare], { pathSelection: "random" }), 2).join();
    expect(group.execute("agent-1").partition).toEqual({ start: 0, end: 10 });
    for (const name of group.names)
      group.sync(name, { stage: 0, status: "preparing", progress: { done: 5, total: 10, errors: 0 } });
    expect(group.instruction("agent-0")).toEqual({ do: "stop", stage: 0, why: "all 10 objects are done" });
    for (const name of group.names) {
      const attempt = `0.${name.slice(-1)}.1`;
      const progress = { done: 5, total: 10, errors: 0 };
      group.sync(name, { finished: [report({ stage: 0, attempt, end: { kind: "stopped", why: "" }, progress })] });
    }
    expect(statuses(group)).toEqual(["prepare success"]);
    expect(summary(group.state).phases[0]?.progress).toEqual({ done: 10, total: 10, errors: 0 });
  });

  it("are counted over the group, and too few are a failure", () => {
    const done = (objects: number) => ({ progress: { done: objects, total: null, errors: 0 } });
    const enough = new Group(plan([prepare]), 2).join();
    enough.finish("agent-0", undefined, done(3));
    enough.finish("agent-1", undefined, done(7));
    expect(statuses(enough)).toEqual(["prepare success"]);
    const short = new Group(plan([prepare]), 2).join();
    short.finish("agent-0", undefined, done(3));
    short.finish("agent-1", undefined, done(6));
    expect(short.state.status).toBe("failed");
    expect(statuses(short)).toEqual(["prepare failure: too few: 9 of 10 objects"]);
  });

  it("do not end a command that has its own share", () => {
    const group = new Group(plan([prepare]), 1).join();
    group.sync("agent-0", { stage: 0, status: "preparing", progress: { done: 10, total: 10, errors: 0 } });
    expect(group.instruction("agent-0").do).toBe("execute");
  });

  it("of an attempt that was lost no longer count", () => {
    const group = new Group(plan([{ ...prepare, completion: "duration_or_tasks" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "preparing", progress: { done: 6, total: null, errors: 0 } });
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    group.sync("agent-1", { stage: 0, status: "preparing", progress: { done: 5, total: null, errors: 0 } });
    expect(group.instruction("agent-1").do).toBe("execute");
  });
});

describe("a stage with a time", () => {
  it("ends for the whole group, for an agent that began late, too", () => {
    const stage = { name: "load", type: "execute", completion: "duration", durationMs: 60_000 } as const;
    const group = new Group(plan([stage, { name: "b" }]), 2).join();
    group.pass(50_000);
    group.send({ type: "reset", at: group.at, agent: "agent-1", session: "agent-1#1", why: "SIGHUP" });
    expect(group.execute("agent-1").attempt).toBe("0.1.2");
    group.pass(10_200);
    group.finish("agent-0", { kind: "time_over", limit: "duration" });
    group.pass(1_000);
    expect(group.instruction("agent-1")).toEqual({ do: "stop", stage: 0, why: "its time is over for the group" });
    const stopped = { kind: "stopped", why: "its time is over for the group" } as const;
    group.sync("agent-1", { finished: [report({ stage: 0, attempt: "0.1.2", end: stopped })] });
    expect(group.execute("agent-1").stage).toBe(1);
  });
});

describe("retries", () => {
  const retry = { maxAttempts: 4, backoffMs: 1_000, maxBackoffMs: 3_000, onExitCodes: null, notOnExitCodes: [9] };

  it("are attempts of their own, after pauses that double up to a limit", () => {
    const group = new Group(plan([{ name: "a", retry }]), 1).join();
    const seen: [string, number][] = [];
    for (let failure = 0; failure < 3; failure++) {
      group.finish("agent-0", fails);
      const { attempt, startAt } = group.execute("agent-0");
      seen.push([attempt, startAt - group.at]);
    }
    expect(seen).toEqual([
      ["0.0.2", 1_000],
      ["0.0.3", 2_000],
      ["0.0.4", 3_000],
    ]);
    group.finish("agent-0", fails);
    expect(group.state.status).toBe("failed");
    expect(summary(group.state).phases[0]).toMatchObject({
      retryCount: 3,
      reason: "agent-0 failed: exit code 1, after 4 attempts",
    });
  });

  it.each([
    ["an exit code that is excepted", retry, { kind: "exited", code: 9 }, false],
    ["an exit code that is named", { ...retry, onExitCodes: [75] }, { kind: "exited", code: 75 }, true],
    ["one that is not", { ...retry, onExitCodes: [75] }, { kind: "exited", code: 1 }, false],
    [
      "a signal, when codes are named",
      { ...retry, onExitCodes: [75] },
      { kind: "signalled", signal: "SIGKILL" },
      false,
    ],
    ["a timeout", retry, { kind: "time_over", limit: "timeout" }, true],
  ] as const)("%s", (_name, rule, end, again) => {
    const group = new Group(plan([{ name: "a", retry: rule }]), 1).join();
    group.finish("agent-0", end);
    expect(group.instruction("agent-0").do).toBe(again ? "execute" : "finish");
  });

  it("are a wait with its end when the pause is long", () => {
    const group = new Group(
      plan([{ name: "a", retry: { ...retry, backoffMs: 60_000, maxBackoffMs: 60_000 } }]),
      1,
    ).join();
    group.finish("agent-0", fails);
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", reason: "retry", until: group.at + 60_000 });
    group.pass(56_000);
    expect(group.execute("agent-0").attempt).toBe("0.0.2");
  });

  it("arrive at the barrier with the last of them", () => {
    const group = new Group(plan([{ name: "a", retry }, { name: "b" }]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-1");
    expect(group.instruction("agent-1")).toMatchObject({ do: "wait", reason: "barrier" });
    group.finish("agent-0");
    expect(group.execute("agent-1").stage).toBe(1);
  });
});

describe("a failure", () => {
  it("ends everyone's work, runs cleanup, and then fails the run", () => {
    const stages = [{ name: "a" }, { name: "b" }, { name: "cleanup", when: "always" }] as const;
    const group = new Group(plan(stages), 3).join();
    for (const name of group.names) group.sync(name, { stage: 0, status: "running" });
    group.finish("agent-1", fails, { tail: "disk is full" });
    expect(group.state.status).toBe("aborting");
    expect(group.instruction("agent-0")).toEqual({ do: "abort", why: "a: agent-1 failed: exit code 1" });
    for (const name of ["agent-0", "agent-2"]) {
      const attempt = `0.${name.slice(-1)}.1`;
      group.sync(name, { finished: [report({ stage: 0, attempt, end: { kind: "stopped", why: "" } })] });
    }
    expect(group.names.map((name) => group.execute(name).stage)).toEqual([2, 2, 2]);
    group.finishAll();
    expect(group.state.status).toBe("failed");
    expect(summary(group.state)).toMatchObject({
      verdict: "failure",
      failedStage: "a",
      message: "a: agent-1 failed: exit code 1",
    });
    expect(summary(group.state).phases[0]?.agents.map(({ status, tail }) => [status, tail])).toEqual([
      ["stopped", ""],
      ["failure", "disk is full"],
      ["stopped", ""],
    ]);
  });

  it("does not wait for ever for those that do not end", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "running" });
    group.finish("agent-1", fails);
    group.pass(29_000);
    expect(group.instruction("agent-0").do).toBe("abort");
    group.pass(1_000);
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("in cleanup, or a cleanup that hangs, is said and ends all the same", () => {
    const cleanup = { name: "cleanup", when: "always", timeoutMs: 30_000 } as const;
    const group = new Group(plan([{ name: "a" }, cleanup]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-0", fails);
    group.pass(29_000);
    expect(group.state.status).toBe("aborting");
    group.pass(62_000);
    expect(group.state.status).toBe("failed");
    expect(statuses(group)[1]).toBe("cleanup failure: agent-0: exit code 1; agent-1: did not end within its timeout");
  });

  it("of an optional stage is a warning, and the agent has arrived", () => {
    const group = new Group(plan([{ name: "a", optional: true }, { name: "b" }]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-1");
    expect(group.execute("agent-0").stage).toBe(1);
    group.finishAll();
    expect(summary(group.state)).toMatchObject({
      verdict: "success",
      message: "2 stages succeeded, 1 of them with warnings (a)",
    });
    expect(statuses(group)[0]).toBe("a warning: agent-0: exit code 1");
  });

  it("is the first one: what comes after it does not change the reason", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 2).join();
    group.sync("agent-1", { stage: 0, status: "running" });
    group.finish("agent-0", fails);
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "no" });
    expect(group.state.failure?.reason).toBe("a: agent-0 failed: exit code 1");
  });
});

describe("cancelling", () => {
  it("ends what runs, cleans up, and is no failure", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 1).join();
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "wrong branch" });
    group.finish("agent-0");
    expect(summary(group.state)).toMatchObject({
      status: "cancelled",
      verdict: "cancelled",
      message: "cancelled by ann: wrong branch",
      failedStage: null,
    });
    expect(statuses(group)).toEqual(["a cancelled: cancelled by ann: wrong branch", "cleanup success"]);
  });

  it("during assembly ends at once", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join("agent-0");
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "no" });
    expect(group.instruction("agent-0")).toMatchObject({ do: "finish", summary: { verdict: "cancelled" } });
  });
});

describe("a checkpoint", () => {
  it("waits for a person, without an end, and for that stage alone", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b", checkpoint: true }]), 2).join();
    group.finishAll();
    expect(group.instruction("agent-1")).toMatchObject({ do: "wait", reason: "checkpoint", stage: 1, until: null });
    group.pass(7_200_000);
    group.send({ type: "approved", at: group.at, stage: 0, by: "ann" });
    expect(group.instruction("agent-1").do).toBe("wait");
    group.send({ type: "approved", at: group.at, stage: 1, by: "ann" });
    expect(group.execute("agent-1").stage).toBe(1);
    expect(group.notices()).toContain("ann approved b");
  });

  it("may be approved before it is come to, and is not asked after a failure", () => {
    const stages = [
      { name: "a" },
      { name: "b", checkpoint: true },
      { name: "c", checkpoint: true, when: "always" },
    ] as const;
    const early = new Group(plan(stages), 1).join();
    early.send({ type: "approved", at: early.at, stage: 1, by: "ann" });
    early.finish("agent-0");
    expect(early.execute("agent-0").stage).toBe(1);
    early.finish("agent-0", fails);
    expect(early.execute("agent-0").stage).toBe(2);
  });

  it("does not outlive its group", () => {
    const group = new Group(plan([{ name: "a", checkpoint: true }]), 1).join();
    group.pass(40_000, ["agent-0"]);
    expect(group.state.status).toBe("failed");
    expect(group.state.failure?.reason).toContain("agent-0 was lost");
  });
});

describe("stages without a barrier between them", () => {
  const free = { ...barrier, rule: { kind: "none" } } as const;

  it("let each agent go on by itself, up to the next barrier", () => {
    const group = new Group(plan([{ name: "a", barrier: free }, { name: "b" }, { name: "c" }]), 2).join();
    group.finish("agent-0");
    expect(group.execute("agent-0")).toMatchObject({ stage: 1, startAt: group.at });
    expect(group.execute("agent-1").stage).toBe(0);
    group.finish("agent-0");
    expect(group.instruction("agent-0")).toMatchObject({
      do: "wait",
      reason: "barrier",
      stage: 1,
      who: [{ agent: "agent-1" }],
    });
    group.finish("agent-1");
    expect(group.execute("agent-1").stage).toBe(1);
    group.finish("agent-1");
    expect(group.execute("agent-0").stage).toBe(2);
    group.finishAll();
    expect(statuses(group)).toEqual(["a success", "b success", "c success"]);
  });

  it("wait all the same where the next stage needs the group's result", () => {
    const group = new Group(
      plan([
        { name: "a", barrier: free },
        { name: "b", dependsOn: ["a"] },
      ]),
      2,
    ).join();
    group.finish("agent-0");
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", reason: "barrier", stage: 0 });
  });

  it("fail the run when the work of one fails, and go on without one that is lost", () => {
    const stages = [
      { name: "a", barrier: free },
      { name: "b", barrier: free },
    ];
    const failing = new Group(plan(stages), 2).join();
    failing.finish("agent-0", fails);
    expect(failing.state.failure?.reason).toBe("a: agent-0 failed: exit code 1");
    const losing = new Group(plan(stages), 2).join();
    losing.pass(31_000, ["agent-0"]);
    losing.finish("agent-1");
    losing.finish("agent-1");
    expect(losing.state.status).toBe("succeeded");
    expect(summary(losing.state).phases.map(({ status }) => status)).toEqual(["warning", "warning"]);
  });
});

describe("what is told twice", () => {
  it("changes nothing, and neither does what is told too late", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b" }]), 2).join();
    const { attempt } = group.execute("agent-0");
    const first = synced("agent-0", group.at, { sequence: 4, stage: 0, finished: [report({ stage: 0, attempt })] });
    group.send(first);
    const after = group.state;
    expect(apply(after, first)).toEqual(after);
    expect(apply(after, { ...first, sequence: 3, finished: [], status: "running" })).toEqual(after);
    // The same report under a new number: known, and ignored without a word.
    group.send({ ...first, sequence: 5 });
    expect(group.state.noticeSeq).toBe(after.noticeSeq);
    expect(group.state.stages).toEqual(after.stages);
  });

  it("is said when it comes from an attempt that is no longer in force", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    const { attempt } = group.execute("agent-0");
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    group.sync("agent-0", { finished: [report({ stage: 0, attempt })] });
    expect(group.notices().at(-1)).toBe("ignored agent-0's report of attempt 0.0.1 of a: it is not in force");
    expect(group.execute("agent-0").attempt).toBe("0.0.2");
  });

  it("joining twice with one session is joining once", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    const before = group.state;
    expect(apply(before, joined("agent-0", group.at))).toEqual(before);
  });
});
