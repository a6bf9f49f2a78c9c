/**
 * Connections where machines reach nothing but a proxy: names that only it resolves stand for what is outside. Everything
 * that is asked has to go through it.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { idToken } from "../src/action/input/id-token.ts";
import { createTokenVerifier } from "../src/coordinator/admission/admission.ts";
import { HttpCoordinator } from "../src/coordinator/client/client.ts";
import { findLeader } from "../src/coordinator/client/find-leader.ts";
import { Runs } from "../src/coordinator/hosting/runs.ts";
import { followerAudience } from "../src/coordinator/server/leader.ts";
import { type Serving, serveLeader } from "../src/coordinator/server/serve.ts";
import { agentOptions, connectionProblem, proxyFor, useProxies } from "../src/proxy.ts";
import { groupJobs, type Issuer, startIssuer } from "./coordinator/admission/issuer.ts";
import { idle, joinOf, NEVER, planOf, SECRET, startCoordinator } from "./coordinator/builders.ts";

/** What the proxy was asked for: "CONNECT leader.test:1" or "GET http://…". */
let asked: string[] = [];
let refuses = false;
let proxy: http.Server;
let proxyUrl = "";
const open: { close(): Promise<void> }[] = [];

/** Names ending in .test are this machine; nothing else is outside. */
const insideOf = (host: string): string => (host.endsWith(".test") ? "127.0.0.1" : host);

