import { describe, expect, it } from "vitest";
import type { Thresholds } from "../../../src/plan/plan.ts";
import type { Lease } from "../../../src/run/instruction.ts";
import { summary } from "../../../src/run/machine.ts";
import { type Counted, overThresholds } from "../../../src/run/measurement/thresholds.ts";
import { Group, plan, report, retrying, type StageOverrides } from "../builders.ts";

const none = { maxErrors: null, maxErrorRate: null, maxConsecutiveErrors: null };
const progress = (done: number, errors: number) => ({ done, total: null, errors });

/** Two agents run 30 tasks, each of which tells of one success and one error. */
function withTasks(stage: Partial<StageOverrides>): Group {
  const tasks = {
    source: { kind: "count", count: 30 },
    concurrency: 1,
    maxFailures: 0,
    maxPreemptions: 9,
    needs: {},
  } as const;
  const work = { name: "work", type: "prepare", completion: "tasks_done", tasks, ...stage } as const;
  const group = new Group(plan([work, { name: "next", when: "always" }]), 2).join();
  const held = new Map<string, Lease>();
  for (const name of group.names) {
    const now = group.sync(name, { wants: 1 });
    if (now.do === "execute") for (const lease of now.leases) held.set(name, lease);
  }
  for (let rounds = 0; rounds < 40; rounds++) {
    for (const name of group.names) {
      const now = group.instruction(name);
      const [lease = held.get(name)] = now.do === "execute" && now.stage === 0 ? now.leases : [];
      if (lease === undefined) continue;
      const { task, attempt } = lease;
      const stopped = now.do === "stop" ? ({ end: { kind: "stopped", why: now.why } } as const) : {};
      const told = report({ stage: 0, task, attempt, progress: progress(1, 1), ...stopped });
      const after = group.sync(name, { wants: 1, finished: [told] });
      const [next] = after.do === "execute" && after.stage === 0 ? after.leases : [];
      if (next === undefined) held.delete(name);
      else held.set(name, next);
    }
  }
  return group;
}

