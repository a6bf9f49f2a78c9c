import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import { barrier, Group, joined, plan, report, retrying, type StageOverrides } from "./builders.ts";

const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const free = { ...barrier, rule: { kind: "none" } } as const;
const fails = { kind: "exited", code: 1 } as const;

function group(stages: readonly StageOverrides[], size = 2, over: Partial<Plan> = {}): Group {
  return new Group(plan(stages, over), size).join();
}

function wait(of: Group, agent: string): Extract<Instruction, { do: "wait" }> {
  const instruction = of.instruction(agent);
  if (instruction.do !== "wait") throw new Error(`${agent} is to ${JSON.stringify(instruction)}`);
  return instruction;
}

const named = (instruction: Extract<Instruction, { do: "wait" }>): readonly string[] =>
  instruction.who.map(({ agent }) => agent);

describe("who waits at a barrier", () => {
  it("is told for whom, what they were last seen doing, since the first arrived, and until when at the latest", () => {
    const of = group([{ name: "a", timeoutMs: 60_000 }], 3);
    const start = of.execute("agent-0").startAt;
    of.pass(1_000);
    of.finish("agent-0");
    of.pass(1_000).sync("agent-1", { doing: "counting" });
    of.at += 500;
    expect(of.instruction("agent-0")).toEqual({
      do: "wait",
      reason: "barrier",
      stage: 0,
      who: [
        { agent: "agent-1", lastSeenAt: of.at - 500, lastDoing: "counting" },
        { agent: "agent-2", lastSeenAt: of.at - 500, lastDoing: "something" },
      ],
      since: of.at - 1_500,
      until: start + 60_000 + 60_000,
    });
  });

  it("is told since when the stage is open where nobody has arrived", () => {
    const of = group([{ name: "a", runsOn: { kind: "first" } }]);
    const { at } = of;
    of.pass(3_000);
    expect(of.instruction("agent-1")).toMatchObject({ reason: "not_my_stage", since: at, who: [{ agent: "agent-0" }] });
  });

  it.each([
    ["the barrier's timeout", { timeoutMs: 30_000 }, {}, 30_000],
    ["the plan's deadline, when it is nearer", { timeoutMs: 30_000 }, { deadlineMs: 20_000 }, 20_000],
    ["the barrier's timeout, when that is nearer", { timeoutMs: 30_000 }, { deadlineMs: 40_000 }, 30_000],
    ["the end of the last attempt, when that is nearer", { timeoutMs: 500_000 }, { deadlineMs: 400_000 }, 120_101],
  ])("is told when it is over: %s", (_name, more, over, until) => {
    const of = group([{ name: "a", timeoutMs: 60_000, barrier: { ...barrier, ...more } }], 2, over);
    const { at } = of;
    of.finish("agent-0");
    expect(wait(of, "agent-0").until).toBe(at + until);
  });

  it("counts from the first who arrived, and from when enough had", () => {
    const majority = { ...barrier, rule: { kind: "majority" }, timeoutMs: 90_000 } as const;
    const of = group([{ name: "a", barrier: majority }], 5);
    const { at } = of;
    for (const name of of.names.slice(0, 4)) {
      of.finish(name);
      of.pass(2_000);
    }
    expect(wait(of, "agent-0")).toMatchObject({ since: at, until: at + 4_000 + 30_000 });
    const few = group([{ name: "a", barrier: majority }], 5);
    few.finish("agent-0");
    few.pass(2_000);
    few.finish("agent-1");
    expect(wait(few, "agent-0")).toMatchObject({ since: at, until: at + 90_000 });
  });

  it("is told until when others may take to end what was stopped", () => {
    const of = group([{ name: "a", type: "execute", completion: "duration", durationMs: 10_000 }]);
    of.sync("agent-1");
    of.finish("agent-0");
    of.pass(12_000, ["agent-0"]);
    expect(of.instruction("agent-1")).toMatchObject({ do: "stop", why: "its time is over for the group" });
    expect(wait(of, "agent-0").until).toBe((of.state.stages.flat()[0]?.stopping?.since ?? 0) + 30_000);
  });

  it("is told of the attempts in the stages before that lead to it", () => {
    const of = group([
      { name: "a", barrier: free, timeoutMs: 300_000 },
      { name: "b", timeoutMs: 60_000 },
    ]);
    const { startAt } = of.execute("agent-1");
    of.finish("agent-0");
    of.finish("agent-0");
    expect(wait(of, "agent-0")).toMatchObject({ stage: 1, until: startAt + 300_000 + 60_000 });
    expect(named(wait(of, "agent-0"))).toEqual(["agent-1"]);
    of.finish("agent-1");
    expect(named(wait(of, "agent-0"))).toEqual(["agent-1"]);
    of.finish("agent-1");
    expect(of.state.status).toBe("succeeded");
  });

  it("hears of sixteen by name, and how many more there are", () => {
    const of = group([{ name: "a" }], 18);
    of.finish("agent-0");
    expect(named(wait(of, "agent-0"))).toEqual(Array.from({ length: 16 }, (_, index) => `agent-${index + 1}`));
    expect(wait(of, "agent-0").more).toBe(1);
    of.finish("agent-3");
    expect(named(wait(of, "agent-0"))).toHaveLength(16);
    expect("more" in wait(of, "agent-0")).toBe(false);
  });

  it("hears of those that are few among many, wherever they stand", () => {
    const of = group([{ name: "a" }, { name: "b" }], 140);
    const left = ["agent-62", "agent-63", "agent-64", "agent-127", "agent-139"];
    for (const name of of.names) if (!left.includes(name)) of.finish(name);
    expect(named(wait(of, "agent-0"))).toEqual(left);
  });
});

