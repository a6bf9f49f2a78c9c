import { describe, expect, it } from "vitest";
import type { Barrier, Plan } from "../../src/plan/plan.ts";
import { isBoundByDeadline, limitsOf } from "../../src/run/deadlines.ts";
import { begin, nextDeadline } from "../../src/run/machine.ts";
import type { Failure } from "../../src/run/state.ts";
import { barrier, created, Group, joined, plan, retrying, type StageOverrides, synced } from "./builders.ts";

describe("how long an agent may be silent", () => {
  const liveness = { heartbeatIntervalMs: 2_000, warnAfterMs: 5_000, lostAfterMs: 30_000 };

  it.each<[string, Partial<Barrier>, Partial<Plan["liveness"]>, number, number]>([
    ["the run's own times", {}, {}, 5_000, 30_000],
    ["a slower heartbeat", { heartbeatIntervalMs: 20_000 }, {}, 20_000, 30_000],
    ["a quicker heartbeat", { heartbeatIntervalMs: 1_000 }, {}, 5_000, 30_000],
    ["a heartbeat that is slower than the loss", { heartbeatIntervalMs: 40_000 }, {}, 30_000, 30_000],
    [
      "the run's own heartbeat, though it is slower than its warning",
      {},
      { heartbeatIntervalMs: 9_000 },
      5_000,
      30_000,
    ],
    ["heartbeats that are missed", { missedThreshold: 3 }, {}, 5_000, 6_000],
    ["heartbeats that are missed before the warning", { missedThreshold: 2 }, {}, 4_000, 4_000],
    ["slow heartbeats that are missed", { heartbeatIntervalMs: 20_000, missedThreshold: 2 }, {}, 20_000, 40_000],
    ["being asked again", { queryTimeoutMs: 5_000 }, {}, 5_000, 35_000],
    ["being asked again three times", { queryTimeoutMs: 5_000, queryRetries: 3 }, {}, 5_000, 45_000],
    ["being asked three times in no time", { queryRetries: 3 }, {}, 5_000, 30_000],
    ["being asked again after missed heartbeats", { missedThreshold: 2, queryTimeoutMs: 500 }, {}, 4_000, 4_500],
  ])("%s", (_name, over, own, warnAfterMs, lostAfterMs) => {
    const of = plan([{ name: "a", barrier: { ...barrier, ...over } }], { liveness: { ...liveness, ...own } });
    expect(limitsOf(of, 0)).toMatchObject({ warnAfterMs, lostAfterMs });
    expect(limitsOf(of, null)).toEqual(of.liveness);
    expect(limitsOf(of, 1)).toEqual(of.liveness);
  });
});

describe("the plan's deadline", () => {
  const failure: Failure = { kind: "failed", stage: null, reason: "", at: 0 };
  const of = plan([{ name: "a" }, { name: "b", when: "always" }, { name: "c", when: "on_failure" }]);

  it("counts for work alone, and no longer when the run has failed", () => {
    const bound = (failed: Failure | null) =>
      [0, 1, 2, 3].map((stage) => isBoundByDeadline({ plan: of, failure: failed }, stage));
    expect(bound(null)).toEqual([true, false, false, false]);
    expect(bound(failure)).toEqual([false, false, false, false]);
  });
});

