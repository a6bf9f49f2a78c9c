/** How GraphQL types are given their fields here. */
import { GraphQLError } from "graphql";
import { judge } from "../auth/access.ts";
import { actorOf, appOf, type Caller } from "../auth/caller.ts";
import type { Budget } from "../auth/limits.ts";
import {
  type AccessLevel,
  type Actor,
  type App,
  type Repository,
  type RepositoryPermission,
  type World,
  WorldError,
} from "../world/index.ts";

export interface Context {
  readonly world: World;
  readonly caller: Exclude<Caller, { kind: "anonymous" | "app" }>;
  readonly budget: () => Budget;
  /** A field whose values could not be read, as a fault has it; null: none. */
  readonly unread: string | null;
}

/** GitHub's words when something broke or took too long. */
export const UNREAD = "Something went wrong while executing your query. This may be the result of a timeout.";

/** A value of a GraphQL object type: the type's name, and what its resolvers read. */
export class Entity<S> {
  readonly __typename: string;
  readonly value: S;

  constructor(typename: string, value: S) {
    this.__typename = typename;
    this.value = value;
  }
}

/** A field. Its arguments were validated against the SDL, so each resolver names the type that the SDL gives them. */
type Resolver<S> = (source: S, args: never, context: Context) => unknown;

export interface TypeDefinition {
  readonly name: string;
  readonly fields: readonly string[];
  resolve(field: string, source: unknown, args: unknown, context: Context): unknown;
}

export interface Defined<S> extends TypeDefinition {
  (value: S): Entity<S>;
}

/** How a value becomes one of the type with this name. */
export type Wrapper<S> = (value: S) => Entity<S>;

export function entity<S>(name: string): Wrapper<S> {
  const wrap = (value: S): Entity<S> => new Entity(name, value);
  return Object.defineProperty(wrap, "name", { value: name });
}

/**
 * Defines the fields of a type, by its name or its wrapper; what it gives wraps a value. The casts are the boundary
 * between graphql-js and typed resolvers.
 */
export function define<S>(of: string | Wrapper<S>, fields: Readonly<Record<string, Resolver<S>>>): Defined<S> {
  const table = new Map(Object.entries(fields));
  const name = typeof of === "string" ? of : of.name;
  return Object.defineProperties(entity<S>(name), {
    fields: { value: [...table.keys()] },
    resolve: {
      value: (field: string, source: unknown, args: unknown, context: Context) => {
        const resolver = table.get(field);
        if (resolver === undefined) throw notImplemented(`${name}.${field}`);
        return resolver(source as S, args as never, context);
      },
    },
  }) as Defined<S>;
}

export function failure(type: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { type } });
}

export function notImplemented(what: string): GraphQLError {
  return failure("NOT_IMPLEMENTED", `not implemented in the sandbox: ${what}`);
}

