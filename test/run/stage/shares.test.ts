import { describe, expect, it } from "vitest";
import { summary } from "../../../src/run/machine.ts";
import { barrier, Group, plan, report } from "../builders.ts";

function statuses(group: Group): readonly string[] {
  return summary(group.state).phases.map(
    ({ name, status, reason }) => `${name} ${status}${reason === null ? "" : `: ${reason}`}`,
  );
}

describe("who runs a stage", () => {
  it.each([
    ["the first", { runsOn: { kind: "first" } }, {}, ["agent-0"]],
    ["those named or numbered", { runsOn: { kind: "agents", agents: ["agent-1", 2] } }, {}, ["agent-1", "agent-2"]],
    ["a role", { role: "client" }, { roles: { server: 1, client: 2 } }, ["agent-1", "agent-2"]],
    [
      "the first of a role",
      { role: "client", runsOn: { kind: "first" } },
      { roles: { server: 1, client: 2 } },
      ["agent-1"],
    ],
    [
      "all that it is said to be for, though one makes the tree",
      { type: "prepare" },
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
      const attempt = `0.1.${name.slice(-1)}.1`;
      const progress = { done: 5, total: 10, errors: 0 };
      group.sync(name, { finished: [report({ stage: 0, attempt, end: { kind: "stopped", why: "" }, progress })] });
    }
    expect(statuses(group)).toEqual(["prepare success"]);
    expect(summary(group.state).phases[0]?.progress).toEqual({ done: 10, total: 10, errors: 0 });
  });

  it.each([
    [undefined, 30],
    [5_000, 30],
    [60_000, 140],
  ])("whose command has a grace of %s ms are waited for for %i s once it is stopped", (stopGraceMs, seconds) => {
    const group = new Group(plan([{ ...prepare, stopGraceMs }], { pathSelection: "random" }), 2).join();
    for (const name of group.names)
      group.sync(name, { stage: 0, status: "preparing", progress: { done: 5, total: 10, errors: 0 } });
    group.pass((seconds - 1) * 1_000);
    expect(group.state.status).toBe("running");
    group.pass(1_000);
    expect(statuses(group).join()).toContain(`did not end within ${seconds} s after it was stopped`);
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
    expect(group.execute("agent-1").attempt).toBe("0.1.1.2");
    group.pass(10_200);
    group.finish("agent-0", { kind: "time_over", limit: "duration" });
    group.pass(1_000);
    expect(group.instruction("agent-1")).toEqual({ do: "stop", stage: 0, why: "its time is over for the group" });
    const stopped = { kind: "stopped", why: "its time is over for the group" } as const;
    group.sync("agent-1", { finished: [report({ stage: 0, attempt: "0.1.1.2", end: stopped })] });
    expect(group.execute("agent-1").stage).toBe(1);
  });
});
