/** What anybody who can reach a server of ours may cost it before saying who they are: headers, connections, time. */
import type http from "node:http";
import type https from "node:https";

/** All headers of a request, its address included. A job's token takes about 2 KB of them. */
const HEADER_BYTES = 16 * 1024;
const HEADERS = 100;
const HEADERS_MS = 10_000;
/** Until a whole request has come, body included. How long its answer takes is another matter: agents are held. */
const REQUEST_MS = 30_000;
const LOOK_EVERY_MS = 2_000;
/** Agents are held for up to 30 s and keep two connections: one is not to be closed under them. */
const KEEP_ALIVE_MS = 120_000;

/** For `createServer`. */
export const SERVER_OPTIONS = {
  maxHeaderSize: HEADER_BYTES,
  headersTimeout: HEADERS_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: LOOK_EVERY_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
} as const satisfies http.ServerOptions;

/** @param connections at once. More are closed as they come, and those that serve nobody just then make room. */
export function boundServer<T extends http.Server | https.Server>(server: T, connections: number): T {
  server.maxConnections = connections;
  server.maxHeadersCount = HEADERS;
  server.on("drop", () => server.closeIdleConnections());
  return server;
}
