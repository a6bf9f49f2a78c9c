/** Errors that a stage bears, counted over the group: over its agents' attempts in force, and over all its tasks. */
import type { Thresholds } from "../../plan/plan.ts";

export interface Counted {
  readonly done: number;
  readonly errors: number;
  /** Tasks that failed since one came through; not there: none. */
  readonly failedInARow?: number | undefined;
  /** Tasks that came through, where there are any: each is a success, whatever it told. */
  readonly pool: { readonly done: number } | null;
}

/** Why there are too many errors; null: they are borne, or there is no limit. */
export function overMaxErrors(limits: Thresholds | null, errors: number): string | null {
  const most = limits?.maxErrors ?? null;
  return most === null || errors <= most ? null : `${errors} errors, at most ${most} are allowed`;
}

/** What a stage as a whole has too many errors for, as its reason; null: nothing. */
export function overThresholds(limits: Thresholds | null, counted: Counted): string | null {
  const { errors, failedInARow = 0, pool } = counted;
  const tooMany = overMaxErrors(limits, errors);
  if (tooMany !== null) return `max_errors: ${tooMany}`;
  const inARow = limits?.maxConsecutiveErrors ?? null;
  if (inARow !== null && failedInARow > inARow) {
    return `max_consecutive_errors: ${failedInARow} tasks failed in a row, at most ${inARow} errors are allowed`;
  }
  const most = limits?.maxErrorRate ?? null;
  const samples = Math.max(counted.done, pool?.done ?? 0) + errors;
  if (most === null || samples < (limits?.minSamples ?? 1)) return null;
  const rate = errors / samples;
  if (rate <= most) return null;
  return `max_error_rate: an error rate of ${percent(rate)}, at most ${percent(most)} are allowed`;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
