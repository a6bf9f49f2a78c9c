/** Whether an agent that waits for its next instruction has another one, and whom a change of the run can concern. */

import type { Instruction } from "../../run/instruction.ts";
import type { RunState } from "../../run/machine.ts";
import { itemAt } from "../../run/persistent-array.ts";

/**
 * What the instructions of all agents depend on beside their own rows: equal keys mean that only agents whose row has
 * changed can have another instruction.
 */
export function groupKey(state: RunState): string {
  const { status, segment, checkpoint, stopping } = state;
  const parts: unknown[] = [status, segment?.first, segment?.last, checkpoint?.stage, stopping?.since];
  for (let stage = segment?.first ?? 0; segment !== null && stage <= segment.last; stage++) {
    const run = itemAt(state.stages, stage);
    parts.push(run?.stopping?.since, run?.pool?.generator);
  }
  return parts.join(" ");
}

/** Equal keys: nothing new. Who is awaited, since and until when may change all the time, and comes with each answer. */
export function instructionKey(instruction: Instruction): string {
  switch (instruction.do) {
    case "wait":
      return `wait ${instruction.reason} ${instruction.stage}`;
    case "execute": {
      const leases = instruction.leases.map((lease) => lease.attempt).join(" ");
      return `execute ${instruction.attempt} ${instruction.startAt} ${instruction.tasksOnly} ${leases}`;
    }
    case "stop":
      return `stop ${instruction.stage} ${instruction.why}`;
    case "abort":
    case "exclude":
      return `${instruction.do} ${instruction.why}`;
    case "finish":
      return instruction.do;
    default:
      return instruction satisfies never;
  }
}
