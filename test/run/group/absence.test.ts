/** Who will never be there, or never again, is not waited for. */
import { describe, expect, it } from "vitest";
import { agentIdentity, jobIdentity } from "../../../src/run/types.ts";
import { Group, joined, plan } from "../builders.ts";

const work = plan([{ name: "work" }]);
const fewer = plan([{ name: "work" }], { assembly: { timeoutMs: 60_000, atLeast: 2 } });

function gone(group: Group, ...names: readonly string[]): void {
  const absent = names.map((name) => ({ id: agentIdentity(name), why: `${name} exited with 1` }));
  group.send({ type: "not_coming", at: group.at, absent });
}

describe("an assembly", () => {
  it("is over at once, naming why, when somebody who is needed will not come", () => {
    const group = new Group(work, 3).join("agent-1");
    gone(group, "agent-0");
    expect(group.state).toMatchObject({
      status: "failed",
      failure: { kind: "failed", reason: "only 2 of 3 agents can be there: agent-0 exited with 1" },
    });
    expect(group.instruction("agent-1")).toMatchObject({ do: "finish", summary: { verdict: "failure" } });
  });

  it("counts whoever is told of twice once", () => {
    const group = new Group(fewer, 3);
    gone(group, "agent-0", "agent-0");
    const { revision } = group.state;
    gone(group, "agent-0");
    expect(group.state.revision).toBe(revision);
    expect(group.state.status).toBe("assembling");
    gone(group, "agent-1");
    expect(group.state.status).toBe("failed");
  });

  it("starts at once without those who will not come where the plan allows it, saying why they do not", () => {
    const group = new Group(fewer, 3).join("agent-0", "agent-2");
    expect(group.state.status).toBe("assembling");
    gone(group, "agent-1");
    expect(group.state.roster?.agents.map(({ name }) => name)).toEqual(["agent-0", "agent-2"]);
    expect(group.notices()).toContain("the group starts with 2 of 3 agents, agent-1 exited with 1");
  });

  it("goes on waiting for those who may come", () => {
    const group = new Group(plan([{ name: "work" }], { assembly: { timeoutMs: 60_000, atLeast: 1 } }), 3);
    group.join("agent-0");
    gone(group, "agent-1");
    expect(group.state.status).toBe("assembling");
    group.join("agent-2");
    expect(group.state.status).toBe("running");
  });

  it("does not count somebody who had joined and is gone for good", () => {
    const group = new Group(work, 2).join("agent-0");
    gone(group, "agent-0");
    expect(group.state.failure?.reason).toBe("only 1 of 2 agents can be there: agent-0 exited with 1");
    expect(group.state.living).toBe(0);
  });

  it("counts a job that leaves before the group is complete as one that will not be there", () => {
    const group = new Group(work, 3);
    group.send(joined("agent-0", group.at, { checkRunId: "7000", session: "s" }));
    group.send({ type: "left", at: group.at, agent: "agent-0", session: "s", why: "SIGTERM" });
    expect(group.state.failure?.reason).toBe("only 2 of 3 agents can be there: agent-0 left: SIGTERM");
  });

  it("takes somebody back who was said not to come and comes", () => {
    const group = new Group(fewer, 3);
    group.send({ type: "not_coming", at: group.at, absent: [{ id: jobIdentity("7000"), why: "it was refused" }] });
    group.send(joined("agent-0", group.at, { checkRunId: "7000" }));
    expect(group.state.absent).toEqual([]);
    group.join("agent-1");
    expect(group.state.status).toBe("assembling");
  });
});

describe("a run under way", () => {
  it("loses at once who is gone for good, instead of when its silence has lasted", () => {
    const group = new Group(work, 3).join();
    gone(group, "agent-0");
    expect(group.state.failure?.reason).toContain("agent-0 is gone for good: agent-0 exited with 1");
  });

  it("is over at once when nobody is left", () => {
    const group = new Group(plan([{ name: "work" }, { name: "cleanup", when: "always", type: "cleanup" }]), 2).join();
    group.sync("agent-0");
    gone(group, "agent-0", "agent-1");
    expect(group.state.status).toBe("failed");
    expect(group.state.endedAt).toBe(group.state.now);
  });

  it("is not concerned by jobs that are none of its agents", () => {
    const group = new Group(work, 2).join();
    gone(group, "agent-7");
    expect(group.state.status).toBe("running");
  });
});
