import { describe, expect, it } from "vitest";
import { summary } from "../../../src/run/machine.ts";
import { barrier, Group, plan, reliedOn, report } from "../builders.ts";

const stages = [
  { name: "server", role: "server", background: { ready: { port: 8080 }, until: "load" } },
  { name: "load", role: "worker" },
  { name: "check", role: "worker" },
  { name: "cleanup", when: "always" },
] as const;

/** `agent-0` is the server; the others work. */
function group(): Group {
  const of = plan(stages, { roles: { server: 1, worker: 2 } });
  return new Group(of, 3).join();
}

function ready(of: Group): void {
  of.sync("agent-0", { stage: 0, status: "running", ready: [0], outputs: { url: "http://10.0.0.1:8080" } });
}

function finishIfWorking(of: Group, name: string): void {
  if (of.instruction(name).do === "execute") of.finish(name);
}

const died = { kind: "exited", code: 1 } as const;

describe("a background command", () => {
  it("holds the others until it is ready, and shows them its outputs", () => {
    const of = group();
    of.sync("agent-0", { stage: 0, status: "running" });
    expect(of.instruction("agent-1")).toMatchObject({
      do: "wait",
      reason: "ready",
      stage: 0,
      who: [{ agent: "agent-0" }],
    });
    ready(of);
    expect(of.state.outputs).toEqual({ server: { url: "http://10.0.0.1:8080" } });
    expect([of.execute("agent-1").stage, of.execute("agent-2").stage]).toEqual([1, 1]);
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "not_my_stage", stage: 1 });
    of.finishAll();
    expect(summary(of.state).phases[0]).toMatchObject({ name: "server", status: "success" });
  });

  it.each([
    ["exits 0", { kind: "exited", code: 0 } as const, "ended before it was ready: exit code 0"],
    ["exits 1", died, "ended before it was ready: exit code 1"],
    [
      "is not ready in time",
      { kind: "time_over", limit: "timeout" } as const,
      "ended before it was ready: timed out (10m)",
    ],
  ])("that %s before it is ready has failed", (_name, end, reason) => {
    const of = group();
    of.finish("agent-0", end);
    expect(of.state.failure?.reason).toBe(`server: agent-0 failed: ${reason}`);
  });

  it("that dies before its last stage is over takes the run with it, named", () => {
    const of = group();
    ready(of);
    of.sync("agent-0", { stage: 1, finished: [report({ stage: 0, attempt: "0.1.0.1", end: died })] });
    expect(of.state.failure).toMatchObject({
      stage: 0,
      reason: "background stage server died on agent-0: exit code 1",
    });
    of.finishAll();
    expect(of.state.status).toBe("failed");
  });

  it.each([
    ["dies", (of: Group) => of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: died })] })],
    ["is gone with its agent", (of: Group) => of.pass(31_000, ["agent-0"])],
    [
      "does not get ready again",
      (of: Group) => {
        of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
        of.pass(661_000);
      },
    ],
  ])("that is optional and %s is a warning, and what needs it is left out", (_what, lose) => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const [server, load, check, cleanup] = stages;
    const needy = { ...check, optional: true, dependsOn: [{ stage: "server", evenIf: [] }] } as const;
    const some = [{ ...server, optional: true }, { ...load, timeoutMs: 3_600_000 }, needy, cleanup].map((stage) => ({
      ...stage,
      barrier: best,
    }));
    const of = new Group(plan(some, { roles: { server: 1, worker: 2 } }), 3).join();
    ready(of);
    const { steps } = of.state;
    lose(of);
    expect(of.state.failure).toBeNull();
    // Its stage has another result now, which is to be shown.
    expect(of.state.steps).toBe(steps + 1);
    expect(of.notices().join()).toContain("the group goes on, as its stage is optional");
    for (let stage = 1; stage < 4; stage++)
      for (const name of ["agent-1", "agent-2", "agent-0"]) finishIfWorking(of, name);
    expect(of.state.status).toBe("succeeded");
    const { phases } = summary(of.state);
    expect(phases.map(({ status }) => status)).toEqual(["warning", "success", "skipped", "success"]);
    expect(phases[0]?.reason).toMatch(/agent-0/);
  });

  it("that is optional and dies while others are not ready yet has no result before they are", () => {
    const until = {
      background: { ready: null, until: "use" },
      barrier: { ...barrier, rule: { kind: "best_effort" } },
    } as const;
    const of = new Group(plan([{ name: "serve", optional: true, ...until }, { name: "use" }]), 2).join();
    of.sync("agent-0", { ready: [0] });
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: died })] });
    expect(summary(of.state).phases).toEqual([]);
    of.sync("agent-1", { ready: [0] });
    expect(summary(of.state).phases).toMatchObject([{ name: "serve", status: "warning", worked: false }]);
    expect(of.execute("agent-0").stage).toBe(1);
  });

  it("that ends after its last stage is as it should be", () => {
    const of = group();
    ready(of);
    of.finishAll();
    expect(of.execute("agent-1").stage).toBe(2);
    of.finishAll();
    // It may take its time to end, into a stage of its own agent.
    expect(of.execute("agent-0").stage).toBe(3);
    of.sync("agent-0", {
      stage: 3,
      finished: [report({ stage: 0, attempt: "0.1.0.1", end: { kind: "stopped", why: "" } })],
    });
    expect(of.notices()).toEqual([]);
    of.finishAll();
    expect(of.state.status).toBe("succeeded");
  });

  const last = { metrics: [{ name: "ops", value: 7, unit: "", agg: "sum" as const, count: 1 }], outputs: { rows: 3 } };
  const itsEnd = report({ stage: 0, attempt: "0.1.0.1", end: { kind: "stopped", why: "" }, ...last });

  it("has in the result what it tells when it ends, and later stages have its outputs", () => {
    const of = group();
    ready(of);
    of.finishAll();
    of.sync("agent-0", { finished: [itsEnd] });
    expect(of.state.outputs).toEqual({ server: { url: "http://10.0.0.1:8080", rows: 3 } });
    // The same, told again.
    of.sync("agent-0", { finished: [itsEnd] });
    of.finishAll();
    of.finishAll();
    expect(of.state.status).toBe("succeeded");
    expect(summary(of.state).phases[0]).toMatchObject({ metrics: [{ name: "ops", value: 7 }], outputs: { rows: 3 } });
  });

  it.each([
    ["told", 7],
    ["lost", null],
    ["never told", null],
  ])("is waited for at the run's end, and its last word is %s", (how, value) => {
    const of = new Group(plan([{ ...stages[0], role: null, runsOn: { kind: "first" } }, { name: "load" }]), 2).join();
    ready(of);
    of.finishAll();
    expect(of.state.status).toBe("running");
    expect(of.instruction("agent-0")).toEqual({
      do: "abort",
      why: "every stage is over: what runs in the background is ended",
    });
    if (how === "told") of.sync("agent-0", { finished: [itsEnd] });
    else of.pass(31_000, how === "lost" ? ["agent-0"] : []);
    expect(of.state.status).toBe("succeeded");
    expect(summary(of.state).phases[0]?.metrics[0]?.value ?? null).toBe(value);
  });

  it("is gone with its agent, whatever the policy tolerates", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const of = new Group(
      plan(
        stages.map((stage) => ({ ...stage, barrier: best })),
        { roles: { server: 1, worker: 2 } },
      ),
      3,
    ).join();
    ready(of);
    of.pass(31_000, ["agent-0"]);
    expect(of.state.failure?.reason).toMatch(/^background stage server is gone: agent-0 was lost: silent for 30 s/);
  });

  it("is started again, and waited for, when its agent was reset", () => {
    const of = group();
    ready(of);
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.1.0.b2", attemptNumber: 2, tasksOnly: false });
    of.sync("agent-0", { stage: 0, status: "running", ready: [0] });
    expect(of.instruction("agent-0")).toMatchObject({ do: "wait", stage: 1 });
    of.sync("agent-0", { stage: 1, finished: [report({ stage: 0, attempt: "0.1.0.b2", end: died })] });
    expect(of.state.failure?.reason).toBe("background stage server died on agent-0: exit code 1");
  });

  it("is not lost with a look at its agent while it runs, or has time left to get ready again", () => {
    const [server, load] = stages;
    const of = new Group(
      plan([{ ...server, timeoutMs: 1_000, background: { ready: null, until: "load" } }, load], {
        roles: { server: 1, worker: 1 },
      }),
      2,
    ).join();
    ready(of);
    of.pass(62_000).pass(6_000, ["agent-0"]);
    expect(of.notices().at(-1)).toContain("agent-0 has been silent for 5 s");
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    of.pass(6_000, ["agent-0"]);
    expect(of.notices().at(-1)).toContain("agent-0 has been silent for 5 s");
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.1.0.b2" });
    expect(of.state.failure).toBeNull();
  });

  it("that does not get ready again ends the run", () => {
    const of = group();
    ready(of);
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    of.pass(659_000);
    expect(of.state.status).toBe("running");
    of.pass(2_000);
    expect(of.state.failure?.reason).toBe("background stage server did not get ready again on agent-0");
  });

  it("that is one of two that do not get ready again is the first of them", () => {
    const until = { background: { ready: null, until: "use" } } as const;
    const of = new Group(
      plan([
        { name: "one", ...until },
        { name: "two", ...until },
        { name: "use", timeoutMs: 900_000 },
      ]),
      1,
    ).join();
    of.sync("agent-0", { ready: [0] });
    of.sync("agent-0", { ready: [1] });
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    of.pass(661_000);
    expect(of.state.failure?.reason).toBe("background stage one did not get ready again on agent-0");
  });

  it("that is ready again is waited for no more, and the other one is", () => {
    const until = { background: { ready: null, until: "use" } } as const;
    const of = new Group(
      plan([
        { name: "one", ...until },
        { name: "two", ...until },
        { name: "use", timeoutMs: 900_000 },
      ]),
      1,
    ).join();
    of.sync("agent-0", { ready: [0] });
    of.sync("agent-0", { ready: [1] });
    of.send({ type: "reset", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
    of.sync("agent-0", { status: "running", ready: [1] });
    of.pass(661_000);
    expect(of.state.failure?.reason).toBe("background stage one did not get ready again on agent-0");
  });

  it("that is one of two, one of them optional, takes the run and its agent's membership with it", () => {
    const until = { background: { ready: null, until: "use" } } as const;
    const of = new Group(
      plan([{ name: "one", ...until, optional: true }, { name: "two", ...until }, { name: "use" }]),
      2,
    ).join();
    for (const ready of [0, 1]) for (const name of of.names) of.sync(name, { ready: [ready] });
    of.send({ type: "left", at: of.at, agent: "agent-0", session: "agent-0#1", why: "SIGTERM" });
    expect(of.state.failure?.reason).toBe("background stage two is gone: agent-0 left: SIGTERM");
    expect(of.state.agents.flat()[0]).toMatchObject({ membership: "away", why: "left: SIGTERM", backgrounds: [] });
  });

  it("is ended before cleanup begins when the run fails", () => {
    const of = group();
    ready(of);
    of.finish("agent-1", died);
    of.sync("agent-2", { finished: [report({ stage: 1, attempt: "1.1.2.1", end: { kind: "stopped", why: "" } })] });
    expect(of.instruction("agent-0").do).toBe("abort");
    of.sync("agent-0", { finished: [report({ stage: 0, attempt: "0.1.0.1", end: { kind: "stopped", why: "" } })] });
    expect(of.names.map((name) => of.execute(name).stage)).toEqual([3, 3, 3]);
  });

  it("of cleanup is waited for after a failure, too, and ends with what relies on it", () => {
    const always = { when: "always" } as const;
    const of = new Group(
      plan([
        { name: "work" },
        { name: "helper", ...always, background: { ready: null, until: "wipe" } },
        { name: "wipe", ...always },
        { name: "last", ...always },
      ]),
      1,
    ).join();
    of.finish("agent-0", died);
    expect(of.execute("agent-0").stage).toBe(1);
    of.sync("agent-0", { ready: [1] });
    expect(of.execute("agent-0").stage).toBe(2);
    expect(reliedOn(of)).toBe(1);
    of.finish("agent-0");
    expect(of.execute("agent-0").stage).toBe(3);
    expect(reliedOn(of)).toBe(0);
    of.sync("agent-0", {
      stage: 3,
      finished: [report({ stage: 1, attempt: "1.1.0.1", end: { kind: "stopped", why: "" } })],
    });
    of.finish("agent-0");
    expect(summary(of.state).phases.map(({ status }) => status)).toEqual(["failure", "success", "success", "success"]);
    expect(of.notices()).toEqual(["aborting: work: agent-0 failed: exit code 1"]);
  });
});
