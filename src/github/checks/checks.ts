/**
 * One check run of ours: opened once, updated as often as is polite, concluded with its annotations. A token that may
 * not write check runs is an answer, not an error: whoever asked shows the result elsewhere.
 */
import { newestId } from "../../ids.ts";
import type { GitHubClient } from "../port.ts";
import { type RequestFailure, requestFailure } from "../request-failure.ts";
import {
  type CheckAnnotation,
  type CheckConclusion,
  type CheckRepository,
  type CheckRunWrite,
  type CheckTarget,
  type CheckText,
  createCheckRun,
  getCheckRun,
  listCheckRuns,
  updateCheckRun,
} from "./check-run.ts";

/** A check run that exists on GitHub. */
export interface CheckHandle {
  readonly id: string;
  readonly url: string | null;
}

export interface Pace {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** `appId`: whose it is, as GitHub says; null: it does not. */
export type Opened =
  | { readonly opened: true; readonly check: LiveCheck; readonly appId: number | null }
  | { readonly opened: false; readonly failure: RequestFailure };

/** GitHub asks for a second between writes. */
const PAUSE_MS = 1000;
const BACKOFF_MS = [1000, 2000, 4000, 8000, 16_000] as const;
/** A longer wait than this is not worth it for a report: what remains is said elsewhere. */
const LONGEST_WAIT_MS = 60_000;
const ANNOTATIONS_PER_REQUEST = 50;

const NEVER = new AbortController().signal;

/**
 * Creates the check run, in progress. After a lost answer it is looked for before it is created again.
 * @param mayBeThere whether another process may have created it: then it is looked for at first
 */
export async function openCheck(
  client: GitHubClient,
  target: CheckTarget,
  text: CheckText,
  pace: Pace,
  signal: AbortSignal,
  mayBeThere = false,
): Promise<Opened> {
  let first = !mayBeThere;
  const result = await persistently(pace, signal, async () => {
    if (!first) {
      const runs = await listCheckRuns(client, target, { check_name: target.name }, signal);
      const known = runs.find((run) => run.externalId === target.externalId);
      if (known !== undefined) return known;
    }
    first = false;
    return await createCheckRun(client, target, { status: "in_progress", startedAt: pace.now(), text }, signal);
  });
  if (!result.ok) return { opened: false, failure: result.failure };
  const { id, url, appId } = result.value;
  return { opened: true, check: new LiveCheck(client, target, { id, url }, pace), appId };
}

/** A check run whose whole result is known, of the app with this id. */
export interface FinishedCheck extends CheckTarget {
  readonly appId: number;
  readonly conclusion: CheckConclusion;
  readonly text: CheckText;
  readonly annotations: readonly CheckAnnotation[];
}

/**
 * Publishes it unless it is what GitHub shows already, which is the newest of its app, name and commit: that is looked
 * at before each try, so that after a lost answer nothing is written twice, and what was said before something else is
 * said again. Null: it is there now, with all of its annotations.
 */
export async function publishCheck(
  client: GitHubClient,
  check: FinishedCheck,
  pace: Pace,
  signal: AbortSignal,
): Promise<RequestFailure | null> {
  const { name, conclusion, text, annotations } = check;
  const result = await persistently(pace, signal, async () => {
    const filter = { check_name: name, app_id: `${check.appId}`, filter: "all" } as const;
    const runs = (await listCheckRuns(client, check, filter, signal)).filter((run) => run.appId === check.appId);
    const newest = newestId(runs.map((run) => run.id));
    const known = runs.find((run) => run.id === newest && run.externalId === check.externalId);
    let id = known?.id;
    let sent = known?.annotationsCount ?? 0;
    if (id === undefined) {
      const first = annotations.slice(0, ANNOTATIONS_PER_REQUEST);
      const write = { status: "completed", conclusion, completedAt: pace.now(), text, annotations: first } as const;
      ({ id } = await createCheckRun(client, check, write, signal));
      sent = first.length;
    }
    while (sent < annotations.length) {
      const batch = annotations.slice(sent, sent + ANNOTATIONS_PER_REQUEST);
      await updateCheckRun(client, check, id, { text, annotations: batch }, signal);
      sent += batch.length;
    }
  });
  return result.ok ? null : result.failure;
}

/** A check run opened by us (in this process or an earlier one). */
export class LiveCheck {
  readonly handle: CheckHandle;
  readonly #client: GitHubClient;
  readonly #target: CheckRepository;
  readonly #pace: Pace;
  #pending: CheckText | null = null;
  #sending: Promise<void> | null = null;
  #stop = new AbortController();
  #failure: RequestFailure | null = null;

