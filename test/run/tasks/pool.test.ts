/** One queue for the group: who gets which tasks, how each ends, and what follows for those that need it. */
import { describe, expect, it } from "vitest";
import { jsonBytes, PLAN_BOUNDS, RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json, TaskSource, Tasks } from "../../../src/plan/plan.ts";
import { summary } from "../../../src/run/machine.ts";
import type { StageRun, TaskRecord } from "../../../src/run/state.ts";
import type { AttemptEnd, AttemptReport, Sync } from "../../../src/run/types.ts";
import { barrier, Group, plan, report, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;
const best = { ...barrier, rule: { kind: "best_effort" } } as const;
const FROM: TaskSource = { kind: "from", command: "./list" };

function group(
  source: readonly Json[] | TaskSource,
  over: Partial<Tasks> = {},
  size = 2,
  more: Partial<StageOverrides> = {},
): Group {
  const of: Tasks = {
    source: "kind" in source ? source : { kind: "list", values: source },
    concurrency: 1,
    maxFailures: 0,
    maxPreemptions: 9,
    needs: {},
    ...over,
  };
  const work = { name: "work", type: "prepare", completion: "tasks_done", tasks: of, barrier: best, ...more } as const;
  return new Group(plan([work, { name: "next" }]), size).join();
}

function run(of: Group): StageRun {
  const found = of.state.stages.flat()[0];
  if (found === undefined) throw new Error("there is no stage");
  return found;
}

function pool(of: Group) {
  const { pool: found } = run(of);
  if (found === null) throw new Error("the stage has no tasks");
  return found;
}

function task(of: Group, key: string): TaskRecord {
  const found = pool(of)
    .records.flat()
    .find((record) => record.key === key);
  if (found === undefined) throw new Error(`there is no task ${key}`);
  return found;
}

function held(of: Group, name: string): readonly string[] {
  const now = of.instruction(name);
  return now.do === "execute" ? now.leases.map((lease) => lease.task) : [];
}

function wants(of: Group, name: string, count = 1, more: Partial<Sync> = {}): readonly string[] {
  of.sync(name, { stage: 0, wants: count, ...more });
  return held(of, name);
}

function end(
  of: Group,
  name: string,
  key: string,
  how: AttemptEnd = { kind: "exited", code: 0 },
  more: Partial<AttemptReport> = {},
): void {
  const { attempt } = task(of, key);
  const times = { startedAt: of.at, endedAt: of.at };
  of.sync(name, {
    stage: 0,
    finished: [report({ stage: 0, task: key, attempt: attempt ?? "", end: how, ...times, ...more })],
  });
}

describe("who gets which tasks", () => {
  it("is who asked first, and as many as it asked for and may hold", () => {
    const of = group(["a", "b", "c", "d", "e", "f", "g"], { concurrency: 3 });
    expect(wants(of, "agent-1", 2)).toEqual(["a", "b"]);
    expect(wants(of, "agent-0", 9)).toEqual(["c", "d", "e"]);
    expect(wants(of, "agent-1", 2)).toEqual(["a", "b", "f"]);
    end(of, "agent-0", "d");
    expect(held(of, "agent-0")).toEqual(["c", "e"]);
    expect(wants(of, "agent-0", 1)).toEqual(["c", "e", "g"]);
    expect(wants(of, "agent-0", 1)).toEqual(["c", "e", "g"]);
    expect(wants(of, "agent-0", 0)).toEqual(["c", "e", "g"]);
  });

  it("is who waits, when there are tasks again, in the order in which they asked", () => {
    const of = group(["a", "b", "c"], { needs: { b: ["a"], c: ["a"] } }, 3);
    expect(wants(of, "agent-2")).toEqual(["a"]);
    expect([wants(of, "agent-1"), wants(of, "agent-0")]).toEqual([[], []]);
    expect([wants(of, "agent-1"), wants(of, "agent-1", 0)]).toEqual([[], []]);
    end(of, "agent-2", "a");
    expect(of.names.map((name) => held(of, name))).toEqual([["c"], ["b"], []]);
  });

  it("is who could take more than there was, without its asking again", () => {
    const of = group(["a", "b", "c"], { concurrency: 2, needs: { c: ["a"] } });
    expect([wants(of, "agent-1"), wants(of, "agent-0", 2)]).toEqual([["a"], ["b"]]);
    end(of, "agent-1", "a");
    expect(held(of, "agent-0")).toEqual(["b", "c"]);
  });

  it("is nobody for what needs a task that failed, by way of another or not: that is skipped once", () => {
    const of = group(["a", "c", "d"], { needs: { d: ["a", "c"], c: ["a"] } });
    wants(of, "agent-0");
    end(of, "agent-0", "a", fails);
    expect(pool(of)).toMatchObject({ open: 0, failed: 1, skipped: 2 });
  });

  it("is not who asked for none before another asked", () => {
    const of = group(["a", "b"], { needs: { b: ["a"] } }, 3);
    wants(of, "agent-2");
    wants(of, "agent-0", 0);
    wants(of, "agent-1");
    wants(of, "agent-0");
    end(of, "agent-2", "a");
    expect(of.names.map((name) => held(of, name))).toEqual([[], ["b"], []]);
  });

  it("is nobody who has said meanwhile that it wants none, or is gone", () => {
    const of = group(["a", "b", "c"], { concurrency: 2, needs: { b: ["a"], c: ["a"] } }, 3);
    expect(wants(of, "agent-1", 2)).toEqual(["a"]);
    wants(of, "agent-2", 1);
    wants(of, "agent-1", 0);
    wants(of, "agent-0", 1);
    of.send({ type: "left", at: of.at, agent: "agent-2", session: "agent-2#1", why: "SIGTERM" });
    end(of, "agent-1", "a");
    expect(of.names.map((name) => held(of, name))).toEqual([["b"], [], []]);
  });

  it("is bounded by what can be told in one answer, where many may be held", () => {
    const value = (bytes: number) => "x".repeat(bytes - 2);
    const key = (id: string) => jsonBytes(id);
    const each = (bytes: number, id: string) => bytes - jsonBytes({ id, v: "" }) - key(id) - 100;
    const sized = (id: string, bytes: number): Json => ({ id, v: value(each(bytes, id) + 2) });
    const half = RUN_BOUNDS.leaseBytes / 2;
    const fits = group([sized("a", half), sized("b", half), sized("c", 200)], { concurrency: 9 }, 1);
    expect(wants(fits, "agent-0", 3)).toEqual(["a", "b"]);
    expect(wants(fits, "agent-0", 1)).toEqual(["a", "b"]);
    end(fits, "agent-0", "a");
    expect(wants(fits, "agent-0", 1)).toEqual(["b", "c"]);
    const beyond = group([sized("a", half), sized("b", half + 1), sized("c", 200)], { concurrency: 9 }, 2);
    expect(wants(beyond, "agent-0", 3)).toEqual(["a"]);
    expect(wants(beyond, "agent-1", 3)).toEqual(["b", "c"]);
    const one = group([sized("a", 2 * RUN_BOUNDS.leaseBytes), "b"], { concurrency: 9 }, 1);
    expect(wants(one, "agent-0", 2)).toEqual(["a"]);
    const few = group([sized("a", half), sized("b", half + 1), sized("c", 200)], { concurrency: 8 }, 1);
    expect(wants(few, "agent-0", 3)).toEqual(["a", "b", "c"]);
  });
});

describe("how a task ends", () => {
  const progress = (done: number, errors: number) => ({ progress: { done, total: null, errors } });

  it("is written down with its times, and counted", () => {
    const of = group(["a", "b", "c"], { maxFailures: 1 });
    wants(of, "agent-0");
    const { at } = of;
    of.pass(3_000);
    end(of, "agent-0", "a", undefined, { ...progress(4, 1), startedAt: at + 1_000, endedAt: at + 2_000 });
    expect(task(of, "a")).toEqual({
      key: "a",
      value: "a",
      status: "done",
      holder: 0,
      attempt: "0.1.t0.1",
      attempts: 1,
      failures: 0,
      preemptions: 0,
      missing: 0,
      reason: null,
      startedAt: at + 1_000,
      endedAt: at + 2_000,
      end: { kind: "exited", code: 0 },
    });
    expect(run(of)).toMatchObject({ done: 4, errors: 1, retryCount: 0 });
    wants(of, "agent-0");
    end(of, "agent-0", "b", fails, progress(2, 3));
    expect(run(of)).toMatchObject({ done: 4, errors: 4, retryCount: 1 });
    expect(task(of, "b")).toMatchObject({ status: "ready", failures: 1, preemptions: 0, attempts: 1 });
    expect(of.notices().at(-1)).toBe("task b of work failed on agent-0 (exit code 1 after 2) and will be tried again");
    expect(wants(of, "agent-0")).toEqual(["c"]);
    end(of, "agent-0", "c");
    wants(of, "agent-0");
    end(of, "agent-0", "b", fails);
    expect(task(of, "b")).toMatchObject({
      status: "failed",
      failures: 2,
      attempts: 2,
      reason: "exit code 1",
      endedAt: of.at,
    });
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "failure",
      reason: "1 of 3 tasks failed: b (exit code 1)",
      agents: [
        { agent: "agent-0", startedAt: at + 1_000 },
        { agent: "agent-1", startedAt: null },
      ],
    });
  });

  it.each([
    ["before the group's start", -5_000, 101],
    ["when it says", 2_000, 2_000],
    ["later than now", 9_000, 3_000],
  ])("begins its agent's part: %s", (_name, startedAt, from) => {
    const of = group(["a", "b"]);
    const { at } = of;
    wants(of, "agent-0");
    of.pass(3_000);
    end(of, "agent-0", "a", undefined, { startedAt: at + startedAt });
    expect((of.state.agents.flat()[0]?.assignment?.startedAt ?? 0) - at).toBe(from);
  });

  it.each([{ kind: "reset" }, { kind: "stopped", why: "" }] as const)(
    "is none by $kind, which is a loss: it goes to the end of the queue",
    (how) => {
      const of = group(["a", "b"]);
      wants(of, "agent-0");
      end(of, "agent-0", "a", how, progress(1, 2));
      expect(task(of, "a")).toMatchObject({ status: "ready", failures: 0, preemptions: 1 });
      expect(run(of)).toMatchObject({ done: 0, errors: 0, retryCount: 0 });
      expect(wants(of, "agent-0")).toEqual(["b"]);
      expect(wants(of, "agent-1")).toEqual(["a"]);
      expect(task(of, "a").attempt).toBe("0.1.t0.2");
    },
  );

  it("is a failure when it was lost too often", () => {
    const of = group(["a", "b"], { maxPreemptions: 1 });
    for (let time = 0; time < 2; time++) {
      wants(of, "agent-0");
      end(of, held(of, "agent-0")[0] === undefined ? "agent-1" : "agent-0", "a", { kind: "reset" });
      if (time === 0) wants(of, "agent-1");
    }
    expect(task(of, "a")).toMatchObject({
      status: "failed",
      preemptions: 2,
      reason: "lost 2 times with its agent, last with agent-0",
    });
  });

  it("is the end of the time that its stage has, which is no failure where time is an end", () => {
    const either = { completion: "duration_or_tasks", type: "hybrid", maxDurationMs: 60_000 } as const;
    const of = group(["a", "b"], { needs: { b: ["a"] } }, 1, either);
    wants(of, "agent-0");
    end(of, "agent-0", "a", { kind: "time_over", limit: "max_duration" }, progress(3, 2));
    expect(task(of, "a")).toMatchObject({
      status: "unfinished",
      reason: "its max_duration (1m) is over",
      startedAt: of.at,
    });
    expect(task(of, "b")).toMatchObject({ status: "unfinished", reason: 'needs "a", which was not finished' });
    expect(run(of)).toMatchObject({ done: 0, errors: 2 });
    expect(summary(of.state).phases[0]).toMatchObject({
      status: "success",
      tasks: { done: 0, failed: 0, skipped: 0, total: 2 },
    });
  });

  it("is told of five that failed, shortened", () => {
    const keys = Array.from({ length: 7 }, (_, at) => `${at}${"x".repeat(120)}`);
    const of = group(keys, {}, 1);
    for (const key of keys) {
      wants(of, "agent-0");
      end(of, "agent-0", key, fails);
    }
    const named = keys.slice(0, 5).map((key) => `${key.slice(0, 100)} (exit code 1)`);
    expect(pool(of)).toMatchObject({ failed: 7, open: 0, examples: named });
    expect(summary(of.state).phases[0]?.reason).toBe(`7 of 7 tasks failed: ${named.join(", ")}, and 2 more`);
  });
});

