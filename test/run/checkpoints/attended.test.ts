import { describe, expect, it } from "vitest";
import { apply, summary } from "../../../src/run/machine.ts";
import { itemAt } from "../../../src/run/persistent-array.ts";
import { knownTasks } from "../../../src/run/tasks/generated.ts";
import { barrier, Group, needs, plan, report, type StageOverrides } from "../builders.ts";

const fails = { kind: "exited", code: 1 } as const;

/** A group that somebody attends to. */
function attended(stages: readonly StageOverrides[], size = 1, isAsked = true): Group {
  const group = new Group(plan(stages), size);
  group.send({ type: "attended", at: group.at, wanted: isAsked });
  return group.join();
}

function waits(group: Group): string {
  const { checkpoint } = group.state;
  return checkpoint === null ? "" : `${checkpoint.after === undefined ? "before" : "after"} ${checkpoint.stage}`;
}

function approve(
  group: Group,
  stage: number,
  more: { readonly tasks?: readonly string[]; readonly round?: number } = {},
): void {
  group.send({ type: "approved", at: group.at, stage, by: "ann", ...more });
}

function review(group: Group, stage: number, repeat: string | null = null, round = 1): void {
  group.send({ type: "stage_reviewed", at: group.at, stage, round, by: "ann", repeat });
}

const statuses = (group: Group): readonly string[] =>
  summary(group.state).phases.map(
    ({ name, status, reason }) => `${name} ${status}${reason === null ? "" : `: ${reason}`}`,
  );

