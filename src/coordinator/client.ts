/** The agents' side of the protocol: a `CoordinatorPort` over HTTP that repeats what got no answer. */
import { randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sync } from "../run/types.ts";
import { requestJson } from "./http.ts";
import type { CoordinatorPort, Joined, JoinRequest, SyncAnswer } from "./port.ts";
import {
  joinedSchema,
  PROTOCOL,
  REFUSALS,
  Refusal,
  type RefusalCode,
  refusalSchema,
  syncAnswerSchema,
} from "./protocol.ts";

/** A request that is not a long poll must be answered within this. */
const ANSWER_MS = 15_000;
/** A long poll may take this much longer than it was to be held. */
const HOLD_SLACK_MS = 10_000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MOST_MS = 10_000;

export interface HttpCoordinatorOptions {
  readonly url: URL;
  /** The proof to join with: an OIDC token (fetched anew for each try, they live five minutes) or a shared secret. */
  readonly credential: () => Promise<string>;
  /** Connections to use; default: keep-alive ones of the address's own scheme. */
  readonly agent?: http.Agent;
  /** Told once for each failed try, so that a wait for the coordinator is visible. */
  readonly onRetry: (why: string, tries: number, pauseMs: number) => void;
  /** 0..1, for the jitter. */
  readonly random?: () => number;
}

/**
 * An agent's connection to a coordinator elsewhere.
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
  #reset: string | null = null;

  constructor(options: HttpCoordinatorOptions) {
    this.#options = options;
    const make = options.url.protocol === "https:" ? https.Agent : http.Agent;
    this.#agent = options.agent ?? new make({ keepAlive: true });
  }

  async join(request: JoinRequest, signal: AbortSignal): Promise<Joined> {
    const nonce = randomBytes(16).toString("base64url");
    const answer = await this.#send(
      "/api/runs/join",
      { protocol: PROTOCOL, nonce, ...request },
      ANSWER_MS,
      signal,
      () => this.#options.credential(),
    );
    const joined = joinedSchema.parse(answer);
    this.#run = joined.run;
    this.#session = joined.session;
    this.#sequence = 0;
    return { session: joined.session, now: joined.now };
  }

  async sync(sync: Omit<Sync, "session" | "agent">, holdMs: number, signal: AbortSignal): Promise<SyncAnswer> {
    this.#sequence += 1;
    const { doing, status, stage, progress, finished, wants, addTasks, ready, outputs } = sync;
    const body = {
      protocol: PROTOCOL,
      seq: this.#sequence,
      holdMs,
      reset: this.#reset,
      sync: { doing, status, stage, progress, finished, wants, addTasks, ready, outputs },
    };
    this.#reset = null;
    const answer = await this.#send(`/api/runs/${this.#run}/sync`, body, holdMs + HOLD_SLACK_MS, signal, null);
    // The frame is checked; the leaves come from the coordinator that this agent has authenticated.
    return syncAnswerSchema.parse(answer) as unknown as SyncAnswer;
  }

  /** Carried by the next sync. */
  async reset(why: string): Promise<void> {
    this.#reset = why;
  }

  async leave(why: string, signal: AbortSignal): Promise<void> {
    this.#sequence += 1;
    await this.#send(
      `/api/runs/${this.#run}/leave`,
      { protocol: PROTOCOL, seq: this.#sequence, why },
      ANSWER_MS,
      signal,
      null,
    );
    this.#agent.destroy();
  }

  async #send(
    path: string,
    body: unknown,
    timeoutMs: number,
    signal: AbortSignal,
    credential: (() => Promise<string>) | null,
  ): Promise<unknown> {
    const random = this.#options.random ?? Math.random;
    for (let tries = 1; ; tries += 1) {
      let why: string;
      let pause = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (tries - 1)) * (0.5 + random() / 2);
      try {
        signal.throwIfAborted();
        const bearer = credential === null ? this.#session : await credential();
        const answer = await requestJson({
          method: "POST",
          url: new URL(path, this.#options.url),
          bearer,
          body,
          agent: this.#agent,
          timeoutMs,
          signal,
        });
        if (answer.status >= 200 && answer.status < 300) return answer.body;
        const refusal = refusalOf(answer.body);
        if (refusal !== null && refusal.code !== "too_many") throw refusal;
        if (answer.status < 500 && answer.status !== 429 && answer.status !== 408) {
          throw new Refusal(
            "invalid",
            `${this.#options.url.host} answered ${answer.status} to ${path}: it is no coordinator of this version`,
          );
        }
        why = refusal?.message ?? `answered ${answer.status}`;
        if (answer.retryAfter !== null) pause = Math.max(pause, answer.retryAfter * 1000);
      } catch (error) {
        if (error instanceof Refusal || signal.aborted) throw error;
        why = error instanceof Error ? error.message : String(error);
      }
      this.#options.onRetry(`${this.#options.url.host}: ${why}`, tries, Math.round(pause));
      await sleep(pause, undefined, { signal });
    }
  }
}

function refusalOf(body: unknown): Refusal | null {
  const parsed = refusalSchema.safeParse(body);
  if (!parsed.success) return null;
  const { code, message } = parsed.data.error;
  return Object.hasOwn(REFUSALS, code) ? new Refusal(code as RefusalCode, message) : null;
}
