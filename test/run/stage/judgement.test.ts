import { describe, expect, it } from "vitest";
import { RUN_BOUNDS } from "../../../src/plan/bounds.ts";
import type { PlanStage } from "../../../src/plan/plan.ts";
import { judgeStage, type StageJudgement } from "../../../src/run/stage/judgement.ts";
import { newStageRun } from "../../../src/run/stage/start.ts";
import type { Failure, StageRun, TaskPool } from "../../../src/run/state.ts";
import { poolOf } from "../../../src/run/tasks/pool.ts";
import { planStage } from "../builders.ts";

const none = { maxErrors: null, maxErrorRate: null, maxConsecutiveErrors: null };
const remarks = (...texts: readonly string[]) => ({ texts, count: texts.length });
const failure = (over: Partial<Failure> = {}): Failure => ({
  kind: "failed",
  stage: 7,
  reason: "b: no",
  at: 0,
  ...over,
});
const repeat = { from: 0, why: "weak" };
const next = { kind: "next" } as const;
const fail = (reason: string) => ({ kind: "fail", reason }) as const;
const stopped = (well: boolean) => ({ stopping: { why: "time", well, since: 0, until: 1 } });

function pool(over: Partial<TaskPool>): { readonly pool: TaskPool } {
  const source = { kind: "list", values: [] } as const;
  return {
    pool: { ...poolOf({ source, concurrency: 1, maxFailures: 0, maxPreemptions: 0, needs: {} }, null), ...over },
  };
}

type Judged = Omit<StageJudgement, "then"> & { readonly follows: StageJudgement["then"] };
type Row = readonly [string, Partial<PlanStage>, Partial<StageRun>, Failure | null, Partial<Judged>];

/** Two agents took part, and both came through. */
function judged(planned: Partial<PlanStage>, run: Partial<StageRun>, failed: Failure | null): Judged {
  const whole = { ...newStageRun(3), phase: "open", electorate: 2, workers: 2, arrived: 2, ...run } as const;
  const { then: follows, ...rest } = judgeStage(planStage({ name: "a", index: 3, ...planned }), whole, failed);
  return { ...rest, follows };
}

const hasFailed = { failures: remarks("x: exit code 1") };
const good = { status: "success", worked: true, reasons: [], follows: next } as const;
const bad = (...reasons: readonly string[]) =>
  ({ status: "failure", worked: false, reasons, follows: fail(reasons.join("; ")) }) as const;

describe("what a round comes to", () => {
  it.each<Row>([
    ["everyone came through", {}, {}, null, good],
    [
      "not everyone came through",
      { barrier: { ...planStage({ name: "x" }).barrier, rule: { kind: "at_least", count: 1 } } },
      { arrived: 1 },
      null,
      { ...good, status: "warning", reasons: ["1 of 2 agents came through it (at_least 1)"] },
    ],
    ["one failed", {}, hasFailed, null, { ...good, status: "warning", reasons: ["x: exit code 1"] }],
    [
      "one failed, and so not everyone came through",
      {},
      { ...hasFailed, arrived: 1 },
      null,
      { ...good, status: "warning", reasons: ["x: exit code 1"] },
    ],
    [
      "one failed in what is optional",
      { optional: true },
      hasFailed,
      null,
      { status: "warning", worked: false, reasons: ["x: exit code 1"], follows: next },
    ],
    ["an optional one that went well", { optional: true }, {}, null, good],
    ["a warning", {}, { warnings: remarks("x: early") }, null, { ...good, status: "warning", reasons: ["x: early"] }],
    [
      "a warning, and not everyone came through",
      {},
      { warnings: remarks("x: early"), arrived: 1 },
      null,
      { ...good, status: "warning", reasons: ["x: early", "1 of 2 agents came through it (all_or_nothing)"] },
    ],
    [
      "one failed in cleanup",
      {},
      { ...hasFailed, cleanupMode: true },
      failure(),
      { status: "failure", worked: false, reasons: ["x: exit code 1"], follows: fail("") },
    ],
    ["cleanup that went well", {}, { cleanupMode: true }, failure(), good],
    ["an error of the whole", {}, { error: "no list" }, null, bad("no list")],
    [
      "an error of an optional whole",
      { optional: true },
      { error: "no list" },
      null,
      { status: "warning", worked: false, reasons: ["no list"], follows: next },
    ],
    [
      "the run was aborted at another stage",
      {},
      { error: "no list", ...hasFailed, repeat },
      failure(),
      { status: "cancelled", worked: false, reasons: ["b: no", "x: exit code 1"], follows: next },
    ],
    [
      "the run was aborted here",
      {},
      { ...hasFailed, warnings: remarks("y: early"), arrived: 1 },
      failure({ stage: 3, reason: "a: x failed" }),
      { status: "failure", worked: false, reasons: ["x failed", "y: early"], follows: next },
    ],
    [
      "the run was aborted here, for a reason that does not begin with the stage",
      {},
      {},
      failure({ stage: 3, reason: "background stage a: died" }),
      { status: "failure", worked: false, reasons: ["background stage a: died"], follows: next },
    ],
    [
      "cancelled here",
      {},
      {},
      failure({ kind: "cancelled", stage: 3, reason: "by ann" }),
      { status: "cancelled", worked: false, reasons: ["by ann"], follows: next },
    ],
    [
      "sent back",
      {},
      { repeat },
      null,
      { ...good, reasons: ["sent back: weak"], follows: { kind: "repeat", ...repeat } },
    ],
    ["sent back in cleanup", {}, { repeat, cleanupMode: true }, failure(), good],
    ["sent back, and bad", {}, { repeat, error: "no list" }, null, bad("no list")],
    [
      "sent back for the last time but one",
      {},
      { repeat, round: RUN_BOUNDS.rounds - 1 },
      null,
      { follows: { kind: "repeat", ...repeat } },
    ],
    [
      "sent back too often",
      {},
      { repeat, round: RUN_BOUNDS.rounds },
      null,
      bad(`sent back for the ${RUN_BOUNDS.rounds}th time, which is the most (weak)`),
    ],
    ["the last round, not sent back", {}, { round: RUN_BOUNDS.rounds }, null, good],
  ])("%s", (_name, planned, run, failed, expected) => {
    expect(judged(planned, run, failed)).toMatchObject(expected);
  });
});

