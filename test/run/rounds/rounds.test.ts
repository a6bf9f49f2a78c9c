import { describe, expect, it } from "vitest";
import { RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import { begin, newPhases, summary } from "../../../src/run/machine.ts";
import { itemAt } from "../../../src/run/persistent-array.ts";
import { roundOf } from "../../../src/run/stage/attempt-id.ts";
import type { AttemptReport, Metric } from "../../../src/run/types.ts";
import { barrier, created, Group, plan, planStage, reliedOn, report, type StageOverrides } from "../builders.ts";

const THREE: readonly StageOverrides[] = [{ name: "build" }, { name: "test" }, { name: "judge" }];

function group(stages: readonly StageOverrides[] = THREE, size = 1): Group {
  return new Group(plan(stages), size).join();
}

/** Sends the group back when what is open now is over. */
function sendBack(of: Group, from: number, why = "not good enough"): void {
  const stage = of.state.segment?.last ?? -1;
  const round = itemAt(of.state.stages, stage)?.round ?? 0;
  of.send({ type: "repeat_requested", at: of.at, stage, round, from, why });
}

/** Lets everyone through what they are to do, until nobody has anything left or the stage is reached. */
function until(of: Group, stage: number): void {
  for (let steps = 0; steps < 1_000; steps++) {
    of.pass(1_000);
    if (of.state.segment?.first === stage || of.state.segment === null) return;
    of.finishAll();
  }
}

const rounds = (of: Group): readonly (readonly string[])[] =>
  summary(of.state).phases.map(({ name, status, earlier = [] }) => [name, ...earlier.map((one) => one.status), status]);

describe("a stage that is entered again", () => {
  it("has three rounds in the result and three attempts of its own when it is entered three times", () => {
    const of = group();
    const attempts: string[] = [];
    const told = new WeakSet();
    const news: (readonly string[])[] = [];
    for (let round = 1; round <= 3; round++) {
      until(of, 1);
      attempts.push(of.execute("agent-0").attempt);
      until(of, 2);
      news.push(newPhases(of.state, told).map(({ name }) => name));
      if (round < 3) sendBack(of, 1);
      of.finishAll();
    }
    expect(attempts).toEqual(["1.1.0.1", "1.2.0.1", "1.3.0.1"]);
    expect(news).toEqual([["build", "test"], ["test"], ["test"]]);
    expect(of.state.status).toBe("succeeded");
    expect(rounds(of)).toEqual([
      ["build", "success"],
      ["test", "success", "success", "success"],
      ["judge", "success", "success", "success"],
    ]);
    const [, , judge] = summary(of.state).phases;
    expect(judge?.earlier?.map(({ reason }) => reason)).toEqual([
      "sent back: not good enough",
      "sent back: not good enough",
    ]);
    expect(judge?.reason).toBeNull();
  });

  it("takes no word of the round before for its own", () => {
    const of = group();
    const { attempt } = of.execute("agent-0");
    sendBack(of, 0);
    of.finishAll();
    const again = of.execute("agent-0");
    expect(again.attempt).not.toBe(attempt);
    of.sync("agent-0", { stage: 0, finished: [report({ stage: 0, attempt })] });
    expect(of.execute("agent-0").attempt).toBe(again.attempt);
    expect(of.notices().at(-1)).toContain("is not in force");
  });

  it("begins with what it had before it ran", () => {
    const of = group([{ name: "build", timeoutMs: 60_000 }, { name: "test" }]);
    const told = (value: number): Partial<AttemptReport> => ({
      outputs: { [`key-${value}`]: value },
      metrics: [{ name: "size", value, unit: "", agg: "last", count: 1 } satisfies Metric],
    });
    of.finish("agent-0", { kind: "exited", code: 0 }, told(1));
    expect(of.state.outputs).toEqual({ build: { "key-1": 1 } });
    const { outputBytes } = of.state;
    sendBack(of, 0);
    of.finishAll();
    expect(of.state.outputs).toEqual({});
    of.pass(50_000);
    expect(of.execute("agent-0").until.at).toBeGreaterThan(of.at);
    of.finish("agent-0", { kind: "exited", code: 0 }, told(2));
    expect(of.state.outputs).toEqual({ build: { "key-2": 2 } });
    expect(of.state.outputBytes).toBe(outputBytes);
    expect(summary(of.state).phases[0]?.metrics[0]).toMatchObject({ value: 2, count: 1 });
    expect(summary(of.state).phases[0]?.earlier?.[0]?.metrics[0]).toMatchObject({ value: 1 });
  });

  it("counts its retries anew", () => {
    const of = group([{ name: "flaky", retry: { ...planStage({ name: "x" }).retry, maxAttempts: 2 } }]);
    for (const attempt of ["0.1.0.1", "0.2.0.1"]) {
      expect(of.execute("agent-0")).toMatchObject({ attempt, attemptNumber: 1 });
      of.finish("agent-0", { kind: "exited", code: 1 });
      of.pass(1_000);
      if (attempt === "0.1.0.1") sendBack(of, 0);
      of.finishAll();
    }
    expect(of.state.status).toBe("succeeded");
  });

  it("gives its tasks out again, and hears only who speaks of this round", () => {
    const tasks = {
      source: { kind: "list", values: ["a"] },
      concurrency: 1,
      maxFailures: 0,
      maxPreemptions: 1,
      needs: {},
    } as const;
    const of = group([{ name: "work", completion: "tasks_done", tasks }, { name: "judge" }]);
    const lease = (): string => of.execute("agent-0").leases[0]?.attempt ?? "none";
    of.sync("agent-0", { wants: 1 });
    const first = lease();
    sendBack(of, 0);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: first, task: "a" })] });
    of.sync("agent-0", { wants: 1 });
    expect(lease()).toBe("none");
    of.sync("agent-0", { wants: 1, attempts: [of.execute("agent-0").attempt] });
    expect([first, lease()]).toEqual(["0.1.t0.1", "0.2.t0.1"]);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: first, task: "a" })] });
    expect(itemAt(of.state.stages, 0)?.pool?.done).toBe(0);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: lease(), task: "a" })] });
    expect(itemAt(of.state.stages, 0)?.phase).toBe("closed");
  });
});

