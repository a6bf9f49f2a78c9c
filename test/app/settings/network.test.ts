/** The app in a network of its own: GitHub behind a certificate of a private authority, reached through a proxy alone. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type RegisteredApp, registerApp, told } from "../registered-app.ts";
import { endAll } from "../server-process.ts";

/** A name that nobody but the proxy knows. */
const NAME = "github.corp.test";

let authority: Awaited<ReturnType<typeof generate>>;
let own: Awaited<ReturnType<typeof generate>>;
beforeAll(async () => {
  authority = await generate([{ name: "commonName", value: "Corporation" }], {
    keySize: 2048,
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  own = await generate([{ name: "commonName", value: NAME }], {
    keySize: 2048,
    algorithm: "sha256",
    ca: { key: authority.private, cert: authority.cert },
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: NAME }] }],
  });
});

let registered: RegisteredApp;
let github: https.Server;
let proxy: http.Server;
let tunnels: string[];
const portOf = (server: http.Server | https.Server): number => (server.address() as AddressInfo).port;

beforeEach(async () => {
  tunnels = [];
  registered = await registerApp();
  const sandbox = new URL(registered.sandbox.url);
  // As a proxy in front of it ends TLS.
  github = https.createServer({ key: own.private, cert: own.cert }, (request, response) => {
    const { method, url, headers } = request;
    const passed = http.request(
      { host: sandbox.hostname, port: sandbox.port, method, path: url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  proxy = http.createServer((_, response) => response.writeHead(405).end());
  proxy.on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    const end = connect(portOf(github), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      end.pipe(socket).pipe(end);
    });
    for (const each of [end, socket]) each.on("error", () => [end, socket].map((other) => other.destroy()));
  });
  for (const server of [github, proxy]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(async () => {
  for (const server of [github, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await registered.close();
});
afterAll(endAll);

it("works through its proxy with the private authority's certificate, and says what is wrong without it", async () => {
  const file = join(registered.directory, "authority.pem");
  writeFileSync(file, authority.cert);
  const env = {
    PRIVATE_KEY: registered.privateKey,
    GHE_HOST: NAME,
    GHE_PROTOCOL: "https",
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
  };
  const strange = registered.start(env);
  await told(strange, /GitHub could not be asked who this app is \(.*certificate/, strange.output);
  expect(Object.keys(registered.sandbox.requests.counts().routes)).toEqual([]);
  strange.child.kill("SIGTERM");
  await once(strange.child, "exit");

  const app = registered.start({ ...env, NODE_EXTRA_CA_CERTS: file });
  await told(app, /"bot":"stagewright\[bot\]"/, app.output);
  // An installation's token, and what it is for.
  await told(app, /access_tokens/, () => Object.keys(registered.sandbox.requests.counts().routes).join(" "));
  expect(new Set(tunnels)).toEqual(new Set([`${NAME}:443`]));
  app.child.kill("SIGTERM");
  const [code] = await once(app.child, "exit");
  expect(code, app.output()).toBe(0);
}, 240_000);
