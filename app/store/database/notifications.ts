/**
 * What processes on one PostgreSQL database tell each other: LISTEN and NOTIFY on a connection of its own. A hint that is
 * lost is made up for by looking now and then; when the connection was lost everything is looked at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { postgresConfig } from "./postgres.ts";

export interface NotificationsOptions {
  readonly url: string;
  readonly log: Logger;
  /** Told each text that was sent, by this process too. Must not throw. */
  readonly heard: (text: string) => void;
  /** Told when it listens, at first and again: what was said before was not heard. Must not throw. */
  readonly listening: () => void;
}

const CHANNEL = "stagewright";
/** What is said within this time is sent together, once each. */
const TOGETHER_MS = 5;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 10_000;
/** A server that is gone without a word is noticed after this. */
const ALIVE_MS = 30_000;

export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<string>();
  #client: pg.Client | null = null;
  #sending: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** At most 8,000 bytes. Lost when the connection is: a hint and no promise. */
  send(text: string): void {
    this.#waiting.add(text);
    this.#sending ??= setTimeout(() => void this.#send(), TOGETHER_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#sending ?? undefined);
    await this.#running;
  }

  async #send(): Promise<void> {
    this.#sending = null;
    const texts = [...this.#waiting];
    this.#waiting.clear();
    try {
      await this.#client?.query("select pg_notify($1, text) from unnest($2::text[]) as text", [CHANNEL, texts]);
    } catch (error) {
      this.#options.log.debug({ err: error }, "what the other processes were to be told was lost");
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          pause = FIRST_PAUSE_MS;
        });
      } catch (error) {
        this.#options.log.warn(
          { err: error, pause },
          "the other processes cannot be heard: they are looked after now and then",
        );
      }
      // By chance, so that not all come back at once.
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, MOST_PAUSE_MS);
    }
  }

  /** Until the connection ends; resolves when it is to end. */
  async #listen(connected: () => void): Promise<void> {
    const { url, heard, listening } = this.#options;
    const client = new pg.Client({ ...postgresConfig(url), query_timeout: ALIVE_MS });
    const lost = Promise.withResolvers<void>();
    const ended = (): void => lost.resolve();
    client.on("error", (error) => lost.reject(error));
    client.on("end", () => lost.reject(new Error("the connection has ended")));
    client.on("notification", ({ payload }) => heard(payload ?? ""));
    lost.promise.catch(() => undefined);
    this.#stop.signal.addEventListener("abort", ended, { once: true });
    const alive = setInterval(() => void client.query("select 1").catch((error) => lost.reject(error)), ALIVE_MS);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.#client = client;
      connected();
      listening();
      await lost.promise;
    } finally {
      clearInterval(alive);
      this.#client = null;
      this.#stop.signal.removeEventListener("abort", ended);
      await client.end().catch(() => undefined);
    }
  }
}
