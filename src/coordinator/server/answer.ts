/** Sends what a coordinator answers, and what it refuses. */
import { randomBytes } from "node:crypto";
import type http from "node:http";
import { escapeUnprintable } from "../../plan/parsing/names.ts";
import { pack, UnusableBody } from "../client/http.ts";
import { PASSING, REFUSALS, Refusal, type RefusalCode, RunEnded } from "../protocol/refusal.ts";
import type { AnsweredElsewhere } from "../replicas/forwarding.ts";
import { ANSWERED } from "../replicas/owners.ts";
import type { PassedOn } from "../replicas/signature.ts";
import { type BodyLoss, BodyLost } from "./body-intake.ts";

export interface ErrorListeners {
  /** Told of what went wrong on our side; the other side gets no details. */
  readonly onError: (error: unknown, request: string) => void;
  /** Told of each refusal. */
  readonly onRefused?: (code: RefusalCode) => void;
}

/** Where an answer goes. */
export interface Reply {
  readonly response: http.ServerResponse;
  /** Of a request that another coordinator has passed on: its answer is signed. */
  readonly passedOn: PassedOn | null;
}

export async function send(reply: Reply, status: number, body: unknown): Promise<void> {
  await sendText(reply, status, JSON.stringify(body));
}

/** Compressed for those who understand it: their links may be slow. */
export async function sendText({ response, passedOn }: Reply, status: number, text: string): Promise<void> {
  const takesGzip = /\bgzip\b/i.test(String(response.req.headers["accept-encoding"] ?? ""));
  const { bytes, encoding } = takesGzip ? await pack(text) : { bytes: text, encoding: null };
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(bytes),
    ...(encoding === null ? {} : { "content-encoding": encoding }),
    ...(passedOn === null ? {} : { [ANSWERED]: passedOn.seal({ status, encoding, body: bytes }) }),
  });
  // As text, not as bytes: Node then sends head and body in one piece, not two, a thousand times at a large barrier.
  response.end(bytes);
}

const BODY_REFUSALS = {
  too_large: "too_large",
  unknown_encoding: "unsupported",
  broken_gzip: "invalid",
} as const satisfies Record<UnusableBody["why"], RefusalCode>;

const LOSS_REFUSALS = {
  too_large: "too_large",
  slow: "slow",
  over_budget: "unavailable",
  aborted: "invalid",
} as const satisfies Record<BodyLoss, RefusalCode>;

/** What another coordinator has answered, as it came. */
export function sendAsAnswered({ response }: Reply, { status, headers, body }: AnsweredElsewhere): void {
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.end(body);
}

export async function sendError(reply: Reply, error: unknown, options: ErrorListeners, request: string): Promise<void> {
  const { response } = reply;
  let refusal: Refusal;
  if (error instanceof Refusal) refusal = error;
  else if (error instanceof UnusableBody) refusal = new Refusal(BODY_REFUSALS[error.why], error.message);
  else if (error instanceof BodyLost) {
    refusal = new Refusal(LOSS_REFUSALS[error.why], error.message);
    // What is left of the body was not read.
    response.setHeader("connection", "close");
  } else {
    const incident = randomBytes(4).toString("hex");
    options.onError(error, `${request} (incident ${incident})`);
    await send(reply, 500, {
      error: { code: "internal", message: `something went wrong here; its log says more under incident ${incident}` },
    });
    return;
  }
  options.onRefused?.(refusal.code);
  if (PASSING.has(refusal.code)) response.setHeader("retry-after", Math.ceil(refusal.retryAfter));
  if (refusal.code === "unsupported") response.setHeader("accept-encoding", "gzip");
  const { code } = refusal;
  // A refusal may quote what was sent: a key of a record, two commands that differ.
  const message = escapeUnprintable(refusal.message);
  const ended =
    refusal instanceof RunEnded ? { ended: { member: refusal.wasMember, summary: refusal.summary } } : undefined;
  await send(reply, REFUSALS[code], { error: { code, message }, ...ended });
}
