import { describe, expect, it } from "vitest";
import {
  askedApproval,
  decisionEvent,
  decisionsOf,
  hasDecided,
  type PersonDecision,
} from "../../../src/run/checkpoints/decisions.ts";
import type { RunState } from "../../../src/run/state.ts";
import { Group, plan } from "../builders.ts";

const by = ["ann", "@acme/qa"];

function asked(): Group {
  const wait = { by, timeoutMs: 3_600_000, onTimeout: "fail" } as const;
  return new Group(plan([{ name: "a", checkpoint: true, approval: wait }, { name: "b" }]), 1).join();
}

const decision = (more: Partial<PersonDecision> = {}): PersonDecision => ({
  verb: "continue",
  stage: 0,
  round: 1,
  by: "ann",
  why: null,
  ...more,
});

function decide(group: Group, more: Partial<PersonDecision> = {}): string | null {
  const event = decisionEvent(group.state, decision(more), group.at);
  if ("refused" in event) return event.refused;
  group.send(event);
  return null;
}

const names = (state: RunState) => askedApproval(state)?.by;

describe("a decision of a run that waits for a person", () => {
  it("lets the stage begin, once, and later ones hear whose it was", () => {
    const group = asked();
    expect(askedApproval(group.state)).toMatchObject({ stage: 0, name: "a", round: 1, by });
    expect(decide(group, { why: "fine" })).toBeNull();
    expect(askedApproval(group.state)).toBeNull();
    expect(decide(group, { by: "bob" })).toBe("a is decided: ann approved it");
    expect(decisionsOf(group.state).approvals).toEqual([{ by: "ann", why: "fine", at: group.at }]);
    expect(group.execute("agent-0").stage).toBe(0);
  });

  it("ends the run with who and why, and none follows", () => {
    const group = asked();
    expect(decide(group, { verb: "stop", why: "not today" })).toBeNull();
    expect(group.state.failure?.reason).toBe("cancelled by ann: a: not today");
    expect(names(group.state)).toBeUndefined();
    expect(decide(group)).toBe("a is decided: cancelled by ann: a: not today");
  });

  it("is of one round: one that came to another stage or round changes nothing", () => {
    const group = asked();
    for (const other of [{ round: 2 }, { stage: 1 }, { stage: 7 }])
      expect(decide(group, other)).toContain("the run does not wait for it");
    expect(names(group.state)).toEqual(by);
  });

  it("is known again by whom it was, why, and when, and not by another's", () => {
    const group = asked();
    const { at } = group;
    decide(group, { why: "fine" });
    const done = decisionsOf(group.state);
    expect(hasDecided(done, decision({ why: "fine" }), at)).toBe(true);
    for (const other of [{ why: null }, { why: "fine", by: "an" }, { why: "fine", verb: "stop" as const }])
      expect(hasDecided(done, decision(other), at)).toBe(false);
    expect(hasDecided(done, decision({ why: "fine" }), at + 1)).toBe(false);
    const ended = asked();
    decide(ended, { verb: "stop" });
    expect(hasDecided(decisionsOf(ended.state), decision({ verb: "stop" }), at)).toBe(true);
    expect(hasDecided(decisionsOf(ended.state), decision({ verb: "stop", by: "bob" }), at)).toBe(false);
    expect(hasDecided(decisionsOf(ended.state), decision(), at)).toBe(false);
  });
});
