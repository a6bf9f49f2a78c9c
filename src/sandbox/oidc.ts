/**
 * The issuer of the jobs' OIDC tokens: discovery, published keys, and the endpoint at which a job asks for a token
 * with an audience of its choice. It lives below the sandbox's own address, where GitHub Enterprise Server has it.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { json, type Request, type Response } from "./server/message.ts";

/** Where GitHub Enterprise Server's issuer is, below the server's address. */
export const ISSUER_PATH = "/_services/token";

/** What a job's tokens say; GitHub writes each value as text. */
export interface OidcClaims {
  readonly sub: string;
  readonly repository: string;
  readonly repository_id: string;
  readonly repository_owner: string;
  readonly repository_owner_id: string;
  readonly repository_visibility: string;
  readonly run_id: string;
  readonly run_number: string;
  readonly run_attempt: string;
  readonly workflow: string;
  readonly workflow_ref: string;
  readonly workflow_sha: string;
  /** The file that defines the job: the called one in a reusable workflow. */
  readonly job_workflow_ref: string;
  readonly job_workflow_sha: string;
  readonly runner_environment: string;
  readonly ref: string;
  readonly ref_type: string;
  readonly ref_protected: string;
  readonly head_ref: string;
  readonly base_ref: string;
  readonly sha: string;
  readonly actor: string;
  readonly actor_id: string;
  readonly event_name: string;
  readonly check_run_id: string;
  readonly environment?: string;
}

/** What a job gets: the values of ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
export interface OidcAccess {
  readonly url: string;
  readonly token: string;
  /** The job is over: no more tokens for it. */
  revoke(): void;
}

export interface OidcIssuer {
  /** The `iss` of every token; discovery is below it. */
  issuer(): string;
  /** Answers requests below the issuer's address. */
  handle(request: Request): Promise<Response>;
  grant(claims: OidcClaims): OidcAccess;
}

/** GitHub's tokens live for five minutes. */
const LIFETIME_SECONDS = 300;
/** An audience is a name or an address; nobody needs more. */
const AUDIENCE_LIMIT = 1024;

/** An issuer with a new key. `server`: the sandbox's address, known when the first token is wanted. */
export async function createOidcIssuer(server: () => string): Promise<OidcIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = randomUUID();
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" }] };
  /** Request token -> the job's claims. */
  const grants = new Map<string, OidcClaims>();
  const issuer = (): string => `${server()}${ISSUER_PATH}`;

  async function tokenFor(claims: OidcClaims, audience: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
      .setIssuer(issuer())
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setNotBefore(now - 5)
      .setExpirationTime(now + LIFETIME_SECONDS)
      .sign(privateKey);
  }

  return {
    issuer,
    async handle(request) {
      if (request.method !== "GET") return json(405, { message: "Method Not Allowed" });
      switch (request.url.pathname.slice(ISSUER_PATH.length)) {
        case "/.well-known/openid-configuration":
          return json(200, {
            issuer: issuer(),
            jwks_uri: `${issuer()}/.well-known/jwks`,
            subject_types_supported: ["public", "pairwise"],
            response_types_supported: ["id_token"],
            id_token_signing_alg_values_supported: ["RS256"],
            scopes_supported: ["openid"],
          });
        case "/.well-known/jwks":
          return json(200, jwks);
        case "/token": {
          const claims = grants.get((request.headers.authorization ?? "").replace(/^bearer /i, ""));
          if (claims === undefined) return json(401, { message: "The request token is unknown or the job is over" });
          const audience = request.url.searchParams.get("audience") ?? `${server()}/${claims.repository_owner}`;
          if (audience.length > AUDIENCE_LIMIT) return json(400, { message: "The audience is too long" });
          const value = await tokenFor(claims, audience);
          return json(200, { count: value.length, value });
        }
        default:
          return json(404, { message: "Not Found" });
      }
    },
    grant(claims) {
      const token = `ghid_${randomBytes(24).toString("hex")}`;
      grants.set(token, claims);
      return { url: `${issuer()}/token?api-version=2.0`, token, revoke: () => void grants.delete(token) };
    },
  };
}
