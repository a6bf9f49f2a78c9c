import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { generateKeyPair } from "jose";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { adoptEndpoint } from "../../app/http/adopt.ts";
import { webhookEndpoint } from "../../app/http/webhook.ts";
import { installationLookup } from "../../app/plan-runs/plan-runs.ts";
import { createRuntime } from "../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../app/work/timings.ts";
import { createTokenVerifier } from "../../src/coordinator/admission/admission.ts";
import { unpack } from "../../src/coordinator/client/http.ts";
import { SessionTokens } from "../../src/coordinator/hosting/session-tokens.ts";
import { PROTOCOL } from "../../src/coordinator/protocol/protocol.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { BodyIntake } from "../../src/coordinator/server/body-intake.ts";
import { coordinatorHandler } from "../../src/coordinator/server/handler.ts";
import { leaderProofHandler, makeLeaderIdentity } from "../../src/coordinator/server/leader.ts";
import { WIRE_BOUNDS } from "../../src/plan/bounds.ts";
import { openMemoryStore } from "../app/store/memory.ts";
import { startIssuer } from "../coordinator/admission/issuer.ts";
import { joinOf, planOf, startCoordinator } from "../coordinator/builders.ts";
import { get } from "../coordinator/server/raw.ts";
import { forgedToken, type Unfinished, unfinished } from "./strangers.ts";

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => Promise<unknown>;

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(handler: Handler): Promise<string> {
  const server = http.createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const RUN = "A".repeat(22);

describe("a stranger's request to a coordinator", () => {
  const requests: readonly [string, string, Record<string, string>][] = [
    ["a join without a token", "join", {}],
    ["a join with a wrong token", "join", { authorization: "Bearer not-the-secret" }],
    ["a compressed join with a wrong token", "join", { authorization: "Bearer x", "content-encoding": "gzip" }],
    ["a sync with an invented session", `${RUN}/sync`, { authorization: "Bearer made.up" }],
    ["a leave with an invented session", `${RUN}/leave`, { authorization: "Bearer made.up" }],
  ];

  it.each(requests)("is refused before its body has come: %s", async (_name, path, headers) => {
    const serving = await startCoordinator();
    closing.push(() => serving.close());
    const request = unfinished(`http://${serving.address}/api/runs/${path}`, { headers });
    expect((await request.answer).status).toBe(401);
    request.close();
  });

  it("has no run looked for, neither for reading nor for a join", async () => {
    const looked: string[] = [];
    const address = await serve(
      coordinatorHandler({
        open: async () => {
          throw new Error("opened");
        },
        find: async (run) => {
          looked.push(run);
          return null;
        },
        authenticate: async () => {
          throw new Refusal("unauthorized", "unknown here");
        },
        tokens: new SessionTokens("x".repeat(32)),
        onError: (error) => looked.push(String(error)),
      }),
    );
    for (const path of [`/api/runs/${RUN}`, `/api/runs/${RUN}/plan`]) {
      expect((await get(address, path, "a-token-of-nobody")).status).toBe(401);
    }
    expect(looked).toEqual([]);
  });

  it("cannot have the issuer asked for keys again and again, known or not, well or not", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const published = await startIssuer();
    closing.push(() => published.close());
    let asked = 0;
    const broken = await serve(async (_request, response) => {
      asked += 1;
      response.writeHead(500).end();
    });
    const verify = createTokenVerifier({ issuer: `http://${broken}`, audience: "us" });
    for (let token = 0; token < 20; token += 1) {
      const forged = await forgedToken(`http://${broken}`, "us", `key-${token}`, privateKey);
      await expect(verify(forged)).rejects.toMatchObject({ code: "unavailable" });
    }
    expect(asked).toBe(1);
    const elsewhere = await forgedToken("https://elsewhere.example", "us", "key", privateKey);
    const fresh = createTokenVerifier({ issuer: `http://${broken}`, audience: "us" });
    await expect(fresh(elsewhere)).rejects.toMatchObject({ code: "unauthorized" });
    await expect(fresh("garbage.garbage.garbage")).rejects.toMatchObject({ code: "unauthorized" });
    expect(asked).toBe(1);
  });

  it("leaves keys in use that are known, while the issuer cannot be asked for more", async () => {
    const issuer = await startIssuer();
    const { privateKey } = await generateKeyPair("RS256");
    const verify = createTokenVerifier({ issuer: issuer.url, audience: "us" });
    const good = await issuer.token({ audience: "us" });
    await verify(good);
    await issuer.close();
    for (let token = 0; token < 5; token += 1) {
      await expect(verify(await forgedToken(issuer.url, "us", `key-${token}`, privateKey))).rejects.toThrow();
    }
    await expect(verify(good)).resolves.toMatchObject({ runId: "1001" });
  });
});

