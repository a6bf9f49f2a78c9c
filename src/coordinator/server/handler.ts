/**
 * The coordinator's side of the protocol: HTTP requests to hosted runs. The same handler serves the app, a leader and
 * the command line; who may join and where runs are kept come in as options.
 */

import type http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { PLAN_BOUNDS, WIRE_BOUNDS } from "../../plan/bounds.ts";
import type { RunKey, RunTerms } from "../../run/types.ts";
import type { SessionTokens } from "../hosting/session-tokens.ts";
import type { JoinRequest } from "../protocol/port.ts";
import {
  joinBodySchema,
  leaveBodySchema,
  PROTOCOL,
  runKeySchema,
  type SyncBody,
  syncBodySchema,
} from "../protocol/protocol.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import type { Forwarding } from "../replicas/forwarding.ts";
import { Elsewhere, NOT_MINE } from "../replicas/owners.ts";
import type { PassedOn } from "../replicas/signature.ts";
import { type ErrorListeners, type Reply, send, sendAsAnswered, sendError, sendText } from "./answer.ts";
import { BodyIntake } from "./body-intake.ts";
import { NotUnderstood, RequestBody } from "./request-body.ts";
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
  terms(): Promise<RunTerms>;
  /** What everybody of the run may read: who waits for what, since when, until when. */
  status(): Promise<unknown>;
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
  /** Where several coordinators share a store: whoever has the run is asked. `open` and `find` then throw `Elsewhere`. */
  readonly replicas?: Pick<Forwarding, "received" | "ask" | "heard">;
  readonly intake?: BodyIntake;
}

/** Of callers who are known: agents send a plan in moments. */
const INTAKE = { bytes: 256 * 1024 * 1024, bytesPerAddress: 128 * 1024 * 1024, deadlineMs: 30_000, leastRate: 1_024 };

/**
 * While the replica that has a run does not answer, so long until somebody who asks is told to ask again: agents give a
 * request up that is not held after ten seconds.
 */
const LOOKED_FOR_MS = 8_000;
const LOOK_AGAIN_MS = 500;

/** While a body is on its way, its agent counts as heard so often, by a coordinator here and by one elsewhere. */
const HEARD_EVERY_MS = 500;
const HEARD_ELSEWHERE_EVERY_MS = 2_000;

const ROUTE = /^\/api\/runs\/(?:(join)|([A-Za-z0-9_-]{22})(?:\/(sync|leave|plan|heard))?)(?:\?.*)?$/;

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => Promise<boolean>;

type Options = CoordinatorServerOptions & { readonly intake: BodyIntake; readonly limit: RequestLimit };

/** A request whose sender is known, or about to be. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly route: RegExpExecArray;
  readonly bearer: string;
  readonly accepts: string | undefined;
  readonly body: RequestBody;
  readonly passedOn: PassedOn | null;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers a request, where the run is coordinated here: the answer's JSON text. @throws Elsewhere where it is not */
type Answering = () => Promise<string>;

/** @returns a handler that answers `/api/runs/…` and says false to everything else. */
export function coordinatorHandler(given: CoordinatorServerOptions): Handler {
  const limit = new RequestLimit(WIRE_BOUNDS.syncsPerSecond);
  const options = { ...given, intake: given.intake ?? new BodyIntake(INTAKE), limit };
  return async (request, response) => {
    if (!request.url?.startsWith("/api/runs/")) return false;
    const closed = new AbortController();
    response.once("close", () => {
      // After its answer a response closes, too: then nobody waits for it.
      if (!response.writableEnded) closed.abort(new Error("the agent closed the connection"));
    });
    let reply: Reply = { response, passedOn: null };
    let body: RequestBody | null = null;
    try {
      const route = ROUTE.exec(request.url);
      if (route === null) throw new Refusal("not_found", "there is no such address; see GET /api/runs/{run}");
      const bearer = bearerOf(request);
      const passedOn = options.replicas?.received(request, bearer) ?? null;
      reply = { response, passedOn };
      const { intake, replicas } = options;
      const isKept = replicas !== undefined && passedOn === null;
      body = new RequestBody(request, { intake, digest: passedOn?.digest ?? null, isKept });
      const { method = "", url, headers } = request;
      const accepts = headers["accept-encoding"];
      await answer(options, { method, url, route, bearer, accepts, body, passedOn, signal: closed.signal }, reply);
    } catch (error) {
      if (!closed.signal.aborted) await sendError(reply, error, options, `${request.method} ${request.url}`);
    } finally {
      body?.release();
    }
    return true;
  };
}

