/**
 * Who may join: an agent reaches only the run that its token names.
 *
 * On GitHub the token is the job's OIDC token, checked against the issuer's published keys. Elsewhere (the command on
 * one machine, a sandbox without OIDC) a shared secret stands in, and then the run's key is taken as said.
 * `sub` is never looked at: its format changed for repositories created after 2026-07-15.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import { githubId } from "../../github/id.ts";
import { connectionProblem } from "../../proxy.ts";
import type { RunKey } from "../../run/types.ts";
import { Refusal, WrongClock } from "../protocol/refusal.ts";

export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** Runners' clocks drift; GitHub's tokens live five minutes. Seconds. */
const CLOCK_TOLERANCE_S = 30;

const numeric = z.union([z.string().regex(/^\d+$/), z.number().int().min(0).transform(String)]);

const claimsSchema = z.object({
  repository: z.string(),
  repository_id: githubId,
  run_id: githubId,
  run_attempt: numeric,
  check_run_id: githubId.optional(),
  job_workflow_ref: z.string().optional(),
});

/** The moments between which a token holds, by its issuer's clock. Seconds since the epoch. */
const timesSchema = z.object({ nbf: z.number().optional(), exp: z.number().optional() });

/** What a verified token says of the job that holds it. */
export interface JobClaims {
  readonly repository: string;
  readonly repositoryId: string;
  readonly runId: string;
  readonly attempt: number;
  /** The job's check run. GitHub Enterprise Server does not say it. */
  readonly checkRunId: string | null;
  /** The workflow file that defines the job, with its repository and ref: `acme/widgets/.github/workflows/x.yml@refs/heads/main`. */
  readonly jobWorkflowRef: string | null;
}

export type TokenVerifier = (token: string) => Promise<JobClaims>;

/**
 * A verifier of GitHub's OIDC tokens.
 * @param issuer `https://token.actions.githubusercontent.com`, or a GitHub Enterprise Server's own.
 * @param audience what the token must have been asked for: it keeps a token for one coordinator from serving another.
 * @returns a function that throws `Refusal` with the reason for anything but a valid token; `unavailable` when the
 * issuer's keys cannot be read now. Whatever strangers send, the issuer is asked once in a while.
 */
export function createTokenVerifier(options: {
  issuer: string;
  audience: string;
  keys?: JWTVerifyGetKey;
}): TokenVerifier {
  const keys = options.keys ?? discoverKeys(options.issuer);
  return async (token) => {
    let payload: unknown;
    try {
      checkUnverified(token, options);
      ({ payload } = await jwtVerify(token, keys, {
        issuer: options.issuer,
        audience: options.audience,
        algorithms: ["RS256"],
        requiredClaims: ["exp", "iat"],
        clockTolerance: CLOCK_TOLERANCE_S,
      }));
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Refusal(
          "unavailable",
          `the keys of ${options.issuer} could not be read (${why})`,
          KEYS_REST_MS / 1_000,
        );
      }
      throw new Refusal("unauthorized", `the token was refused: ${whyRefused(error, options)}`);
    }
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) {
      const missing = claims.error.issues.map((issue) => issue.path.join(".")).join(", ");
      throw new Refusal("unauthorized", `the token was refused: it lacks a usable ${missing}`);
    }
    return jobClaims(claims.data);
  };
}

/**
 * What this job's own token says, which was made just now: it comes from the runner itself.
 * @throws Error when it is no token of GitHub's; WrongClock when it does not hold by this machine's clock
 */
export function ownClaims(token: string): JobClaims {
  const payload = decodeJwt(token);
  const times = timesSchema.parse(payload);
  const now = Date.now() / 1_000;
  const isBehind = now < (times.nbf ?? now) - CLOCK_TOLERANCE_S;
  if (isBehind || now >= (times.exp ?? Number.POSITIVE_INFINITY) + CLOCK_TOLERANCE_S) {
    throw new WrongClock(
      `the clock of this machine is wrong: a token that was made for this job just now ${timesClaimed(times)}; set it right, no job's token can be checked by it`,
    );
  }
  return jobClaims(claimsSchema.parse(payload));
}

