/** How long a command has between TERM and KILL, and what else waits for that. */
import type { PlanStage } from "./plan.ts";

/** Unless the stage says `stop_grace`. */
export const STOP_GRACE_MS = 5_000;

export function stopGraceOf({ stopGraceMs = STOP_GRACE_MS }: Pick<PlanStage, "stopGraceMs">): number {
  return stopGraceMs;
}

/** So much longer than by default its end may take: TERM, the grace, KILL, and as long again. */
export function extraStopMs(stage: Pick<PlanStage, "stopGraceMs">): number {
  return 2 * Math.max(0, stopGraceOf(stage) - STOP_GRACE_MS);
}
