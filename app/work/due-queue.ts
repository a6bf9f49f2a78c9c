/** A queue of one kind of thing that falls due, as a `DueWorker` works through it. */
import type { RequestFailure } from "../../src/github/request-failure.ts";
import type { InstallationId, Outlook } from "../store/model.ts";
import type { Kind } from "./in-progress/in-progress.ts";
import type { TakenScope } from "./replicas/ownership.ts";
import type { Topic } from "./wakeups.ts";

/** What is due, how it is handled, and what becomes of it otherwise. */
export interface DueQueue<T> {
  /** For the log. */
  readonly what: string;
  /** Whoever notifies this wakes the worker. */
  readonly topic: Topic;
  /** As what it is written down before it is handled; null: it cannot end the process. */
  readonly kind: Kind | null;
  /** Before its first look at it: what was going on when it was last worked at is due again. */
  takeUp?(scope: TakenScope, unreleased: boolean): Promise<void>;
  idOf(item: T): string;
  /** Of those with one key one is handled at a time; default: each by itself. */
  orderKeyOf?(item: T): string;
  repositoryOf(item: T): number;
  /** Of which installations something is due by then, and when the next thing is. */
  outlook(until: number): Promise<Outlook>;
  /** What is due by then, the most urgent first. What is being handled may be among it. */
  due(installationId: InstallationId, until: number, limit: number): Promise<readonly T[]>;
  /** Stores what came of it. `items`: as many as the worker's `batch` says. What it throws is told to `failed`. */
  handle(items: readonly T[], context: HandleContext): Promise<void>;
  /** Stores when it is due again. After `rate_limit` it may be left as it is: the installation is left alone. */
  failed(item: T, failure: RequestFailure, error: unknown): Promise<void>;
}

export interface HandleContext {
  readonly installationId: InstallationId;
  /** Aborted when the app stops. */
  readonly signal: AbortSignal;
  /** The same for all that was taken from the store together: what they share is read once, after they were read. */
  readonly page: object;
}
