/** Tasks that a stage tells for a later one: who has them in a scenario, what is told, and whether that is what is done. */
import type { Json, Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import type { StageRun, TaskRecord } from "../../src/run/state.ts";
import type { RunEvent } from "../../src/run/types.ts";
import { barrier, needs, planStage } from "../run/builders.ts";
import { Random } from "./random.ts";
import { roundKey } from "./rounds.ts";

/** In a fifth of the stories. Drawn by itself, so that the others are told as they were before there were such tasks. */
export function withGenerated(stages: readonly PlanStage[], seed: number): readonly PlanStage[] {
  const random = new Random(seed ^ 0x7feb352d);
  if (!random.chance(0.2)) return stages;
  const sources = stages.filter(
    ({ tasks, background, when, durationMs }) =>
      tasks === null && background === null && when === "on_success" && durationMs === null,
  );
  const source = sources[random.between(0, sources.length - 1)];
  if (source === undefined) return stages;
  const at = random.between(source.index + 1, stages.filter(({ type }) => type !== "cleanup").length);
  const required = `${source.name}.told`;
  const seen = random.chance(0.5) ? { context: [required], contextRequired: [required] } : {};
  const made = planStage({
    name: "generated",
    ...seen,
    type: "prepare",
    completion: "tasks_done",
    timeoutMs: random.between(10, 25) * 1_000,
    optional: random.chance(0.2),
    barrier: { ...barrier, rule: random.chance(0.5) ? { kind: "all_or_nothing" } : { kind: "best_effort" } },
    dependsOn: [needs(source.name)],
    tasks: {
      source: { kind: "stage", stage: source.name },
      concurrency: random.between(1, 3),
      maxFailures: random.between(0, 1),
      maxPreemptions: 100,
      needs: {},
    },
  });
  return [...stages.slice(0, at), made, ...stages.slice(at)].map((stage, index) => ({
    ...stage,
    index,
    order: index + 1,
  }));
}

/** What a stage tells in one attempt: mostly the same by all, sometimes what cannot be taken. */
export function laterTasksFrom(random: Random, agent: string): readonly Json[] {
  switch (random.pick(["chain", "chain", "chain", "chain", "own", "nothing", "circle", "unknown", "twice", "bad"])) {
    case "chain":
      return [{ id: "a" }, { id: "b", needs: ["a"] }, { id: "c", needs: ["a", "b"] }, "d"];
    case "own":
      return [{ id: agent }, { id: `${agent}-after`, needs: [agent] }];
    case "circle":
      return [
        { id: "e", needs: ["f"] },
        { id: "f", needs: ["e"] },
      ];
    case "unknown":
      return [{ id: "g", needs: ["nobody"] }];
    case "twice":
      return ["h", "h"];
    case "bad":
      return [{ id: "i", needs: "a" }];
    default:
      return [];
  }
}

export class GeneratedTasks {
  readonly #plan: Plan;
  /** Round of a source and agent -> what it told in the attempt in force, before the machine decided on it. */
  readonly #told = new Map<string, ReadonlyMap<string, readonly Json[]>>();
  /** Leases whose command failed, as their agents said. */
  readonly #failed = new Set<string>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  listen(before: RunState, event: Extract<RunEvent, { type: "synced" }>): void {
    const agent = before.agents.flat().find(({ name }) => name === event.agent);
    for (const { stage, task, attempt, end, laterTasks = [] } of event.finished) {
      const run = itemAt(before.stages, stage);
      if (task !== null && end.kind === "exited" && end.code !== 0)
        this.#failed.add(`${roundKey({ stage, round: run?.round ?? 1 })}/${attempt}`);
      if (task !== null || run?.phase !== "open" || agent?.assignment?.attempt !== attempt) continue;
      const isGood = end.kind === "exited" && [0, ...(this.#plan.stages[stage]?.softFail ?? [])].includes(end.code);
      if (agent.assignment.finished || !isGood || laterTasks.length === 0) continue;
      const key = roundKey(run);
      this.#told.set(key, new Map([...(this.#told.get(key) ?? []), [event.agent, laterTasks]]));
    }
  }

  step(before: RunState, after: RunState): readonly string[] {
    return this.#plan.stages.flatMap((stage) => {
      const run = itemAt(after.stages, stage.index);
      if (stage.tasks?.source.kind !== "stage" || run === undefined) return [];
      const was = itemAt(before.stages, stage.index);
      const isBegun = run.startAt !== null && (was?.startAt == null || was.round !== run.round);
      // What has nothing to do is over with the event that begins it.
      const lacks = isBegun && !hasContext(stage, before) && !hasContext(stage, after);
      const blind = lacks ? [`${stage.name} was begun without the context that it requires`] : [];
      if (run.phase !== "open") return blind;
      const begun = isBegun ? [...blind, ...this.#judgeList(stage, run, after)] : [];
      return [...begun, ...this.#judgeOrder(stage, run)];
    });
  }

  /** What is shared out is what was told, and only where that can be done in some order. */
  #judgeList(stage: PlanStage, run: StageRun, state: RunState): readonly string[] {
    const lists = this.#lists(stage, state);
    const texts = new Map(lists.flat().map((value) => [idOf(value), JSON.stringify(value)]));
    const got = (run.pool === null ? [] : [...itemsOf(run.pool.records)]).map(({ value }) => JSON.stringify(value));
    const wrong: string[] = [];
    if (got.toSorted().join() !== [...texts.values()].toSorted().join())
      wrong.push(`${stage.name} has the tasks ${got.join(" ")}, told were ${[...texts.values()].join(" ")}`);
    if (!this.isDoable(stage, state)) wrong.push(`${stage.name} was begun with tasks that nobody can do`);
    return wrong;
  }

  /** Nothing is worked on before what it needs is done, and what has failed is never done. */
  #judgeOrder(stage: PlanStage, run: StageRun): readonly string[] {
    const records = run.pool === null ? [] : [...itemsOf(run.pool.records)];
    const isDone = ({ status, attempt }: TaskRecord): boolean =>
      status === "done" && !this.#failed.has(`${roundKey(run)}/${attempt}`);
    const done = new Set(records.filter(isDone).map(({ value }) => idOf(value)));
    const early = records.find(
      ({ status, value }) =>
        (status === "ready" || status === "leased" || status === "done") &&
        !needsOf(value)?.every((id) => done.has(id)),
    );
    return early === undefined ? [] : [`${stage.name}: ${early.key} is ${early.status} before what it needs is done`];
  }

  /** Whether the tasks that a stage is told, if it is, can be done in some order. */
  isDoable(stage: PlanStage, state: RunState): boolean {
    if (!hasContext(stage, state)) return false;
    const lists = this.#lists(stage, state);
    const texts = new Map(lists.flat().map((value) => [idOf(value), JSON.stringify(value)]));
    return lists.every((list) => new Set(list.map(idOf)).size === list.length) && isOrdered([...texts]);
  }

  #lists({ tasks }: PlanStage, state: RunState): readonly (readonly Json[])[] {
    if (tasks?.source.kind !== "stage") return [];
    const { stage: name } = tasks.source;
    const run = itemAt(
      state.stages,
      this.#plan.stages.findIndex((one) => one.name === name),
    );
    const carried = run?.startAt === null ? state.carried.tasks?.[name] : undefined;
    if (carried !== undefined) return [carried];
    return run === undefined ? [] : [...(this.#told.get(roundKey(run))?.values() ?? [])];
  }
}

function hasContext({ contextRequired = [] }: PlanStage, { outputs }: RunState): boolean {
  return contextRequired.every((name) => {
    const [stage = "", key = ""] = name.split(".");
    return outputs[stage]?.[key] !== undefined;
  });
}

function idOf(value: Json): string {
  return typeof value === "object" && value !== null && "id" in value ? String(value.id) : String(value);
}

function needsOf(value: Json): readonly string[] | null {
  if (typeof value !== "object" || value === null || !("needs" in value)) return [];
  return Array.isArray(value.needs) ? value.needs.map(String) : null;
}

/** Whether each task can be done after those that it needs: by taking away what can be done, until nothing is left. */
function isOrdered(texts: readonly (readonly [string, string])[]): boolean {
  const left = new Map(texts.map(([id, text]) => [id, needsOf(JSON.parse(text))]));
  for (;;) {
    const free = [...left].find(([, needed]) =>
      needed?.every((id) => !left.has(id) && texts.some(([one]) => one === id)),
    );
    if (free === undefined) return left.size === 0;
    left.delete(free[0]);
  }
}
