import { describe, expect, it } from "vitest";
import { RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import { neededBy } from "../../../src/plan/stages/tasks.ts";
import { summary } from "../../../src/run/machine.ts";
import { laterTasksOf } from "../../../src/run/tasks/generated.ts";
import type { AttemptReport } from "../../../src/run/types.ts";
import { Group, needs, plan, report } from "../builders.ts";

const LIMITS = { concurrency: 1, maxFailures: 0, maxPreemptions: 100, needs: {} };

function group(size: number, optional = false): Group {
  const source = { kind: "stage", stage: "plan" } as const;
  return new Group(
    plan([
      { name: "plan" },
      {
        name: "work",
        type: "prepare",
        completion: "tasks_done",
        optional,
        dependsOn: [needs("plan")],
        tasks: { source, ...LIMITS },
      },
      { name: "after" },
    ]),
    size,
  ).join();
}

/** Each agent tells its list and ends. */
function tell(of: Group, ...lists: readonly NonNullable<AttemptReport["laterTasks"]>[]): Group {
  of.pass(1_000);
  for (const [index, laterTasks] of lists.entries()) {
    of.finish(`agent-${index}`, { kind: "exited", code: 0 }, { laterTasks });
  }
  return of.pass(1_000);
}

const work = (of: Group) => summary(of.state).phases.find(({ name }) => name === "work");
const keys = (of: Group) =>
  of.state.stages
    .flat()[1]
    ?.pool?.records.flat()
    .map(({ key }) => key);

describe("tasks that a stage tells for a later one", () => {
  it("are shared out in the order of their needs, and each has its record", () => {
    const of = tell(group(1), [{ id: "a" }, { id: "b", needs: ["a"] }]);
    for (const task of ["a", "b"]) {
      of.sync("agent-0", { wants: 1 });
      const { stage, leases } = of.execute("agent-0");
      expect(leases.map((lease) => lease.task)).toEqual([task]);
      const { attempt = "" } = leases[0] ?? {};
      const outputs = { made: task };
      of.sync("agent-0", { finished: [report({ stage, attempt, task, outputs, startedAt: of.at, endedAt: of.at })] });
    }
    expect(work(of)?.tasks?.records).toEqual([
      expect.objectContaining({ task: "a", status: "done", agent: "agent-0", attempts: 1, outputs: { made: "a" } }),
      expect.objectContaining({ task: "b", status: "done", end: { kind: "exited", code: 0 }, outputs: { made: "b" } }),
    ]);
    expect(of.state.outputs.work).toEqual({ made: "a", "a.made": "a", "b.made": "b" });
  });

  it("are skipped where what they need has failed", () => {
    const of = tell(group(1), [{ id: "a" }, { id: "b", needs: ["a"] }]);
    of.sync("agent-0", { wants: 1 });
    const { stage, leases } = of.execute("agent-0");
    const { attempt = "" } = leases[0] ?? {};
    of.sync("agent-0", { finished: [report({ stage, attempt, task: "a", end: { kind: "exited", code: 2 } })] });
    expect(of.state.failure?.reason).toContain("1 of 2 tasks failed: a (exit code 2); 1 that need them were skipped");
    of.pass(60_000);
    expect(work(of)?.tasks?.records?.map(({ task, status, reason }) => [task, status, reason])).toEqual([
      ["a", "failed", "exit code 2"],
      ["b", "skipped", 'needs "a", which was failed'],
    ]);
  });

  it("are those of all agents, each once, in the order of the agents", () => {
    const of = tell(group(2), ["x", { id: "y" }], [{ id: "y" }, "z"]);
    expect(keys(of)).toEqual(["x", "y", "z"]);
  });

  it("have a bound over all agents, beyond which their stage has failed", () => {
    const half = (letter: string) => [letter.repeat(RUN_BOUNDS.laterTaskBytes / 2)];
    const of = tell(group(2), half("x"), half("y"));
    const { laterTasks, error } = of.state.stages.flat()[0] ?? {};
    expect(laterTasks).toHaveLength(1);
    expect(error).toBe(`more than ${RUN_BOUNDS.laterTaskBytes / 1_048_576} MiB of tasks were told`);
  });

  it("are kept once where all agents tell the same", () => {
    const of = tell(group(4), ["x"], ["x"], ["y"], ["x"]);
    expect(of.state.stages.flat()[0]?.laterTasks).toEqual([
      { rank: 0, tasks: ["x"] },
      { rank: 2, tasks: ["y"] },
    ]);
    expect(keys(of)).toEqual(["x", "y"]);
    const some = tell(group(2), [], ["x"]);
    expect(some.state.stages.flat()[0]?.laterTasks).toEqual([{ rank: 1, tasks: ["x"] }]);
  });

  it.each([
    [
      "a circle",
      [
        { id: "a", needs: ["b"] },
        { id: "b", needs: ["a"] },
      ],
      'need each other in a circle: "a" → "b" → "a"',
    ],
    ["what nobody told", [{ id: "a", needs: ["c"] }], 'there is no task "c"'],
    ["one key twice", ["a", { id: "a" }], 'two tasks have the key "a"'],
    ["needs that are no list", [{ id: "a", needs: "b" }], 'needs of "a": expected a list of task keys'],
  ])("fail their stage by %s, with the reason", (_what, list, reason) => {
    const of = tell(group(1), list).pass(60_000);
    expect(of.state.status).toBe("failed");
    expect(of.state.failure?.reason).toContain(`work: the tasks that it is to have cannot be taken: `);
    expect(of.state.failure?.reason).toContain(reason);
    const optional = tell(group(1, true), list);
    expect(work(optional)).toMatchObject({ status: "skipped", reason: expect.stringContaining(reason) });
  });

  it("that cannot be taken leave a stage out where the run has failed already", () => {
    const of = group(1);
    const { plan: read } = of.state;
    of.state = {
      ...of.state,
      plan: {
        ...read,
        stages: read.stages.map((stage) => (stage.name === "plan" ? stage : { ...stage, when: "always" })),
      },
    };
    of.finish("agent-0", { kind: "exited", code: 1 }, { laterTasks: [{ id: "a", needs: ["c"] }] });
    expect(of.state.failure?.reason).toBe("plan: agent-0 failed: exit code 1");
    expect(work(of)).toMatchObject({ status: "skipped" });
    expect(of.execute("agent-0").stage).toBe(2);
  });

  it("stand in the order of the agents, whoever told first", () => {
    const told = [2, 0, 1].map((rank) => ({ rank, tasks: [`of ${rank}`] }));
    expect(laterTasksOf({ laterTasks: told })).toEqual(["of 0", "of 1", "of 2"]);
  });

  it("must not differ under one key", () => {
    const told = [
      { rank: 1, tasks: [{ id: "a", n: 2 }] },
      { rank: 0, tasks: [{ id: "a", n: 1 }] },
    ];
    expect(laterTasksOf({ laterTasks: told })).toEqual({
      problem: 'two agents told different tasks with the key "a", expected ids of their own',
    });
  });

  it("come with a loaded state where what tells them is not run again", () => {
    const begun = group(1).state.plan;
    const of = new Group(begun, 1);
    of.state = {
      ...of.state,
      selection: { only: [1], skip: [], stopAfter: null },
      carried: { succeeded: ["plan"], outputs: {}, tasks: { plan: ["p", "q"] } },
    };
    of.join().pass(1_000);
    expect(keys(of)).toEqual(["p", "q"]);
  });

  it.each([
    [1, []],
    [{ id: "a" }, []],
    [{ id: "a", needs: ["b", 1, true] }, ["b", "1", "true"]],
    [{ id: "a", needs: [{}] }, null],
    [{ id: "a", needs: null }, null],
  ])("of the value %j need %j", (value, expected) => {
    expect(neededBy(value)).toEqual(expected);
  });
});
