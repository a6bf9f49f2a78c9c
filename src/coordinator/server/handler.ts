/**
 * The coordinator's side of the protocol: HTTP requests to hosted runs. The same handler serves the app, a leader and
 * the command line; who may join and where runs are kept come in as options.
 */

import type http from "node:http";
import { z } from "zod";
import { isDeeper, PLAN_BOUNDS, WIRE_BOUNDS } from "../../plan/bounds.ts";
import type { RunKey, RunTerms } from "../../run/types.ts";
import { unpack } from "../client/http.ts";
import { type SessionTokens, tokenDigest } from "../hosting/session-tokens.ts";
import type { JoinRequest } from "../protocol/port.ts";
import {
  joinBodySchema,
  leaveBodySchema,
  PROTOCOL,
  PROTOCOLS,
  runKeySchema,
  type SyncBody,
  syncBodySchema,
} from "../protocol/protocol.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { type ErrorListeners, send, sendError, sendText } from "./answer.ts";
import { BodyIntake, saysJson } from "./body-intake.ts";
import { RequestLimit } from "./request-limit.ts";

/** Who somebody proved to be. */
export interface Principal {
  /** The job's check run, which binds a session to it; null where tokens do not say. */
  readonly checkRunId: string | null;
  readonly repository: string | null;
}

/** Somebody who has shown who they are. */
export interface Caller {
  /** May they reach this run? @throws Refusal */
  admit(key: RunKey): Promise<Principal>;
  /** Whose limits their requests count against; null: there are none. */
  readonly repositoryId: string | null;
}

/** A request of a session, as it was numbered. */
export interface Numbered {
  readonly session: string;
  readonly sequence: number;
  readonly digest: string;
}

/** A run as this server needs it. Every method may throw `Refusal`. */
export interface HostedRun {
  readonly key: RunKey;
  /** The same nonce again gets the same session. */
  join(request: JoinRequest, nonce: string, principal: Principal): Promise<{ session: string; now: number }>;
  /** The answer's JSON text. */
  sync(request: Numbered, body: SyncBody, signal: AbortSignal): Promise<string>;
  leave(request: Numbered, why: string): Promise<void>;
  /** Somebody who proved to be `principal` was refused as this agent: if that is final, nobody waits for it any more. */
  refused(agent: string, principal: Principal, refusal: Refusal): void;
  /** A request of this session is arriving, and takes its time. */
  heard(session: string): void;
  /** Whether this session is one of this run's. */
  knows(session: string): boolean;
  /** What an agent must agree to: key, plan, selection, size. For agents that are told only where to join. */
  terms(): RunTerms;
  /** What everybody of the run may read: who waits for what, since when, until when. */
  status(): unknown;
}

export interface CoordinatorServerOptions extends ErrorListeners {
  /** Finds the run of a request to join, or opens it. `bytes`: of the request, decompressed. */
  readonly open: (request: JoinRequest, bytes: number) => Promise<HostedRun>;
  /** Finds a run by its id; null when there is none. */
  readonly find: (run: string) => Promise<HostedRun | null>;
  /**
   * Checks the bearer of a join, or of a reader who holds no session. Comes before anything of theirs is read, unpacked,
   * parsed or looked for. @throws Refusal
   */
  readonly authenticate: (bearer: string) => Promise<Caller>;
  /** Counts a request of this repository's, and then what it turned out to weigh. @throws Refusal when it is too much */
  readonly spend?: (repositoryId: string, what: "request" | { readonly bytes: number }) => void;
  readonly tokens: SessionTokens;
  readonly intake?: BodyIntake;
}

/** Of callers who are known: agents send a plan in moments. */
const INTAKE = { bytes: 256 * 1024 * 1024, bytesPerAddress: 128 * 1024 * 1024, deadlineMs: 30_000, leastRate: 1_024 };

/** While a body is on its way, its agent counts as heard so often. */
const HEARD_EVERY_MS = 500;

const ROUTE = /^\/api\/runs\/(?:(join)|([A-Za-z0-9_-]{22})(?:\/(sync|leave|plan))?)(?:\?.*)?$/;

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => Promise<boolean>;

