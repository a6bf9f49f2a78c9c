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

export interface Effect extends NewEffect {
  readonly id: number;
  readonly status: "pending" | "done" | "dead";
  /** Grows when something new is asked of it: what came of it before does not end or put off what is asked since. */
  readonly version: number;
  readonly tries: number;
  readonly error: string | null;
  /** What was learnt while doing it (the id of a run that was started), as JSON. */
  readonly result: object | null;
}

/** How an effect ended. `dead`: given up, with the reason in `error`. */
export interface SettledEffect extends EffectRead {
  readonly status: "done" | "dead";
  readonly error: string | null;
  readonly result: object | null;
}

/** Why effects are given up where the app is not installed: asked for again, they are done after all. */
export const NOT_INSTALLED = "the app is not installed there any more";

/** An effect as it was read. */
export type EffectRead = PullId & Pick<Effect, "id" | "version">;
