/** What a result tells of each stage, whole: nothing more, and nothing less. */
import { describe, expect, it } from "vitest";
import { begin, summary } from "../../../src/run/machine.ts";
import { hasHistogramsToMerge, type MergeHistograms } from "../../../src/run/result/summary.ts";
import type { AttemptReport } from "../../../src/run/types.ts";
import {
  barrier,
  created,
  Group,
  joined,
  machineOf,
  plan,
  report,
  retrying,
  type StageOverrides,
} from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const ok = { kind: "exited", code: 0 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;

function group(stages: readonly StageOverrides[], size = 1): Group {
  return new Group(plan(stages), size).join();
}

function told(of: Group, agent: string, more: Partial<AttemptReport>): Group {
  of.finish(agent, undefined, more);
  return of;
}

describe("a run's result", () => {
  it("tells of a stage all that is known of it", () => {
    const metric = { name: "ops", value: 7, unit: "1/s", agg: "sum", count: 2 } as const;
    const other = { name: "p99", value: 3, unit: "ms", agg: "max", count: 1 } as const;
    const annotation = { path: "a.ts", line: 3, level: "warning", title: "t", message: "m" } as const;
    const stages = [
      {
        name: "a",
        description: "the first",
        order: 4,
        line: 5,
        column: 6,
        barrier: best,
        retry: retrying({ backoffMs: 0 }),
        expect: [
          { metric: "ops", comparison: ">", value: 5 },
          { metric: "ops", comparison: "<", value: 9 },
        ],
      },
      { name: "b", when: "on_failure" },
      { name: "c", optional: true },
    ] as const;
    const of = group(stages, 2);
    const { at } = of;
    const { startAt } = of.execute("agent-0");
    of.pass(5_000);
    of.finish("agent-1", fails);
    of.finish("agent-1", fails, { tail: "oh no", startedAt: startAt + 3_000, endedAt: startAt + 3_500 });
    of.finish("agent-0", undefined, {
      startedAt: startAt + 1_000,
      endedAt: startAt + 4_000,
      tail: "done",
      metrics: [metric, other],
      histograms: { h: "AAAA" },
      outputs: { key: [1] },
      annotations: [annotation],
      progress: { done: 3, total: 9, errors: 1 },
    });
    of.finish("agent-0");
    of.finish("agent-1");
    const [a, b, c, ...more] = summary(of.state).phases;
    expect(a).toEqual({
      stage: 0,
      name: "a",
      description: "the first",
      order: 4,
      line: 5,
      column: 6,
      optional: false,
      status: "warning",
      worked: true,
      reason: "agent-1: exit code 1, after 2 attempts",
      startedAt: startAt + 1_000,
      completedAt: at + 5_000,
      retryCount: 1,
      progress: { done: 3, total: null, errors: 1 },
      metrics: [
        { ...metric, expected: "> 5 and < 9", met: true },
        { ...other, expected: null, met: null },
      ],
      agents: [
        {
          agent: "agent-0",
          index: 0,
          status: "success",
          startedAt: startAt + 1_000,
          endedAt: startAt + 4_000,
          attempts: 1,
          reason: null,
          tail: "done",
          end: ok,
          measured: [metric, other],
        },
        {
          agent: "agent-1",
          index: 1,
          status: "failure",
          startedAt: at + 5_000,
          endedAt: at + 5_000,
          attempts: 2,
          reason: "exit code 1, after 2 attempts",
          tail: "oh no",
          end: fails,
        },
      ],
      tasks: null,
      histograms: { h: "AAAA" },
      outputs: { key: [1] },
      annotations: [{ ...annotation, agent: "agent-0" }],
    });
    expect(b).toEqual({
      stage: 1,
      name: "b",
      description: null,
      order: 2,
      line: 1,
      column: 1,
      optional: false,
      status: "skipped",
      worked: false,
      reason: "runs only after a failure",
      startedAt: null,
      completedAt: null,
      retryCount: 0,
      progress: null,
      metrics: [],
      agents: [],
      tasks: null,
      histograms: {},
      outputs: {},
      annotations: [],
    });
    expect(c?.agents[0]).not.toHaveProperty("measured");
    expect(c).toMatchObject({ stage: 2, optional: true, status: "success", reason: null });
    expect(more).toEqual([]);
    expect(summary(of.state).machines?.map(({ agent, index, role }) => [agent, index, role])).toEqual([
      ["agent-0", 0, null],
      ["agent-1", 1, null],
    ]);
  });

  it("says in one sentence where the run stands", () => {
    const stages = ["a", "b", "c", "d", "e", "f"].map((name) => ({ name, optional: true }));
    const of = group(stages);
    const told = () => summary(of.state).message;
    expect(told()).toBe("the run is running");
    expect(summary(of.state).phases).toEqual([]);
    for (let stage = 0; stage < 5; stage++) of.finish("agent-0", fails);
    of.finish("agent-0");
    expect(told()).toBe("6 stages succeeded, 5 of them with warnings (a, b, c, d, e)");
    const all = group(stages);
    for (let stage = 0; stage < 6; stage++) all.finish("agent-0", fails);
    expect(summary(all.state).message).toBe("6 stages succeeded, 6 of them with warnings (a, b, c, d, e, …)");
    const one = group([{ name: "a" }, { name: "b", when: "on_failure" }]);
    one.finish("agent-0");
    expect(summary(one.state)).toMatchObject({ message: "1 stage succeeded, 1 skipped", verdict: "success" });
    const none = group([{ name: "b", when: "on_failure" }]);
    expect(summary(none.state).message).toBe("0 stages succeeded, 1 skipped");
    expect(summary(begin(created(plan(stages), 2))).message).toBe("the run is assembling");
  });

  it("names the stage that failed, and none where none did", () => {
    const failed = group([{ name: "a" }, { name: "b" }]);
    failed.finish("agent-0", fails);
    expect(summary(failed.state)).toMatchObject({ verdict: "failure", failedStage: "a" });
    const cancelled = group([{ name: "a" }]);
    cancelled.send({ type: "cancelled", at: cancelled.at, by: "ann", why: "no" });
    expect(summary(cancelled.state)).toMatchObject({
      verdict: "cancelled",
      failedStage: null,
      message: "cancelled by ann: no",
    });
  });

  it("holds what was expected of a metric against all that was said of it", () => {
    const expect_ = [
      { metric: "ops", comparison: ">", value: 5 },
      { metric: "ops", comparison: "<", value: 6 },
      { metric: "other", comparison: "<", value: 9 },
    ] as const;
    const of = group([{ name: "a", expect: expect_ }]);
    of.finish("agent-0", undefined, { metrics: [{ name: "ops", value: 7, unit: "", agg: "sum", count: 1 }] });
    expect(summary(of.state).phases[0]?.metrics).toMatchObject([{ expected: "> 5 and < 6", met: false }]);
  });

  it("has the times of the stage itself where nobody began", () => {
    const of = group([{ name: "a", type: "execute", completion: "duration", durationMs: 10_000 }], 2);
    const { startAt } = of.execute("agent-0");
    for (let ms = 0; ms < 12_000; ms += 2_000) {
      of.at += 2_000;
      for (const name of of.names) of.sync(name, { status: "idle" });
    }
    expect(of.state.status).toBe("succeeded");
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "success",
      startedAt: startAt,
      completedAt: of.state.endedAt,
    });
    expect(summary(of.state).phases[0]?.agents).toMatchObject([
      { status: "success", startedAt: null, endedAt: null, attempts: 1, reason: "its time is over for the group" },
      { status: "success", startedAt: null, endedAt: null },
    ]);
  });

  it("tells of progress as far as it was told, out of what was expected", () => {
    const progress = (stage: Partial<StageOverrides>, more: Partial<AttemptReport>) =>
      summary(told(group([{ name: "a", ...stage }]), "agent-0", more).state).phases[0]?.progress;
    const count = (done: number, errors: number) => ({ progress: { done, total: 50, errors } });
    const objects = { type: "prepare", completion: "tasks_done", expectedObjects: 9 } as const;
    const tasks = { type: "prepare", completion: "tasks_done", expectedTasks: 8 } as const;
    expect(progress({}, {})).toBeNull();
    expect(progress({}, count(0, 0))).toBeNull();
    expect(progress({}, count(2, 0))).toEqual({ done: 2, total: null, errors: 0 });
    expect(progress({}, count(0, 2))).toEqual({ done: 0, total: null, errors: 2 });
    expect(progress(objects, {})).toEqual({ done: 0, total: 9, errors: 0 });
    expect(progress(objects, count(9, 1))).toEqual({ done: 9, total: 9, errors: 1 });
    expect(progress(tasks, count(3, 0))).toEqual({ done: 3, total: 8, errors: 0 });
    const skipped = group([{ name: "a", ...objects, when: "on_failure" }, { name: "b" }]);
    expect(summary(skipped.state).phases[0]?.progress).toBeNull();
  });

  it("names the machine of an agent's newest life, or the one that it named before", () => {
    const of = new Group(plan([{ name: "a" }, { name: "b" }]), 1);
    const host = () => summary(of.state).machines?.map(({ machine }) => machine?.host);
    const lives = [undefined, machineOf("one"), undefined, machineOf("two")].map((machine, life) => {
      of.send(joined("agent-0", of.at, { session: `life-${life}`, checkRunId: "1", machine }));
      return host();
    });
    expect(lives).toEqual([[undefined], ["one"], ["one"], ["two"]]);
  });

  it("does not tell of who was excluded while others were in a stage that was not for it", () => {
    const majority = { ...barrier, rule: { kind: "majority" } } as const;
    const of = group([{ name: "a", runsOn: { kind: "agents", agents: [0, 1] }, barrier: majority }, { name: "b" }], 3);
    of.pass(31_000, ["agent-2"]);
    expect(of.instruction("agent-2").do).toBe("exclude");
    of.finish("agent-0");
    of.finish("agent-1");
    of.finishAll();
    const [a, b] = summary(of.state).phases;
    expect([a, b].map((phase) => phase?.agents.map(({ status }) => status))).toEqual([
      ["success", "success"],
      ["success", "success", "excluded"],
    ]);
  });

  it("tells of who was excluded before, in stages that were begun", () => {
    const majority = { ...barrier, rule: { kind: "majority" } } as const;
    const stages = [
      { name: "a", barrier: majority },
      { name: "b", barrier: majority, when: "on_failure" },
      { name: "c", barrier: majority },
    ] as const;
    const of = group(stages, 3);
    of.finish("agent-2", fails);
    of.pass(1_000);
    of.finish("agent-0");
    of.finish("agent-1");
    of.finishAll();
    const [a, b, c] = summary(of.state).phases;
    expect(a?.agents.map(({ status }) => status)).toEqual(["success", "success", "failure"]);
    expect(b?.agents).toEqual([]);
    expect(c?.agents[2]).toEqual({
      agent: "agent-2",
      index: 2,
      status: "excluded",
      reason: "a: failed: exit code 1",
      startedAt: null,
      endedAt: null,
      attempts: 0,
      tail: "",
      end: null,
    });
  });
});