describe("what a stage as a whole did not reach", () => {
  const counted = { completion: "tasks_done", expectedTasks: 3 } as const;
  const expectRate = { expect: [{ metric: "rate", comparison: ">", value: 2 }] } as const;
  const rate = (value: number) => [{ name: "rate", value, unit: "", agg: "sum", count: 1 }] as const;

  it.each<readonly [string, Partial<PlanStage>, Partial<StageRun>, readonly string[]]>([
    ["its count, told as progress", counted, { done: 2 }, ["too few: 2 of 3 tasks"]],
    ["enough, told as progress", counted, { done: 3 }, []],
    ["its count of tasks, whatever they told", counted, { done: 9, ...pool({ done: 2 }) }, ["too few: 2 of 3 tasks"]],
    [
      "few errors",
      { thresholds: { ...none, maxErrors: 1 } },
      { errors: 2 },
      ["max_errors: 2 errors, at most 1 are allowed"],
    ],
    [
      "few errors, for which it was stopped when there were fewer",
      { thresholds: { ...none, maxErrors: 1 } },
      { errors: 3, ...stopped(false) },
      ["max_errors: 3 errors, at most 1 are allowed"],
    ],
    ["what it was stopped for", {}, stopped(false), ["time"]],
    ["nothing, when it was stopped well", {}, stopped(true), []],
    ["an error rather than what it was stopped for", {}, { error: "no list", ...stopped(false) }, ["no list"]],
    ["all of its tasks", {}, pool({ open: 2, done: 1 }), ["2 of 3 tasks were not done"]],
    ["an end of the list of its tasks", {}, pool({ generator: 0 }), ["0 of 0 tasks were not done"]],
    ["nothing, when its tasks were stopped well", {}, { ...pool({ open: 2, done: 1 }), ...stopped(true) }, []],
    [
      "tasks that it was stopped before",
      {},
      { ...pool({ open: 2, unfinished: 1, done: 1 }), ...stopped(false) },
      ["time", "3 of 4 tasks were not done"],
    ],
    ["nothing more, when it was stopped after the last", {}, { ...pool({ done: 1 }), ...stopped(false) }, ["time"]],
    [
      "tasks that were not listed",
      {},
      { ...pool({ open: 1, unfinished: 2 }), error: "no list" },
      ["no list", "3 of 3 tasks were not done"],
    ],
    ["nothing, when all that is left was not wanted", {}, pool({ unfinished: 2, done: 1 }), []],
    [
      "tasks that failed, all named",
      {},
      pool({ failed: 2, examples: ["a (x)", "b (y)"], done: 1 }),
      ["2 of 3 tasks failed: a (x), b (y)"],
    ],
    [
      "tasks that failed, some named, and those that need them",
      {},
      pool({ failed: 7, examples: ["a (x)", "b (y)"], skipped: 4 }),
      ["7 of 11 tasks failed: a (x), b (y), and 5 more; 4 that need them were skipped"],
    ],
    ["tasks that were skipped", {}, pool({ skipped: 4 }), ["4 tasks were skipped: what they need was not done"]],
    ["a metric", expectRate, { metrics: rate(2) }, ["expected rate > 2, got 2"]],
    ["a metric that nobody told", expectRate, {}, ["expected rate > 2, got nothing of that name"]],
    ["nothing, when the metric is reached", expectRate, { metrics: rate(3) }, []],
  ])("%s", (_name, planned, run, reasons) => {
    const { status, reasons: said, follows, worked } = judged(planned, run, null);
    expect(said).toEqual(reasons);
    expect(follows).toEqual(reasons.length === 0 ? next : fail(reasons.join("; ")));
    expect([status, worked]).toEqual(reasons.length === 0 ? ["success", true] : ["failure", false]);
  });
});
