/** Names, places and roles of a group: who is missing, who may have a place, and what becomes of who comes late. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { compareNames, missingAgents } from "../../../src/run/group/assembly.ts";
import { admit, apply, explain } from "../../../src/run/machine.ts";
import type { AgentState } from "../../../src/run/state.ts";
import { agentIdentity } from "../../../src/run/types.ts";
import { barrier, Group, joined, plan, type StageOverrides, synced } from "../builders.ts";

const work: readonly StageOverrides[] = [{ name: "work" }];
const fewer = (atLeast: number): Partial<Plan> => ({ assembly: { timeoutMs: 60_000, atLeast } });

function agent(name: string, over: Partial<AgentState> = {}): AgentState {
  const [first] = new Group(plan(work), 2).join(name).state.agents.flat();
  if (first === undefined) throw new Error("nobody has joined");
  return { ...first, ...over };
}

function refusal(group: Group, event: Parameters<typeof admit>[1]): string {
  const admission = admit(group.state, event);
  return admission.ok ? "admitted" : `${admission.code}: ${admission.reason}`;
}

const roster = (group: Group) =>
  group.state.roster?.agents.map(({ name, index, role, roleIndex }) => [name, index, role, roleIndex]);

describe("the order of names", () => {
  const ORDER = ["", "1", "2", "10", "a", "a1", "a1b", "a2", "a10", "a10b2", "a10b11", "b", "n09", "n9", "n9a", "n10"];

  it("is that of their letters, and of the numbers in them", () => {
    for (const [one, left] of ORDER.entries()) {
      for (const [other, right] of ORDER.entries())
        expect([left, right, Math.sign(compareNames(left, right))]).toEqual([left, right, Math.sign(one - other)]);
    }
  });
});

describe("who is missing", () => {
  const listed = (...names: readonly string[]) => names.map((id) => ({ id, address: null, env: {} }));
  const lost = { presence: "lost" } as const;

  it.each<[string, Partial<Plan>, number, readonly AgentState[], readonly string[]]>([
    ["nobody is there", {}, 2, [], ["2 agents"]],
    ["one, of whom nothing is known", {}, 2, [agent("a")], ["1 agent"]],
    ["of the plan's list", { agents: listed("a", "b", "c") }, 3, [agent("b"), agent("c", lost)], ["a", "c"]],
    ["of a plan's list, where a stranger is there", { agents: listed("a", "b") }, 2, [agent("x")], ["1 agent"]],
    ["of a plan's list of others", { agents: listed("a", "b") }, 3, [agent("a")], ["2 agents"]],
    [
      "by roles",
      { roles: { server: 1, client: 3 } },
      4,
      [agent("a", { role: "client" }), agent("b", { role: "server", ...lost })],
      ["1 of role server", "2 of role client"],
    ],
    [
      "by roles, of which one is complete",
      { roles: { server: 1, client: 1 } },
      2,
      [agent("a", { role: "server" })],
      ["1 of role client"],
    ],
    ["by roles, where one has none", { roles: { server: 2 } }, 2, [agent("a")], ["1 agent"]],
    ["beyond the roles", { roles: { server: 1 } }, 3, [agent("s-1", { role: "server", ownIndex: 1 })], ["s-0", "s-2"]],
    [
      "by indexes",
      {},
      4,
      [agent("n-0", { ownIndex: 0 }), agent("n-2", { ownIndex: 2 }), agent("n-3", { ownIndex: 3, ...lost })],
      ["n-1", "n-3"],
    ],
    [
      "by indexes with two digits",
      {},
      12,
      Array.from({ length: 11 }, (_, index) => agent(`n-${index + 1}`, { ownIndex: index + 1 })),
      ["n-0"],
    ],
    ["by indexes that are not in the names", {}, 2, [agent("n1", { ownIndex: 1 })], ["the agent with index 0"]],
    [
      "by indexes that are in some names alone",
      {},
      3,
      [agent("n-0", { ownIndex: 0 }), agent("m-1", { ownIndex: 1 })],
      ["the agent with index 2"],
    ],
    ["by indexes that one does not say", {}, 3, [agent("n-0", { ownIndex: 0 }), agent("b")], ["1 agent"]],
    ["all of those that had been there", {}, 2, [agent("a", lost), agent("b", lost)], ["a", "b"]],
    ["one more than had been there", {}, 2, [agent("a", lost)], ["2 agents"]],
  ])("%s", (_name, over, count, agents, missing) => {
    expect(missingAgents({ agents: [], roles: {}, ...over }, count, agents)).toEqual(missing);
  });
});

describe("the place of who has left", () => {
  it("is free again as long as the group is not complete", () => {
    const group = new Group(plan(work), 2).join("a");
    group.send({ type: "left", at: group.at, agent: "a", session: "a#1", why: "SIGTERM" });
    group.join("b");
    expect(refusal(group, joined("c", group.at))).toBe("admitted");
    group.join("c");
    expect(roster(group)?.map(([name]) => name)).toEqual(["b", "c"]);
  });
});

describe("an identity that is held", () => {
  const held = new Group(plan(work), 3);
  held.send(joined("a", held.at, { address: "10.0.0.7" }));
  held.send(joined("b", held.at));
  held.send(synced("b", held.at + 1_000, { doing: "thinking" }));
  const seen = (ms: number): string => new Date(held.at + ms).toISOString();
  const taken = "it can be taken over when that has been silent for 5s";

  it("says by whom, and from when on it can be taken over", () => {
    expect(refusal(held, joined("a", held.at + 4_999, { session: "x" }))).toBe(
      `held: a is held by another session at 10.0.0.7, last seen ${seen(0)} (joining); ${taken}`,
    );
    expect(refusal(held, joined("a", held.at + 5_000, { session: "x" }))).toBe("admitted");
    expect(refusal(held, joined("b", held.at + 5_999, { session: "x" }))).toBe(
      `held: b is held by another session, last seen ${seen(1_000)} (thinking); ${taken}`,
    );
    expect(refusal(held, joined("b", held.at + 6_000, { session: "x" }))).toBe("admitted");
  });

  it("may be silent as long as the stage's barrier says before it is taken over", () => {
    const slow = { ...barrier, heartbeatIntervalMs: 20_000 };
    const group = new Group(plan([{ name: "work", barrier: slow }]), 2).join();
    expect(refusal(group, joined("agent-0", group.at + 19_999, { session: "x" }))).toContain("silent for 20s");
    expect(refusal(group, joined("agent-0", group.at + 20_000, { session: "x" }))).toBe("admitted");
  });

  it("is free when its agent is lost or has left", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const group = new Group(plan([{ name: "work", barrier: best }]), 3).join();
    group.send({ type: "left", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
    group.pass(31_000, ["agent-0", "agent-1"]);
    expect(refusal(group, joined("agent-0", group.at, { session: "x" }))).toBe("admitted");
    expect(refusal(group, joined("agent-1", group.at, { session: "x" }))).toBe("admitted");
    expect(refusal(group, joined("agent-2", group.at, { session: "x" }))).toContain("held");
  });
});

describe("an identity that is lost", () => {
  it("is free though the coordinator was away, too, since when nobody is silent", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const group = new Group(plan([{ name: "work", barrier: best }]), 2).join();
    group.pass(31_000, ["agent-1"]);
    group.at += 1_000;
    group.send({ type: "coordinator_started", at: group.at });
    expect(refusal(group, joined("agent-1", group.at, { session: "x" }))).toBe("admitted");
    expect(refusal(group, joined("agent-0", group.at, { session: "x" }))).toContain("held");
  });
});

describe("a place", () => {
  it("is none beyond the group's size, and the first of those that have one are named", () => {
    const group = new Group(plan(work), 22).join();
    const names = Array.from({ length: 20 }, (_, index) => `agent-${index}`).join(", ");
    expect(refusal(group, joined("x", group.at))).toBe(
      `invalid: this group has its 22 agents (${names} and 2 more), x is none of them`,
    );
    const exact = new Group(plan(work), 20).join();
    expect(refusal(exact, joined("x", exact.at))).toBe(
      `invalid: this group has its 20 agents (${names}), x is none of them`,
    );
  });

  it("of who was lost is free until the group is complete, and then held for who may come back", () => {
    const group = new Group(plan(work, fewer(1)), 2);
    group.send(joined("a", group.at, { index: 1, role: null }));
    group.pass(31_000, ["a"]);
    expect(refusal(group, joined("b", group.at, { index: 1 }))).toBe("admitted");
    const full = new Group(plan([{ name: "work", barrier: { ...barrier, rule: { kind: "best_effort" } } }]), 2).join();
    full.pass(31_000, ["agent-1"]);
    expect(refusal(full, joined("x", full.at))).toContain("this group has its 2 agents (agent-0, agent-1)");
  });

  it("of a job that has left is its own until the run is over, once the group is complete", () => {
    const group = new Group(plan([{ name: "work", barrier: { ...barrier, rule: { kind: "best_effort" } } }]), 2);
    group.send(joined("a", group.at, { checkRunId: "1" }));
    group.send(joined("b", group.at, { checkRunId: "2" }));
    group.send({ type: "left", at: group.at, agent: "a", session: "a#1", why: "SIGTERM" });
    expect(refusal(group, joined("c", group.at, { checkRunId: "1" }))).toBe(
      "held: the job of c has its place in this group already, as a: one job is one agent",
    );
    expect(refusal(group, joined("a", group.at, { session: "x", checkRunId: "1" }))).toBe("admitted");
  });
});

describe("a role", () => {
  const roles = { server: 1, client: 2 };
  const group = new Group(plan(work, { roles, ...fewer(2) }), 4);
  group.send(joined("s", group.at, { role: "server" }));
  group.send(joined("c", group.at, { role: "client", index: 0 }));

  it.each([
    ["server", "held: the role server is taken by s"],
    ["client", "admitted"],
    ["judge", "invalid: unknown role judge, the plan has server, client"],
    ["constructor", "invalid: unknown role constructor, the plan has server, client"],
    [null, "admitted"],
  ])("%s: %s", (role, answer) => {
    expect(refusal(group, joined("x", group.at, { role }))).toBe(answer);
  });

  it("is as good as any in a plan without roles, and free again when its agent was lost", () => {
    const without = new Group(plan(work), 2).join("agent-0");
    expect(refusal(without, joined("x", without.at, { role: "judge" }))).toBe("admitted");
    const lost = new Group(plan(work, { roles }), 3);
    lost.send(joined("s", lost.at, { role: "server" }));
    lost.pass(31_000, ["s"]);
    expect(refusal(lost, joined("x", lost.at, { role: "server" }))).toBe("admitted");
  });
});

describe("an index", () => {
  const group = new Group(plan(work), 3);
  group.send(joined("a", group.at, { index: 0 }));
  group.send(joined("b", group.at, { index: 1, role: "special" }));
  const hint = "give each agent an index of its own, or roles";

  it.each([
    [0, null, `held: index 0 is a's: ${hint}`],
    [0, "special", "admitted"],
    [1, null, "admitted"],
    [2, null, "admitted"],
    [3, null, "invalid: index 3 is not within a group of 3 agents"],
    [3, "special", "admitted"],
  ])("%s of role %s: %s", (index, role, answer) => {
    expect(refusal(group, joined("x", group.at, { index, role }))).toBe(answer);
  });

  it("is one of its own role's where the plan has roles", () => {
    const of = new Group(plan(work, { roles: { server: 1 } }), 3);
    of.send(joined("a", of.at, { index: 0 }));
    expect(refusal(of, joined("b", of.at, { index: 0 }))).toBe("admitted");
  });

  it("is the one that was given once the group is complete", () => {
    const of = new Group(plan(work, fewer(2)), 3, { names: ["a", "b"] });
    of.join().pass(60_000);
    expect(roster(of)).toEqual([
      ["a", 0, null, 0],
      ["b", 1, null, 1],
    ]);
    expect(refusal(of, joined("x", of.at, { index: 1 }))).toBe(`held: index 1 is b's: ${hint}`);
    expect(refusal(of, joined("x", of.at, { index: 2 }))).toBe("admitted");
  });

  it("is given by role, then name, where those said are not within the group or not distinct, which is said", () => {
    const said = "the agents' own indexes are not distinct: they are given by role, then name";
    const of = new Group(plan(work), 3);
    of.send(joined("a", of.at, { role: "z", index: 7 }));
    of.send(joined("c", of.at, { index: 0 }));
    of.send(joined("b", of.at));
    expect(roster(of)).toEqual([
      ["b", 0, null, 0],
      ["c", 1, null, 1],
      ["a", 2, "z", 0],
    ]);
    expect(of.notices()).toEqual([said]);
    const edge = new Group(plan(work), 2);
    edge.send(joined("a", edge.at, { role: "z", index: 2 }));
    edge.send(joined("b", edge.at, { index: 0 }));
    expect(edge.notices()).toEqual([said]);
    const good = new Group(plan(work), 2);
    good.send(joined("a", good.at, { role: "z", index: 1 }));
    good.send(joined("b", good.at, { index: 0 }));
    expect(good.notices()).toEqual([]);
    const roles = new Group(plan(work, { roles: { z: 2 } }), 2);
    roles.send(joined("a", roles.at, { role: "z", index: 0 }));
    roles.send(joined("b", roles.at, { role: "z", index: 0 }));
    expect(roles.notices()).toEqual([]);
  });
});

describe("roles that nobody said", () => {
  it.each<[string, readonly (number | null)[], string]>([
    ["their own indexes", [2, 1, 0], "c"],
    ["their names where they say no indexes", [null, null, null], "a"],
    ["their names where their indexes are the same", [1, 1, 1], "a"],
  ])("are given in the order of %s, not in that in which they came", (_what, indexes, server) => {
    const group = new Group(plan(work, { roles: { server: 1, client: 2 } }), 3);
    for (const [at, name] of ["b", "a", "c"].entries())
      group.send(joined(name, group.at, { index: indexes[at] ?? null }));
    const roles = group.state.roster?.agents.filter(({ role }) => role === "server").map(({ name }) => name);
    expect(roles).toEqual([server]);
  });
});

describe("who comes late", () => {
  const late = (roles: Readonly<Record<string, number>>, size = 4): Group => {
    const group = new Group(plan(work, { roles, ...fewer(2) }), size, { names: ["a", "b"] });
    group.send(joined("a", group.at, { index: 0, role: roles.server === undefined ? null : "server" }));
    group.send(joined("b", group.at, { index: 2, role: roles.client === undefined ? null : "client" }));
    group.pass(60_000);
    return group;
  };

  it("has the index that it says, or the first that is free", () => {
    const group = late({});
    group.send(joined("c", group.at, { index: 3 }));
    group.send(joined("d", group.at));
    expect(roster(group)).toEqual([
      ["a", 0, null, 0],
      ["b", 2, null, 1],
      ["c", 3, null, 2],
      ["d", 1, null, 3],
    ]);
    expect(group.notices().filter((text) => text.includes("joins late"))).toEqual([
      "c joins late, as agent 3",
      "d joins late, as agent 1",
    ]);
    expect(group.execute("d").stage).toBe(0);
    expect(refusal(group, joined("e", group.at))).toContain("this group has its 4 agents (a, b, c, d)");
  });

  it("and has no part in what is open is shown to have come late", () => {
    const group = new Group(plan([{ name: "a", runsOn: { kind: "first" } }], fewer(1)), 2).join("agent-0");
    group.pass(60_000, ["agent-1"]);
    group.join("agent-1");
    expect(explain(group.state).agents.map(({ standing, why }) => [standing, why])).toEqual([
      ["member", null],
      ["away", "joins late"],
    ]);
  });

  it("has the role that it says, or the first that the plan still asks for", () => {
    const group = late({ server: 1, client: 2 });
    group.send(joined("c", group.at, { index: 0 }));
    group.send(joined("d", group.at));
    expect(roster(group)).toEqual([
      ["a", 0, "server", 0],
      ["b", 2, "client", 0],
      ["c", 1, "client", 1],
      ["d", 3, null, 0],
    ]);
    const own = late({ server: 2, client: 2 });
    own.send(joined("c", own.at, { role: "client" }));
    expect(roster(own)?.at(-1)).toEqual(["c", 1, "client", 1]);
  });

  it("is also who was silent when the group was complete, when it speaks again", () => {
    const group = new Group(plan(work, fewer(2)), 3);
    const silent = { index: 1, role: "judge", address: "10.0.0.9", checkRunId: "77" };
    group.send(joined("s", group.at, silent));
    group.join("a", "b");
    expect(group.state.status).toBe("running");
    const gone = new Group(plan(work, fewer(2)), 3, { names: ["a", "b", "s"] });
    gone.send(joined("s", gone.at, silent));
    gone.join("a").pass(50_000, ["s"]);
    gone.send(joined("b", gone.at));
    gone.pass(10_000, ["s"]);
    expect(roster(gone)?.map(([name]) => name)).toEqual(["a", "b"]);
    gone.send(synced("s", gone.at, { session: "another" }));
    expect(gone.notices().at(-1)).toBe("ignored a message of s, who is not in this group");
    gone.send(synced("t", gone.at, { session: "s#1" }));
    expect(gone.notices().at(-1)).toBe("ignored a message of t, who is not in this group");
    gone.sync("s");
    expect(gone.state.roster?.agents.at(-1)).toMatchObject({ name: "s", role: "judge", address: "10.0.0.9" });
    expect(gone.state.agents.flat().at(-1)).toMatchObject({ checkRunId: "77", ownIndex: 1, presence: "here" });
    expect(gone.state.dropped).toEqual([]);
    expect(gone.execute("s").stage).toBe(0);
  });
});

describe("an assembly's end", () => {
  const gone = (group: Group, ...names: readonly string[]): void =>
    group.send({
      type: "not_coming",
      at: group.at,
      absent: names.map((name) => ({ id: agentIdentity(name), why: name })),
    });

  it("comes at its time, and not before", () => {
    const assembly = { timeoutMs: 60_000, atLeast: null };
    const group = new Group(plan(work, { assembly }), 2, { names: ["a"] }).join().pass(59_000);
    const early = apply(group.state, { type: "ticked", at: group.at + 999 });
    expect(early.status).toBe("assembling");
    expect(apply(early, { type: "ticked", at: group.at + 1_000 }).failure?.reason).toBe(
      "only 1 of 2 agents joined within 1m, missing: 1 agent",
    );
  });

  it("is a failure where fewer are there than are needed, who may all come", () => {
    const group = new Group(plan(work, fewer(2)), 3).join("agent-0");
    group.pass(60_000);
    expect(group.state.failure?.reason).toBe("only 1 of 3 agents joined within 1m, missing: 2 agents");
  });

  it("comes at once where too few can be there", () => {
    const group = new Group(plan(work, fewer(2)), 4);
    gone(group, "a", "b");
    expect(group.state.status).toBe("assembling");
    gone(group, "c");
    expect(group.state.failure?.reason).toBe("only 1 of 4 agents can be there: a, b, c");
    const none = new Group(plan(work), 2);
    gone(none, "a", "b", "c");
    expect(none.state.failure?.reason).toBe("only 0 of 2 agents can be there: a, b, c");
  });

  it("says who is missing only where its time is over", () => {
    const group = new Group(plan(work, fewer(1)), 3, { names: ["agent-0"] }).join();
    gone(group, "agent-1");
    group.pass(59_000);
    expect(group.state.status).toBe("assembling");
    group.pass(1_000);
    expect(group.notices()).toEqual(["the group starts with 1 of 3 agents, missing: 2 agents"]);
  });

  it("makes everyone an agent of the run", () => {
    const group = new Group(plan(work), 2).join();
    expect(group.state).toMatchObject({ status: "running", assembledAt: group.at, living: 2, dropped: [] });
    expect(group.state.agents.flat().map(({ doing }) => doing)).toEqual(["idle", "idle"]);
  });
});
