/**
 * Effects beside labels and checks (comments, workflows to start, …): stored in the same commit as the decision, done
 * here one after the other for each installation, at GitHub's pace, until they are done or given up with a reason.
 */
import type { Logger } from "pino";
import { requestFailure } from "../src/github/request-failure.ts";
import type { EffectContext, Performed } from "./actions/handler.ts";
import { HANDLERS } from "./actions/index.ts";
import { Alarm } from "./alarm.ts";
import type { Clients, Ourselves } from "./clients.ts";
import { causeOf } from "./effect-rows.ts";
import type { Lane } from "./effects.ts";
import { noteLine } from "./history.ts";
import type { Effect, Repository, Store } from "./store/store.ts";
import type { Timings } from "./timings.ts";

export interface OutboxOptions {
  readonly store: Store;
  readonly clients: Clients;
  readonly ourselves: () => Ourselves;
  /** The installation's turn at writing, shared with the moves. */
  readonly lane: (installationId: number) => Lane;
  readonly log: Logger;
  readonly now: () => number;
  readonly timings: Timings;
}

const PAGE = 100;
/** Failures in a row; with doubled pauses the last is hours after the first. */
const MOST_TRIES = 12;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #alarm: Alarm;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const failed = (error: unknown): void => options.log.error({ err: error }, "carrying out effects failed");
    this.#alarm = new Alarm(() => this.#work(), options.now, failed);
  }

  /** Effects may be due. */
  wake(): void {
    this.#alarm.ring();
  }

  get idle(): boolean {
    return this.#alarm.idle;
  }

  async stop(): Promise<void> {
    await this.#alarm.stop();
  }

  async #work(): Promise<number | null> {
    const { store, now } = this.#options;
    for (;;) {
      const due = await store.effectsDue(now(), PAGE);
      if (due.length === 0) {
        return await store.nextEffectAt();
      }
      const lanes = Map.groupBy(due, (effect) => effect.installationId);
      await Promise.all([...lanes.values()].map((effects) => this.#inTurn(effects)));
    }
  }

  async #inTurn(effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) {
      await this.#one(effect);
    }
  }

  /** Never throws for GitHub's sake: the outcome is stored with its reason. */
  async #one(effect: Effect): Promise<void> {
    const { store, now, timings } = this.#options;
    const repository = await store.repository(effect.repositoryId);
    if (repository === null || repository.installationId === null) {
      await this.#giveUp(effect, "the app is not installed there any more");
      return;
    }
    let performed: Performed;
    try {
      performed = await this.#perform(effect, repository);
    } catch (error) {
      const failure = requestFailure(error, now());
      const pause = failure.retryAfterMs ?? (failure.kind === "rate_limit" ? timings.rateLimitPause : 0);
      if (pause > 0) {
        this.#options.lane(repository.installationId).holdUntil(now() + pause);
      }
      const hopeless = failure.kind === "permission" || failure.kind === "rejected";
      if (hopeless || effect.tries + 1 >= MOST_TRIES) {
        await this.#giveUp(effect, failure.message);
        return;
      }
      const backoff = Math.min(timings.lookPause * 2 ** effect.tries, timings.blockedPauseMost);
      await store.postponeEffect(effect.id, now() + Math.max(pause, backoff), failure.message, effect.result);
      this.#options.log.warn({ ...name(effect), reason: failure.message }, "effect put off");
      return;
    }
    await this.#settle(effect, performed);
  }

  async #perform(effect: Effect, repository: Repository): Promise<Performed> {
    const { store, clients, ourselves, lane, log, now, timings } = this.#options;
    const handler = HANDLERS.get(effect.kind);
    if (handler === undefined) {
      return { state: "refused", reason: `this version cannot do “${effect.kind}”` };
    }
    const client = await clients.installation(effect.installationId);
    const context: EffectContext = {
      effect,
      cause: causeOf(effect),
      client,
      repository,
      pull: await store.pull(effect),
      write: (send) => lane(effect.installationId).write(1, () => send(client)),
      signal: AbortSignal.timeout(timings.requestTimeout * 4),
      store,
      ...ourselves(),
      now,
      log,
    };
    return await handler.perform(effect.payload, context);
  }

  async #settle(effect: Effect, performed: Performed): Promise<void> {
    const { store, now, log } = this.#options;
    switch (performed.state) {
      case "done":
        await store.finishEffect(effect.id, performed.result ?? null);
        log.info({ ...name(effect), result: performed.result ?? null }, "effect done");
        if (performed.note !== null) {
          await store.commit({ history: [noteLine(effect, "effect", performed.note, now())], now: now() });
        }
        return;
      case "again":
        await store.deferEffect(effect.id, performed.at, performed.reason, performed.result ?? effect.result);
        log.info({ ...name(effect), reason: performed.reason }, "effect waits");
        return;
      case "dropped": {
        await store.finishEffect(effect.id, { dropped: performed.reason });
        log.info({ ...name(effect), reason: performed.reason }, "effect not needed any more");
        const line = noteLine(effect, "effect", `${effect.kind} is not needed any more: ${performed.reason}`, now());
        await store.commit({ history: [line], now: now() });
        return;
      }
      case "refused":
        await this.#giveUp(effect, performed.reason);
        return;
    }
  }

  async #giveUp(effect: Effect, reason: string): Promise<void> {
    const { store, now, log } = this.#options;
    await store.buryEffect(effect.id, reason);
    const line = noteLine(effect, "effect", `${effect.kind} was not done: ${reason}`, now());
    await store.commit({ history: [line], now: now() });
    log.error({ ...name(effect), reason }, "effect given up");
  }
}

function name({ kind, key, repositoryId, number }: Effect) {
  return { effect: kind, key, repositoryId, pull: number };
}
