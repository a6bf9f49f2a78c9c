import { describe, expect, it } from "vitest";
import type { Approval } from "../../../src/plan/plan.ts";
import { explain, summary } from "../../../src/run/machine.ts";
import { Group, plan } from "../builders.ts";

const HOUR = 3_600_000;

/** A run that waits before its first stage. */
function asked(approval: Partial<Approval> = {}, deadlineMs: number | null = null): Group {
  const wait = { by: ["ann", "@acme/qa"], timeoutMs: HOUR, onTimeout: "fail", ...approval } as const;
  return new Group(plan([{ name: "a", checkpoint: true, approval: wait }, { name: "b" }], { deadlineMs }), 1).join();
}

function pass(group: Group, ms: number): void {
  group.at += ms;
  group.send({ type: "ticked", at: group.at });
}

describe("a wait for a person", () => {
  it("says for whom and until when, at its own end or the plan's", () => {
    const text = "a begins when ann or @acme/qa approves it";
    const { waits } = explain(asked().state);
    expect(waits).toMatchObject([{ text, until: (waits[0]?.since ?? 0) + HOUR }]);
    expect(explain(asked({}, 60_000).state).waits).toMatchObject([{ until: (waits[0]?.since ?? 0) + 60_000 }]);
    expect(asked().notices()).toContain("waiting for ann or @acme/qa before a");
  });

  it.each(["fail", "go_on"] as const)("ends at its time, not before: %s", (onTimeout) => {
    const group = asked({ onTimeout });
    pass(group, HOUR - 1);
    expect(group.state.checkpoint).not.toBeNull();
    pass(group, 1);
    const why = "none of ann, @acme/qa answered within 1h before it";
    if (onTimeout === "fail") {
      expect(group.state.failure?.reason).toBe(`a: ${why}`);
      expect(summary(group.state).phases[0]).toMatchObject({ status: "failure", reason: why });
    } else {
      expect(group.execute("agent-0").stage).toBe(0);
      const { at } = group;
      group.finish("agent-0");
      expect(summary(group.state).phases[0]?.approval).toEqual({ by: null, why, at });
    }
  });

  it("may be over beforehand, by who approves first, and of a stage of the plan alone", () => {
    const group = new Group(plan([{ name: "a" }, { name: "b", checkpoint: true }]), 1).join();
    group.send({ type: "approved", at: group.at, stage: 2, by: "ann" });
    expect(group.state.approved).toEqual([]);
    for (const by of ["ann", "bob"]) group.send({ type: "approved", at: group.at, stage: 1, by });
    expect(group.notices().filter((text) => text.includes("approved"))).toEqual(["ann approved b"]);
    group.finish("agent-0");
    group.finish("agent-0");
    expect(summary(group.state).phases[1]).toMatchObject({ status: "success", approval: { by: "ann" } });
    group.send({ type: "approved", at: group.at, stage: 0, by: "bob" });
    expect(group.notices()).not.toContain("bob approved a");
  });

  it("is over with an approval of this round, which stands in the result", () => {
    const group = asked();
    group.send({ type: "approved", at: group.at, stage: 0, round: 2, by: "bob" });
    expect(group.state.checkpoint).not.toBeNull();
    group.send({ type: "approved", at: group.at, stage: 0, round: 1, by: "ann", why: "looks fine" });
    const approval = { by: "ann", why: "looks fine", at: group.at };
    group.send({ type: "repeat_requested", at: group.at, stage: 0, round: 1, from: 0, why: "again" });
    group.finish("agent-0");
    expect(group.state).toMatchObject({ checkpoint: { stage: 0 }, approved: [] });
    group.send({ type: "approved", at: group.at, stage: 0, round: 2, by: "bob" });
    group.finish("agent-0");
    const [a] = summary(group.state).phases;
    expect(a?.earlier?.[0]?.approval).toEqual(approval);
    expect(a?.approval).toMatchObject({ by: "bob", why: null });
  });
});