describe("many who ask at once", () => {
  it("have a leader fetch one token, and none at once again when that fails", async () => {
    let now = 1_000_000;
    let fetched = 0;
    let fails = false;
    const prove = leaderProofHandler({
      identity: await makeLeaderIdentity(new Date()),
      now: () => now,
      idToken: async () => {
        fetched += 1;
        await new Promise((resolve) => setImmediate(resolve));
        if (fails) throw new Error("GitHub does not answer");
        return "token";
      },
    });
    const address = await serve((request, response) =>
      prove(request, response).catch(() => response.writeHead(500).end()),
    );
    const ask = async () => (await fetch(`http://${address}/api/leader`)).status;
    const fifty = () => Promise.all(Array.from({ length: 50 }, ask));
    expect(new Set(await fifty())).toEqual(new Set([200]));
    expect(fetched).toBe(1);
    now += 200_000;
    fails = true;
    expect(new Set(await fifty())).toEqual(new Set([500]));
    expect(await ask()).toBe(500);
    expect(fetched).toBe(2);
  });

  it("have GitHub asked once about a repository that the app does not know", async () => {
    const store = await openMemoryStore();
    closing.push(() => store.close());
    let asked = 0;
    const lookup = installationLookup(store, async () => ({
      request: async () => {
        asked += 1;
        throw Object.assign(new Error("not found"), { status: 404 });
      },
      graphql: async () => null,
    }));
    const fifty = await Promise.all(Array.from({ length: 50 }, () => lookup(666, "evil/fork")));
    expect(new Set(fifty)).toEqual(new Set([null]));
    expect(await lookup(666, "evil/fork")).toBe(null);
    expect(asked).toBe(1);
  });
});

