import { describe, expect, it } from "vitest";
import type { BarrierRule } from "../../../src/plan/plan.ts";
import { apply, explain, nextDeadline, summary } from "../../../src/run/machine.ts";
import { barrier, Group, joined, plan, report, retrying, type StageOverrides } from "../builders.ts";

const all: BarrierRule = { kind: "all_or_nothing" };
const majority: BarrierRule = { kind: "majority" };
const best: BarrierRule = { kind: "best_effort" };
const three: BarrierRule = { kind: "at_least", count: 3 };
const fails = { kind: "exited", code: 1 } as const;

const two = (rule: BarrierRule, more: Partial<typeof barrier> = {}, first: Partial<StageOverrides> = {}) =>
  plan([
    { name: "a", barrier: { ...barrier, rule, ...more }, ...first },
    { name: "b", barrier: { ...barrier, rule } },
    { name: "cleanup", when: "always" },
  ]);

const OTHERS = ["agent-0", "agent-1", "agent-2"];

/** Four agents in stage a; agent-3 is the one something happens to. */
function four(rule: BarrierRule, more: Partial<typeof barrier> = {}): Group {
  const group = new Group(two(rule, more), 4).join();
  for (const name of group.names) group.sync(name, { stage: 0, status: "running" });
  return group;
}

function finishOthers(group: Group): void {
  for (const name of OTHERS) if (group.instruction(name).do === "execute") group.finish(name);
}

describe("an agent that is lost", () => {
  it.each<[string, BarrierRule, string, string]>([
    ["all_or_nothing", all, "abort", "a: agent-3 was lost: silent for 30 s, last seen something"],
    ["majority", majority, "exclude", "agent-3 is excluded: a: was lost: silent for 30 s, last seen something"],
    ["at_least 3", three, "exclude", "agent-3 is excluded: a: was lost: silent for 30 s, last seen something"],
    [
      "best_effort",
      best,
      "away",
      "agent-3 was lost: silent for 30 s, last seen something: the group goes on without it (best_effort)",
    ],
  ])("under %s", (_name, rule, consequence, said) => {
    const group = four(rule);
    group.pass(6_000, ["agent-3"]);
    expect(group.notices()).toContain("agent-3 has been silent for 5 s (last seen something)");
    group.pass(25_000, ["agent-3"]);
    if (consequence === "abort") {
      expect(group.instruction("agent-0")).toEqual({ do: "abort", why: said });
      return;
    }
    expect(group.notices()).toContain(said);
    finishOthers(group);
    expect(OTHERS.map((name) => group.execute(name).stage)).toEqual([1, 1, 1]);
    expect(summary(group.state).phases[0]).toMatchObject({ status: "warning" });
    // Back after the loss, with the same session: it was only frozen.
    group.sync("agent-3");
    if (consequence === "exclude") expect(group.instruction("agent-3")).toMatchObject({ do: "exclude" });
    else expect(group.execute("agent-3")).toMatchObject({ stage: 1, attempt: "1.1.3.1" });
  });

  it("is out of reach of at_least when too few are left", () => {
    const group = four(three);
    group.pass(31_000, ["agent-2", "agent-3"]);
    expect(group.state.failure?.reason).toBe(
      "a: barrier at_least 3 is out of reach: 0 of 4 arrived, missing: agent-0, agent-1, agent-2, agent-3",
    );
  });

  it("ends the run when it was the last", () => {
    const group = four(best);
    group.pass(31_000, group.names);
    expect(group.state.status).toBe("failed");
    expect(group.state.failure?.reason).toContain(
      "a: barrier best_effort is out of reach: 0 of 4 arrived, missing: agent-0",
    );
  });

  it("in a stage that is not its own is lost all the same", () => {
    const stages = [{ name: "prepare", runsOn: { kind: "first" } }] as const;
    const group = new Group(plan(stages), 2).join();
    group.pass(31_000, ["agent-1"]);
    expect(group.state.failure?.reason).toContain("prepare: agent-1 was lost");
  });

  it("may be silent as long as the barrier of its stage says", () => {
    const patient = four(all, {
      heartbeatIntervalMs: 10_000,
      missedThreshold: 6,
      queryTimeoutMs: 5_000,
      queryRetries: 2,
    });
    patient.pass(69_000, ["agent-3"]);
    expect(patient.state.status).toBe("running");
    patient.pass(1_000, ["agent-3"]);
    expect(patient.state.status).toBe("aborting");
    const said = four(all, { heartbeatIntervalMs: 20_000 });
    said.pass(29_000, ["agent-3"]);
    expect(said.state.status).toBe("running");
    said.pass(1_000, ["agent-3"]);
    expect(said.state.status).toBe("aborting");
    const strict = four(all, { heartbeatIntervalMs: 2_000, missedThreshold: 3 });
    strict.pass(6_000, ["agent-3"]);
    expect(strict.state.status).toBe("aborting");
  });
});

