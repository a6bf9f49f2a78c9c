/**
 * Effects beside labels and checks (comments, workflows to start, …): stored in the same commit as the decision, done
 * here at GitHub's pace, until they are done or given up with a reason. One queue for each installation, in turns by
 * repository; effects of one pull request one after the other.
 */
import { withDeadline } from "../../src/github/deadline.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import type { Ourselves } from "../github-cache/clients.ts";
import { pullKey } from "../store/change-pull.ts";
import { noteLine } from "../store/history.ts";
import type { Effect, EffectReason, HistoryKind, NewHistory, PullId, Repository } from "../store/model.ts";
import { backoffPause } from "../work/backoff.ts";
import { DueWorker } from "../work/due-worker.ts";
import { failureOfWork } from "../work/failure.ts";
import type { Alone, ProgressMarks } from "../work/in-progress/in-progress.ts";
import type { Runtime } from "../work/runtime.ts";
import { causeOf, knownKind } from "./effect.ts";
import { isReport, reportOf } from "./failure-report.ts";
import { type EffectContext, type EffectHandlers, type Performed, perform } from "./handler.ts";
import { permissionHint } from "./permission-hints.ts";

export interface EffectRunnerOptions extends Runtime {
  readonly ourselves: () => Ourselves;
  /** Written down before they are carried out. */
  readonly inProgress: ProgressMarks;
  readonly handlers: EffectHandlers;
  /** Why the app may not do what an effect of this kind takes; null: nothing is known to speak against it. */
  readonly refusal?: (kind: string, installationId: number) => Promise<string | null>;
}

const NOT_INSTALLED: EffectReason = { code: "not_installed", text: "the app is not installed there any more" };
/** Taken from the store at once; small, so that what comes later is not behind all that waits. */
const PAGE = 32;
/** Failures in a row; with doubled pauses the last is hours after the first. */
const MOST_TRIES = 12;
/** Of what answered 404 each time. */
const MOST_TRIES_UNSEEN = 4;
/** Until then a version that knows what this one does not may have been started. */
const UNKNOWN_PAUSE = 60 * 60_000;
/** An effect may take several requests and wait for its turn at each; one request ends after `requestTimeout`. */
const EFFECT_TIMEOUT = 10 * 60_000;

