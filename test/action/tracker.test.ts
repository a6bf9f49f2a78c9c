/** What a check run says of a run that goes on, made from what is new of it alone. */
import { expect, it } from "vitest";
import { Tracker } from "../../src/action/output/tracker.ts";
import type { AgentEvent } from "../../src/agent/log.ts";
import { phase as phaseRecord } from "../report/builders.ts";

const started = (index: number, name: string): AgentEvent =>
  ({ kind: "started", stage: { index, name }, task: null, attemptNumber: 1 }) as AgentEvent;

it("counts each stage once, in the plan's order, and not while it is gone through again", () => {
  const tracker = new Tracker({ planName: "p", stages: ["a", "b"], startedAt: 0 });
  const first = phaseRecord({ stage: 0, name: "a", startedAt: 0, completedAt: 2_000 });
  const second = phaseRecord({ stage: 1, name: "b", startedAt: 2_000, completedAt: 3_000 });
  const done = () => tracker.progress(5_000).done.map(({ name }) => name);
  expect(tracker.judged([second])).toBe(true);
  expect(tracker.judged([first])).toBe(true);
  expect(done()).toEqual(["a", "b"]);
  expect(tracker.judged([first])).toBe(false);
  expect(done()).toEqual(["a", "b"]);
  expect(tracker.follow(started(1, "b"))).toBe(true);
  expect(done()).toEqual(["a"]);
  expect(tracker.judged([{ ...second, status: "failure", reason: "it broke" }])).toBe(true);
  expect(tracker.progress(5_000).done[1]).toEqual({ name: "b", how: "failure in 1.0 s: it broke" });
  expect(tracker.judged([{ ...second, stage: 2, completedAt: null }])).toBe(false);
});