export function notResolved(id: string): GraphQLError {
  return failure("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
}

/** @throws GraphQLError FORBIDDEN, or NOT_FOUND for what the caller must not know of */
export function need(
  context: Context,
  repo: Repository,
  level: AccessLevel,
  person: RepositoryPermission | null,
  ...permissions: string[]
): void {
  const verdict = judge(context.world, context.caller, repo, { permissions, level, person });
  switch (verdict) {
    case "allowed":
      return;
    case "hidden":
      throw failure("NOT_FOUND", "Could not resolve to a Repository.");
    case "apps_only":
      throw failure("FORBIDDEN", "You must authenticate via a GitHub App.");
    case "forbidden":
      throw failure(
        "FORBIDDEN",
        context.caller.kind === "user"
          ? "You do not have permission to do that."
          : "Resource not accessible by integration",
      );
  }
}

export function reading(context: Context, repo: Repository, ...permissions: string[]): void {
  need(context, repo, "read", "read", ...permissions);
}

export function actor(context: Context): Actor {
  const found = actorOf(context.world, context.caller);
  if (found === null) throw failure("FORBIDDEN", "Resource not accessible by integration");
  return found;
}

export function writingApp(context: Context): App {
  const found = appOf(context.world, context.caller);
  if (found === null) throw failure("FORBIDDEN", "You must authenticate via a GitHub App.");
  return found;
}

/** What the world refuses, in GraphQL's words. */
export function asGraphqlError(error: unknown): unknown {
  if (!(error instanceof WorldError)) return error;
  const types = {
    not_found: "NOT_FOUND",
    invalid: "UNPROCESSABLE",
    forbidden: "FORBIDDEN",
    conflict: "UNPROCESSABLE",
    not_allowed: "UNPROCESSABLE",
    not_implemented: "NOT_IMPLEMENTED",
  } as const;
  const told = error.errors.map((one) => one.message ?? `${one.field ?? one.resource} ${one.code}`).join(", ");
  return failure(types[error.refusal], told === "" ? error.message : told);
}

export interface PageArgs {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

const largestPage = 100;

/**
 * A connection over a list. Cursors are positions from the list's start: what is appended later changes none.
 * @param extra further fields of the connection's type
 */
export function connection<T>(
  name: string,
  items: readonly T[],
  args: PageArgs,
  wrap: (item: T) => unknown,
  extra: object = {},
  edge?: (item: T) => object,
) {
  const size = args.first ?? args.last;
  const bound = args.first !== undefined && args.first !== null ? "first" : "last";
  if (size === undefined || size === null) {
    const unbounded = () => {
      throw failure(
        "MISSING_PAGINATION_BOUNDARIES",
        `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`,
      );
    };
    // Who only counts needs no page.
    return { totalCount: items.length, nodes: unbounded, edges: unbounded, pageInfo: unbounded, ...extra };
  }
  if (size > largestPage) {
    throw failure(
      "EXCESSIVE_PAGINATION",
      `Requesting ${size} records on the \`${name}\` connection exceeds the \`${bound}\` limit of ${largestPage} records.`,
    );
  }
  if (size < 0)
    throw failure("INVALID_CURSOR_ARGUMENTS", `\`${bound}\` on the \`${name}\` connection cannot be less than zero.`);
  const low = args.after === undefined || args.after === null ? 0 : position(name, args.after);
  const high = args.before === undefined || args.before === null ? items.length : position(name, args.before) - 1;
  const start = bound === "first" ? low : Math.max(low, high - size);
  const end = bound === "first" ? Math.min(high, low + size) : high;
  const chosen = items.slice(start, end);
  const cursor = (index: number) => Buffer.from(`cursor:v2:${start + index + 1}`).toString("base64");
  return {
    totalCount: items.length,
    nodes: () => chosen.map(wrap),
    edges: () => chosen.map((item, index) => ({ cursor: cursor(index), node: () => wrap(item), ...edge?.(item) })),
    pageInfo: {
      hasNextPage: end < items.length,
      hasPreviousPage: start > 0,
      startCursor: chosen.length === 0 ? null : cursor(0),
      endCursor: chosen.length === 0 ? null : cursor(chosen.length - 1),
    },
    ...extra,
  };
}

function position(name: string, cursor: string): number {
  const match = /^cursor:v2:(\d+)$/.exec(Buffer.from(cursor, "base64").toString());
  if (match?.[1] === undefined)
    throw failure(
      "INVALID_CURSOR_ARGUMENTS",
      `\`${cursor}\` does not appear to be a valid cursor on the \`${name}\` connection.`,
    );
  return Number(match[1]);
}

/** GraphQL's `Int` has 32 bits: a larger id is told by `fullDatabaseId`, or by an address, or not at all. */
export function int(id: number): number | null {
  return id < 2 ** 31 ? id : null;
}

export function upper(text: string): string {
  return text.toUpperCase();
}

/** A GraphQL variable that may be missing or null. */
export type Optional<T> = T | null | undefined;
