import { describe, expect, it } from "vitest";
import { apply, begin, summary } from "../../src/run/machine.ts";
import type { Selection } from "../../src/run/types.ts";
import { barrier, created, Group, joined, needs, plan, report, type StageOverrides, synced } from "./builders.ts";

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
      attempt: "0.1.0.1",
      attemptNumber: 1,
      startAt: group.at,
      until: { at: group.at + 600_000, limit: "timeout" },
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
        ["a skipped: not among the selected stages", "b success"],
      ],
      [
        "skipped",
        [{ name: "a" }, { name: "b" }],
        { skip: [0] },
        {},
        ["a skipped: not among the selected stages", "b success"],
      ],
      [
        "after the last wanted",
        [{ name: "a" }, always],
        { stopAfter: 0 },
        {},
        ["a success", "cleanup skipped: not among the selected stages"],
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
        ["a failure: agent-0 failed: exit code 1", "cleanup skipped: not among the selected stages"],
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
        [{ name: "a" }, { name: "b", dependsOn: [needs("a")] }],
        { skip: [0] },
        {},
        [
          "a skipped: not among the selected stages",
          "b failure: needs the result of a, which was skipped (where the stage can do without: depends_on: [{ stage: a, even_if: [skipped] }])",
        ],
      ],
      [
        "needs what was left out, which it accepts",
        [{ name: "a" }, { name: "b", dependsOn: [needs("a", "skipped")] }],
        { skip: [0] },
        {},
        ["a skipped: not among the selected stages", "b success"],
      ],
      [
        "needs what failed though it was optional, and is optional itself",
        [{ name: "a", optional: true }, { name: "b", optional: true, dependsOn: [needs("a")] }, { name: "c" }],
        {},
        { a: 1 },
        ["a warning: agent-0: exit code 1", "b skipped: needs the result of a, which did not succeed", "c success"],
      ],
      [
        "needs what failed though it was optional: its own work would be missing from a green run",
        [
          { name: "a", optional: true },
          { name: "b", dependsOn: [needs("a")] },
          { name: "c" },
          { name: "rescue", when: "on_failure" },
          always,
        ],
        {},
        { a: 1 },
        [
          "a warning: agent-0: exit code 1",
          "b failure: needs the result of a, which did not succeed (where the stage can do without: depends_on: [{ stage: a, even_if: [failed] }])",
          "c skipped: the run has failed at b",
          "rescue success",
          "cleanup success",
        ],
      ],
      [
        "needs what failed, which it accepts",
        [
          { name: "a", optional: true },
          { name: "b", dependsOn: [needs("a", "failed")] },
        ],
        {},
        { a: 1 },
        ["a warning: agent-0: exit code 1", "b success"],
      ],
      [
        "accepts that it failed, not that it was skipped",
        [
          { name: "a", optional: true },
          { name: "b", optional: true, dependsOn: [needs("a")] },
          { name: "c", dependsOn: [needs("a", "failed"), needs("b", "failed")] },
        ],
        {},
        { a: 1 },
        [
          "a warning: agent-0: exit code 1",
          "b skipped: needs the result of a, which did not succeed",
          "c failure: needs the result of b, which was skipped (where the stage can do without: depends_on: [{ stage: b, even_if: [skipped] }])",
        ],
      ],
      [
        "needs something after a failure, where leaving it out is none",
        [
          { name: "a", optional: true },
          { name: "b" },
          { name: "rescue", when: "on_failure", dependsOn: [needs("a")] },
          always,
        ],
        {},
        { a: 1, b: 2 },
        [
          "a warning: agent-0: exit code 1",
          "b failure: agent-0 failed: exit code 2",
          "rescue skipped: needs the result of a, which did not succeed",
          "cleanup success",
        ],
      ],
      [
        "needs what succeeded",
        [{ name: "a" }, { name: "b", dependsOn: [needs("a")] }],
        {},
        {},
        ["a success", "b success"],
      ],
    ],
  )("%s", (_name, stages, selection, ends, expected) => {
    expect(statuses(run(stages, selection, ends))).toEqual(expected);
  });

  it("takes results of a loaded state for what it needs", () => {
    const of = plan([{ name: "a" }, { name: "b", dependsOn: [needs("a")] }]);
    const carried = { succeeded: ["a"], outputs: { a: { rows: 7 } } };
    const group = new Group(of, 1);
    group.state = begin({ ...created(of, 1, group.at), selection: { only: [1], skip: [], stopAfter: null }, carried });
    group.join();
    expect(group.execute("agent-0").stage).toBe(1);
    expect(group.state.outputs).toEqual({ a: { rows: 7 } });
  });

  it("fails the run, naming the stage whose work did not happen", () => {
    const group = run(
      [
        { name: "warm", optional: true },
        { name: "test", dependsOn: [needs("warm")] },
      ],
      {},
      {
        warm: 1,
      },
    );
    expect(summary(group.state)).toMatchObject({ status: "failed", verdict: "failure", failedStage: "test" });
    expect(summary(group.state).message).toContain("test: needs the result of warm, which did not succeed");
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

describe("a checkpoint", () => {
  it("waits for a person, for hours, and for that stage alone", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b", checkpoint: true }]), 2).join();
    group.finishAll();
    const until = group.at + 6 * 3_600_000;
    expect(group.instruction("agent-1")).toMatchObject({ do: "wait", reason: "checkpoint", stage: 1, until });
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
        { name: "b", dependsOn: [needs("a")] },
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
    const metrics = [{ name: "m", value: 1, unit: "", agg: "sum", count: 1 } as const];
    const first = synced("agent-0", group.at, {
      sequence: 4,
      stage: 0,
      finished: [report({ stage: 0, attempt, metrics })],
    });
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
    expect(group.notices().at(-1)).toBe("ignored agent-0's report of attempt 0.1.0.1 of a: it is not in force");
    expect(group.execute("agent-0").attempt).toBe("0.1.0.2");
  });

  it("joining twice with one session is joining once", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    const before = group.state;
    expect(apply(before, joined("agent-0", group.at))).toEqual(before);
  });
});
