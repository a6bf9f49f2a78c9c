import { describe, expect, it } from "vitest";
import { isLegalRunTransition, isOver, RUN_TRANSITIONS } from "../../src/run/transitions.ts";
import { RUN_STATUSES, type RunStatus } from "../../src/run/types.ts";

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
