/** Who asks from the app's own machine: pages without a sign-in are for them alone. */
import type { IncomingMessage } from "node:http";

/** Whoever forwards a request says so in one of these. */
const FORWARDING = /^(?:forwarded|via|x-forwarded(?:-.+)?|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/u;
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/u;
/** Asked for by another name, it is a proxy's or a web page's doing that has its name point to this machine. */
const LOCAL_NAME = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/iu;

/**
 * True: the connection comes from this machine, and nothing tells that the caller is elsewhere. A reverse proxy on this
 * machine speaks for callers elsewhere: it is known by what it adds to a request, by the name that it asks for, or by
 * HTTP 1.0, in which nginx asks unless it is told otherwise.
 */
export function isLocal(request: IncomingMessage): boolean {
  return (
    LOOPBACK.test(request.socket.remoteAddress ?? "") &&
    request.httpVersion === "1.1" &&
    LOCAL_NAME.test(request.headers.host ?? "") &&
    !Object.keys(request.headers).some((name) => FORWARDING.test(name))
  );
}
