import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonBytes, RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json, TaskSource, Tasks } from "../../../src/plan/plan.ts";
import { explain, summary } from "../../../src/run/machine.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { barrier, Group, needs, plan, report, retrying, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;

function tasks(source: TaskSource | readonly Json[], more: Partial<Tasks> = {}): Tasks {
  const from: TaskSource = "kind" in source ? source : { kind: "list", values: source };
  return { source: from, concurrency: 1, maxFailures: 0, maxPreemptions: 100, needs: {}, ...more };
}

function stage(of: Tasks, more: Partial<StageOverrides> = {}): StageOverrides {
  return { name: "work", type: "prepare", completion: "tasks_done", tasks: of, ...more };
}

/** Everyone says how many they could take. */
function hungry(group: Group, wants = 1): Group {
  for (const name of group.names) group.sync(name, { stage: 0, wants });
  return group;
}

function held(group: Group, name: string): readonly string[] {
  const instruction = group.instruction(name);
  return instruction.do === "execute" ? instruction.leases.map(({ task }) => task) : [];
}

function end(group: Group, name: string, task: string, how: AttemptEnd = { kind: "exited", code: 0 }, wants = 1): void {
  const lease = group.execute(name).leases.find((one) => one.task === task);
  if (lease === undefined) throw new Error(`${name} does not hold ${task}`);
  const { attempt } = lease;
  const finished = [report({ stage: 0, task, attempt, end: how, startedAt: group.at, endedAt: group.at })];
  group.sync(name, { stage: 0, status: "running", wants, finished });
}