describe("the next time at which something is due", () => {
  const assembly = { timeoutMs: 60_000, atLeast: null };

  it("is the assembly's end, the deadline before it, or when the first who came would be silent", () => {
    expect(nextDeadline(begin(created(plan([{ name: "a" }], { assembly }), 2, 7)))).toBe(60_007);
    expect(nextDeadline(begin(created(plan([{ name: "a" }], { assembly, deadlineMs: 50_000 }), 2, 7)))).toBe(50_007);
    expect(nextDeadline(begin(created(plan([{ name: "a" }], { assembly, deadlineMs: 70_000 }), 2, 7)))).toBe(60_007);
    const group = new Group(plan([{ name: "a" }], { assembly }), 2).join("agent-0");
    expect(nextDeadline(group.state)).toBe(group.at + 5_000);
  });

  /** An agent speaks every two seconds from `from` on, but those that are silent. */
  interface Scenario {
    readonly of: Plan;
    readonly size?: number;
    readonly silent?: readonly string[];
    /** What happens once all have joined. */
    readonly first?: (group: Group) => void;
    readonly seconds?: number;
  }
  const rule = (kind: "all_or_nothing" | "majority" | "best_effort" | "none", more: Partial<Barrier> = {}) => ({
    barrier: { ...barrier, rule: { kind }, ...more },
  });
  const stage = (more: Partial<StageOverrides>): readonly StageOverrides[] => [
    { name: "a", timeoutMs: 20_000, ...more },
    { name: "b", timeoutMs: 20_000 },
    { name: "cleanup", when: "always", timeoutMs: 20_000 },
  ];
  const working = (group: Group): void => {
    for (const name of group.names) group.sync(name, { status: "running" });
  };
  const others = (group: Group): void => {
    working(group);
    for (const name of group.names.slice(1)) group.finish(name);
  };
  const server = { background: { ready: null, until: "b" } } as const;
  const tasks = {
    source: { kind: "count", count: 9 },
    concurrency: 2,
    maxFailures: 0,
    maxPreemptions: 9,
    needs: {},
  } as const;
  const restarted = (group: Group): void => {
    group.sync("agent-0", { ready: [0] });
    group.sync("agent-1", { ready: [0] });
    group.send({ type: "reset", at: group.at, agent: "agent-0", session: "agent-0#1", why: "SIGHUP" });
  };

  it.each<[string, Scenario]>([
    ["nobody comes", { of: plan(stage({}), { assembly }), size: 0 }],
    ["nobody says anything", { of: plan(stage({})), silent: ["agent-0", "agent-1"] }],
    ["one is silent", { of: plan(stage({})), silent: ["agent-1"] }],
    ["one is silent whom nobody waits for", { of: plan(stage(rule("none"))), silent: ["agent-1"] }],
    ["one is silent and may be gone", { of: plan(stage(rule("best_effort"))), silent: ["agent-1"], first: working }],
    [
      "one is silent longer than its barrier bears",
      {
        of: plan(stage(rule("best_effort", { missedThreshold: 4, heartbeatIntervalMs: 3_000 }))),
        silent: ["agent-1"],
      },
    ],
    ["nobody ends", { of: plan(stage({})) }],
    [
      "nobody ends, with attempts of their own",
      {
        of: plan(stage({ retry: retrying({ maxAttempts: 3, attemptTimeoutMs: 7_000 }) })),
        first: working,
      },
    ],
    ["one is late at its barrier", { of: plan(stage(rule("all_or_nothing", { timeoutMs: 9_300 }))), first: others }],
    [
      "one is late, and is excluded",
      {
        of: plan(stage(rule("majority", { stragglerGraceMs: 8_700 }))),
        size: 3,
        first: others,
      },
    ],
    [
      "one is late, and is to come back",
      {
        of: plan(stage({ ...rule("majority", { stragglerGraceMs: 8_700, onStraggler: "rejoin" }), timeoutMs: 99_000 })),
        size: 3,
        first: others,
      },
    ],
    [
      "the time of a stage ends",
      {
        of: plan(stage({ type: "execute", completion: "duration", durationMs: 12_300 })),
        first: working,
      },
    ],
    [
      "the time of a stage ends for one that waits to try again",
      {
        of: plan(
          stage({
            type: "execute",
            completion: "duration",
            durationMs: 12_300,
            retry: retrying({ maxAttempts: 9, backoffMs: 11_100 }),
          }),
        ),
        first: (group) => {
          group.finish("agent-0", { kind: "exited", code: 1 });
          group.sync("agent-1", { status: "running" });
        },
      },
    ],
    ["the plan's deadline comes", { of: plan(stage({}), { deadlineMs: 15_700 }), first: working }],
    [
      "the deadline comes before a person",
      {
        of: plan(stage({ checkpoint: true }), { deadlineMs: 15_700 }),
      },
    ],
    [
      "the run is cancelled",
      {
        of: plan(stage({})),
        first: (group) => {
          working(group);
          group.send({ type: "cancelled", at: group.at, by: "ann", why: "no" });
        },
      },
    ],
    [
      "what runs behind does not get ready again",
      {
        of: plan([
          { name: "a", timeoutMs: 10_000, ...server },
          { name: "b", timeoutMs: 200_000 },
        ]),
        first: restarted,
        seconds: 100,
      },
    ],
    [
      "tasks are nobody's",
      { of: plan(stage({ type: "prepare", completion: "tasks_done", tasks })), silent: ["agent-1"] },
    ],
    [
      "the coordinator comes back",
      {
        of: plan(stage(rule("best_effort", { timeoutMs: 21_000 }))),
        silent: ["agent-1"],
        first: (group) => {
          others(group);
          group.at += 3_333;
          group.send({ type: "coordinator_started", at: group.at });
        },
      },
    ],
  ])("is never too late: %s", (_name, { of, size = 2, silent = [], first = () => {}, seconds = 130 }) => {
    const told = (everyMs: number): readonly (readonly [number, string])[] => {
      const group = new Group(of, Math.max(size, 1));
      if (size > 0) group.join();
      first(group);
      const begun = group.at;
      for (let ms = 2_000; ms <= seconds * 1_000 && group.state.endedAt === null; ms += 2_000) {
        for (let tick = group.at + everyMs; tick < begun + ms; tick += everyMs)
          group.send({ type: "ticked", at: tick });
        for (let due = nextDeadline(group.state); due !== null && due <= begun + ms; due = nextDeadline(group.state)) {
          group.send({ type: "ticked", at: due });
        }
        group.at = begun + ms;
        for (const name of size > 0 ? group.names : []) {
          const now = group.instruction(name);
          if (!silent.includes(name)) group.sync(name, now.do === "execute" ? { status: "running" } : {});
        }
      }
      const ended: readonly (readonly [number, string])[] =
        group.state.endedAt === null ? [] : [[group.state.endedAt - begun, group.state.status]];
      return [...group.state.notices.map(({ at, text }) => [at - begun, text] as const), ...ended];
    };
    const often = told(100);
    const due = told(Number.POSITIVE_INFINITY);
    expect(due.map(([, text]) => text)).toEqual(often.map(([, text]) => text));
    for (const [at, [ms]] of due.entries()) expect(ms).toBeLessThanOrEqual(often[at]?.[0] ?? 0);
    expect(often.length).toBeGreaterThan(0);
  });
});

