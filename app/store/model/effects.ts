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
  readonly tries: number;
  readonly error: string | null;
  /** What was learnt while doing it (the id of a run that was started), as JSON. */
  readonly result: object | null;
}

/** How an effect ended. `dead`: given up, with the reason in `error`. */
export interface SettledEffect {
  readonly id: number;
  readonly status: "done" | "dead";
  readonly error: string | null;
  readonly result: object | null;
}
