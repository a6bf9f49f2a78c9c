/** One JSON request over HTTP or HTTPS, with what agents need of it: gzip, a deadline, a pinned certificate. */

import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { WIRE_BOUNDS } from "../../plan/bounds.ts";
import { agentOptions, connectionProblem, proxyFor } from "../../proxy.ts";

/** Bodies above this are compressed: below, the header costs more than it saves. */
const GZIP_FROM_BYTES = 4 * 1024;

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Seconds that the other side asks to wait, if it does. */
  readonly retryAfter: number | null;
}

export interface JsonRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly bearer: string | null;
  readonly body?: unknown;
  readonly agent: http.Agent;
  /** Milliseconds for the whole exchange; with `idleMs` only from the last byte that is sent to the first of the answer. */
  readonly timeoutMs: number;
  /** Milliseconds that may pass without a byte, while something is on its way: how long it takes in all is not bounded. */
  readonly idleMs?: number;
  /** Told whenever some of it has been sent or received. */
  readonly onProgress?: () => void;
  /** Told the connection that the answer came over, where it is a TLS one. */
  readonly onPeer?: (socket: TLSSocket) => void;
  readonly signal: AbortSignal;
  /** Of the answer, decompressed; default: the protocol's limit. */
  readonly mostBytes?: number;
  /**
   * What becomes of the exchange when the signal aborts. `end` (default): its connection is closed. `leave`: its answer
   * is not awaited any more, but still read, so that the connection serves again.
   */
  readonly whenAborted?: "end" | "leave";
}

/** An answer that nobody awaits any more comes within this, or its connection is closed. */
const LEFT_MS = 10_000;

/**
 * Sends the request and reads the whole JSON answer.
 * @throws the socket's error, or a `TimeoutError`/`AbortError`; a status is never an exception.
 */
export async function requestJson(request: JsonRequest): Promise<JsonAnswer> {
  const headers: http.OutgoingHttpHeaders = { accept: "application/json", "accept-encoding": "gzip" };
  let payload: Buffer | null = null;
  if (request.body !== undefined) {
    const packed = await pack(typeof request.body === "string" ? request.body : JSON.stringify(request.body));
    payload = Buffer.from(packed.bytes);
    headers["content-type"] = "application/json";
    if (packed.encoding !== null) headers["content-encoding"] = packed.encoding;
    headers["content-length"] = payload.length;
  }
  if (request.bearer !== null) headers.authorization = `Bearer ${request.bearer}`;
  const send = request.url.protocol === "https:" ? https.request : http.request;
  const { signal } = request;
  signal.throwIfAborted();
  return await new Promise<JsonAnswer>((resolve, reject) => {
    const outgoing = send(request.url, { method: request.method, headers, agent: request.agent });
    // By hand: AbortSignal.any keeps a trace of every request at a signal that lives as long as the agent.
    const end = (reason: unknown): void =>
      void outgoing.destroy(reason instanceof Error ? reason : new Error("aborted"));
    const onAbort = (): void => {
      const { socket } = outgoing;
      if (request.whenAborted !== "leave" || socket === null || socket.connecting) {
        end(signal.reason);
        return;
      }
      fail(signal.reason);
      // It keeps no process alive.
      socket.unref();
      left = setTimeout(() => end(signal.reason), LEFT_MS).unref();
    };
    let left: NodeJS.Timeout | undefined;
    const { timeoutMs, idleMs } = request;
    let timer: NodeJS.Timeout | undefined;
    const arm = (ms: number, what: string): void => {
      clearTimeout(timer);
      timer = setTimeout(() => end(new DOMException(`${what} within ${ms / 1000} s`, "TimeoutError")), ms);
    };
    arm(timeoutMs, "no answer");
    const moved = (isSent: boolean): void => {
      request.onProgress?.();
      if (idleMs === undefined || isOver) return;
      // What has been sent may still lie in this machine's buffers.
      if (isSent) arm(timeoutMs + Math.ceil((payload?.length ?? 0) / SLOWEST_BYTES_PER_MS), "no answer");
      else arm(idleMs, "nothing more came or went");
    };
    let isOver = false;
    signal.addEventListener("abort", onAbort, { once: true });
    const over = (): void => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(left);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown): void => {
      over();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    outgoing.on("error", (error) => fail(withProxy(error, request.url)));
    outgoing.on("response", (incoming) => {
      moved(false);
      if (isTls(incoming.socket)) request.onPeer?.(incoming.socket);
      readBody(incoming, request.mostBytes ?? WIRE_BOUNDS.answerBytes, () => moved(false)).then((bytes) => {
        over();
        const retryAfter = Number(incoming.headers["retry-after"]);
        let body: unknown = null;
        try {
          body = bytes.length === 0 ? null : JSON.parse(bytes.toString("utf8"));
        } catch {
          // Not ours (a proxy's page, say): the status tells, and an ok status without JSON fails the schema.
        }
        resolve({
          status: incoming.statusCode ?? 0,
          body,
          retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
        });
      }, fail);
    });
    if (payload === null || payload.length <= SLICE_BYTES) outgoing.end(payload);
    else sendSlices(outgoing, payload, moved);
  });
}

