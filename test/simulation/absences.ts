/** Whether a run waits for somebody who is known never to come, or gives up on somebody who may. */
import type { Plan } from "../../src/plan/plan.ts";
import type { RunState } from "../../src/run/machine.ts";
import { itemsOf } from "../../src/run/persistent-array.ts";
import { agentIdentity, type RunEvent } from "../../src/run/types.ts";

export class Absences {
  readonly #plan: Plan;
  /** Identities of those who were said not to come. */
  readonly #absent = new Set<string>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** After an event, with the state before and after it. */
  step(before: RunState, event: RunEvent, after: RunState): readonly string[] {
    if (event.type === "not_coming") for (const { id } of event.absent) this.#absent.add(id);
    // A word that was long on its way: to the run it is there after all.
    if (event.type === "joined") this.#absent.delete(agentIdentity(event.agent));
    const there = [...itemsOf(after.agents)].filter(({ presence }) => presence === "here" || presence === "silent");
    const waited = there.find(({ name }) => this.#absent.has(agentIdentity(name)));
    if (waited !== undefined && !isOver(after)) return [`${waited.name} counts as there although it is gone for good`];
    const coming = after.agentCount - this.#absent.size;
    const needed = this.#plan.assembly.atLeast ?? after.agentCount;
    if (after.status === "assembling") {
      if (coming < needed) return [`it waits for ${needed} agents although only ${coming} can come`];
      if (coming > 0 && after.living >= coming) return ["it waits although everybody is there who can come"];
    }
    const gaveUp = before.status === "assembling" && after.failure?.reason.includes("can be there") === true;
    if (gaveUp && coming >= needed) return [`it gave up although ${coming} agents, of ${needed} needed, can come`];
    // Whoever attends to the run is told of it first.
    const isShown = after.withheld != null || after.checkpoint?.after !== undefined;
    if (coming === 0 && there.length === 0 && !isOver(after) && !isShown)
      return ["it goes on although nobody will ever come"];
    return [];
  }
}

function isOver({ status }: RunState): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}
