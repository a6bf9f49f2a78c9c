/** Who the app is on GitHub, and whether its key opens that door. */
import type { Logger } from "pino";
import { readBotLogin } from "../../src/github/installation.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { requestFailure } from "../../src/github/request-failure.ts";
import type { Ourselves } from "./clients.ts";

/**
 * GitHub does not take the key for the app's. It is expected until the settings are put right, wherever something needs
 * GitHub: the message says what to do, so that there is no trace.
 */
export class KeyRefused extends Error {
  override readonly name = "KeyRefused";
  override readonly stack = "";
}

export interface IdentityOptions {
  readonly appId: number;
  /** As the app itself. */
  readonly client: () => Promise<GitHubClient>;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  readonly now: () => number;
  /** Milliseconds. */
  readonly requestTimeout: number;
}

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export class Identity {
  readonly #options: IdentityOptions;
  #ourselves: Ourselves;
  /** Why GitHub refuses the key; null: it does not, as far as is known. */
  #refusal: string | null = null;
  #said: string | null = null;
  #first: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#ourselves = { appId: options.appId, botLogin: null };
  }

  /** The bot's name saves reads (our own events are known as ours), and workflow runs that we started are found by it. */
  ourselves(): Ourselves {
    return this.#ourselves;
  }

  get refusal(): string | null {
    return this.#refusal;
  }

  start(): void {
    this.#first ??= this.#ask(FIRST_PAUSE_MS);
  }

  /** The key is another one: it is asked at once whether GitHub takes it. */
  again(): void {
    this.#first = (this.#first ?? Promise.resolve()).then(async () => {
      clearTimeout(this.#timer);
      if (!this.#stopped) {
        await this.#ask(FIRST_PAUSE_MS);
      }
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** To be awaited before GitHub is asked for anything. @throws KeyRefused */
  async accepted(): Promise<void> {
    await this.#first;
    if (this.#refusal !== null) {
      throw new KeyRefused(this.#refusal);
    }
  }

  async #ask(pause: number): Promise<void> {
    const { appId, client, log, now, requestTimeout } = this.#options;
    try {
      const botLogin = await readBotLogin(await client(), AbortSignal.timeout(requestTimeout));
      this.#ourselves = { appId, botLogin };
      this.#refusal = null;
      log.info({ bot: botLogin }, "known on GitHub");
      return;
    } catch (error) {
      const { status, message } = requestFailure(error, now());
      const refused = status === 401 || status === 404;
      this.#refusal = refused ? refusalOf(appId, message) : null;
      this.#say(
        this.#refusal ?? `GitHub could not be asked who this app is (${message}); it will be asked again`,
        refused,
      );
    }
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.#ask(Math.min(pause * 2, LONGEST_PAUSE_MS)), pause);
      this.#timer.unref();
    }
  }

  /** Once, until there is something else to say. */
  #say(what: string, refused: boolean): void {
    if (what !== this.#said && !this.#stopped) {
      this.#options.log[refused ? "error" : "warn"](what);
    }
    this.#said = what;
  }
}

/** GitHub speaks of the token's times when the clocks differ, and of the token when the key is another one. */
function refusalOf(appId: number, message: string): string {
  const remedy = /\b(?:iat|exp)\b|expiration|issued at/iu.test(message)
    ? "this machine's clock differs from GitHub's: set it"
    : "PRIVATE_KEY is no key of this app, or APP_ID is another app's: take both from the app's settings on GitHub";
  return `GitHub does not accept PRIVATE_KEY for APP_ID ${appId} (${message}): ${remedy}.`;
}