describe("a run that somebody attends to", () => {
  it("waits before and after each stage, also where no barrier stands between them", () => {
    const group = attended([{ name: "a", barrier: { ...barrier, rule: { kind: "none" } } }, { name: "b" }]);
    const seen: string[] = [];
    for (const stage of [0, 1]) {
      seen.push(waits(group));
      approve(group, stage);
      group.finish("agent-0");
      seen.push(waits(group));
      review(group, stage);
    }
    expect(seen).toEqual(["before 0", "after 0", "before 1", "after 1"]);
    expect(statuses(group)).toEqual(["a success", "b success"]);
  });

  it("hears of a look at the round of the stage that it waits for alone", () => {
    const group = attended([{ name: "a" }, { name: "b" }]);
    approve(group, 0);
    group.finish("agent-0");
    review(group, 0, null, 2);
    review(group, 1);
    expect(waits(group)).toBe("after 0");
    review(group, 0);
    expect(waits(group)).toBe("before 1");
  });

  it("goes on by itself once nobody wants to be asked", () => {
    const group = attended([{ name: "a" }, { name: "b" }]);
    approve(group, 0);
    group.finish("agent-0");
    group.send({ type: "attended", at: group.at, wanted: false });
    review(group, 0);
    group.finish("agent-0");
    expect(group.state.status).toBe("succeeded");
  });

  it("does a stage again with what was wanting, and asks for its new round anew", () => {
    const group = attended([{ name: "a" }], 2);
    approve(group, 0);
    for (const agent of group.names) group.finish(agent);
    review(group, 0, "too short");
    expect(waits(group)).toBe("before 0");
    expect(group.state.approved).toEqual([]);
    approve(group, 0, { round: 1 });
    expect(waits(group)).toBe("before 0");
    approve(group, 0, { round: 2 });
    expect(group.execute("agent-1").because).toEqual({
      stage: "a",
      round: 1,
      deficiencies: [{ validator: "ann", deficiency: "too short" }],
    });
  });

  it.each([1, 3])(
    "asks after a stage that has failed, once all of %i have ended it; cleanup waits for the answer",
    (size) => {
      const failed = (): Group => {
        const group = attended([{ name: "a" }, { name: "wipe", type: "cleanup", when: "always" }], size);
        approve(group, 0);
        for (const agent of group.names) group.sync(agent, { stage: 0, status: "running" });
        const attempts = new Map(group.names.map((agent) => [agent, group.execute(agent).attempt]));
        group.finish("agent-0", fails);
        for (const agent of group.names.slice(1)) {
          expect(group.instruction(agent)).toMatchObject({ do: "stop", stage: 0 });
          const end = { kind: "stopped", why: "told so" } as const;
          const told = report({ stage: 0, attempt: attempts.get(agent) ?? "", end });
          group.sync(agent, { stage: 0, status: "aborting", finished: [told] });
        }
        expect(waits(group)).toBe("after 0");
        return group;
      };
      const given = failed();
      review(given, 0);
      expect(given.execute("agent-0").stage).toBe(1);
      for (const agent of given.names) given.finish(agent);
      expect(statuses(given)).toEqual([
        expect.stringMatching(/^a failure: .*agent-0 failed: exit code 1/),
        "wipe success",
      ]);
      expect(given.state.status).toBe("failed");

      const again = failed();
      review(again, 0, "be kinder");
      approve(again, 0);
      for (const agent of again.names) again.finish(agent);
      review(again, 0, null, 2);
      expect([again.state.failure, waits(again)]).toEqual([null, "before 1"]);
      expect(statuses(again)[0]).toBe("a success");
    },
  );

  it("asks about the first failure of a stage, whatever fails while it ends", () => {
    const group = attended([{ name: "a" }], 2);
    approve(group, 0);
    for (const agent of group.names) group.sync(agent, { stage: 0, status: "running" });
    const { attempt } = group.execute("agent-1");
    group.finish("agent-0", fails);
    group.sync("agent-1", { finished: [report({ stage: 0, attempt, end: { kind: "exited", code: 7 } })] });
    expect(waits(group)).toBe("after 0");
    review(group, 0);
    expect(group.state.failure?.reason).toBe("a: agent-0 failed: exit code 1");
  });

  it("waits, once a stage with tasks has failed, for those alone who hold one", () => {
    const source = { kind: "list", values: ["x", "y"] } as const;
    const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} };
    const group = attended([{ name: "a", completion: "tasks_done", tasks }], 3);
    approve(group, 0);
    for (const agent of group.names) group.sync(agent, { wants: 1 });
    group.send({ type: "left", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
    const ended = () =>
      itemAt(group.state.stages, 0)
        ?.results.flat()
        .map((result) => result?.status ?? null);
    expect([ended(), waits(group)]).toEqual([["lost", null, "stopped"], ""]);
    const end = { kind: "stopped", why: "told so" } as const;
    group.sync("agent-1", { finished: [report({ stage: 0, task: "y", attempt: "0.1.t1.1", end })] });
    expect([ended()?.includes(null), waits(group)]).toEqual([false, "after 0"]);
  });

  it("leaves a stage out, and what needs it does without, or fails", () => {
    const group = attended([{ name: "a" }, { name: "b", dependsOn: [needs("a")] }]);
    group.send({ type: "stage_left_out", at: group.at, stage: 0, round: 1, by: "ann" });
    expect(statuses(group)).toEqual([
      "a skipped: left out by ann",
      expect.stringMatching(/^b failure: needs the result of a/),
    ]);
  });

  it("runs the tasks that it was given instead of its own, in later rounds, too", () => {
    const tasks = {
      source: { kind: "list", values: ["x", "y"] },
      concurrency: 1,
      maxFailures: 0,
      maxPreemptions: 1,
      needs: {},
    } as const;
    const group = attended([{ name: "a", completion: "tasks_done", tasks }]);
    expect(knownTasks(group.state, 0)).toEqual(["x", "y"]);
    approve(group, 0, { tasks: ["same", "same"] });
    expect(waits(group)).toBe("before 0");
    approve(group, 0, { tasks: ["z"] });
    expect(
      itemAt(group.state.stages, 0)
        ?.pool?.records.flat()
        .map(({ key }) => key),
    ).toEqual(["z"]);
    expect(knownTasks(group.state, 0)).toEqual(["z"]);
  });

  it("keeps the tasks that it was given until what tells them is done again", () => {
    const source = { kind: "stage", stage: "tell" } as const;
    const tasks = { source, concurrency: 1, maxFailures: 0, maxPreemptions: 1, needs: {} };
    const tell = (group: Group, laterTasks: readonly string[]): void => {
      group.finish("agent-0", { kind: "exited", code: 0 }, { laterTasks });
    };
    const repeated = (from: number): Group => {
      const group = attended([{ name: "tell" }, { name: "work", completion: "tasks_done", tasks }]);
      approve(group, 0);
      tell(group, ["x"]);
      review(group, 0);
      approve(group, 1, { tasks: ["z"] });
      const why = "once more";
      group.send({ type: "repeat_requested", at: group.at, stage: 1, round: 1, from, why });
      group.sync("agent-0", { wants: 1 });
      group.sync("agent-0", { finished: [report({ stage: 1, task: "z", attempt: "1.1.t0.1" })] });
      return group;
    };
    const again = repeated(1);
    expect([waits(again), knownTasks(again.state, 1)]).toEqual(["before 1", ["z"]]);
    const anew = repeated(0);
    expect(waits(anew)).toBe("before 0");
    approve(anew, 0, { round: 2 });
    tell(anew, ["y"]);
    review(anew, 0, null, 2);
    expect([waits(anew), knownTasks(anew.state, 1)]).toEqual(["before 1", ["y"]]);
  });

  it("is not asked about what it is not to run, nor after a failure of its own kind", () => {
    const group = attended([{ name: "a", when: "on_failure" }, { name: "b" }]);
    expect(waits(group)).toBe("before 1");
    approve(group, 1);
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "quit" });
    expect(group.state.checkpoint).toBeNull();
  });

  it.each(["before", "after"] as const)("fails when nobody answers within hours: %s a stage", (when) => {
    const group = attended([{ name: "a" }]);
    if (when === "after") {
      approve(group, 0);
      group.finish("agent-0");
    }
    for (const ms of [6 * 3_600_000 - 1, 1]) {
      expect(group.state.failure).toBeNull();
      group.at += ms;
      group.send({ type: "ticked", at: group.at });
    }
    expect(group.state.failure?.reason).toBe(`a: no person answered within 6h ${when} it`);
  });

  it("takes each answer once, and none that is about something else", () => {
    const group = attended([{ name: "a" }, { name: "b" }]);
    for (const stage of [0, 1]) {
      review(group, stage, "again");
      group.send({ type: "stage_left_out", at: group.at, stage, round: 2, by: "ann" });
    }
    expect(waits(group)).toBe("before 0");
    approve(group, 0);
    group.finish("agent-0");
    const told = { type: "stage_reviewed", at: group.at, stage: 0, round: 1, by: "ann", repeat: "again" } as const;
    const once = apply(group.state, told);
    expect(apply(once, told)).toEqual(once);
  });
});