  constructor(client: GitHubClient, target: CheckRepository, handle: CheckHandle, pace: Pace) {
    this.#client = client;
    this.#target = target;
    this.handle = handle;
    this.#pace = pace;
  }

  /** The last update that could not be sent. No result is lost by it: `conclude` says everything again. */
  get failure(): RequestFailure | null {
    return this.#failure;
  }

  /** Shows a newer text. Returns at once; while a request is on its way, only the newest waits for its turn. */
  update(text: CheckText): void {
    if (this.#stop.signal.aborted) return;
    this.#pending = text;
    this.#sending ??= this.#send();
  }

  /**
   * Ends the check run: first the conclusion with the first annotations, then the further batches, so that the verdict
   * never waits for them. Returns how many annotations GitHub has taken and the failure that stopped it, if any.
   * @param mayBeSent whether another process may have begun with it: annotations that are there are not sent again
   */
  async conclude(
    conclusion: CheckConclusion,
    text: CheckText,
    annotations: readonly CheckAnnotation[],
    signal: AbortSignal,
    mayBeSent = false,
  ): Promise<{
    readonly concluded: boolean;
    readonly annotationsSent: number;
    readonly failure: RequestFailure | null;
  }> {
    this.#stop.abort();
    // An update on its way is waited for, so that it cannot arrive after the conclusion and show older words.
    await Promise.race([this.#sending, aborted(signal)]);
    let sent = 0;
    let concluded = false;
    do {
      const batch = annotations.slice(sent, sent + ANNOTATIONS_PER_REQUEST);
      const before = sent;
      let first = !mayBeSent;
      const result = await persistently(this.#pace, signal, async () => {
        // Batches append: after a lost answer, one that has arrived must not be sent again.
        if (!first && batch.length > 0 && (await this.#annotationsCount(signal)) >= before + batch.length) return;
        first = false;
        await this.#patch(
          {
            ...(concluded ? {} : { status: "completed", conclusion, completedAt: this.#pace.now() }),
            text,
            annotations: batch,
          },
          signal,
        );
      });
      if (!result.ok) return { concluded, annotationsSent: sent, failure: result.failure };
      concluded = true;
      sent += batch.length;
      if (sent < annotations.length) await this.#pace.sleep(PAUSE_MS, signal).catch(() => undefined);
    } while (sent < annotations.length);
    return { concluded, annotationsSent: sent, failure: null };
  }

  async #send(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#pending !== null && !signal.aborted) {
      const text = this.#pending;
      this.#pending = null;
      // Only pauses and further tries end with `signal`, not the request itself.
      const result = await persistently(this.#pace, signal, () => this.#patch({ text }, NEVER));
      if (!result.ok && !signal.aborted) this.#failure = result.failure;
      await this.#pace.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    this.#sending = null;
  }

  #patch(write: CheckRunWrite, signal: AbortSignal): Promise<void> {
    return updateCheckRun(this.#client, this.#target, this.handle.id, write, signal);
  }

  async #annotationsCount(signal: AbortSignal): Promise<number> {
    return (await getCheckRun(this.#client, this.#target, this.handle.id, signal)).annotationsCount ?? 0;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export type SendResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: RequestFailure };

/** Tries again what may succeed later, with pauses as GitHub asks for them; gives the last failure back as a value. */
export async function persistently<T>(pace: Pace, signal: AbortSignal, send: () => Promise<T>): Promise<SendResult<T>> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return { ok: true, value: await send() };
    } catch (error) {
      const failure = requestFailure(error, pace.now());
      const pause = Math.max(failure.retryAfterMs ?? 0, BACKOFF_MS[attempt] ?? Number.POSITIVE_INFINITY);
      const hopeless = failure.kind === "permission" || failure.kind === "rejected" || pause > LONGEST_WAIT_MS;
      if (hopeless || signal.aborted) return { ok: false, failure };
      try {
        await pace.sleep(pause, signal);
      } catch {
        return { ok: false, failure };
      }
    }
  }
}
