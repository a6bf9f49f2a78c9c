/** What a seed stands for: a plan, a group, and what goes wrong and when. */
import type { Barrier, BarrierRule, Dependency, Plan, PlanStage, Retry, RunsOn, Tasks } from "../../src/plan/plan.ts";
import type { Selection } from "../../src/run/types.ts";
import { barrier, plan, planStage, retrying } from "../run/builders.ts";
import { AttendingPerson, isAttended, MOST_SENT_BACK } from "./attended.ts";
import { type Person, personsOf, withApprovals } from "./checkpoints.ts";
import { withGenerated } from "./generated.ts";
import { roundsAllowed, withQuorum } from "./quorums.ts";
import { Random } from "./random.ts";

export interface Faults {
  /** Nothing goes wrong by chance after this time (milliseconds from the start). */
  readonly untilMs: number;
  readonly drop: number;
  readonly double: number;
  readonly maxDelayMs: number;
  /** Mean pause between two faults of a kind; Infinity: never. */
  readonly killEveryMs: number;
  readonly freezeEveryMs: number;
  readonly resetEveryMs: number;
  readonly crashEveryMs: number;
  readonly leaveEveryMs: number;
  /** Of killed agents: how many never come back. */
  readonly forGood: number;
  /** Of those who never come (back): of how many the coordinator is told. */
  readonly told: number;
}

/** How an agent comes to its group: refused, as one with another plan is; `never`: its job failed before. */
export type Coming = "comes" | "refused" | "never";

export interface Work {
  readonly fails: number;
  readonly hangs: number;
  /** How often a command becomes one that its agent cannot end. */
  readonly unendable: number;
  readonly maxMs: number;
}

export interface Scenario {
  readonly plan: Plan;
  readonly agents: number;
  /** For each agent. */
  readonly coming: readonly Coming[];
  readonly selection: Selection;
  readonly faults: Faults;
  readonly work: Work;
  /** When the group is sent back: milliseconds from the start. */
  readonly repeats: readonly number[];
  /** For each stage: who comes by where it waits for a person. */
  readonly persons: readonly Person[];
  /** Who is asked around each stage; null: nobody. */
  readonly attended: AttendingPerson | null;
  /** The coordinator keeps every event, or only what changes a decision (heartbeats are lost with it). */
  readonly keeps: "everything" | "revisions";
  /** The run must be over by then (milliseconds from the start). */
  readonly boundMs: number;
}

/** What a scenario is rich in: left to chance alone, the rarer kinds of stories would hardly ever be told. */
type Theme = "anything" | "dependencies" | "times";

export function scenarioOf(random: Random, seed: number): Scenario {
  const repeats = repeatsOf(seed);
  const theme = random.pick<Theme>(["anything", "anything", "anything", "dependencies", "times"]);
  const agents = random.pick([1, 2, 3, 3, 4, 4, 5, 7]);
  const rough = random.chance(0.8);
  const calm = Number.POSITIVE_INFINITY;
  const untilMs = rough ? random.between(5, 60) * 1_000 : 0;
  const every = (probability: number): number =>
    rough && random.chance(probability) ? random.between(5, 40) * 1_000 : calm;
  const grown = withGenerated(withThresholds(stagesOf(random, agents, theme), seed), seed);
  const stages = withApprovals(withTrials(withQuorum(grown, seed), seed), seed);
  const made = plan(stages, {
    deadlineMs: random.chance(theme === "times" ? 0.5 : 0.05) ? random.between(5, 60) * 1_000 : null,
    assembly: { timeoutMs: 30_000, atLeast: random.chance(0.4) ? random.between(1, agents) : null },
    liveness: { heartbeatIntervalMs: 1_000, warnAfterMs: 3_000, lostAfterMs: 8_000 },
    pathSelection: random.pick(["partitioned", "random"]),
  });
  const missing = random.chance(0.15);
  const coming = Array.from({ length: agents }, () =>
    missing && random.chance(0.4) ? random.pick<Coming>(["refused", "never"]) : "comes",
  );
  return {
    plan: made,
    agents,
    coming,
    selection: { only: null, skip: skippedOf(random, made), stopAfter: null },
    faults: {
      untilMs,
      drop: rough && random.chance(0.6) ? random.next() * 0.3 : 0,
      double: rough && random.chance(0.6) ? random.next() * 0.4 : 0,
      maxDelayMs: rough ? random.pick([20, 200, 2_500]) : 20,
      killEveryMs: every(0.6),
      freezeEveryMs: every(0.4),
      resetEveryMs: every(0.4),
      crashEveryMs: every(0.5),
      leaveEveryMs: every(0.15),
      forGood: random.chance(0.5) ? random.next() * 0.5 : 0,
      told: random.pick([0, 0.5, 1]),
    },
    work: {
      fails: theme === "dependencies" ? 0.3 : random.pick([0, 0, 0.05, 0.2]),
      hangs: theme === "times" ? random.pick([0.1, 0.4]) : random.pick([0, 0, 0.03]),
      unendable: random.pick([0, 0.4]),
      maxMs: random.pick([200, 2_000, 6_000]),
    },
    repeats,
    persons: personsOf(made, seed),
    attended: isAttended(seed) ? new AttendingPerson(seed) : null,
    keeps: random.pick(["everything", "revisions"]),
    boundMs:
      (1 + repeats.length + (isAttended(seed) ? MOST_SENT_BACK + 2 : 0)) *
      roundsAllowed(made) *
      boundOf(made.stages, untilMs),
  };
}