describe("an agent that fails its stage", () => {
  it.each<[string, BarrierRule, string]>([
    ["all_or_nothing", all, "abort"],
    ["majority", majority, "exclude"],
    ["at_least 3", three, "exclude"],
  ])("under %s", (_name, rule, consequence) => {
    const group = four(rule);
    group.finish("agent-3", fails);
    expect(group.instruction("agent-3").do).toBe(consequence);
    expect(group.instruction("agent-0").do).toBe(consequence === "abort" ? "abort" : "execute");
  });

  it("under best_effort waits, and is there again at the next stage", () => {
    const group = four(best);
    group.finish("agent-3", fails);
    expect(group.instruction("agent-3")).toMatchObject({ do: "wait", stage: 0 });
    finishOthers(group);
    expect(group.execute("agent-3").stage).toBe(1);
    group.finishAll();
    group.finishAll();
    expect(summary(group.state)).toMatchObject({ verdict: "success" });
    expect(summary(group.state).phases[0]).toMatchObject({ status: "warning", reason: "agent-3: exit code 1" });
  });

  it("under best_effort fails the run when nobody came through", () => {
    const group = four(best);
    group.finishAll(fails);
    expect(group.state.failure?.reason).toContain("a: barrier best_effort is out of reach: 0 of 4 arrived");
  });

  it("is excluded until the end, and then gets the run's verdict", () => {
    const group = four(majority);
    group.finish("agent-3", fails);
    for (let stage = 0; stage < 3; stage++) finishOthers(group);
    expect(group.instruction("agent-3")).toMatchObject({ do: "finish", summary: { verdict: "success" } });
    expect(
      summary(group.state).phases.map(({ agents }) => agents.find(({ agent }) => agent === "agent-3")?.status),
    ).toEqual(["failure", "excluded", "excluded"]);
  });
});

