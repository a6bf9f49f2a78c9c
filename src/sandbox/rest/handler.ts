/** A REST request from its bytes to its answer: who, what, may they, is it valid, do it. */
import { createHash } from "node:crypto";
import { judge } from "../auth/access.ts";
import { actorOf, BadCredentials, type Caller, identify } from "../auth/caller.ts";
import { limitHeaders, type RateLimits } from "../auth/limits.ts";
import type { Description, Part, Problem } from "../openapi/excerpt.ts";
import { json, type Request, type Response, text } from "../server/message.ts";
import {
  type Actor,
  account,
  accountByLogin,
  type Delivery,
  fullName,
  permits,
  type Repository,
  repositoryByName,
  type World,
  WorldError,
} from "../world/index.ts";
import { serverVersion } from "./meta.ts";
import type { Match } from "./request/match.ts";
import { mediaOf, wanted } from "./request/media.ts";
import { type Operations, operationsOf } from "./request/operations.ts";
import { watched } from "./request/query.ts";
import type { Answer, Media, Route, RouteContext } from "./route.ts";

export interface RestOptions {
  readonly world: World;
  readonly limits: RateLimits;
  readonly description: Description;
  readonly redeliver: (delivery: Delivery) => void;
  /** Tests: an answer that does not fit the description is an error (500), not an answer. */
  readonly checkResponses: boolean;
}

const documentation = "https://docs.github.com/rest";

export function refusal(status: number, message: string, extra: object = {}): Response {
  return json(status, { message, ...extra, documentation_url: documentation, status: String(status) });
}

const statuses = {
  not_found: 404,
  invalid: 422,
  forbidden: 403,
  conflict: 409,
  not_allowed: 405,
  not_implemented: 501,
} as const;

export function refused(error: WorldError): Response {
  const message = error.refusal === "not_found" ? "Not Found" : error.message;
  return refusal(statuses[error.refusal], message, error.errors.length > 0 ? { errors: error.errors } : {});
}

