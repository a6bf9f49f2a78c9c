import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareNames } from "../../../src/run/group/assembly.ts";
import { admit, apply, begin } from "../../../src/run/machine.ts";
import { itemsOf } from "../../../src/run/persistent-array.ts";
import { created, Group, joined, plan, synced } from "../builders.ts";

const one = plan([{ name: "work" }]);

describe("assembly", () => {
  it("waits for everyone, naming who is missing and until when", () => {
    const group = new Group(one, 3, { names: ["bench-0", "bench-1", "bench-2"] });
    group.send(joined("bench-1", group.at, { index: 1 }));
    expect(group.instruction("bench-1")).toEqual({
      do: "wait",
      reason: "assembly",
      stage: null,
      who: ["bench-0", "bench-2"].map((agent) => ({ agent, lastSeenAt: null, lastDoing: "has not joined" })),
      since: group.at,
      until: group.at + 1_200_000,
    });
  });

  it.each([
    ["indexes of a matrix", {}, [{ index: 0 }, { index: 2 }], "missing: bench-1, bench-3"],
    ["nothing but a number", {}, [{}, {}], "missing: 2 agents"],
    [
      "roles",
      { roles: { server: 1, client: 3 } },
      [{ role: "client" }, { role: "client" }],
      "missing: 1 of role server, 1 of role client",
    ],
    [
      "the plan's list",
      { agents: ["bench-0", "bench-1", "bench-2", "x"].map((id) => ({ id, address: null, env: {} })) },
      [{}, {}],
      "missing: bench-1, x",
    ],
  ] as const)("fails over time, naming who is missing by %s", (_name, overrides, joins, missing) => {
    const group = new Group(plan([{ name: "work" }], overrides), 4, { names: ["bench-0", "bench-2"] });
    for (const [at, name] of group.names.entries()) group.send(joined(name, group.at, joins[at] ?? {}));
    group.pass(1_200_000);
    expect(group.state.status).toBe("failed");
    const finish = group.instruction("bench-0");
    expect(finish).toMatchObject({ do: "finish", summary: { verdict: "failure" } });
    expect(group.state.failure?.reason).toBe(`only 2 of 4 agents joined within 20m, ${missing}`);
  });

  it("starts with fewer when at_least allows it, and takes the late in", () => {
    const group = new Group(plan([{ name: "work" }], { assembly: { timeoutMs: 60_000, atLeast: 2 } }), 3);
    group.join("agent-0", "agent-1").pass(59_000, ["agent-2"]);
    expect(group.state.status).toBe("assembling");
    group.pass(1_000, ["agent-2"]);
    expect(group.state.roster?.agents.map(({ name }) => name)).toEqual(["agent-0", "agent-1"]);
    expect(group.notices()).toContain("the group starts with 2 of 3 agents, missing: 1 agent");
    group.join("agent-2");
    expect(group.state.roster?.agents.map(({ name, index }) => [name, index])).toContainEqual(["agent-2", 2]);
    expect(group.execute("agent-2").stage).toBe(0);
    group.finish("agent-0");
    group.finish("agent-1");
    expect(group.state.status).toBe("running");
    group.finish("agent-2");
    expect(group.state.status).toBe("succeeded");
  });

  it("gives up a place that fell silent before the group was complete", () => {
    const group = new Group(one, 2).join("agent-0");
    group.pass(40_000, ["agent-0", "agent-1"]);
    expect(group.state.living).toBe(0);
    group.join("agent-1");
    expect(group.state.status).toBe("assembling");
    group.sync("agent-0");
    expect(group.state.status).toBe("running");
  });
});

