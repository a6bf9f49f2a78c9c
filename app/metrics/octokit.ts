/** Counts what an Octokit asks of GitHub, and what GitHub says of its rate limit in the answers. */
import type { ProbotOctokit } from "probot";
import { z } from "zod";
import type { Metrics } from "./metrics.ts";

const headers = z.object({
  "x-ratelimit-limit": z.coerce.number().int().nonnegative().optional(),
  "x-ratelimit-remaining": z.coerce.number().int().nonnegative(),
  /** Seconds since the epoch. */
  "x-ratelimit-reset": z.coerce.number().int().positive(),
  "x-ratelimit-resource": z.string().min(1),
});
const failed = z.object({ status: z.number().int(), response: z.object({ headers: z.unknown() }).optional() });

/** Clients that are counted already: one may be asked for several times. */
const METERED = new WeakSet<object>();

/** The same client; from now on its requests are counted. */
export function metered<T extends Pick<ProbotOctokit, "hook">>(
  octokit: T,
  installationId: number | null,
  metrics: Metrics,
): T {
  if (METERED.has(octokit)) {
    return octokit;
  }
  METERED.add(octokit);
  octokit.hook.wrap("request", async (request, options) => {
    const kind = options.url.endsWith("/graphql") ? "graphql" : options.method.toUpperCase();
    const count = (status: number | null, answered: unknown): void => {
      const limit = headers.safeParse(answered).data;
      metrics.requested({
        installationId,
        kind,
        status,
        rateLimit:
          limit === undefined
            ? null
            : {
                resource: limit["x-ratelimit-resource"],
                limit: limit["x-ratelimit-limit"] ?? null,
                remaining: limit["x-ratelimit-remaining"],
                resetAt: limit["x-ratelimit-reset"] * 1_000,
              },
      });
    };
    try {
      const answer = await request(options);
      count(answer.status, answer.headers);
      return answer;
    } catch (error) {
      const seen = failed.safeParse(error).data;
      // Octokit calls it a 500 when nothing was answered at all.
      count(seen?.response === undefined ? null : seen.status, seen?.response?.headers);
      throw error;
    }
  });
  return octokit;
}