/** In a fourth of the stories. Drawn by itself, so that the others are told as they were before there were rounds. */
function repeatsOf(seed: number): readonly number[] {
  const random = new Random(seed ^ 0x51ed270b);
  if (!random.chance(0.25)) return [];
  return Array.from({ length: random.between(1, 4) }, () => random.between(1_000, 40_000));
}

/** In a fifth of the stories few errors are borne. Drawn by itself, too. */
function withThresholds(stages: readonly PlanStage[], seed: number): PlanStage[] {
  const random = new Random(seed ^ 0x85ebca6b);
  const some = random.chance(0.2);
  const thresholds = { maxErrors: random.between(0, 3), maxErrorRate: null, maxConsecutiveErrors: null };
  return withSoftFail(stages, seed).map((stage) => (some && stage.tasks !== null ? { ...stage, thresholds } : stage));
}

/** In a fifth of the stories a failing command is a warning in some stages. Drawn by itself, too. */
function withSoftFail(stages: readonly PlanStage[], seed: number): PlanStage[] {
  const random = new Random(seed ^ 0x2545f491);
  const some = random.chance(0.2);
  return stages.map((stage) =>
    some && stage.background === null && random.chance(0.5) ? { ...stage, softFail: [1] } : stage,
  );
}

/** In a fifth of the stories the first stages are trials of the same work. Drawn by itself, too. */
function withTrials(stages: readonly PlanStage[], seed: number): PlanStage[] {
  const random = new Random(seed ^ 0x9e3779b9);
  const count = Math.min(stages.filter(({ type }) => type !== "cleanup").length, random.between(2, 3));
  const isFree = stages.every(({ quorum }) => quorum === undefined);
  if (!random.chance(0.2) || count < 2 || !isFree) return [...stages];
  const maxSpread = random.pick([0, 0.5, 5]);
  return stages.map((stage, index) =>
    index < count && stage.background === null
      ? { ...stage, trial: { of: "work", number: index + 1, count, discard: 0, maxSpread } }
      : stage,
  );
}

/** Cleanup that is kept for a look afterwards. */
function skippedOf(random: Random, { stages }: Plan): readonly number[] {
  return stages.flatMap(({ index, type }) => (type === "cleanup" && random.chance(0.15) ? [index] : []));
}

/** The sum of all that a run may wait for: generous, but finite. */
function boundOf(stages: readonly PlanStage[], untilMs: number): number {
  const perStage = stages.map(
    ({ timeoutMs, retry, approval }) =>
      (timeoutMs + 60_000 + 10_000) * (retry.maxAttempts + 2) + 120_000 + (approval?.timeoutMs ?? 0),
  );
  return untilMs + 60_000 + perStage.reduce((sum, ms) => sum + ms, 0);
}

function stagesOf(random: Random, agents: number, theme: Theme): PlanStage[] {
  const count = random.between(theme === "anything" ? 1 : 2, 4);
  const stages: PlanStage[] = [];
  for (let index = 0; index < count; index++) stages.push(stageOf(random, agents, { index, count, theme }));
  if (random.chance(0.6)) {
    stages.push(
      planStage({
        name: "cleanup",
        type: "cleanup",
        completion: "tasks_done",
        when: "always",
        optional: random.chance(0.5),
        timeoutMs: 15_000,
        runsOn: random.pick<RunsOn>([
          { kind: "all" },
          { kind: "all" },
          { kind: "first" },
          { kind: "agents", agents: [0] },
        ]),
        barrier: barrierOf(random, agents),
      }),
    );
  }
  return stages.map((stage, index) => ({ ...stage, index, order: index + 1 }));
}

interface At {
  readonly index: number;
  readonly count: number;
  readonly theme: Theme;
}