beforeAll(async () => {
  proxy = http.createServer((request, response) => {
    asked.push(`${request.method} ${new URL(request.url ?? "").origin}`);
    const { hostname, port, pathname, search } = new URL(request.url ?? "");
    const { method, headers } = request;
    const onward = http.request(
      { host: insideOf(hostname), port, path: pathname + search, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  proxy.on("connect", (request, near: net.Socket) => {
    asked.push(`CONNECT ${request.url}`);
    near.on("error", () => undefined);
    if (refuses) {
      near.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const far = net.connect(Number(port), insideOf(hostname), () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      near.pipe(far).pipe(near);
    });
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await useProxies({});
  for (const each of open.splice(0)) await each.close();
  asked = [];
  refuses = false;
});
afterAll(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

const behind = (noProxy = "") => useProxies({ HTTPS_PROXY: proxyUrl, HTTP_PROXY: proxyUrl, NO_PROXY: noProxy });
const portOf = (address: string): string => address.split(":")[1] ?? "";
const KEY = { repositoryId: "42", runId: "1001", attempt: 1, group: "train", plan: "plan" };
const plan = planOf(`name: plan\nagents: 1\nstages: [{ name: only, run: "true" }]\n`);

async function coordinator(): Promise<Serving> {
  const serving = await startCoordinator();
  open.push(serving);
  return serving;
}

async function issuer(host?: string): Promise<Issuer> {
  const started = await startIssuer(host);
  open.push(started);
  return started;
}

describe("behind a proxy", () => {
  it("an agent reaches its coordinator", async () => {
    await behind();
    const { address } = await coordinator();
    const url = new URL(`http://coordinator.test:${portOf(address)}`);
    const client = new HttpCoordinator({ url, credential: async () => SECRET, onRetry: (why) => expect.fail(why) });
    await client.join(joinOf(plan, "node-0"), NEVER);
    expect((await client.sync(idle(), 0, NEVER)).roster?.agents).toHaveLength(1);
    expect(asked.join("\n")).toContain(`coordinator.test:${portOf(address)}`);
  });

  it("the command's agents reach it, too", async () => {
    const { address } = await coordinator();
    const at = `http://coordinator.test:${portOf(address)}`;
    const words = ["agent", "--coordinator", at, "--run", "r".repeat(22), "--agent-name", "a"];
    const env = { PATH: process.env.PATH, HTTP_PROXY: proxyUrl, STAGEWRIGHT_COORDINATOR_SECRET: SECRET };
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, ["src/cli.ts", ...words], { env }, (_error, _out, stderr) => resolve(stderr));
    });
    expect(said).toContain("there is no run");
    expect(asked.join("\n")).toContain("coordinator.test");
  });

  it("the action reports to GitHub's API", async () => {
    const api = http.createServer((_request, response) => {
      response.writeHead(403, { "content-type": "application/json" }).end('{"message":"not for this token"}');
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    const home = mkdtempSync(join(tmpdir(), "stagewright-proxy-"));
    open.push({
      close: async () => {
        api.close();
        rmSync(home, { recursive: true });
      },
    });
    writeFileSync(join(home, "plan.yml"), 'stages: [{ name: only, run: "true" }]\n');
    const env = {
      PATH: process.env.PATH,
      http_proxy: proxyUrl,
      RUNNER_TEMP: home,
      GITHUB_WORKSPACE: home,
      GITHUB_REPOSITORY: "o/r",
      GITHUB_REPOSITORY_ID: "1",
      GITHUB_RUN_ID: "1",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "test",
      GITHUB_SHA: "a".repeat(40),
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_API_URL: `http://api.test:${(api.address() as AddressInfo).port}`,
      INPUT_PLAN: "plan.yml",
      "INPUT_GITHUB-TOKEN": "a-token-of-this-test",
    };
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [resolvePath("src/action.ts")], { env, cwd: home }, (_error, stdout) =>
        resolve(stdout),
      );
    });
    expect(said).toContain(`connections go through a proxy: http by ${proxyUrl}`);
    expect(said).toContain("succeeded");
    expect(asked.join("\n")).toContain("api.test");
  });

  it("OIDC tokens and the keys that check them are had", async () => {
    await behind();
    const github = await issuer("issuer.test");
    const verify = createTokenVerifier({ issuer: github.url, audience: "a" });
    expect(await verify(await github.token({ audience: "a" }))).toMatchObject({ repositoryId: "42" });
    expect(asked.join("\n")).toContain("issuer.test");
    const runner = http.createServer((_request, response) => response.end('{"value":"a-token"}'));
    await new Promise<void>((resolve) => runner.listen(0, "127.0.0.1", resolve));
    open.push({ close: async () => void runner.close() });
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://runner.test:${(runner.address() as AddressInfo).port}/token?x=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
    };
    expect(await idToken(env, "a", () => undefined)).toBe("a-token");
    expect(asked.join("\n")).toContain("runner.test");
  });

  it("a leader is found, proves itself and leads: its own certificate holds from end to end", async () => {
    const github = await issuer();
    await behind();
    const verifier = (audience: string) => createTokenVerifier({ issuer: github.url, audience });
    const serving = await serveLeader({
      listen: "127.0.0.1:0",
      advertise: null,
      idToken: (audience) => github.token({ audience }),
      verifier,
      key: KEY,
      runs: new Runs({ store: null, onError: (error) => expect.fail(String(error)) }),
      onError: (error) => expect.fail(String(error)),
    });
    open.push(serving);
    const shown = `leader.test:${portOf(serving.address)}`;
    const options = { isTrusted: false, verifier, jobs: groupJobs(KEY), timeoutMs: 20_000 };
    const leader = await findLeader({ ...options, addresses: async () => [shown], say: () => undefined }, NEVER);
    const client = new HttpCoordinator({
      url: leader.url,
      credential: () => github.token({ audience: followerAudience(leader.fingerprint) }),
      agent: leader.agent,
      onRetry: (why) => expect.fail(why),
    });
    await client.join(joinOf(plan, "node-0", { key: KEY }), NEVER);
    expect(asked).toContain(`CONNECT ${shown}`);
    leader.agent.destroy();
  });

  it("that refuses, nobody is taken for a false leader: the proxy is named", async () => {
    const github = await issuer();
    await behind();
    refuses = true;
    const verifier = (audience: string) => createTokenVerifier({ issuer: github.url, audience });
    const said: string[] = [];
    const options = { isTrusted: true, verifier, jobs: groupJobs(KEY), timeoutMs: 1_500 };
    const found = findLeader(
      { ...options, addresses: async () => ["leader.test:7761"], say: (text) => said.push(text) },
      NEVER,
    );
    await expect(found).rejects.toThrow(`through the proxy ${proxyUrl}; NO_PROXY names the hosts`);
    expect(said.join("\n")).not.toContain("false leader");
    const fails = idToken({ ACTIONS_ID_TOKEN_REQUEST_URL: "https://runner.test/token" }, "a", () => undefined);
    await expect(fails).rejects.toThrow(/the runner gave no OIDC token: .*through the proxy/);
  });

  it("what NO_PROXY names, and this machine, is reached without it", async () => {
    await behind("other.test,127.0.0.1");
    const { address } = await coordinator();
    const client = new HttpCoordinator({
      url: new URL(`http://${address}`),
      credential: async () => SECRET,
      onRetry: () => undefined,
    });
    await client.join(joinOf(plan, "node-0"), NEVER);
    expect(await (await fetch(`http://${address}/`)).text()).toBeDefined();
    expect(asked).toEqual([]);
  });
});

describe("the settings", () => {
  it.each([
    ["", "https://github.com", true],
    ["github.com", "https://api.github.com", false],
    [".github.com", "https://api.github.com", false],
    ["*.github.com", "https://github.com", false],
    ["hub.com", "https://github.com", true],
    ["github.com:8443", "https://github.com", true],
    ["github.com:443", "https://github.com", false],
    ["10.0.0.0/8", "https://10.1.2.3:7761", false],
    ["10.0.0.0/8", "https://11.1.2.3:7761", true],
    ["fd00::/8", "https://[fd00::1]:7761", false],
    ["fd00::1", "https://[fd00::1]:7761", false],
    ["[fd00::1]:7761", "https://[fd00::1]:7761", false],
    ["a, b c,GitHub.com", "https://github.com", false],
    ["*", "https://github.com", false],
    ["", "http://localhost:3000", false],
    ["", "http://[::1]:3000", false],
  ])("NO_PROXY=%s: %s goes through the proxy: %s", async (noProxy, url, goes) => {
    await useProxies({ https_proxy: "proxy:3128", http_proxy: "http://user:secret@proxy:3128", no_proxy: noProxy });
    expect(proxyFor(new URL(url)) !== null).toBe(goes);
    expect("proxyEnv" in agentOptions(new URL(url))).toBe(goes);
  });

  it("are said without their passwords, and what is no proxy is refused by its variable", async () => {
    expect(await useProxies({ HTTPS_PROXY: "http://me:secret@proxy:3128", NO_PROXY: "a,b" })).toBe(
      "connections go through a proxy: https by http://proxy:3128; not to a, b",
    );
    expect(connectionProblem(new Error("no route"), new URL("https://x"))).not.toContain("secret");
    expect(connectionProblem(new Error("no route"), new URL("http://x"))).toBe("no route");
    await expect(useProxies({ HTTPS_PROXY: "socks5://proxy:1080" })).rejects.toThrow(/^HTTPS_PROXY: a proxy by socks5/);
    await expect(useProxies({ HTTP_PROXY: "http://" })).rejects.toThrow(/^HTTP_PROXY: expected a proxy/);
    expect(await useProxies({})).toBeNull();
  });
});
