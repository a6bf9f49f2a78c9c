/** The API's door: faults, REST or GraphQL, and the log of what was asked. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Faults, RequestFault } from "../admin/faults.ts";
import type { RequestLog } from "../admin/requests.ts";
import { UNREAD } from "../graphql/define.ts";
import type { GraphqlHandler } from "../graphql/handler.ts";
import { summary } from "../graphql/summary.ts";
import type { RestHandler } from "../rest/handler.ts";
import type { HttpOutcome } from "./http.ts";
import { json, type Request, type Response } from "./message.ts";

export interface ApiOptions {
  readonly now: () => number;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly rest: RestHandler;
  readonly graphql: GraphqlHandler;
}

/**
 * The path below the API's prefix; null: it is not for the API. The paths of api.github.com are served without a prefix,
 * too, for clients that know none.
 */
export function apiPath(request: Request, rest: RestHandler): string | null {
  const { pathname } = request.url;
  if (pathname === "/api/graphql") return "/graphql";
  if (pathname === "/api/v3" || pathname.startsWith("/api/v3/"))
    return pathname.slice("/api/v3".length).replace(/\/$/, "") || "/";
  if (request.headers.accept?.includes("text/html") === true) return null;
  return pathname === "/graphql" || rest.knows(pathname) ? pathname : null;
}

export async function serveApi(options: ApiOptions, request: Request, path: string): Promise<HttpOutcome> {
  const isGraphql = path === "/graphql" && request.method === "POST";
  const graphql = isGraphql ? summary(request.body) : null;
  const operation = isGraphql ? "POST /graphql" : options.rest.operationOf(request.method, path);
  const names = graphql === null ? [] : [...(graphql.name === null ? [] : [graphql.name]), ...graphql.fields];
  const fault = options.faults.takeRequest({ method: request.method, path, operation, graphql: names });
  const log = (status: number) =>
    options.requests.add({ at: options.now(), method: request.method, path, operation, status, graphql });
  const refusal = fault === null ? null : refuse(fault, isGraphql);
  if (refusal !== null) {
    log(refusal.status);
    return refusal;
  }
  const response = isGraphql
    ? await options.graphql.handle(request, fieldUnread(fault))
    : await options.rest.handle(request, path);
  if (fault?.kind === "delay") await sleep(fault.perWrite ? fault.ms * writesOf(request, graphql) : fault.ms);
  if (fault?.kind === "dropAnswer") {
    log(fault.how === "cut" ? 0 : 502);
    return fault.how === "cut"
      ? "cut"
      : { status: 502, headers: { "content-type": "text/html" }, body: "<html><body>502 Bad Gateway</body></html>" };
  }
  log(response.status);
  return response;
}

/** The field that this request cannot read; null: it reads all. */
function fieldUnread(fault: RequestFault | null): string | null {
  return fault?.kind === "unread" ? fault.field : null;
}

/** How many things it changes: a mutation's root fields, or one by REST. */
function writesOf(request: Request, graphql: ReturnType<typeof summary>): number {
  if (graphql === null) return request.method === "GET" ? 0 : 1;
  return graphql.kind === "mutation" ? graphql.fields.length : 0;
}

/** Null: this fault lets the request through. */
function refuse(fault: RequestFault, isGraphql: boolean): Response | null {
  switch (fault.kind) {
    case "status":
      return json(fault.status, { message: fault.message, documentation_url: "https://docs.github.com/rest" });
    case "rateLimited": {
      const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
      const headers = { "retry-after": String(fault.retryAfter) };
      if (isGraphql) return json(200, { data: null, errors: [{ type: "RATE_LIMITED", message }] }, headers);
      return json(
        fault.status,
        { message, documentation_url: "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api" },
        headers,
      );
    }
    case "unread":
      return fault.field === null ? json(200, { data: null, errors: [{ message: UNREAD }] }) : null;
    case "delay":
    case "dropAnswer":
      return null;
  }
}
