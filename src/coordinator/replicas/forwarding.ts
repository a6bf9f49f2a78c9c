/** Passes on what is asked of a run to the coordinator that has it, and takes the passed-on requests of others. */
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { WIRE_BOUNDS } from "../../plan/bounds.ts";
import { ANSWERED, type Elsewhere, FORWARDED, NOT_MINE, type RunOwners } from "./owners.ts";
import type { PassedOn, ReplicaSignature, SignedParts } from "./signature.ts";

/** A machine that is off answers no connection. */
const CONNECT_MS = 3_000;
/** For a whole exchange: the longest that an agent is held, and what it waits beyond that. */
const EXCHANGE_MS = WIRE_BOUNDS.holdMs + 10_000;
/** While an answer is out: whether its coordinator is still the run's. */
const LOOK_EVERY_MS = 3_000;
const HEARD_MS = 3_000;
const SAID_EVERY_MS = 30_000;
/** Connections that are kept open to one replica while nothing goes over them. */
const FREE_SOCKETS = 256;

/** A request as it came. */
export interface AskedElsewhere extends SignedParts {
  /** As it was sent. */
  readonly body: Buffer;
  /** The caller's `accept-encoding`. */
  readonly accepts: string | undefined;
}

/** An answer as it came. */
export interface AnsweredElsewhere {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ForwardingOptions {
  readonly signature: ReplicaSignature;
  readonly owners: Pick<RunOwners, "forget" | "isStill">;
  /** Told why a replica could not be asked, now and then. */
  readonly onError: (error: unknown, what: string) => void;
  /** Milliseconds; default 3 s each. */
  readonly connectMs?: number;
  readonly lookEveryMs?: number;
}

/** Headers of an answer that are the caller's, too. */
const RELAYED = ["content-type", "content-encoding", "retry-after", "accept-encoding"] as const;

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #plain = new http.Agent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS });
  readonly #tls = new https.Agent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS });
  /** Replica -> when it was said last that it cannot be asked. */
  readonly #saidAt = new Map<string, number>();

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  /** Null: nobody passed it on. @throws Refusal `unauthorized` when it only says so */
  received(request: http.IncomingMessage, bearer: string): PassedOn | null {
    return this.#options.signature.received(request, bearer);
  }

  /**
   * Asks the coordinator that has the run.
   * @returns null when it is not answered there: it cannot be reached, does not have the run, or has lost it meanwhile
   * @throws the signal's reason
   */
  async ask(at: Elsewhere, asked: AskedElsewhere, signal: AbortSignal): Promise<AnsweredElsewhere | null> {
    const { owners } = this.#options;
    const lost = new AbortController();
    const over = new AbortController();
    const ending = AbortSignal.any([signal, lost.signal, AbortSignal.timeout(EXCHANGE_MS)]);
    void this.#watch(at, lost, over.signal);
    try {
      return await this.#exchange(at, asked, ending);
    } catch (error) {
      signal.throwIfAborted();
      owners.forget(at.run);
      this.#say(at, error);
      return null;
    } finally {
      over.abort();
    }
  }

  /** A request of this session is arriving here, and takes its time. */
  heard(at: Elsewhere, bearer: string): void {
    const path = `/api/runs/${at.run}/heard`;
    const asked = { method: "POST", path, bearer, encoding: undefined, accepts: undefined, body: Buffer.alloc(0) };
    // Where that fails, the request itself fares no better.
    this.#exchange(at, asked, AbortSignal.timeout(HEARD_MS)).catch(() => undefined);
  }

  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  /** A coordinator that stands still keeps its connections, and answers nothing. */
  async #watch(at: Elsewhere, lost: AbortController, signal: AbortSignal): Promise<void> {
    const { owners, lookEveryMs = LOOK_EVERY_MS } = this.#options;
    try {
      for (;;) {
        await sleep(lookEveryMs, undefined, { signal, ref: false });
        // Where the store cannot be asked, the exchange ends by itself.
        const isStill = await owners.isStill(at).catch(() => true);
        if (!isStill) lost.abort(new Error("it has lost the run"));
      }
    } catch {
      // It is over.
    }
  }

  async #exchange(at: Elsewhere, asked: AskedElsewhere, signal: AbortSignal): Promise<AnsweredElsewhere> {
    const { signature, connectMs = CONNECT_MS } = this.#options;
    const { replica, address } = at.owner;
    if (address === null) throw new Error("it has no address: set REPLICA_ADDRESS there");
    const url = new URL(asked.path, address.includes("://") ? address : `http://${address}`);
    const { method, body, bearer, encoding, accepts } = asked;
    const { header, isAnswer } = signature.sign(replica, { ...asked, path: `${url.pathname}${url.search}` }, body);
    signal.throwIfAborted();
    return await new Promise<AnsweredElsewhere>((resolve, reject) => {
      const isTls = url.protocol === "https:";
      const outgoing = (isTls ? https : http).request(url, {
        method,
        agent: isTls ? this.#tls : this.#plain,
        headers: {
          authorization: `Bearer ${bearer}`,
          [FORWARDED]: header,
          "content-length": body.length,
          ...(body.length === 0 ? {} : { "content-type": "application/json" }),
          ...(encoding === undefined ? {} : { "content-encoding": encoding }),
          ...(accepts === undefined ? {} : { "accept-encoding": accepts }),
        },
      });
      const end = (reason: unknown): void =>
        void outgoing.destroy(reason instanceof Error ? reason : new Error(String(reason)));
      const onAbort = (): void => end(signal.reason);
      const over = (): void => signal.removeEventListener("abort", onAbort);
      signal.addEventListener("abort", onAbort, { once: true });
      const fail = (error: unknown): void => {
        over();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      outgoing.on("error", fail);
      outgoing.on("socket", (socket) => {
        if (!socket.connecting) return;
        const late = setTimeout(() => end(new Error(`no connection within ${connectMs / 1_000} s`)), connectMs);
        socket.once("connect", () => clearTimeout(late)).once("close", () => clearTimeout(late));
      });
      outgoing.on("response", (incoming) => {
        read(incoming).then((bytes) => {
          over();
          const status = incoming.statusCode ?? 0;
          const answer = { status, encoding: incoming.headers["content-encoding"] ?? null, body: bytes };
          if (!isAnswer(answer, String(incoming.headers[ANSWERED] ?? ""))) reject(notIts(answer));
          else if (status === NOT_MINE) reject(new NotThere());
          else resolve({ status, headers: relayed(incoming.headers), body: bytes });
        }, fail);
      });
      outgoing.end(body);
    });
  }

  /** Each request finds out, many times a second; that a run has moved on is everyday. */
  #say({ owner, run }: Elsewhere, error: unknown): void {
    if (error instanceof NotThere) return;
    const now = performance.now();
    if (now - (this.#saidAt.get(owner.replica) ?? Number.NEGATIVE_INFINITY) < SAID_EVERY_MS) return;
    if (this.#saidAt.size > 100) this.#saidAt.clear();
    this.#saidAt.set(owner.replica, now);
    this.#options.onError(error, `run ${run} could not be asked for at replica ${owner.address ?? owner.replica}`);
  }
}

class NotThere extends Error {}

/** What it says is believed for nothing but the log. */
function notIts({ status, body }: { readonly status: number; readonly body: Buffer }): Error {
  const said = JSON.stringify(body.toString("utf8").slice(0, 300));
  return new Error(`the answer (${status}) is not signed by that replica: ${said}`);
}

function relayed(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    RELAYED.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

async function read(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > WIRE_BOUNDS.answerBytes) throw new Error("its answer is larger than an answer may be");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
