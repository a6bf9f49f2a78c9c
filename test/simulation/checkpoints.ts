/** Waits for a person: who comes by in a story, and whether a stage that waits begins only by an answer, or by its time. */
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt } from "../../src/run/persistent-array.ts";
import type { StageRun } from "../../src/run/state.ts";
import type { RunEvent } from "../../src/run/types.ts";
import { Random } from "./random.ts";
import { roundKey } from "./rounds.ts";

/** What whoever comes by at a checkpoint does, if anybody does. */
export type Person = "approves" | "stops" | "never";

/** Most of the waits end by themselves after a while. Drawn by itself, so that the stories stay as they were. */
export function withApprovals(stages: readonly PlanStage[], seed: number): readonly PlanStage[] {
  const random = new Random(seed ^ 0x1b873593);
  const more = random.chance(0.1);
  return stages.map((stage) => {
    const isAsked = stage.checkpoint || (more && stage.when === "on_success" && random.chance(0.5));
    if (!isAsked || !random.chance(0.8)) return { ...stage, checkpoint: isAsked };
    const timeoutMs = random.pick([1_500, 10_000, 30_000]);
    const onTimeout = random.pick<"fail" | "go_on">(["fail", "go_on"]);
    return { ...stage, checkpoint: true, approval: { by: ["ann"], timeoutMs, onTimeout } };
  });
}

/** Of each stage: nobody is waited for without an end. */
export function personsOf({ stages }: Plan, seed: number): readonly Person[] {
  const random = new Random(seed ^ 0x2c1b3c6d);
  return stages.map(({ approval }) =>
    random.pick<Person>(approval === undefined ? ["approves"] : ["approves", "approves", "stops", "never"]),
  );
}

/** What this run's checkpoints came to. */
export function* checkpointKinds(plan: Plan, state: RunState): Generator<string> {
  for (const { index, name } of plan.stages) {
    const run = itemAt(state.stages, index);
    if (run?.approval !== undefined && run.startAt !== null)
      yield run.approval.by === null ? "checkpoints that nobody answers, and go on" : "checkpoints that are approved";
    const { failure } = state;
    if (failure?.stage === index && failure.reason.includes("answered within")) yield "checkpoints that time out";
    if (failure?.reason.endsWith(`not ${name}`) === true) yield "checkpoints that are stopped";
  }
}

export class Checkpoints {
  readonly #plan: Plan;
  /** Rounds that somebody approved. */
  readonly #approved = new Set<string>();
  /** Rounds that are waited before -> since when. */
  readonly #since = new Map<string, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  step(before: RunState, event: RunEvent, after: RunState): readonly string[] {
    if (event.type === "approved") {
      const run = itemAt(before.stages, event.stage);
      if (run !== undefined) this.#approved.add(roundKey(run));
    }
    return [...this.#begun(before, after), ...this.#waits(after)];
  }

  /** A crashed coordinator has read its state again: what it has forgotten begins anew, what it knows goes on. */
  loaded({ checkpoint, stages }: RunState): void {
    this.#since.clear();
    const run = checkpoint === null ? undefined : itemAt(stages, checkpoint.stage);
    if (checkpoint !== null && run !== undefined) this.#since.set(waitKey(checkpoint, run), checkpoint.since);
  }

  /** Stages that began with this event. */
  #begun(before: RunState, after: RunState): readonly string[] {
    return this.#plan.stages.flatMap(({ index, name, checkpoint, approval }) => {
      const run = itemAt(after.stages, index);
      const was = itemAt(before.stages, index);
      if (!checkpoint || run === undefined || run.startAt === null || run.cleanupMode) return [];
      if (was?.round === run.round && was.startAt !== null) return [];
      const key = roundKey(run);
      if (this.#approved.has(key)) return [];
      const end = (this.#since.get(key) ?? after.now) + (approval?.timeoutMs ?? Number.POSITIVE_INFINITY);
      if (approval?.onTimeout === "go_on" && after.now >= end) return [];
      return [`${name}, round ${run.round}, began without a person's word`];
    });
  }

  #waits({ checkpoint, stages, now }: RunState): readonly string[] {
    const run = checkpoint === null ? undefined : itemAt(stages, checkpoint.stage);
    const planned = run === undefined ? undefined : this.#plan.stages[run.stage];
    if (run === undefined || planned === undefined) return [];
    const key = waitKey(checkpoint, run);
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    const end = since + (planned.approval?.timeoutMs ?? Number.POSITIVE_INFINITY);
    return now < end ? [] : [`${planned.name} still waits for a person, ${now - end} ms after that wait's end`];
  }
}

/** A round is waited before, and, where somebody attends to the run, behind. */
function waitKey(checkpoint: RunState["checkpoint"], run: StageRun): string {
  return checkpoint?.after === undefined ? roundKey(run) : `${roundKey(run)} after`;
}