describe("a straggler", () => {
  it("gets its grace, then is excluded, naming what it was still in", () => {
    const group = four(majority);
    finishOthers(group);
    expect(group.instruction("agent-0")).toMatchObject({
      do: "wait",
      until: group.at + 30_000,
      who: [{ agent: "agent-3" }],
    });
    group.pass(29_000);
    expect(group.execute("agent-3").stage).toBe(0);
    group.pass(1_000);
    expect(group.instruction("agent-3")).toEqual({ do: "exclude", why: "a: was still in a when the others went on" });
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("that comes within its grace has arrived", () => {
    const group = four(majority);
    finishOthers(group);
    group.pass(29_000);
    group.finish("agent-3");
    expect(group.execute("agent-3").stage).toBe(1);
  });

  it("with on_straggler: rejoin, and nothing running, is there for the next stage though that is for it alone", () => {
    const straggling = { ...barrier, rule: { kind: "at_least", count: 1 }, stragglerGraceMs: 1_000 } as const;
    const retry = retrying({ maxAttempts: 2, backoffMs: 9_000, maxBackoffMs: 9_000 });
    const stages: readonly StageOverrides[] = [
      { name: "a", barrier: { ...straggling, onStraggler: "rejoin" }, retry },
      { name: "b", runsOn: { kind: "agents", agents: [1] } },
    ];
    const group = new Group(plan(stages), 2).join();
    group.finish("agent-1", fails);
    group.finish("agent-0");
    group.pass(2_000);
    expect(group.execute("agent-1").stage).toBe(1);
  });

  it("with on_straggler: rejoin is stopped, and comes to the group's stage when it has ended", () => {
    const group = four(majority, { onStraggler: "rejoin" });
    finishOthers(group);
    group.pass(30_000);
    expect(group.instruction("agent-3")).toMatchObject({ do: "stop", stage: 0 });
    group.sync("agent-3", { finished: [report({ stage: 0, attempt: "0.1.3.1", end: { kind: "stopped", why: "" } })] });
    expect(group.execute("agent-3")).toMatchObject({ stage: 1, attempt: "1.1.3.1" });
    for (let stage = 1; stage < 3; stage++) group.finishAll();
    expect(group.state.status).toBe("succeeded");
  });

  it.each<[string, BarrierRule, string]>([
    [
      "all_or_nothing",
      all,
      "a: barrier all_or_nothing not met within 10 s of the first arrival: 3 of 4 arrived, missing: agent-3",
    ],
    ["best_effort", best, ""],
  ])("beyond agent_barrier_timeout under %s", (_name, rule, reason) => {
    const group = four(rule, { timeoutMs: 10_000 });
    finishOthers(group);
    group.pass(9_000);
    expect(group.instruction("agent-0").do).toBe("wait");
    group.pass(1_000);
    if (reason === "") expect(group.execute("agent-0").stage).toBe(1);
    else expect(group.state.failure?.reason).toBe(reason);
  });

  it("has as long as the stage's own timeout where the barrier says nothing", () => {
    const of = plan([{ name: "a", timeoutMs: 100_000 }]);
    const group = new Group(of, 2).join();
    group.finish("agent-0");
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", until: group.at + 100_101 + 60_000 });
    group.pass(160_000);
    expect(group.state.status).toBe("running");
    group.pass(1_000);
    expect(group.state.failure?.reason).toBe("a: agent-1 failed: did not end within its timeout");
  });
});

describe("an agent that comes back within lost_after", () => {
  it.each<[string, (group: Group) => void]>([
    ["restarted", (group) => group.send(joined("agent-3", group.at, { session: "agent-3#2" }))],
    [
      "reset",
      (group) => group.send({ type: "reset", at: group.at, agent: "agent-3", session: "agent-3#1", why: "SIGHUP" }),
    ],
  ])("%s, has its attempt preempted and runs it again", (_name, back) => {
    const group = four(all);
    group.pass(6_000, ["agent-3"]);
    back(group);
    expect(group.execute("agent-3")).toMatchObject({ stage: 0, attempt: "0.1.3.2", attemptNumber: 2 });
    expect(group.state.status).toBe("running");
  });

  it("keeps what it had already come through", () => {
    const group = four(all);
    group.finish("agent-3");
    group.pass(6_000, ["agent-3"]);
    group.send(joined("agent-3", group.at, { session: "agent-3#2" }));
    expect(group.instruction("agent-3")).toMatchObject({ do: "wait", reason: "barrier" });
    expect(group.notices().at(-1)).toBe("agent-3 joined again");
    finishOthers(group);
    expect(group.instruction("agent-3")).toMatchObject({ do: "execute", stage: 1 });
    expect(summary(group.state).phases[0]?.agents[3]).toMatchObject({ status: "success", attempts: 1 });
  });

  it("by itself, after the network was gone, goes on where it was", () => {
    const group = four(all);
    group.pass(20_000, ["agent-3"]);
    group.sync("agent-3", { stage: 0, status: "running" });
    expect(group.execute("agent-3").attempt).toBe("0.1.3.1");
  });

  it("does so only as often as max_preemptions allows", () => {
    const group = new Group(plan([{ name: "a" }]), 1).join();
    for (let time = 0; time < 100; time++) {
      group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    }
    expect(group.execute("agent-0").attempt).toBe("0.1.0.101");
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(group.state.failure?.reason).toBe("a: agent-0 failed: lost its work 101 times, last: SIGHUP");
  });

  it("spends no retry", () => {
    const retry = retrying({ maxAttempts: 2, backoffMs: 0, maxBackoffMs: 0 });
    const group = new Group(plan([{ name: "a", retry }]), 1).join();
    for (let time = 0; time < 3; time++)
      group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "" });
    group.finish("agent-0", fails);
    expect(group.execute("agent-0").attempt).toBe("0.1.0.5");
  });
});

describe("an agent that leaves", () => {
  it("is gone at once, by the policy", () => {
    const group = four(all);
    group.send({ type: "left", at: group.at, agent: "agent-3", session: "agent-3#1", why: "SIGTERM" });
    expect(group.state.failure?.reason).toBe("a: agent-3 left: SIGTERM");
    const going = four(majority);
    going.send({ type: "left", at: going.at, agent: "agent-3", session: "agent-3#1", why: "SIGTERM" });
    finishOthers(going);
    expect(going.execute("agent-0").stage).toBe(1);
  });

  it("cannot speak in its old session, but may join again", () => {
    const group = four(best);
    group.send({ type: "left", at: group.at, agent: "agent-3", session: "agent-3#1", why: "SIGTERM" });
    group.sync("agent-3");
    expect(group.notices().at(-1)).toBe("rejected: a message of an old session of agent-3");
    group.send(joined("agent-3", group.at, { session: "agent-3#2" }));
    expect(group.execute("agent-3").stage).toBe(0);
  });
});