/** When a token holds, and the clock that it was held against. */
function timesClaimed(payload: unknown): string {
  const { nbf, exp } = timesSchema.parse(payload);
  const told = (seconds: number | undefined): string =>
    seconds === undefined ? "any time" : `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
  return `holds from ${told(nbf)} to ${told(exp)}, and this clock says ${told(Date.now() / 1_000)}`;
}

function jobClaims(claims: z.infer<typeof claimsSchema>): JobClaims {
  return {
    repository: claims.repository,
    repositoryId: claims.repository_id,
    runId: claims.run_id,
    attempt: Number(claims.run_attempt),
    checkRunId: claims.check_run_id ?? null,
    jobWorkflowRef: claims.job_workflow_ref ?? null,
  };
}

/** Refuses claims that name another run than `key`, with both named. */
export function checkClaims(claims: JobClaims, key: RunKey): void {
  const pairs: readonly [string, string, string][] = [
    ["repository", claims.repositoryId, key.repositoryId],
    ["workflow run", claims.runId, key.runId],
    ["attempt", String(claims.attempt), String(key.attempt)],
  ];
  for (const [what, token, asked] of pairs) {
    if (token !== asked) {
      throw new Refusal(
        "wrong_run",
        `the token names ${what} ${token}, the request ${what} ${asked}: an agent may join only the run its own job belongs to`,
      );
    }
  }
}

/** Compares in a time that tells neither where they differ nor how long the expected one is. */
export function secretMatches(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * What a token says of itself, before the issuer is asked for its keys: one that was not made for us costs no request.
 * Nothing is believed for it.
 */
function checkUnverified(token: string, { issuer, audience }: { issuer: string; audience: string }): void {
  const claimed = decodeJwt(token);
  const wrong = (claim: string) => new errors.JWTClaimValidationFailed(`unexpected "${claim}"`, claimed, claim);
  if (claimed.iss !== issuer) throw wrong("iss");
  if (![claimed.aud].flat().includes(audience)) throw wrong("aud");
}

/** After the issuer could not be asked it is left alone for so long, whoever comes with tokens meanwhile. */
const KEYS_REST_MS = 5_000;
const KEYS_TIMEOUT_MS = 10_000;
/** An unknown key id may be a new key, or a stranger's invention: the keys are read again at most this often. */
const KEYS_COOLDOWN_MS = 30_000;

/** Finds the issuer's keys once, when first needed; what failed is tried again with a later token. */
function discoverKeys(issuer: string): JWTVerifyGetKey {
  const ask = restingFetch();
  let found: Promise<JWTVerifyGetKey> | null = null;
  const discover = async (): Promise<JWTVerifyGetKey> => {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await ask(url, { signal: AbortSignal.timeout(KEYS_TIMEOUT_MS) });
    const configuration = discoverySchema.parse(await response.json());
    if (configuration.issuer !== issuer)
      throw new Error(`${url} speaks for ${configuration.issuer}, not for ${issuer}`);
    const keys = new URL(configuration.jwks_uri);
    return createRemoteJWKSet(keys, {
      timeoutDuration: KEYS_TIMEOUT_MS,
      cooldownDuration: KEYS_COOLDOWN_MS,
      [customFetch]: ask,
    });
  };
  return async (header, token) => {
    if (found === null) {
      const begun = discover();
      found = begun;
      begun.catch(() => setTimeout(() => (found = null), KEYS_REST_MS).unref());
    }
    return await (await found)(header, token);
  };
}

/** `fetch` that fails at once for a while after it has failed. @throws an Error that is none of jose's */
function restingFetch(): (url: string, options: RequestInit) => Promise<Response> {
  let failure: { readonly message: string; readonly until: number } | null = null;
  return async (url, options) => {
    if (failure !== null && performance.now() < failure.until) throw new Error(failure.message);
    failure = null;
    try {
      const response = await fetch(url, options);
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      return response;
    } catch (error) {
      const message = connectionProblem(error, new URL(url));
      failure = { message, until: performance.now() + KEYS_REST_MS };
      // Under a name that says nothing to jose, which would take it for a fault of the token.
      throw new Error(message, { cause: error });
    }
  };
}

function whyRefused(error: errors.JOSEError, options: { issuer: string; audience: string }): string {
  // Whoever reads this may be elsewhere: which clock is wrong can only be seen with both.
  if (error instanceof errors.JWTExpired) return `it has expired: it ${timesClaimed(error.payload)}`;
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "aud") return `it was made for another audience than ${options.audience}`;
    if (error.claim === "iss") return `it was not issued by ${options.issuer}`;
    if (error.claim === "nbf") return `it does not hold yet: it ${timesClaimed(error.payload)}`;
    return `its claim ${error.claim} does not hold`;
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed) {
    return `its signature is not by a key of ${options.issuer}`;
  }
  return error.message;
}