describe("who waits for the group to be complete", () => {
  it.each([
    ["of a hundred, some by name", 100, 1, 16, 83],
    ["of more than a hundred, none by name while many are missing", 101, 84, 0, 17],
    ["of more than a hundred, all by name when few are missing", 101, 85, 16, 0],
  ])("is told of those that are missing: %s", (_name, size, there, count, more) => {
    const of = new Group(plan([{ name: "a" }]), size);
    for (let index = 0; index < there; index++) of.send(joined(`agent-${index}`, of.at, { index }));
    const instruction = wait(of, "agent-0");
    expect([instruction.who.length, instruction.more ?? 0]).toEqual([count, more]);
    if (count > 0)
      expect(instruction.who[0]).toEqual({ agent: `agent-${there}`, lastSeenAt: null, lastDoing: "has not joined" });
  });
});

describe("a pause before the next attempt", () => {
  it.each([
    [5_000, 2_000, "execute"],
    [5_001, 2_000, "wait"],
    [8_000, 4_000, "execute"],
    [8_001, 4_000, "wait"],
  ])("of %i ms, with a heartbeat each %i ms: %s", (backoffMs, heartbeatIntervalMs, what) => {
    const liveness = { heartbeatIntervalMs, warnAfterMs: 20_000, lostAfterMs: 30_000 };
    const of = group([{ name: "a", retry: retrying({ backoffMs, maxBackoffMs: backoffMs }) }], 1, { liveness });
    of.finish("agent-0", fails);
    const startAt = of.at + backoffMs;
    if (what === "execute") expect(of.execute("agent-0").startAt).toBe(startAt);
    else
      expect(of.instruction("agent-0")).toEqual({
        do: "wait",
        reason: "retry",
        stage: 0,
        who: [{ agent: "agent-0", lastSeenAt: of.at, lastDoing: "something" }],
        since: of.at,
        until: startAt,
      });
  });

  it("is none before the first attempt, however far ahead its start is", () => {
    const of = group([{ name: "a" }]);
    of.send({ type: "ticked", at: of.at });
    expect(of.execute("agent-0").startAt).toBeGreaterThan(of.at);
  });
});

describe("the end of an agent's part", () => {
  const ends = (deadlineMs: number | null, over: Partial<StageOverrides> = {}) =>
    group([{ name: "a", timeoutMs: 60_000, ...over }], 1, { deadlineMs }).execute("agent-0").until;

  it("is its timeout or the plan's deadline, whichever comes first", () => {
    const at = 1_000_000;
    expect(ends(null)).toEqual({ at: at + 60_000, limit: "timeout" });
    expect(ends(59_999)).toEqual({ at: at + 59_999, limit: "deadline" });
    expect(ends(60_000)).toEqual({ at: at + 60_000, limit: "timeout" });
    expect(ends(59_999, { when: "always" })).toEqual({ at: at + 60_000, limit: "timeout" });
  });
});