/** @returns a handler that answers `/api/runs/…` and says false to everything else. */
export function coordinatorHandler(given: CoordinatorServerOptions): Handler {
  const options = { ...given, intake: given.intake ?? new BodyIntake(INTAKE) };
  const limit = new RequestLimit(WIRE_BOUNDS.syncsPerSecond);
  return async (request, response) => {
    if (!request.url?.startsWith("/api/runs/")) return false;
    const closed = new AbortController();
    response.once("close", () => {
      // After its answer a response closes, too: then nobody waits for it.
      if (!response.writableEnded) closed.abort(new Error("the agent closed the connection"));
    });
    try {
      const route = ROUTE.exec(request.url);
      if (route === null) throw new Refusal("not_found", "there is no such address; see GET /api/runs/{run}");
      const [, join, run = "", action] = route;
      const bearer = bearerOf(request);
      if (request.method === "GET" && join === undefined && (action === undefined || action === "plan")) {
        const hosted = await readableRun(options, bearer, run);
        await send(response, 200, action === "plan" ? hosted.terms() : hosted.status());
      } else if (request.method !== "POST" || action === "plan" || (join === undefined && action === undefined)) {
        throw new Refusal("not_found", `${request.method} is not served here`);
      } else if (join !== undefined) await send(response, 200, await joinRun(options, bearer, request));
      else {
        const session = options.tokens.verify(bearer);
        limit.check(session);
        const hosted = await hostedRun(options, run);
        if (!hosted.knows(session)) throw notOfThisRun();
        const { repositoryId } = hosted.key;
        options.spend?.(repositoryId, "request");
        if (action === "sync") {
          const onChunk = everySecond(() => hosted.heard(session));
          const { body, digest } = await receive(options, request, syncBodySchema, repositoryId, { onChunk });
          await sendText(
            response,
            200,
            await hosted.sync({ session, sequence: body.seq, digest }, body, closed.signal),
          );
        } else {
          const { body, digest } = await receive(options, request, leaveBodySchema, repositoryId);
          await hosted.leave({ session, sequence: body.seq, digest }, body.why);
          limit.forget(session);
          await send(response, 200, { left: true });
        }
      }
    } catch (error) {
      if (!closed.signal.aborted) await sendError(response, error, options, `${request.method} ${request.url}`);
    }
    return true;
  };
}

type Options = CoordinatorServerOptions & { readonly intake: BodyIntake };

async function joinRun(options: Options, bearer: string, message: http.IncomingMessage): Promise<unknown> {
  const caller = await options.authenticate(bearer);
  const { repositoryId } = caller;
  if (repositoryId !== null) options.spend?.(repositoryId, "request");
  const onRefused = (value: unknown, refusal: Refusal) => noteRefused(options, caller, value, refusal);
  const { body, bytes } = await receive(options, message, joinBodySchema, repositoryId, { onRefused });
  const run = runIdOf(body.key);
  const principal = await caller.admit(body.key);
  if (body.agentCount > PLAN_BOUNDS.agents) {
    throw new Refusal(
      "over_limit",
      `a run takes at most ${PLAN_BOUNDS.agents} agents, this one asks for ${body.agentCount}`,
    );
  }
  const { protocol: _protocol, nonce, ...request } = body;
  const hosted = await options.open(request, bytes);
  try {
    const joined = await hosted.join(request, nonce, principal);
    return { protocol: PROTOCOL, run, session: options.tokens.issue(joined.session), now: joined.now };
  } catch (error) {
    if (error instanceof Refusal) hosted.refused(body.agent, principal, error);
    throw error;
  }
}

/** Whatever else is wrong with a request to join: whose it is, and of which run. */
const askedToJoin = z.looseObject({ key: runKeySchema, agent: z.string().min(1).max(200) });

