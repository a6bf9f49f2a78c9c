import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownCleanup, participants } from "../../../src/run/stage/participants.ts";
import { plan } from "../builders.ts";

const everyone = { skip: [] };
const member = (index: number, role: string | null = null) => ({ name: `agent-${index}`, index, role });
const group = [member(0, "server"), member(1, "client"), member(2, "client")];
const names = (members: readonly { readonly name: string }[]): readonly string[] => members.map(({ name }) => name);

describe("who runs a stage", () => {
  const of = plan([
    { name: "all" },
    { name: "first", runsOn: { kind: "first" } },
    { name: "named", runsOn: { kind: "agents", agents: [1, "agent-0"] } },
    { name: "role", role: "client" },
    { name: "first of a role", role: "client", runsOn: { kind: "first" } },
  ]);

  it.each([
    ["all", ["agent-0", "agent-1", "agent-2"]],
    ["first", ["agent-0"]],
    ["named", ["agent-0", "agent-1"]],
    ["role", ["agent-1", "agent-2"]],
    ["first of a role", ["agent-1"]],
  ])("%s", (name, expected) => {
    const stage = of.stages.find((each) => each.name === name);
    if (stage === undefined) throw new Error(`there is no stage ${name}`);
    expect(names(participants(of, everyone, stage, group))).toEqual(expected);
    expect(participants(of, { skip: [stage.index] }, stage, group)).toEqual([]);
  });
});

describe("agents that a plan names", () => {
  it("are known by their number, their name, and their name in the plan's list", () => {
    const named = (...agents: readonly (string | number)[]): readonly string[] => {
      const list = ["x", "y", "z"].map((id) => ({ id, address: null, env: {} }));
      const of = plan([{ name: "a", runsOn: { kind: "agents", agents } }], { agents: list });
      const [stage] = of.stages;
      return stage === undefined ? [] : names(participants(of, everyone, stage, group));
    };
    expect([named(2), named("agent-1"), named("x", 1), named("nobody", 7), named()]).toEqual([
      ["agent-2"],
      ["agent-1"],
      ["agent-0", "agent-1"],
      [],
      [],
    ]);
  });
});

describe("an agent's own cleanup", () => {
  const stages = [
    { name: "work" },
    { name: "logs", when: "always" },
    { name: "tree", when: "always", runsOn: { kind: "first" } },
    { name: "clients", when: "on_failure", role: "client" },
    { name: "server data", when: "always", runsOn: { kind: "agents", agents: [0] } },
  ] as const;
  const of = plan(stages);
  const own = (agent: string, leftOut: boolean, skip: readonly number[] = []) =>
    names(ownCleanup(of, { skip }, { agent, group, leftOut }));

  it("is what is for it, and what the first does for all only where nobody goes on", () => {
    expect(own("agent-0", false)).toEqual(["logs", "tree", "server data"]);
    expect(own("agent-0", true)).toEqual(["logs", "server data"]);
    expect(own("agent-1", false)).toEqual(["logs", "clients"]);
    expect(own("agent-1", true)).toEqual(["logs", "clients"]);
    expect(names(ownCleanup(of, everyone, { agent: "agent-0", group: group.slice(0, 1), leftOut: true }))).toContain(
      "tree",
    );
  });

  it("is in the order of the indexes, however the group is told, and nothing that runs behind", () => {
    const behind = plan([
      { name: "server", when: "always", background: { ready: null, until: "tree" } },
      { name: "tree", when: "always", runsOn: { kind: "first" } },
    ]);
    const own2 = (agent: string, leftOut: boolean) =>
      names(ownCleanup(behind, everyone, { agent, group: group.toReversed(), leftOut }));
    expect([own2("agent-0", false), own2("agent-2", false), own2("agent-0", true)]).toEqual([["tree"], [], []]);
  });

  it("keeps to what the run was told to leave out", () => {
    expect(own("agent-0", false, [1, 2])).toEqual(["server data"]);
  });

  it("of a whole group is each shared thing once, and none of it by those that are left out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.array(fc.integer({ min: 0, max: 4 })), (size, skip) => {
        const members = Array.from({ length: size }, (_, index) => member(index));
        const shared = (leftOut: boolean) =>
          members.flatMap(({ name }) =>
            names(ownCleanup(of, { skip }, { agent: name, group: members, leftOut })).filter((each) => each === "tree"),
          );
        expect(shared(false)).toHaveLength(skip.includes(2) ? 0 : 1);
        expect(shared(true)).toEqual([]);
      }),
    );
  });
});
