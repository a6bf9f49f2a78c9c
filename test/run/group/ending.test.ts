/** How a group's work is ended: of the run, of a stage, of one agent that the others do not wait for. */
import { describe, expect, it } from "vitest";
import type { BarrierRule, Plan } from "../../../src/plan/plan.ts";
import { summary } from "../../../src/run/machine.ts";
import type { AgentPhase, PhaseRecord } from "../../../src/run/result/record.ts";
import type { AgentState, StageRun } from "../../../src/run/state.ts";
import { barrier, Group, plan, report, retrying, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const stopped = { kind: "stopped", why: "" } as const;
const cleanup = { name: "cleanup", when: "always" } as const;
const source = { kind: "list", values: ["x", "y"] } as const;
const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} } as const;
const work = { name: "a", type: "hybrid", completion: "duration_or_tasks", maxDurationMs: 10_000, tasks } as const;
const load = { name: "a", type: "execute", completion: "duration", durationMs: 10_000 } as const;
const policy = (kind: Exclude<BarrierRule["kind"], "at_least" | "at_least_percent">, more = {}) => ({
  barrier: { ...barrier, rule: { kind }, ...more },
});

function group(stages: readonly StageOverrides[], size = 3, over: Partial<Plan> = {}): Group {
  return new Group(plan(stages, over), size).join();
}

function phase(of: Group, stage = 0): PhaseRecord {
  const found = summary(of.state).phases[stage];
  if (found === undefined) throw new Error(`stage ${stage} has no result`);
  return found;
}

function run(of: Group, stage = 0): StageRun {
  const found = of.state.stages.flat()[stage];
  if (found === undefined) throw new Error(`there is no stage ${stage}`);
  return found;
}

function agent(of: Group, slot = 0): AgentState {
  const found = of.state.agents.flat()[slot];
  if (found === undefined) throw new Error(`there is no agent ${slot}`);
  return found;
}

const told = (agents: readonly AgentPhase[]) => agents.map(({ status, reason }) => [status, reason]);
const left = (of: Group, name: string, why = "SIGTERM") =>
  of.send({ type: "left", at: of.at, agent: name, session: `${name}#1`, why });

