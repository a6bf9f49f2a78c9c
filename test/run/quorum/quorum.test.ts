import { describe, expect, it } from "vitest";
import { jsonBytes, RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import type { Json, Plan, Quorum } from "../../../src/plan/plan.ts";
import { summary } from "../../../src/run/machine.ts";
import { repeatedBy } from "../../../src/run/quorum/round.ts";
import type { AttemptEnd, Ballot } from "../../../src/run/types.ts";
import { barrier, Group, joined, needs, plan, planStage, report, type StageOverrides } from "../builders.ts";

const QUORUM: Quorum = {
  validators: [
    { name: "lint", run: "lint", weight: 2, timeoutMs: 3_000 },
    { name: "audit", run: "audit", weight: 1, timeoutMs: null },
  ],
  passAt: 60,
  retryAt: 40,
  retryStages: ["draft"],
  maxRetries: 1,
  backoffMs: 0,
  onExhausted: "warn",
};

function review(change: Partial<Quorum> = {}, stage: Partial<StageOverrides> = {}): StageOverrides {
  const quorum = { ...QUORUM, ...change };
  const values = quorum.validators.map(({ name }) => name);
  const limits = { concurrency: 2, maxFailures: 0, maxPreemptions: 100, needs: {} };
  return {
    name: "review",
    type: "quorum",
    completion: "validation_passed",
    command: null,
    tasks: { source: { kind: "list", values }, ...limits },
    quorum,
    ...stage,
  };
}

const STAGES: readonly StageOverrides[] = [
  { name: "draft" },
  { name: "aside" },
  { name: "build", dependsOn: [needs("draft")] },
  review(),
  { name: "publish" },
];

function group(stages: readonly StageOverrides[] = STAGES): Group {
  return new Group(plan(stages), 1).join();
}

/** Lets the group through what is to do until it stands in the stage of this name, or is over. */
function until(of: Group, name: string): void {
  for (let steps = 0; steps < 100; steps++) {
    of.pass(1_000);
    const at = of.state.segment?.first;
    if (at === undefined || of.state.plan.stages[at]?.name === name) return;
    of.finishAll();
  }
}

const pass: Ballot = { decision: "PASS", confidence: 0.9, deficiencies: [] };
const retry: Ballot = { decision: "RETRY", confidence: 0.5, deficiencies: ["no tests"] };
const fail: Ballot = { decision: "FAIL", confidence: null, deficiencies: [] };
const EXITED: AttemptEnd = { kind: "exited", code: 0 };

/** Each validator votes, or ends otherwise. */
function vote(of: Group, ballots: Readonly<Record<string, Ballot | AttemptEnd | undefined>>): void {
  const { attempt: own } = of.execute("agent-0");
  of.sync("agent-0", { wants: 2, attempts: [own] });
  const { stage, leases } = of.execute("agent-0");
  const finished = leases.map(({ task, attempt }) => {
    const said = ballots[task];
    const end = said !== undefined && "kind" in said ? said : EXITED;
    const ballot = said === undefined || "kind" in said ? {} : { ballot: said };
    return report({ stage, attempt, task, end, ...ballot });
  });
  of.sync("agent-0", { finished });
}

const thresholds = { maxErrors: 0, maxErrorRate: null, maxConsecutiveErrors: null };
const reviewOf = (of: Group) => summary(of.state).phases.find(({ name }) => name === "review");

describe("a quorum", () => {
  it("lets the run go on with PASS", () => {
    const of = group();
    until(of, "review");
    vote(of, { lint: pass, audit: fail });
    until(of, "none");
    expect(of.state.status).toBe("succeeded");
    expect(reviewOf(of)).toMatchObject({ status: "success", worked: true, reason: null });
    expect(reviewOf(of)?.quorum).toEqual({
      decision: "PASS",
      confidence: 0.9,
      weights: { pass: 2, retry: 0, fail: 1 },
      votes: [
        { validator: "lint", weight: 2, decision: "PASS", confidence: 0.9, agent: "agent-0", reason: null },
        { validator: "audit", weight: 1, decision: "FAIL", confidence: null, agent: "agent-0", reason: null },
      ],
      deficiencies: [{ validator: "audit", deficiency: "voted FAIL and named no deficiency" }],
      leftOut: 0,
      exhausted: null,
    });
    expect(of.state.outputs.review).toMatchObject({ decision: "PASS", round: 1 });
    expect(of.notices()).toEqual([
      "review, round 1: PASS: pass 66.7 %, retry 0 %, fail 33.3 % of the weight, confidence 0.9",
      "review: lint (on agent-0) counts as PASS, confidence 0.9",
      "review: audit (on agent-0) counts as FAIL",
      "review: audit: voted FAIL and named no deficiency",
    ]);
  });

  it("sends back with RETRY what it names and what depends on it, says why, and keeps the rest", () => {
    const of = group();
    until(of, "review");
    vote(of, { lint: retry, audit: pass });
    const because = { stage: "review", round: 1, deficiencies: [{ validator: "lint", deficiency: "no tests" }] };
    expect(of.execute("agent-0")).toMatchObject({ stage: 0, attempt: "0.2.0.1", because });
    expect(of.state.outputs.review).toMatchObject({ decision: "RETRY", deficiencies: because.deficiencies });
    expect(of.notices().at(-1)).toMatch(/^going back to draft, round 2: RETRY: pass 33\.3 %/);
    of.pass(1_000).finishAll();
    expect(of.execute("agent-0")).toMatchObject({ stage: 2, because });
    until(of, "review");
    vote(of, { lint: pass, audit: pass });
    until(of, "none");
    expect(of.state.status).toBe("succeeded");
    expect(summary(of.state).phases.map(({ name, earlier = [] }) => [name, earlier.length + 1])).toEqual([
      ["draft", 2],
      ["aside", 1],
      ["build", 2],
      ["review", 2],
      ["publish", 1],
    ]);
    expect(reviewOf(of)?.earlier?.[0]).toMatchObject({
      quorum: { decision: "RETRY", deficiencies: because.deficiencies },
      reason: expect.stringContaining("sent back: RETRY: pass 33.3 %, retry 66.7 %, fail 0 % of the weight"),
    });
  });

  it("fails the run with FAIL, naming what was wanting", () => {
    const of = group();
    until(of, "review");
    vote(of, { lint: fail, audit: pass });
    until(of, "none");
    expect(of.state.status).toBe("failed");
    expect(of.state.failure?.reason).toContain("review: FAIL: pass 33.3 %, retry 0 %, fail 66.7 % of the weight");
    expect(of.state.failure?.reason).toContain("lint: voted FAIL and named no deficiency");
  });

  const broken: readonly (readonly [string, Ballot | AttemptEnd | undefined, string])[] = [
    [
      "prints something else",
      { unreadable: 'its last line is no JSON object: "ok"' },
      "its last line is no JSON object",
    ],
    ["prints nothing", undefined, "told no verdict"],
    ["crashes", { kind: "exited", code: 1 }, "exit code 1"],
    ["is killed", { kind: "signalled", signal: "SIGKILL" }, "ended by SIGKILL"],
    ["is over its time", { kind: "time_over", limit: "attempt_timeout" }, "its attempt timed out (3s)"],
  ];
  it.each(broken)("counts a validator that %s as FAIL", (_what, said, reason) => {
    const of = group();
    until(of, "review");
    vote(of, { lint: said, audit: pass });
    until(of, "none");
    expect(of.state.status).toBe("failed");
    expect(reviewOf(of)?.quorum?.votes[0]).toMatchObject({
      decision: "FAIL",
      reason: expect.stringContaining(reason),
    });
  });

  it("counts a validator that crashes as a vote, and not as one of the errors that its stage bears", () => {
    const of = group([{ name: "draft" }, review({}, { thresholds })]);
    until(of, "review");
    vote(of, { lint: pass, audit: { kind: "exited", code: 1 } });
    until(of, "none");
    expect(of.state.status).toBe("succeeded");
    expect(reviewOf(of)).toMatchObject({ status: "success", quorum: { decision: "PASS" } });
  });

  it("believes no verdict of a command that failed", () => {
    const of = group();
    until(of, "review");
    of.sync("agent-0", { wants: 2 });
    const { stage, leases } = of.execute("agent-0");
    const end: AttemptEnd = { kind: "exited", code: 3 };
    of.sync("agent-0", {
      finished: leases.map(({ task, attempt }) => report({ stage, attempt, task, end, ballot: pass })),
    });
    until(of, "none");
    expect(reviewOf(of)?.quorum).toMatchObject({ decision: "FAIL", weights: { pass: 0, retry: 0, fail: 3 } });
  });

  it("counts as FAIL who has not voted when its time is over", () => {
    const of = group([{ name: "draft" }, review({}, { timeoutMs: 5_000 })]);
    until(of, "review");
    of.sync("agent-0", { wants: 1 });
    const { stage, leases } = of.execute("agent-0");
    const [lease] = leases;
    const { task = null, attempt = "" } = lease ?? {};
    of.sync("agent-0", { finished: [report({ stage, task, attempt, ballot: pass })], wants: 1 });
    const [late] = of.execute("agent-0").leases;
    const end: AttemptEnd = { kind: "time_over", limit: "timeout" };
    of.sync("agent-0", { finished: [report({ stage, task: late?.task ?? null, attempt: late?.attempt ?? "", end })] });
    until(of, "none");
    expect(reviewOf(of)?.quorum).toMatchObject({ decision: "PASS", weights: { pass: 2, fail: 1 } });
    expect(of.state.status).toBe("succeeded");
  });

  it("waits for the pause, says so, and doubles it", () => {
    const of = group([{ name: "draft" }, review({ backoffMs: 20_000, maxRetries: 2 })]);
    for (const ms of [20_000, 40_000]) {
      until(of, "review");
      vote(of, { lint: retry, audit: retry });
      expect(of.instruction("agent-0")).toMatchObject({ do: "wait", reason: "retry", stage: 0, until: of.at + ms });
      expect(of.notices().at(-1)).toContain(` in ${ms / 1_000}s: RETRY`);
      of.pass(ms);
      expect(of.execute("agent-0").stage).toBe(0);
    }
  });

  it("has whoever comes back during the pause wait for its end, too", () => {
    const best = { ...barrier, rule: { kind: "best_effort" } } as const;
    const stages = [{ name: "draft", barrier: best }, review({ backoffMs: 60_000 }, { barrier: best })];
    const of = new Group(plan(stages), 2).join();
    of.pass(31_000, ["agent-1"]);
    of.finish("agent-0");
    vote(of, { lint: retry, audit: retry });
    const startAt = of.at + 60_000;
    of.pass(1_000, ["agent-1"]);
    of.send(joined("agent-1", of.at, { session: "agent-1#2" }));
    const assignments = of.state.agents.flat().map(({ assignment }) => assignment?.startAt ?? 0);
    expect(Math.min(...assignments)).toBeGreaterThanOrEqual(startAt);
  });

  it("does not count what somebody else sent back", () => {
    const of = group([{ name: "draft" }, review({ maxRetries: 1 })]);
    for (const other of [true, false]) {
      until(of, "review");
      const { round } = of.state.stages.flat()[1] ?? { round: 0 };
      const asked = { type: "repeat_requested", at: of.at, stage: 1, round, from: 0, why: "a person" } as const;
      if (other) of.send(asked);
      vote(of, { lint: retry, audit: retry });
      expect(of.execute("agent-0").stage).toBe(0);
    }
    until(of, "review");
    vote(of, { lint: retry, audit: retry });
    expect(of.state.status).toBe("succeeded");
  });

  it.each([
    ["warn", "succeeded", "warning"],
    ["fail", "failed", "failure"],
  ] as const)("that is exhausted with on_exhausted: %s has %s", (onExhausted, status, stage) => {
    const of = group([
      ...STAGES.slice(0, 3),
      review({ onExhausted }),
      { name: "publish", dependsOn: [needs("review")] },
    ]);
    for (let round = 1; round <= 2; round++) {
      until(of, "review");
      vote(of, { lint: retry, audit: retry });
    }
    until(of, "none");
    expect(of.state.status).toBe(status);
    expect(reviewOf(of)).toMatchObject({
      status: stage,
      reason: expect.stringContaining("there is no further round: after 1 retry (max_retries)"),
    });
  });

  it("is exhausted at once where nothing that it names has run", () => {
    const of = new Group(plan(STAGES), 1);
    of.state = { ...of.state, selection: { only: [3, 4], skip: [], stopAfter: null } };
    of.join();
    until(of, "review");
    vote(of, { lint: retry, audit: retry });
    until(of, "none");
    expect(of.state.status).toBe("succeeded");
    expect(reviewOf(of)?.quorum?.exhausted).toContain("draft did not run in this run");
  });

  it("passes on as many deficiencies as a variable holds, and counts the others", () => {
    const of = group();
    until(of, "review");
    const deficiencies = Array.from({ length: 15 }, (_, number) => `${number} ${"x".repeat(1_000)}`);
    vote(of, {
      lint: { decision: "RETRY", confidence: null, deficiencies },
      audit: { decision: "RETRY", confidence: null, deficiencies: [...deficiencies, "z".repeat(30_000)] },
    });
    const { because } = of.execute("agent-0");
    expect(JSON.stringify(because?.deficiencies).length).toBeLessThanOrEqual(RUN_BOUNDS.deficiencyBytes + 2);
    expect(because?.deficiencies).toHaveLength(30);
    expect(summary(of.state).phases.length).toBeGreaterThan(0);
    const [round] = of.state.stages.flat()[3]?.earlier ?? [];
    expect(round?.quorum?.leftOut).toBe(1);
  });

  it.each([
    ["as many bytes as a variable holds", 0, ["large", "small", "larger"]],
    ["a byte more", 1, ["large", "small"]],
  ])("passes on deficiencies of %s, up to there", (_what, over, kept) => {
    const of = group();
    until(of, "review");
    const size = (deficiency: Json) => jsonBytes({ validator: "lint", deficiency }) + 1;
    const small = size({ small: "" });
    const text = (bytes: number) => "x".repeat(bytes);
    const large = { large: text(10_000) };
    const larger = RUN_BOUNDS.deficiencyBytes - size(large) - size({ larger: "" }) - small + over;
    const deficiencies: readonly Json[] = [large, { small: "" }, { larger: text(larger) }];
    vote(of, { lint: { decision: "RETRY", confidence: null, deficiencies }, audit: pass });
    const told = of.execute("agent-0").because?.deficiencies ?? [];
    expect(told.flatMap(({ deficiency }) => Object.keys(Object(deficiency)))).toEqual(kept);
  });

  it.each([
    ["what it names", [], ["draft"], [0, 3]],
    [
      "what depends on that, however far",
      [
        ["build", "draft"],
        ["aside", "build"],
      ],
      ["draft"],
      [0, 2, 3],
    ],
    ["nothing before what it names", [["build", "draft"]], ["build"], [2, 3]],
    ["nothing where it names nothing", [], [], []],
    ["nothing where nothing that it names comes before it", [], ["review"], []],
  ])("repeats %s", (_what, depends, retryStages, expected) => {
    const of: Plan = plan(
      STAGES.slice(0, 4).map((stage) => {
        const dependsOn = depends.filter(([name]) => name === stage.name).map(([, on]) => needs(on ?? ""));
        return stage.name === "review" ? review({ retryStages: [...retryStages] }) : { ...stage, dependsOn };
      }),
    );
    expect(repeatedBy(of, planStage({ ...(of.stages[3] ?? STAGES[0]), name: "review" }))).toEqual(expected);
  });

  it("repeats nothing before what it names, nor after itself", () => {
    const serve = { name: "serve", background: { ready: null, until: "publish" } };
    const of = plan([serve, { name: "draft" }, review(), { name: "publish", dependsOn: [needs("draft")] }]);
    expect(repeatedBy(of, planStage({ ...(of.stages[2] ?? serve), name: "review" }))).toEqual([1, 2]);
  });

  it("repeats background commands that began among them", () => {
    const serve = { name: "serve", background: { ready: null, until: "review" } };
    const of = plan([{ name: "draft" }, serve, { name: "use", dependsOn: [needs("serve")] }, review()]);
    expect(repeatedBy(of, planStage({ ...(of.stages[3] ?? serve), name: "review" }))).toEqual([0, 1, 2, 3]);
  });
});
