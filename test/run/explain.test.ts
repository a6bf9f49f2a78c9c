import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import type { ExplainedWait } from "../../src/run/explain.ts";
import { explain } from "../../src/run/machine.ts";
import { barrier, Group, joined, plan, type StageOverrides } from "./builders.ts";

const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const free = { ...barrier, rule: { kind: "none" } } as const;
const fails = { kind: "exited", code: 1 } as const;

function group(stages: readonly StageOverrides[], size = 2, over: Partial<Plan> = {}): Group {
  return new Group(plan(stages, over), size).join();
}

const waits = (of: Group): readonly ExplainedWait[] => explain(of.state).waits;
const seen = (of: Group, ...agents: readonly string[]) =>
  agents.map((agent) => ({ agent, lastSeenAt: of.at, lastDoing: "something" }));

describe("what somebody waits for", () => {
  it("is the group, while it is not complete", () => {
    const of = new Group(plan([{ name: "a" }]), 30);
    const about = { reason: "assembly", stage: null, since: of.at, until: of.at + 1_200_000 };
    expect(waits(of)).toEqual([{ ...about, text: "0 of 30 agents have joined", waiting: 0, who: [], more: 30 }]);
    of.send(joined("agent-0", of.at, { index: 0 }));
    const who = Array.from({ length: 16 }, (_, index) => ({
      agent: `agent-${index + 1}`,
      lastSeenAt: null,
      lastDoing: "has not joined",
    }));
    expect(waits(of)).toEqual([{ ...about, text: "1 of 30 agents have joined", waiting: 1, who, more: 13 }]);
  });

  it("is nobody, when few are missing", () => {
    const of = new Group(plan([{ name: "a" }]), 2);
    of.send(joined("agent-0", of.at, { index: 0 }));
    expect(waits(of)).toMatchObject([{ who: [{ agent: "agent-1" }], more: 0 }]);
  });

  it("is a person, until the plan's deadline", () => {
    const of = group([{ name: "a", checkpoint: true }], 2, { deadlineMs: 60_000 });
    const { at } = of;
    of.pass(2_000);
    expect(waits(of)).toEqual([
      {
        reason: "checkpoint",
        stage: "a",
        text: "a begins when a person approves it",
        waiting: 2,
        who: [],
        more: 0,
        since: at,
        until: at + 60_000,
      },
    ]);
    expect(explain(of.state).stages).toEqual([]);
  });

  it("is a person who looks at a stage that is over, where one is asked after each", () => {
    const of = group([{ name: "a" }, { name: "b" }]);
    of.send({ type: "attended", at: of.at, wanted: true });
    of.finishAll();
    expect(waits(of)).toMatchObject([
      { reason: "checkpoint", stage: "a", text: "the run goes on when a person has looked at a", waiting: 2 },
    ]);
  });

  it("is the others' work, in each of the stages that are open", () => {
    const of = group([{ name: "a", barrier: free }, { name: "b" }, { name: "c" }], 3);
    const { at } = of;
    of.pass(1_000);
    of.finish("agent-1");
    expect(explain(of.state).stages).toEqual(["a", "b"]);
    const { startAt } = of.execute("agent-0");
    expect(waits(of)).toEqual([
      {
        reason: "barrier",
        stage: "a",
        text: "1 of 3 arrived at the barrier of a (none), 2 to come",
        waiting: 1,
        who: seen(of, "agent-0", "agent-2"),
        more: 0,
        since: of.at,
        until: startAt + 660_000,
      },
      {
        reason: "barrier",
        stage: "b",
        text: "0 of 3 arrived at the barrier of b (all_or_nothing), 3 to come",
        waiting: 0,
        who: seen(of, "agent-0", "agent-1", "agent-2"),
        more: 0,
        since: at,
        until: of.at + 660_000,
      },
    ]);
  });

  it("is no stage that everyone has come through", () => {
    const of = group([{ name: "a", barrier: free }, { name: "b" }], 2);
    of.finish("agent-0");
    of.finish("agent-1");
    expect(waits(of).map(({ stage }) => stage)).toEqual(["b"]);
  });

  it("names fifty at most", () => {
    const [wait] = waits(group([{ name: "a" }], 52));
    expect([wait?.who.length, wait?.more]).toEqual([50, 2]);
  });

  it("is a command that runs behind and is not ready", () => {
    const server = { name: "server", background: { ready: null, until: "b" } } as const;
    const of = group([{ ...server, runsOn: { kind: "first" } }, { name: "b" }]);
    expect(waits(of)).toMatchObject([{ reason: "ready", stage: "server", waiting: 1, who: [{ agent: "agent-0" }] }]);
  });

  it("is tasks that are open, and their list", () => {
    const tasks = { concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} };
    const work = { name: "a", type: "prepare", completion: "tasks_done" } as const;
    const counted = group([{ ...work, tasks: { ...tasks, source: { kind: "count", count: 3 } } }]);
    expect(waits(counted)).toMatchObject([
      { reason: "tasks", stage: "a", text: "3 tasks of a are open, 0 done, 0 failed", waiting: 0, more: 0 },
    ]);
    const listed = group([{ ...work, tasks: { ...tasks, source: { kind: "from", command: "./list" } } }]);
    expect(waits(listed)[0]?.text).toBe("0 tasks of a are open, 0 done, 0 failed, and they are still being listed");
  });

  it("is the end of what was stopped: of a stage, with its reason and since when", () => {
    const of = group([{ name: "a", type: "execute", completion: "duration", durationMs: 10_000, barrier: best }]);
    of.sync("agent-1");
    of.pass(12_000);
    const { since = 0 } = of.state.stages.flat()[0]?.stopping ?? {};
    expect(since).toBeGreaterThan(0);
    expect(waits(of)).toEqual([
      {
        reason: "stopping",
        stage: "a",
        text: "2 agents are ending a: its time is over for the group",
        waiting: 0,
        who: seen(of, "agent-0", "agent-1"),
        more: 0,
        since,
        until: since + 30_000,
      },
    ]);
  });

  it("is the end of what was stopped: of the run", () => {
    const of = group([{ name: "a", barrier: { ...barrier, timeoutMs: 9_000 } }], 3);
    for (const name of of.names) of.sync(name);
    of.finish("agent-2");
    of.pass(4_000);
    of.finish("agent-0", fails);
    const since = of.at;
    of.pass(2_000);
    expect(waits(of)).toMatchObject([
      {
        reason: "stopping",
        text: "1 agents are ending a: a: agent-0 failed: exit code 1",
        waiting: 2,
        who: seen(of, "agent-1"),
        since,
        until: since + 30_000,
      },
    ]);
  });

  it("is nothing when the run is over", () => {
    const of = group([{ name: "a" }], 1);
    of.finish("agent-0");
    expect(explain(of.state)).toMatchObject({ status: "succeeded", now: of.at, stages: [], waits: [] });
  });
});

describe("an agent", () => {
  it("is told of with its place, its state and why it is not there", () => {
    const of = new Group(plan([{ name: "a", barrier: best }, { name: "b" }], { roles: { server: 1 } }), 2);
    of.send(joined("agent-1", of.at, { role: "server" }));
    of.join("agent-0");
    of.send({ type: "left", at: of.at, agent: "agent-1", session: "agent-1#1", why: "SIGTERM" });
    of.sync("agent-0");
    expect(explain(of.state).agents).toEqual([
      {
        name: "agent-0",
        index: 0,
        role: null,
        status: "running",
        presence: "here",
        standing: "member",
        doing: "something",
        lastSeenAt: of.at,
        why: null,
      },
      {
        name: "agent-1",
        index: 1,
        role: "server",
        status: "lost",
        presence: "left",
        standing: "away",
        doing: "idle",
        lastSeenAt: of.at,
        why: "left: SIGTERM",
      },
    ]);
  });
});
