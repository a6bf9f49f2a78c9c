/** How an agent describes itself with each sync: a status for the machine, a few words for people. */
import type { PlanStage } from "../plan/plan.ts";
import { workingStatus } from "../run/agent-status.ts";
import type { Instruction } from "../run/instruction.ts";
import type { AgentStatus } from "../run/types.ts";

export interface Activity {
  /** The last instruction; null before the first. */
  readonly instruction: Instruction | null;
  /** The stage that it names. */
  readonly stage: PlanStage | undefined;
  /** Attempts that run now, background commands not counted. */
  readonly running: number;
  readonly excluded: boolean;
}

export function statusOf({ instruction, stage, running, excluded }: Activity): AgentStatus {
  if (excluded) return "excluded";
  if (instruction === null) return "idle";
  switch (instruction.do) {
    case "wait":
      return instruction.reason === "barrier" ? "at_barrier" : "idle";
    case "execute":
      return stage === undefined || running === 0 ? "at_barrier" : workingStatus(stage);
    case "stop":
      return "at_barrier";
    case "abort":
      return "aborting";
    case "exclude":
      return "excluded";
    case "finish":
      return instruction.summary.verdict === "success" ? "completed" : "failed";
    default:
      return instruction satisfies never;
  }
}

/** What others read about this agent while they wait for it. */
export function doingOf({ instruction, stage, running }: Activity): string {
  if (instruction === null) return "joining";
  const name = stage?.name ?? "its work";
  switch (instruction.do) {
    case "wait":
      if (running > 0) return `ending ${name}`;
      return instruction.reason === "barrier" ? `at the barrier of ${name}` : "idle";
    case "execute":
      if (running === 0) return `done with ${name}`;
      return stage !== undefined && stage.tasks !== null ? `running ${running} task(s) of ${name}` : `running ${name}`;
    case "stop":
    case "abort":
      return running > 0 ? `ending ${name}` : "idle";
    case "exclude":
      return "cleaning up after its exclusion";
    case "finish":
      return "done";
    default:
      return instruction satisfies never;
  }
}
