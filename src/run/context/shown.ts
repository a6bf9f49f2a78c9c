/** What each agent is shown of the outputs: what the stage that it is to work at sees, and not all to everyone. */
import type { PlanStage } from "../../plan/plan.ts";
import type { Instruction } from "../instruction.ts";
import type { RunState } from "../state.ts";
import { type ContextOutputs, type SelectedContext, selectContext } from "./select.ts";

/** By stage and outputs: runs may share either. */
const chosen = new WeakMap<PlanStage, WeakMap<ContextOutputs, SelectedContext>>();

/** The context of a stage as the run stands. The same object while nothing is added. */
export function contextOf({ outputs, plan }: Pick<RunState, "outputs" | "plan">, stage: number): SelectedContext {
  const planned = plan.stages[stage];
  if (planned === undefined) throw new RangeError(`the plan has no stage ${stage}`);
  const known = chosen.get(planned) ?? new WeakMap<ContextOutputs, SelectedContext>();
  chosen.set(planned, known);
  const selected = known.get(outputs) ?? selectContext(outputs, planned);
  known.set(outputs, selected);
  return selected;
}

/** What goes with an instruction; null: nothing that is new, since whoever waits works at nothing. */
export function shownOutputs(state: RunState, instruction: Instruction): ContextOutputs | null {
  switch (instruction.do) {
    case "execute":
      return contextOf(state, instruction.stage).outputs;
    case "wait":
    case "stop":
    case "abort":
      return null;
    case "exclude":
    case "finish":
      // It may clean up by itself, each stage with its own patterns.
      return state.outputs;
    default:
      return instruction satisfies never;
  }
}