/** Here, or by whoever has the run: once it is passed on, it is not passed on again. */
async function answer(options: Options, asked: Asked, reply: Reply): Promise<void> {
  const answering = await answeringOf(options, asked);
  const until = performance.now() + LOOKED_FOR_MS;
  for (;;) {
    try {
      return await sendText(reply, 200, await answering());
    } catch (error) {
      const { replicas } = options;
      if (!(error instanceof Elsewhere) || replicas === undefined) throw error;
      if (asked.passedOn !== null) return await send(reply, NOT_MINE, {});
      const { body, method, url: path, bearer, accepts, signal } = asked;
      body.onChunk = every(HEARD_ELSEWHERE_EVERY_MS, () => replicas.heard(error, bearer));
      const passed = { method, path, bearer, accepts, encoding: body.encoding };
      const sent = method === "GET" ? Buffer.alloc(0) : await body.sent();
      const answered = await replicas.ask(error, { ...passed, body: sent }, signal);
      if (answered !== null) return sendAsAnswered(reply, answered);
      if (performance.now() > until)
        throw new Refusal("unavailable", "the replica that coordinates this run is gone: ask again");
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }
}

/** What comes before the run is looked for. @throws Refusal */
async function answeringOf(options: Options, asked: Asked): Promise<Answering> {
  const { method, route, bearer, passedOn } = asked;
  const [, join, run = "", action] = route;
  if (method === "GET" && join === undefined && (action === undefined || action === "plan")) {
    return await reading(options, bearer, run, action === "plan");
  }
  const isPosted = join !== undefined || action === "sync" || action === "leave";
  if (method !== "POST" || !(isPosted || (action === "heard" && passedOn !== null))) {
    throw new Refusal("not_found", `${method} is not served here`);
  }
  if (join !== undefined) return await joining(options, asked);
  const session = options.tokens.verify(bearer);
  options.limit.check(session);
  if (action === "heard") {
    return async () => {
      const hosted = await hostedRun(options, run);
      hosted.heard(session);
      return "{}";
    };
  }
  return action === "sync" ? syncing(options, asked, run, session) : leaving(options, asked, run, session);
}

async function joining(options: Options, { bearer, body }: Asked): Promise<Answering> {
  const caller = await options.authenticate(bearer);
  const { repositoryId } = caller;
  if (repositoryId !== null) options.spend?.(repositoryId, "request");
  const understood = await body.understood(joinBodySchema, spending(options, repositoryId)).catch((error: unknown) => {
    if (error instanceof NotUnderstood) return error;
    throw error;
  });
  if (understood instanceof NotUnderstood) {
    return async () => {
      await noteRefused(options, caller, understood);
      throw understood;
    };
  }
  const { protocol: _protocol, nonce, ...request } = understood.body;
  const run = runIdOf(request.key);
  const principal = await caller.admit(request.key);
  if (request.agentCount > PLAN_BOUNDS.agents) {
    throw new Refusal(
      "over_limit",
      `a run takes at most ${PLAN_BOUNDS.agents} agents, this one asks for ${request.agentCount}`,
    );
  }
  return async () => {
    const hosted = await options.open(request, understood.bytes);
    try {
      const joined = await hosted.join(request, nonce, principal);
      const session = options.tokens.issue(joined.session);
      return JSON.stringify({ protocol: PROTOCOL, run, session, now: joined.now });
    } catch (error) {
      if (error instanceof Refusal) hosted.refused(request.agent, principal, error);
      throw error;
    }
  };
}

function syncing(options: Options, { body, signal }: Asked, run: string, session: string): Answering {
  return async () => {
    const hosted = await sessionsRun(options, run, session);
    body.onChunk = every(HEARD_EVERY_MS, () => hosted.heard(session));
    const said = await body.understood(syncBodySchema, spending(options, hosted.key.repositoryId));
    const request = { session, sequence: said.body.seq, digest: said.digest };
    return await hosted.sync(request, said.body, signal);
  };
}

function leaving(options: Options, { body }: Asked, run: string, session: string): Answering {
  return async () => {
    const hosted = await sessionsRun(options, run, session);
    const said = await body.understood(leaveBodySchema, spending(options, hosted.key.repositoryId));
    await hosted.leave({ session, sequence: said.body.seq, digest: said.digest }, said.body.why);
    options.limit.forget(session);
    return JSON.stringify({ left: true });
  };
}

async function sessionsRun(options: Options, run: string, session: string): Promise<HostedRun> {
  const hosted = await hostedRun(options, run);
  if (!hosted.knows(session)) throw notOfThisRun();
  options.spend?.(hosted.key.repositoryId, "request");
  return hosted;
}

/** Whatever else is wrong with a request to join: whose it is, and of which run. */
const askedToJoin = z.looseObject({ key: runKeySchema, agent: z.string().min(1).max(200) });

/** Tells the run of somebody whose request to join cannot even be read. */
async function noteRefused(options: Options, caller: Caller, refusal: NotUnderstood): Promise<void> {
  const asked = askedToJoin.safeParse(refusal.value);
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

/** Not when it is called first: what arrives in one go is heard when it has arrived. */
function every(ms: number, work: () => void): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    work();
  };
}

function spending({ spend }: Options, repositoryId: string | null): ((bytes: number) => void) | undefined {
  return spend === undefined || repositoryId === null ? undefined : (bytes) => spend(repositoryId, { bytes });
}

async function reading(options: Options, bearer: string, run: string, isPlan: boolean): Promise<Answering> {
  const session = options.tokens.read(bearer);
  const caller = session === null ? await options.authenticate(bearer) : null;
  return async () => {
    const hosted = await hostedRun(options, run);
    options.spend?.(hosted.key.repositoryId, "request");
    if (caller !== null) await caller.admit(hosted.key);
    else if (session === null || !hosted.knows(session)) throw notOfThisRun();
    return JSON.stringify(isPlan ? await hosted.terms() : await hosted.status());
  };
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