function stageOf(random: Random, agents: number, { index, count, theme }: At): PlanStage {
  const base = {
    name: `stage-${index}`,
    timeoutMs: random.between(10, 25) * 1_000,
    optional: random.chance(theme === "dependencies" && index + 1 < count ? 0.6 : 0.15),
    barrier: barrierOf(random, agents),
    checkpoint: random.chance(0.05),
    dependsOn: random.chance(theme === "dependencies" ? 0.8 : 0.15) ? dependenciesOf(random, index) : [],
    runsOn: random.chance(0.15)
      ? ({ kind: "first" } as const)
      : random.chance(0.1)
        ? ({ kind: "agents", agents: [0, agents - 1] } as const)
        : ({ kind: "all" } as const),
    retry: retrying({
      maxAttempts: random.between(1, theme === "times" ? 9 : 3),
      attemptTimeoutMs: random.chance(theme === "times" ? 0.8 : 0.1) ? random.between(2, 8) * 1_000 : null,
      on: random.pick<Retry["on"]>([["failure", "timeout"], ["failure", "timeout"], ["timeout"], ["failure"]]),
      backoffMs: 500,
      maxBackoffMs: 4_000,
    }),
  };
  switch (
    random.pick(["script", "script", "duration", "tasks", "count", "generator", "objects", "either", "background"])
  ) {
    case "script":
      return planStage(base);
    case "duration":
      return planStage({ ...base, type: "execute", completion: "duration", durationMs: random.between(1, 6) * 1_000 });
    case "tasks":
      return planStage({ ...base, type: "prepare", completion: "tasks_done", tasks: listed(random) });
    case "count":
      return planStage({
        ...base,
        type: "prepare",
        completion: "tasks_done",
        tasks: { ...limits(random), source: { kind: "count", count: random.between(0, 20) }, needs: {} },
      });
    case "generator":
      return planStage({
        ...base,
        type: "prepare",
        completion: "tasks_done",
        tasks: { ...limits(random), source: { kind: "from", command: "list" }, needs: {} },
      });
    case "objects":
      return planStage({ ...base, type: "prepare", completion: "tasks_done", expectedObjects: random.between(1, 30) });
    case "either":
      return planStage({
        ...base,
        type: "hybrid",
        completion: "duration_or_tasks",
        maxDurationMs: random.between(1, 5) * 1_000,
        expectedObjects: random.chance(0.5) ? 10 : null,
      });
    default:
      if (index + 1 >= count) return planStage(base);
      return planStage({
        ...base,
        runsOn: { kind: "first" },
        background: { ready: { port: 1 }, until: `stage-${random.between(index + 1, count - 1)}` },
      });
  }
}

/** Stages before this one, and what of them is enough. */
function dependenciesOf(random: Random, index: number): readonly Dependency[] {
  if (index === 0) return [];
  const evenIf = random.pick<Dependency["evenIf"]>([[], [], ["failed"], ["skipped"], ["failed", "skipped"]]);
  return [{ stage: `stage-${random.between(0, index - 1)}`, evenIf }];
}

function limits(random: Random): Pick<Tasks, "concurrency" | "maxFailures" | "maxPreemptions"> {
  return {
    concurrency: random.between(1, 3),
    maxFailures: random.between(0, 2),
    maxPreemptions: random.pick([1, 100]),
  };
}

function listed(random: Random): Tasks {
  const values = Array.from({ length: random.between(1, 12) }, (_, number) => `t${number}`);
  const needs = values.flatMap((value, number): [string, string[]][] =>
    number > 0 && random.chance(0.3) ? [[value, [`t${random.between(0, number - 1)}`]]] : [],
  );
  return { ...limits(random), source: { kind: "list", values }, needs: Object.fromEntries(needs) };
}

function barrierOf(random: Random, agents: number): Barrier {
  const rule = random.pick<BarrierRule>([
    { kind: "all_or_nothing" },
    { kind: "majority" },
    { kind: "majority" },
    { kind: "best_effort" },
    { kind: "best_effort" },
    { kind: "at_least", count: random.between(1, agents) },
    { kind: "at_least_percent", percent: random.between(10, 100) },
    { kind: "none" },
  ]);
  return {
    ...barrier,
    rule,
    timeoutMs: random.chance(0.3) ? random.between(3, 15) * 1_000 : null,
    stragglerGraceMs: random.between(1, 5) * 1_000,
    onStraggler: random.pick(["exclude", "rejoin"]),
    ...(random.chance(0.1) ? { heartbeatIntervalMs: 1_000, missedThreshold: random.between(4, 8) } : {}),
  };
}
