/** One GraphQL request, with what came back of it even when parts of it failed. */
import { z } from "zod";
import type { GitHubClient } from "./port.ts";

export interface GraphqlError {
  readonly message: string;
  /** `NOT_FOUND`, `FORBIDDEN`, …; null: GitHub did not say. */
  readonly type: string | null;
  /** The alias it happened under; null: the request as a whole. */
  readonly alias: string | null;
  /** From the alias down to the field that failed; empty: the request as a whole. */
  readonly path: readonly (string | number)[];
}

export interface GraphqlAnswer {
  /** By alias. Null: nothing was carried out. */
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly GraphqlError[];
}

/** GitHub said with status 200 that it is too much; shaped like a failed request, so that it is sorted as one. */
export class GraphqlRateLimited extends Error {
  override readonly name = "GraphqlRateLimited";
  readonly status = 429;
  readonly response: { readonly headers: Readonly<Record<string, string | number | undefined>> };

  constructor(message: string, headers: Readonly<Record<string, string | number | undefined>>) {
    super(message);
    this.response = { headers };
  }
}

const rateLimit = /rate limit/iu;

/** What Octokit throws when an answer holds errors: status 200, and the data of what went well. */
const responseError = z.object({
  headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()).catch({}),
  data: z.record(z.string(), z.unknown()).nullish().catch(null),
  errors: z
    .array(
      z.object({
        message: z.string().catch("no message"),
        type: z.string().nullish(),
        path: z.array(z.union([z.string(), z.number()])).nullish(),
      }),
    )
    .min(1),
});

/**
 * Sends it once. Errors of single aliases come back beside the data of the others; throws GraphqlRateLimited when
 * GitHub refused all of it for now, and whatever the client throws when there was no answer or another status.
 */
export async function sendGraphql(
  client: GitHubClient,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): Promise<GraphqlAnswer> {
  try {
    const data = await client.graphql(query, { ...variables, request: { signal } });
    return { data: z.record(z.string(), z.unknown()).parse(data), errors: [] };
  } catch (error) {
    const parsed = responseError.safeParse(error);
    if (!parsed.success) {
      throw error;
    }
    const { headers, data, errors } = parsed.data;
    const limited = errors.find((each) => each.type === "RATE_LIMITED" || rateLimit.test(each.message));
    if (limited !== undefined && (data == null || Object.values(data).every((value) => value === null))) {
      throw new GraphqlRateLimited(limited.message, headers);
    }
    return {
      data: data ?? null,
      errors: errors.map((each) => ({
        message: each.message,
        type: each.type ?? null,
        alias: typeof each.path?.[0] === "string" ? each.path[0] : null,
        path: each.path ?? [],
      })),
    };
  }
}

/** GitHub answered a question in part, or not at all: whatever is missing from it cannot be told from what is not there. */
export class GraphqlUnread extends Error {
  override readonly name = "GraphqlUnread";
}

/** The app may not see what decides here; shaped like a refused request, so that it is sorted as one. */
export class GraphqlForbidden extends Error {
  override readonly name = "GraphqlForbidden";
  readonly status = 403;
}

/** What keeps an answer from being one: nothing there is an answer, and so is what the app may not see. */
export function isUnread({ type }: GraphqlError): boolean {
  return type !== "NOT_FOUND" && type !== "FORBIDDEN";
}

/** A query, not a mutation. @throws GraphqlUnread when GitHub failed to read any part of it; what `sendGraphql` throws */
export async function readGraphql(
  client: GitHubClient,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): Promise<GraphqlAnswer> {
  const answer = await sendGraphql(client, query, variables, signal);
  const failed = answer.errors.find(isUnread);
  if (failed !== undefined) throw new GraphqlUnread(`GitHub could not read all that it was asked: ${failed.message}`);
  return answer;
}
