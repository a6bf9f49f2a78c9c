/** When something that failed is tried again. */
import type { RequestFailure } from "../../src/github/request-failure.ts";

export interface Backoff {
  /** After the first failure; doubled for each further one. Milliseconds. */
  readonly first: number;
  readonly most: number;
}

/** Milliseconds until the next try, never sooner than GitHub asked for. `tries`: failures in a row before this one. */
export function backoffPause({ first, most }: Backoff, tries: number, failure: RequestFailure): number {
  return Math.max(failure.retryAfterMs ?? 0, Math.min(first * 2 ** Math.min(tries, 20), most));
}