describe("histograms", () => {
  /** Reads those that begin with "ok". */
  const merge: MergeHistograms = (parts) => {
    const good = parts.filter((part) => part.startsWith("ok"));
    const unreadable = parts.flatMap((text, part) => (text.startsWith("ok") ? [] : [{ part, why: text }]));
    return { encoded: good.length === 0 ? null : good.join("+"), unreadable };
  };

  it("are merged by name, in the order in which they came", () => {
    const of = group([{ name: "a" }], 3);
    of.finish("agent-0", undefined, { histograms: { h: "ok0", own: "ok-own" } });
    of.finish("agent-2", undefined, { histograms: { h: "ok2" } });
    of.finish("agent-1", undefined, { histograms: { h: "bad", g: "bad" } });
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "success",
      reason: null,
      histograms: { own: "ok-own" },
    });
    const [phase] = summary(of.state, merge).phases;
    expect(phase?.histograms).toEqual({ h: "ok0+ok2", own: "ok-own" });
    expect(phase).toMatchObject({
      status: "warning",
      reason:
        "histogram h of agent-1 could not be read and was left out: bad; " +
        "histogram g of agent-1 could not be read and was left out: bad",
    });
  });

  it.each([
    [3, ""],
    [4, "; and 1 more"],
  ])("%i of them that cannot be read: three are named", (count, more) => {
    const histograms = Object.fromEntries(Array.from({ length: count }, (_, at) => [`h${at}`, "bad"]));
    const of = told(group([{ name: "a" }]), "agent-0", { histograms });
    const left = (at: number) => `histogram h${at} of agent-0 could not be read and was left out: bad`;
    expect(summary(of.state, merge).phases[0]?.reason).toBe(`${left(0)}; ${left(1)}; ${left(2)}${more}`);
  });

  it("have to be merged where several told of them, or several may have", () => {
    const needed = (size: number, ...histograms: readonly Record<string, string>[]): boolean => {
      const source = { kind: "count", count: histograms.length } as const;
      const tasks = { source, concurrency: 9, maxFailures: 0, maxPreemptions: 0, needs: {} };
      const of = group([{ name: "a", type: "prepare", completion: "tasks_done", tasks }], size);
      of.sync("agent-0", { wants: 9 });
      for (const [at, one] of histograms.entries()) {
        const finished = [report({ stage: 0, task: `${at}`, attempt: `0.1.t${at}.1`, histograms: one })];
        of.sync("agent-0", { finished });
      }
      return hasHistogramsToMerge(of.state);
    };
    expect(needed(1, {})).toBe(false);
    expect(needed(1, { h: "ok" })).toBe(false);
    expect(needed(1, { h: "ok" }, { g: "ok" })).toBe(false);
    expect(needed(1, { h: "ok", g: "ok" }, { h: "ok" })).toBe(true);
    expect(needed(2, { h: "ok" })).toBe(true);
    expect(needed(2, {})).toBe(false);
  });
});