describe("a stage that another agent runs in its new round", () => {
  it("is not waited at as one's own by the one that ran it before", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const first = { runsOn: { kind: "first" }, barrier: best } as const;
    const of = group([{ name: "z", barrier: best }, { name: "a", ...first }, { name: "b" }], 2);
    of.pass(31_000, ["agent-0"]);
    of.finish("agent-1");
    expect(of.execute("agent-1").stage).toBe(1);
    of.sync("agent-0");
    sendBack(of, 1);
    of.finish("agent-1");
    expect(of.execute("agent-0")).toMatchObject({ stage: 1, attempt: "1.2.0.1" });
    expect(of.instruction("agent-1")).toMatchObject({ do: "wait", reason: "not_my_stage", stage: 1 });
  });
});

describe("going back", () => {
  it("waits until what is open is over, and closes all of it", () => {
    const none = { ...barrier, rule: { kind: "none" } } as const;
    const of = group([{ name: "a", barrier: none }, { name: "b" }, { name: "c" }], 2);
    of.finish("agent-0");
    sendBack(of, 0);
    expect(of.execute("agent-0").stage).toBe(1);
    of.finish("agent-0");
    of.finish("agent-1");
    of.finish("agent-1");
    expect(of.state.segment).toEqual({ first: 0, last: 1 });
    expect([...of.state.stages.flat()].map(({ round }) => round)).toEqual([2, 2, 1]);
    until(of, 9);
    expect(rounds(of)).toEqual([
      ["a", "success", "success"],
      ["b", "success", "success"],
      ["c", "success"],
    ]);
  });

  it.each([
    ["another round", { round: 2 }],
    ["a stage that is not open", { stage: 1 }],
    ["a stage that the plan lacks", { stage: 9 }],
    ["a way ahead", { from: 1 }],
  ])("is not asked for by a word about %s", (_what, change) => {
    const of = group();
    of.send({ type: "repeat_requested", at: of.at, stage: 0, round: 1, from: 0, why: "no", ...change });
    of.finishAll();
    expect(of.state.segment).toEqual({ first: 1, last: 1 });
  });

  it("comes after a failure: a run that has failed only cleans up", () => {
    const of = group([{ name: "work" }, { name: "cleanup", type: "cleanup", when: "always" }]);
    sendBack(of, 0);
    of.finish("agent-0", { kind: "exited", code: 1 });
    until(of, 9);
    expect(rounds(of)).toEqual([
      ["work", "failure"],
      ["cleanup", "success"],
    ]);
  });

  it("has an end", () => {
    const of = group([{ name: "work" }, { name: "cleanup", type: "cleanup", when: "always" }]);
    for (let round = 1; round <= RUN_BOUNDS.rounds; round++) {
      sendBack(of, 0);
      of.finish("agent-0");
    }
    expect(of.state.failure?.reason).toBe("work: sent back for the 100th time, which is the most (not good enough)");
    until(of, 9);
    expect(summary(of.state).phases[0]).toMatchObject({ status: "failure", worked: false });
    expect(summary(of.state).phases[0]?.earlier).toHaveLength(RUN_BOUNDS.rounds - 1);
  });

  it("tells of who was excluded before in each round of all stages", () => {
    const majority = { ...barrier, rule: { kind: "majority" } } as const;
    const of = group(
      [
        { name: "a", barrier: majority },
        { name: "b", barrier: majority },
      ],
      3,
    );
    of.finishAll();
    of.finish("agent-2", { kind: "exited", code: 1 });
    sendBack(of, 0);
    for (let round = 0; round < 3; round++) {
      of.finish("agent-0");
      of.finish("agent-1");
    }
    expect(of.state.status).toBe("succeeded");
    const [a, b] = summary(of.state).phases;
    const seen = (agents: readonly { readonly agent: string; readonly status: string }[] = []): string =>
      agents.map(({ agent, status }) => `${agent} ${status}`).find((text) => text.startsWith("agent-2")) ?? "nothing";
    expect([a?.earlier?.[0], a, b?.earlier?.[0], b].map((round) => seen(round?.agents))).toEqual([
      "agent-2 success",
      "agent-2 excluded",
      "agent-2 failure",
      "agent-2 excluded",
    ]);
  });
});

