/** Quorum stages: which there are in a scenario, how their validators vote, and whether what is decided follows from it. */
import type { BarrierRule, Plan, PlanStage } from "../../src/plan/plan.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";
import type { StageRun } from "../../src/run/state.ts";
import type { Ballot, RunEvent } from "../../src/run/types.ts";
import { barrier, planStage } from "../run/builders.ts";
import { Random } from "./random.ts";
import { roundKey } from "./rounds.ts";

/** In three of ten stories. Drawn by itself, so that the others are told as they were before there were quorums. */
export function withQuorum(stages: readonly PlanStage[], seed: number): readonly PlanStage[] {
  const random = new Random(seed ^ 0x3c6ef372);
  if (!random.chance(0.3)) return stages;
  const work = stages.filter(({ type }) => type !== "cleanup");
  const at = random.between(1, work.length);
  const named = work.slice(0, at).filter(() => random.chance(0.7));
  const retries = named.length > 0 ? named : work.slice(0, 1);
  const from = retries[0]?.index ?? 0;
  const indexOf = (name: string): number => work.findIndex((stage) => stage.name === name);
  if (work.slice(from, at).some(({ background }) => background !== null && indexOf(background.until) >= at))
    return stages;
  const names = Array.from({ length: random.between(1, 4) }, (_, number) => `validator-${number}`);
  const quorum = planStage({
    name: "review",
    type: "quorum",
    completion: "validation_passed",
    command: null,
    timeoutMs: random.between(15, 25) * 1_000,
    optional: random.chance(0.1),
    barrier: {
      ...barrier,
      rule: random.pick<BarrierRule>([{ kind: "all_or_nothing" }, { kind: "best_effort" }, { kind: "majority" }]),
    },
    tasks: {
      source: { kind: "list", values: names },
      concurrency: random.between(1, 3),
      maxFailures: random.between(0, 1),
      maxPreemptions: 100,
      needs: {},
    },
    quorum: {
      validators: names.map((name) => ({
        name,
        run: "vote",
        weight: random.between(1, 3),
        timeoutMs: random.chance(0.3) ? 3_000 : null,
      })),
      passAt: random.pick([60, 60, 100]),
      retryAt: random.pick([40, 40, 20]),
      retryStages: retries.map(({ name }) => name),
      maxRetries: random.between(0, 2),
      backoffMs: random.pick([0, 500, 8_000]),
      onExhausted: random.pick(["warn", "fail"]),
    },
  });
  return [...stages.slice(0, at), quorum, ...stages.slice(at)].map((stage, index) => ({
    ...stage,
    index,
    order: index + 1,
  }));
}

/** How many times over the quorums of a plan may have it gone through. */
export function roundsAllowed({ stages }: Pick<Plan, "stages">): number {
  return stages.reduce((product, { quorum }) => product * (1 + (quorum?.maxRetries ?? 0)), 1);
}

export function ballotOf(random: Random): Ballot | undefined {
  const deficiencies = random.chance(0.7) ? [`wanting-${random.between(1, 9)}`] : [];
  switch (random.pick(["pass", "pass", "pass", "retry", "retry", "fail", "garbage", "nothing"])) {
    case "pass":
      return { decision: "PASS", confidence: random.next(), deficiencies: [] };
    case "retry":
      return { decision: "RETRY", confidence: null, deficiencies };
    case "fail":
      return { decision: "FAIL", confidence: 1, deficiencies };
    case "garbage":
      return { unreadable: "its last line is no JSON object" };
    default:
      return undefined;
  }
}