export class RestHandler {
  readonly #options: RestOptions;
  readonly #operations: Operations;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#operations = operationsOf(options.description);
  }

  /** `GET /repos/{owner}/{repo}`; the bare path where nothing matches. */
  operationOf(method: string, path: string): string {
    return this.#operations.matcher.find(method, path)?.value.operation ?? `${method} ${path}`;
  }

  /** Whether paths of GitHub's API begin like this. */
  knows(path: string): boolean {
    const root = path.split("/")[1] ?? "";
    return root !== "" && this.#operations.roots.has(root);
  }

  /** @param path the path below `/api/v3` */
  async handle(request: Request, path: string): Promise<Response> {
    const { world, limits } = this.#options;
    const match = this.#operations.matcher.find(request.method, path);
    const operation = match?.value;
    if (operation !== undefined && "id" in operation) return missing(`${operation.operation} (${operation.id})`);
    const served = operation === undefined ? null : { value: operation, path: match?.path ?? {} };
    let caller: Caller;
    try {
      caller = await identify(world, request.headers.authorization);
    } catch (error) {
      if (error instanceof BadCredentials) return refusal(401, error.message);
      throw error;
    }
    const free = served?.value.operation === "GET /rate_limit";
    if (!free && limits.read(caller, "core").remaining === 0) {
      const budget = limits.spend(caller, "core", 1);
      const body = { message: `API rate limit exceeded for ${caller.kind}.`, documentation_url: documentation };
      return json(403, body, limitHeaders(budget));
    }
    const response = served === null ? refusal(404, "Not Found") : this.#respond(request, caller, served);
    const budget = free || response.status === 304 ? limits.read(caller, "core") : limits.spend(caller, "core", 1);
    const headers = {
      "x-github-media-type": "github.v3; format=json",
      ...response.headers,
      ...limitHeaders(budget),
      "x-github-enterprise-version": `enterprise-server@${serverVersion}`,
    };
    return { ...response, headers };
  }

  #respond(request: Request, caller: Caller, { value: route, path }: Match<Route>): Response {
    try {
      const media = this.#mediaOf(request, route);
      if (typeof media === "object") return media;
      const answer = this.#answer(request, caller, route, path, media);
      if ("refusedWith" in answer) return answer.refusedWith;
      if (media === "json" && this.#options.checkResponses) this.#check(route.operation, answer);
      return conditional(request, render(answer, media));
    } catch (error) {
      if (error instanceof WorldError) return refused(error);
      throw error;
    }
  }

  #answer(
    request: Request,
    caller: Caller,
    route: Route,
    path: Record<string, string>,
    media: Media | "json",
  ): Answer | { refusedWith: Response } {
    const { world, limits, redeliver, description } = this.#options;
    const repo =
      path.owner !== undefined && path.repo !== undefined ? repositoryByName(world, path.owner, path.repo) : null;
    const denied = this.#deny(route, caller, repo, path);
    if (denied !== null) return { refusedWith: denied };
    if (repo !== null && fullName(world, repo).toLowerCase() !== `${path.owner}/${path.repo}`.toLowerCase()) {
      return { refusedWith: moved(request, world, repo, `/repos/${path.owner}/${path.repo}`) };
    }
    const query: Record<string, unknown> = {};
    for (const name of new Set(request.url.searchParams.keys())) {
      const all = request.url.searchParams.getAll(name);
      query[name] = all.length > 1 ? all : all[0];
    }
    let body: unknown;
    if (request.body !== "") {
      try {
        body = JSON.parse(request.body);
      } catch {
        return { refusedWith: refusal(400, "Problems parsing JSON") };
      }
    }
    const typedPath: Record<string, unknown> = { ...path };
    const check = (part: Part, value: unknown): Problem[] => description.problems(route.operation, part, value);
    // A number that is none is an address that leads nowhere.
    if (check("path", typedPath).length > 0) return { refusedWith: refusal(404, "Not Found") };
    const problems = [...check("query", query), ...check("body", body)];
    if (problems.length > 0) return { refusedWith: unprocessable(problems) };
    const context: RouteContext = { written: path, world, caller, limits, redeliver, url: request.url, media };
    const asked = watched(query);
    const answer = route.handle({
      ...context,
      path: typedPath,
      query: asked.query,
      body,
      repo,
      get actor() {
        return writer(world, caller);
      },
    });
    // What GitHub does not know of either is ignored there, too.
    const ignored = asked.unread().filter((name) => description.takes(route.operation, name));
    if (ignored.length === 0) return answer;
    return { refusedWith: missing(`the parameter ${ignored.join(", ")} of ${route.operation}`) };
  }

  /** The form to answer in, or the refusal of one that is not served. */
  #mediaOf(request: Request, route: Route): Media | "json" | Response {
    const asked = wanted(request.headers.accept);
    switch (asked.kind) {
      case "json":
        return "json";
      case "unknown":
        return refusal(415, `Unsupported 'Accept' header: '${asked.accept}'. Must accept 'application/json'.`);
      case "form": {
        return mediaOf(route.operation, asked.form) ?? missing(`the media type ${asked.form} of ${route.operation}`);
      }
    }
  }

  /** Null: allowed. */
  #deny(route: Route, caller: Caller, repo: Repository | null, path: Record<string, string>): Response | null {
    const { access } = route;
    const needsApp = refusal(401, "A JSON web token could not be decoded");
    const signIn = refusal(401, "Requires authentication");
    switch (access.kind) {
      case "anybody":
        return null;
      case "signed_in":
        return caller.kind === "anonymous" || caller.kind === "app" ? signIn : null;
      case "app":
        return caller.kind === "app" ? null : needsApp;
      case "installation":
        return caller.kind === "installation"
          ? null
          : refusal(
              403,
              "You must authenticate with an installation access token in order to list repositories for an installation.",
            );
      case "organization":
        return this.#denyOrganization(access.permission, caller, path.org ?? "");
      case "repository":
        break;
    }
    if (repo === null) return refusal(404, "Not Found");
    if (caller.kind === "app") return needsApp;
    const verdict = judge(this.#options.world, caller, repo, access);
    switch (verdict) {
      case "allowed":
        return null;
      case "hidden":
        return refusal(404, "Not Found");
      case "apps_only":
        return refusal(403, "You must authenticate via a GitHub App.");
      case "forbidden":
        if (caller.kind === "anonymous") return signIn;
        return refusal(
          403,
          caller.kind === "user" ? "Must have admin rights to Repository." : "Resource not accessible by integration",
        );
    }
  }

  #denyOrganization(permission: string, caller: Caller, login: string): Response | null {
    const { world } = this.#options;
    const organization = accountByLogin(world, login);
    if (organization === null) return refusal(404, "Not Found");
    const [name = "", level] = permission.split(":");
    switch (caller.kind) {
      case "anonymous":
      case "app":
        return refusal(401, "Requires authentication");
      case "user": {
        const role = world.organizationMembers.get(organization.id)?.get(caller.account.id);
        if (role === undefined) return refusal(404, "Not Found");
        return level === "write" && role !== "admin"
          ? refusal(403, "Must have admin rights to the organization.")
          : null;
      }
      case "job":
        return refusal(403, "Resource not accessible by integration");
      case "installation": {
        const within = caller.installation.accountId === organization.id;
        const granted = within && permits(caller.token.permissions, name, level === "write" ? "write" : "read");
        return granted ? null : refusal(403, "Resource not accessible by integration");
      }
    }
  }

  #check(operation: string, answer: Answer): void {
    const problems = this.#options.description.responseProblems(operation, answer.status, sent(answer.body));
    if (problems.length === 0) return;
    const told = problems.slice(0, 5).map((one) => `${one.at} ${one.message} ${one.field}`);
    throw new Error(`the answer to ${operation} does not fit GitHub's description: ${told.join("; ")}`);
  }
}

