/** The address that GitHub sends webhooks to: verified, bounded, stored, answered. Nothing is done here but that. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { orderKey } from "../src/github/webhook.ts";
import { type Inbox, InboxFull } from "./inbox.ts";

/** GitHub sends no payload larger than 25 MB. */
export const LARGEST_PAYLOAD = 25 * 1024 * 1024;
const LONGEST_HEADER = 200;

export interface EndpointOptions {
  readonly inbox: Pick<Inbox, "accept">;
  readonly secret: string;
  readonly path: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly largestPayload?: number;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** Answers requests to `path`; returns false for all others. */
export function webhookEndpoint(options: EndpointOptions): Handler {
  const { inbox, secret, path, log, now, largestPayload = LARGEST_PAYLOAD } = options;
  return async (request, response) => {
    if (pathOf(request) !== path) {
      return false;
    }
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      return refuse(response, 405, "Webhooks are sent with POST.");
    }
    const event = header(request, "x-github-event");
    const id = header(request, "x-github-delivery");
    const signature = header(request, "x-hub-signature-256");
    if (!/^application\/json\b/iu.test(request.headers["content-type"] ?? "")) {
      return refuse(response, 415, "Set the webhook's content type to application/json.");
    }
    if (event === null || id === null || signature === null) {
      return refuse(response, 400, "X-GitHub-Event, X-GitHub-Delivery or X-Hub-Signature-256 is missing.");
    }
    const body = await readBody(request, largestPayload);
    if (body === "too large") {
      // The rest of the body is not read: the connection cannot be used again.
      response.setHeader("connection", "close");
      return refuse(response, 413, `A payload has at most ${largestPayload} bytes.`);
    }
    if (body === "aborted") {
      response.destroy();
      return true;
    }
    if (!isSigned(body, secret, signature)) {
      log.warn({ delivery: id, event }, "webhook with a wrong signature refused");
      return refuse(response, 400, "The signature does not match the webhook secret.");
    }
    const payload = body.toString("utf8");
    const parsed = parse(payload);
    if (parsed === undefined) {
      return refuse(response, 400, "The payload is not a JSON object.");
    }
    try {
      const key = orderKey(event, parsed);
      const outcome = await inbox.accept({ id, event, payload, key, receivedAt: now() }, parsed);
      return answer(response, outcome === "stored" ? 202 : 200, { [outcome]: id });
    } catch (error) {
      log.error({ delivery: id, event, err: error }, "delivery could not be stored");
      return refuse(
        response,
        error instanceof InboxFull ? 503 : 500,
        "The delivery could not be stored: redeliver it.",
      );
    }
  };
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

export function answer(response: ServerResponse, status: number, body: unknown): true {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
  return true;
}

function refuse(response: ServerResponse, status: number, error: string): true {
  return answer(response, status, { error });
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" && value.length > 0 && value.length <= LONGEST_HEADER ? value : null;
}

/** Not an async iterator: leaving one early would close the connection before the refusal is sent. */
export function readBody(request: IncomingMessage, most: number): Promise<Buffer | "too large" | "aborted"> {
  return new Promise((resolve) => {
    if (Number(request.headers["content-length"] ?? 0) > most) {
      resolve("too large");
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) {
        request.removeAllListeners("data");
        request.pause();
        resolve("too large");
      } else {
        chunks.push(chunk);
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks, size)));
    request.on("error", () => resolve("aborted"));
    request.on("close", () => resolve("aborted"));
  });
}

function isSigned(body: Buffer, secret: string, signature: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Undefined: no JSON object. Nesting too deep for the parser counts as that. */
function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