describe("the coordinator's own absence", () => {
  it("counts as nobody's silence", () => {
    const group = four(all);
    group.at += 600_000;
    group.send({ type: "coordinator_started", at: group.at });
    group.pass(29_000, ["agent-3"]);
    expect(group.state.status).toBe("running");
    group.pass(1_000, ["agent-3"]);
    expect(group.state.failure?.reason).toContain("agent-3 was lost: silent for 30 s");
  });

  it("gives every wait its time back", () => {
    const group = four(majority, { timeoutMs: 100_000 });
    finishOthers(group);
    group.at += 3_600_000;
    group.send({ type: "coordinator_started", at: group.at });
    group.pass(29_000);
    expect(group.instruction("agent-0").do).toBe("wait");
    group.pass(1_000);
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("is noticed even when the process only stood still", () => {
    const group = four(all);
    group.at += 600_000;
    group.send({ type: "ticked", at: group.at });
    expect(group.state.status).toBe("running");
    expect(group.notices().at(-1)).toMatch(/^the coordinator stood still for \d+ s, which does not count$/);
  });

  it("during assembly moves the end of that", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join("agent-0");
    group.at += 1_199_000;
    group.send({ type: "coordinator_started", at: group.at });
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", until: group.at + 1_200_000 });
  });
});

describe("what an agent tells that has no place", () => {
  it("is rejected with its reason, once", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "running", addTasks: [1, 2] });
    group.sync("agent-0", { stage: 0, status: "running", addTasks: [1, 2] });
    const said = group.state.notices.filter(({ text }) => text.startsWith("rejected"));
    expect(said.map(({ text, agent }) => [text, agent])).toEqual([
      ["rejected: 2 tasks for a stage that takes none", "agent-0"],
    ]);
  });
});

describe("a message that is on its way", () => {
  const heard = (group: Group, agent: string, session: string): void =>
    group.send({ type: "heard", at: group.at, agent, session });

  it("keeps its agent from being lost, however long it takes, and changes nothing else", () => {
    const group = four(all);
    const session = group.state.agents[0]?.[3]?.session ?? "";
    const { revision } = group.state;
    for (let s = 0; s < 60; s += 4) {
      group.pass(4_000, ["agent-3"]);
      heard(group, "agent-3", session);
    }
    expect(group.notices().filter((text) => text.includes("agent-3"))).toEqual([]);
    expect(group.state.revision).toBe(revision);
    group.pass(31_000, ["agent-3"]);
    expect(group.notices().join("\n")).toContain("agent-3 was lost");
  });

  it("revives nobody who was given up, and speaks for its own session alone", () => {
    const group = four(best);
    const session = group.state.agents[0]?.[3]?.session ?? "";
    group.pass(29_000, ["agent-3"]);
    heard(group, "agent-3", "another session");
    heard(group, "nobody", session);
    group.pass(2_000, ["agent-3"]);
    expect(group.notices().join("\n")).toContain("agent-3 was lost");
    heard(group, "agent-3", session);
    expect(group.notices().join("\n")).not.toContain("agent-3 is back");
  });
});

describe("the next deadline", () => {
  it("is never late: a tick then, and only then, changes what is decided", () => {
    const group = four(majority);
    finishOthers(group);
    for (let tick = 0; tick < 20; tick++) {
      const due = nextDeadline(group.state);
      if (due === null) break;
      const early = apply(group.state, { type: "ticked", at: due - 1 });
      expect(early.revision).toBe(group.state.revision);
      group.at = due;
      group.send({ type: "ticked", at: due });
      expect(nextDeadline(group.state) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(due);
      for (const name of group.names) group.sync(name);
    }
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("is none when the run is over", () => {
    const group = new Group(plan([{ name: "a" }]), 1).join();
    group.finish("agent-0");
    expect(nextDeadline(group.state)).toBeNull();
  });
});

describe("explaining", () => {
  it("says who waits for what, for whom, since when, until when", () => {
    const group = four(majority);
    finishOthers(group);
    group.at += 2_000;
    const { status, stages, waits, agents } = explain(group.state);
    expect({ status, stages }).toEqual({ status: "running", stages: ["a"] });
    expect(waits).toEqual([
      {
        reason: "barrier",
        stage: "a",
        text: "3 of 4 arrived at the barrier of a (majority), 1 to come",
        waiting: 3,
        who: [{ agent: "agent-3", lastSeenAt: group.at - 2_000, lastDoing: "something" }],
        more: 0,
        since: group.at - 2_000,
        until: group.at - 2_000 + 30_000,
      },
    ]);
    expect(agents.map(({ name, status: of }) => [name, of])).toEqual([
      ["agent-0", "at_barrier"],
      ["agent-1", "at_barrier"],
      ["agent-2", "at_barrier"],
      ["agent-3", "running"],
    ]);
  });

  it("says during assembly who is missing, after a failure who is still ending", () => {
    const assembling = new Group(plan([{ name: "a" }]), 3).join("agent-0");
    expect(explain(assembling.state).waits).toMatchObject([
      { reason: "assembly", text: "1 of 3 agents have joined", waiting: 1 },
    ]);
    const aborting = four(all);
    aborting.finish("agent-3", fails);
    expect(explain(aborting.state).waits).toMatchObject([
      { reason: "stopping", text: "3 agents are ending a: a: agent-3 failed: exit code 1" },
    ]);
    expect(explain(new Group(plan([{ name: "a", checkpoint: true }]), 1).join().state).waits).toMatchObject([
      { reason: "checkpoint", stage: "a", text: "a begins when a person approves it", until: expect.any(Number) },
    ]);
  });
});
