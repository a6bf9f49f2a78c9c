/** What the machine takes from whom: messages, their order, their place. */
import { describe, expect, it } from "vitest";
import { WIRE_BOUNDS } from "../../src/plan/bounds.ts";
import { apply, applyAll, begin, explain, noticesFor } from "../../src/run/machine.ts";
import type { RunEvent, Sync } from "../../src/run/types.ts";
import { barrier, created, Group, joined, plan, report, retrying, type StageOverrides, synced } from "./builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const source = { kind: "list", values: ["x"] } as const;
const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 9, needs: {} } as const;
const work = { name: "work", type: "prepare", completion: "tasks_done", tasks } as const;

function group(stages: readonly StageOverrides[], size = 2): Group {
  return new Group(plan(stages), size).join();
}

const first = (of: Group, slot = 0) => {
  const agent = of.state.agents.flat()[slot];
  if (agent === undefined) throw new Error(`there is no agent ${slot}`);
  return agent;
};

describe("events", () => {
  it("together come to what they come to one after the other", () => {
    const start = begin(created(plan([{ name: "a" }, { name: "b" }]), 2, 0));
    const events: readonly RunEvent[] = [
      joined("x", 1),
      joined("y", 2),
      created(plan([{ name: "other" }]), 1, 3),
      synced("x", 500, { stage: 0, status: "running", sequence: 1 }),
      synced("x", 600, { stage: 0, sequence: 2, finished: [report({ stage: 0, attempt: "0.1.0.1" })] }),
      { type: "ticked", at: 700 },
      { type: "left", at: 800, agent: "y", session: "y#1", why: "SIGTERM" },
    ];
    expect(applyAll(start, events)).toEqual(events.reduce(apply, start));
    expect(applyAll(null, [created(start.plan, 2, 0), ...events])).toEqual(events.reduce(apply, start));
  });

  it("that are none change nothing, and neither does what comes after the end", () => {
    const of = group([{ name: "a" }], 1);
    expect(applyAll(of.state, [])).toBe(of.state);
    of.finish("agent-0");
    expect(applyAll(of.state, [{ type: "ticked", at: of.at + 1 }])).toBe(of.state);
    expect(() => applyAll(null, [])).toThrow("there is no event to begin a run with");
    const end = applyAll(group([{ name: "a" }], 1).state, [
      { type: "cancelled", at: of.at, by: "ann", why: "no" },
      { type: "approved", at: of.at, stage: 0, by: "bob" },
    ]);
    expect(end.notices.map(({ text }) => text)).not.toContain("bob approved a");
  });
});

describe("notices", () => {
  it("are told from a number on, to those whom they concern", () => {
    const of = group([{ name: "a" }, { name: "b" }, { name: "c" }]);
    of.send({ type: "approved", at: of.at, stage: 2, by: "ann" });
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    of.send({ type: "approved", at: of.at, stage: 1, by: "ann" });
    const texts = (agent: string, after?: number) => noticesFor(of.state, agent, after).map(({ seq }) => seq);
    expect(of.state.notices.map(({ seq, agent }) => [seq, agent])).toEqual([
      [1, null],
      [2, "agent-0"],
      [3, "agent-0"],
      [4, null],
    ]);
    expect(texts("agent-0")).toEqual([1, 2, 3, 4]);
    expect(texts("agent-0", 2)).toEqual([3, 4]);
    expect(texts("agent-1")).toEqual([1, 4]);
    expect(texts("agent-1", 3)).toEqual([4]);
    expect(texts("agent-1", 4)).toEqual([]);
  });

  it("say the same about everyone once at one time, and about one agent once in a row", () => {
    const of = group([{ name: "a" }]);
    const stranger = (agent: string, at: number): void => of.send(synced(agent, at));
    for (const at of [of.at, of.at + 1_000]) stranger("mallory", at);
    expect(of.notices()).toHaveLength(1);
    stranger("eve", of.at);
    stranger("mallory", of.at);
    expect(of.notices()).toHaveLength(3);
    of.send({ type: "coordinator_started", at: of.at + 2_000 });
    of.send({ type: "coordinator_started", at: of.at + 3_000 });
    expect(of.notices().filter((text) => text.startsWith("the coordinator is back"))).toHaveLength(2);
  });

  it("are kept up to two hundred, and shortened where they are long", () => {
    const of = group([{ name: "a" }]);
    for (let at = 0; at < 210; at++) of.send(synced(`x${at}`, of.at));
    expect(of.state.notices.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, at) => at + 11));
    const texts = (length: number) => {
      of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "y".repeat(length) });
      return of.notices().find((text) => text.startsWith("agent-0 was reset")) ?? "";
    };
    const exact = 1_000 - "agent-0 was reset: ".length;
    expect(texts(exact)).toHaveLength(1_000);
    expect(texts(exact).endsWith("y")).toBe(true);
    const more = group([{ name: "a" }]);
    more.send({ type: "reset", at: more.at, agent: "agent-0", session: "agent-0#1", why: "y".repeat(exact + 1) });
    const [cut = ""] = more.notices();
    expect([cut.length, cut.slice(-2)]).toEqual([1_000, "y…"]);
  });
});

