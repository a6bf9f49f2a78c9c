import { once } from "node:events";
import type { Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { findLeader } from "../../../src/coordinator/client/find-leader.ts";
import { requestJson } from "../../../src/coordinator/client/http.ts";
import { Runs } from "../../../src/coordinator/hosting/runs.ts";
import {
  createLeaderServer,
  leaderProofHandler,
  makeLeaderIdentity,
  proveLeader,
} from "../../../src/coordinator/server/leader.ts";
import { serveLeader } from "../../../src/coordinator/server/serve.ts";
import { groupJobs, type Issuer, startIssuer } from "../admission/issuer.ts";

const KEY = { repositoryId: "42", runId: "1001", attempt: 1, group: "train", plan: "plan" };
const signal = AbortSignal.timeout(30_000);

let issuer: Issuer;
const servers: Server[] = [];
beforeAll(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(async () => {
  await issuer.close();
});

async function listen(idToken: (audience: string) => Promise<string>, seen: string[] = [], port = 0): Promise<string> {
  const identity = await makeLeaderIdentity(new Date());
  const proof = leaderProofHandler({ identity, idToken, now: Date.now });
  const server = createLeaderServer(identity, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    void proof(request, response).then((answered) => {
      if (!answered) response.writeHead(200, { "content-type": "application/json" }).end('{"hello":"follower"}');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const verifier = (audience: string) => createTokenVerifier({ issuer: issuer.url, audience });
const jobs = groupJobs(KEY);
const checkJob = jobs.check.bind(jobs);
const asked = { isTrusted: true, verifier, checkJob, timeoutMs: 10_000, signal };

it("accepts the leader of its own run and then talks to that certificate alone", async () => {
  const address = await listen((audience) => issuer.token({ audience }));
  const leader = await proveLeader({ address, ...asked });
  const answer = await requestJson({
    method: "GET",
    url: new URL("/x", leader.url),
    bearer: "t",
    agent: leader.agent,
    timeoutMs: 5000,
    signal,
  });
  expect(answer.body).toEqual({ hello: "follower" });

  const other = await listen((audience) => issuer.token({ audience }));
  const swapped = requestJson({
    method: "GET",
    url: new URL(`https://${other}/x`),
    bearer: "t",
    agent: leader.agent,
    timeoutMs: 5000,
    signal,
  });
  await expect(swapped).rejects.toThrow(/certificate/);
  leader.agent.destroy();
});

it.each([
  [
    "a token of another run",
    (audience: string) => issuer.token({ audience, claims: { run_id: "666" } }),
    "workflow run 666",
  ],
  [
    "a token of another repository",
    (audience: string) => issuer.token({ audience, claims: { repository_id: "666" } }),
    "repository 666",
  ],
  ["a self-signed token", (audience: string) => issuer.token({ audience, signer: "self" }), "signature"],
  [
    "the true leader's token for another certificate",
    () => issuer.token({ audience: "stagewright-leader:abc" }),
    "audience",
  ],
])("refuses a false leader that shows %s, before sending it anything secret", async (_name, idToken, says) => {
  const seen: string[] = [];
  const address = await listen(idToken, seen);
  await expect(proveLeader({ address, ...asked })).rejects.toThrow(says);
  expect(seen).toEqual(["GET /api/leader -"]);
});

it("finds its leader at an address where an earlier attempt's leader was refused before", async () => {
  const address = await listen((audience) => issuer.token({ audience, claims: { run_attempt: "666" } }));
  const said: string[] = [];
  const options = { addresses: async () => [address], isTrusted: true, verifier, jobs, timeoutMs: 20_000 };
  const found = findLeader({ ...options, say: (text) => said.push(text) }, signal);
  await expect.poll(() => said, { timeout: 10_000 }).toHaveLength(1);
  expect(said[0]).toContain("a false leader was refused");
  const [before] = servers.splice(0);
  before?.closeAllConnections();
  await new Promise((resolve) => before?.close(resolve));
  await listen((audience) => issuer.token({ audience }), [], Number(address.split(":")[1]));
  const leader = await found;
  expect(leader.url.host).toBe(address);
  leader.agent.destroy();
});

it("takes its port once an earlier attempt's leader has let go of it", async () => {
  const address = await listen((audience) => issuer.token({ audience }));
  const said: string[] = [];
  const onError = (error: unknown, what: string): void => void said.push(`${what}: ${String(error)}`);
  const idToken = (audience: string) => issuer.token({ audience });
  const runs = new Runs({ store: null, onError });
  const serving = serveLeader({
    listen: address,
    advertise: address,
    idToken,
    verifier,
    key: KEY,
    runs,
    onError,
    signal,
  });
  await expect.poll(() => said, { timeout: 10_000 }).toEqual([expect.stringContaining("EADDRINUSE")]);
  const [before] = servers.splice(0);
  await new Promise((resolve) => before?.close(resolve));
  const leader = await serving;
  expect(leader.address).toBe(address);
  await leader.close();
});

// A handshake may take ten seconds.
it("ends without waiting for whoever has connected and says nothing", { timeout: 8_000 }, async () => {
  const onError = (error: unknown): void => expect.fail(String(error));
  const idToken = (audience: string) => issuer.token({ audience });
  const runs = new Runs({ store: null, onError });
  const options = { listen: "127.0.0.1:0", advertise: null, idToken, verifier, key: KEY, runs, onError, signal };
  const leader = await serveLeader(options);
  const silent = connect(Number(leader.address.split(":")[1]), "127.0.0.1");
  await once(silent, "connect");
  const gone = once(silent, "close");
  await leader.close();
  await gone;
});
