/** A real OIDC issuer on loopback, as GitHub's is: discovery, published keys, RS256 tokens. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JobClaims } from "../../../src/coordinator/admission/admission.ts";
import { GroupJobs, type GroupJobsOptions } from "../../../src/coordinator/admission/jobs.ts";
import type { RunKey } from "../../../src/run/types.ts";

export interface Issuer {
  readonly url: string;
  /** A token for a job; `claims` override, `signer: "self"` signs with a key that is not published. */
  token(options: {
    audience: string;
    claims?: Record<string, unknown>;
    signer?: "self";
    issuer?: string;
    expiresInSeconds?: number;
  }): Promise<string>;
  close(): Promise<void>;
}

export const JOB_CLAIMS = {
  repository: "acme/training",
  repository_id: "42",
  run_id: "1001",
  run_attempt: "1",
  check_run_id: "7001",
};

/** What a job of this check run knows of its group; default: another job of the same workflow run. */
export function groupJobs(
  key: RunKey,
  own: Partial<JobClaims> = {},
  names: Pick<GroupJobsOptions, "onlyJob" | "nameOf"> = { onlyJob: null, nameOf: null },
): GroupJobs {
  const claims = {
    repository: JOB_CLAIMS.repository,
    repositoryId: key.repositoryId,
    runId: key.runId,
    attempt: key.attempt,
    checkRunId: "7777",
    jobWorkflowRef: null,
    ...own,
  };
  return new GroupJobs({ key, own: async () => claims, ...names });
}

/** One pair that all issuers publish, and one that none does. */
const KEYS = Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);

/** @param host the name that its address has: of this machine, whatever it is */
export async function startIssuer(host = "127.0.0.1"): Promise<Issuer> {
  const [published, own] = await KEYS;
  const jwk = { ...(await exportJWK(published.publicKey)), kid: "key-1", alg: "RS256", use: "sig" };
  const server = http.createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/.well-known/openid-configuration") {
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
    } else if (request.url === "/keys") response.end(JSON.stringify({ keys: [jwk] }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async token({ audience, claims, signer, issuer, expiresInSeconds }) {
      const now = Math.floor(Date.now() / 1000);
      return await new SignJWT({ ...JOB_CLAIMS, ...claims })
        .setProtectedHeader({ alg: "RS256", kid: "key-1" })
        .setIssuer(issuer ?? url)
        .setAudience(audience)
        .setIssuedAt(now - 600)
        .setExpirationTime(now + (expiresInSeconds ?? 300))
        .sign(signer === "self" ? own.privateKey : published.privateKey);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
