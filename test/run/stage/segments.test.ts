/** Which stages are open together, what is decided before each, and how the run goes on from them. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { begin, summary } from "../../../src/run/machine.ts";
import type { StageRun } from "../../../src/run/state.ts";
import type { Selection } from "../../../src/run/types.ts";
import { barrier, created, Group, needs, plan, reliedOn, report, retrying, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const free = { barrier: { ...barrier, rule: { kind: "none" } } } as const;
const best = { barrier: { ...barrier, rule: { kind: "best_effort" } } } as const;
const source = { kind: "list", values: ["x"] } as const;
const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} } as const;

function group(
  stages: readonly StageOverrides[],
  size = 2,
  over: Partial<Plan> = {},
  selection: Partial<Selection> = {},
): Group {
  const of = plan(stages, over);
  const all = new Group(of, size);
  const chosen = { only: null, skip: [], stopAfter: null, ...selection };
  all.state = begin({ ...created(of, size, all.at), selection: chosen });
  return all.join();
}

function run(of: Group, stage = 0): StageRun {
  const found = of.state.stages.flat()[stage];
  if (found === undefined) throw new Error(`there is no stage ${stage}`);
  return found;
}

const a = { name: "a", ...free } as const;
const b = { name: "b", ...free } as const;
const c = { name: "c" } as const;

describe("the end of the last attempt at a stage", () => {
  it("is that of who came late, though another begins again with less time", () => {
    const stage = { name: "a", timeoutMs: 120_000, ...best, retry: retrying({ backoffMs: 0 }) };
    const of = new Group(plan([stage], { assembly: { timeoutMs: 60_000, atLeast: 1 } }), 2).join("agent-0");
    of.pass(70_000, ["agent-1"]);
    of.join("agent-1");
    const { overdueAt } = run(of);
    expect(overdueAt).toBe(of.at + 120_000 + 60_000);
    of.finish("agent-0", fails);
    expect(run(of).overdueAt).toBe(overdueAt);
  });
});

describe("the stages that are open together", () => {
  it.each<[string, readonly StageOverrides[], Partial<Selection>, number]>([
    ["one with a barrier", [c, b], {}, 0],
    ["those without, and the one with the next barrier", [a, b, c, { name: "d" }], {}, 2],
    ["those without up to the end of the plan", [a, b], {}, 1],
    ["not one that needs the result of one before", [a, b, { ...c, dependsOn: [needs("a")] }], {}, 1],
    ["nor one that could do without that result", [a, b, { ...c, dependsOn: [needs("b", "skipped")] }], {}, 1],
    ["one that needs another result", [{ name: "z" }, a, { ...c, dependsOn: [needs("z")] }], { skip: [0] }, 1],
    [
      "not what comes after one that expects something of the group",
      [{ ...a, expect: [{ metric: "m", comparison: ">", value: 0 }] }, c],
      {},
      0,
    ],
    ["not what comes after objects", [{ ...a, expectedObjects: 2 }, c], {}, 0],
    ["not what comes after tasks that are counted", [{ ...a, expectedTasks: 2 }, c], {}, 0],
    ["not what comes after tasks", [{ ...a, type: "prepare", completion: "tasks_done", tasks }, c], {}, 0],
    ["not what comes after what runs behind", [{ ...a, background: { ready: null, until: "c" } }, c], {}, 0],
    ["not objects", [a, { ...c, expectedObjects: 2 }], {}, 0],
    ["not tasks that are counted", [a, { ...c, expectedTasks: 2 }], {}, 0],
    ["not tasks", [a, { ...c, type: "prepare", completion: "tasks_done", tasks }], {}, 0],
    ["not what runs behind", [a, { ...c, background: { ready: null, until: "d" } }, { name: "d" }], {}, 0],
    [
      "one that expects something of the group, and nothing after it",
      [a, { ...b, expect: [{ metric: "m", comparison: ">", value: 0 }] }, c],
      {},
      1,
    ],
    ["not one that a person has to approve", [a, { ...c, checkpoint: true }], {}, 0],
    ["not one that is for nobody", [a, { ...c, runsOn: { kind: "agents", agents: [9] } }], {}, 0],
    ["not one whose needs are not met", [{ name: "z" }, a, { ...c, dependsOn: [needs("z")] }], { only: [1, 2] }, 1],
    ["those after one that is left out", [a, b, c], { skip: [1] }, 2],
    ["those after two that are left out", [a, { ...b, when: "on_failure" }, { ...b, name: "b2" }, c], { skip: [2] }, 3],
    [
      "not those after one that is left out and needs what is open",
      [a, { ...b, when: "on_failure", dependsOn: [needs("a")] }, c],
      {},
      0,
    ],
    ["not one that is left out at the end", [a, { ...b, when: "on_failure" }], {}, 0],
    [
      "nothing beyond what is left out, where that could not be entered",
      [a, { ...b, when: "on_failure" }, { ...c, checkpoint: true }],
      {},
      0,
    ],
  ])("are %s", (_name, stages, selection, last) => {
    const of = group(stages, 2, {}, selection);
    expect(of.state.segment?.last).toBe(last);
    for (let stage = (of.state.segment?.first ?? 0) + 1; stage < last; stage++)
      expect(["open", "closed"]).toContain(run(of, stage).phase);
    if (last + 1 < stages.length) expect(run(of, last + 1).phase).toBe("before");
    expect(of.state.position).toBe(last + 1);
  });

  it("do not have one that is left out at the end as their barrier", () => {
    const of = group([a, { ...b, when: "on_failure" }], 2);
    of.finishAll();
    expect(summary(of.state)).toMatchObject({ message: "1 stage succeeded, 1 skipped", status: "succeeded" });
  });

  it("are waited for by the one with the barrier, also by those whom it is not for", () => {
    const of = group([a, { ...c, runsOn: { kind: "agents", agents: [1] } }]);
    of.finish("agent-1");
    of.finish("agent-1");
    expect(of.state.segment).toEqual({ first: 0, last: 1 });
    expect(of.execute("agent-0").stage).toBe(0);
    of.finish("agent-0");
    expect(of.state.status).toBe("succeeded");
  });

  it("are each alone when the run has failed", () => {
    const always = { when: "always", ...free } as const;
    const of = group([c, { ...always, name: "one" }, { ...always, name: "two" }], 1);
    of.finish("agent-0", fails);
    expect(of.state.segment).toEqual({ first: 1, last: 1 });
    expect(run(of, 1).cleanupMode).toBe(true);
  });

  it("may be approved beforehand", () => {
    const of = plan([a, { ...c, checkpoint: true }]);
    const early = new Group(of, 1);
    early.send({ type: "approved", at: early.at, stage: 1, by: "ann" });
    early.join();
    expect(early.state.segment).toEqual({ first: 0, last: 1 });
  });

  it("may be approved beforehand, each of them", () => {
    const of = plan([
      { ...a, checkpoint: true },
      { ...c, checkpoint: true },
    ]);
    const early = new Group(of, 1);
    for (const stage of [0, 1]) early.send({ type: "approved", at: early.at, stage, by: "ann" });
    early.join();
    expect(early.state.segment).toEqual({ first: 0, last: 1 });
  });

  it("begin together where the group does, and each agent has its own time in the later ones", () => {
    const load = { type: "execute", completion: "duration", durationMs: 60_000 } as const;
    const of = group(
      [
        { ...a, ...load },
        { ...c, ...load },
      ],
      3,
    );
    expect(run(of).endsAt).toBe(of.at + 101 + 60_000);
    expect(run(of, 1)).toMatchObject({ endsAt: null, startAt: of.at + 101, openedAt: of.at, workers: 3, pending: 3 });
    const one = group([c], 1);
    expect(run(one)).toMatchObject({ startAt: one.at, endsAt: null, electorate: 1, workers: 1 });
  });

  it("begin a little ahead, the larger the group the more", () => {
    const lead = (size: number) => {
      const of = group([c], size);
      return (run(of).startAt ?? 0) - of.at;
    };
    expect([1, 2, 10, 11, 25].map(lead)).toEqual([0, 101, 101, 102, 103]);
  });
});

describe("a stage that everyone has come through", () => {
  it("is not stopped when its time is over while the next is open", () => {
    const load = { type: "execute", completion: "duration", durationMs: 10_000 } as const;
    const of = group([{ ...a, ...load }, c], 2);
    of.finishAll();
    of.pass(15_000);
    expect(run(of)).toMatchObject({ stopping: null, pending: 0, phase: "open" });
    expect(of.notices()).toEqual([]);
  });
});

describe("what comes next", () => {
  it("is said to need what is not in the plan", () => {
    const of = group([{ ...c, dependsOn: [needs("ghost")] }], 1);
    expect(of.state.failure?.reason).toBe(
      "c: needs the result of ghost, which is not in the plan (where the stage can do without: depends_on: [{ stage: ghost, even_if: [skipped] }])",
    );
  });

  it("is left out with the reason of the run's end", () => {
    const skipped = (of: Group) => summary(of.state).phases.at(-1)?.reason;
    const failed = group([c, { name: "d" }], 1);
    failed.finish("agent-0", fails);
    expect(skipped(failed)).toBe("the run has failed at c");
    const cancelled = group([c, { name: "d" }], 1);
    cancelled.send({ type: "cancelled", at: cancelled.at, by: "ann", why: "no" });
    expect(skipped(cancelled)).toBe("the run was cancelled");
  });

  it("is a failure where nobody is there for it, unless it is optional", () => {
    const nobody = { runsOn: { kind: "agents", agents: [9] } } as const;
    const optional = group([{ ...c, ...nobody, optional: true }, { name: "d" }], 1);
    expect(optional.execute("agent-0").stage).toBe(1);
    optional.finish("agent-0");
    expect(summary(optional.state).phases[0]).toMatchObject({
      status: "skipped",
      worked: false,
      reason: "none of the agents that it is for is left",
    });
    const needed = group(
      [
        { ...c, ...nobody },
        { name: "d", when: "always" },
      ],
      1,
    );
    needed.finish("agent-0");
    expect(summary(needed.state).phases).toMatchObject([
      { status: "failure", reason: "none of the agents that it is for is left" },
      { status: "success" },
    ]);
    const cleanup = group([c, { name: "d", when: "always", ...nobody }, { name: "e", when: "always" }], 1);
    cleanup.finish("agent-0", fails);
    cleanup.finish("agent-0");
    expect(summary(cleanup.state)).toMatchObject({
      message: "c: agent-0 failed: exit code 1",
      phases: [{ status: "failure" }, { status: "skipped" }, { status: "success" }],
    });
  });

  it("is late at the deadline itself, also where it is optional", () => {
    const at = (ms: number) => {
      const of = group(
        [
          { ...c, when: "always" },
          { name: "d", optional: true },
        ],
        1,
        { deadlineMs: 10_000 },
      );
      of.pass(ms);
      of.finish("agent-0");
      return of.state.status;
    };
    expect([at(9_000), at(10_000)]).toEqual(["running", "failed"]);
  });

  it("waits for a person once, and says so once", () => {
    const of = group([{ ...c, checkpoint: true }, { name: "d" }], 1);
    of.pass(3_000);
    expect(of.notices()).toEqual(["waiting for a person before c"]);
    of.send({ type: "approved", at: of.at, stage: 0, by: "ann" });
    expect(of.execute("agent-0").stage).toBe(0);
    expect(of.state.checkpoint).toBeNull();
    const cancelled = group([{ ...c, checkpoint: true }], 1);
    cancelled.send({ type: "cancelled", at: cancelled.at, by: "ann", why: "no" });
    expect(cancelled.state).toMatchObject({
      checkpoint: null,
      status: "cancelled",
      sweepAt: null,
      endedAt: cancelled.at,
    });
  });

  it("is not waited for beyond the deadline, where that counts for it", () => {
    const of = group([{ ...c, checkpoint: true, when: "always" }], 1, { deadlineMs: 10_000 });
    of.pass(20_000);
    expect(of.state.checkpoint).toMatchObject({ stage: 0 });
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "checkpoint" });
  });

  it("is met by those alone who are there, in the order of their indexes", () => {
    const of = group([{ ...c, ...best }, { name: "d", runsOn: { kind: "first" } }, { name: "e" }], 3);
    of.send({ type: "left", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
    of.finishAll();
    expect(of.execute("agent-1").stage).toBe(1);
    expect(run(of, 1)).toMatchObject({ workers: 1, electorate: 1, pending: 1 });
    of.finish("agent-1");
    expect(run(of, 2)).toMatchObject({ workers: 2, electorate: 3 });
  });
});

describe("the plan's deadline", () => {
  it("fails the first of the open stages that it counts for", () => {
    const of = group([{ ...a, when: "always" }, b, c], 2, { deadlineMs: 10_000 });
    expect(of.state.segment).toEqual({ first: 0, last: 2 });
    of.pass(10_000);
    expect(of.state.failure).toMatchObject({ stage: 1, reason: "b: the plan's deadline (10s) is over" });
  });

  it("passes by those that are left out between them", () => {
    const of = group([{ ...a, when: "always" }, b, c], 2, { deadlineMs: 10_000 }, { skip: [1] });
    of.pass(10_000);
    expect(of.state.failure).toMatchObject({ stage: 2 });
  });
});

describe("a barrier that cannot be met", () => {
  const majority = { barrier: { ...barrier, rule: { kind: "majority" } } } as const;

  it("does not lack who is in another stage, which runs beside it", () => {
    const of = group(
      [
        { ...a, role: "server" },
        { name: "c", role: "client", barrier: { ...barrier, timeoutMs: 10_000 } },
      ],
      3,
      { roles: { server: 1, client: 2 } },
    );
    for (const name of of.names) of.sync(name);
    of.finish("agent-1");
    of.pass(10_000);
    expect(of.state.failure?.reason).toBe(
      "c: barrier all_or_nothing not met within 10 s of the first arrival: 1 of 2 arrived, missing: agent-2",
    );
  });

  it("names the first ten that are missing, and the first three that failed", () => {
    const reason = (size: number): string | undefined => {
      const of = group([{ ...c, ...best }], size);
      of.finishAll(fails);
      return of.state.failure?.reason;
    };
    const names = (count: number) => Array.from({ length: count }, (_, index) => `agent-${index}`).join(", ");
    const three = "(agent-0: exit code 1; agent-1: exit code 1; agent-2: exit code 1)";
    const begin_ = "c: barrier best_effort is out of reach: 0 of";
    expect(reason(2)).toBe(`${begin_} 2 arrived, missing: ${names(2)} (agent-0: exit code 1; agent-1: exit code 1)`);
    expect(reason(10)).toBe(`${begin_} 10 arrived, missing: ${names(10)} ${three}`);
    expect(reason(11)).toBe(`${begin_} 11 arrived, missing: ${names(10)}, … ${three}`);
  });

  it("says who is at work, and who is gone", () => {
    const of = group([{ ...c, barrier: { ...majority.barrier, rule: { kind: "at_least", count: 4 } } }], 5);
    of.finish("agent-0");
    for (const name of ["agent-1", "agent-2"])
      of.send({ type: "left", at: of.at, agent: name, session: `${name}#1`, why: "SIGTERM" });
    expect(of.state.failure?.reason).toBe(
      "c: barrier at_least 4 is out of reach: 1 of 5 arrived, missing: agent-1, agent-2, agent-3, agent-4",
    );
  });

  it("is none where all that is missing is not its own", () => {
    const of = group(
      [{ ...c, runsOn: { kind: "first" }, barrier: { ...barrier, timeoutMs: 5_000 } }, { name: "d" }],
      2,
    );
    of.finish("agent-0");
    expect(of.execute("agent-1").stage).toBe(1);
  });
});

describe("the way back", () => {
  const back = (of: Group, stage: number, from: number) =>
    of.send({ type: "repeat_requested", at: of.at, stage, round: run(of, stage).round, from, why: `to ${from}` });

  it("is the longest that is asked for of what is open", () => {
    for (const [first, second] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const of = group([{ name: "z" }, { name: "y" }, a, c, { name: "d" }], 1);
      of.finish("agent-0");
      of.finish("agent-0");
      back(of, 2, first);
      back(of, 3, second);
      of.finish("agent-0");
      of.finish("agent-0");
      expect(of.execute("agent-0").attempt).toBe("0.2.0.1");
      expect(of.notices().at(-1)).toBe("going back to z, round 2: to 0");
      expect(of.state.position).toBe(1);
    }
  });

  it("is said, once it is asked for, and asked for once", () => {
    const of = group([c, { name: "d" }], 1);
    of.finish("agent-0");
    back(of, 1, 0);
    back(of, 1, 1);
    back(of, 1, -1);
    expect(of.notices()).toEqual(["d is to lead back to c: to 0"]);
    expect(run(of, 1).repeat).toEqual({ from: 0, why: "to 0" });
    const none = group([c, { name: "d" }], 1);
    back(none, 0, -1);
    expect(run(none).repeat).toBeNull();
  });

  it("is not taken after a failure, of which the first counts", () => {
    const of = group([{ ...a, expectedTasks: null }, c, { name: "d", when: "always" }], 1);
    back(of, 0, 0);
    of.finish("agent-0");
    of.finish("agent-0", fails);
    expect(of.state.failure).toMatchObject({ stage: 1 });
    expect(of.execute("agent-0").stage).toBe(2);
  });

  it("takes back the outputs of what is begun anew alone, and shows again what was carried over where nothing is", () => {
    const of = plan([{ name: "z" }, { name: "y" }, { name: "x" }, { name: "w" }]);
    const all = new Group(of, 1);
    const carried = { succeeded: [], outputs: { y: { old: 1 }, x: { old: 2 }, v: { old: 3 } } };
    const selection = { only: null, skip: [1], stopAfter: null };
    all.state = begin({ ...created(of, 1, all.at), carried, selection });
    all.join();
    const bytes = all.state.outputBytes;
    for (const key of ["z", "x"]) all.finish("agent-0", undefined, { outputs: { [key]: "new" } });
    expect(all.state.outputs).toEqual({ z: { z: "new" }, y: { old: 1 }, x: { x: "new" }, v: { old: 3 } });
    back(all, 3, 1);
    all.finish("agent-0");
    expect(all.state.outputs).toEqual({ z: { z: "new" }, y: { old: 1 }, v: { old: 3 } });
    expect(all.state.outputBytes).toBe(bytes + 3 + 5 + 2);
  });

  it("keeps of a round what its record tells, and gives the bytes of the others back", () => {
    const of = group([c, { name: "d" }], 2);
    const annotation = { path: "a.ts", line: 1, level: "notice", title: null, message: "m" } as const;
    const told = { tail: "long", outputs: { k: 1 }, histograms: { h: "x" }, annotations: [annotation] };
    for (const name of of.names) of.finish(name, undefined, told);
    back(of, 1, 0);
    of.finishAll();
    const [round] = run(of).earlier;
    expect(round).toMatchObject({
      round: 1,
      status: "success",
      outputs: [],
      histograms: [],
      annotations: [],
      earlier: [],
    });
    expect(round?.results.flat()).toMatchObject([
      { agent: "agent-0", status: "success", tail: "" },
      { agent: "agent-1", status: "success", tail: "" },
    ]);
    expect([run(of).round, run(of, 1).round]).toEqual([2, 2]);
    back(of, 0, 0);
    of.finishAll();
    expect(run(of).earlier.map(({ round: number }) => number)).toEqual([1, 2]);
    expect(run(of).earlier[1]?.earlier).toEqual([]);
  });

  it("forgets the running totals of what is begun anew alone", () => {
    const of = group([{ name: "z" }, c, { name: "d" }], 1);
    const last = (value: number) => ({ metrics: [{ name: "m", value, unit: "", agg: "last", count: 1 } as const] });
    of.finish("agent-0", undefined, last(1));
    of.finish("agent-0", undefined, last(2));
    back(of, 2, 1);
    of.finish("agent-0", undefined, last(3));
    expect(of.state.agents.flat()[0]?.lasts).toEqual([{ stage: 0, metric: "m", value: 1 }]);
  });

  it("begins again what ran behind and was ended, when others are to rely on it, and nothing that was left out", () => {
    const server = { background: { ready: null, until: "c" } } as const;
    const stages = [
      { name: "one", ...server },
      { name: "two", ...server, background: { ready: null, until: "x" } },
      { name: "left", ...server, when: "on_failure" },
      { name: "x" },
      c,
      { name: "d" },
    ] as const;
    const of = group(stages, 1);
    of.sync("agent-0", { ready: [0] });
    of.sync("agent-0", { ready: [1] });
    of.finish("agent-0");
    of.finish("agent-0");
    expect(of.execute("agent-0").stage).toBe(5);
    expect(reliedOn(of)).toBe(0);
    back(of, 5, 4);
    of.finish("agent-0");
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.1" });
    expect([0, 1, 2, 3, 4, 5].map((stage) => run(of, stage).round)).toEqual([2, 1, 1, 1, 2, 2]);
    of.sync("agent-0", { ready: [0], attempts: ["0.2.0.1"] });
    expect(of.execute("agent-0").stage).toBe(4);
  });

  it("ends what ran behind of an earlier round, whose end is no longer heard", () => {
    const of = group([{ name: "one", background: { ready: null, until: "d" } }, c, { name: "d" }], 1);
    of.sync("agent-0", { ready: [0] });
    back(of, 1, 0);
    of.finish("agent-0");
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.1" });
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: fails })] });
    expect(of.state.failure).toBeNull();
    expect(of.notices().at(-1)).toBe("going back to one, round 2: to 0");
  });
});
