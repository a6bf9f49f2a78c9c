/** node:http around functions from requests to answers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Request, Response } from "./message.ts";

const bodyLimit = 10 * 1024 * 1024;

/** `cut`: the connection is ended without an answer. */
export type HttpOutcome = Response | "cut";

export interface HttpServer {
  /** 0: any free port. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

export function httpServer(
  handle: (request: Request) => Promise<HttpOutcome>,
  report: (error: unknown) => void,
): HttpServer {
  const server: Server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, handle).catch((error: unknown) => {
      report(error);
      if (!outgoing.headersSent) outgoing.writeHead(500, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ message: "Server Error" }));
    });
  });
  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => resolve(portOf(server.address())));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handle: (request: Request) => Promise<HttpOutcome>,
): Promise<void> {
  const body = await read(incoming);
  if (body === null) {
    outgoing.writeHead(413, { connection: "close" }).end();
    return;
  }
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  const url = new URL(incoming.url ?? "/", `http://${headers.host ?? "127.0.0.1"}`);
  const outcome = await handle({ method: incoming.method ?? "GET", url, headers, body });
  if (outcome === "cut") {
    incoming.socket.destroy();
    return;
  }
  outgoing.writeHead(outcome.status, outcome.headers);
  outgoing.end(outcome.body);
}

/** Null: too large. */
async function read(incoming: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > bodyLimit) return null;
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString("utf8");
}
