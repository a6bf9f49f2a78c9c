/** Whoever may write check runs shows addresses of leaders that are none: they neither hide the true one nor cost much. */
import https from "node:https";
import net from "node:net";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createTokenVerifier } from "../../src/coordinator/admission/admission.ts";
import { findLeader, NoLeader } from "../../src/coordinator/client/find-leader.ts";
import { NO_LEADERS } from "../../src/coordinator/client/no-leaders.ts";
import { PROTOCOLS } from "../../src/coordinator/protocol/protocol.ts";
import { leaderProofHandler, makeLeaderIdentity } from "../../src/coordinator/server/leader.ts";
import { groupJobs, type Issuer, startIssuer } from "../coordinator/admission/issuer.ts";

const KEY = { repositoryId: "42", runId: "1001", attempt: 1, group: "train", plan: "plan" };
const NEVER = new AbortController().signal;
const QUICK = { pauseFirstMs: 20, pauseMostMs: 50, answerFirstMs: 1_000, answerMostMs: 5_000, atOnce: 100 };

let issuer: Issuer;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await issuer.close();
});

async function portOf(server: net.Server, host: string): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("no port");
  return at.port;
}

/** Takes connections and says nothing, at so many addresses. */
async function silent(count: number): Promise<{ addresses: string[]; connections: () => number }> {
  let connections = 0;
  const port = await portOf(
    net.createServer(() => connections++),
    "0.0.0.0",
  );
  const addresses = Array.from({ length: count }, (_, index) => `127.8.${index >> 8}.${index & 255}:${port}`);
  return { addresses, connections: () => connections };
}

async function speaking(answer: (body: { token: string }) => string, claims = {}): Promise<string> {
  const identity = await makeLeaderIdentity(new Date());
  const prove = leaderProofHandler({
    identity,
    idToken: (audience) => issuer.token({ audience, claims }),
    now: Date.now,
  });
  const server = https.createServer(
    { cert: identity.certificatePem, key: identity.privateKeyPem },
    (request, response) => {
      const token = "a.b.c";
      const said = answer({ token });
      if (said === "") void prove(request, response);
      else response.writeHead(200, { "content-type": "application/json" }).end(said);
    },
  );
  return `127.0.0.1:${await portOf(server, "127.0.0.1")}`;
}

const leader = () => speaking(() => "");

const search = (
  addresses: readonly string[],
  more: Partial<Parameters<typeof findLeader>[0]> = {},
  signal: AbortSignal = NEVER,
) =>
  findLeader(
    {
      addresses: async () => addresses,
      isTrusted: false,
      verifier: (audience) => createTokenVerifier({ issuer: issuer.url, audience }),
      jobs: groupJobs(KEY),
      timeoutMs: 25_000,
      say: () => undefined,
      ...more,
      pace: { ...QUICK, ...more.pace },
    },
    signal,
  );

it("finds the leader behind two hundred silent addresses, with not much more than one connection to each", async () => {
  const forged = await silent(200);
  const address = await leader();
  const found = await search([...forged.addresses, address]);
  found.agent.destroy();
  expect(found.url.host).toBe(address);
  expect(forged.connections()).toBeGreaterThanOrEqual(150);
  expect(forged.connections()).toBeLessThanOrEqual(600);
});

it("finds a leader that shows itself while silent addresses are asked", async () => {
  const forged = await silent(100);
  const address = await leader();
  let looks = 0;
  const addresses = async () => (looks++ === 0 ? forged.addresses : [...forged.addresses, address]);
  const found = await search([], { addresses });
  found.agent.destroy();
  expect(found.url.host).toBe(address);
});

it("gives up at its deadline, not when the last address has been asked", async () => {
  const forged = await silent(40);
  const given = search(forged.addresses, { timeoutMs: 300, pace: { atOnce: 4, answerFirstMs: 5_000 } });
  await expect(given).rejects.toThrow(NoLeader);
  await expect(given).rejects.toThrow("40 addresses are shown, ");
  expect(forged.connections()).toBeLessThanOrEqual(4);
});

it("gives up at its deadline, too, when GitHub does not answer", async () => {
  const addresses = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  await expect(search([], { addresses, timeoutMs: 100 })).rejects.toThrow(NoLeader);
});

it("opens so many connections and no more, however long it looks", async () => {
  const forged = await silent(20);
  const pace = { answerFirstMs: 10, answerMostMs: 10, atOnce: 8, connections: 30, connectionEveryMs: 3_600_000 };
  await expect(search(forged.addresses, { timeoutMs: 600, pace })).rejects.toThrow(NoLeader);
  expect(forged.connections()).toBeLessThanOrEqual(30);
});

it.each([
  ["claims to speak another version", JSON.stringify({ protocols: [99], token: "a.b.c" })],
  ["answers without end", "x".repeat(1024 * 1024)],
  ["shows a token that is none", JSON.stringify({ protocols: PROTOCOLS, token: "a.b.c" })],
])("goes on to the leader past somebody who %s", async (_name, said) => {
  const [forged, address] = [await speaking(() => said), await leader()];
  const warned: string[] = [];
  const found = await search([forged, address], { say: (text) => void warned.push(text), pace: { atOnce: 1 } });
  found.agent.destroy();
  expect(found.url.host).toBe(address);
});

it("names five false leaders in the log and counts no further", async () => {
  const forged = await Promise.all(
    Array.from({ length: 9 }, (_, index) => speaking(() => "", { run_id: String(600 + index) })),
  );
  const warnings: string[] = [];
  const stop = new AbortController();
  let looks = 0;
  const addresses = async () => {
    if (warnings.length > 5 && ++looks > 5) stop.abort();
    return forged;
  };
  const say = (text: string) => {
    if (text.startsWith("warning")) warnings.push(text);
  };
  await expect(search([], { addresses, say }, stop.signal)).rejects.toThrow("aborted");
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toContain("not named any more");
});

it("never connects to where no leader is, unless the plan says so", async () => {
  let connections = 0;
  const port = await portOf(
    net.createServer((socket) => {
      connections++;
      socket.destroy();
    }),
    "127.0.0.1",
  );
  // Linux takes 0.0.0.0 for this machine.
  await expect(search([`0.0.0.0:${port}`], { timeoutMs: 300 })).rejects.toThrow("ocked by net.BlockList");
  expect(connections).toBe(0);
  const stop = new AbortController();
  const trusted = search([`0.0.0.0:${port}`], { isTrusted: true }, stop.signal);
  trusted.catch(() => undefined);
  await expect.poll(() => connections).toBeGreaterThan(0);
  stop.abort();
  await expect(trusted).rejects.toThrow("aborted");
  const bad = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "224.0.0.1", "255.255.255.255", "0.0.0.0"];
  for (const address of bad) {
    expect(NO_LEADERS.check(address), address).toBe(true);
    expect(NO_LEADERS.check(`::ffff:${address}`, "ipv6"), address).toBe(true);
  }
  for (const address of ["fe80::1", "ff02::1", "::", "fd00:ec2::254"])
    expect(NO_LEADERS.check(address, "ipv6")).toBe(true);
  for (const address of ["10.0.0.1", "192.168.1.4", "127.0.0.1", "8.8.8.8"])
    expect(NO_LEADERS.check(address)).toBe(false);
});
