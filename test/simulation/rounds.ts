/** Whether a group that goes back does so in order: finished rounds stay as they were, and no token is given twice. */
import { isDeepStrictEqual } from "node:util";
import type { Instruction } from "../../src/run/instruction.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf, persistentArray } from "../../src/run/persistent-array.ts";
import type { StageRun } from "../../src/run/state.ts";

/** A round of a stage, as a key. */
export function roundKey({ stage, round }: Pick<StageRun, "stage" | "round">): string {
  return `${stage}/${round}`;
}

/**
 * The state as it was when its rounds were closed: stages that have begun another one with this very event show the one
 * before.
 */
export function beforeGoingBack(before: RunState, after: RunState): RunState {
  const isNew = ({ stage, round }: StageRun): boolean => round > (itemAt(before.stages, stage)?.round ?? round);
  const runs = [...itemsOf(after.stages)];
  if (!runs.some(isNew)) return after;
  const stages = runs.map((run) => (isNew(run) ? (run.earlier.at(-1) ?? run) : run));
  return { ...after, stages: persistentArray(stages) };
}

export class Rounds {
  /** Attempt (or lease) -> what it was given for. */
  readonly #given = new Map<string, string>();

  /** After an event. */
  step(before: RunState, after: RunState): readonly string[] {
    const violations: string[] = [];
    const { segment } = after;
    for (const run of itemsOf(after.stages)) {
      const old = itemAt(before.stages, run.stage);
      if (segment !== null && run.stage < segment.first && run.phase !== "closed")
        violations.push(`stage ${segment.first} is open although stage ${run.stage} before it is not over`);
      if (old === undefined || (run.round === old.round && run.earlier === old.earlier)) continue;
      if (run.earlier.length !== run.round - 1)
        violations.push(`stage ${run.stage} is in its round ${run.round}, and ${run.earlier.length} are over`);
      if (run.round !== old.round && run.round !== old.round + 1)
        violations.push(`stage ${run.stage} went from round ${old.round} to round ${run.round}`);
      if (!isDeepStrictEqual(run.earlier.slice(0, old.earlier.length), old.earlier))
        violations.push(`an earlier round of stage ${run.stage} has changed`);
      const open = [...itemsOf(after.stages)].find(({ stage, phase, round }) => {
        const was = itemAt(before.stages, stage);
        const isStillOpen = phase === "open" && was?.phase === "open" && was.round === round;
        return run.round > old.round && stage > run.stage && isStillOpen;
      });
      if (open !== undefined)
        violations.push(`stage ${run.stage} began a new round while stage ${open.stage} was open`);
    }
    return violations;
  }

  /** An agent is told to execute something. */
  instructed(
    agent: string,
    { stage, attempt, leases }: Extract<Instruction, { do: "execute" }>,
    state: RunState,
  ): readonly string[] {
    const run = itemAt(state.stages, stage);
    if (run === undefined) return [];
    const given = [
      { token: attempt, to: `${agent} in round ${roundKey(run)}` },
      ...leases.map(({ task, attempt: lease }) => ({
        token: lease,
        to: `${agent}'s ${task} in round ${roundKey(run)}`,
      })),
    ];
    return given.flatMap(({ token, to }) => {
      const before = this.#given.get(token) ?? to;
      this.#given.set(token, before);
      return before === to ? [] : [`the token ${token} of ${before} is given again, to ${to}`];
    });
  }

  /** What a crashed coordinator has forgotten may be given again. */
  forget(): void {
    this.#given.clear();
  }
}
