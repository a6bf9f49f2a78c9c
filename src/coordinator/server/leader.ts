/**
 * A coordinator inside one of the agents, and how the others make sure that it is the right one.
 *
 * The leader makes a certificate for this run alone and proves that it belongs to a job of the run with an OIDC token
 * whose audience is the certificate's fingerprint. Whoever else is reached at the address (a forged check run, another
 * host) has no such token. Followers send their own tokens only over the proven certificate, and made for it alone.
 */

import type http from "node:http";
import https from "node:https";
import { connect, isIP } from "node:net";
import tls from "node:tls";
import { z } from "zod";
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import { agentOptions, proxyFor } from "../../proxy.ts";
import { SingleFlight } from "../../single-flight.ts";
import type { JobClaims, TokenVerifier } from "../admission/admission.ts";
import { endpointOf } from "../client/addresses.ts";
import { fingerprintOf, pinnedAgent, requestJson } from "../client/http.ts";
import { NO_LEADERS } from "../client/no-leaders.ts";
import { PROTOCOL, PROTOCOLS } from "../protocol/protocol.ts";
import { Refusal } from "../protocol/refusal.ts";
import { boundServer, SERVER_OPTIONS } from "./bounds.ts";

/** GitHub's tokens live five minutes: one is shown at most this long. Milliseconds. */
const PROOF_FRESH_MS = 120_000;
/** A token and a few words. */
const PROOF_BYTES = 64 * 1024;
const PROOF_REST_MS = 1_000;
const HANDSHAKE_MS = 10_000;
/** Two of each agent, and some of whoever else knocks. */
const CONNECTIONS = 2 * PLAN_BOUNDS.agents + 1_000;

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
  // Anybody may ask: GitHub is asked for one token in two minutes all the same, and after a failure not at once again.
  const asking = new SingleFlight<"proof", { token: string }>();
  let proof: { token: string; at: number } | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  const renew = async (): Promise<{ token: string }> => {
    const at = options.now();
    if (at - failedAt < PROOF_REST_MS) throw new Error("a token could not be had a moment ago");
    try {
      proof = { token: await options.idToken(leaderAudience(options.identity.fingerprint)), at };
      return proof;
    } catch (error) {
      failedAt = options.now();
      throw error;
    }
  };
  return async (request, response) => {
    if (request.method !== "GET" || request.url !== "/api/leader") return false;
    const isFresh = proof !== null && options.now() - proof.at <= PROOF_FRESH_MS;
    const { token } = isFresh && proof !== null ? proof : await asking.share("proof", renew);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ protocols: PROTOCOLS, token }));
    return true;
  };
}

export interface ProvenLeader {
  readonly url: URL;
  readonly fingerprint: string;
  /** Connections that accept the proven certificate alone. */
  readonly agent: https.Agent;
  /** The check run of its job; null where tokens do not say it. */
  readonly job: string | null;
}

export interface ProveOptions {
  /** host:port */
  readonly address: string;
  /** False: somebody shows it, who may be anybody; then addresses that no leader has are not connected to. */
  readonly isTrusted: boolean;
  /** Makes a verifier of tokens for an audience. */
  readonly verifier: (audience: string) => TokenVerifier;
  /** Refuses a job that does not lead this run. @throws Refusal; Error when that could not be found out */
  readonly checkJob: (claims: JobClaims, signal: AbortSignal) => Promise<void>;
  /** Milliseconds for the connection, and again for the proof. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Makes sure that the leader of *this* run listens at `address`, over one connection.
 * @throws Refusal with the reason when it does not, `protocol` when it is of another version; a connection's error when
 * none answers
 */
export async function proveLeader(options: ProveOptions): Promise<ProvenLeader> {
  const { address, timeoutMs, signal } = options;
  const url = new URL(`https://${address}`);
  const once = await unprovenConnection(url, options);
  try {
    let certificate: Buffer | undefined;
    const answer = await requestJson({
      method: "GET",
      url: new URL("/api/leader", url),
      bearer: null,
      agent: once,
      timeoutMs,
      signal,
      mostBytes: PROOF_BYTES,
      onPeer: (socket) => {
        certificate = socket.getPeerX509Certificate()?.raw;
      },
    });
    if (certificate === undefined) throw new Error(`${address} shows no certificate`);
    const fingerprint = fingerprintOf(certificate);
    const proof = proofSchema.safeParse(answer.body);
    if (answer.status !== 200 || !proof.success) {
      throw new Refusal("unauthorized", `it does not prove that it leads this run (it answered ${answer.status})`);
    }
    const claims = await options.verifier(leaderAudience(fingerprint))(proof.data.token);
    await options.checkJob(claims, signal);
    // Not before it is known to be the leader: anybody can claim to be of another version.
    if (!proof.data.protocols.includes(PROTOCOL)) {
      throw new Refusal(
        "protocol",
        `${address} speaks protocol ${proof.data.protocols.join(", ")}, this agent ${PROTOCOL}: use one version of the action in all jobs`,
      );
    }
    return { url, fingerprint, job: claims.checkRunId, agent: pinnedAgent(certificate, url) };
  } catch (error) {
    if (error instanceof Refusal && error.code !== "protocol") {
      throw new Refusal(error.code, `${address} is not the leader of this run: ${error.message}`);
    }
    throw error;
  } finally {
    once.destroy();
  }
}

/** A connection on which nothing is believed yet, and nothing secret sent: what is asked and what is shown go over one. */
async function unprovenConnection(url: URL, options: ProveOptions): Promise<https.Agent> {
  if (proxyFor(url) === null) return new OneConnection(await connectUnproven(url, options));
  // What a name stands for the proxy alone knows, and where it connects to is its owner's to say.
  const { host } = endpointOf(url);
  const family = isIP(host);
  if (!options.isTrusted && family !== 0 && NO_LEADERS.check(host, family === 6 ? "ipv6" : "ipv4")) {
    throw new Error(`no leader is reached at ${host}`);
  }
  return new https.Agent({ maxSockets: 1, rejectUnauthorized: false, ...agentOptions(url) });
}

/** A connection on which nothing is believed yet, and nothing secret sent. */
async function connectUnproven(url: URL, { isTrusted, timeoutMs, signal }: ProveOptions): Promise<tls.TLSSocket> {
  const plain = connect({
    ...endpointOf(url),
    ...(isTrusted ? {} : { blockList: NO_LEADERS }),
  });
  const socket = tls.connect({ socket: plain, rejectUnauthorized: false });
  return await new Promise<tls.TLSSocket>((resolve, reject) => {
    const fail = (error: Error): void => {
      over();
      plain.destroy();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error("stopped while connecting to the leader"));
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    plain.on("error", fail);
    socket.on("error", fail);
    socket.once("secureConnect", () => {
      over();
      resolve(socket);
    });
  });
}

/** Requests go over the one connection that is there. */
class OneConnection extends https.Agent {
  readonly #socket: tls.TLSSocket;

  constructor(socket: tls.TLSSocket) {
    super({ maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): tls.TLSSocket {
    return this.#socket;
  }

  override destroy(): void {
    super.destroy();
    this.#socket.destroy();
  }
}

/** The leader's server: TLS with its own certificate. */
export function createLeaderServer(
  identity: LeaderIdentity,
  handle: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): https.Server {
  const server = https.createServer(
    { ...SERVER_OPTIONS, handshakeTimeout: HANDSHAKE_MS, cert: identity.certificatePem, key: identity.privateKeyPem },
    handle,
  );
  return boundServer(server, CONNECTIONS);
}
