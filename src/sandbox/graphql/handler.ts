/** GraphQL over HTTP: graphql-js executes requests over GitHub's own SDL. */
import {
  buildSchema,
  type DocumentNode,
  defaultTypeResolver,
  execute,
  type GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  parse,
  validate,
} from "graphql";
import { z } from "zod";
import { BadCredentials, identify } from "../auth/caller.ts";
import { limitHeaders, type RateLimits } from "../auth/limits.ts";
import { json, type Request, type Response } from "../server/message.ts";
import type { World } from "../world/index.ts";
import {
  asGraphqlError,
  type Context,
  define,
  Entity,
  failure,
  notImplemented,
  type TypeDefinition,
  UNREAD,
} from "./define.ts";
import { checkMutations } from "./mutations/checks.ts";
import { pullMutations } from "./mutations/pulls.ts";
import { Query } from "./query.ts";
import { checkTypes } from "./types/checks.ts";
import { commitTypes } from "./types/commit.ts";
import { mergeQueueTypes } from "./types/merge-queue.ts";
import { peopleTypes } from "./types/people.ts";
import { pullTypes } from "./types/pull.ts";
import { repositoryTypes } from "./types/repository.ts";
import { timelineTypes } from "./types/timeline.ts";

const Mutation = define<null>("Mutation", { ...pullMutations, ...checkMutations });

/** Every type that has resolvers. */
export const types: readonly TypeDefinition[] = [
  Query,
  Mutation,
  ...peopleTypes,
  ...repositoryTypes,
  ...commitTypes,
  ...checkTypes,
  ...pullTypes,
  ...timelineTypes,
  ...mergeQueueTypes,
];
const byName = new Map(types.map((type) => [type.name, type]));

let built: Promise<GraphQLSchema> | null = null;

/** GitHub's SDL, loaded and built when it is first needed (half a second) and once only. */
export function githubSchema(): Promise<GraphQLSchema> {
  built ??= import("@octokit/graphql-schema").then(({ schema }) =>
    buildSchema(schema.idl, { assumeValid: true, assumeValidSDL: true }),
  );
  return built;
}

const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const { fieldName: field, parentType } = info;
  try {
    if (field === context.unread) throw failure("SERVICE_UNAVAILABLE", UNREAD);
    if (source instanceof Entity || source === null) {
      const type = byName.get(parentType.name);
      if (type === undefined) throw notImplemented(`${parentType.name}.${field}`);
      return type.resolve(field, source === null ? null : source.value, args, context);
    }
    if (typeof source !== "object" || !(field in source)) throw notImplemented(`${parentType.name}.${field}`);
    const value: unknown = new Map<string, unknown>(Object.entries(source)).get(field);
    return typeof value === "function" ? value(args, context) : value;
  } catch (error) {
    throw asGraphqlError(error);
  }
};

const body = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

interface Prepared {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
}

/** The same query comes again and again: as it was parsed and validated against the one schema. */
const documents = new Map<string, Prepared>();
const documentsKept = 200;

export interface GraphqlOptions {
  readonly world: World;
  readonly limits: RateLimits;
}

export class GraphqlHandler {
  readonly #world: World;
  readonly #limits: RateLimits;

  constructor(options: GraphqlOptions) {
    this.#world = options.world;
    this.#limits = options.limits;
  }

  /** `unread`: a field whose values cannot be read this time. */
  async handle(request: Request, unread: string | null = null): Promise<Response> {
    const documentation = "https://docs.github.com/graphql";
    try {
      const caller = await identify(this.#world, request.headers.authorization);
      if (caller.kind === "anonymous" || caller.kind === "app") {
        return json(401, {
          message: "This endpoint requires you to be authenticated.",
          documentation_url: documentation,
          status: "401",
        });
      }
      if (this.#limits.read(caller, "graphql").remaining === 0) {
        const message = `API rate limit exceeded for ${caller.kind}.`;
        return json(
          200,
          { data: null, errors: [{ type: "RATE_LIMITED", message }] },
          limitHeaders(this.#limits.read(caller, "graphql")),
        );
      }
      const budget = this.#limits.spend(caller, "graphql", 1);
      const context: Context = {
        world: this.#world,
        caller,
        budget: () => this.#limits.read(caller, "graphql"),
        unread,
      };
      const answer = await this.#execute(request.body, context);
      return { ...answer, headers: { ...answer.headers, ...limitHeaders(budget) } };
    } catch (error) {
      if (error instanceof BadCredentials)
        return json(401, { message: error.message, documentation_url: documentation, status: "401" });
      throw error;
    }
  }

  async #execute(text: string, context: Context): Promise<Response> {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return json(400, { message: "Problems parsing JSON" });
    }
    const sent = body.safeParse(parsed);
    if (!sent.success)
      return json(200, { errors: [{ message: "A query attribute must be specified and must be a string." }] });
    const { query, variables, operationName } = sent.data;
    const schema = await githubSchema();
    const { document, errors } = prepare(schema, query);
    if (errors.length > 0) return json(200, { errors: errors.map(shown) });
    const missing = missingRoots(document, operationName ?? null);
    if (missing.length > 0) {
      const told = missing.map((root) => shown(notImplemented(root)));
      return json(501, { message: told.map((one) => one.message).join("; "), data: null, errors: told });
    }
    const result = await execute({
      schema,
      document,
      rootValue: null,
      contextValue: context,
      variableValues: variables ?? {},
      operationName: operationName ?? null,
      fieldResolver: resolveField,
      typeResolver: (value, ...rest) =>
        value instanceof Entity ? value.__typename : defaultTypeResolver(value, ...rest),
    });
    return json(200, {
      ...(result.data === undefined ? {} : { data: result.data }),
      ...(result.errors === undefined ? {} : { errors: result.errors.map(shown) }),
    });
  }
}

function prepare(schema: GraphQLSchema, query: string): Prepared {
  const known = documents.get(query);
  if (known !== undefined) return known;
  let prepared: Prepared;
  try {
    const document = parse(query);
    prepared = { document, errors: validate(schema, document) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "GraphQLError") throw error;
    prepared = { document: { kind: Kind.DOCUMENT, definitions: [] }, errors: [error as GraphQLError] };
  }
  const oldest = documents.keys().next().value;
  if (documents.size >= documentsKept && oldest !== undefined) documents.delete(oldest);
  documents.set(query, prepared);
  return prepared;
}

/** As GitHub writes errors: their type stands beside the message. */
function shown(error: GraphQLError) {
  const { message, locations, path, extensions } = error.toJSON();
  const { type, ...rest } = extensions ?? {};
  return {
    ...(type === undefined ? {} : { type }),
    ...(path === undefined ? {} : { path }),
    ...(Object.keys(rest).length === 0 ? {} : { extensions: rest }),
    ...(locations === undefined ? {} : { locations }),
    message,
  };
}

/** Root fields that nobody answers here. */
function missingRoots(document: DocumentNode, operationName: string | null): string[] {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) return [];
  const root = operation.operation === "mutation" ? Mutation : Query;
  return operation.selectionSet.selections.flatMap((one) =>
    one.kind === Kind.FIELD && !one.name.value.startsWith("__") && !root.fields.includes(one.name.value)
      ? [`${root.name}.${one.name.value}`]
      : [],
  );
}