/** Tells the run of somebody whose request to join cannot even be read. */
async function noteRefused(options: Options, caller: Caller, value: unknown, refusal: Refusal): Promise<void> {
  const asked = askedToJoin.safeParse(value);
  if (!asked.success) return;
  const { key, agent } = asked.data;
  try {
    const principal = await caller.admit(key);
    const hosted = await options.find(runIdOf(key));
    hosted?.refused(agent, principal, refusal);
  } catch (error) {
    // It may not reach that run: then the run need not know of it.
    if (!(error instanceof Refusal)) throw error;
  }
}

interface RequestCallbacks {
  /** Of one that is JSON, but no such body. */
  readonly onRefused?: (value: unknown, refusal: Refusal) => Promise<void>;
  /** Of each piece as it arrives. */
  readonly onChunk?: () => void;
}

/** Not when it is called first: what arrives in one go is heard when it has arrived. */
function everySecond(work: () => void): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < HEARD_EVERY_MS) return;
    last = now;
    work();
  };
}

/** The body of somebody who is known; `bytes`: after decompression. */
async function receive<T>(
  { intake, spend }: Options,
  message: http.IncomingMessage,
  schema: z.ZodType<T>,
  repositoryId: string | null,
  { onRefused, onChunk }: RequestCallbacks = {},
): Promise<{ readonly body: T; readonly digest: string; readonly bytes: number }> {
  if (!saysJson(message)) throw new Refusal("unsupported", "the content type must be application/json");
  return await intake.take(message, { most: WIRE_BOUNDS.bodyBytes, ...(onChunk && { onChunk }) }, async (packed) => {
    const bytes = await unpack(packed, message.headers["content-encoding"], WIRE_BOUNDS.bodyBytes);
    if (repositoryId !== null) spend?.(repositoryId, { bytes: bytes.length });
    const value = parseJson(bytes);
    let body: T;
    try {
      body = parse(schema, value);
    } catch (error) {
      if (error instanceof Refusal) await onRefused?.(value, error);
      throw error;
    }
    return { body, digest: tokenDigest(bytes), bytes: bytes.length };
  });
}

async function readableRun(options: CoordinatorServerOptions, bearer: string, run: string): Promise<HostedRun> {
  const session = options.tokens.read(bearer);
  const caller = session === null ? await options.authenticate(bearer) : null;
  const hosted = await hostedRun(options, run);
  options.spend?.(hosted.key.repositoryId, "request");
  if (caller !== null) await caller.admit(hosted.key);
  else if (session === null || !hosted.knows(session)) throw notOfThisRun();
  return hosted;
}

function notOfThisRun(): Refusal {
  return new Refusal("unauthorized", "this session is not one of this run: join it first");
}

async function hostedRun(options: CoordinatorServerOptions, run: string): Promise<HostedRun> {
  const hosted = await options.find(run);
  if (hosted === null) throw new Refusal("not_found", `there is no run ${run} here: join it first`);
  return hosted;
}

function bearerOf(request: http.IncomingMessage): string {
  const match = /^Bearer ([\x21-\x7e]{1,16384})$/i.exec(request.headers.authorization ?? "");
  if (match?.[1] === undefined)
    throw new Refusal("unauthorized", "an Authorization header with a bearer token is needed");
  return match[1];
}

/** Characters that are said about one field. */
const LONGEST_ISSUE = 500;

/** What a body says of its version, before anything else of it is believed; null: nothing. */
function protocolOf(value: unknown): number | null {
  if (typeof value !== "object" || value === null || !("protocol" in value)) return null;
  return typeof value.protocol === "number" ? value.protocol : null;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal("invalid", "the body is not JSON");
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const protocol = protocolOf(value);
  if (protocol !== null && !PROTOCOLS.some((known) => known === protocol)) {
    throw new Refusal(
      "protocol",
      `protocol ${protocol} is not served here, ${PROTOCOLS.join(" and ")} is: use one version of the action everywhere`,
    );
  }
  if (isDeeper(value, WIRE_BOUNDS.nesting)) throw new Refusal("invalid", "the body is nested too deeply");
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`.slice(0, LONGEST_ISSUE));
  throw new Refusal("invalid", `the body does not fit the protocol: ${issues.join("; ")}`);
}