describe("a run that fails", () => {
  it("waits for those alone that have said that they are at work", () => {
    const of = group([{ name: "a" }, cleanup]);
    of.sync("agent-1");
    of.finish("agent-0", fails);
    expect(agent(of)).toMatchObject({ membership: "member", why: null });
    expect(run(of)).toMatchObject({ pending: 1, stopping: { since: of.at, until: of.at + 30_000, well: false } });
    expect(of.state.stopping).toEqual({ since: of.at, until: of.at + 30_000 });
    of.sync("agent-1", {
      finished: [report({ stage: 0, attempt: "0.1.1.1", end: stopped, tail: "half", endedAt: 7 })],
    });
    expect(told(phase(of).agents)).toEqual([
      ["failure", "exit code 1"],
      ["stopped", "a: agent-0 failed: exit code 1"],
      ["stopped", "the run was aborted before it began"],
    ]);
    expect(phase(of).agents[1]).toMatchObject({ tail: "half", end: stopped, endedAt: of.at });
    expect(of.execute("agent-0").stage).toBe(1);
  });

  it("waits as long as its most patient stage may take to end, whichever is open", () => {
    const of = group([{ name: "a" }, { name: "b", stopGraceMs: 20_000 }, cleanup]);
    of.sync("agent-1");
    of.finish("agent-0", fails);
    expect(of.state.stopping?.until).toBe(of.at + 60_000);
    expect(run(of).stopping?.until).toBe(of.at + 60_000);
  });

  it("writes down for those that did not end why they were to", () => {
    const of = group([{ name: "a" }, cleanup]);
    for (const name of of.names) of.sync(name);
    of.finish("agent-0", fails);
    of.pass(30_000);
    expect(told(phase(of).agents).slice(1)).toEqual([
      ["stopped", "a: agent-0 failed: exit code 1"],
      ["stopped", "a: agent-0 failed: exit code 1"],
    ]);
    expect(of.state.stopping).toBeNull();
  });

  it("has neither begun what would have come without a barrier", () => {
    const of = group([{ name: "a", ...policy("none") }, { name: "b" }, cleanup], 2);
    of.sync("agent-1");
    of.finish("agent-0", fails);
    expect(run(of, 1).stopping).toMatchObject({ why: "a: agent-0 failed: exit code 1" });
    of.sync("agent-1", { finished: [report({ stage: 0, attempt: "0.1.1.1", end: stopped })] });
    expect([phase(of, 0).status, phase(of, 1).status]).toEqual(["failure", "cancelled"]);
    expect(phase(of, 1).reason).toBe("a: agent-0 failed: exit code 1");
    expect(told(phase(of, 1).agents)[1]).toEqual(["stopped", "a: agent-0 failed: exit code 1"]);
    expect(of.execute("agent-1").stage).toBe(2);
  });

  it("has not reached what would have come next for whoever ended meanwhile", () => {
    const of = group([{ name: "a", ...policy("none") }, { name: "b" }, cleanup], 3);
    for (const name of of.names) of.sync(name);
    of.send({ type: "cancelled", at: of.at, by: "ann", why: "no" });
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1" })] });
    expect(of.instruction("agent-0").do).not.toBe("execute");
    of.pass(30_000);
    expect(told(phase(of, 1).agents)).toEqual([
      ["skipped", "not reached"],
      ["stopped", "cancelled by ann: no"],
      ["stopped", "cancelled by ann: no"],
    ]);
  });

  it("takes back the tasks that nobody has said the end of", () => {
    const of = group([work, cleanup], 2);
    for (const name of of.names) of.sync(name, { wants: 1 });
    of.send({ type: "cancelled", at: of.at, by: "ann", why: "no" });
    expect(run(of).pending).toBe(2);
    of.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1", end: stopped })] });
    expect(run(of).pending).toBe(1);
    of.pass(30_000);
    expect(run(of).pool).toMatchObject({ open: 0, unfinished: 2, failed: 0 });
    expect(told(phase(of).agents)).toEqual([
      ["stopped", "cancelled by ann: no"],
      ["stopped", "cancelled by ann: no"],
    ]);
  });

  it("waits for what runs behind, until its end or for as long as anything", () => {
    const server = { name: "server", optional: true, background: { ready: null, until: "b" } } as const;
    const begin = (): Group => {
      const of = group([server, { name: "b" }, cleanup], 1);
      of.sync("agent-0", { ready: [0] });
      of.finish("agent-0", fails);
      expect(of.instruction("agent-0").do).toBe("abort");
      return of;
    };
    const said = begin();
    said.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: stopped, outputs: { k: 1 } })] });
    expect(said.execute("agent-0").stage).toBe(2);
    expect(phase(said)).toMatchObject({ status: "success", reason: null, outputs: { k: 1 } });
    expect(said.notices()).toEqual(["aborting: b: agent-0 failed: exit code 1"]);
    const silent = begin();
    silent.pass(29_000);
    expect(silent.instruction("agent-0").do).toBe("abort");
    silent.pass(1_000);
    expect(silent.execute("agent-0").stage).toBe(2);
    expect(silent.state.backgrounds).toBe(0);
    const lost = group([server, { name: "b" }, cleanup], 2);
    for (const name of lost.names) lost.sync(name, { ready: [0] });
    for (const name of lost.names) lost.sync(name);
    lost.finish("agent-0", fails);
    lost.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: stopped })] });
    left(lost, "agent-1");
    expect(lost.execute("agent-0").stage).toBe(2);
  });

  it("goes on to clean up with those that are there", () => {
    const of = group([{ name: "a" }, cleanup]);
    for (const name of of.names) of.sync(name);
    of.finish("agent-0", fails);
    left(of, "agent-1");
    expect(agent(of, 1)).toMatchObject({ membership: "away", why: "left: SIGTERM" });
    of.sync("agent-2", { finished: [report({ stage: 0, attempt: "0.1.2.1", end: stopped })] });
    expect(told(phase(of).agents)[1]).toEqual(["lost", "left: SIGTERM"]);
    of.finish("agent-0");
    of.finish("agent-2");
    expect(of.state.status).toBe("failed");
  });

  it("skips its cleanup when nobody is left for it", () => {
    const of = group(
      [{ name: "a" }, cleanup, { ...cleanup, name: "mine", runsOn: { kind: "agents", agents: [7] } }],
      2,
    );
    of.sync("agent-1");
    left(of, "agent-0");
    left(of, "agent-1");
    expect([phase(of, 1), phase(of, 2)]).toMatchObject([
      { status: "skipped", reason: "no agent is left" },
      { status: "skipped", reason: "no agent is left" },
    ]);
    expect(of.state.failure?.reason).toBe("a: agent-0 left: SIGTERM");
    const one = group([{ name: "a" }, { ...cleanup, runsOn: { kind: "agents", agents: [7] } }], 2);
    left(one, "agent-0");
    one.finishAll(fails);
    expect(phase(one, 1).reason).toBe("none of the agents that it is for is left");
  });

  it("says of the first five why they are gone, when nobody is left before a stage", () => {
    const gone = (size: number): string | undefined => {
      const of = group([{ name: "a", checkpoint: true, ...policy("best_effort") }], size);
      for (const name of of.names) left(of, name, name);
      return of.state.failure?.reason;
    };
    const five = [0, 1, 2, 3, 4].map((index) => `agent-${index} left: agent-${index}`).join("; ");
    expect(gone(1)).toBe("no agent is left: agent-0 left: agent-0");
    expect(gone(5)).toBe(`no agent is left: ${five}`);
    expect(gone(6)).toBe(`no agent is left: ${five}; …`);
  });
});