describe("webhooks of a stranger", () => {
  const SECRET = "it is a secret";
  const MOST = 400_000;
  const headers = (signature: string) => ({
    "content-type": "application/json",
    "x-github-event": "ping",
    "x-github-delivery": "d1",
    "x-hub-signature-256": signature,
  });
  const FORGED = `sha256=${"0".repeat(64)}`;

  async function endpoint(limits: { bytes?: number; perAddress?: number } = {}) {
    let now = 0;
    const { bytes = 2_000_000, perAddress = bytes } = limits;
    const intake = new BodyIntake(
      { bytes, bytesPerAddress: perAddress, deadlineMs: 10_000, leastRate: 16_384 },
      () => now,
    );
    const refused: string[] = [];
    const accepted: string[] = [];
    const address = await serve(
      webhookEndpoint({
        inbox: {
          accept: async ({ id }) => {
            accepted.push(id);
            return "stored";
          },
        },
        secrets: () => [SECRET],
        path: "/hook",
        log: pino({ level: "silent" }),
        now: Date.now,
        largestPayload: MOST,
        intake,
        onRefused: (reason) => refused.push(reason),
      }),
    );
    const url = `http://${address}/hook`;
    const deliver = async (size = 1_000) => {
      const body = JSON.stringify({ zen: "x".repeat(size) });
      const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      return (await fetch(url, { method: "POST", body, headers: headers(signature) })).status;
    };
    const later = (ms: number): void => {
      now += ms;
      intake.endSlow();
    };
    return { url, intake, refused, accepted, deliver, later };
  }

  it("hold no more memory than they may together, and GitHub's get through between them", async () => {
    const budget = 2_000_000;
    const { url, intake, refused, accepted, deliver } = await endpoint({ bytes: budget });
    const strangers: Unfinished[] = [];
    let most = 0;
    for (let index = 0; index < 60; index += 1) {
      const stranger = unfinished(url, { headers: headers(FORGED), length: MOST });
      stranger.send(Buffer.alloc(300_000, 32));
      strangers.push(stranger);
      most = Math.max(most, intake.heldBytes);
    }
    // 18 MB in all: those that came first gave way, until what is left fits.
    await expect.poll(() => refused.filter((why) => why === "over_budget").length, { timeout: 20_000 }).toBe(54);
    expect(Math.max(most, intake.heldBytes)).toBeLessThanOrEqual(budget);
    expect(await deliver()).toBe(202);
    expect(await deliver(MOST - 1_000)).toBe(202);
    expect(accepted).toHaveLength(2);
    expect(intake.heldBytes).toBeLessThanOrEqual(budget);
    const first = await strangers[0]?.answer;
    expect(first?.status).toBe(503);
    expect(Number(first?.headers["retry-after"])).toBeGreaterThan(0);
    for (const stranger of strangers) stranger.close();
    await expect.poll(() => intake.heldBytes).toBe(0);
  });

  it("give way to each other where they come from one address, before anybody else's", async () => {
    const { url, intake, refused } = await endpoint({ bytes: 10_000_000, perAddress: 700_000 });
    const strangers = [0, 1, 2].map(() => {
      const stranger = unfinished(url, { headers: headers(FORGED), length: MOST });
      stranger.send(Buffer.alloc(300_000, 32));
      return stranger;
    });
    await expect.poll(() => refused).toEqual(["over_budget"]);
    expect(intake.heldBytes).toBeLessThanOrEqual(700_000);
    for (const stranger of strangers) stranger.close();
  });

  it("are not free because they are small, or come in small pieces", async () => {
    const { url, intake, refused } = await endpoint({ bytes: 200_000 });
    const agent = new http.Agent({ maxSockets: 100 });
    const strangers = Array.from({ length: 40 }, () =>
      unfinished(url, { headers: headers(FORGED), length: MOST, agent }),
    );
    await expect.poll(() => refused.length).toBeGreaterThan(10);
    expect(intake.heldBytes).toBeLessThanOrEqual(200_000);
    for (const stranger of strangers) stranger.close();
  });

  it("are ended when they come too slowly, or not at all", async () => {
    const { url, intake, refused, later } = await endpoint();
    const silent = unfinished(url, { headers: headers(FORGED), length: MOST });
    const trickling = unfinished(url, { headers: headers(FORGED), length: MOST });
    trickling.send(Buffer.alloc(60_000, 32));
    await expect.poll(() => intake.heldBytes).toBeGreaterThan(60_000);
    later(3_000);
    expect((await silent.answer).status).toBe(408);
    expect(intake.unfinished).toBe(1);
    later(1_000);
    expect((await trickling.answer).status).toBe(408);
    expect(refused).toEqual(["slow", "slow"]);
    expect(intake.heldBytes).toBe(0);
  });

  it("are refused before their body has come where a header already tells", async () => {
    const { url, intake } = await endpoint();
    for (const signature of ["", "sha1=00", "sha256=00", `sha256=${"g".repeat(64)}`]) {
      const request = unfinished(url, { headers: headers(signature) });
      expect((await request.answer).status).toBe(400);
      request.close();
    }
    const large = unfinished(url, { headers: headers(FORGED), length: MOST + 1 });
    expect((await large.answer).status).toBe(413);
    expect(intake.heldBytes).toBe(0);
  });
});

