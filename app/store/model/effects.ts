/** What is to be done on GitHub besides labels and checks, as it is stored. */
import type { PullId } from "./pulls.ts";

/** Something to be done on GitHub besides labels and checks. */
export interface NewEffect extends PullId {
  /** The same key is done once. */
  readonly key: string;
  readonly installationId: number;
  readonly kind: string;
  /** What to do, as JSON. */
  readonly payload: object;
  readonly nextAt: number;
}

/**
 * Why an effect waits or was given up. `not_installed`: the app is not installed there; `refused`: it will never work, or
 * must not be done; `not_yet`: for no failure's sake; `unknown_kind`: a later version's; `set_aside`: the process died of
 * it. The others as `RequestFailure` has them.
 */
export const EFFECT_CODES = [
  "not_installed",
  "refused",
  "not_yet",
  "unknown_kind",
  "set_aside",
  "permission",
  "rejected",
  "temporary",
  "rate_limit",
] as const;
export type EffectCode = (typeof EFFECT_CODES)[number];

export interface EffectReason {
  readonly code: EffectCode;
  /** For people. */
  readonly text: string;
}

export interface Effect extends NewEffect {
  readonly id: number;
  readonly status: "pending" | "done" | "dead";
  /** Grows when something new is asked of it: what came of it before does not end or put off what is asked since. */
  readonly version: number;
  readonly tries: number;
  /** For people. */
  readonly error: string | null;
  /** Null: it waits for nothing, or was written before there were codes. */
  readonly errorCode: EffectCode | null;
  /** What was learnt while doing it (the id of a run that was started), as JSON. */
  readonly result: object | null;
}

/** How an effect ended. `dead`: given up, with the reason in `error`. */
export interface SettledEffect extends EffectRead {
  readonly status: "done" | "dead";
  readonly error: string | null;
  readonly errorCode: EffectCode | null;
  readonly result: object | null;
}

/** An effect as it was read. */
export type EffectRead = PullId & Pick<Effect, "id" | "version">;