describe("a task whose agent does not come to an end", () => {
  it("is taken back with the agent's part", () => {
    const of = group(["a", "b"], {}, 2, { timeoutMs: 5_000 });
    wants(of, "agent-0");
    of.pass(66_000);
    expect(task(of, "a")).toMatchObject({ status: "ready", preemptions: 1 });
    expect(run(of).results.flat()[0]).toMatchObject({ status: "failure", reason: "did not end within its timeout" });
  });
});

describe("a task that needs others", () => {
  it("is ready when the last of them is done, however often they are named", () => {
    const of = group(["a", "b", "c"], { concurrency: 3, needs: { c: ["a", "b", "a"] } }, 1);
    expect(task(of, "c")).toMatchObject({ status: "waiting", missing: 2 });
    expect(wants(of, "agent-0", 3)).toEqual(["a", "b"]);
    end(of, "agent-0", "b");
    expect(task(of, "c")).toMatchObject({ status: "waiting", missing: 1 });
    end(of, "agent-0", "a");
    expect(task(of, "c")).toMatchObject({ missing: 0 });
    expect(wants(of, "agent-0", 1)).toEqual(["c"]);
  });

  it("is skipped with the one that failed, and so are those that need it, each with its reason", () => {
    const of = group(["a", "b", "c", "d"], { needs: { b: ["a"], c: ["b", "a"] } }, 1);
    wants(of, "agent-0");
    end(of, "agent-0", "a", fails);
    expect(task(of, "b")).toMatchObject({
      status: "skipped",
      reason: 'needs "a", which was failed',
      startedAt: null,
      endedAt: of.at,
    });
    expect(["a", "b"].map((key) => `needs "${key}", which was ${key === "a" ? "failed" : "skipped"}`)).toContain(
      task(of, "c").reason,
    );
    expect(pool(of)).toMatchObject({ open: 1, failed: 1, skipped: 2, done: 0 });
    expect(wants(of, "agent-0")).toEqual(["d"]);
  });

  it("has a name of its own, whatever that is", () => {
    const of = group(["constructor", "b"], { needs: { b: ["constructor"] } }, 1);
    expect(task(of, "constructor").status).toBe("ready");
    wants(of, "agent-0");
    end(of, "agent-0", "constructor");
    expect(wants(of, "agent-0")).toEqual(["b"]);
  });
});