describe("a stage whose barrier bears less silence", () => {
  it("has its agents looked at sooner as soon as it begins", () => {
    const strict = { ...barrier, missedThreshold: 2 };
    const group = new Group(plan([{ name: "a" }, { name: "b", barrier: strict }]), 2).join();
    expect(nextDeadline(group.state)).toBe(group.at + 5_000);
    group.finishAll();
    expect(nextDeadline(group.state)).toBe(group.at + 4_000);
  });
});

describe("a deadline that came while the coordinator was away", () => {
  it("fails the run when it is back, which cleans up at once where nobody had begun", () => {
    const stages = [{ name: "a" }, { name: "cleanup", when: "always" }] as const;
    const group = new Group(plan(stages, { deadlineMs: 10_000 }), 2).join();
    group.send({ type: "coordinator_started", at: group.at + 10_000 });
    expect(group.state.failure?.reason).toBe("a: the plan's deadline (10s) is over");
    expect(group.execute("agent-0").stage).toBe(1);
  });
});

describe("time that goes by before an event", () => {
  it("is acted on first: who comes too late for the assembly does not begin the run", () => {
    const assembly = { timeoutMs: 60_000, atLeast: null };
    const group = new Group(plan([{ name: "a" }], { assembly }), 2).join("agent-0");
    for (let ms = 2_000; ms < 60_000; ms += 2_000) group.send(synced("agent-0", group.at + ms));
    group.send(joined("agent-1", group.at + 60_000));
    expect(group.state.status).toBe("failed");
  });

  it("does not run backwards", () => {
    const group = new Group(plan([{ name: "a" }]), 2).join();
    group.send({ type: "ticked", at: group.at - 5_000 });
    expect(group.state.now).toBe(group.at);
  });
});
