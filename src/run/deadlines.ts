/** When something about an agent has to be decided without it: its silence, its timeout. */
import type { Plan } from "../plan/plan.ts";
import type { Draft } from "./draft.ts";
import { stageInForce } from "./trouble.ts";

export interface SilenceLimits {
  readonly warnAfterMs: number;
  readonly lostAfterMs: number;
}

/**
 * How long an agent may be silent while a stage is in force: the run's `liveness`, or the barrier's own
 * `missed_threshold` × `heartbeat_interval`; and the time for which a silent one is asked again.
 */
export function limitsOf(plan: Plan, stage: number | null): SilenceLimits {
  const { heartbeatIntervalMs, warnAfterMs, lostAfterMs } = plan.liveness;
  const barrier = stage === null ? undefined : plan.stages[stage]?.barrier;
  if (barrier === undefined) return { warnAfterMs, lostAfterMs };
  const asked = (barrier.queryTimeoutMs ?? 0) * (barrier.queryRetries ?? (barrier.queryTimeoutMs === null ? 0 : 1));
  if (barrier.heartbeatIntervalMs === null && barrier.missedThreshold === null) {
    return { warnAfterMs, lostAfterMs: lostAfterMs + asked };
  }
  const interval = barrier.heartbeatIntervalMs ?? heartbeatIntervalMs;
  const missed = barrier.missedThreshold ?? Math.max(1, Math.ceil(lostAfterMs / heartbeatIntervalMs));
  const lost = interval * missed;
  return { warnAfterMs: Math.min(Math.max(warnAfterMs, interval), lost), lostAfterMs: lost + asked };
}

/** The next time at which something about this agent has to be decided; Infinity: none. */
export function deadlineOf(draft: Draft, slot: number): number {
  const agent = draft.agent(slot);
  const { warnAfterMs, lostAfterMs } = limitsOf(draft.plan, stageInForce(draft));
  let at = Number.POSITIVE_INFINITY;
  if (agent.presence === "here") at = agent.silentSince + Math.min(warnAfterMs, lostAfterMs);
  else if (agent.presence === "silent") at = agent.silentSince + lostAfterMs;
  const { turn } = agent;
  if (turn !== null && !turn.settled) at = Math.min(at, turn.overdueAt);
  if (turn?.dismissed != null) at = Math.min(at, turn.dismissed.until);
  for (const background of agent.backgrounds) if (!background.ready) at = Math.min(at, background.overdueAt);
  return at;
}