describe("indexes and roles", () => {
  it.each([
    [
      "by name where nothing is said, numbers as numbers",
      {},
      [["node-10"], ["node-2"], ["node-1"]],
      [
        ["node-1", 0, null, 0],
        ["node-2", 1, null, 1],
        ["node-10", 2, null, 2],
      ],
    ],
    [
      "as said",
      {},
      [
        ["a", 2],
        ["b", 0],
        ["c", 1],
      ],
      [
        ["b", 0, null, 0],
        ["c", 1, null, 1],
        ["a", 2, null, 2],
      ],
    ],
    [
      "free ones for who says none",
      {},
      [["a"], ["b", 0], ["c"]],
      [
        ["b", 0, null, 0],
        ["a", 1, null, 1],
        ["c", 2, null, 2],
      ],
    ],
    [
      "by role, then name, where two jobs count from 0",
      { roles: { server: 1, client: 2 } },
      [
        ["server-0", 0, "server"],
        ["client-1", 1, "client"],
        ["client-0", 0, "client"],
      ],
      [
        ["client-0", 0, "client", 0],
        ["client-1", 1, "client", 1],
        ["server-0", 2, "server", 0],
      ],
    ],
    [
      "roles that nobody claims in the plan's order",
      { roles: { server: 1, client: 2 } },
      [
        ["a", 0],
        ["b", 1],
        ["c", 2],
      ],
      [
        ["a", 0, "server", 0],
        ["b", 1, "client", 0],
        ["c", 2, "client", 1],
      ],
    ],
  ] as const)("%s", (_name, overrides, joins, roster) => {
    const group = new Group(plan([{ name: "work" }], overrides), 3, { names: [] });
    for (const [name, index = null, role = null] of joins) group.send(joined(name, group.at, { index, role }));
    const agents = group.state.roster?.agents.map(({ name, index, role, roleIndex }) => [name, index, role, roleIndex]);
    expect(agents).toEqual(roster);
  });

  it("compares names by their numbers", () => {
    expect(["n10", "n9", "m", "n9a", "n09"].toSorted(compareNames)).toEqual(
      ["m", "n09", "n9", "n9a", "n10"].toSorted(compareNames),
    );
    expect(compareNames("n9", "n10")).toBeLessThan(0);
  });
});

