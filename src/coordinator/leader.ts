/**
 * A coordinator inside one of the agents, and how the others make sure that it is the right one.
 *
 * The leader makes a certificate for this run alone and proves that it belongs to a job of the run with an OIDC token
 * whose audience is the certificate's fingerprint. Whoever else is reached at the address (a forged check run, another
 * host) has no such token. Followers send their own tokens only over the proven certificate, and made for it alone.
 */
import type http from "node:http";
import https from "node:https";
import tls from "node:tls";
import { z } from "zod";
import type { RunKey } from "../run/types.ts";
import { checkClaims, type TokenVerifier } from "./admission.ts";
import { fingerprintOf, pinnedAgent, requestJson } from "./http.ts";
import { PROTOCOL, PROTOCOLS } from "./protocol.ts";
import { Refusal } from "./refusal.ts";

/** GitHub's tokens live five minutes: one is shown at most this long. Milliseconds. */
const PROOF_FRESH_MS = 120_000;
const CONNECT_MS = 10_000;

export interface LeaderIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** The audience of the token by which a leader proves itself. */
export function leaderAudience(fingerprint: string): string {
  return `stagewright-leader:${fingerprint}`;
}

/** The audience of the tokens that agents join a leader with. */
export function followerAudience(fingerprint: string): string {
  return `stagewright:${fingerprint}`;
}

/** A fresh key and a certificate that ends with the longest possible job (five days). */
export async function makeLeaderIdentity(now: Date): Promise<LeaderIdentity> {
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "commonName", value: "stagewright-leader" }], {
    keyType: "ec",
    notBeforeDate: new Date(now.getTime() - 60 * 60 * 1000),
    notAfterDate: new Date(now.getTime() + 6 * 24 * 60 * 60 * 1000),
    algorithm: "sha256",
  });
  const der = Buffer.from(made.cert.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return { certificatePem: made.cert, privateKeyPem: made.private, fingerprint: fingerprintOf(der) };
}

const proofSchema = z.object({ protocols: z.array(z.number()), token: z.string().max(16_384) });

/**
 * Answers `GET /api/leader` with the proof.
 * @returns false when the request is for something else.
 */
export function leaderProofHandler(options: {
  identity: LeaderIdentity;
  idToken: (audience: string) => Promise<string>;
  now: () => number;
}): (request: http.IncomingMessage, response: http.ServerResponse) => Promise<boolean> {
  let proof: { token: string; at: number } | null = null;
  return async (request, response) => {
    if (request.method !== "GET" || request.url !== "/api/leader") return false;
    if (proof === null || options.now() - proof.at > PROOF_FRESH_MS) {
      proof = { token: await options.idToken(leaderAudience(options.identity.fingerprint)), at: options.now() };
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ protocols: PROTOCOLS, token: proof.token }));
    return true;
  };
}

export interface ProvenLeader {
  readonly url: URL;
  readonly fingerprint: string;
  /** Connections that accept the proven certificate alone. */
  readonly agent: https.Agent;
}

/**
 * Makes sure that the leader of *this* run listens at `address`.
 * @param address host:port.
 * @param verifier makes a verifier of tokens for an audience.
 * @throws Refusal `unauthorized` or `wrong_run` with the reason when it is not; a connection's error when none answers.
 */
export async function proveLeader(options: {
  address: string;
  key: RunKey;
  verifier: (audience: string) => TokenVerifier;
  signal: AbortSignal;
}): Promise<ProvenLeader> {
  const url = new URL(`https://${options.address}`);
  const certificate = await peerCertificate(url, options.signal);
  const fingerprint = fingerprintOf(certificate);
  const agent = pinnedAgent(certificate);
  try {
    const answer = await requestJson({
      method: "GET",
      url: new URL("/api/leader", url),
      bearer: null,
      agent,
      timeoutMs: CONNECT_MS,
      signal: options.signal,
    });
    const proof = proofSchema.safeParse(answer.body);
    if (answer.status !== 200 || !proof.success) {
      throw new Refusal(
        "unauthorized",
        `${options.address} does not prove that it leads this run (it answered ${answer.status})`,
      );
    }
    if (!proof.data.protocols.includes(PROTOCOL)) {
      throw new Refusal(
        "protocol",
        `${options.address} speaks protocol ${proof.data.protocols.join(", ")}, this agent ${PROTOCOL}: use one version of the action in all jobs`,
      );
    }
    checkClaims(await options.verifier(leaderAudience(fingerprint))(proof.data.token), options.key);
    return { url, fingerprint, agent };
  } catch (error) {
    agent.destroy();
    if (error instanceof Refusal && error.code !== "protocol") {
      throw new Refusal(error.code, `${options.address} is not the leader of this run: ${error.message}`);
    }
    throw error;
  }
}

/** The certificate shown at an address, in DER form; nothing is believed or sent yet. */
async function peerCertificate(url: URL, signal: AbortSignal): Promise<Buffer> {
  return await new Promise<Buffer>((resolve, reject) => {
    const socket = tls.connect({ host: url.hostname, port: Number(url.port || 443), rejectUnauthorized: false });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error("stopped while connecting to the leader"));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.setTimeout(CONNECT_MS, () => fail(new Error(`${url.host} did not answer within ${CONNECT_MS / 1000} s`)));
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error(`${url.host} shows no certificate`));
      else resolve(certificate.raw);
    });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
  });
}

/** The leader's server: TLS with its own certificate. */
export function createLeaderServer(
  identity: LeaderIdentity,
  handle: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): https.Server {
  return https.createServer({ cert: identity.certificatePem, key: identity.privateKeyPem }, handle);
}
