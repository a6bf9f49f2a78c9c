/**
 * The address that GitHub sends webhooks to: bounded, verified, stored, answered. Nothing is done here but that.
 *
 * The signature is over the body, so strangers' bodies have to be taken in: what they hold together is bounded, and a
 * slow one is ended. Nothing is parsed before the signature has been found right.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { BodyIntake, BodyLost, saysJson } from "../../src/coordinator/server/body-intake.ts";
import { parseExactly } from "../../src/github/exact-json.ts";
import { deliveryOrder } from "../../src/github/webhooks/webhook.ts";
import type { WebhookRefusal } from "../metrics/metrics.ts";
import type { Inbox } from "../webhooks/inbox.ts";

/** GitHub sends no payload larger than 25 MB. */
export const LARGEST_PAYLOAD = 25 * 1024 * 1024;
const LONGEST_HEADER = 200;
const SIGNATURE = /^sha256=[0-9a-f]{64}$/u;
/** GitHub itself gives up after 10 s. */
const DEADLINE_MS = 10_000;
/** Bytes a second. GitHub sends a small payload in one piece, and a large one in a second or two. */
const LEAST_RATE = 16 * 1024;
const MEMORY = 128 * 1024 * 1024;
const RETRY_AFTER_S = 5;

export interface EndpointOptions {
  readonly inbox: Pick<Inbox, "accept">;
  /** Those that count when a webhook comes: one, or two while they are exchanged. */
  readonly secrets: () => readonly string[];
  readonly path: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly largestPayload?: number;
  /** What bodies on their way in may hold together, and half of it those from one address. Bytes. */
  readonly memory?: number;
  readonly intake?: BodyIntake;
  /** Told of each refusal. */
  readonly onRefused?: (reason: WebhookRefusal) => void;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** Answers requests to `path`; returns false for all others. */
export function webhookEndpoint(options: EndpointOptions): Handler {
  const { inbox, secrets, path, log, now, largestPayload = LARGEST_PAYLOAD, memory = MEMORY, onRefused } = options;
  const limits = { bytes: memory, bytesPerAddress: memory / 2, deadlineMs: DEADLINE_MS, leastRate: LEAST_RATE };
  const intake = options.intake ?? new BodyIntake(limits);
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
    if (!saysJson(request)) {
      onRefused?.("headers");
      return refuse(response, 415, "Set the webhook's content type to application/json.");
    }
    if (event === null || id === null || signature === null || !SIGNATURE.test(signature)) {
      onRefused?.("headers");
      return refuse(response, 400, "X-GitHub-Event, X-GitHub-Delivery or X-Hub-Signature-256 is missing or malformed.");
    }
    const hmacs = secrets().map((secret) => createHmac("sha256", secret));
    const onChunk = (chunk: Buffer): void => {
      for (const hmac of hmacs) {
        hmac.update(chunk);
      }
    };
    try {
      return await intake.take(request, { most: largestPayload, onChunk }, async (body) => {
        const shown = Buffer.from(signature.slice("sha256=".length), "hex");
        if (!hmacs.map((hmac) => timingSafeEqual(hmac.digest(), shown)).includes(true)) {
          onRefused?.("signature");
          log.warn({ delivery: id, event }, "webhook with a wrong signature refused");
          return refuse(response, 400, "The signature does not match the webhook secret.");
        }
        const payload = body.toString("utf8");
        const parsed = parse(payload);
        if (parsed === undefined) {
          onRefused?.("content");
          return refuse(response, 400, "The payload is not a JSON object.");
        }
        try {
          const outcome = await inbox.accept(
            { id, event, payload, ...deliveryOrder(event, parsed), receivedAt: now() },
            parsed,
          );
          return answer(response, outcome === "stored" ? 202 : 200, { [outcome]: id });
        } catch (error) {
          onRefused?.("not_stored");
          // Why is told by whoever could not store it, once for all that come meanwhile.
          log.debug({ delivery: id, event, err: error }, "delivery could not be stored");
          response.setHeader("retry-after", RETRY_AFTER_S);
          return refuse(response, 503, "The delivery could not be stored: redeliver it.");
        }
      });
    } catch (error) {
      if (!(error instanceof BodyLost)) {
        throw error;
      }
      onRefused?.(error.why);
      return refuseBody(response, error);
    }
  };
}

const LOST = { too_large: 413, slow: 408, over_budget: 503 } as const;

/** What is left of the body is not read: the connection cannot be used again. */
export function refuseBody(response: ServerResponse, { why, message }: BodyLost): true {
  if (why === "aborted") {
    response.destroy();
    return true;
  }
  response.setHeader("connection", "close");
  if (why === "over_budget") {
    response.setHeader("retry-after", RETRY_AFTER_S);
  }
  return refuse(response, LOST[why], `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`);
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

/** Undefined: no JSON object. Nesting too deep for the parser counts as that. */
function parse(text: string): object | undefined {
  try {
    const value = parseExactly(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