describe("a stage that is stopped for all", () => {
  it("is over for who has not begun, waits for who runs, and fails who was about to try again", () => {
    const retry = retrying({ maxAttempts: 9, backoffMs: 9_500, maxBackoffMs: 9_500 });
    const of = group([{ ...load, ...policy("best_effort"), retry }, { name: "b" }]);
    of.sync("agent-1");
    of.finish("agent-2", fails, { tail: "oh" });
    const { startAt } = of.execute("agent-0");
    for (; of.at + 800 < startAt + 11_000; of.at += 800) {
      for (const name of of.names) of.sync(name, name === "agent-1" ? {} : { status: "idle" });
    }
    expect(run(of).stopping).toBeNull();
    of.at = startAt + 10_999;
    of.send({ type: "ticked", at: of.at });
    expect(run(of).stopping).toBeNull();
    of.at += 1;
    of.send({ type: "ticked", at: of.at });
    expect(run(of).stopping).toEqual({
      since: of.at,
      until: of.at + 30_000,
      why: "its time is over for the group",
      well: true,
    });
    expect(of.notices().at(-1)).toBe("agent-2 failed: exit code 1: the group goes on without it (best_effort)");
    expect(of.notices()).toContain("stopping a: its time is over for the group");
    expect(of.instruction("agent-1")).toEqual({ do: "stop", stage: 0, why: "its time is over for the group" });
    of.sync("agent-1", {
      finished: [report({ stage: 0, attempt: "0.1.1.1", end: stopped, tail: "x", outputs: { k: 1 } })],
    });
    expect(phase(of).agents).toMatchObject([
      { status: "success", reason: "its time is over for the group", startedAt: null, end: null },
      { status: "success", reason: "its time is over for the group", tail: "x", end: stopped },
      { status: "failure", reason: "exit code 1", tail: "oh", end: fails, endedAt: of.at },
    ]);
    expect(phase(of).outputs).toEqual({ k: 1 });
  });

  it("fails those that do not end within their time", () => {
    const of = group([{ ...load, ...policy("best_effort") }, { name: "b" }], 2);
    for (const name of of.names) of.sync(name);
    of.pass(12_000);
    const since = run(of).stopping?.since ?? 0;
    const end = { kind: "time_over", limit: "duration" } as const;
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end })] });
    of.pass(since + 29_000 - of.at);
    expect(run(of).phase).toBe("open");
    of.pass(1_000);
    expect(told(phase(of).agents)).toEqual([
      ["success", null],
      ["failure", "did not end within 30 s after it was stopped"],
    ]);
  });

  it("begins nothing again: who drops its work is done", () => {
    const of = group([load, { name: "b" }], 2);
    for (const name of of.names) of.sync(name);
    of.pass(12_000);
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "barrier" });
    of.sync("agent-1", { finished: [report({ stage: 0, attempt: "0.1.1.1", end: { kind: "reset" } })] });
    expect(told(phase(of).agents)).toEqual([
      ["success", "its time is over for the group"],
      ["success", "its time is over for the group"],
    ]);
  });

  it("waits for the tasks that are leased, and for the list", () => {
    const of = group([{ ...work, tasks: { ...tasks, source: { kind: "from", command: "./list" } } }, { name: "b" }]);
    of.sync("agent-0", { wants: 1, addTasks: ["x"] });
    of.sync("agent-1", { wants: 1 });
    expect(of.execute("agent-0").leases).toHaveLength(1);
    of.pass(12_000);
    expect(run(of)).toMatchObject({ pending: 1, stopping: { why: "its time is over for the group" } });
    of.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1", end: stopped })] });
    expect(run(of).pending).toBe(1);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: stopped, outputs: { k: 1 } })] });
    expect(phase(of)).toMatchObject({ status: "success", tasks: { done: 0, failed: 0, total: 1 }, outputs: { k: 1 } });
    expect(of.execute("agent-2").stage).toBe(1);
  });

  it("waits for the lease of the one whose list has ended", () => {
    const of = group([{ ...work, tasks: { ...tasks, source: { kind: "from", command: "./list" } } }, { name: "b" }], 1);
    of.sync("agent-0", { wants: 1, addTasks: ["x"] });
    of.pass(12_000);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: stopped })] });
    expect(run(of)).toMatchObject({ pending: 1, pool: { generator: null } });
    of.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1", end: stopped })] });
    expect(of.execute("agent-0").stage).toBe(1);
  });
});