describe("the errors that a stage bears", () => {
  it("are counted over all its tasks", () => {
    const group = withTasks({ thresholds: { ...none, maxErrors: 5 } });
    expect(group.state.failure?.reason).toBe("work: max_errors: 6 errors, at most 5 are allowed");
    expect(withTasks({ thresholds: { ...none, maxErrors: 30 } }).state.failure).toBeNull();
  });

  it("are a share of all that it did", () => {
    expect(withTasks({ thresholds: { ...none, maxErrorRate: 0.5 } }).state.failure).toBeNull();
    const group = withTasks({ thresholds: { ...none, maxErrorRate: 0.4 } });
    expect(group.state.failure?.reason).toContain(
      "work: max_error_rate: an error rate of 50.0 %, at most 40.0 % are allowed",
    );
  });

  it("are no rate before there are enough samples of it", () => {
    const rate = (minSamples: number) => withTasks({ thresholds: { ...none, maxErrorRate: 0.4, minSamples } });
    expect(rate(60).state.failure?.reason).toContain("max_error_rate");
    expect(rate(61).state.failure).toBeNull();
  });

  it.each<[string, Partial<Thresholds>, string | null]>([
    ["total", { maxErrors: 3 }, "max_errors: 4 errors, at most 3 are allowed"],
    ["total that is borne", { maxErrors: 4 }, null],
    ["rate", { maxErrorRate: 0.5 }, "max_error_rate: an error rate of 100.0 %, at most 50.0 % are allowed"],
    ["rate of enough samples", { maxErrorRate: 0.5, minSamples: 6 }, "max_error_rate: an error rate of 66.7 %"],
    ["rate that is borne", { maxErrorRate: 0.7, minSamples: 6 }, null],
    ["series", { maxConsecutiveErrors: 2 }, "max_consecutive_errors: 3 tasks failed in a row, at most 2 errors"],
    ["series that is borne", { maxConsecutiveErrors: 3 }, null],
  ])("are tasks that fail, too, whatever they told: a %s", (_what, limits, reason) => {
    // In this order, one after the other: two come through, the others fail and are borne as tasks.
    const ends = [1, 1, 1, 0, 1, 0];
    const tasks = {
      source: { kind: "count", count: 6 },
      concurrency: 1,
      maxFailures: 9,
      maxPreemptions: 9,
      needs: {},
    } as const;
    const work = {
      name: "work",
      type: "prepare",
      completion: "tasks_done",
      tasks,
      thresholds: { ...none, ...limits },
    } as const;
    const group = new Group(plan([work]), 1).join();
    for (const code of ends) {
      const now = group.sync("agent-0", { wants: 1 });
      const [lease] = now.do === "execute" ? now.leases : [];
      if (lease === undefined) break;
      const { task, attempt } = lease;
      group.sync("agent-0", { finished: [report({ stage: 0, task, attempt, end: { kind: "exited", code } })] });
    }
    const now = group.instruction("agent-0");
    const why = group.state.failure?.reason ?? (now.do === "stop" ? now.why : null);
    if (reason === null) expect(why).toBeNull();
    else expect(why).toContain(reason);
  });

  it.each<[number, number, string | null]>([
    [0, 3, "work: max_errors: 3 errors, at most 2 are allowed"],
    [1, 3, "work: max_errors: 3 errors, at most 2 are allowed"],
    [1, 0, null],
    [0, 2, null],
  ])(
    "are those that a task told, and itself only where it told none: exit code %i with %i errors",
    (code, told, why) => {
      const source = { kind: "count", count: 2 } as const;
      const tasks = { source, concurrency: 1, maxFailures: 9, maxPreemptions: 9, needs: {} };
      const thresholds = { ...none, maxErrors: 2 };
      const group = new Group(
        plan([{ name: "work", type: "prepare", completion: "tasks_done", tasks, thresholds }]),
        1,
      ).join();
      group.sync("agent-0", { wants: 1 });
      const [lease] = group.execute("agent-0").leases;
      const { task = "", attempt = "" } = lease ?? {};
      const now = group.sync("agent-0", {
        finished: [report({ stage: 0, task, attempt, end: { kind: "exited", code }, progress: progress(0, told) })],
      });
      expect(group.state.failure?.reason ?? (now.do === "stop" ? now.why : null)).toBe(why);
    },
  );

  it("are the group's, and end it while it runs", () => {
    const group = new Group(
      plan([{ name: "work", thresholds: { ...none, maxErrors: 5 } }, { name: "next" }]),
      2,
    ).join();
    group.sync("agent-0", { progress: progress(9, 3) });
    expect(group.sync("agent-1", { progress: progress(9, 2) }).do).toBe("execute");
    expect(group.sync("agent-1", { progress: progress(9, 3) })).toEqual({
      do: "stop",
      stage: 0,
      why: "max_errors: 6 errors, at most 5 are allowed",
    });
    for (const name of group.names) {
      const attempt = `0.1.${name.slice(-1)}.1`;
      const told = { stage: 0, attempt, end: { kind: "stopped", why: "" }, progress: progress(9, 3) } as const;
      group.sync(name, { finished: [report(told)] });
    }
    expect(group.state.failure?.reason).toBe("work: max_errors: 6 errors, at most 5 are allowed");
  });

  it("fail the stage that was ended for them, though its agents count fewer in the end", () => {
    const group = new Group(plan([{ name: "work", thresholds: { ...none, maxErrors: 5 } }]), 1).join();
    expect(group.sync("agent-0", { progress: progress(9, 6) }).do).toBe("stop");
    const end = { kind: "stopped", why: "" } as const;
    group.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end, progress: progress(9, 1) })] });
    expect(group.state.failure?.reason).toBe("work: max_errors: 6 errors, at most 5 are allowed");
  });

  it("are a warning of an optional stage, on whose result nothing can be built", () => {
    const group = withTasks({ optional: true, thresholds: { ...none, maxErrors: 5 } });
    expect(group.execute("agent-0").stage).toBe(1);
    expect(summary(group.state).phases[0]).toMatchObject({ status: "warning", worked: false });
  });

  it("are not forgotten by trying again", () => {
    const retry = retrying({ maxAttempts: 3 });
    const group = new Group(plan([{ name: "work", retry, thresholds: { ...none, maxErrors: 5 } }]), 1).join();
    const end = { kind: "threshold", threshold: "max_errors", message: "6 errors, at most 5 are allowed" } as const;
    group.finish("agent-0", end, { progress: progress(0, 6) });
    expect(group.state.status).toBe("failed");
  });
});

describe("errors held against what a stage bears", () => {
  it.each<[Partial<Thresholds>, Partial<Counted>, string | null]>([
    [{}, { errors: 99, failedInARow: 99 }, null],
    [{ maxErrorRate: 0 }, {}, null],
    [{ maxErrorRate: 0 }, { errors: 1 }, "max_error_rate: an error rate of 100.0 %, at most 0.0 % are allowed"],
    [{ maxErrorRate: 0.25 }, { done: 3, errors: 1 }, null],
    [{ maxErrorRate: 0.25 }, { errors: 1, pool: { done: 3 } }, null],
    [{ maxErrorRate: 0.25 }, { done: 3, errors: 1, pool: { done: 1 } }, null],
    [
      { maxErrorRate: 0.25 },
      { done: 2, errors: 1, pool: { done: 1 } },
      "max_error_rate: an error rate of 33.3 %, at most 25.0 % are allowed",
    ],
    [{ maxErrorRate: 0.25, minSamples: 4 }, { done: 2, errors: 1 }, null],
    [{ maxConsecutiveErrors: 0 }, {}, null],
    [{ maxConsecutiveErrors: 1 }, { failedInARow: 1 }, null],
  ])("%o of %o", (limits, counted, why) => {
    const nothing: Counted = { done: 0, errors: 0, pool: null };
    expect(overThresholds({ ...none, ...limits }, { ...nothing, ...counted })).toBe(why);
    expect(overThresholds(null, { ...nothing, ...counted })).toBeNull();
  });
});

describe("an optional stage", () => {
  it("that does not reach what is expected of it is told as what its dependents take it for", () => {
    const expect_ = [{ metric: "speed", comparison: ">=", value: 3 }] as const;
    const group = new Group(plan([{ name: "a", optional: true, expect: expect_ }]), 1).join();
    group.finish("agent-0");
    expect(summary(group.state).phases[0]).toMatchObject({ status: "warning", worked: false });
    expect(summary(group.state).verdict).toBe("success");
  });
});
