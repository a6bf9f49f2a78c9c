/** Who is gone, who comes back, and what a coordinator that was away gives back to all. */
import { describe, expect, it } from "vitest";
import type { BarrierRule, Plan } from "../../../src/plan/plan.ts";
import type { AgentState, StageRun } from "../../../src/run/state.ts";
import { barrier, Group, joined, plan, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const cleanup = { name: "cleanup", when: "always" } as const;
const load = { name: "a", type: "execute", completion: "duration", durationMs: 10_000 } as const;
const policy = (kind: Exclude<BarrierRule["kind"], "at_least" | "at_least_percent">, more = {}) => ({
  barrier: { ...barrier, rule: { kind }, ...more },
});

function group(stages: readonly StageOverrides[], size = 3, over: Partial<Plan> = {}): Group {
  return new Group(plan(stages, over), size).join();
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

const left = (of: Group, name: string, why = "SIGTERM") =>
  of.send({ type: "left", at: of.at, agent: name, session: `${name}#1`, why });

describe("who is gone", () => {
  it("under none is not waited for, and is said without a policy", () => {
    const of = group([
      { name: "a", ...policy("none") },
      { name: "b", ...policy("none") },
    ]);
    left(of, "agent-2");
    expect(of.notices()).toEqual(["agent-2 left: SIGTERM", "agent-2 left: SIGTERM: the group goes on without it"]);
    expect(agent(of, 2)).toMatchObject({ membership: "away", presence: "left", session: null });
    expect(of.state.living).toBe(2);
    expect(run(of).results.flat()[2]).toMatchObject({ status: "lost", reason: "left: SIGTERM" });
    expect(run(of, 1).results.flat()[2]).toMatchObject({ status: "lost", reason: "left: SIGTERM", attempts: 0 });
    expect([run(of).pending, run(of, 1).pending]).toEqual([2, 2]);
  });

  it("is told of by the stage that it worked in, rather than by the one that the group waits before", () => {
    const of = group([
      { name: "a", ...policy("none") },
      { name: "b", ...policy("majority") },
    ]);
    left(of, "agent-2");
    expect(agent(of, 2)).toMatchObject({ membership: "excluded", why: "a: left: SIGTERM", excludedAt: of.at });
    expect(of.notices().at(-1)).toBe("agent-2 is excluded: a: left: SIGTERM");
    const done = group([
      { name: "a", ...policy("none") },
      { name: "b", ...policy("majority") },
    ]);
    done.finish("agent-2");
    done.finish("agent-2");
    left(done, "agent-2");
    expect(agent(done, 2).why).toBe("b: left: SIGTERM");
  });

  it("before a person has approved what comes next is gone by the policy of that", () => {
    const of = group([{ name: "a", checkpoint: true }, cleanup], 2);
    left(of, "agent-1");
    expect(of.state.failure).toMatchObject({ stage: 0, reason: "a: agent-1 left: SIGTERM" });
  });

  it("when all is done is no loss to the run", () => {
    const of = group([{ name: "a", ...policy("best_effort") }], 2);
    of.finish("agent-0");
    left(of, "agent-0");
    left(of, "agent-1");
    expect(of.state).toMatchObject({ status: "succeeded", failure: null, living: 0 });
  });

  it("when it was excluded already is not said again", () => {
    const of = group([{ name: "a", ...policy("majority") }, { name: "b" }]);
    of.finish("agent-2", fails);
    const { notices } = of.state;
    of.pass(31_000, ["agent-2"]);
    expect(agent(of, 2)).toMatchObject({ presence: "lost", membership: "excluded" });
    of.sync("agent-2");
    expect(agent(of, 2)).toMatchObject({ presence: "here", membership: "excluded" });
    expect(of.state.notices.slice(notices.length).map(({ text }) => text)).toEqual(["agent-2 is back"]);
  });

  it("and says so when it was lost already is not gone twice", () => {
    const of = group([{ name: "a", ...policy("best_effort") }, { name: "b" }]);
    of.pass(31_000, ["agent-2"]);
    const { notices } = of.state;
    left(of, "agent-2");
    expect(of.state.notices).toEqual(notices);
    expect(agent(of, 2).presence).toBe("lost");
  });

  it("and is lost after that it left is not gone twice", () => {
    const of = group([{ name: "a", ...policy("best_effort") }, { name: "b" }]);
    left(of, "agent-2");
    const { notices } = of.state;
    of.pass(40_000, ["agent-2"]);
    expect(of.state.notices).toEqual(notices);
    expect(agent(of, 2).presence).toBe("left");
  });

  it("before the group is complete gives its place up without a word to the run", () => {
    const of = new Group(plan([{ name: "a" }]), 2).join("agent-0");
    left(of, "agent-0");
    expect(of.state).toMatchObject({ status: "assembling", living: 0, absent: [] });
    expect(of.notices()).toEqual(["agent-0 left: SIGTERM"]);
    of.send(joined("agent-0", of.at, { session: "second" }));
    expect(of.state.living).toBe(1);
    expect(of.notices()).toEqual(["agent-0 left: SIGTERM", "agent-0 is back", "agent-0 joined again"]);
    expect(agent(of)).toMatchObject({ membership: "member", why: null });
  });
});

describe("who comes back", () => {
  const best = policy("best_effort");
  /** agent-1 was lost in the first stage, whose other work goes on. */
  function back(stages: readonly StageOverrides[], over: Partial<Plan> = {}, silentMs = 31_000): Group {
    const of = group(stages, 3, over);
    for (const name of of.names) of.sync(name);
    of.pass(silentMs, ["agent-1"]);
    of.sync("agent-1", { stage: 0, status: "idle" });
    return of;
  }

  it("takes part again: its work is begun anew, and waited for", () => {
    const of = back([{ name: "a", ...best }, { name: "b" }]);
    expect(of.execute("agent-1")).toMatchObject({ stage: 0, attempt: "0.1.1.2", startAt: of.at });
    expect(run(of)).toMatchObject({ pending: 3, workers: 3, electorate: 3 });
    expect(of.state.living).toBe(3);
    expect(of.notices().slice(-2)).toEqual(["agent-1 is back", "agent-1 takes part in a again"]);
    expect(agent(of, 1)).toMatchObject({ membership: "member", why: null, presence: "here" });
    expect(agent(of, 1).assignment?.preemptions).toBe(1);
  });

  it("is one more that takes part in what it was not there for", () => {
    const of = group([
      { name: "a", ...best },
      { name: "b", ...best },
    ]);
    left(of, "agent-1");
    of.finishAll();
    expect(run(of, 1)).toMatchObject({ workers: 2, pending: 2, electorate: 3 });
    of.send(joined("agent-1", of.at, { session: "second" }));
    expect(run(of, 1)).toMatchObject({ workers: 3, pending: 3, electorate: 3 });
    const { startAt } = run(of, 1);
    expect(startAt).toBeGreaterThan(of.at);
    expect([...of.names.map((name) => of.execute(name))].map((told) => told.startAt)).toEqual([
      startAt,
      startAt,
      startAt,
    ]);
  });

  it("goes through all stages that are open", () => {
    const none = policy("none");
    const of = back([
      { name: "a", ...none },
      { name: "b", ...none },
      { name: "c", ...best },
    ]);
    expect([run(of).pending, run(of, 1).pending]).toEqual([3, 3]);
    of.finish("agent-1");
    expect(of.execute("agent-1").stage).toBe(1);
    of.finish("agent-1");
    expect([run(of).pending, run(of, 1).pending]).toEqual([2, 2]);
  });

  it("takes no part in what is left out between them", () => {
    const none = policy("none");
    const of = back([
      { name: "a", ...none },
      { name: "b", when: "on_failure", ...none },
      { name: "c", ...best },
    ]);
    expect(of.state.segment).toEqual({ first: 0, last: 2 });
    expect([0, 1, 2].map((stage) => [run(of, stage).pending, run(of, stage).workers])).toEqual([
      [3, 3],
      [0, 0],
      [3, 3],
    ]);
    expect(run(of, 1).results.flat()).toEqual([]);
  });

  const objects = { type: "prepare", completion: "tasks_done", expectedObjects: 9 } as const;
  it.each<[string, StageOverrides, Partial<Plan>, string]>([
    ["a stage that the first runs", { name: "a", runsOn: { kind: "first" } }, {}, "wait"],
    ["objects that are shared out", { name: "a", ...objects }, {}, "wait"],
    ["objects that are everyone's", { name: "a", ...objects }, { pathSelection: "random" }, "execute"],
    ["a stage whose time is over", { ...load, durationMs: 30_500 }, {}, "wait"],
    ["a stage that has time left", { ...load, durationMs: 60_000 }, {}, "execute"],
    ["a stage whose timeout is over", { name: "a", timeoutMs: 30_800 }, {}, "wait"],
    ["a stage that has a little more", { name: "a", timeoutMs: 31_200 }, {}, "execute"],
    ["a stage that is for others", { name: "a", runsOn: { kind: "agents", agents: [0, 2] } }, {}, "wait"],
    ["a stage that is for it", { name: "a", runsOn: { kind: "agents", agents: [0, "agent-1"] } }, {}, "execute"],
  ])("does so where it can: %s", (_name, stage, over, what) => {
    const of = back([{ ...stage, ...best }, { name: "b" }], over);
    expect(of.instruction("agent-1").do).toBe(what);
    expect(agent(of, 1).membership).toBe(what === "wait" ? "away" : "member");
  });

  it("does not do anew what it had come through, or failed", () => {
    const of = group([{ name: "a", ...best }, { name: "b" }]);
    of.finish("agent-1", fails);
    of.pass(31_000, ["agent-1"]);
    of.sync("agent-1");
    expect(of.instruction("agent-1")).toMatchObject({ do: "wait", stage: 0 });
    expect(run(of).pending).toBe(2);
  });

  it("waits where the stage is being stopped", () => {
    const of = group([{ ...load, durationMs: 32_000, ...best }, { name: "b" }], 2);
    for (const name of of.names) of.sync(name);
    of.pass(35_000, ["agent-1"]);
    expect(of.instruction("agent-0").do).toBe("stop");
    of.sync("agent-1", { status: "idle" });
    expect(of.instruction("agent-1").do).toBe("wait");
  });

  it("waits where that is stopped for its errors, too", () => {
    const thresholds = { maxErrors: 1, maxErrorRate: null, maxConsecutiveErrors: null };
    const of = group([{ name: "a", ...best, thresholds }, { name: "b" }], 2);
    for (const name of of.names) of.sync(name);
    of.pass(31_000, ["agent-1"]);
    of.sync("agent-0", { progress: { done: 0, total: null, errors: 2 } });
    expect(of.instruction("agent-0").do).toBe("stop");
    of.sync("agent-1", { status: "idle" });
    expect(of.instruction("agent-1").do).toBe("wait");
    expect(run(of)).toMatchObject({ pending: 1, workers: 2 });
  });

  it("is there for the next stage", () => {
    const of = back([{ name: "a", ...best, runsOn: { kind: "first" } }, { name: "b" }]);
    expect(agent(of, 1).membership).toBe("away");
    of.finish("agent-0");
    expect(of.execute("agent-1")).toMatchObject({ stage: 1, attempt: "1.1.1.1" });
    expect(agent(of, 1)).toMatchObject({ membership: "member", why: null });
  });
});

describe("the time that a coordinator was away", () => {
  it("is given back to everything that waits", () => {
    const of = group([
      { name: "server", background: { ready: null, until: "a" } },
      { name: "a", ...policy("majority", { stragglerGraceMs: 1_000, onStraggler: "rejoin" }) },
      { name: "b", ...policy("majority", { timeoutMs: 90_000, stragglerGraceMs: 90_000 }) },
    ]);
    for (const name of of.names) of.sync(name, { ready: [0] });
    of.sync("agent-2");
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    const before = of.state;
    of.at += 7_000;
    of.send({ type: "coordinator_started", at: of.at });
    const times = (state: typeof before) => ({
      stages: state.stages.flat().map(({ overdueAt, firstArrivalAt, metAt }) => [overdueAt, firstArrivalAt, metAt]),
      agents: state.agents
        .flat()
        .map(({ assignment, backgrounds }) => [
          assignment?.overdueAt,
          ...backgrounds.map(({ overdueAt }) => overdueAt),
        ]),
    });
    const [server, a, b] = times(before).stages;
    expect(times(of.state).stages).toEqual([server, [(a?.[0] ?? 0) + 7_000, null, null], b]);
    expect(times(of.state).agents).toEqual(
      times(before).agents.map((all) => all.map((time) => (time === undefined ? time : time + 7_000))),
    );
    expect(of.state.agents.flat().map(({ silentSince, presence }) => [silentSince, presence])).toEqual(
      of.names.map(() => [of.at, "here"]),
    );
    expect(of.notices().at(-1)).toBe("the coordinator is back: the time without it does not count");
  });

  it("is given back to who arrived, who is ending its work, and who was silent", () => {
    const of = group([{ name: "a", ...policy("majority", { stragglerGraceMs: 9_000 }) }, { name: "b" }]);
    of.finish("agent-0");
    of.finish("agent-1");
    of.pass(6_000, ["agent-2"]);
    expect(agent(of, 2).presence).toBe("silent");
    const { firstArrivalAt, metAt, overdueAt } = run(of);
    of.at += 100_000;
    of.send({ type: "coordinator_started", at: of.at });
    expect(run(of)).toMatchObject({
      firstArrivalAt: (firstArrivalAt ?? 0) + 100_000,
      metAt: (metAt ?? 0) + 100_000,
      overdueAt: overdueAt + 100_000,
    });
    expect(agent(of, 2).presence).toBe("here");
    const stopping = group([{ name: "a" }, cleanup]);
    stopping.sync("agent-1");
    stopping.finish("agent-0", fails);
    const until = stopping.state.stopping?.until ?? 0;
    stopping.at += 100_000;
    stopping.send({ type: "coordinator_started", at: stopping.at });
    expect(stopping.state.stopping?.until).toBe(until + 100_000);
    expect(run(stopping).stopping?.until).toBe(until + 100_000);
    expect(stopping.instruction("agent-1").do).toBe("abort");
  });

  it("is given back to who was told to end what the others did not wait for", () => {
    const late = { stragglerGraceMs: 1_000, onStraggler: "rejoin" } as const;
    const of = group([{ name: "a", ...policy("majority", late) }, { name: "b" }]);
    of.sync("agent-2");
    of.finish("agent-0");
    of.finish("agent-1");
    of.pass(1_000);
    const until = agent(of, 2).assignment?.dismissed?.until ?? 0;
    expect(until).toBe(of.at + 30_000);
    of.at += 100_000;
    of.send({ type: "coordinator_started", at: of.at });
    expect(agent(of, 2).assignment?.dismissed?.until).toBe(until + 100_000);
    of.pass(29_000);
    expect(of.instruction("agent-2").do).toBe("stop");
    of.pass(1_000);
    expect(of.execute("agent-2").stage).toBe(1);
  });
});
