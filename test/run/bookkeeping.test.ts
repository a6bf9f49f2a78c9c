/** What a state keeps beside what it decides: when it must be stored, what is shown of it, and words that others store. */
import { describe, expect, it } from "vitest";
import { Draft, remarksText } from "../../src/run/draft.ts";
import { WAIT_REASONS } from "../../src/run/instruction.ts";
import * as types from "../../src/run/types.ts";
import { agentIdentity, jobIdentity } from "../../src/run/types.ts";
import { barrier, Group, joined, plan, report, type StageOverrides } from "./builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const cleanup = { name: "cleanup", when: "always" } as const;

function group(stages: readonly StageOverrides[] = [{ name: "a" }, { name: "b" }, cleanup], size = 2): Group {
  return new Group(plan(stages), size).join();
}

const left = (of: Group, name: string) =>
  of.send({ type: "left", at: of.at, agent: name, session: `${name}#1`, why: "SIGTERM" });

describe("the revision of a state", () => {
  const assembling = (): Group => new Group(plan([{ name: "a" }], { assembly: { timeoutMs: 60_000, atLeast: 1 } }), 4);
  const absent = (...names: readonly string[]) => names.map((name) => ({ id: agentIdentity(name), why: "gone" }));

  it.each<[string, () => Group, (of: Group) => void]>([
    ["somebody joins", assembling, (of) => of.join("x")],
    [
      "somebody is said not to come",
      assembling,
      (of) => of.send({ type: "not_coming", at: of.at, absent: absent("x") }),
    ],
    [
      "somebody comes after all",
      () => {
        const of = assembling();
        of.send({ type: "not_coming", at: of.at, absent: absent("x") });
        return of;
      },
      (of) => of.join("x"),
    ],
    ["the group is complete", () => assembling().join("x", "y", "z"), (of) => of.join("w")],
    ["an agent begins its work", group, (of) => of.sync("agent-0")],
    ["an agent ends its work", group, (of) => of.finish("agent-0")],
    ["an agent is silent", group, (of) => of.send({ type: "ticked", at: of.at + 5_000 })],
    ["an agent is lost", () => group().pass(29_000, ["agent-1"]), (of) => of.pass(2_000, ["agent-1"])],
    ["an agent leaves", () => group([{ name: "a", barrier: best }]), (of) => left(of, "agent-1")],
    [
      "an agent is reset",
      group,
      (of) => of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "" }),
    ],
    ["the run fails", group, (of) => of.finish("agent-0", fails)],
    ["a stage is approved", group, (of) => of.send({ type: "approved", at: of.at, stage: 1, by: "ann" })],
    ["the coordinator is back", group, (of) => of.send({ type: "coordinator_started", at: of.at + 1 })],
    ["an agent's word is rejected", group, (of) => of.sync("agent-0", { addTasks: [1] })],
    [
      "a stage is to lead back",
      group,
      (of) => of.send({ type: "repeat_requested", at: of.at, stage: 0, round: 1, from: 0, why: "" }),
    ],
  ])("rises when %s", (_name, before, happens) => {
    const of = before();
    const { revision, noticeSeq } = of.state;
    happens(of);
    expect(of.state.revision).toBeGreaterThan(revision);
    expect(of.state.noticeSeq).toBeGreaterThanOrEqual(noticeSeq);
  });

  it("stays with what is known, what is only a sign of life, and what concerns nobody", () => {
    const of = group();
    of.sync("agent-0");
    const { revision, steps } = of.state;
    of.at += 1_000;
    of.sync("agent-0", { doing: "more", progress: { done: 1, total: 2, errors: 0 }, sequence: 4 });
    of.send({ type: "ticked", at: of.at });
    of.send({ type: "heard", at: of.at, agent: "agent-1", session: "agent-1#1" });
    of.send({ type: "not_coming", at: of.at, absent: absent("stranger") });
    of.send({ type: "coordinator_started", at: of.at });
    expect(of.state).toMatchObject({ revision, steps });
  });
});

