/**
 * Probot's client without the plugins that pace and retry: the app paces its writes itself, once for all kinds of
 * requests, and a write that failed is read back before anything is sent again.
 */
import { ProbotOctokit } from "probot";
import { messagesOnly } from "../audit/private-log.ts";
import type { AppToken } from "./app-token.ts";

type Options = ConstructorParameters<typeof ProbotOctokit>[0];

/** A function, because it must come after Probot's own defaults. */
export const Octokit = ProbotOctokit.defaults((options: Options) => ({
  ...options,
  ...(options?.log === undefined ? {} : { log: messagesOnly(options.log) }),
  throttle: { enabled: false },
  retry: { enabled: false },
}));

/** The same, whose app tokens `createJwt` makes, instead of Octokit with a private key of its own. */
export function octokitWithTokens(createJwt: (appId: number | string, ahead?: number) => Promise<AppToken>) {
  return Octokit.defaults((options: Options) => {
    const { privateKey: _, ...auth } = options?.auth ?? {};
    return { ...options, auth: { ...auth, createJwt } };
  });
}

/**
 * Ends requests that bring no signal of their own: an installation's token is fetched inside of another request, whose
 * signal does not reach it, and a whole installation would wait for an answer that never comes.
 * @param ms milliseconds
 */
export function fetchWithin(ms: number): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(ms) });
}
