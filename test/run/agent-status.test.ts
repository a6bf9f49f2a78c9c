import { expect, it } from "vitest";
import { agentStatus, workingStatus } from "../../src/run/agent-status.ts";
import { explain } from "../../src/run/machine.ts";
import { itemAt } from "../../src/run/persistent-array.ts";
import { barrier, Group, joined, plan } from "./builders.ts";

function statusOf(group: Group, slot: number): string {
  const agent = itemAt(group.state.agents, slot);
  if (agent === undefined) throw new Error(`there is no agent in position ${slot}`);
  expect(explain(group.state).agents[slot]?.status).toBe(agentStatus(group.state, agent));
  return agentStatus(group.state, agent);
}

it("follows an agent from joining to the run's end", () => {
  const group = new Group(plan([{ name: "a", type: "prepare", completion: "tasks_done" }, { name: "b" }]), 2);
  group.send(joined("agent-0", group.at));
  expect(statusOf(group, 0)).toBe("joining");
  group.send(joined("agent-1", group.at));
  expect(statusOf(group, 0)).toBe("idle");
  group.sync("agent-0");
  expect(statusOf(group, 0)).toBe("preparing");
  group.finish("agent-0");
  expect(statusOf(group, 0)).toBe("at_barrier");
  group.finish("agent-1");
  expect(statusOf(group, 0)).toBe("idle");
  group.finishAll();
  expect([0, 1].map((slot) => statusOf(group, slot))).toEqual(["completed", "completed"]);
});

it("tells who is lost, who is excluded and who ends its work", () => {
  const majority = { ...barrier, rule: { kind: "majority" } } as const;
  const group = new Group(
    plan([{ name: "a", barrier: majority }, { name: "b" }, { name: "c", when: "always" }]),
    4,
  ).join();
  group.pass(40_000, ["agent-3"]);
  expect(statusOf(group, 3)).toBe("excluded");
  for (const name of ["agent-0", "agent-1", "agent-2"]) group.finish(name);
  group.sync("agent-0");
  group.sync("agent-1");
  group.finish("agent-2", { kind: "exited", code: 1 });
  expect([0, 1, 2, 3].map((slot) => statusOf(group, slot))).toEqual(["aborting", "aborting", "at_barrier", "excluded"]);
  group.send({ type: "left", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
  expect(statusOf(group, 0)).toBe("lost");
  group.pass(40_000, ["agent-0", "agent-3"]);
  group.finishAll();
  expect([0, 1, 2, 3].map((slot) => statusOf(group, slot))).toEqual(["failed", "failed", "failed", "failed"]);
});

it("names the work by the stage's type", () => {
  const types = ["validation", "prepare", "execute", "custom", "cleanup", "hybrid", "quorum"] as const;
  expect(types.map((type) => workingStatus({ type }))).toEqual([
    "validating",
    "preparing",
    ...Array.from({ length: 5 }, () => "running"),
  ]);
});

it("is idle where nothing of it is under way: away, between rounds, in no stage that is open", () => {
  const best = { ...barrier, rule: { kind: "best_effort" } } as const;
  const of = new Group(
    plan([{ name: "a", barrier: best, runsOn: { kind: "agents", agents: [0, 1] } }, { name: "b" }]),
    3,
  );
  of.join().sync("agent-0");
  expect([0, 1, 2].map((slot) => statusOf(of, slot))).toEqual(["running", "idle", "idle"]);
  of.finish("agent-1", { kind: "exited", code: 1 });
  expect(statusOf(of, 1)).toBe("idle");
  of.send({ type: "left", at: of.at, agent: "agent-2", session: "agent-2#1", why: "SIGTERM" });
  expect(statusOf(of, 2)).toBe("lost");
  of.finish("agent-0");
  expect(statusOf(of, 0)).toBe("idle");
  const back = new Group(
    plan([{ name: "a" }, { name: "b", runsOn: { kind: "first" } }, { name: "c", checkpoint: true }]),
    2,
  );
  back.join().finishAll();
  back.send({ type: "repeat_requested", at: back.at, stage: 1, round: 1, from: 1, why: "" });
  back.finish("agent-0");
  expect([0, 1].map((slot) => statusOf(back, slot))).toEqual(["idle", "idle"]);
  back.finish("agent-0");
  expect([0, 1].map((slot) => statusOf(back, slot))).toEqual(["idle", "idle"]);
});

it("is idle in a round that another runs, whatever it did in the one before", () => {
  const best = { ...barrier, rule: { kind: "best_effort" } } as const;
  const of = new Group(
    plan([
      { name: "a", barrier: best },
      { name: "b", barrier: best, runsOn: { kind: "first" } },
    ]),
    2,
  ).join();
  of.send({ type: "left", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
  of.finish("agent-1");
  of.send(joined("agent-0", of.at, { session: "second" }));
  of.send({ type: "repeat_requested", at: of.at, stage: 1, round: 1, from: 1, why: "" });
  of.finish("agent-1");
  expect(of.execute("agent-0")).toMatchObject({ stage: 1, attempt: "1.2.0.1" });
  expect([0, 1].map((slot) => statusOf(of, slot))).toEqual(["idle", "idle"]);
});

it("is that of the run once it is over, whoever was lost or excluded", () => {
  const of = new Group(plan([{ name: "a" }]), 2).join("agent-0");
  of.send({ type: "cancelled", at: of.at, by: "ann", why: "no" });
  expect(statusOf(of, 0)).toBe("failed");
});
