/** Runs that somebody attends to: asked before each stage, and shown each one that is over, before anything goes on. */
import type { Plan } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt } from "../../src/run/persistent-array.ts";
import type { RunEvent } from "../../src/run/types.ts";
import { Random } from "./random.ts";
import { roundKey } from "./rounds.ts";

/** In a tenth of the stories. Drawn by itself, so that the others are told as they were. */
export function isAttended(seed: number): boolean {
  return new Random(seed ^ 0x3ad8025f).chance(0.1);
}

/** How often one person sends stages back in a story. */
export const MOST_SENT_BACK = 2;

/** What whoever attends to the run says when they look at it; null: nothing is asked of them. */
export class AttendingPerson {
  readonly #random: Random;
  #sentBack = 0;

  constructor(seed: number) {
    this.#random = new Random(seed ^ 0x1f83d9ab);
  }

  says({ checkpoint, stages, plan, attended }: RunState, at: number): RunEvent | null {
    if (checkpoint === null) return null;
    const { stage, after } = checkpoint;
    const round = itemAt(stages, stage)?.round ?? 1;
    if (attended === true && this.#random.chance(0.02)) return { type: "attended", at, wanted: false };
    if (after !== undefined) {
      const isBack = this.#sentBack < MOST_SENT_BACK && this.#random.chance(0.2);
      if (isBack) this.#sentBack += 1;
      return { type: "stage_reviewed", at, stage, round, by: "ann", repeat: isBack ? "not good enough" : null };
    }
    // Those that the plan itself asks for are others' to approve.
    if (plan.stages[stage]?.checkpoint === true) return null;
    return { type: "approved", at, stage, round, by: "ann" };
  }
}

/** What this run's attendance came to. */
export function* attendedKinds(event: RunEvent): Generator<string> {
  if (event.type === "stage_reviewed")
    yield event.repeat === null
      ? "attended runs whose stages are looked at"
      : "attended runs of which a stage is done again";
}

export class Attendance {
  readonly #plan: Plan;
  #isAttended = false;
  /** Rounds that were approved, and those that somebody has looked at. */
  readonly #approved = new Set<string>();
  /** Rounds that are over, and that nobody has looked at. */
  #unseen = new Set<string>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  step(before: RunState, event: RunEvent, after: RunState): readonly string[] {
    if (event.type === "attended") this.#isAttended = event.wanted;
    if (event.type === "approved") this.#note(this.#approved, before, event.stage);
    if (event.type === "stage_reviewed" && before.checkpoint?.stage === event.stage) {
      const run = itemAt(before.stages, event.stage);
      if (run !== undefined && run.round === event.round) this.#unseen.delete(roundKey(run));
    }
    if (!this.#isAttended || after.failure !== null) {
      this.#unseen.clear();
      return [];
    }
    const violations: string[] = [];
    for (const { index, name, checkpoint } of this.#plan.stages) {
      const run = itemAt(after.stages, index);
      const was = itemAt(before.stages, index);
      if (run === undefined || run.startAt === null || run.cleanupMode) continue;
      const key = roundKey(run);
      if (was?.round !== run.round || was.startAt === null) {
        if (!checkpoint && !this.#approved.has(key))
          violations.push(`${name}, round ${run.round}, began, and who attends was not asked`);
        if (this.#unseen.size > 0)
          violations.push(`${name} began before anybody looked at ${[...this.#unseen].join(", ")}`);
      }
    }
    // What ran in the background is not waited for when it ends, nor what a quorum sends back.
    for (const { index, background, quorum } of this.#plan.stages) {
      const run = itemAt(after.stages, index);
      const was = itemAt(before.stages, index);
      const isOver = run?.phase === "closed" && was?.phase !== "closed" && was?.round === run.round;
      if (isOver && run.startAt !== null && background === null && quorum === undefined)
        this.#unseen.add(roundKey(run));
    }
    return violations;
  }

  loaded({ attended }: RunState): void {
    this.#isAttended = attended === true;
    this.#unseen = new Set();
  }

  #note(rounds: Set<string>, { stages }: RunState, stage: number): void {
    const run = itemAt(stages, stage);
    if (run !== undefined) rounds.add(roundKey(run));
  }
}
