/** What carries out effects on GitHub: each kind has one handler, where its subject is; `./runner.ts` calls them. */
import type { Logger } from "pino";
import { z } from "zod";
import type { GitHubClient } from "../../src/github/port.ts";
import type { PullPlace } from "../../src/github/pulls/comments.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import type { Effect, EffectCode, HistoryKind, Pull, Repository, Store } from "../store/model.ts";
import type { Timings } from "../work/timings.ts";
import type { Wakeups } from "../work/wakeups.ts";
import { type Cause, type EffectKind, type EffectPayload, PAYLOADS } from "./effect.ts";

export interface EffectContext {
  readonly effect: Effect;
  /** What it follows from; null: from no stage's actions. */
  readonly cause: Cause | null;
  /** Each of its requests is ended after `requestTimeout`. */
  readonly client: GitHubClient;
  readonly repository: Repository;
  /** The pull request as it is known now: it may have moved on since the effect was decided. Null: not known any more. */
  readonly pull: Pull | null;
  /** Every request that changes something goes through here: in turn with the installation's other writes. */
  readonly write: <T>(send: (client: GitHubClient) => Promise<T>) => Promise<T>;
  /** Ends what takes too long as a whole; a single request ends earlier. */
  readonly signal: AbortSignal;
  /** Keeps this as the effect's result, in case that no answer to the request that follows ever comes. */
  readonly remember: (result: object) => Promise<void>;
  /** Keeps this as the effect's result from now on, however the requests that follow end. */
  readonly keep: (result: object) => Promise<void>;
  readonly wakeups: Wakeups;
  readonly timings: Pick<Timings, "requestTimeout" | "reevaluationPause" | "settled">;
  readonly store: Store;
  /** Our app's id, to tell our own comments, checks and runs from others'. */
  readonly appId: number;
  /** Our bot's login (`name[bot]`); null: not known yet. */
  readonly botLogin: string | null;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * How it went. `again`: not yet, and why (a queue is full, a run goes on); that is no failure and is not counted as
 * one. `result` is kept with the effect, and the next call finds it in `effect.result`.
 */
export type Performed =
  | {
      readonly state: "done";
      readonly result?: object | null;
      /** A line for the pull request's history; null: nothing worth one. */
      readonly note: string | null;
      /** What kind of line that is, and whose doing; left out: the app's own, an effect. */
      readonly line?: { readonly kind: HistoryKind; readonly actor: Actor; readonly evidence?: readonly string[] };
    }
  /** Not needed any more, for a reason that is no failure. */
  | { readonly state: "dropped"; readonly reason: string }
  | {
      readonly state: "again";
      readonly at: number;
      readonly reason: string;
      readonly result?: object | null;
      readonly code?: EffectCode;
    }
  /** It will never work, or must not be done: told in the history. */
  | { readonly state: "refused"; readonly code?: EffectCode; readonly reason: string };

/**
 * What carries out one kind. It may be called again after the process was killed in the middle of it: it looks for what
 * it may have done already. What it throws is tried again if it is GitHub's trouble, else given up; both are told.
 */
export type EffectHandler<K extends EffectKind> = (
  payload: EffectPayload<K>,
  context: EffectContext,
) => Promise<Performed>;

/** Of each kind: one without a handler does not compile. */
export type EffectHandlers = { readonly [K in EffectKind]: EffectHandler<K> };

const SCHEMAS: { readonly [K in EffectKind]: z.ZodType<EffectPayload<K>> } = PAYLOADS;

/** Carries out an effect of a kind that is known, as it was stored. */
export async function perform<K extends EffectKind>(
  kind: K,
  handlers: EffectHandlers,
  context: EffectContext,
): Promise<Performed> {
  const read = SCHEMAS[kind].safeParse(context.effect.payload);
  return read.success
    ? await handlers[kind](read.data, context)
    : { state: "refused", reason: `it is not what this version expects: ${z.prettifyError(read.error)}` };
}

/** Where the effect's pull request is, as requests name it. */
export function placeOf({ repository, effect }: EffectContext): PullPlace {
  return { owner: repository.owner, repo: repository.name, number: effect.number };
}