/** By what it can do: the class is another one where modules are bundled. */
function isTls(socket: Socket): socket is TLSSocket {
  return "getPeerX509Certificate" in socket;
}

/** A failed connection is the proxy's where one is on the way, not only the other side's. */
function withProxy(error: Error, url: URL): Error {
  if (proxyFor(url) === null || error.name === "AbortError") return error;
  return new Error(connectionProblem(error, url), { cause: error });
}

/** Sent in slices of this, so that its progress is seen. */
const SLICE_BYTES = 16 * 1024;
/** 64 kbit/s. */
const SLOWEST_BYTES_PER_MS = 8;

function sendSlices(outgoing: http.ClientRequest, payload: Buffer, moved: (isSent: boolean) => void): void {
  const send = (from: number): void => {
    if (outgoing.destroyed) return;
    const slice = payload.subarray(from, from + SLICE_BYTES);
    const next = from + slice.length;
    if (next === payload.length) outgoing.end(slice, () => moved(true));
    else {
      outgoing.write(slice, (error) => {
        // The request's own error says more.
        if (error != null) return;
        moved(false);
        send(next);
      });
    }
  };
  send(0);
}

/**
 * JSON text as it is sent: compressed where that saves something. What shrinks so much that the other side would take it
 * for an archive made to burst goes as it is.
 */
export async function pack(
  text: string,
): Promise<{ readonly bytes: Buffer | string; readonly encoding: "gzip" | null }> {
  const size = Buffer.byteLength(text);
  if (size <= GZIP_FROM_BYTES) return { bytes: text, encoding: null };
  const packed = await promisify(gzip)(text, { level: 1 });
  const isTaken = size <= Math.max(RATIO_FROM_BYTES, packed.length * MOST_RATIO);
  return isTaken ? { bytes: packed, encoding: "gzip" } : { bytes: text, encoding: null };
}

/** A body that is not what its headers say, or more than is taken: the sender's fault, never ours. */
export class UnusableBody extends Error {
  readonly why: "too_large" | "unknown_encoding" | "broken_gzip";

  constructor(why: UnusableBody["why"], message: string) {
    super(message);
    this.name = "UnusableBody";
    this.why = why;
  }
}

/**
 * Reads a message's body, decompressed, at most `limit` bytes of it. For answers: what comes in from anybody is read by
 * a `BodyIntake`.
 * @throws UnusableBody; the socket's error
 */
async function readBody(message: http.IncomingMessage, limit: number, onChunk: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    onChunk();
    chunks.push(chunk);
  }
  return await unpack(Buffer.concat(chunks), message.headers["content-encoding"], limit);
}

/** A plan of ten thousand stages that hardly differ shrinks to a hundredth; an archive made to burst, to a thousandth. */
const MOST_RATIO = 250;
/** What may become of the smallest body. Bytes. */
const RATIO_FROM_BYTES = 256 * 1024;

/**
 * A body as it was meant, at most `limit` bytes of it.
 * @throws UnusableBody
 */
export async function unpack(bytes: Buffer, contentEncoding: string | undefined, limit: number): Promise<Buffer> {
  const encoding = (contentEncoding ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return bytes;
  // Not quoted: a header may hold control characters.
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw new UnusableBody("unknown_encoding", "the body's content-encoding is not understood here; gzip and none are");
  }
  const most = Math.min(limit, Math.max(RATIO_FROM_BYTES, bytes.length * MOST_RATIO));
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof RangeError) {
      throw most === limit
        ? tooLarge(limit)
        : new UnusableBody("too_large", `the body is larger than ${MOST_RATIO} times its compressed size`);
    }
    const said = error instanceof Error ? error.message : String(error);
    throw new UnusableBody("broken_gzip", `the body is said to be gzip, but cannot be decompressed: ${said}`);
  }
}

function tooLarge(limit: number): UnusableBody {
  return new UnusableBody("too_large", `the body is larger than ${limit} bytes`);
}

/** SHA-256 of a certificate in DER form, as lower-case hex. */
export function fingerprintOf(certificate: Buffer): string {
  return createHash("sha256").update(certificate).digest("hex");
}

/**
 * Connections that accept exactly one certificate (in DER form). A run's leader makes its own, so no authority vouches
 * for it: having verified the fingerprint once does.
 */
export function pinnedAgent(certificate: Buffer, url: URL): https.Agent {
  const expected = fingerprintOf(certificate);
  return new https.Agent({
    keepAlive: true,
    ca: pemOf(certificate),
    ...agentOptions(url),
    checkServerIdentity: (_host, shown) =>
      fingerprintOf(shown.raw) === expected
        ? undefined
        : new Error("the other side shows another certificate than the leader of this run"),
  });
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
