/** What an agent shows with each request after it has joined, and by what a repeated request is known. */
import { createHash, createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";
import { secretMatches } from "../admission/admission.ts";
import { Refusal } from "../protocol/refusal.ts";

const KEPT_TOKENS = 20_000;

/** SHA-256 of a body as it was sent, base64url. */
export function bodyDigest(body: Buffer | string): string {
  return createHash("sha256").update(body).digest("base64url");
}

/** Session tokens: `<session>.<signature>`, so that nothing secret has to be stored per session. */
export class SessionTokens {
  readonly #secret: string;
  /** Tokens that were found genuine: each comes with every request of its agent. */
  readonly #known = new LRUCache<string, string>({ max: KEPT_TOKENS });

  /** @param secret at least 32 random bytes; stored where sessions must outlive the process. */
  constructor(secret: string) {
    if (Buffer.byteLength(secret) < 32) throw new Error("the secret of session tokens must have at least 32 bytes");
    this.#secret = secret;
  }

  issue(session: string): string {
    return `${session}.${this.#sign(session)}`;
  }

  /** @returns the session's id. @throws Refusal `unauthorized`. */
  verify(token: string): string {
    const session = this.read(token);
    if (session === null) {
      throw new Refusal("unauthorized", "this is no session token of this coordinator: join first");
    }
    return session;
  }

  /** @returns the session's id; null when this is no session token of ours. */
  read(token: string): string | null {
    const known = this.#known.get(token);
    if (known !== undefined) return known;
    const dot = token.lastIndexOf(".");
    const session = token.slice(0, Math.max(0, dot));
    if (dot < 1 || !secretMatches(token.slice(dot + 1), this.#sign(session))) return null;
    this.#known.set(token, session);
    return session;
  }

  #sign(session: string): string {
    return createHmac("sha256", this.#secret).update(session).digest("base64url");
  }
}
