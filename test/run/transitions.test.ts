import { describe, expect, it } from "vitest";
import {
  AGENT_TRANSITIONS,
  isLegalAgentTransition,
  isLegalRunTransition,
  isOver,
  RUN_TRANSITIONS,
} from "../../src/run/transitions.ts";
import { AGENT_STATUSES, type AgentStatus, RUN_STATUSES, type RunStatus } from "../../src/run/types.ts";

describe("transitions of a run", () => {
  const LEGAL: readonly (readonly [RunStatus, RunStatus])[] = [
    ["assembling", "running"],
    ["assembling", "failed"],
    ["assembling", "cancelled"],
    ["running", "aborting"],
    ["running", "succeeded"],
    ["aborting", "failed"],
    ["aborting", "cancelled"],
  ];
  it.each(RUN_STATUSES.flatMap((from) => RUN_STATUSES.map((to) => [from, to] as const)))("%s → %s", (from, to) => {
    expect(isLegalRunTransition(from, to)).toBe(LEGAL.some(([one, other]) => one === from && other === to));
  });

  it("ends in three places", () => {
    expect(RUN_STATUSES.filter(isOver)).toEqual(["succeeded", "failed", "cancelled"]);
    for (const status of RUN_STATUSES.filter(isOver)) expect(RUN_TRANSITIONS[status]).toEqual([]);
  });
});

describe("transitions of an agent", () => {
  it.each<[AgentStatus, AgentStatus, boolean]>([
    ["joining", "idle", true],
    ["joining", "running", false],
    ["joining", "at_barrier", false],
    ["idle", "validating", true],
    ["idle", "preparing", true],
    ["idle", "running", true],
    ["running", "at_barrier", true],
    ["running", "preparing", false],
    ["preparing", "validating", false],
    ["at_barrier", "idle", true],
    ["at_barrier", "running", true],
    ["excluded", "idle", false],
    ["excluded", "running", false],
    ["excluded", "at_barrier", false],
    ["excluded", "failed", true],
    ["lost", "idle", true],
    ["lost", "running", false],
    ["lost", "excluded", true],
    ["completed", "idle", false],
    ["failed", "idle", false],
    ["aborting", "running", true],
  ])("%s → %s: %s", (from, to, legal) => {
    expect(isLegalAgentTransition(from, to)).toBe(legal);
  });

  it.each(AGENT_STATUSES)("%s may stay as it is, and reaches an end", (status) => {
    expect(isLegalAgentTransition(status, status)).toBe(true);
    const reached = new Set<AgentStatus>([status]);
    for (const from of reached) for (const to of AGENT_TRANSITIONS[from]) reached.add(to);
    expect(reached.has("completed") || reached.has("failed")).toBe(true);
  });
});
