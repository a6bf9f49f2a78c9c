import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { webhookEndpoint } from "../../../app/http/webhook.ts";
import type { Delivery, Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { Inbox } from "../../../app/webhooks/inbox.ts";

const SECRET = "it is a secret";
const MOST = 10_000;

describe("the webhook endpoint", () => {
  let directory: string;
  let store: Store;
  let server: Server;
  let url: string;
  let handled: Delivery[];
  let inbox: Inbox;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "stagewright-endpoint-"));
    store = await openStore(`sqlite:${join(directory, "test.db")}`);
    handled = [];
    const log = pino({ level: "silent" });
    inbox = new Inbox({ store, log, now: Date.now, handle: async (delivery) => handled.push(delivery) < 0 });
    const endpoint = webhookEndpoint({
      inbox,
      secrets: () => [SECRET],
      path: "/hook",
      log,
      now: Date.now,
      largestPayload: MOST,
    });
    server = createServer((request, response) => {
      void endpoint(request, response).then((answered) => answered || response.writeHead(404).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await inbox.stop();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const sign = (body: string | Buffer) => `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
  const send = (body: string, headers: Record<string, string> = {}, method = "POST") =>
    fetch(url, {
      method,
      ...(method === "POST" ? { body } : {}),
      headers: {
        "content-type": "application/json",
        "x-github-event": "ping",
        "x-github-delivery": "1",
        "x-hub-signature-256": sign(body),
        ...headers,
      },
    });

  it("answers once the delivery is stored, and hands it on once however often it comes", async () => {
    const body = JSON.stringify({ zen: "ünïcode ✓" });
    expect((await send(body)).status).toBe(202);
    expect(await store.knownDeliveries(["1"])).toEqual(new Set(["1"]));
    expect((await send(body)).status).toBe(200);
    await inbox.idle();
    expect(handled.map((each) => each.payload)).toEqual([body]);
  });

  it("answers many that come at once, and one of two with the same id is the duplicate", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => send("{}", { "x-github-delivery": `d${index >> 1}` })),
    );
    expect(answers.filter((each) => each.status === 202)).toHaveLength(100);
    expect(answers.filter((each) => each.status === 200)).toHaveLength(100);
    await inbox.idle();
    expect(handled).toHaveLength(100);
  });

  it.each([
    ["a wrong signature", 400, "{}", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }],
    ["a signature of the older kind", 400, "{}", { "x-hub-signature-256": "sha1=00" }],
    ["no signature", 400, "{}", { "x-hub-signature-256": "" }],
    ["no delivery id", 400, "{}", { "x-github-delivery": "" }],
    ["a delivery id without an end", 400, "{}", { "x-github-delivery": "x".repeat(300) }],
    ["no event", 400, "{}", { "x-github-event": "" }],
    ["JSON of another kind", 415, "{}", { "content-type": "application/json-seq" }],
    ["JSON in another alphabet", 415, "{}", { "content-type": "application/json; charset=utf-7" }],
    ["a form", 415, "payload={}", { "content-type": "application/x-www-form-urlencoded" }],
    ["what is no JSON", 400, "{", {}],
    ["an array", 400, "[]", {}],
    ["a null", 400, "null", {}],
    ["a body that is too large", 413, `"${"x".repeat(MOST)}"`, {}],
  ])("refuses %s with %i", async (_, status, body, headers) => {
    const answer = await send(body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toHaveProperty("error");
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 0, dead: 0 });
  });

  it("refuses a body that grows too large without having said so", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": "ping",
          "x-github-delivery": "1",
          "x-hub-signature-256": sign(""),
          "transfer-encoding": "chunked",
        },
      });
      request.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on("error", reject);
      for (let chunk = 0; chunk < 20; chunk += 1) {
        request.write("x".repeat(1_000));
      }
    });
    expect(status).toBe(413);
  });

  it("takes deeply nested JSON without falling over", async () => {
    const body = `{"a":${"[".repeat(4_000)}${"]".repeat(4_000)}}`;
    expect((await send(body)).status).toBe(202);
  });

  it("allows only POST, and leaves other addresses alone", async () => {
    expect((await send("", {}, "GET")).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it("answers 503 when the delivery cannot be stored", async () => {
    await store.close();
    expect((await send("{}")).status).toBe(503);
    store = await openStore(`sqlite:${join(directory, "test.db")}`);
  });
});
