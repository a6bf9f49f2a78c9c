/** The agents' side of the protocol: a `CoordinatorPort` over HTTP that repeats what got no answer. */
import { randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { agentOptions } from "../../proxy.ts";
import type { Instruction } from "../../run/instruction.ts";
import type { RunSummary } from "../../run/result/record.ts";
import type { RunTerms, Sync } from "../../run/types.ts";
import {
  type CoordinatorPort,
  IDLE,
  type Joined,
  type JoinRequest,
  type Roster,
  type SyncAnswer,
} from "../protocol/port.ts";
import { joinedSchema, PROTOCOL, refusalSchema, runTermsSchema, syncAnswerSchema } from "../protocol/protocol.ts";
import { PASSING, REFUSALS, Refusal, type RefusalCode, RunEnded } from "../protocol/refusal.ts";
import { requestJson } from "./http.ts";

/** A request that is not a long poll must be answered within this. */
const ANSWER_MS = 15_000;
/** A long poll may be answered this much later than it was to be held. */
const HOLD_SLACK_MS = 10_000;
/** Nothing of a message on its way comes or goes for so long: its connection is dead. */
const IDLE_MS = 10_000;
/** So long a coordinator is told that the end of the run has come here. It waits for that, but longer than this. */
const CONFIRM_MS = 3_000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MOST_MS = 10_000;
/** From then on a wait for an answer is worth a line. */
const RETRY_SAID_TRIES = 3;
const RETRY_SAID_MS = 5_000;
const RETRY_AGAIN_MS = 10_000;
/** What a coordinator asks an agent to wait is believed up to this. */
const RETRY_AFTER_MOST_MS = 60_000;

type Content = Omit<Sync, "session" | "agent">;

export interface HttpCoordinatorOptions {
  readonly url: URL;
  /** The proof to join with: an OIDC token (fetched anew for each try, they live five minutes) or a shared secret. */
  readonly credential: () => Promise<string>;
  /** Connections to use; default: keep-alive ones of the address's own scheme. */
  readonly agent?: http.Agent;
  /** Told once for each failed try, so that a wait for the coordinator is visible. `sinceMs`: since the first began. */
  readonly onRetry: (why: string, tries: number, pauseMs: number, sinceMs: number) => void;
  /** Whether it waits to be told that the end of the run came, as a leader does before it ends itself. */
  readonly confirmsEnd?: boolean;
  /** 0..1, for the jitter. */
  readonly random?: () => number;
  /** Milliseconds; default: 10 s each. See `requestJson`. */
  readonly slackMs?: number;
  readonly idleMs?: number;
}

/**
 * An `onRetry` that says what is worth a line, and again now and then. Short interruptions are everyday; the third try is
 * not, and neither is one that took long: where packets are lost without a word, three of them take half a minute.
 */
export function sayRetries(say: (text: string) => void): HttpCoordinatorOptions["onRetry"] {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (why, tries, pauseMs, sinceMs) => {
    if (tries === 1) saidAt = Number.NEGATIVE_INFINITY;
    if ((tries < RETRY_SAID_TRIES && sinceMs < RETRY_SAID_MS) || sinceMs - saidAt < RETRY_AGAIN_MS) return;
    saidAt = sinceMs;
    say(`no answer yet (try ${tries}, again in ${(pauseMs / 1000).toFixed(1)} s): ${why}`);
  };
}

interface Exchange<T> {
  /** What its answer must be. */
  readonly as: z.ZodType<T>;
  readonly timeoutMs: number;
  readonly credential: (() => Promise<string>) | null;
  /** Told of each refusal that may pass. @throws it when it is not to be waited for any longer */
  readonly onPassing?: (refusal: Refusal) => void;
  /** Told when some of it has been sent or received. */
  readonly onProgress?: () => void;
}

/** Something of the group, as far as it has been told. */
interface Known<T> {
  readonly version: string;
  readonly value: T;
}

function withOutputs(before: SyncAnswer["outputs"], piece: SyncAnswer["outputs"]): SyncAnswer["outputs"] {
  const added = Object.entries(piece).map(([stage, values]) => [stage, { ...before[stage], ...values }]);
  return { ...before, ...Object.fromEntries(added) };
}

/**
 * An agent's connection to a coordinator elsewhere.
 *
 * While a request is held, the next one goes over a second connection: the coordinator answers the held one then.
 *
 * Each request is repeated, with doubling jittered pauses, until it is answered or its signal aborts: repeating is
 * safe, since requests carry a sequence number. A refusal is thrown as `Refusal` at once.
 */
export class HttpCoordinator implements CoordinatorPort {
  readonly #options: HttpCoordinatorOptions;
  readonly #agent: http.Agent;
  #run = "";
  #session = "";
  #sequence = 0;
  #roster: Known<Roster> | null = null;
  #outputs: Known<SyncAnswer["outputs"]> | null = null;
  #notice = 0;
  /** Not handed on yet: more was to come with them. */
  #notices: string[] = [];
  /** Whoever is away for longer than this is soon lost: it must not sleep while its coordinator is back. */
  #longestPauseMs = BACKOFF_MOST_MS;

  constructor(options: HttpCoordinatorOptions) {
    this.#options = options;
    const make = options.url.protocol === "https:" ? https.Agent : http.Agent;
    this.#agent = options.agent ?? new make({ keepAlive: true, ...agentOptions(options.url) });
  }

  async join(request: JoinRequest, signal: AbortSignal, heard?: () => void): Promise<Joined> {
    // A coordinator that takes no more just now is asked again for as long as the group may take to meet.
    const until = performance.now() + request.plan.assembly.timeoutMs;
    const onPassing = (refusal: Refusal): void => {
      if (performance.now() + refusal.retryAfter * 1_000 > until) throw refusal;
      heard?.();
    };
    const nonce = randomBytes(16).toString("base64url");
    this.#longestPauseMs = Math.min(BACKOFF_MOST_MS, request.plan.liveness.lostAfterMs / 3);
    const joined = await this.#send(
      "/api/runs/join",
      { protocol: PROTOCOL, nonce, ...request },
      { as: joinedSchema, timeoutMs: ANSWER_MS, credential: () => this.#options.credential(), onPassing },
      signal,
    );
    this.#run = joined.run;
    this.#session = joined.session;
    this.#sequence = 0;
    this.#roster = null;
    this.#outputs = null;
    this.#notice = 0;
    return { session: joined.session, now: joined.now };
  }

  async sync(sync: Content, holdMs: number, signal: AbortSignal, heard?: () => void): Promise<SyncAnswer> {
    return await this.#exchange(sync, null, holdMs, signal, heard);
  }

  /** Told at once: nobody is to wait for what is being dropped. What is new is told with the next sync. */
  async reset(why: string, signal: AbortSignal): Promise<void> {
    const { notices } = await this.#exchange(IDLE, why, 0, signal);
    this.#notices.unshift(...notices);
  }

  async leave(why: string, signal: AbortSignal): Promise<void> {
    this.#sequence += 1;
    await this.#send(
      `/api/runs/${this.#run}/leave`,
      { protocol: PROTOCOL, seq: this.#sequence, why },
      { as: z.unknown(), timeoutMs: ANSWER_MS, credential: null },
      signal,
    );
    this.#agent.destroy();
  }

  /** Until all of the group that it did not know has come. */
  async #exchange(
    sync: Content,
    reset: string | null,
    holdMs: number,
    signal: AbortSignal,
    heard?: () => void,
  ): Promise<SyncAnswer> {
    let answer = await this.#ask(sync, reset, holdMs, signal, heard);
    const told = { ...sync, finished: [], addTasks: [] };
    while (answer.more) answer = await this.#ask(told, null, 0, signal, heard);
    if (answer.instruction.do === "finish" && this.#options.confirmsEnd === true) await this.#confirmEnd();
    return {
      // The frame is checked; the leaves come from the coordinator that this agent has authenticated.
      instruction: answer.instruction as unknown as Instruction,
      now: answer.now,
      roster: this.#roster?.value ?? null,
      outputs: this.#outputs?.value ?? {},
      notices: this.#notices.splice(0),
    };
  }

  /** Where the answer to that is lost, the end is known here all the same. */
  async #confirmEnd(): Promise<void> {
    await this.leave("it has heard that the run is over", AbortSignal.timeout(CONFIRM_MS)).catch(() => undefined);
  }

  async #ask(
    sync: Content,
    reset: string | null,
    holdMs: number,
    signal: AbortSignal,
    onProgress: (() => void) | undefined,
  ): Promise<z.infer<typeof syncAnswerSchema>> {
    this.#sequence += 1;
    const { doing, status, stage, progress, finished, wants, addTasks, ready, outputs, attempts } = sync;
    // In rounds after the first nothing counts without them.
    const about = attempts === undefined ? {} : { attempts };
    const body = {
      protocol: PROTOCOL,
      seq: this.#sequence,
      holdMs,
      reset,
      sync: { doing, status, stage, progress, finished, wants, addTasks, ready, outputs, ...about },
      known: {
        roster: this.#roster?.version ?? null,
        outputs: this.#outputs?.version ?? null,
        notice: this.#notice,
      },
    };
    const answer = await this.#send(
      `/api/runs/${this.#run}/sync`,
      body,
      {
        as: syncAnswerSchema,
        timeoutMs: holdMs + (this.#options.slackMs ?? HOLD_SLACK_MS),
        credential: null,
        ...(onProgress === undefined ? {} : { onProgress }),
      },
      signal,
    );
    const { roster, outputs: added } = answer;
    if (roster !== null) {
      const before = roster.from === null ? [] : (this.#roster?.value.agents ?? []);
      this.#roster = { version: roster.version, value: { agents: [...before, ...roster.pieces.flat()] } };
    }
    if (added !== null) {
      const before = added.from === null ? {} : (this.#outputs?.value ?? {});
      this.#outputs = { version: added.version, value: added.pieces.reduce(withOutputs, before) };
    }
    this.#notice = answer.notice;
    this.#notices.push(...answer.notices);
    return answer;
  }

  /** `credential`: what it joins with; null: its session. An answer that is none is asked for again. */
  async #send<T>(
    path: string,
    body: unknown,
    { as, timeoutMs, credential, onPassing, onProgress }: Exchange<T>,
    signal: AbortSignal,
  ): Promise<T> {
    // Once: what is repeated is the same to the last byte.
    const text = JSON.stringify(body);
    const random = this.#options.random ?? Math.random;
    const began = performance.now();
    for (let tries = 1; ; tries += 1) {
      let why: string;
      let pause = Math.min(this.#longestPauseMs, BACKOFF_FIRST_MS * 2 ** (tries - 1)) * (0.5 + random() / 2);
      try {
        signal.throwIfAborted();
        const bearer = credential === null ? this.#session : await credential();
        const answer = await requestJson({
          method: "POST",
          url: new URL(path, this.#options.url),
          bearer,
          body: text,
          agent: this.#agent,
          timeoutMs,
          idleMs: this.#options.idleMs ?? IDLE_MS,
          ...(onProgress === undefined ? {} : { onProgress }),
          signal,
          whenAborted: "leave",
        });
        const isWell = answer.status >= 200 && answer.status < 300;
        const taken = isWell ? as.safeParse(answer.body) : null;
        if (taken?.success === true) return taken.data;
        const refusal = refusalOf(answer.body, answer.retryAfter);
        if (refusal !== null && !PASSING.has(refusal.code)) throw refusal;
        if (refusal !== null) onPassing?.(refusal);
        // Who has met its coordinator before meets a proxy's page in its place now.
        const passes = isWell && credential === null;
        if (!passes && answer.status < 500 && answer.status !== 429 && answer.status !== 408) {
          throw new Refusal(
            "invalid",
            `${this.#options.url.host} answered ${answer.status} to ${path}: it is no coordinator of this version`,
          );
        }
        why = refusal?.message ?? `answered ${answer.status}${isWell ? ", but not as a coordinator does" : ""}`;
        if (answer.retryAfter !== null) {
          // Not all of them at the same moment.
          const askedMs = Math.min(answer.retryAfter * 1_000, RETRY_AFTER_MOST_MS) * (1 + random() / 4);
          pause = Math.max(pause, askedMs);
        }
      } catch (error) {
        if (error instanceof Refusal || signal.aborted) throw error;
        why = error instanceof Error ? error.message : String(error);
      }
      const sinceMs = performance.now() - began;
      this.#options.onRetry(`${this.#options.url.host}: ${why}`, tries, Math.round(pause), sinceMs);
      await sleep(pause, undefined, { signal });
    }
  }
}

/**
 * What a run's agents have agreed to, for one that is told only where to join. Asked once.
 * @throws Refusal; Error when nobody answers as a coordinator does
 */
export async function readTerms(url: URL, run: string, bearer: string, signal: AbortSignal): Promise<RunTerms> {
  const agent = new (url.protocol === "https:" ? https.Agent : http.Agent)(agentOptions(url));
  try {
    const path = new URL(`/api/runs/${encodeURIComponent(run)}/plan`, url);
    const answer = await requestJson({ method: "GET", url: path, bearer, agent, timeoutMs: ANSWER_MS, signal });
    const refusal = refusalOf(answer.body, answer.retryAfter);
    if (refusal !== null) throw refusal;
    const terms = runTermsSchema.safeParse(answer.body);
    if (!terms.success) throw new Error(`${url.host} answered ${answer.status}, but not as a coordinator does`);
    return terms.data;
  } finally {
    agent.destroy();
  }
}

function refusalOf(body: unknown, retryAfter: number | null): Refusal | null {
  const parsed = refusalSchema.safeParse(body);
  if (!parsed.success) return null;
  const { code, message } = parsed.data.error;
  const { ended } = parsed.data;
  // The frame is checked; the leaves come from the coordinator that this agent has authenticated.
  if (ended !== undefined) return new RunEnded(message, ended.summary as unknown as RunSummary, ended.member);
  return Object.hasOwn(REFUSALS, code) ? new Refusal(code as RefusalCode, message, retryAfter ?? undefined) : null;
}
