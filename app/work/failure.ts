import { type RequestFailure, requestFailure } from "../../src/github/request-failure.ts";
import { ClaimLost } from "../store/model.ts";

/**
 * What a failed request of an installation's own work means. `now`: milliseconds since the epoch.
 * @throws ClaimLost when that is what ended the work: it is no failure of what was worked at, and is neither counted nor
 * told as one, for whoever has the installation now does it anew
 */
export function failureOfWork(error: unknown, now: number): RequestFailure {
  notLost(error);
  return requestFailure(error, now);
}

/** @throws ClaimLost if that is what it is */
export function notLost(error: unknown): void {
  if (error instanceof ClaimLost) {
    throw error;
  }
}