describe("the time at which agents are looked through", () => {
  it("is none where all of them are gone, and nothing that JSON does not know", () => {
    const of = new Group(plan([{ name: "a" }]), 2).join("agent-0");
    of.pass(31_000, of.names);
    expect(of.state).toMatchObject({ status: "assembling", living: 0, sweepAt: null });
    expect(JSON.parse(JSON.stringify(of.state))).toEqual(of.state);
  });
});

describe("the revision of a state with tasks", () => {
  it("stays with those who want none, and with those who wait", () => {
    const tasks = {
      source: { kind: "list", values: ["x"] },
      concurrency: 2,
      maxFailures: 0,
      maxPreemptions: 1,
      needs: {},
    } as const;
    const of = group([{ name: "a", type: "prepare", completion: "tasks_done", tasks }]);
    of.sync("agent-0", { wants: 1 });
    of.sync("agent-1", { wants: 1 });
    of.sync("agent-0");
    const { revision } = of.state;
    of.sync("agent-0", { wants: 0 });
    of.sync("agent-1", { wants: 1 });
    expect(of.state.revision).toBe(revision);
  });
});

describe("the steps of a run", () => {
  it("rise whenever another result is to be shown", () => {
    const of = group([{ name: "a" }, { name: "b", when: "on_failure" }, { name: "c" }, cleanup]);
    let { steps } = of.state;
    const rises = (happens: () => void, by = true): void => {
      happens();
      expect(of.state.steps > steps).toBe(by);
      ({ steps } = of.state);
    };
    rises(() => of.sync("agent-0"), false);
    rises(() => of.finish("agent-0"), false);
    rises(() => of.finish("agent-1"));
    rises(() => of.finish("agent-1", fails));
    const back = group([{ name: "a" }]);
    back.send({ type: "repeat_requested", at: back.at, stage: 0, round: 1, from: 0, why: "" });
    ({ steps } = back.state);
    back.finishAll();
    // Closed, gone back from, begun again.
    expect(back.state.steps).toBe(steps + 3);
    // Begun, assembled, its first stage begun; or cancelled before.
    expect(group([{ name: "a" }]).state.steps).toBe(3);
    const cancelled = new Group(plan([{ name: "a" }]), 2);
    cancelled.send({ type: "cancelled", at: cancelled.at, by: "ann", why: "no" });
    expect(cancelled.state.steps).toBe(2);
    const waiting = group([
      { name: "a", when: "on_failure" },
      { name: "b", checkpoint: true },
    ]);
    expect(waiting.state.steps).toBe(group([{ name: "b", checkpoint: true }]).state.steps + 1);
  });
});

describe("who is there", () => {
  it("is counted as agents come, go and are left out", () => {
    const of = new Group(plan([{ name: "a", barrier: { ...barrier, rule: { kind: "majority" } } }, { name: "b" }]), 5);
    const living: number[] = [];
    const note = (): number => living.push(of.state.living);
    of.join("agent-0", "agent-1");
    note();
    of.join("agent-2", "agent-3", "agent-4");
    note();
    of.finish("agent-4", fails);
    note();
    left(of, "agent-4");
    note();
    left(of, "agent-3");
    note();
    of.send(joined("agent-3", of.at, { session: "second" }));
    note();
    expect(living).toEqual([2, 5, 4, 4, 3, 3]);
  });
});

describe("remarks on a stage", () => {
  it("are kept up to ten, and three of them are said", () => {
    const reason = (size: number): string | null => {
      const of = group([{ name: "a", optional: true }], size);
      of.finishAll(fails);
      const run = of.state.stages.flat()[0];
      expect(run?.failures.count).toBe(size);
      expect(run?.failures.texts).toHaveLength(Math.min(size, 10));
      return run?.reason ?? null;
    };
    const three = "agent-0: exit code 1; agent-1: exit code 1; agent-2: exit code 1";
    expect(reason(3)).toBe(three);
    expect(reason(4)).toBe(`${three}; and 1 more`);
    expect(reason(12)).toBe(`${three}; and 9 more`);
    expect(remarksText({ texts: ["x", "y"], count: 2 }, 1)).toBe("x; and 1 more");
  });
});

