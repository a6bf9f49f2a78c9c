/** Pages without a sign-in are for who is on this machine: nobody comes in by a proxy, a rebound name or a web page. */
import { createServer, request, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notLocal } from "../../app/http/local-caller.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";

let app: Server;
let sandbox: Sandbox;
let ports: Record<"app" | "sandbox", number>;
beforeAll(async () => {
  app = createServer((asked, answer) => {
    const foreign = notLocal(asked);
    answer.writeHead(foreign === null ? 200 : 403).end(foreign);
  });
  await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
  const address = app.address();
  sandbox = createSandbox();
  ports = {
    app: typeof address === "object" && address !== null ? address.port : 0,
    sandbox: Number(new URL(await sandbox.listen()).port),
  };
});
afterAll(async () => {
  await sandbox.close();
  await new Promise((done) => app.close(done));
});

function ask(port: number, headers: Record<string, string>, method = "GET") {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: "/_sandbox/state", method, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on("error", reject).end();
  });
}

const BROWSER = {
  "user-agent": "Mozilla/5.0",
  accept: "text/html",
  "accept-language": "en",
  "upgrade-insecure-requests": "1",
  "sec-ch-ua-platform": "Linux",
  dnt: "1",
};
const FOLLOWED = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

describe.each(["app", "sandbox"] as const)("a page of the %s without a sign-in", (which) => {
  it.each([
    ["curl", { "user-agent": "curl/8", accept: "*/*" }],
    ["Prometheus", { "user-agent": "Prometheus", "x-prometheus-scrape-timeout-seconds": "10" }],
    ["an address that was typed", { ...BROWSER, "sec-fetch-site": "none", ...FOLLOWED }],
    ["a link on another site", { ...BROWSER, "sec-fetch-site": "cross-site", ...FOLLOWED, referer: "https://a.test/" }],
    ["a page of its own", { ...BROWSER, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }],
  ])("is answered to %s", async (_, headers) => {
    expect((await ask(ports[which], headers)).status).toBe(200);
  });

  it.each([
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "client-ip",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "cf-ray",
    "cf-visitor",
    "cdn-loop",
    "x-amzn-trace-id",
    "x-arr-log-id",
    "x-azure-ref",
    "x-envoy-external-address",
    "x-original-url",
    "x-original-forwarded-for",
    "x-request-id",
    "x-sendfile-type",
    "traceparent",
    "proxy-connection",
    "ngrok-skip-browser-warning",
    "tailscale-user-login",
    "x-of-our-own-proxy",
  ])("is not answered to a proxy that adds %s", async (name) => {
    for (const value of ["", "127.0.0.1"]) {
      const { status, text } = await ask(ports[which], { [name]: value });
      expect([status, text]).toEqual([403, expect.stringContaining(name)]);
    }
  });

  it.each(["evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "localhost@evil.test", "0.0.0.0"])(
    "is not answered where a page asks by the name %j that points to this machine",
    async (host) => {
      expect((await ask(ports[which], { host })).status).toBe(403);
    },
  );

  it.each([
    ["a script of another site", { origin: "https://evil.test" }],
    ["another program of this machine with a page", { origin: "http://127.0.0.1:1" }],
    ["a page without an origin", { origin: "null" }],
    ["an image on another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    [
      "a frame on another site",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
    ],
    ["a page on another port of this machine", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }],
  ])("is not answered to %s", async (_, headers) => {
    const { status, text } = await ask(ports[which], headers);
    expect([status, text]).toEqual([403, expect.stringContaining("another site")]);
  });

  it("is not acted on for a form on another site", async () => {
    const { status } = await ask(ports[which], { "sec-fetch-site": "cross-site", ...FOLLOWED }, "POST");
    expect(status).toBe(403);
  });
});