describe("tasks", () => {
  it("go to whoever wants them, each to one agent, up to its concurrency", () => {
    const group = hungry(new Group(plan([stage(tasks(["a", "b", "c", "d", "e"], { concurrency: 2 }))]), 2).join(), 2);
    expect(group.names.map((name) => held(group, name))).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(group.execute("agent-0")).toMatchObject({
      tasksOnly: true,
      leases: [{ value: "a", attempt: "0.1.t0.1" }, { attempt: "0.1.t1.1" }],
    });
    // Asking for more than its share gets nothing more.
    group.sync("agent-0", { stage: 0, status: "running", wants: 2 });
    expect(held(group, "agent-0")).toEqual(["a", "b"]);
    end(group, "agent-1", "d", undefined, 1);
    expect(held(group, "agent-1")).toEqual(["c", "e"]);
  });

  it("end the stage together once all are done", () => {
    const group = hungry(new Group(plan([stage(tasks({ kind: "count", count: 2 })), { name: "next" }]), 3).join());
    expect(group.instruction("agent-2")).toMatchObject({ do: "wait", reason: "tasks", stage: 0 });
    end(group, "agent-0", "0");
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", reason: "tasks" });
    end(group, "agent-1", "1");
    expect(group.names.map((name) => group.execute(name).stage)).toEqual([1, 1, 1]);
    expect(summary(group.state).phases[0]).toMatchObject({
      status: "success",
      tasks: { done: 2, failed: 0, skipped: 0, total: 2 },
      progress: { done: 2, total: 2, errors: 0 },
    });
  });

  it("of an empty list are done at once", () => {
    const group = new Group(plan([stage(tasks([]))]), 2).join();
    expect(group.state.status).toBe("succeeded");
  });

  it("are given to one that waits, without its asking again", () => {
    const group = hungry(new Group(plan([stage(tasks(["a"]))]), 2).join());
    group.sync("agent-1", { stage: 0, wants: 0 });
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(held(group, "agent-1")).toEqual(["a"]);
  });

  it("that fail are tried again max_failures times, by whoever is free", () => {
    const group = hungry(new Group(plan([stage(tasks(["a", "b"], { maxFailures: 1 }))]), 2).join());
    end(group, "agent-0", "a", fails);
    expect(held(group, "agent-0")).toEqual(["a"]);
    expect(group.execute("agent-0").leases[0]?.attempt).toBe("0.1.t0.2");
    end(group, "agent-0", "a", fails);
    end(group, "agent-1", "b");
    expect(group.state.failure?.reason).toBe("work: 1 of 2 tasks failed: a (exit code 1)");
    expect(summary(group.state).phases[0]).toMatchObject({ retryCount: 1, tasks: { done: 1, failed: 1, total: 2 } });
  });

  it("that fail in an optional stage are a warning", () => {
    const group = hungry(new Group(plan([stage(tasks(["a"]), { optional: true }), { name: "next" }]), 1).join());
    end(group, "agent-0", "a", fails);
    expect(group.execute("agent-0").stage).toBe(1);
    expect(summary(group.state).phases[0]).toMatchObject({
      status: "warning",
      reason: "1 of 1 tasks failed: a (exit code 1)",
    });
  });

  it("that need others wait for them; what needs a failed one is skipped, whatever else happens", () => {
    const needs = { b: ["a"], c: ["b"], d: ["a", "e"] };
    const group = hungry(new Group(plan([stage(tasks(["a", "b", "c", "d", "e"], { needs }))]), 2).join());
    expect([held(group, "agent-0"), held(group, "agent-1")]).toEqual([["a"], ["e"]]);
    end(group, "agent-1", "e");
    expect(held(group, "agent-1")).toEqual([]);
    end(group, "agent-0", "a");
    expect([held(group, "agent-1"), held(group, "agent-0")].flat().toSorted()).toEqual(["b", "d"]);
    const holder = group.names.find((name) => held(group, name).includes("b")) ?? "";
    end(group, holder, "b", fails);
    end(group, holder === "agent-0" ? "agent-1" : "agent-0", "d");
    expect(summary(group.state).phases[0]?.tasks).toMatchObject({ done: 3, failed: 1, skipped: 1, total: 5 });
    expect(group.state.failure?.reason).toBe(
      "work: 1 of 5 tasks failed: b (exit code 1); 1 that need them were skipped",
    );
  });

  it("are leased again at once when their agent is lost, and its late word is not believed", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const group = hungry(
      new Group(plan([stage(tasks(["a", "b"], { concurrency: 2 }), { barrier: best })]), 2).join(),
      1,
    );
    const lost = group.execute("agent-1").leases[0];
    end(group, "agent-0", "a");
    group.pass(31_000, ["agent-1"]);
    expect(held(group, "agent-0")).toEqual(["b"]);
    expect(group.execute("agent-0").leases[0]?.attempt).toBe("0.1.t1.2");
    group.sync("agent-1", { stage: 0, finished: [report({ stage: 0, task: "b", attempt: lost?.attempt ?? "" })] });
    expect(
      group
        .notices()
        .some((text) => text === "ignored agent-1's report of attempt at task b 0.1.t1.1 of work: it is not in force"),
    ).toBe(true);
    expect(group.state.status).toBe("running");
    end(group, "agent-0", "b");
    expect(summary(group.state).phases[0]?.tasks).toMatchObject({ done: 2, total: 2 });
  });

  it("may be lost with their agents only so often, which spends no failures", () => {
    const group = hungry(new Group(plan([stage(tasks(["a"], { maxPreemptions: 2 }))]), 1).join());
    for (let time = 0; time < 2; time++) {
      group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
      group.sync("agent-0", { stage: 0, wants: 1 });
      expect(held(group, "agent-0")).toEqual(["a"]);
    }
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(group.state.failure?.reason).toContain("lost 3 times with its agent, last with agent-0");
  });

  it("are stopped at max_duration where time is an end, too, and what is not done is no failure", () => {
    const either = { completion: "duration_or_tasks", type: "hybrid", maxDurationMs: 10_000 } as const;
    const group = hungry(new Group(plan([stage(tasks(["a", "b", "c"]), either)]), 1).join());
    end(group, "agent-0", "a");
    group.pass(11_000);
    expect(group.instruction("agent-0")).toMatchObject({ do: "stop" });
    group.sync("agent-0", {
      finished: [report({ stage: 0, task: "b", attempt: "0.1.t1.1", end: { kind: "stopped", why: "" } })],
    });
    expect(group.state.status).toBe("succeeded");
    expect(summary(group.state).phases[0]?.tasks).toMatchObject({ done: 1, failed: 0, skipped: 0, total: 3 });
  });

  it("are all over when the stage's timeout is, and the stage fails at once", () => {
    const of = tasks({ kind: "count", count: 10 });
    const group = hungry(new Group(plan([stage(of, { timeoutMs: 3_000 }), { name: "next" }]), 2).join());
    const before = held(group, "agent-1");
    group.pass(3_000);
    end(group, "agent-0", "0", { kind: "time_over", limit: "timeout" });
    expect(group.instruction("agent-0")).not.toMatchObject({ do: "execute", stage: 0 });
    expect(before).toEqual(["1"]);
    expect(group.instruction("agent-1")).toMatchObject({ do: "stop", stage: 0, why: "timed out (3s)" });
    const stopped = { kind: "stopped", why: "timed out (3s)" } as const;
    const finished = [
      report({ stage: 0, task: "1", attempt: "0.1.t1.1", end: stopped, startedAt: group.at, endedAt: group.at }),
    ];
    group.sync("agent-1", { stage: 0, status: "running", finished });
    const [work] = summary(group.state).phases;
    expect(work).toMatchObject({ status: "failure", tasks: { done: 0, failed: 1, total: 10 } });
    expect(work?.reason).toBe("timed out (3s); 1 of 10 tasks failed: 0 (timed out (3s)); 9 of 10 tasks were not done");
  });

  it("give their stage what they said of their results", () => {
    const group = hungry(new Group(plan([stage(tasks(["a", "b"]))]), 2).join());
    for (const [index, name] of group.names.toReversed().entries()) {
      const [lease] = group.execute(name).leases;
      const metrics = [{ name: "rows", value: 10 + index, unit: "", agg: "sum", count: 1 } as const];
      const outputs = { path: `/data/${lease?.task}` };
      group.sync(name, {
        finished: [report({ stage: 0, task: lease?.task ?? "", attempt: lease?.attempt ?? "", metrics, outputs })],
      });
    }
    const [phase] = summary(group.state).phases;
    expect(phase?.metrics).toMatchObject([{ name: "rows", value: 21, count: 2 }]);
    // The first task's, whichever came first.
    expect(phase?.outputs).toEqual({ path: "/data/a" });
  });

  it.each([
    ["that just fit", 0, {}, ["k"], 0],
    ["that do not fit, and none after them", 1, { l: 1 }, [], 1],
  ])("keep outputs of their own %s beside those of their stage", (_, more, others, kept, said) => {
    const group = hungry(new Group(plan([stage(tasks(["a"])), { name: "end" }]), 1).join());
    const [{ task, attempt } = { task: "", attempt: "" }] = group.execute("agent-0").leases;
    const around = ["k", "a.k", "", ""].reduce((sum, text) => sum + jsonBytes(text), 4);
    const outputs = { k: "x".repeat((RUN_BOUNDS.stageOutputBytes - around) / 2 + more), ...others };
    group.sync("agent-0", { finished: [report({ stage: 0, task, attempt, outputs })] });
    const [phase] = summary(group.state).phases;
    expect(Object.keys(phase?.outputs ?? {})).toEqual(Object.keys(outputs));
    expect(Object.keys(phase?.tasks?.records?.[0]?.outputs ?? {})).toEqual(kept);
    const leftOut = "outputs of single tasks of work were left out: there is no room for more";
    expect(group.notices().filter((text) => text === leftOut)).toHaveLength(said);
  });
});