export class Quorums {
  readonly #plan: Plan;
  /** Round and validator -> what it said in the lease in force, before the machine decided on it. */
  readonly #said = new Map<string, "PASS" | "RETRY" | "FAIL">();
  /** Rounds that were begun by a quorum -> when they may begin. */
  readonly #sentBack = new Map<string, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  listen(before: RunState, event: Extract<RunEvent, { type: "synced" }>): void {
    for (const { stage, task, attempt, end, ballot } of event.finished) {
      const run = itemAt(before.stages, stage);
      const record = run?.pool?.records.flat().find(({ key }) => key === task);
      if (run?.phase !== "open" || record?.status !== "leased" || record.attempt !== attempt) continue;
      if (itemAt(before.agents, record.holder ?? -1)?.session !== event.session) continue;
      const isSound = end.kind === "exited" && end.code === 0 && ballot !== undefined && "decision" in ballot;
      if (isSound) this.#said.set(`${roundKey(run)}/${task}`, ballot.decision);
    }
  }

  /** @param closed the state as it was when its rounds were closed, before any new one was begun */
  step(before: RunState, closed: RunState, after: RunState): readonly string[] {
    return this.#plan.stages.flatMap((stage) => {
      const run = stage.quorum === undefined ? undefined : itemAt(closed.stages, stage.index);
      const was = itemAt(before.stages, stage.index);
      if (run === undefined || run.phase !== "closed" || run.startAt === null) return [];
      if (was?.phase === "closed" && was.round === run.round) return [];
      return this.#judge(stage, run, { before, closed, after });
    });
  }

  #judge(
    stage: PlanStage,
    run: StageRun,
    { before, closed, after }: { readonly before: RunState; readonly closed: RunState; readonly after: RunState },
  ): readonly string[] {
    const where = `${stage.name}, round ${run.round}`;
    if (run.quorum === undefined) {
      const isAborted = [before, closed].some((state) => state.failure !== null || state.withheld != null);
      return isAborted || closed.checkpoint?.after?.failure != null ? [] : [`${where} was closed without a decision`];
    }
    const weight = { PASS: 0, RETRY: 0, FAIL: 0 };
    for (const validator of stage.quorum?.validators ?? []) {
      weight[this.#said.get(`${roundKey(run)}/${validator.name}`) ?? "FAIL"] += validator.weight;
    }
    const total = weight.PASS + weight.RETRY + weight.FAIL;
    const { passAt = 0, retryAt = 0, maxRetries = 0, onExhausted = "warn", backoffMs = 0 } = stage.quorum ?? {};
    const isRetry = weight.RETRY * 100 >= retryAt * total || (weight.PASS + weight.RETRY) * 100 >= passAt * total;
    const decision = weight.PASS * 100 >= passAt * total ? "PASS" : isRetry ? "RETRY" : "FAIL";
    if (run.quorum.decision !== decision) {
      return [
        `${where} was decided as ${run.quorum.decision}, but the votes come to ${decision} (${JSON.stringify(weight)})`,
      ];
    }
    // Where somebody attends to the run, what it fails of is held back until they have looked at it.
    const failed = after.failure !== null || after.withheld != null || after.checkpoint?.after?.failure != null;
    if (decision === "FAIL") return failed || stage.optional ? [] : [`${where} went on after FAIL`];
    if (decision === "PASS" || run.repeat !== null) return [];
    const isBack = (itemAt(after.stages, stage.index)?.round ?? 0) > run.round;
    const retries = run.earlier.filter(({ quorum, repeat }) => quorum?.decision === "RETRY" && repeat === null).length;
    if (isBack && retries >= maxRetries) return [`${where} was sent back more often than max_retries: ${maxRetries}`];
    const hasRun = this.#named(stage).some(({ index }) => itemAt(closed.stages, index)?.startAt != null);
    if (!isBack) {
      const isDue = retries < maxRetries && hasRun && !failed;
      const isHidden = onExhausted === "fail" && !failed && !stage.optional;
      return isDue || isHidden ? [`${where} went on after RETRY`] : [];
    }
    const expected = this.#repeated(stage);
    for (const index of expected) {
      const round = itemAt(after.stages, index)?.round ?? 0;
      this.#sentBack.set(`${index}/${round}`, after.now + backoffMs);
    }
    const first = expected[0] ?? 0;
    const again = [...itemsOf(after.stages)].filter(({ stage: index, round }) => {
      return index >= first && round > (itemAt(closed.stages, index)?.round ?? 0);
    });
    const got = again.map(({ stage: index }) => index).join(", ");
    return got === expected.join(", ")
      ? []
      : [`${where} began a new round of stages ${got}, not of ${expected.join(", ")}`];
  }

  /** What an agent is told of a round that was sent back. */
  instructed(
    agent: string,
    { stage, startAt, because }: Extract<Instruction, { do: "execute" }>,
    state: RunState,
  ): readonly string[] {
    const run = itemAt(state.stages, stage);
    const notBefore = run === undefined ? undefined : this.#sentBack.get(roundKey(run));
    if (notBefore === undefined || state.failure !== null) return [];
    if (because === undefined || because.deficiencies.length === 0)
      return [`${agent} is to repeat stage ${stage} and is not told why`];
    return startAt < notBefore ? [`${agent} is to repeat stage ${stage} before the pause is over`] : [];
  }

  /** What a crashed coordinator has forgotten may come otherwise. */
  forget(): void {
    this.#sentBack.clear();
  }

  #named({ quorum }: PlanStage): readonly PlanStage[] {
    return this.#plan.stages.filter(({ name }) => quorum?.retryStages.includes(name) === true);
  }

  /** From the plan alone: named, or depending on one that is repeated, or ended by going back. */
  #repeated(quorum: PlanStage): readonly number[] {
    const first = this.#named(quorum)[0]?.index ?? quorum.index;
    const range = this.#plan.stages.slice(first, quorum.index);
    const again = new Set([...this.#named(quorum), ...range.filter(({ background }) => background !== null)]);
    for (const _ of range) {
      for (const stage of range)
        if (stage.dependsOn.some((needed) => [...again].some(({ name }) => name === needed.stage))) again.add(stage);
    }
    return [...again, quorum].map(({ index }) => index).sort((a, b) => a - b);
  }
}