describe("a background command that is started again", () => {
  const server = { name: "server", timeoutMs: 60_000, background: { ready: null, until: "b" } } as const;

  it.each([
    [null, 60_000, "timeout"],
    [30_000, 30_000, "deadline"],
  ] as const)("has its stage's time, with a deadline after %s ms", (deadlineMs, ms, limit) => {
    const of = group([server, { name: "b" }], 2, { deadlineMs });
    const { at } = of;
    for (const name of of.names) of.sync(name, { ready: [0] });
    expect(of.execute("agent-0").stage).toBe(1);
    of.send({ type: "reset", at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(of.instruction("agent-0")).toEqual({
      do: "execute",
      stage: 0,
      attempt: "0.1.0.b2",
      attemptNumber: 2,
      startAt: at,
      until: { at: at + ms, limit },
      partition: null,
      leases: [],
      tasksOnly: false,
    });
  });

  it("is waited for by those that are ready", () => {
    const of = group([server, { name: "b" }]);
    of.sync("agent-0", { ready: [0] });
    expect(of.instruction("agent-0")).toMatchObject({
      do: "wait",
      reason: "ready",
      stage: 0,
      who: [{ agent: "agent-1" }],
    });
  });

  it("is waited for by those that it is not for", () => {
    const of = group([{ ...server, runsOn: { kind: "agents", agents: [1] } }, { name: "b" }]);
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "ready", stage: 0 });
  });
});

describe("tasks", () => {
  const source = { kind: "list", values: ["a"] } as const;
  const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} };
  const work = { name: "a", type: "prepare", completion: "tasks_done", tasks } as const;

  it("are asked for before they are waited for", () => {
    const of = group([work]);
    expect(of.execute("agent-0")).toMatchObject({ tasksOnly: true, leases: [] });
    of.sync("agent-1", { wants: 1 });
    of.sync("agent-0", { wants: 1 });
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "tasks", who: [{ agent: "agent-0" }, {}] });
    expect(of.execute("agent-1")).toMatchObject({
      tasksOnly: true,
      leases: [{ task: "a", value: "a", attempt: "0.1.t0.1" }],
    });
  });

  it("do not keep the one that lists them from its command", () => {
    const of = group([{ ...work, tasks: { ...tasks, source: { kind: "from", command: "./list" } } }]);
    of.sync("agent-0", { wants: 1 });
    expect(of.execute("agent-0")).toMatchObject({ tasksOnly: false, leases: [] });
  });
});

describe("who is not in the group's stage", () => {
  it("waits for it when it has come through what the others are still in", () => {
    const of = group([{ name: "a", barrier: best }, { name: "b" }], 3);
    of.finish("agent-2", fails);
    expect(of.instruction("agent-2")).toMatchObject({ do: "wait", reason: "not_my_stage", stage: 0 });
  });

  it("is told why it is no longer of it", () => {
    const majority = { ...barrier, rule: { kind: "majority" } } as const;
    const of = group([{ name: "a", barrier: majority }, { name: "b" }], 3);
    of.finish("agent-2", fails);
    expect(of.instruction("agent-2")).toEqual({ do: "exclude", why: "a: failed: exit code 1" });
  });

  it("is told to end what the others did not wait for, for whom and why", () => {
    const late = { ...barrier, rule: { kind: "majority" }, stragglerGraceMs: 1_000, onStraggler: "rejoin" } as const;
    const of = group([{ name: "a", barrier: late }, { name: "b" }], 3);
    of.sync("agent-2");
    of.finish("agent-0");
    of.finish("agent-1");
    of.pass(1_000);
    const why = "agent-2 was still in a when the others went on";
    expect(of.instruction("agent-2")).toEqual({ do: "stop", stage: 0, why });
    of.sync("agent-2", { finished: [report({ stage: 0, attempt: "0.1.2.1", end: { kind: "stopped", why } })] });
    expect(of.execute("agent-2").stage).toBe(1);
  });

  it("waits for the next one before a person has approved it", () => {
    const of = group([{ name: "a" }, { name: "b", checkpoint: true }], 2, { deadlineMs: 900_000 });
    const { at } = of;
    of.pass(2_000).finishAll();
    const since = of.at;
    of.pass(4_000);
    expect(of.instruction("agent-1")).toEqual({
      do: "wait",
      reason: "checkpoint",
      stage: 1,
      who: [],
      since,
      until: at + 900_000,
    });
  });
});
