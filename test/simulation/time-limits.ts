/** Whether the times that a plan sets are kept: an agent's timeout for a stage over all its attempts, the deadline. */
import type { Plan } from "../../src/plan/plan.ts";
import type { Instruction } from "../../src/run/instruction.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemAt, itemsOf } from "../../src/run/persistent-array.ts";

/** An agent may take so long to tell of an end, beyond the time that it had; what the coordinator missed comes on top. */
const TELLING_MS = 60_000;

export class TimeLimits {
  readonly #plan: Plan;
  /** `stage/round/agent` -> when it was first to start. */
  readonly #starts = new Map<string, number>();
  /** How long the coordinator was not there, in all. */
  #awayMs = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  away(ms: number): void {
    this.#awayMs += ms;
  }

  /** An agent is told to execute something. */
  instructed(agent: string, instruction: Extract<Instruction, { do: "execute" }>, state: RunState): readonly string[] {
    const stage = this.#plan.stages[instruction.stage];
    if (stage === undefined || stage.background !== null) return [];
    const key = `${instruction.stage}/${itemAt(state.stages, instruction.stage)?.round}/${agent}`;
    const first = this.#starts.get(key) ?? instruction.startAt;
    this.#starts.set(key, first);
    const over = first + stage.timeoutMs;
    const violations: string[] = [];
    if (instruction.startAt > over) violations.push(`${agent} is to begin ${instruction.attempt} after its timeout`);
    if (instruction.until.at > over) violations.push(`${agent} has more time for ${stage.name} than its timeout`);
    const deadline = this.#deadlineOf(state);
    if (deadline === null || stage.when !== "on_success" || state.failure !== null) return violations;
    if (state.now > deadline) violations.push(`${agent} is to execute ${stage.name} after the plan's deadline`);
    if (instruction.until.at > deadline)
      violations.push(`${agent} has time for ${stage.name} after the plan's deadline`);
    return violations;
  }

  /** After an event. */
  step(state: RunState): readonly string[] {
    const violations: string[] = [];
    for (const { name, assignment } of itemsOf(state.agents)) {
      if (assignment === null || assignment.finished) continue;
      const stage = this.#plan.stages[assignment.stage];
      const first = this.#starts.get(`${assignment.stage}/${assignment.round}/${name}`);
      if (stage === undefined || first === undefined || stage.background !== null) continue;
      if (state.now > first + stage.timeoutMs + TELLING_MS + this.#awayMs)
        violations.push(`${name} is still waited for in ${stage.name}, long after its timeout`);
    }
    return violations;
  }

  ended(state: RunState): readonly string[] {
    const deadline = this.#deadlineOf(state);
    if (deadline === null || state.status !== "succeeded") return [];
    return [...itemsOf(state.stages)].flatMap(({ stage, startAt, closedAt }) => {
      const planned = this.#plan.stages[stage];
      const late = startAt !== null && closedAt !== null && closedAt > deadline && planned?.when === "on_success";
      return late ? [`it succeeded although ${planned.name} was not done by the plan's deadline`] : [];
    });
  }

  #deadlineOf({ createdAt }: RunState): number | null {
    return this.#plan.deadlineMs === null ? null : createdAt + this.#plan.deadlineMs;
  }
}
