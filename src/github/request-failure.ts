/** What a failed request to GitHub means, whichever Octokit threw it. */
import { z } from "zod";

export interface RequestFailure {
  /**
   * `permission`: the token may not, or may not see it (GitHub answers 404 then); trying again is no use.
   * `rate_limit`: later. `temporary`: GitHub's trouble or the network's. `rejected`: the request itself is wrong.
   */
  readonly kind: "permission" | "rate_limit" | "temporary" | "rejected";
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly message: string;
  /** How long GitHub asks to wait; null: it did not say. */
  readonly retryAfterMs: number | null;
}

const headerValue = z.union([z.string(), z.number()]).transform(String);
const thrown = z.object({
  status: z.number().optional().catch(undefined),
  message: z.string().catch("no message"),
  response: z
    .object({
      headers: z
        .object({
          "retry-after": headerValue.optional().catch(undefined),
          "x-ratelimit-remaining": headerValue.optional().catch(undefined),
          "x-ratelimit-reset": headerValue.optional().catch(undefined),
        })
        .catch({}),
    })
    .optional()
    .catch(undefined),
});

/** Sorts what a request threw. `now`: milliseconds since the epoch, to read a rate limit's reset by. */
export function requestFailure(error: unknown, now: number): RequestFailure {
  if (error instanceof z.ZodError) {
    // Cut off, or a proxy's page: whether the request was carried out is not known.
    const message = `GitHub's answer is not what was expected: ${z.prettifyError(error)}`;
    return { kind: "temporary", status: null, message, retryAfterMs: null };
  }
  const parsed = thrown.safeParse(error);
  if (!parsed.success) return { kind: "temporary", status: null, message: String(error), retryAfterMs: null };
  const { message, response } = parsed.data;
  // Octokit says 500 when there was no answer at all.
  const status = response === undefined && parsed.data.status === 500 ? null : (parsed.data.status ?? null);
  const headers = response?.headers ?? {};
  const exhausted = headers["x-ratelimit-remaining"] === "0";
  const retryAfterMs = bounded(
    milliseconds(headers["retry-after"]) ?? (exhausted ? untilReset(headers["x-ratelimit-reset"], now) : null),
  );
  const failure = (kind: RequestFailure["kind"]): RequestFailure => ({ kind, status, message, retryAfterMs });

  if (status === null || status >= 500 || status === 408) return failure("temporary");
  if (status === 429) return failure("rate_limit");
  if (status === 403 && (retryAfterMs !== null || exhausted || /rate limit/iu.test(message)))
    return failure("rate_limit");
  if (status === 401 || status === 403 || status === 404) return failure("permission");
  return failure("rejected");
}

/** GitHub's limits begin anew each hour: whatever is asked for, after that it is worth another try. */
const LONGEST_WAIT_MS = 3_600_000;

function milliseconds(seconds: string | undefined): number | null {
  const value = Number(seconds ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value * 1000 : null;
}

function bounded(ms: number | null): number | null {
  return ms === null ? null : Math.min(ms, LONGEST_WAIT_MS);
}

/** `x-ratelimit-reset` is in seconds since the epoch. */
function untilReset(reset: string | undefined, now: number): number | null {
  const at = milliseconds(reset);
  return at === null ? null : Math.max(0, at - now);
}