describe("a stage that ends by its count", () => {
  const count = (done: number) => ({ status: "running", progress: { done, total: null, errors: 0 } }) as const;
  const prepare = { name: "a", type: "prepare", completion: "tasks_done" } as const;
  const both = { name: "a", type: "hybrid", completion: "duration_or_tasks", maxDurationMs: 90_000 } as const;
  const random = { pathSelection: "random" } as const;

  it.each<[string, StageOverrides, Partial<Plan>, number, number, string | null]>([
    ["objects that all share", { ...prepare, expectedObjects: 4 }, random, 2, 2, "all 4 objects are done"],
    ["too few objects", { ...prepare, expectedObjects: 5 }, random, 2, 2, null],
    ["objects of one agent alone", { ...prepare, expectedObjects: 2 }, random, 1, 2, null],
    ["objects of which each has a share", { ...prepare, expectedObjects: 4 }, {}, 2, 2, null],
    ["objects, where time is an end, too", { ...both, expectedObjects: 4 }, {}, 2, 2, "all 4 objects are done"],
    ["tasks that are told as progress", { ...both, expectedTasks: 4 }, {}, 2, 2, "all 4 tasks are done"],
    ["too few tasks", { ...both, expectedTasks: 5 }, {}, 2, 2, null],
    ["tasks before objects", { ...both, expectedObjects: 5, expectedTasks: 4 }, {}, 2, 2, "all 4 tasks are done"],
    ["no count", { ...both }, {}, 2, 2, null],
    ["a count that is only expected", { name: "a", expectedObjects: 1 }, random, 2, 2, null],
  ])("%s", (_name, stage, over, size, each, why) => {
    const of = group([stage], size, over);
    for (const name of of.names) of.sync(name, count(each));
    expect(run(of).stopping?.why ?? null).toBe(why);
    if (why !== null) expect(run(of).stopping?.well).toBe(true);
  });

  it("counts the tasks that are done where it has tasks", () => {
    const of = group([{ ...both, tasks, expectedTasks: 1 }, { name: "b" }], 2);
    for (const name of of.names) of.sync(name, { wants: 1 });
    of.sync("agent-0", {
      finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1", progress: { done: 9, total: 9, errors: 0 } })],
    });
    expect(run(of).stopping?.why).toBe("all 1 tasks are done");
    expect(run(of).pending).toBe(1);
  });
});

