/** A client whose requests each end after a time, whatever they were given to be ended by. */
import { z } from "zod";
import type { GitHubClient } from "./port.ts";

const given = z.object({ signal: z.instanceof(AbortSignal).optional() });

/** `ms`: for one request, from when it is sent; waiting for one's turn is not counted. */
export function withDeadline(client: GitHubClient, ms: number): GitHubClient {
  const bounded = <T extends Readonly<Record<string, unknown>>>(parameters: T) => {
    const own = given.safeParse(parameters.request).data?.signal;
    const deadline = AbortSignal.timeout(ms);
    const signal = own === undefined ? deadline : AbortSignal.any([own, deadline]);
    const rest = z.record(z.string(), z.unknown()).safeParse(parameters.request).data ?? {};
    return { ...parameters, request: { ...rest, signal } };
  };
  return {
    request: (route, parameters = {}) => client.request(route, bounded(parameters)),
    graphql: (query, variables = {}) => client.graphql(query, bounded(variables)),
  };
}