describe("faults of the program", () => {
  it("are said rather than worked with", () => {
    const draft = new Draft(group([{ name: "a" }], 1).state);
    expect(() => draft.planned(1)).toThrow("the plan has no stage 1");
    expect(() => draft.stage(1)).toThrow("the plan has no stage 1");
    expect(() => draft.agent(1)).toThrow("there is no agent in position 1");
    expect(() => draft.pool(0)).toThrow("stage 0 has no tasks");
    expect(() => draft.editPool(0, {})).toThrow("stage 0 has no tasks");
    expect(() => draft.setRunStatus("assembling")).toThrow("a run cannot go from running to assembling");
    const alone = new Draft(new Group(plan([{ name: "a" }]), 2).join("agent-0").state);
    expect(() => alone.editAssignment(0, {})).toThrow("agent-0 has no assignment to change");
  });
});

describe("words that agents of other versions, and stored runs, know", () => {
  it("stay as they are", () => {
    expect(types.RUN_STATUSES).toEqual(["assembling", "running", "aborting", "succeeded", "failed", "cancelled"]);
    expect(types.AGENT_STATUSES).toEqual([
      "joining",
      "idle",
      "validating",
      "preparing",
      "running",
      "at_barrier",
      "completed",
      "failed",
      "aborting",
      "excluded",
      "lost",
    ]);
    expect(types.TIME_LIMITS).toEqual(["duration", "max_duration", "attempt_timeout", "timeout", "deadline"]);
    expect(types.AGGREGATIONS).toEqual(["sum", "mean", "min", "max", "last"]);
    expect(types.DECISIONS).toEqual(["PASS", "RETRY", "FAIL"]);
    expect(WAIT_REASONS).toEqual([
      "assembly",
      "start",
      "barrier",
      "retry",
      "tasks",
      "not_my_stage",
      "ready",
      "checkpoint",
    ]);
    expect([agentIdentity("x"), jobIdentity("7")]).toEqual(["agent x", "job 7"]);
  });

  it("and so do the first event's", () => {
    const { plan: of, ...rest } = group([{ name: "a" }], 1).state;
    const spec = { key: rest.key, plan: of, selection: rest.selection, agentCount: 1 };
    expect(types.runCreated(spec, 5)).toStrictEqual({ type: "created", version: 2, at: 5, ...spec });
    const carried = { succeeded: ["z"], outputs: {} };
    expect(types.runCreated({ ...spec, carried }, 5)).toEqual({ type: "created", version: 2, at: 5, ...spec, carried });
    expect(types.termsOf({ ...spec, ...{ other: 1 } })).toEqual(spec);
  });
});

describe("an agent that drops and finishes at once", () => {
  it("has the last word of what it says first", () => {
    const of = group([{ name: "a", barrier: best }, { name: "b" }]);
    const { attempt } = of.execute("agent-0");
    const told = report({ stage: 0, attempt });
    of.sync("agent-0", { finished: [told, { ...told, end: fails }] });
    expect(of.state.stages.flat()[0]?.results.flat()[0]?.status).toBe("success");
  });
});

it("where the first whose outcome is to come are far behind, that is stored as it is", () => {
  const roles = { idle: 64, late: 1 };
  const of = new Group(plan([{ name: "a", role: "late" }], { roles }), 65).join();
  const pending = of.state.stages.flat()[0]?.pendingByChunk;
  expect(pending?.at(-1)).toBe(1);
  expect(JSON.parse(JSON.stringify(pending))).toEqual(pending);
});
