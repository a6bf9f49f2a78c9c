/** Why a coordinator refuses a request. Apart from the protocol, whose schemas a run on its own never loads. */

import type { RunSummary } from "../../run/result/record.ts";

/** With HTTP status. A closed list, so that agents can act on it. */
export const REFUSALS = {
  protocol: 400,
  invalid: 400,
  unauthorized: 401,
  wrong_run: 403,
  not_installed: 403,
  over_limit: 403,
  not_found: 404,
  slow: 408,
  held: 409,
  different_plan: 409,
  sequence: 409,
  ended: 410,
  too_large: 413,
  unsupported: 415,
  not_stored: 503,
  unavailable: 503,
  too_many: 429,
} as const satisfies Record<string, number>;
export type RefusalCode = keyof typeof REFUSALS;

/** Refusals that pass: the same request may be accepted later. */
export const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "too_many",
  "not_stored",
  "unavailable",
  "slow",
]);

/** A request that the coordinator will not carry out. `message` says why and what to do. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /** Of one that passes: when to ask again. Seconds. */
  readonly retryAfter: number;
  constructor(code: RefusalCode, message: string, retryAfter = 1) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Who joins first when the run is over: there is nothing to take part in, only what came of it. */
export class RunEnded extends Refusal {
  /** As any other agent is told it: the verdict, each stage, its own part. */
  readonly summary: RunSummary;
  /** Whether it was one of the group; else the run ended without it. */
  readonly wasMember: boolean;
  constructor(message: string, summary: RunSummary, wasMember: boolean) {
    super("ended", message);
    this.name = "RunEnded";
    this.summary = summary;
    this.wasMember = wasMember;
  }
}

/** This machine's clock is so wrong that tokens made just now do not hold by it: it can believe no other job. */
export class WrongClock extends Error {
  override readonly name = "WrongClock";
}
