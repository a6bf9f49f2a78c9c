import { describe, expect, it } from "vitest";
import { noticesFor, summary } from "../../src/run/machine.ts";
import { Group, plan, report, retrying } from "./builders.ts";

const cleanup = { name: "cleanup", when: "always" } as const;
const fails = { kind: "exited", code: 1 } as const;

function statuses(group: Group): readonly string[] {
  return summary(group.state).phases.map(
    ({ name, status, reason }) => `${name} ${status}${reason === null ? "" : `: ${reason}`}`,
  );
}

describe("retries", () => {
  const retry = retrying({ maxAttempts: 4, maxBackoffMs: 3_000, notOnExitCodes: [9] });

  const codes = { ...retry, onExitCodes: [75] };
  const onlyFailures = { ...retry, on: ["failure"] } as const;
  const onlyTimeouts = { ...retry, on: ["timeout"] } as const;

  it("are attempts of their own, after pauses that double up to a limit", () => {
    const group = new Group(plan([{ name: "a", retry }]), 1).join();
    const seen: [string, number][] = [];
    for (let failure = 0; failure < 3; failure++) {
      group.finish("agent-0", fails);
      const { attempt, startAt } = group.execute("agent-0");
      seen.push([attempt, startAt - group.at]);
    }
    expect(seen).toEqual([
      ["0.1.0.2", 1_000],
      ["0.1.0.3", 2_000],
      ["0.1.0.4", 3_000],
    ]);
    group.finish("agent-0", fails);
    expect(group.state.status).toBe("failed");
    expect(summary(group.state).phases[0]).toMatchObject({
      retryCount: 3,
      reason: "agent-0 failed: exit code 1, after 4 attempts",
    });
  });

  it.each([
    ["an exit code that is excepted", retry, { kind: "exited", code: 9 }, false],
    ["an exit code that is named", { ...retry, onExitCodes: [75] }, { kind: "exited", code: 75 }, true],
    ["one that is not", { ...retry, onExitCodes: [75] }, { kind: "exited", code: 1 }, false],
    ["a signal, when other codes are named", codes, { kind: "signalled", signal: "SIGKILL" }, false],
    ["a signal whose code is named", { ...retry, onExitCodes: [137] }, { kind: "signalled", signal: "SIGKILL" }, true],
    [
      "a signal whose code is excepted",
      { ...retry, notOnExitCodes: [139] },
      { kind: "signalled", signal: "SIGSEGV" },
      false,
    ],
    ["what has no code, when codes are named", codes, { kind: "not_started", message: "ENOENT" }, false],
    ["an attempt's timeout", retry, { kind: "time_over", limit: "attempt_timeout" }, true],
    ["an attempt's timeout, when codes are named", codes, { kind: "time_over", limit: "attempt_timeout" }, true],
    ["an attempt's timeout, when failures are", onlyFailures, { kind: "time_over", limit: "attempt_timeout" }, false],
    ["a failure, when timeouts are", onlyTimeouts, { kind: "exited", code: 1 }, false],
    ["an attempt's timeout, when timeouts are", onlyTimeouts, { kind: "time_over", limit: "attempt_timeout" }, true],
    ["the timeout of the stage", retry, { kind: "time_over", limit: "timeout" }, false],
    ["the plan's deadline", retry, { kind: "time_over", limit: "deadline" }, false],
  ] as const)("%s", (_name, rule, end, again) => {
    const group = new Group(plan([{ name: "a", retry: rule }]), 1).join();
    group.finish("agent-0", end);
    expect(group.instruction("agent-0").do).toBe(again ? "execute" : "finish");
  });

  it("are a wait with its end when the pause is long", () => {
    const group = new Group(
      plan([{ name: "a", retry: { ...retry, backoffMs: 60_000, maxBackoffMs: 60_000 } }]),
      1,
    ).join();
    group.finish("agent-0", fails);
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", reason: "retry", until: group.at + 60_000 });
    expect(group.notices()).toContain("a: agent-0's attempt 1 of 4 failed (exit code 1), next in 1m");
    group.pass(56_000);
    expect(group.execute("agent-0").attempt).toBe("0.1.0.2");
  });

  it("are told of to the agent that they concern, and to nobody else", () => {
    const group = new Group(plan([{ name: "a", retry }]), 4).join();
    for (const agent of group.names) group.finish(agent, fails);
    for (const agent of group.names) {
      const said = noticesFor(group.state, agent).filter(({ text }) => text.includes("attempt 1 of 4"));
      expect(said.map(({ text }) => text)).toEqual([expect.stringContaining(`${agent}'s attempt`)]);
    }
  });

  it("arrive at the barrier with the last of them", () => {
    const group = new Group(plan([{ name: "a", retry }, { name: "b" }]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-1");
    expect(group.instruction("agent-1")).toMatchObject({ do: "wait", reason: "barrier" });
    group.finish("agent-0");
    expect(group.execute("agent-1").stage).toBe(1);
  });
});

describe("the timeout of a stage", () => {
  const hangs = { kind: "time_over", limit: "attempt_timeout" } as const;
  const stages = [
    { name: "a", timeoutMs: 60_000, retry: retrying({ maxAttempts: 9, attemptTimeoutMs: 25_000, backoffMs: 5_000 }) },
  ];

  it("counts from the first start, over all attempts", () => {
    const group = new Group(plan(stages), 1).join();
    const began = group.at;
    expect(group.execute("agent-0").until).toEqual({ at: began + 60_000, limit: "timeout" });
    group.pass(25_000).finish("agent-0", hangs);
    group.pass(5_000);
    expect(group.execute("agent-0")).toMatchObject({ attempt: "0.1.0.2", until: { at: began + 60_000 } });
    group.pass(25_000).finish("agent-0", hangs);
    expect(group.state.failure?.reason).toBe(
      "a: agent-0 failed: its attempt timed out (25s), after 2 attempts; its timeout (1m) leaves no time for another",
    );
  });

  it("is not begun anew by an agent that comes back", () => {
    const group = new Group(plan(stages), 1).join();
    const { until } = group.execute("agent-0");
    group.pass(40_000);
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(group.execute("agent-0")).toMatchObject({ attempt: "0.1.0.2", until });
    group.pass(20_000);
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(group.state.failure?.reason).toBe("a: agent-0 failed: lost its work (SIGHUP), and its timeout (1m) is over");
  });

  it("begins with the group, and so does what is run again before that", () => {
    const group = new Group(plan(stages), 2).join();
    const { startAt, until } = group.execute("agent-0");
    expect(startAt).toBeGreaterThan(group.at);
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(group.execute("agent-0")).toMatchObject({ attempt: "0.1.0.2", startAt, until });
  });

  it("of an attempt that nobody reports is over a minute later, though the stage has time", () => {
    const group = new Group(plan([{ name: "a", retry: retrying({ attemptTimeoutMs: 25_000 }) }]), 1).join();
    group.pass(85_000);
    expect(group.state.status).toBe("failed");
  });
});

describe("a plan's deadline", () => {
  const stages = [{ name: "a" }, { name: "b" }, { name: "rescue", when: "on_failure" }, cleanup] as const;

  it("ends the work, and leaves cleanup its time", () => {
    const group = new Group(plan(stages, { deadlineMs: 60_000 }), 2).join();
    const deadlineAt = group.at + 60_000;
    expect(group.execute("agent-0").until).toEqual({ at: deadlineAt, limit: "deadline" });
    group.finish("agent-0");
    expect(group.instruction("agent-0")).toMatchObject({ do: "wait", until: deadlineAt });
    group.sync("agent-1");
    group.pass(60_000);
    expect(group.instruction("agent-1")).toEqual({ do: "abort", why: "a: the plan's deadline (1m) is over" });
    group.sync("agent-1", { finished: [report({ stage: 0, attempt: "0.1.1.1", end: { kind: "stopped", why: "" } })] });
    expect(group.execute("agent-0")).toMatchObject({ stage: 2, until: { limit: "timeout" } });
    group.finishAll().pass(120_000).finishAll();
    expect(statuses(group)).toEqual([
      "a failure: the plan's deadline (1m) is over",
      "b skipped: the run has failed at a",
      "rescue success",
      "cleanup success",
    ]);
    expect(group.state.status).toBe("failed");
  });

  it("is the reason, too, where an agent's clock is ahead of ours", () => {
    const group = new Group(plan(stages, { deadlineMs: 60_000 }), 1).join();
    group.pass(59_000).finish("agent-0", { kind: "time_over", limit: "deadline" });
    expect(group.state.failure?.reason).toBe("a: the plan's deadline (1m) is over");
  });

  it("lets cleanup that is all that is left go on: the work is done", () => {
    const group = new Group(plan([{ name: "a" }, cleanup], { deadlineMs: 60_000 }), 1).join();
    group.pass(50_000).finish("agent-0");
    expect(group.execute("agent-0")).toMatchObject({ stage: 1, until: { limit: "timeout" } });
    group.pass(50_000).finish("agent-0");
    expect(group.state.status).toBe("succeeded");
  });

  it("is not begun work after", () => {
    const of = plan([{ name: "a", when: "always" }, { name: "b", optional: true }, cleanup], { deadlineMs: 60_000 });
    const group = new Group(of, 1).join();
    group.pass(70_000).finish("agent-0");
    group.finish("agent-0");
    expect(statuses(group)).toEqual(["a success", "b failure: the plan's deadline (1m) is over", "cleanup success"]);
    expect(summary(group.state)).toMatchObject({ verdict: "failure", failedStage: "b" });
  });

  it("ends the wait for a person, and that for the group", () => {
    const asked = new Group(plan([{ name: "a", checkpoint: true }], { deadlineMs: 60_000 }), 1).join();
    expect(asked.instruction("agent-0")).toMatchObject({ reason: "checkpoint", until: asked.at + 60_000 });
    asked.pass(60_000);
    expect(asked.state.failure?.reason).toBe("a: the plan's deadline (1m) is over");
    expect(statuses(asked)).toEqual(["a failure: the plan's deadline (1m) is over"]);
    const alone = new Group(plan([{ name: "a" }], { deadlineMs: 60_000 }), 2).join("agent-0");
    alone.pass(60_000);
    expect(alone.state.failure?.reason).toBe("the plan's deadline (1m) is over, and the group is not complete");
  });
});

describe("a failure", () => {
  it("ends everyone's work, runs cleanup, and then fails the run", () => {
    const stages = [{ name: "a" }, { name: "b" }, { name: "cleanup", when: "always" }] as const;
    const group = new Group(plan(stages), 3).join();
    for (const name of group.names) group.sync(name, { stage: 0, status: "running" });
    group.finish("agent-1", fails, { tail: "disk is full" });
    expect(group.state.status).toBe("aborting");
    expect(group.instruction("agent-0")).toEqual({ do: "abort", why: "a: agent-1 failed: exit code 1" });
    for (const name of ["agent-0", "agent-2"]) {
      const attempt = `0.1.${name.slice(-1)}.1`;
      group.sync(name, { finished: [report({ stage: 0, attempt, end: { kind: "stopped", why: "" } })] });
    }
    expect(group.names.map((name) => group.execute(name).stage)).toEqual([2, 2, 2]);
    group.finishAll();
    expect(group.state.status).toBe("failed");
    expect(summary(group.state)).toMatchObject({
      verdict: "failure",
      failedStage: "a",
      message: "a: agent-1 failed: exit code 1",
    });
    expect(summary(group.state).phases[0]?.agents.map(({ status, tail }) => [status, tail])).toEqual([
      ["stopped", ""],
      ["failure", "disk is full"],
      ["stopped", ""],
    ]);
  });

  it("does not wait for ever for those that do not end", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 2).join();
    group.sync("agent-0", { stage: 0, status: "running" });
    group.finish("agent-1", fails);
    group.pass(29_000);
    expect(group.instruction("agent-0").do).toBe("abort");
    group.pass(1_000);
    expect(group.execute("agent-0").stage).toBe(1);
  });

  it("in cleanup, or a cleanup that hangs, is said and ends all the same", () => {
    const cleanup = { name: "cleanup", when: "always", timeoutMs: 30_000 } as const;
    const group = new Group(plan([{ name: "a" }, cleanup]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-0", fails);
    group.pass(29_000);
    expect(group.state.status).toBe("aborting");
    group.pass(62_000);
    expect(group.state.status).toBe("failed");
    expect(statuses(group)[1]).toBe("cleanup failure: agent-0: exit code 1; agent-1: did not end within its timeout");
  });

  it("of an optional stage is a warning, and the agent has arrived", () => {
    const group = new Group(plan([{ name: "a", optional: true }, { name: "b" }]), 2).join();
    group.finish("agent-0", fails);
    group.finish("agent-1");
    expect(group.execute("agent-0").stage).toBe(1);
    group.finishAll();
    expect(summary(group.state)).toMatchObject({
      verdict: "success",
      message: "2 stages succeeded, 1 of them with warnings (a)",
    });
    expect(statuses(group)[0]).toBe("a warning: agent-0: exit code 1");
  });

  it("is the first one: what comes after it does not change the reason", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 2).join();
    group.sync("agent-1", { stage: 0, status: "running" });
    group.finish("agent-0", fails);
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "no" });
    expect(group.state.failure?.reason).toBe("a: agent-0 failed: exit code 1");
  });
});

describe("cancelling", () => {
  it("ends what runs, cleans up, and is no failure", () => {
    const group = new Group(plan([{ name: "a" }, { name: "cleanup", when: "always" }]), 1).join();
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "wrong branch" });
    group.finish("agent-0");
    expect(summary(group.state)).toMatchObject({
      status: "cancelled",
      verdict: "cancelled",
      message: "cancelled by ann: wrong branch",
      failedStage: null,
    });
    expect(statuses(group)).toEqual(["a cancelled: cancelled by ann: wrong branch", "cleanup success"]);
  });

  it("during assembly ends at once", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join("agent-0");
    group.send({ type: "cancelled", at: group.at, by: "ann", why: "no" });
    expect(group.instruction("agent-0")).toMatchObject({ do: "finish", summary: { verdict: "cancelled" } });
  });
});