export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly worker: DueWorker<Effect>;

  constructor(options: EffectRunnerOptions) {
    const { effects } = options.store.due;
    this.#options = options;
    this.worker = new DueWorker<Effect>(
      { ...options, page: PAGE },
      {
        what: "effects",
        topic: "effects",
        kind: "effect",
        idOf: ({ id }) => String(id),
        // Effects of one pull request one after the other.
        orderKeyOf: pullKey,
        repositoryOf: ({ repositoryId }) => repositoryId,
        outlook: (until) => effects.outlook(until),
        due: (installationId, until, limit) => effects.of(installationId, until, limit),
        handle: async (due) => {
          for (const effect of due) {
            await this.#one(effect);
          }
        },
        failed: (effect, _, error) => this.#failed(effect, error, notedOf(effect)),
      },
    );
  }

  /** Tries again what was given up for this pull request. Resolves with how many effects that were. */
  async retry(id: PullId): Promise<number> {
    const revived = await this.#options.store.reviveEffects(id, this.#options.now());
    if (revived > 0) {
      this.worker.wake();
    }
    return revived;
  }

  /** One effect while nothing else goes on, if it is due; set aside it is given up. */
  readonly alone: Alone = {
    attempt: async (id) => {
      const effect = await this.#options.store.effect(Number(id));
      if (effect !== null && effect.status === "pending" && effect.nextAt <= this.#options.now()) {
        await this.worker.alone(effect, effect.installationId);
      }
    },
    setAside: async (id, reason) => {
      const effect = await this.#options.store.effect(Number(id));
      if (effect !== null && effect.status === "pending") {
        await this.#giveUp(effect, { code: "set_aside", text: reason });
      }
    },
  };

  /** Never throws for GitHub's sake: the outcome is stored with its reason. */
  async #one(effect: Effect): Promise<void> {
    const { store } = this.#options;
    const repository = await store.repository(effect.repositoryId);
    const installationId = repository?.installationId ?? null;
    if (repository === null || installationId === null) {
      await this.#giveUp(effect, NOT_INSTALLED, false);
      return;
    }
    const noted = notedOf(effect);
    const remember = async (value: object): Promise<void> => {
      await store.noteEffect(effect, value);
      noted.latest = value;
    };
    const keep = async (value: object): Promise<void> => {
      await remember(value);
      noted.kept = value;
    };
    let performed: Performed;
    try {
      performed = await this.#perform(effect, repository, installationId, { remember, keep });
    } catch (error) {
      await this.#failed(effect, error, noted);
      return;
    }
    await this.#settle(effect, performed, noted);
  }

  async #perform(
    effect: Effect,
    repository: Repository,
    installationId: number,
    memory: Pick<EffectContext, "remember" | "keep">,
  ): Promise<Performed> {
    const { store, clients, ourselves, writers, wakeups, log, now, timings } = this.#options;
    const kind = knownKind(effect.kind);
    if (kind === null) {
      return {
        state: "again",
        at: now() + UNKNOWN_PAUSE,
        code: "unknown_kind",
        reason: "it is left to the version of the app that knows it",
      };
    }
    const reason = (await this.#options.refusal?.(effect.kind, installationId)) ?? null;
    if (reason !== null) {
      return { state: "refused", code: "permission", reason };
    }
    const client = withDeadline(await clients.installation(installationId), timings.requestTimeout);
    const context: EffectContext = {
      effect,
      cause: causeOf(effect),
      client,
      repository,
      pull: await store.pull(effect),
      write: (send) => writers.of(installationId).write(() => send(client)),
      ...memory,
      signal: AbortSignal.timeout(EFFECT_TIMEOUT),
      wakeups,
      timings,
      store,
      ...ourselves(),
      now,
      log,
    };
    return await perform(kind, this.#options.handlers, context);
  }

  async #failed(effect: Effect, error: unknown, { latest, kept }: Noted): Promise<void> {
    const { store, now, timings, writers, log } = this.#options;
    const failure = failureOfWork(error, now());
    const why: EffectReason = { code: failure.kind, text: failure.message };
    if (failure.kind === "rate_limit") {
      const pause = failure.retryAfterMs ?? timings.rateLimitPause;
      writers.of(effect.installationId).holdFor(pause);
      // It keeps its place: while the installation is left alone nothing of it is taken up.
      await store.deferEffect(effect, effect.nextAt, why, kept);
      log.warn({ ...name(effect), reason: failure.message, pause }, "effect put off: it is too much for GitHub");
      return;
    }
    // GitHub says 404 where a token may not look, and where it is behind itself.
    const unsure = failure.status === 404 && effect.tries + 1 < MOST_TRIES_UNSEEN;
    const hopeless = !unsure && (failure.kind === "permission" || failure.kind === "rejected");
    if (hopeless || effect.tries + 1 >= MOST_TRIES) {
      await this.#giveUp(effect, { ...why, text: `${why.text}${permissionHint(effect.kind, failure)}` });
      return;
    }
    const pauses = { first: timings.reevaluationPause, most: timings.blockedPauseMost };
    const pause = backoffPause(pauses, effect.tries, failure);
    // An answer tells that the request is over; without one it may still be on its way.
    const known = failure.status === null ? latest : kept;
    await store.postponeEffect(effect, now() + pause, why, known);
    log.warn({ ...name(effect), err: error, pause, tries: effect.tries + 1 }, "effect put off");
  }

  async #settle(effect: Effect, performed: Performed, { kept }: Noted): Promise<void> {
    const { store, log } = this.#options;
    switch (performed.state) {
      case "done":
        await this.#end(effect, performed.result ?? null, performed.note, performed.line);
        log.info({ ...name(effect), result: performed.result ?? null }, "effect done");
        return;
      case "dropped": {
        const { reason } = performed;
        await this.#end(effect, { dropped: reason }, `${effect.kind} is not needed any more: ${reason}`);
        log.info({ ...name(effect), reason }, "effect not needed any more");
        return;
      }
      case "again": {
        const { at, code = "not_yet", reason: text } = performed;
        await store.deferEffect(effect, at, { code, text }, performed.result ?? kept);
        log.info({ ...name(effect), code, reason: text }, "effect waits");
        return;
      }
      case "refused": {
        const { code = "refused", reason: text } = performed;
        await this.#giveUp(effect, { code, text });
        return;
      }
    }
  }

  /** In one commit with what the history says, so that neither is there without the other. */
  async #end(effect: Effect, result: Effect["result"], note: string | null, line?: HistoryAbout): Promise<void> {
    const { store, now } = this.#options;
    const at = now();
    const { kind, actor, evidence }: HistoryAbout = line ?? { kind: "effect", actor: null };
    const history: NewHistory[] =
      note === null ? [] : [{ ...noteLine(effect, kind, note, at, actor), evidence: evidence ?? [] }];
    // What is said on the pull request may name this effect as not done.
    const reports = (await store.effectsOf(effect)).filter(isReport);
    const stale = !isReport(effect) && reports.at(-1)?.result !== null && reports.length > 0;
    const effects = stale ? [reportOf(effect, at)] : [];
    const settled = [{ ...effect, status: "done" as const, error: null, errorCode: null, result }];
    const { committed } = await store.commit({ settled, history, effects, now: at });
    // Something new was asked of it meanwhile: it is done again, which finds what is done already.
    if (stale || !committed) {
      this.worker.wake();
    }
  }

  /** `tell`: on the pull request, too. */
  async #giveUp(effect: Effect, { code, text }: EffectReason, tell = true): Promise<void> {
    const { store, now, log } = this.#options;
    const at = now();
    const report = tell && !isReport(effect);
    const { committed } = await store.commit({
      settled: [{ ...effect, status: "dead", error: text, errorCode: code }],
      history: [noteLine(effect, "effect", `${effect.kind} was not done: ${text}`, at)],
      effects: report ? [reportOf(effect, at)] : [],
      now: at,
    });
    if (committed) {
      log.error({ ...name(effect), code, reason: text }, "effect given up");
    }
    if (report || !committed) {
      this.worker.wake();
    }
  }
}

/** What a line of the history is about. */
/** An effect's result: as a handler noted it last, and as it stays where GitHub has answered with an error. */
interface Noted {
  latest: Effect["result"];
  kept: Effect["result"];
}

function notedOf({ result }: Effect): Noted {
  return { latest: result, kept: result };
}

interface HistoryAbout {
  readonly kind: HistoryKind;
  readonly actor: Actor | null;
  readonly evidence?: readonly string[];
}

function name({ kind, key, repositoryId, number }: Effect) {
  return { effect: kind, key, repositoryId, pull: number };
}
