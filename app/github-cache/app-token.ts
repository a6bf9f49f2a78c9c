/**
 * The tokens with which the app says that it is the app (JSON Web Tokens, RS256): signed here with the private key, or by
 * a command where that key must not be on this machine.
 */
import { createPrivateKey, sign } from "node:crypto";
import { SingleFlight } from "../../src/single-flight.ts";

/** Signs bytes (RSASSA-PKCS1-v1_5 over SHA-256). Rejects with what went wrong. */
export type Signer = (input: string) => Promise<Buffer>;

export interface AppToken {
  readonly jwt: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** GitHub takes none that is valid for longer. Seconds. */
const VALID_S = 600;
/** Clocks differ. */
const BACK_S = 30;
/** A token is shown for so long; a request that is on its way then still has some minutes. */
const KEEP_MS = 5 * 60_000;

export class AppTokens {
  readonly #signer: Signer;
  readonly #now: () => number;
  readonly #kept = new Map<number, { readonly madeAt: number; readonly token: AppToken }>();
  readonly #making = new SingleFlight<number, AppToken>();
  #failure: string | null = null;
  #generation = 0;

  constructor(signer: Signer, now: () => number = Date.now) {
    this.#signer = signer;
    this.#now = now;
  }

  /** Why the last one could not be signed; null: it could. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The key is another one: what was signed before is not shown any more. */
  forget(): void {
    this.#generation += 1;
    this.#kept.clear();
  }

  /** As `@octokit/auth-app` asks for it. `ahead`: of GitHub's clock, where it differs. Seconds. */
  readonly create = async (appId: number | string, ahead = 0): Promise<AppToken> => {
    const now = this.#now();
    const kept = this.#kept.get(ahead);
    // A clock that was set back has made it a token of the future.
    if (kept !== undefined && now >= kept.madeAt && now - kept.madeAt < KEEP_MS) {
      return kept.token;
    }
    return await this.#making.share(ahead, () => this.#make(appId, ahead, now));
  };

  async #make(appId: number | string, ahead: number, now: number): Promise<AppToken> {
    const generation = this.#generation;
    const issued = Math.floor(now / 1_000) + ahead - BACK_S;
    const expires = issued + VALID_S;
    const input = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: issued, exp: expires, iss: `${appId}` })}`;
    try {
      const signature = await this.#signer(input);
      const token = {
        jwt: `${input}.${signature.toString("base64url")}`,
        expiresAt: new Date(expires * 1_000).toISOString(),
      };
      if (generation === this.#generation) {
        this.#kept.clear();
        this.#kept.set(ahead, { madeAt: now, token });
      }
      this.#failure = null;
      return token;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }
}

/** `key`: the private key in PEM form that counts now. */
export function keySigner(key: () => string): Signer {
  return async (input) => sign("RSA-SHA256", Buffer.from(input), createPrivateKey(key()));
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
