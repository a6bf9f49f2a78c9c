/** Waits for a person: how long, and for whom. */
import type { PlanStage } from "./plan.ts";

/** A person may take so long unless the stage says otherwise: as long as a stage may that does not say its timeout. */
const APPROVAL_TIMEOUT_MS = 6 * 3_600_000;

export function approvalTimeoutMs(_stage: PlanStage | undefined): number {
  return APPROVAL_TIMEOUT_MS;
}