describe("tasks that a command lists", () => {
  const listed = stage(tasks({ kind: "from", command: "./list" }));

  it("are listed by one agent while the others work on them", () => {
    const group = hungry(new Group(plan([listed]), 2).join());
    expect(group.execute("agent-0").tasksOnly).toBe(false);
    expect(group.instruction("agent-1")).toMatchObject({ do: "wait", reason: "tasks" });
    group.sync("agent-0", { stage: 0, status: "running", wants: 1, addTasks: ["x", { id: "y" }, { n: 1 }, "x"] });
    const known = group.state.stages
      .flat()[0]
      ?.pool?.records.flat()
      .map(({ key }) => key);
    expect(known).toEqual(["x", "y", "2"]);
    expect(explain(group.state).waits[0]?.text).toBe(
      "3 tasks of work are open, 0 done, 0 failed, and they are still being listed",
    );
    expect(group.names.map((name) => held(group, name))).toEqual([["x"], ["y"]]);
    end(group, "agent-1", "y");
    end(group, "agent-1", "2");
    end(group, "agent-0", "x");
    expect(group.state.status).toBe("running");
    const { attempt } = group.execute("agent-0");
    group.sync("agent-0", { stage: 0, finished: [report({ stage: 0, attempt })] });
    expect(group.state.status).toBe("succeeded");
  });

  it("are the same tasks when another agent has to list them again", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const group = hungry(new Group(plan([{ ...listed, barrier: best }]), 2).join());
    group.sync("agent-0", { stage: 0, status: "running", addTasks: ["x", { n: 1 }] });
    group.pass(31_000, ["agent-0"]);
    expect(group.execute("agent-1").tasksOnly).toBe(false);
    group.sync("agent-1", { stage: 0, status: "running", addTasks: ["x", { n: 1 }, "z"] });
    expect(
      group.state.stages
        .flat()[0]
        ?.pool?.records.flat()
        .map(({ key }) => key),
    ).toEqual(["x", "1", "z"]);
  });

  it.each(["is reset", "fails and is tried again"])("are the same tasks when its command %s", (how) => {
    const retry = retrying({ maxAttempts: 2, backoffMs: 0, maxBackoffMs: 0 });
    const group = hungry(new Group(plan([{ ...listed, retry }]), 1).join());
    group.sync("agent-0", { stage: 0, status: "running", addTasks: ["x", { n: 1 }] });
    const { attempt } = group.execute("agent-0");
    if (how === "is reset") {
      group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    } else group.sync("agent-0", { stage: 0, finished: [report({ stage: 0, attempt, end: fails })] });
    expect(group.execute("agent-0").attempt).not.toBe(attempt);
    group.sync("agent-0", { stage: 0, status: "running", addTasks: ["x", { n: 1 }] });
    const known = group.state.stages.flat()[0]?.pool?.records.flat();
    expect(known?.map(({ key }) => key)).toEqual(["x", "1"]);
  });

  it("are none: the stage succeeds with a warning", () => {
    const group = hungry(new Group(plan([listed, { name: "next", dependsOn: [needs("work")] }]), 1).join());
    const { attempt } = group.execute("agent-0");
    group.sync("agent-0", { stage: 0, finished: [report({ stage: 0, attempt })] });
    expect(summary(group.state).phases[0]).toMatchObject({ status: "warning", reason: "no tasks were listed" });
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("cannot be listed: the stage fails with that reason when the known ones are done", () => {
    const group = hungry(new Group(plan([listed]), 1).join());
    group.sync("agent-0", { stage: 0, status: "running", wants: 1, addTasks: ["x"] });
    const { attempt } = group.execute("agent-0");
    group.sync("agent-0", { stage: 0, status: "running", finished: [report({ stage: 0, attempt, end: fails })] });
    expect(group.state.status).toBe("running");
    end(group, "agent-0", "x");
    expect(group.state.failure?.reason).toBe("work: its tasks could not be listed: exit code 1");
  });

  it("that need one which never came are skipped", () => {
    const of = stage(tasks({ kind: "from", command: "./list" }, { needs: { x: ["ghost"] } }));
    const group = hungry(new Group(plan([of]), 1).join());
    group.sync("agent-0", { stage: 0, status: "running", addTasks: ["x"] });
    const { attempt } = group.execute("agent-0");
    group.sync("agent-0", { stage: 0, finished: [report({ stage: 0, attempt })] });
    expect(group.state.failure?.reason).toBe("work: 1 tasks were skipped: what they need was not done");
  });
});

describe("properties of tasks", () => {
  it("each ends once, in an order that its needs allow, whatever fails and whoever is reset", () => {
    const keys = ["a", "b", "c", "d", "e", "f"];
    const need = fc.array(fc.tuple(fc.nat(5), fc.nat(5)).filter(([task, needed]) => needed < task));
    const happening = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom("done", "done", "fail", "reset"),
      which: fc.nat(5),
    });
    fc.assert(
      fc.property(
        need,
        fc.nat(2),
        fc.array(happening, { minLength: 20, maxLength: 60 }),
        (pairs, maxFailures, happenings) => {
          const needs: Record<string, string[]> = {};
          for (const [task, needed] of pairs) {
            const key = keys[task] ?? "";
            needs[key] = [...(needs[key] ?? []), keys[needed] ?? ""];
          }
          const of = stage(tasks(keys, { needs, maxFailures, concurrency: 2 }));
          const group = hungry(new Group(plan([of]), 3).join(), 2);
          const done: string[] = [];
          for (const { who, what, which } of happenings) {
            const name = `agent-${who}`;
            const instruction = group.instruction(name);
            if (instruction.do === "execute" && instruction.leases.length > 0 && what !== "reset") {
              const { task } = instruction.leases[which % instruction.leases.length] ??
                instruction.leases[0] ?? { task: "" };
              for (const needed of needs[task] ?? []) expect(done).toContain(needed);
              if (what === "done") done.push(task);
              end(group, name, task, what === "done" ? undefined : fails, 2);
            } else if (instruction.do !== "finish") {
              group.send({ type: "reset", at: group.at, agent: name, session: `${name}#1`, why: "" });
              group.sync(name, { stage: 0, wants: 2 });
            }
          }
          expect(new Set(done).size).toBe(done.length);
          const pool = group.state.stages.flat()[0]?.pool;
          expect(pool?.done).toBe(done.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});
