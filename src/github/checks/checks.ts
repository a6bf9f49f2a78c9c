/**
 * One check run of ours: opened once, updated as often as is polite, concluded with its annotations. A token that may
 * not write check runs is an answer, not an error: whoever asked shows the result elsewhere.
 */
import { z } from "zod";
import { newestId } from "../../ids.ts";
import { githubId, smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { type RequestFailure, requestFailure } from "../request-failure.ts";

export interface CheckTarget {
  readonly owner: string;
  readonly repo: string;
  readonly headSha: string;
  readonly name: string;
  /** Tells this check run from others of its name on the commit. */
  readonly externalId: string;
  readonly detailsUrl: string | null;
}

export interface CheckText {
  readonly title: string;
  readonly summary: string;
  readonly text: string | null;
}

export type CheckConclusion = "success" | "failure" | "cancelled" | "neutral" | "timed_out" | "action_required";

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
/** GitHub ends a request itself after 10 s. */
const REQUEST_TIMEOUT_MS = 15_000;

const NEVER = new AbortController().signal;

const created = z.object({
  id: githubId,
  html_url: z.string().nullable().optional(),
  app: z.object({ id: smallId }).nullish(),
});
const listed = z.object({
  check_runs: z.array(created.extend({ external_id: z.string().nullable().optional() })),
});
const counted = z.object({ output: z.object({ annotations_count: z.number() }) });
const finished = z.object({
  check_runs: z.array(
    created.extend({
      external_id: z.string().nullish(),
      output: z.object({ annotations_count: z.number() }).nullish(),
    }),
  ),
});

/** Creates the check run, in progress. After a lost answer it is looked for before it is created again. */
export async function openCheck(
  client: GitHubClient,
  target: CheckTarget,
  text: CheckText,
  pace: Pace,
  signal: AbortSignal,
): Promise<Opened> {
  const { owner, repo } = target;
  let first = true;
  const result = await persistently(pace, signal, async () => {
    if (!first) {
      const answer = await client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
        owner,
        repo,
        ref: target.headSha,
        check_name: target.name,
        per_page: 100,
        request: bounded(signal),
      });
      const known = listed.parse(answer.data).check_runs.find((run) => run.external_id === target.externalId);
      if (known !== undefined) return known;
    }
    first = false;
    const answer = await client.request("POST /repos/{owner}/{repo}/check-runs", {
      owner,
      repo,
      name: target.name,
      head_sha: target.headSha,
      external_id: target.externalId,
      status: "in_progress",
      started_at: new Date(pace.now()).toISOString(),
      ...(target.detailsUrl === null ? {} : { details_url: target.detailsUrl }),
      output: output(text),
      request: bounded(signal),
    });
    return created.parse(answer.data);
  });
  if (!result.ok) return { opened: false, failure: result.failure };
  const handle = { id: result.value.id, url: result.value.html_url ?? null };
  return { opened: true, check: new LiveCheck(client, target, handle, pace), appId: result.value.app?.id ?? null };
}

/** A check run whose whole result is known, of the app with this id. */
export interface FinishedCheck extends CheckTarget {
  readonly appId: number;
  readonly conclusion: CheckConclusion;
  readonly text: CheckText;
  readonly annotations: readonly Readonly<Record<string, string | number>>[];
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
  const { owner, repo, conclusion, text, annotations } = check;
  const result = await persistently(pace, signal, async () => {
    const answer = await client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
      owner,
      repo,
      ref: check.headSha,
      check_name: check.name,
      app_id: `${check.appId}`,
      filter: "all",
      per_page: 100,
      request: bounded(signal),
    });
    const runs = finished.parse(answer.data).check_runs.filter((run) => run.app?.id === check.appId);
    const newest = newestId(runs.map((run) => run.id));
    const known = runs.find((run) => run.id === newest && run.external_id === check.externalId);
    let id = known?.id;
    let sent = known?.output?.annotations_count ?? 0;
    if (id === undefined) {
      sent = Math.min(annotations.length, ANNOTATIONS_PER_REQUEST);
      const made = await client.request("POST /repos/{owner}/{repo}/check-runs", {
        owner,
        repo,
        name: check.name,
        head_sha: check.headSha,
        external_id: check.externalId,
        status: "completed",
        conclusion,
        completed_at: new Date(pace.now()).toISOString(),
        ...(check.detailsUrl === null ? {} : { details_url: check.detailsUrl }),
        output: { ...output(text), ...(sent === 0 ? {} : { annotations: annotations.slice(0, sent) }) },
        request: bounded(signal),
      });
      id = created.parse(made.data).id;
    }
    while (sent < annotations.length) {
      const batch = annotations.slice(sent, sent + ANNOTATIONS_PER_REQUEST);
      await client.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
        owner,
        repo,
        check_run_id: id,
        output: { ...output(text), annotations: batch },
        request: bounded(signal),
      });
      sent += batch.length;
    }
  });
  return result.ok ? null : result.failure;
}

/** A check run opened by us (in this process or an earlier one). */
export class LiveCheck {
  readonly handle: CheckHandle;
  readonly #client: GitHubClient;
  readonly #target: Pick<CheckTarget, "owner" | "repo">;
  readonly #pace: Pace;
  #pending: CheckText | null = null;
  #sending: Promise<void> | null = null;
  #stop = new AbortController();
  #failure: RequestFailure | null = null;

  constructor(client: GitHubClient, target: Pick<CheckTarget, "owner" | "repo">, handle: CheckHandle, pace: Pace) {
    this.#client = client;
    this.#target = target;
    this.handle = handle;
    this.#pace = pace;
  }

  /** The last update that could not be sent. Updates are news, not results: `conclude` says everything again. */
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
   */
  async conclude(
    conclusion: CheckConclusion,
    text: CheckText,
    annotations: readonly Readonly<Record<string, string | number>>[],
    signal: AbortSignal,
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
      let first = true;
      const result = await persistently(this.#pace, signal, async () => {
        // Batches append: after a lost answer, one that has arrived must not be sent again.
        if (!first && batch.length > 0 && (await this.#annotationsCount(signal)) >= before + batch.length) return;
        first = false;
        await this.#patch(
          {
            ...(concluded
              ? {}
              : { status: "completed", conclusion, completed_at: new Date(this.#pace.now()).toISOString() }),
            output: { ...output(text), ...(batch.length === 0 ? {} : { annotations: batch }) },
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
      const result = await persistently(this.#pace, signal, () => this.#patch({ output: output(text) }, NEVER));
      if (!result.ok && !signal.aborted) this.#failure = result.failure;
      await this.#pace.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    this.#sending = null;
  }

  async #patch(body: Record<string, unknown>, signal: AbortSignal): Promise<void> {
    await this.#client.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      owner: this.#target.owner,
      repo: this.#target.repo,
      check_run_id: this.handle.id,
      ...body,
      request: bounded(signal),
    });
  }

  async #annotationsCount(signal: AbortSignal): Promise<number> {
    const answer = await this.#client.request("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      owner: this.#target.owner,
      repo: this.#target.repo,
      check_run_id: this.handle.id,
      request: bounded(signal),
    });
    return counted.parse(answer.data).output.annotations_count;
  }
}

function output(text: CheckText): Record<string, unknown> {
  return { title: text.title, summary: text.summary, ...(text.text === null ? {} : { text: text.text }) };
}

/** A request ends with the signal, and by itself when GitHub does not answer. */
export function bounded(signal: AbortSignal): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]) };
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
