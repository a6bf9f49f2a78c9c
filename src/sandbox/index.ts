/** A local stand-in for GitHub that remembers: REST, GraphQL, webhooks, pages, and an admin door for tests. */
import { foreignSign } from "../local-caller.ts";
import { adminDoor } from "./admin/door.ts";
import { Faults } from "./admin/faults.ts";
import { RequestLog } from "./admin/requests.ts";
import { defaultLimits, type Limits, RateLimits } from "./auth/limits.ts";
import { GraphqlHandler } from "./graphql/handler.ts";
import { description } from "./openapi/excerpt.ts";
import { site } from "./pages/site.ts";
import { RestHandler } from "./rest/handler.ts";
import { apiPath, serveApi } from "./server/api.ts";
import { type HttpOutcome, httpServer } from "./server/http.ts";
import { json, type Request, type Response } from "./server/message.ts";
import { type Post, Sender } from "./webhooks/sender.ts";
import { createWorld, type World } from "./world/index.ts";

export interface SandboxOptions {
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly now?: () => number;
  /** With a seed, ids and tokens repeat from run to run. */
  readonly seed?: string;
  /** Default: true. False: only deliveries have ids beyond 2^53, as on GitHub so far. */
  readonly largeIds?: boolean;
  /** Told of faults in the sandbox itself. Default: written to stderr. */
  readonly report?: (error: unknown) => void;
  /** Requests an hour. */
  readonly limits?: Partial<Limits>;
  /** Answer 500 where an answer does not fit GitHub's description: for tests. */
  readonly checkResponses?: boolean;
  /** Carries a webhook to the app. Default: over HTTP. */
  readonly post?: Post;
  /** Webhooks on their way to one hook at once; default: one after another. */
  readonly hooksAtOnce?: number;
}

export interface Sandbox {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly webhooks: Sender;
  /** `http://127.0.0.1:PORT`; known once it listens. */
  readonly url: string;
  /** Answers what is asked below a path (`/_services/token`) by somebody else: the request's path is given whole. */
  mount(prefix: string, handle: (request: Request) => Promise<Response>): void;
  /** Answers as over HTTP, without a socket; `cut`: the connection would end without an answer. */
  answer(request: Request): Promise<HttpOutcome>;
  /** 0: any free port. Resolves to the address. */
  listen(port?: number): Promise<string>;
  close(): Promise<void>;
}

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const report = options.report ?? ((error: unknown) => console.error("sandbox:", error));
  const world = createWorld({
    report,
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.largeIds === undefined ? {} : { largeIds: options.largeIds }),
  });
  const faults = new Faults();
  const requests = new RequestLog();
  const limits = new RateLimits({ ...defaultLimits, ...options.limits }, world.now);
  const webhooks = new Sender({
    world,
    fault: (delivery) => faults.takeHook(delivery),
    ...(options.post === undefined ? {} : { post: options.post }),
    ...(options.hooksAtOnce === undefined ? {} : { atOnce: options.hooksAtOnce }),
  });
  const rest = new RestHandler({
    world,
    limits,
    description: description(),
    redeliver: (delivery) => webhooks.redeliver(delivery),
    checkResponses: options.checkResponses ?? false,
  });
  const api = { now: world.now, faults, requests, rest, graphql: new GraphqlHandler({ world, limits }) };
  const mounts = new Map<string, (request: Request) => Promise<Response>>();
  const handle = async (request: Request): Promise<HttpOutcome> => {
    if (request.method !== "HEAD") return route(request);
    const outcome = await route({ ...request, method: "GET" });
    return outcome === "cut" ? outcome : { ...outcome, body: "" };
  };
  const route = async (request: Request): Promise<HttpOutcome> => {
    for (const [prefix, answer] of mounts) if (request.url.pathname.startsWith(`${prefix}/`)) return answer(request);
    const path = apiPath(request, rest);
    if (path !== null) return serveApi(api, request, path);
    // Pages and the admin door know no password: foreign web pages must not reach them through the player's browser.
    const foreign = foreignSign(request);
    if (foreign !== null) return json(403, { message: `This page is for this machine's own browser: ${foreign}.` });
    if (request.url.pathname.startsWith("/_sandbox/"))
      return adminDoor({ world, faults, requests }, request, request.url.pathname.slice("/_sandbox".length));
    return site(world, request);
  };
  const server = httpServer(handle, report);
  return {
    world,
    faults,
    requests,
    webhooks,
    get url() {
      return world.baseUrl;
    },
    mount(prefix, answer) {
      mounts.set(prefix, answer);
    },
    answer: handle,
    async listen(port = 0) {
      world.baseUrl = `http://127.0.0.1:${await server.listen(port)}`;
      return world.baseUrl;
    },
    async close() {
      webhooks.close();
      await server.close();
    },
  };
}
