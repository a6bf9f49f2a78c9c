/** Who asks from the app's own machine: pages without a sign-in are for them alone. */
import type { IncomingMessage } from "node:http";
import { foreignSign } from "../../src/local-caller.ts";

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/u;

/**
 * Null: the connection comes from this machine, and nothing tells that the caller is elsewhere; else why not. A reverse
 * proxy on this machine speaks for callers elsewhere: it is known by what it adds to a request, by the name that it asks
 * for, or by HTTP 1.0, in which nginx asks unless it is told otherwise.
 */
export function notLocal(request: IncomingMessage): string | null {
  if (!LOOPBACK.test(request.socket.remoteAddress ?? "")) {
    return "the connection comes from another one";
  }
  if (request.httpVersion !== "1.1") {
    return "it was asked in another version of HTTP than 1.1, as proxies do";
  }
  return foreignSign({ method: request.method ?? "", headers: request.headers });
}
