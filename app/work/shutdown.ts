/**
 * The end of the process, in order: nothing new is begun, what is going on ends, and only then are the database and its
 * lock let go. What waits is stored, so whatever has to be cut is taken up at the next start.
 */
import type { Server } from "node:http";
import type { Logger } from "pino";

export interface ShutdownOptions {
  readonly server: Server;
  /** How many requests are being answered; see `openRequests`. */
  readonly open: () => number;
  /** Ends what works by itself, and answers agents that are held. */
  readonly stopWork: () => Promise<void>;
  /** Lets go of what is held: no work is going on any more. */
  readonly release: () => Promise<void>;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** Ends the process at once: something had to be cut. */
  readonly cut: () => void;
  /** Milliseconds. */
  readonly times?: { readonly connections: number; readonly all: number };
}

/** Requests come whole in moments; whoever still sends or reads after that keeps nobody waiting. */
const CONNECTIONS_MS = 5_000;
/** A request to GitHub that hangs ends after 15 s; Kubernetes kills after 30. */
const ALL_MS = 20_000;
const LOOK_MS = 100;
/** For a request that has just begun to come; browsers keep connections on which nothing ever does. */
const QUIET_MS = 1_000;

/** Resolves with whether everything ended in order. Never rejects; calls `cut` when it takes too long. */
export async function shutDown(options: ShutdownOptions): Promise<boolean> {
  const { server, open, stopWork, release, log, cut } = options;
  const { connections, all } = options.times ?? { connections: CONNECTIONS_MS, all: ALL_MS };
  const last = setTimeout(() => {
    log.error(`not stopped after ${all / 1_000} s: what is going on is cut, and taken up at the next start`);
    cut();
  }, all);
  last.unref();
  try {
    const [inTime] = await Promise.all([closed(server, open, connections), stopWork()]);
    if (!inTime) {
      log.warn(`requests that were not done after ${connections / 1_000} s were cut`);
    }
    await release();
    return inTime;
  } catch (error) {
    log.error({ err: error }, "could not stop in order");
    return false;
  } finally {
    clearTimeout(last);
  }
}

/** From now on counts the requests of this server that have come and are not answered. */
export function openRequests(server: Server): () => number {
  let open = 0;
  server.on("request", (_, response) => {
    open += 1;
    response.once("close", () => {
      open -= 1;
    });
  });
  return () => open;
}

/** Takes no connection any more. Resolves with whether each request that has come got its answer. */
async function closed(server: Server, open: () => number, ms: number): Promise<boolean> {
  let inTime = true;
  let left = ms;
  let quiet = 0;
  const look = setInterval(() => {
    // Connections of agents and proxies are idle between two requests, and would be kept for minutes.
    server.closeIdleConnections();
    left -= LOOK_MS;
    quiet = open() === 0 ? quiet + LOOK_MS : 0;
    if (left <= 0 || quiet >= QUIET_MS) {
      inTime &&= open() === 0;
      server.closeAllConnections();
    }
  }, LOOK_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(look);
  return inTime;
}
