/** A coordinator's HTTP server of its own: plain on loopback with a shared secret, or TLS as a run's leader. */
import { randomBytes } from "node:crypto";
import http from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { joinAddress, splitAddress } from "../../plan/parsing/address.ts";
import type { RunKey } from "../../run/types.ts";
import { checkClaims, type JobClaims, secretMatches, type TokenVerifier } from "../admission/admission.ts";
import { reachableHost } from "../client/addresses.ts";
import type { GroupRun } from "../hosting/group-run.ts";
import type { Runs } from "../hosting/runs.ts";
import { SessionTokens } from "../hosting/session-tokens.ts";
import type { JoinRequest } from "../protocol/port.ts";
import { Refusal } from "../protocol/refusal.ts";
import { runIdOf } from "../protocol/run-id.ts";
import { SERVER_OPTIONS } from "./bounds.ts";
import { type Caller, coordinatorHandler } from "./handler.ts";
import { createLeaderServer, followerAudience, leaderProofHandler, makeLeaderIdentity } from "./leader.ts";

export interface Serving {
  /** host:port at which agents reach it. */
  readonly address: string;
  readonly runs: Runs;
  /** Ends at once; held agents are answered first. */
  close(): Promise<void>;
}

type OnError = (error: unknown, what: string) => void;

/** How long a leader waits for its port, and looks again how often. */
const TAKEN_MS = 60_000;
const TAKEN_PAUSE_MS = 500;

/**
 * Coordinates agents on this machine.
 * @param secret what agents join with; whoever knows it may reach every run here.
 */
export async function serveLoopback(options: {
  readonly secret: string;
  readonly runs: Runs;
  readonly port?: number;
  readonly onError: OnError;
}): Promise<Serving> {
  const { runs, onError, secret } = options;
  const anyRun: Caller = { admit: async () => ({ checkRunId: null, repository: null }), repositoryId: null };
  const authenticate = async (bearer: string): Promise<Caller> => {
    if (!secretMatches(bearer, secret)) throw new Refusal("unauthorized", "this is not the secret of this coordinator");
    return anyRun;
  };
  const open = (request: JoinRequest) => runs.open(request);
  const handle = coordinatorHandler({ open, find: finder(runs), authenticate, tokens: freshTokens(), onError });
  const server = http.createServer(SERVER_OPTIONS, (request, response) => answer(handle, request, response, onError));
  const port = await listen(server, "127.0.0.1", options.port ?? 0);
  return { address: `127.0.0.1:${port}`, runs, close: () => close(server, runs) };
}

export interface LeaderOptions {
  /** host:port to listen at; no host for all of the machine's addresses, port 0 for any that is free. */
  readonly listen: string;
  /** host or host:port at which others reach it; null: this machine's first address in a network. */
  readonly advertise: string | null;
  /** This job's OIDC tokens. */
  readonly idToken: (audience: string) => Promise<string>;
  readonly verifier: (audience: string) => TokenVerifier;
  /** The one run that it coordinates. */
  readonly key: RunKey;
  /** Refuses jobs of this workflow run that are not of the group; default: none. @throws Refusal */
  readonly checkJob?: (claims: JobClaims) => Promise<void>;
  readonly runs: Runs;
  readonly onError: OnError;
  /** Ends the wait for a port that is taken. */
  readonly signal?: AbortSignal;
}

/** Coordinates the jobs of a matrix from one of them: TLS with a certificate of its own, whose proof it shows. */
export async function serveLeader(options: LeaderOptions): Promise<Serving> {
  const { runs, onError, idToken } = options;
  const identity = await makeLeaderIdentity(new Date());
  const verify = options.verifier(followerAudience(identity.fingerprint));
  const handle = coordinatorHandler({
    open: async (request) => {
      // Any job of the workflow run has a token for this leader: it holds its own group, not as many as they name.
      if (runIdOf(request.key) !== runIdOf(options.key)) throw anotherGroup(request.key, options.key);
      return await runs.open(request);
    },
    find: finder(runs),
    tokens: freshTokens(),
    onError,
    authenticate: async (bearer) => {
      const claims = await verify(bearer);
      checkClaims(claims, options.key);
      await options.checkJob?.(claims);
      return {
        repositoryId: null,
        admit: async (key) => {
          checkClaims(claims, key);
          return { checkRunId: claims.checkRunId, repository: claims.repository };
        },
      };
    },
  });
  const prove = leaderProofHandler({ identity, idToken, now: Date.now });
  const connections = new Set<Socket>();
  const server = createLeaderServer(identity, (request, response) =>
    answer(
      async (asked, said) => (await prove(asked, said)) || (await handle(asked, said)),
      request,
      response,
      onError,
    ),
  );
  server.on("connection", (connection: Socket) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  });
  const at = splitAddress(options.listen);
  const port = await listenInTime(server, at.host, at.port ?? 0, options);
  const shown = splitAddress(options.advertise ?? "");
  return {
    address: joinAddress(shown.host ?? reachableHost(at.host), shown.port ?? port),
    runs,
    close: () => close(server, runs, connections),
  };
}

function anotherGroup(asked: RunKey, own: RunKey): Refusal {
  return new Refusal(
    "wrong_run",
    `this agent leads group ${own.group} with plan ${own.plan}, the request is for group ${asked.group} with plan ${asked.plan}`,
  );
}

function finder(runs: Runs): (run: string) => Promise<GroupRun | null> {
  return (run) => runs.find(run);
}

/** Sessions live and die with this process, and so does what signs them. */
function freshTokens(): SessionTokens {
  return new SessionTokens(randomBytes(32).toString("base64url"));
}

function answer(
  handle: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<boolean>,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  onError: OnError,
): void {
  handle(request, response).then(
    (answered) => {
      if (!answered) response.writeHead(404).end();
    },
    (error: unknown) => {
      onError(error, `${request.method} ${request.url}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    },
  );
}

/** A port of one's own may still be held by an earlier attempt's leader, which is about to end. */
async function listenInTime(
  server: Server,
  host: string | null,
  port: number,
  { onError, signal }: LeaderOptions,
): Promise<number> {
  const until = performance.now() + TAKEN_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return await listen(server, host, port);
    } catch (error) {
      if (!isTaken(error) || performance.now() > until) throw error;
      if (tries === 1) onError(error, `tried again for ${TAKEN_MS / 1000} s`);
      await sleep(TAKEN_PAUSE_MS, undefined, signal === undefined ? {} : { signal });
    }
  }
}

function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
}

async function listen(server: http.Server | Server, host: string | null, port: number): Promise<number> {
  const where = host === null ? `port ${port}` : joinAddress(host, port);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`cannot listen at ${where}: ${error.message}`, { cause: error })));
    // Without a host at all addresses, those of IPv6 among them where there are any.
    server.listen({ ...(host === null ? {} : { host }), port, backlog: 4096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`listening at ${where} gave no port`);
  return address.port;
}

/** @param connections those whose TLS is not up yet the server itself does not know, and would wait for */
async function close(
  server: http.Server | Server,
  runs: Runs,
  connections: ReadonlySet<Socket> = new Set(),
): Promise<void> {
  await runs.close();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // Answers on their way are written; whoever asks again meets a closed door.
  setTimeout(() => {
    server.closeAllConnections();
    for (const connection of connections) connection.destroy();
  }, 1_000).unref();
  await closed;
}
