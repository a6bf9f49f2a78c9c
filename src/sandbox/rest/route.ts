/** A route: one operation of GitHub's REST description, who may call it, and what it does. */
import type { paths } from "@octokit/openapi-types";
import type { Caller } from "../auth/caller.ts";
import type { RateLimits } from "../auth/limits.ts";
import type { AccessLevel, Actor, Delivery, Repository, RepositoryPermission, World } from "../world/index.ts";

type Method = "get" | "post" | "put" | "patch" | "delete";

/** The forms that some routes here can give besides JSON. */
export type Media = "raw" | "sha";

/** `"GET /repos/{owner}/{repo}"`: every operation that the description knows. */
export type Operation = {
  [P in keyof paths]: {
    [M in Method]: M extends keyof paths[P]
      ? paths[P][M] extends { responses: unknown }
        ? `${Uppercase<M>} ${P}`
        : never
      : never;
  }[Method];
}[keyof paths];

type SpecOf<O extends Operation> = O extends `${infer M} ${infer P}`
  ? P extends keyof paths
    ? Lowercase<M> extends keyof paths[P]
      ? paths[P][Lowercase<M>]
      : never
    : never
  : never;

/** The validation gives plain numbers for what the description calls int64. */
type Plain<T> = { [K in keyof T]: Exclude<T[K], bigint> };
type PathOf<O extends Operation> =
  SpecOf<O> extends { parameters: { path: infer T } } ? Plain<T> : Record<never, never>;
type QueryOf<O extends Operation> =
  SpecOf<O> extends { parameters: { query?: infer T } } ? Plain<NonNullable<T>> : Record<never, never>;
type BodyOf<O extends Operation> =
  SpecOf<O> extends { requestBody: { content: { "application/json": infer T } } }
    ? T
    : SpecOf<O> extends { requestBody?: { content: { "application/json": infer T } } }
      ? T | undefined
      : undefined;

/** Who may call. Repository routes are judged by their `{owner}/{repo}`. */
export type Access =
  | { readonly kind: "anybody" }
  | { readonly kind: "signed_in" }
  | { readonly kind: "app" }
  | { readonly kind: "installation" }
  | { readonly kind: "organization"; readonly permission: string }
  | {
      readonly kind: "repository";
      readonly permissions: readonly string[];
      readonly level: AccessLevel;
      readonly person: RepositoryPermission | null;
    };

export interface RouteContext {
  /** What the path names, as it was written: not every id is held by the number in `path`. */
  readonly written: Readonly<Record<string, string>>;
  readonly world: World;
  readonly caller: Caller;
  readonly limits: RateLimits;
  /** The address without its query, and the query: for Link headers. */
  readonly url: URL;
  /** The form that is asked for: one of the route's own, or JSON. */
  readonly media: Media | "json";
  /** Sends a delivery once more. */
  readonly redeliver: (delivery: Delivery) => void;
}

export interface Call<O extends Operation> extends RouteContext {
  readonly path: PathOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
  /** Who writes. Reads may be anonymous; writes never get here without. */
  readonly actor: Actor;
}

export interface Answer {
  readonly status: number;
  /** Undefined: no body. A string is sent as text, bytes as they are, all else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call whose parts were checked against the description, but whose types the compiler has forgotten. */
export interface CheckedCall extends RouteContext {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly actor: Actor;
  readonly repo: Repository | null;
}

export interface Route {
  readonly operation: Operation;
  readonly access: Access;
  readonly handle: (call: CheckedCall) => Answer;
}

/** Any route. The cast is the boundary: `path`, `query` and `body` were validated against the operation's description. */
export function route<O extends Operation>(operation: O, access: Access, handle: (call: Call<O>) => Answer): Route {
  return { operation, access, handle: (call) => handle(call as Call<O>) };
}

/** A route of a repository. */
export function repoRoute<O extends Operation & `${string} /repos/{owner}/{repo}${string}`>(
  operation: O,
  access: Extract<Access, { kind: "repository" }>,
  handle: (call: Call<O>, repo: Repository) => Answer,
): Route {
  return {
    operation,
    access,
    handle: (call) => {
      if (call.repo === null) throw new Error(`${operation}: no repository was looked up`);
      return handle(call as Call<O>, call.repo);
    },
  };
}

export const anybody: Access = { kind: "anybody" };
export const asTheApp: Access = { kind: "app" };

export function reads(...permissions: string[]) {
  return { kind: "repository", permissions, level: "read", person: "read" } as const;
}

export function writes(person: RepositoryPermission | null, ...permissions: string[]) {
  return { kind: "repository", permissions, level: "write", person } as const;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export const noContent: Answer = { status: 204 };

const defaultPage = 30;
const largestPage = 100;

/** One page of a list, with GitHub's Link header. @param usual how many stand on one where nothing else is asked for */
export function page<T, S>(
  call: RouteContext & { readonly query: object },
  items: readonly T[],
  shape: (item: T) => S,
  usual: number = defaultPage,
): { items: S[]; headers: Record<string, string> } {
  const perPage = Math.min(Math.max(largestPage, usual), Math.max(1, numberOf(call.query, "per_page") ?? usual));
  const number = Math.max(1, numberOf(call.query, "page") ?? 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (rel: string, to: number) => {
    const url = new URL(call.url);
    url.searchParams.set("page", String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(number > 1 ? [link("prev", number - 1)] : []),
    ...(number < last ? [link("next", number + 1), link("last", last)] : []),
    ...(number > 1 ? [link("first", 1)] : []),
  ];
  return {
    items: items.slice((number - 1) * perPage, number * perPage).map(shape),
    headers: links.length === 0 ? {} : { link: links.join(", ") },
  };
}

function numberOf(query: object, name: string): number | null {
  const value: unknown = Reflect.get(query, name);
  return typeof value === "number" ? value : null;
}

export function list<T, S>(
  call: RouteContext & { readonly query: object },
  items: readonly T[],
  shape: (item: T) => S,
): Answer {
  const { items: body, headers } = page(call, items, shape);
  return { status: 200, body, headers };
}

/** Lists that come as `{total_count, <name>: […]}`. */
export function counted<T, S>(
  call: RouteContext & { readonly query: object },
  name: string,
  items: readonly T[],
  shape: (item: T) => S,
): Answer {
  const { items: body, headers } = page(call, items, shape);
  return { status: 200, body: { total_count: items.length, [name]: body }, headers };
}