describe("a background command", () => {
  const STAGES: readonly StageOverrides[] = [
    { name: "server", background: { ready: null, until: "use" } },
    { name: "prepare" },
    { name: "use" },
    { name: "judge" },
  ];

  function at(stage: number): Group {
    const of = group(STAGES);
    of.sync("agent-0", { stage: 0, status: "running", ready: [0] });
    until(of, stage);
    return of;
  }

  it("is begun again when others rely on it that it was ended before, and nothing in between", () => {
    const of = at(3);
    expect(reliedOn(of)).toBe(0);
    sendBack(of, 2);
    of.finishAll();
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.1" });
    // The word of the one before may still be on its way.
    of.sync("agent-0", { stage: 0, status: "running", ready: [0] });
    expect(of.execute("agent-0").stage).toBe(0);
    of.sync("agent-0", { stage: 0, status: "running", ready: [0], attempts: ["0.2.0.1"] });
    expect(of.execute("agent-0").stage).toBe(2);
    until(of, 9);
    expect(rounds(of)).toEqual([
      ["server", "success", "success"],
      ["prepare", "success"],
      ["use", "success", "success"],
      ["judge", "success", "success"],
    ]);
  });

  it("is heard of in its round, when it was started again in that", () => {
    const of = at(3);
    sendBack(of, 2);
    of.finishAll();
    of.sync("agent-0", { stage: 0, status: "running", ready: [0], attempts: ["0.2.0.1"] });
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.b2" });
    of.sync("agent-0", { stage: 0, status: "running", ready: [0], attempts: ["0.2.0.1", "2.2.0.2"] });
    expect(of.execute("agent-0").stage).toBe(0);
    of.sync("agent-0", { stage: 0, status: "running", ready: [0], attempts: ["0.2.0.b2"] });
    expect(of.execute("agent-0").stage).toBe(2);
  });

  it("begins one new round where the group goes back to itself", () => {
    const of = at(3);
    sendBack(of, 0);
    of.finishAll();
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.1" });
  });

  it("goes on where the group goes back to a stage that relies on it", () => {
    const of = at(2);
    sendBack(of, 1);
    of.finishAll();
    expect(of.execute("agent-0")).toMatchObject({ stage: 1, attempt: "1.2.0.1" });
    expect(reliedOn(of)).toBe(1);
  });

  it("ends where the group goes back before it, and its end is no failure", () => {
    const of = at(2);
    sendBack(of, 0);
    of.finishAll();
    expect(reliedOn(of)).toBe(0);
    of.sync("agent-0", {
      stage: 0,
      finished: [report({ stage: 0, attempt: "0.1.0.1", end: { kind: "stopped", why: "" } })],
    });
    expect(of.state.failure).toBeNull();
    expect(of.execute("agent-0").attempt).toBe("0.2.0.1");
  });
});

describe("a run that was begun before stages had rounds", () => {
  const { version: _version, ...old } = created(plan(THREE), 1, 1_000_000);

  it("keeps the attempts that its agents and its stored events know, and gives others from its second round on", () => {
    const of = group();
    of.state = begin(old);
    of.join();
    expect(of.execute("agent-0").attempt).toBe("0.0.1");
    sendBack(of, 0);
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.0.1" })] });
    expect(of.execute("agent-0").attempt).toBe("0.2.0.1");
  });
});

describe("the round of an attempt", () => {
  it.each([
    ["3.2.0.1", 2],
    ["3.12.t7.1", 12],
    ["3.2.0.b2", 2],
    ["3.0.1", 1],
    ["3.4.1", 1],
    ["3.4", 1],
    ["3.t0.1", 1],
    ["cleanup-node-1-4", 1],
    ["a.b.c.d", 1],
  ])("%s: %i", (attempt, round) => {
    expect(roundOf(attempt)).toBe(round);
  });
});