/** Apps managing their own installations write as their bot. */
function writer(world: World, caller: Caller): Actor {
  if (caller.kind === "app") return { account: account(world, caller.app.botId), app: caller.app, via: "app" };
  const found = actorOf(world, caller);
  if (found === null) throw new WorldError("forbidden", "Requires authentication");
  return found;
}

function missing(what: string): Response {
  return refusal(501, `not implemented in the sandbox: ${what}`);
}

function unprocessable(problems: readonly Problem[]): Response {
  const errors = problems.map((one) => ({
    resource: "Request",
    field: one.field,
    code: one.code,
    message: `${one.at || "/"} ${one.message}`,
  }));
  const told = problems.map((one) => `${one.at || "/"} ${one.message}`).join("\n");
  return refusal(422, `Invalid request.\n\n${told}`, { errors });
}

function moved(request: Request, world: World, repo: Repository, from: string): Response {
  const to = new URL(request.url);
  to.pathname = to.pathname.replace(from, `/repos/${fullName(world, repo)}`);
  const status = request.method === "GET" ? 301 : 307;
  return json(
    status,
    { message: "Moved Permanently", url: to.href, documentation_url: documentation },
    { location: to.href },
  );
}

/** What a client reads of it. */
function sent(body: unknown): unknown {
  return typeof body === "object" && body !== null ? JSON.parse(JSON.stringify(body)) : body;
}

function render(answer: Answer, media: Media | "json"): Response {
  const { status, body, headers = {} } = answer;
  if (media !== "json" && (typeof body === "string" || body instanceof Uint8Array)) {
    const type = {
      "content-type": `application/vnd.github.${media}; charset=utf-8`,
      "x-github-media-type": `github.v3; param=${media}`,
    };
    return { status, headers: { ...headers, ...type }, body };
  }
  if (body === undefined) return { status, headers, body: "" };
  return typeof body === "string" ? text(status, body, headers) : json(status, body, headers);
}

/** Answers to reads carry an ETag; who has that one already gets 304, which costs nothing. */
function conditional(request: Request, response: Response): Response {
  if (request.method !== "GET" || response.status !== 200) return response;
  const etag = `"${createHash("sha256").update(response.body).digest("hex")}"`;
  const headers = { ...response.headers, etag, "cache-control": "private, max-age=60, s-maxage=60" };
  const known = request.headers["if-none-match"]?.split(",").map((one) => one.trim().replace(/^W\//, "")) ?? [];
  if (known.includes(etag)) return { status: 304, headers, body: "" };
  return { ...response, headers };
}
