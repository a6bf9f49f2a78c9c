/**
 * The issuer of the jobs' OIDC tokens: discovery, published keys, and the endpoint at which a job asks for a token
 * with an audience of its choice. A server of its own, as at GitHub, where the issuer has a host of its own.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

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
  readonly issuer: string;
  grant(claims: OidcClaims): OidcAccess;
  close(): Promise<void>;
}

/** GitHub's tokens live for five minutes. */
const LIFETIME_SECONDS = 300;
/** An audience is a name or an address; nobody needs more. */
const AUDIENCE_LIMIT = 1024;

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Starts the issuer on 127.0.0.1. `port` 0: any free one. */
export async function startOidcIssuer(options: { readonly port: number }): Promise<OidcIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = randomUUID();
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" }] };
  /** Request token -> the job's claims. */
  const grants = new Map<string, OidcClaims>();
  let issuer = "";

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", issuer);
    if (request.method !== "GET") return send(response, 405, { message: "Method Not Allowed" });
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return send(response, 200, {
          issuer,
          jwks_uri: `${issuer}/.well-known/jwks`,
          subject_types_supported: ["public", "pairwise"],
          response_types_supported: ["id_token"],
          id_token_signing_alg_values_supported: ["RS256"],
          scopes_supported: ["openid"],
        });
      case "/.well-known/jwks":
        return send(response, 200, jwks);
      case "/token": {
        const claims = grants.get((request.headers.authorization ?? "").replace(/^bearer /i, ""));
        if (claims === undefined)
          return send(response, 401, { message: "The request token is unknown or the job is over" });
        const audience = url.searchParams.get("audience") ?? `https://github.com/${claims.repository_owner}`;
        if (audience.length > AUDIENCE_LIMIT) return send(response, 400, { message: "The audience is too long" });
        const now = Math.floor(Date.now() / 1000);
        const value = await new SignJWT({ ...claims })
          .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
          .setIssuer(issuer)
          .setAudience(audience)
          .setJti(randomUUID())
          .setIssuedAt(now)
          .setNotBefore(now - 5)
          .setExpirationTime(now + LIFETIME_SECONDS)
          .sign(privateKey);
        return send(response, 200, { count: value.length, value });
      }
      default:
        return send(response, 404, { message: "Not Found" });
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      send(response, 500, { message: error instanceof Error ? error.message : String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the OIDC issuer has no port");
  issuer = `http://127.0.0.1:${address.port}`;

  return {
    issuer,
    grant(claims) {
      const token = `ghid_${randomBytes(24).toString("hex")}`;
      grants.set(token, claims);
      return { url: `${issuer}/token?api-version=2.0`, token, revoke: () => void grants.delete(token) };
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
