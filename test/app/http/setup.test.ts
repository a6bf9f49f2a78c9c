/** The page that registers the app: what it posts to GitHub must lead GitHub to addresses that the app serves. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { githubUrl, readConfig, readSettings } from "../../../app/config.ts";
import { isReachable } from "../../../app/http/manifest.ts";
import { type SetupOptions, setupPages } from "../../../app/http/setup.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

const kept: Record<string, string>[] = [];
const said: string[] = [];

/** Serves the pages with these settings; resolves to the address. */
async function open(env: Record<string, string> = {}, more: Partial<SetupOptions> = {}): Promise<string> {
  kept.length = 0;
  said.length = 0;
  const settings = readSettings(env);
  const handler = setupPages({
    file: readFileSync("app/app.yml", "utf8"),
    githubUrl: githubUrl(settings),
    organization: settings.GH_ORG ?? null,
    publicUrl: settings.PUBLIC_URL ?? null,
    webhookPath: readConfig({ ...env, WEBHOOK_SECRET: "0123456789abcdef0123456789abcdef" }).webhookPath,
    webhookProxy: settings.WEBHOOK_PROXY_URL ?? null,
    say: (line) => said.push(line),
    register: async (code) => {
      if (code !== "good") {
        throw new Error("Not Found");
      }
      return {
        id: 7,
        client_id: "Iv1.a",
        client_secret: "cs",
        webhook_secret: "ws",
        pem: "-----BEGIN\nk\n",
        html_url: "https://github.com/apps/stagewright",
      };
    },
    keep: (credentials) => {
      kept.push({ ...credentials });
      return ".env";
    },
    ...more,
  });
  const server = createServer((request, response) => void handler(request, response));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address: AddressInfo | string | null = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

const manifest = z.looseObject({
  url: z.string(),
  hook_attributes: z.object({ url: z.string(), active: z.boolean() }),
  redirect_url: z.string(),
  callback_urls: z.array(z.string()),
});

/** What the page's form would post, and where. */
async function form(base: string, headers: Record<string, string> = {}) {
  const page = await (await fetch(`${base}/probot`, { headers })).text();
  const value = /name="manifest" [^>]*value='([^']*)'/u.exec(page)?.[1] ?? "";
  const text = value.replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const action = /<form action="([^"]*)" method="post"/u.exec(page)?.[1] ?? "";
  return { page, action, manifest: manifest.parse(JSON.parse(text)) };
}

describe("the manifest that the setup page posts", () => {
  it("sends webhooks to where the app takes them, as the browser reaches it", async () => {
    const base = await open();
    const posted = (await form(base)).manifest;
    expect(posted).toMatchObject({
      url: base,
      hook_attributes: { url: `${base}/api/github/webhooks`, active: true },
      redirect_url: `${base}/probot/setup`,
      callback_urls: [`${base}/auth/github/callback`],
    });
    const file: unknown = parse(readFileSync("app/app.yml", "utf8"));
    expect(posted).toMatchObject(z.record(z.string(), z.unknown()).parse(file));
  });

  it("follows a proxy in front of it", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "stagewright.example" };
    expect((await form(await open(), headers)).manifest).toMatchObject({
      hook_attributes: { url: "https://stagewright.example/api/github/webhooks" },
      redirect_url: "https://stagewright.example/probot/setup",
    });
  });

  it("takes PUBLIC_URL and WEBHOOK_PATH for GitHub, and comes back to where the browser is", async () => {
    const base = await open({ PUBLIC_URL: "https://ci.example/stages/", WEBHOOK_PATH: "/hooks" });
    expect((await form(base)).manifest).toMatchObject({
      url: "https://ci.example/stages",
      hook_attributes: { url: "https://ci.example/stages/hooks" },
      redirect_url: `${base}/probot/setup`,
      callback_urls: ["https://ci.example/stages/auth/github/callback"],
    });
  });

  it("sends webhooks to a proxy of theirs where one is named", async () => {
    const base = await open({ WEBHOOK_PROXY_URL: "https://smee.io/abc" });
    expect((await form(base)).manifest.hook_attributes.url).toBe("https://smee.io/abc");
  });

  it.each([
    [{}, "https://github.com/settings/apps/new"],
    [{ GH_ORG: "acme" }, "https://github.com/organizations/acme/settings/apps/new"],
    [{ GH_ORG: "acme", GHE_HOST: "ghe.example" }, "https://ghe.example/organizations/acme/settings/apps/new"],
  ])("goes to the owner's settings: %j", async (env, expected) => {
    expect((await form(await open(env))).action).toMatch(new RegExp(`^${expected}\\?state=[0-9a-f]{32}$`, "u"));
  });

  it("warns of an address that GitHub cannot reach", async () => {
    expect((await form(await open())).page).toContain("GitHub cannot reach http://127.0.0.1:");
    expect((await form(await open({ PUBLIC_URL: "https://ci.example" }))).page).not.toContain("cannot reach");
    const here = [
      "http://localhost:3000",
      "http://10.1.2.3",
      "http://172.20.0.1",
      "http://[::1]:80",
      "http://box.local",
    ];
    expect(here.filter(isReachable)).toEqual([]);
    expect(
      ["https://ci.example", "http://172.15.0.1", "https://[2001:db8::1]"].filter((each) => !isReachable(each)),
    ).toEqual([]);
  });
});