describe("time without the coordinator", () => {
  it.each([
    [5_000, false],
    [5_001, true],
  ])("that nobody let pass for %i ms beyond what was due: forgiven %s", (late, isForgiven) => {
    const of = group([{ name: "a" }]);
    of.send({ type: "ticked", at: of.at + 5_000 + late });
    const said = of.notices().filter((text) => text.startsWith("the coordinator stood still"));
    expect(said).toEqual(isForgiven ? ["the coordinator stood still for 5 s, which does not count"] : []);
    expect(of.notices().some((text) => text.includes("has been silent for 10 s"))).toBe(!isForgiven);
  });

  it("is none when it comes back at once", () => {
    const of = group([{ name: "a" }]);
    const { notices } = of.state;
    of.send({ type: "coordinator_started", at: of.at });
    of.send({ type: "coordinator_started", at: of.at - 5 });
    expect(of.state.notices).toEqual(notices);
  });
});

describe("a message", () => {
  it("of a session is taken once, in the order of its numbers", () => {
    const of = group([{ name: "a" }]);
    const say = (sequence: number, doing: string) => of.send(synced("agent-0", of.at, { sequence, doing }));
    say(1, "one");
    expect(first(of).doing).toBe("one");
    say(1, "again");
    say(0, "before");
    expect(first(of).doing).toBe("one");
    say(2, "two");
    expect(first(of).doing).toBe("two");
    of.at += 6_000;
    of.send(joined("agent-0", of.at, { session: "second" }));
    of.send(synced("agent-0", of.at, { session: "second", sequence: 1, doing: "anew" }));
    expect(first(of).doing).toBe("anew");
  });

  it("that resets is taken once, too", () => {
    const of = group([{ name: "a" }]);
    const reset = (sequence: number, session = "agent-0#1") =>
      of.send({ type: "reset", at: of.at, agent: "agent-0", session, why: "SIGHUP", sequence });
    reset(1);
    expect(of.execute("agent-0").attempt).toBe("0.1.0.2");
    reset(1);
    reset(0);
    expect(of.execute("agent-0").attempt).toBe("0.1.0.2");
    reset(2);
    expect(of.execute("agent-0").attempt).toBe("0.1.0.3");
    of.at += 6_000;
    of.send(joined("agent-0", of.at, { session: "second" }));
    expect(of.execute("agent-0").attempt).toBe("0.1.0.4");
    reset(1, "second");
    expect(of.execute("agent-0").attempt).toBe("0.1.0.5");
    expect(of.notices()).toContain("agent-0 was reset: SIGHUP");
  });

  it("of somebody who is not in the group is said, and nothing else", () => {
    const of = group([{ name: "a" }]);
    const events: readonly RunEvent[] = [
      synced("mallory", of.at),
      { type: "reset", at: of.at, agent: "mallory", session: "x", why: "" },
      { type: "left", at: of.at, agent: "mallory", session: "x", why: "" },
    ];
    const { agents, stages } = of.state;
    for (const event of events) of.send(event);
    expect(of.state).toMatchObject({ agents, stages, status: "running" });
    expect(of.notices()).toEqual(["ignored a message of mallory, who is not in this group"]);
  });

  it("that an agent leaves may come twice, and is said once", () => {
    const of = group([{ name: "a", barrier: best }]);
    const left: RunEvent = { type: "left", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" };
    of.send(left);
    const { notices } = of.state;
    of.send(left);
    expect(of.state.notices).toEqual(notices);
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(of.notices().at(-1)).toBe("rejected: a message of an old session of agent-0");
    const other = group([{ name: "a", barrier: best }]);
    other.send({ ...left, session: "another" });
    expect(other.notices()).toEqual(["rejected: a message of an old session of agent-0"]);
  });

  it("may say what it does at some length", () => {
    const of = group([{ name: "a" }]);
    of.sync("agent-0", { doing: "y".repeat(WIRE_BOUNDS.doing + 1) });
    expect(first(of).doing).toBe("y".repeat(WIRE_BOUNDS.doing));
  });
});

describe("who joins again", () => {
  it("keeps what it does not say anew", () => {
    const of = new Group(plan([{ name: "a" }]), 2);
    of.send(joined("agent-0", of.at, { address: "10.0.0.1", checkRunId: "7" }));
    of.send(joined("agent-1", of.at));
    of.at += 6_000;
    of.send(joined("agent-0", of.at, { session: "second" }));
    expect(first(of)).toMatchObject({ session: "second", address: "10.0.0.1", checkRunId: "7" });
    expect(of.notices()).toContain("agent-0 joined again");
    of.at += 6_000;
    of.send(joined("agent-0", of.at, { session: "third", address: "10.0.0.2", checkRunId: "8" }));
    expect(first(of)).toMatchObject({ session: "third", address: "10.0.0.2", checkRunId: "8" });
  });
});

describe("an approval", () => {
  it("is taken once, of a stage that there is", () => {
    const of = group([{ name: "a" }, { name: "b", checkpoint: true }]);
    for (const stage of [1, 1, 2, -1]) of.send({ type: "approved", at: of.at, stage, by: "ann" });
    expect(of.state.approved).toEqual([1]);
    expect(of.notices()).toEqual(["ann approved b"]);
  });
});

describe("what an agent says of its status", () => {
  const statusOf = (of: Group) => explain(of.state).agents[0]?.status;

  it.each<[string, Partial<Sync>, string]>([
    ["that it runs", { status: "running" }, "running"],
    ["that it prepares", { status: "preparing" }, "running"],
    ["that it validates", { status: "validating" }, "running"],
    ["that it waits", { status: "idle" }, "idle"],
    ["that it stands at a barrier", { status: "at_barrier" }, "idle"],
    ["that it runs another stage", { status: "running", stage: 1 }, "idle"],
    ["that it runs no stage", { status: "running", stage: null }, "idle"],
    [
      "an end of another attempt",
      { status: "running", finished: [report({ stage: 0, attempt: "0.1.0.9" })] },
      "running",
    ],
    ["its end", { status: "running", finished: [report({ stage: 0, attempt: "0.1.0.1" })] }, "at_barrier"],
  ])("is believed of the attempt in force: %s", (_name, say, status) => {
    const of = group([{ name: "a" }, { name: "b" }]);
    of.sync("agent-0", { stage: 0, status: "idle", ...say });
    expect(statusOf(of)).toBe(status);
  });

  it("is not about the attempt that follows the one that it ends", () => {
    const of = group([{ name: "a", retry: retrying({ backoffMs: 0 }) }]);
    of.sync("agent-0", { status: "running", finished: [report({ stage: 0, attempt: "0.1.0.1", end: fails })] });
    expect([of.execute("agent-0").attempt, statusOf(of)]).toEqual(["0.1.0.2", "idle"]);
  });

  it("counts no progress before it runs, of another stage, or after its end", () => {
    const of = group([{ name: "a" }, { name: "b" }]);
    const done = () => of.state.stages.flat()[0]?.done;
    const progress = (count: number) => ({ progress: { done: count, total: null, errors: 0 } });
    of.sync("agent-0", { status: "idle", ...progress(1) });
    expect(done()).toBe(0);
    of.sync("agent-0", { status: "running", ...progress(2) });
    expect(done()).toBe(2);
    of.sync("agent-0", { status: "idle", ...progress(3) });
    expect(done()).toBe(3);
    of.sync("agent-0", { status: "running", stage: 1, ...progress(4) });
    of.sync("agent-0", { status: "running" });
    expect(done()).toBe(3);
    of.finish("agent-0", undefined, progress(5));
    of.sync("agent-0", { stage: 0, status: "running", ...progress(6) });
    expect(done()).toBe(5);
  });
});

describe("tasks that an agent lists", () => {
  const rejected = (count: number) => `rejected: ${count} tasks for a stage that takes none`;

  it.each<[string, readonly StageOverrides[], Partial<Sync>, boolean]>([
    ["in a stage with tasks", [work], { stage: 0 }, true],
    ["in a stage without", [{ name: "a" }, work], { stage: 0 }, false],
    ["in a stage that is not begun", [{ name: "a" }, work], { stage: 1 }, false],
    ["in none", [work], { stage: null }, false],
  ])("are taken where they belong: %s", (_name, stages, say, isTaken) => {
    const of = group(stages);
    of.sync("agent-0", { status: "running", addTasks: ["y", "z"], ...say });
    expect(of.notices()).toEqual(isTaken ? [] : [rejected(2)]);
    expect(of.state.stages.flat().some(({ pool }) => pool?.open === 3)).toBe(isTaken);
  });

  it("are not taken when the stage is over, or ending", () => {
    const of = group([work, { name: "b" }], 1);
    of.sync("agent-0", { wants: 1 });
    of.sync("agent-0", { finished: [report({ stage: 0, task: "x", attempt: "0.1.t0.1" })] });
    of.sync("agent-0", { stage: 0, addTasks: ["late"] });
    expect(of.notices()).toEqual([rejected(1)]);
    const ending = group([{ ...work, type: "hybrid", completion: "duration_or_tasks", maxDurationMs: 5_000 }], 1);
    ending.sync("agent-0", { wants: 1 });
    ending.pass(7_000);
    expect(ending.instruction("agent-0").do).toBe("stop");
    ending.sync("agent-0", { stage: 0, addTasks: ["late"] });
    expect(ending.notices().at(-1)).toBe(rejected(1));
  });

  it("are leased in the answer, also when they came with the word that one is wanted", () => {
    const of = group([{ ...work, tasks: { ...tasks, source: { kind: "from", command: "./list" } } }], 1);
    of.sync("agent-0", { status: "running", wants: 1, addTasks: ["y"] });
    expect(of.execute("agent-0").leases.map(({ task }) => task)).toEqual(["y"]);
  });
});

describe("that a background command is ready", () => {
  const server = { name: "server", background: { ready: null, until: "b" } } as const;
  const isReady = (of: Group) => first(of).backgrounds.map(({ ready }) => ready);

  it("is taken once, with what it told until then", () => {
    const of = group([server, { name: "b" }]);
    of.pass(3_000);
    const { startAt } = of.execute("agent-0");
    of.sync("agent-0", { ready: [0], outputs: { url: "one", port: 1 } });
    of.sync("agent-0", { stage: 0, ready: [0], outputs: { url: "two" } });
    expect(isReady(of)).toEqual([true]);
    expect(of.state.backgrounds).toBe(1);
    of.sync("agent-1", { ready: [0] });
    expect(of.state.outputs).toEqual({ server: { url: "one", port: 1 } });
    expect(of.state.stages.flat()[0]?.results.flat()[0]).toMatchObject({ status: "success", startedAt: startAt });
  });

  it("is so since its first attempt began", () => {
    const of = group([{ ...server, retry: retrying({ backoffMs: 0 }) }, { name: "b" }], 1);
    of.pass(4_000);
    of.finish("agent-0", fails, { startedAt: of.at - 3_000, endedAt: of.at });
    const since = of.at - 3_000;
    of.pass(2_000);
    of.sync("agent-0", { ready: [0] });
    expect(of.state.stages.flat()[0]?.results.flat()[0]).toMatchObject({
      startedAt: since,
      endedAt: of.at,
      attempts: 2,
    });
  });

  it.each<[string, readonly StageOverrides[], Partial<Sync>]>([
    ["a stage that is none", [{ name: "a" }, server, { name: "b" }], { ready: [0] }],
    ["a stage that is not begun", [{ name: "a" }, server, { name: "b" }], { ready: [1] }],
    ["a stage that the plan lacks", [server, { name: "b" }], { ready: [7] }],
  ])("is not taken of %s", (_name, stages, say) => {
    const of = group(stages);
    of.sync("agent-0", say);
    expect(isReady(of)).toEqual([]);
    expect(of.execute("agent-0").stage).toBe(0);
  });

  it("is not taken once the run has failed, and shows no outputs of another stage", () => {
    const of = group([server, { name: "b" }]);
    of.sync("agent-0", { status: "running" });
    of.sync("agent-1", { status: "running" });
    of.finish("agent-1", fails);
    of.sync("agent-0", { stage: 0, ready: [0] });
    expect(isReady(of)).toEqual([]);
    const other = group([server, { name: "b" }]);
    other.sync("agent-0", { stage: 1, ready: [0], outputs: { url: "one" } });
    other.sync("agent-1", { ready: [0] });
    expect(other.state.outputs).toEqual({});
    expect(other.execute("agent-0").stage).toBe(1);
  });
});
