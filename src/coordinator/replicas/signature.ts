/**
 * By what coordinators over one store know each other's requests: a secret that only the store has. A request that is
 * passed on is signed as a whole, for one receiver and a short time, and so is its answer: whoever has come by the
 * address of a coordinator that is gone can neither ask nor answer in its place.
 */
import { createHmac } from "node:crypto";
import type http from "node:http";
import { secretMatches } from "../admission/admission.ts";
import { bodyDigest } from "../hosting/session-tokens.ts";
import { Refusal } from "../protocol/refusal.ts";
import { FORWARDED } from "./owners.ts";

/** Clocks of two machines differ; a request is on its way for moments. Milliseconds. */
const TOLERANCE_MS = 30_000;

/** What a request says of who passed it on. */
interface Said {
  readonly to: string;
  readonly at: number;
  readonly digest: string;
  readonly mac: string;
}

const HEADER = /^to=([\w-]{1,64}); at=(\d{1,15}); digest=([\w-]{43}); mac=([\w-]{43})$/;

/** What is signed of a request. */
export interface SignedParts {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** The original caller's. */
  readonly bearer: string;
  /** The body's `content-encoding`. */
  readonly encoding: string | undefined;
}

/** What is signed of an answer. */
export interface SignedAnswer {
  readonly status: number;
  readonly encoding: string | null;
  readonly body: Buffer | string;
}

/** A request that another coordinator has passed on. */
export interface PassedOn {
  /** Of the body that it must have. */
  readonly digest: string;
  /** The signature of its answer. */
  seal(answer: SignedAnswer): string;
}

export class ReplicaSignature {
  readonly #secret: string;
  readonly #self: string;
  readonly #now: () => number;

  /** @param secret at least 32 random bytes. @param self this process's own name. @param now the wall clock. */
  constructor(secret: string, self: string, now: () => number = Date.now) {
    if (Buffer.byteLength(secret) < 32) throw new Error("the secret between replicas must have at least 32 bytes");
    this.#secret = secret;
    this.#self = self;
    this.#now = now;
  }

  /** @returns the header's value, and whether an answer is the receiver's to this request */
  sign(
    to: string,
    parts: SignedParts,
    body: Buffer,
  ): { readonly header: string; readonly isAnswer: (answer: SignedAnswer, seal: string) => boolean } {
    const at = this.#now();
    const digest = bodyDigest(body);
    const mac = this.#requestMac(to, at, digest, parts);
    return {
      header: `to=${to}; at=${at}; digest=${digest}; mac=${mac}`,
      isAnswer: (answer, seal) => secretMatches(seal, this.#answerMac(mac, answer)),
    };
  }

  /**
   * Reads a request's headers, before its body. Null: it is not passed on by anybody.
   * @throws Refusal `unauthorized` when it only says so
   */
  received({ headers, method = "", url = "" }: http.IncomingMessage, bearer: string): PassedOn | null {
    const said = headers[FORWARDED];
    if (said === undefined) return null;
    const { to, at, digest, mac } = readForwarded(String(said));
    const parts = { method, path: url, bearer, encoding: headers["content-encoding"] };
    if (!secretMatches(mac, this.#requestMac(to, at, digest, parts))) {
      throw new Refusal("unauthorized", "this request was not passed on by a replica of this coordinator");
    }
    if (to !== this.#self) throw new Refusal("unauthorized", "this request was passed on to another replica");
    const off = this.#now() - at;
    if (Math.abs(off) > TOLERANCE_MS) {
      const seconds = Math.round(off / 1_000);
      throw new Refusal(
        "unauthorized",
        `this request was passed on ${seconds} s ago by the clock here: do clocks differ?`,
      );
    }
    return { digest, seal: (answer) => this.#answerMac(mac, answer) };
  }

  #requestMac(to: string, at: number, digest: string, { method, path, bearer, encoding }: SignedParts): string {
    return this.#mac(["request", to, at, method, path, bearer, encoding ?? "", digest]);
  }

  #answerMac(request: string, { status, encoding, body }: SignedAnswer): string {
    return this.#mac(["answer", request, status, encoding ?? "", bodyDigest(body)]);
  }

  /** Of parts that cannot run into each other. */
  #mac(parts: readonly (string | number)[]): string {
    return createHmac("sha256", this.#secret).update(JSON.stringify(parts)).digest("base64url");
  }
}

/** Of a header that is none, what nobody can have signed. */
export function readForwarded(header: string): Said {
  const [, to = "", at = "", digest = "", mac = ""] = HEADER.exec(header) ?? [];
  return { to, at: Number(at), digest, mac };
}
