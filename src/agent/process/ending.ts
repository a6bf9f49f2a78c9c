/** How what runs is ended: TERM, a grace, KILL, as long again, and then nobody waits for it any more. Pure. */

export { STOP_GRACE_MS as GRACE_MS } from "../../plan/stop-grace.ts";
/** The same while the agent itself is being ended. */
export const SHUTDOWN_GRACE_MS = 2_500;
/** From KILL on at least so long: the system takes its time, too, to take a large process down. */
const LEAST_AFTER_KILL_MS = 1_000;

/** In milliseconds of one clock. */
export interface Ending {
  readonly killAt: number;
  /** What lives then cannot be ended: it is named and left. */
  readonly giveUpAt: number;
}

/** An ending that begins now. Begun before, each of its times stays unless the new one is earlier. */
export function endingFrom(now: number, graceMs: number, begun: Ending | null = null): Ending {
  const killAt = Math.min(begun?.killAt ?? Number.POSITIVE_INFINITY, now + graceMs);
  const giveUpAt = now + graceMs + Math.max(LEAST_AFTER_KILL_MS, graceMs);
  return { killAt, giveUpAt: Math.min(begun?.giveUpAt ?? Number.POSITIVE_INFINITY, giveUpAt) };
}