describe("a list of tasks", () => {
  const list = (of: Group, ...values: readonly Json[]) =>
    of.sync("agent-0", { stage: 0, status: "running", addTasks: values });

  it("counts those without a key, the known ones included", () => {
    const of = group(FROM);
    list(of, "x", { n: 1 }, "x");
    list(of, { n: 2 }, { id: "y" }, 7);
    expect(
      pool(of)
        .records.flat()
        .map(({ key }) => key),
    ).toEqual(["x", "1", "3", "y", "7"]);
    expect(pool(of)).toMatchObject({ open: 5, counted: 6 });
  });

  it("has tasks that need others: that are done, open, failed, skipped, or never come", () => {
    const needs = {
      later: ["done"],
      waits: ["open", "done"],
      skipped: ["failed"],
      chain: ["skipped"],
      ghostly: ["ghost"],
    };
    const of = group(FROM, { concurrency: 4, needs: { ...needs, more: ["ghost", "phantom"] } }, 2);
    list(of, "done", "failed", "open");
    expect(wants(of, "agent-1", 3)).toEqual(["done", "failed", "open"]);
    end(of, "agent-1", "done");
    end(of, "agent-1", "failed", fails);
    list(of, "later", "waits", "skipped", "chain", "ghostly", "more");
    expect(task(of, "later")).toMatchObject({ status: "ready", missing: 0 });
    expect(task(of, "waits")).toMatchObject({ status: "waiting", missing: 1 });
    expect(task(of, "skipped")).toMatchObject({ status: "skipped", reason: "a task that it needs was not done" });
    expect(task(of, "chain")).toMatchObject({ status: "skipped", reason: "a task that it needs was not done" });
    expect(task(of, "ghostly")).toMatchObject({ status: "waiting", missing: 1 });
    of.finish("agent-0");
    expect(task(of, "waits").status).toBe("waiting");
    expect(task(of, "ghostly")).toMatchObject({ status: "skipped", reason: 'needs "ghost", which was never listed' });
    expect(task(of, "more")).toMatchObject({ status: "skipped", reason: 'needs "ghost", which was never listed' });
    end(of, "agent-1", "open");
    expect(wants(of, "agent-1", 3)).toEqual(["later", "waits"]);
    expect(pool(of)).toMatchObject({ open: 2, done: 2, failed: 1, skipped: 4 });
  });

  it("goes to the next when its agent is gone, who is told so", () => {
    const of = group(FROM, {}, 3);
    expect(of.names.map((name) => of.execute(name).tasksOnly)).toEqual([false, true, true]);
    of.send({ type: "left", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
    expect(of.names.slice(1).map((name) => of.execute(name).tasksOnly)).toEqual([false, true]);
    expect(of.state.notices.at(-1)).toMatchObject({ agent: "agent-1", text: "agent-1 lists the tasks of work now" });
    of.send({ type: "left", at: of.at, agent: "agent-1", session: "agent-1#1", why: "SIGTERM" });
    of.send({ type: "left", at: of.at, agent: "agent-2", session: "agent-2#1", why: "SIGTERM" });
    expect(of.state.failure?.reason).toContain("work: barrier best_effort is out of reach");
  });

  it("has a bound, beyond which it is a failure of its stage, said once", () => {
    const of = group({ kind: "count", count: PLAN_BOUNDS.tasks - 1 });
    list(of, "x", "x", "y");
    const error = `more than ${PLAN_BOUNDS.tasks} tasks`;
    expect(run(of)).toMatchObject({ error, pool: { open: PLAN_BOUNDS.tasks } });
    list(of, "z");
    expect(of.notices()).toEqual([`work has ${PLAN_BOUNDS.tasks} tasks: further ones are left out`]);
  });
});
