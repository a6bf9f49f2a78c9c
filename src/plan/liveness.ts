/**
 * How long somebody may be silent, and what that means: the one set of defaults. Who is lost the coordinator decides
 * (`src/run/group/liveness.ts`); when their coordinator is gone its agents decide.
 */
import type { Plan } from "./plan.ts";

/** What a plan that does not say its `liveness` has. Milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 2_000;
export const WARN_AFTER_MS = 5_000;
export const LOST_AFTER_MS = 30_000;

/** Without an answer for so long an agent stops its work. */
export const COORDINATOR_SILENCE_MS = 90_000;
/** A leader that is silent for so long is gone, and the run with it. */
export const LEADER_SILENCE_MS = 60_000;
/** Whoever was last seen longer ago does not come back to its leader: by then it has given it up. */
export const COMES_BACK_MS = LEADER_SILENCE_MS + 10_000;

/** How often an agent is to be heard from while the group is in this stage (null: in none). Milliseconds. */
export function heartbeatOf(plan: Plan, stage: number | null): number {
  const own = stage === null ? null : (plan.stages[stage]?.barrier.heartbeatIntervalMs ?? null);
  return own ?? plan.liveness.heartbeatIntervalMs;
}
