/** What of an instruction is news to the agent that gets it. */
import type { Instruction } from "../run/types.ts";

/** Equal keys: nothing new. Who is awaited and since when changes all the time, and comes with each answer. */
export function newsKey(instruction: Instruction): string {
  switch (instruction.do) {
    case "wait":
      return `wait ${instruction.reason} ${instruction.stage} ${instruction.until}`;
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