describe("without an app", () => {
  it("it lives, is not ready and says why, and shows nothing else", async () => {
    const base = await open();
    const at = async (path: string) => {
      const answer = await fetch(base + path, { redirect: "manual" });
      return `${answer.status} ${answer.headers.get("location") ?? (await answer.text()).trim()}`;
    };
    expect(await at("/healthz")).toBe('200 {"healthy":true}');
    expect(await at("/readyz")).toMatch(/^503 .*APP_ID is missing/);
    expect(await at("/")).toBe("302 /probot");
    expect(await at("/api/github/webhooks")).toMatch(/^404/);
  });
});

describe("back from GitHub", () => {
  async function begun(base: string): Promise<{ cookie: string; state: string }> {
    const answer = await fetch(`${base}/probot`);
    const cookie = (answer.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
    return { cookie, state: cookie.split("=")[1] ?? "" };
  }

  it("the credentials are kept, and the app is installed next", async () => {
    const base = await open();
    const { cookie, state } = await begun(base);
    const answer = await fetch(`${base}/probot/setup?code=good&state=${state}`, {
      headers: { cookie },
      redirect: "manual",
    });
    expect(answer.headers.get("location")).toBe("https://github.com/apps/stagewright/installations/new");
    expect(kept).toEqual([
      {
        APP_ID: "7",
        PRIVATE_KEY: "-----BEGIN\nk\n",
        WEBHOOK_SECRET: "ws",
        GITHUB_CLIENT_ID: "Iv1.a",
        GITHUB_CLIENT_SECRET: "cs",
      },
    ]);
    expect(said.join()).toContain(".env: start again");
  });

  it("a code that somebody else's link brings is not taken", async () => {
    const base = await open();
    const { cookie, state } = await begun(base);
    const status = async (query: string, headers: Record<string, string>) =>
      (await fetch(`${base}/probot/setup?${query}`, { headers, redirect: "manual" })).status;
    expect(await status("code=good", { cookie })).toBe(400);
    expect(await status(`code=good&state=${state}`, {})).toBe(400);
    expect(await status(`code=good&state=${"0".repeat(32)}`, { cookie })).toBe(400);
    expect(await status(`state=${state}`, { cookie })).toBe(400);
    expect(await status(`code=${encodeURIComponent("../x")}&state=${state}`, { cookie })).toBe(400);
    expect(kept).toEqual([]);
  });

  it("a code that GitHub does not know is said, and nothing is kept", async () => {
    const base = await open();
    const { cookie, state } = await begun(base);
    const answer = await fetch(`${base}/probot/setup?code=bad&state=${state}`, { headers: { cookie } });
    expect(`${answer.status} ${await answer.text()}`).toMatch(
      /^502 .*credentials could not be had and kept: Not Found/,
    );
    expect(kept).toEqual([]);
  });
});