describe("who is late", () => {
  const late = { stragglerGraceMs: 1_000, onStraggler: "rejoin" } as const;

  it("may take its time to end what it did, and then is there again without a word", () => {
    const of = group([{ name: "a", ...policy("majority", late) }, { name: "b" }]);
    of.sync("agent-2");
    of.finish("agent-0");
    of.finish("agent-1");
    of.pass(1_000);
    const why = "was still in a when the others went on";
    expect(agent(of, 2)).toMatchObject({ membership: "away", why });
    expect(of.notices().at(-1)).toBe(`agent-2 ${why}: the group goes on without it (majority)`);
    expect(told(phase(of).agents)[2]).toEqual(["stopped", why]);
    of.pass(29_000);
    expect(of.instruction("agent-2").do).toBe("stop");
    of.pass(1_000);
    expect(of.execute("agent-2").stage).toBe(1);
    expect(agent(of, 2)).toMatchObject({ membership: "member", why: null });
  });

  it("has nothing to end where it only worked at tasks, which others do", () => {
    const of = group(
      [{ ...work, completion: "tasks_done", ...policy("best_effort", { timeoutMs: 1_000 }) }, { name: "b" }],
      2,
    );
    of.sync("agent-1", { wants: 1, status: "running" });
    expect(of.execute("agent-1").leases).toHaveLength(1);
    expect(run(of).pool).toMatchObject({ open: 2 });
  });

  it("in cleanup after a failure is left behind, whatever the barrier says", () => {
    const of = group(
      [{ name: "a" }, { ...cleanup, ...policy("majority", { timeoutMs: 5_000 }) }, { ...cleanup, name: "last" }],
      2,
    );
    of.finish("agent-0", fails);
    of.sync("agent-1");
    of.finish("agent-0");
    of.pass(5_000);
    expect(agent(of, 1)).toMatchObject({ membership: "away" });
    expect(of.execute("agent-0").stage).toBe(2);
    expect(of.instruction("agent-1").do).toBe("stop");
  });

  it("fails the run where what runs behind would end with it", () => {
    const server = { name: "server", background: { ready: null, until: "c" } } as const;
    const of = group([server, { name: "b", ...policy("majority", { stragglerGraceMs: 1_000 }) }, { name: "c" }]);
    for (const name of of.names) of.sync(name, { ready: [0] });
    for (const name of of.names) of.sync(name);
    of.finish("agent-0");
    of.finish("agent-1");
    of.pass(1_000);
    const why = "is excluded (was still in b when the others went on)";
    expect(of.state.failure).toMatchObject({ stage: 0, reason: `background stage server is gone: agent-2 ${why}` });
    expect(agent(of, 2)).toMatchObject({ membership: "excluded", backgrounds: [] });
    // The others end theirs first.
    expect(run(of, 1).phase).toBe("open");
    expect(of.instruction("agent-0").do).toBe("abort");
  });
});