describe("strangers who ask to adopt", () => {
  async function endpoint() {
    const store = await openMemoryStore();
    closing.push(() => store.close());
    const asked: string[] = [];
    const answering = Promise.withResolvers<void>();
    let arrived = 0;
    const refuse = Object.assign(new Error("Bad credentials"), { status: 401 });
    const adopt = adoptEndpoint({
      ...createRuntime({
        store,
        clients: {
          installation: async () => {
            throw new Error("asked for an installation's client");
          },
          app: async () => {
            throw new Error("asked for the app's client");
          },
        },
        now: Date.now,
        timings: DEFAULT_TIMINGS,
        log: pino({ level: "silent" }),
      }),
      appId: 1,
      withToken: async (token) => ({
        request: async (route: string) => {
          asked.push(`${token} ${route}`);
          await answering.promise;
          if (token !== "a-good-token") throw refuse;
          return { status: 200, headers: {}, data: { id: 5, login: "cleo", permissions: { push: true } } };
        },
        graphql: async () => null,
      }),
    });
    const address = await serve((request, response) => {
      request.on("end", () => {
        arrived += 1;
      });
      return adopt(request, response);
    });
    const url = `http://${address}/api/adopt`;
    const post = (token: string) =>
      fetch(url, {
        method: "POST",
        body: '{"repository":"acme/widget"}',
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
    return { url, asked, post, arrived: () => arrived, answering };
  }

  it("take no place from who has a token, by sending nothing", async () => {
    const { url, asked, post, answering } = await endpoint();
    answering.resolve();
    const headers = { authorization: "Bearer of-nobody-at-all", "content-type": "application/json" };
    const strangers = Array.from({ length: 10 }, () => unfinished(url, { headers, length: 1_000 }));
    const honest = await post("a-good-token");
    // Served: the store knows of no installation.
    expect([honest.status, await honest.json()]).toEqual([404, { error: "The app is not installed on acme/widget." }]);
    expect(asked.filter((each) => !each.startsWith("a-good-token"))).toEqual([]);
    for (const stranger of strangers) stranger.close();
  });

  it("have GitHub asked once by many at once, and not for ever", async () => {
    const { asked, post, arrived, answering } = await endpoint();
    const three = [post("the-same-token"), post("the-same-token"), post("the-same-token")];
    await expect.poll(arrived).toBe(3);
    answering.resolve();
    await Promise.all(three);
    expect(asked).toEqual(["the-same-token GET /repos/{owner}/{repo}"]);
    for (let token = 0; token < 40; token += 1) await post(`another-token-${token}`);
    expect(asked.length).toBeLessThanOrEqual(21);
    const last = await post("one-more-token");
    expect(last.status).toBe(429);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("a compressed body", () => {
  it("is not unpacked to many times its size, whatever it may hold in all", async () => {
    const bomb = gzipSync(Buffer.alloc(WIRE_BOUNDS.bodyBytes - 1, 32));
    expect(bomb.length).toBeLessThan(10_000);
    await expect(unpack(bomb, "gzip", WIRE_BOUNDS.bodyBytes)).rejects.toMatchObject({ why: "too_large" });
  });

  it("of the largest plans, whose stages hardly differ, is taken", async () => {
    const plan = planOf(`
name: long
stages:
  - repeat: 500
    stages:
      - { name: epoch, run: "true" }
      - { name: checkpoint, run: "true" }
`);
    const body = Buffer.from(JSON.stringify({ protocol: PROTOCOL, nonce: "n".repeat(20), ...joinOf(plan, "node-0") }));
    expect(body.length).toBeGreaterThan(500_000);
    for (const level of [1, 9]) {
      const packed = gzipSync(body, { level });
      expect((await unpack(packed, "gzip", WIRE_BOUNDS.bodyBytes)).equals(body)).toBe(true);
    }
  });
});