describe("who may join", () => {
  const full = new Group(plan([{ name: "work" }]), 2).join();
  const roles = new Group(plan([{ name: "work" }], { roles: { server: 1, client: 2 } }), 3);
  roles.send(joined("s", roles.at, { role: "server" }));
  const half = new Group(one, 3);
  half.send(joined("bench-0", half.at, { index: 0, checkRunId: "77", address: "10.0.0.7:7000" }));
  const at = half.at + 1_000;

  it.each([
    ["a stranger in a full group", full, joined("mallory", at), "invalid", "has its 2 agents (agent-0, agent-1)"],
    ["an unknown role", roles, joined("x", at, { role: "judge" }), "invalid", "unknown role judge"],
    ["a role that is taken", roles, joined("x", at, { role: "server" }), "held", "the role server is taken by s"],
    ["an index that is taken", half, joined("bench-1", at, { index: 0 }), "held", "index 0 is bench-0's"],
    ["an index beyond the group", half, joined("bench-9", at, { index: 9 }), "invalid", "index 9 is not within"],
    [
      "a second session",
      half,
      joined("bench-0", at, { session: "other" }),
      "held",
      "bench-0 is held by another session at 10.0.0.7:7000",
    ],
    [
      "another job's identity",
      half,
      joined("bench-0", at, { session: "other", checkRunId: "78" }),
      "held",
      "is held by another session",
    ],
    [
      "a second agent of one job",
      half,
      joined("bench-1", at, { index: 1, checkRunId: "77" }),
      "held",
      "the job of bench-1 has its place in this group already, as bench-0: one job is one agent",
    ],
  ] as const)("refuses %s", (_name, group, event, code, reason) => {
    const admission = admit(group.state, event);
    expect(admission).toMatchObject({ ok: false, code });
    expect(admission.ok ? "" : admission.reason).toContain(reason);
    const after = apply(group.state, event);
    expect(after.agents).toEqual(group.state.agents);
    expect(after.notices.at(-1)?.text).toContain(`refused to let ${event.agent} join`);
  });

  it.each([
    ["the same session again", joined("bench-0", at, { index: 0 })],
    ["the same job", joined("bench-0", at, { session: "other", checkRunId: "77", index: 0 })],
    [
      "whoever comes after a silence of warn_after",
      joined("bench-0", at + 4_000, { session: "other", checkRunId: "78" }),
    ],
    ["another agent", joined("bench-1", at, { index: 1 })],
  ])("lets in %s", (_name, event) => {
    expect(admit(half.state, event)).toEqual({ ok: true });
  });

  it("gives a job one place, whoever else is silent", () => {
    const group = new Group(plan([{ name: "work" }]), 2);
    group.send(joined("a", group.at, { checkRunId: "1" }));
    const later = group.at + 60_000;
    expect(admit(group.state, joined("b", later, { checkRunId: "1" }))).toMatchObject({ ok: false, code: "held" });
    group.send(joined("b", group.at, { checkRunId: "2" }));
    const taken = joined("b", later, { session: "a's", checkRunId: "1" });
    expect(admit(group.state, taken)).toMatchObject({ ok: false, code: "held" });
    expect(admit(group.state, joined("b", later, { session: "b's", checkRunId: "3" }))).toEqual({ ok: true });
  });

  it("lets a job that left an assembling group come back under another name", () => {
    const group = new Group(plan([{ name: "work" }], { assembly: { timeoutMs: 60_000, atLeast: 1 } }), 3);
    group.send(joined("a", group.at, { checkRunId: "1" }));
    group.send({ type: "left", at: group.at, agent: "a", session: "a#1", why: "gone" });
    expect(admit(group.state, joined("b", group.at, { checkRunId: "1" }))).toEqual({ ok: true });
  });

  // Asserted over any order of joins, silences and departures.
  it("never counts one job twice", () => {
    const steps = fc.array(
      fc.record({
        agent: fc.constantFrom("a", "b", "c"),
        job: fc.constantFrom("1", "2", "3"),
        what: fc.constantFrom("join", "join", "join", "sync", "leave"),
        wait: fc.constantFrom(0, 1_000, 6_000, 31_000),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const group = new Group(one, 3);
        for (const [number, { agent, job, what, wait }] of all.entries()) {
          const when = group.at + wait;
          const held = [...itemsOf(group.state.agents)].find(({ name }) => name === agent)?.session;
          if (what === "join") group.send(joined(agent, when, { session: `s${number}`, checkRunId: job }));
          else if (held != null && what === "sync") group.send(synced(agent, when, { session: held }));
          else if (held != null) group.send({ type: "left", at: when, agent, session: held, why: "gone" });
          const there = [...itemsOf(group.state.agents)].filter(
            ({ presence }) => group.state.roster !== null || presence === "here" || presence === "silent",
          );
          expect(new Set(there.map(({ checkRunId }) => checkRunId)).size).toBe(there.length);
        }
      }),
    );
  });

  it("lets nobody into a run that is over", () => {
    const group = new Group(one, 1).join();
    group.finish("agent-0");
    expect(admit(group.state, joined("agent-0", group.at, { session: "new" }))).toMatchObject({
      ok: false,
      code: "ended",
    });
  });

  it("tells a stranger to stop, and who it is", () => {
    expect(full.instruction("mallory")).toEqual({ do: "abort", why: "mallory is not in this group" });
  });
});

describe("messages of an old session", () => {
  it("are refused, said once, and change nothing else", () => {
    const group = new Group(one, 2).join();
    group.pass(6_000, ["agent-0"]);
    group.send(joined("agent-0", group.at, { session: "second" }));
    const { attempt } = group.execute("agent-0");
    const before = group.state;
    const old = synced("agent-0", group.at, { finished: [], stage: 0, status: "running" });
    const after = apply(apply(before, old), old);
    expect(
      after.notices.filter(({ text }) => text === "rejected: a message of an old session of agent-0"),
    ).toHaveLength(1);
    expect({ ...after, agents: [], notices: [], noticeSeq: 0, revision: 0 }).toEqual({
      ...before,
      agents: [],
      notices: [],
      noticeSeq: 0,
      revision: 0,
    });
    expect(group.execute("agent-0").attempt).toBe(attempt);
  });
});

it("begins with `created` and nothing else", () => {
  expect(() => apply(null, joined("a", 0))).toThrow('a run begins with "created"');
  const event = created(one, 1, 5);
  expect(apply(null, event)).toEqual(begin(event));
  expect(apply(begin(event), event)).toEqual(begin(event));
});
