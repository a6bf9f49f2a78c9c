/** What watches the app asks it: whether it lives, whether it can work, and its metrics. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { secretMatches } from "../../src/coordinator/admission/admission.ts";
import { boundServer, SERVER_OPTIONS } from "../../src/coordinator/server/bounds.ts";
import { SingleFlight } from "../../src/single-flight.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Store } from "../store/model.ts";
import type { Inbox } from "../webhooks/inbox.ts";
import { notLocal } from "./local-caller.ts";
import { answer, type Handler, pathOf } from "./webhook.ts";

export interface MonitoringOptions {
  readonly store: Pick<Store, "ping">;
  readonly inbox: Pick<Inbox, "backlog">;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  /** Null: it is; else why not. */
  readonly ready: () => string | null;
  /** Shown as a bearer token, it lets callers elsewhere read the metrics; null: there is none. */
  readonly metricsToken: string | null;
}

/** Of the listener that serves nothing else: a few Prometheus servers, and who asks whether the app lives. */
const MOST_CONNECTIONS = 100;
const PING_MS = 2_000;

/** `/healthz`, `/readyz` and `/metrics`. `own`: on a listener of its own, which only those reach who may read them. */
export function monitoring(options: MonitoringOptions, { own }: { readonly own: boolean }): Handler {
  const { store, inbox, metrics, ready, metricsToken } = options;
  const pinging = new SingleFlight<"ping", void>();
  return async (request, response) => {
    const path = pathOf(request);
    if (path !== "/healthz" && path !== "/readyz" && path !== "/metrics") {
      return false;
    }
    if (request.method !== "GET") {
      return answer(response, 405, { error: "Not allowed here." });
    }
    if (path === "/healthz") {
      return answer(response, 200, { healthy: true });
    }
    if (path === "/readyz") {
      const ping = () =>
        withinTime(
          pinging.share("ping", () => store.ping()).then(() => null, String),
          "the database does not answer",
        );
      const failure = ready() ?? (await ping());
      return failure === null
        ? answer(response, 200, { ready: true, backlog: inbox.backlog })
        : answer(response, 503, { ready: false, reason: failure });
    }
    const bearer = bearerOf(request);
    const known = metricsToken !== null && bearer !== null && secretMatches(bearer, metricsToken);
    if (!known && metricsToken !== null && (own || bearer !== null)) {
      response.setHeader("www-authenticate", "Bearer");
      return answer(response, 401, { error: "Show METRICS_TOKEN as a bearer token." });
    }
    const foreign = known || own ? null : notLocal(request);
    if (foreign !== null) {
      return answer(response, 403, { error: saidToOthers(foreign) });
    }
    const text = await metrics.text();
    response.writeHead(200, { "content-type": metrics.contentType, "content-length": Buffer.byteLength(text) });
    response.end(text);
    return true;
  };
}

/** Why a page that tells of private repositories is not told to who asks. */
export function saidToOthers(why: string): string {
  return `This is answered to callers on the app's own machine only: ${why}.`;
}

/** A server for these pages alone. It keeps nothing alive: it ends with the process, and answers until then. */
export function monitoringServer(handler: Handler): Server {
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    handler(request, response).then(
      (answered) => answered || answer(response, 404, { error: "There is nothing here." }),
      () => response.headersSent || answer(response, 500, { error: "The metrics could not be read." }),
    );
  });
  server.unref();
  return boundServer(server, MOST_CONNECTIONS);
}

function bearerOf({ headers }: IncomingMessage): string | null {
  return /^bearer (?<token>[\x21-\x7e]{1,1000})$/iu.exec(headers.authorization ?? "")?.groups?.token ?? null;
}

/** What `work` resolves with, or after some seconds `late`: who asks whether the app is ready does not wait for long. */
async function withinTime<T>(work: Promise<T>, late: T): Promise<T> {
  const enough = new AbortController();
  const time = sleep(PING_MS, late, { signal: enough.signal }).catch(() => late);
  try {
    return await Promise.race([work, time]);
  } finally {
    enough.abort();
  }
}
