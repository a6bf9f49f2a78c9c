/** The part of a stage's time in which what its commands measure counts. */
import type { PlanStage } from "../../plan/plan.ts";

/** @param afterMs since the group began the stage */
export function isMeasured(
  { measure, durationMs }: Pick<PlanStage, "measure" | "durationMs">,
  afterMs: number,
): boolean {
  if (measure === undefined) return true;
  const end = durationMs === null ? Number.POSITIVE_INFINITY : durationMs - measure.cooldownMs;
  return afterMs >= measure.warmupMs && (measure.cooldownMs === 0 || afterMs <= end);
}
