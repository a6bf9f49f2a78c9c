import { createHmac, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { openStore } from "../../../app/store/open.ts";
import { createSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import {
  addLabelsByName,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  commitFiles,
  install,
  labelsOn,
  openPull,
  type PullRequest,
  type Repository,
  setCollaborator,
} from "../../../src/sandbox/world/index.ts";
import { openBeside } from "../../beside.ts";
import { addStagewright } from "../add-stagewright.ts";
import { endAll, freePort, healthy, PRIVATE_KEY, SECRET, startServer } from "../server-process.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-server-"));
});
afterEach(async () => {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
});
const start = (env: Readonly<Record<string, string>>, words: readonly string[] = []) =>
  startServer(directory, env, words);

const ED25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();

describe("npm run app", () => {
  const right = { APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: SECRET, GHE_HOST: "127.0.0.1:1", GHE_PROTOCOL: "http" };

  it.each([
    ["no webhook secret", { WEBHOOK_SECRET: "" }, /WEBHOOK_SECRET is missing: set it/],
    ["no app id in production", { APP_ID: "" }, /APP_ID is missing: set it/],
    ["no private key", { PRIVATE_KEY: "" }, /PRIVATE_KEY is missing or not a key/],
    ["a private key that is none", { PRIVATE_KEY: "abc" }, /PRIVATE_KEY is missing or not a key/],
    [
      "a key file that is not there",
      { PRIVATE_KEY: "", PRIVATE_KEY_PATH: "absent.pem" },
      /PRIVATE_KEY_PATH is absent.pem: there is no such file/,
    ],
    [
      "a key file without a key",
      { PRIVATE_KEY: "", PRIVATE_KEY_PATH: "/etc/hostname" },
      /PRIVATE_KEY_PATH is \/etc\/hostname: this file holds no/,
    ],
    ["no address of a database", { DATABASE_URL: "postgres://stagewright:hunter2@db:x/y" }, /it cannot be parsed/],
    ["a key of another kind", { PRIVATE_KEY: ED25519 }, /PRIVATE_KEY is missing or not a key: .* RSA/],
    [
      "settings that are none",
      { PORT: "eighty", LOG_LEVEL: "loud" },
      /^stagewright: PORT is “eighty”; .*\nstagewright: LOG_LEVEL is “loud”; expected trace.*\n$/,
    ],
    ["an address that is another machine's", { HOST: "192.0.2.1" }, /HOST is “192.0.2.1”, which is no address of this/],
  ])("refuses to start with %s: exit 2, what to do, and no secret told", async (_, wrong, message) => {
    const { child, output } = start({ ...right, DATABASE_URL: `sqlite:${directory}/app.db`, ...wrong });
    const [code] = await once(child, "exit");
    expect(code, output()).toBe(2);
    expect(output()).toMatch(message);
    expect(output()).not.toMatch(/hunter2|\n {4}at /);
  });

  it.each([
    ["below a file", "/etc/hostname/app.db", /ENOTDIR|EEXIST/],
    ["that is another program's file", "other.db", /not a database/],
  ])("says which database it cannot use, and why, without a trace: one %s", async (_, name, why) => {
    writeFileSync(join(directory, "other.db"), "x".repeat(5_000));
    const path = resolve(directory, name);
    const { child, output } = start({ ...right, DATABASE_URL: `sqlite:${path}`, STAGEWRIGHT_SWEEP_MINUTE: "5" });
    const [code] = await once(child, "exit");
    expect(code, output()).toBe(1);
    expect(output()).toContain(`The database ${path} cannot be used: `);
    expect(output()).toMatch(why);
    expect(output()).not.toMatch(/\n {4}at /);
    expect(output()).toContain(
      'STAGEWRIGHT_SWEEP_MINUTE is set, and the app has no such setting; did you mean "STAGEW',
    );
  });

  it.each([
    ["--help", 0, /Usage: npm run app\n/],
    ["--port=1", 2, /unknown argument "--port=1": settings come from the environment/],
  ])("told %s, starts nothing and says what there is", async (word, expected, message) => {
    const { child, output } = start(right, [word]);
    const [code] = await once(child, "exit");
    expect(code, output()).toBe(expected);
    expect(output()).toMatch(message);
  });

  it("answers when it lives, tells nothing to who comes through a proxy, and stops in order", async () => {
    const port = await freePort();
    const app = start({ ...right, HOST: "127.0.0.1", PORT: `${port}`, DATABASE_URL: `sqlite:${directory}/app.db` });
    await healthy(port, app);
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ healthy: true });
    expect((await fetch(`${url}/api/pulls/acme/widget/1`)).status).toBe(404);
    expect((await fetch(`${url}/api/pulls/acme/widget/1`, { headers: { "x-forwarded-for": "1.2.3.4" } })).status).toBe(
      403,
    );
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    app.child.kill("SIGTERM");
    const [code] = await once(app.child, "exit");
    expect(code, app.output()).toBe(0);
  });

  it("is not ready while it cannot store what GitHub tells it, and says why", async () => {
    const port = await freePort();
    const file = join(directory, "app.db");
    const app = start({ ...right, HOST: "127.0.0.1", PORT: `${port}`, DATABASE_URL: `sqlite:${file}` });
    await healthy(port, app);
    const body = JSON.stringify({ zen: "Keep it logically awesome." });
    const post = (id: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/github/webhooks`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": "ping",
          "x-github-delivery": id,
          "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
        },
        body,
      });
    const other = openBeside(file);
    other.exec("BEGIN EXCLUSIVE");
    expect((await post("first")).status).toBe(503);
    const refused = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ ready: false, reason: expect.stringContaining("database is locked") });
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    other.exec("ROLLBACK");
    other.close();
    expect((await post("second")).status).toBe(202);
    await healthy(port, app);
  });

  it("registers the app where there is none yet, and keeps its credentials", async () => {
    const github = createServer((request, response) => {
      const credentials = { id: 7, client_id: "Iv1.a", client_secret: "cs", webhook_secret: "ws", pem: PRIVATE_KEY };
      const known = request.url === "/api/v3/app-manifests/abc/conversions" && request.method === "POST";
      response.writeHead(known ? 201 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify({ ...credentials, html_url: "https://ghe.example/apps/stagewright" }));
    });
    await new Promise<void>((done) => github.listen(0, "127.0.0.1", done));
    const address = github.address();
    const port = await freePort();
    writeFileSync(join(directory, ".env"), "# mine\nLOG_LEVEL=fatal\n", { mode: 0o644 });
    const app = start({
      NODE_ENV: "development",
      STAGEWRIGHT_MANIFEST: "full",
      GHE_HOST: `127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
      GHE_PROTOCOL: "http",
      PORT: `${port}`,
      HOST: "127.0.0.1",
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      const deadline = Date.now() + 30_000;
      let page: Response | null = null;
      while (page === null && Date.now() < deadline) {
        page = await fetch(`${url}/probot`).catch(() => null);
        await sleep(20);
      }
      expect((await fetch(`${url}/healthz`)).status, app.output()).toBe(200);
      expect(await page?.text()).toMatch(/"deployment_protection_rule".*"hook_attributes"/);
      const cookie = page?.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
      const back = `${url}/probot/setup?code=abc&state=${cookie.split("=")[1]}`;
      const answer = await fetch(back, { headers: { cookie }, redirect: "manual" });
      expect(answer.headers.get("location")).toBe("https://ghe.example/apps/stagewright/installations/new");
      const file = join(directory, ".env");
      expect(parseEnv(readFileSync(file, "utf8"))).toMatchObject({ LOG_LEVEL: "fatal", APP_ID: "7", PRIVATE_KEY });
      expect(statSync(file).mode & 0o777).toBe(0o600);
    } finally {
      github.closeAllConnections();
      github.close();
    }
  });
});

describe("the app, killed at any moment", () => {
  let sandbox: Sandbox;
  let repository: Repository;
  let port: number;
  let env: Record<string, string>;

  beforeEach(async () => {
    sandbox = createSandbox();
    const url = await sandbox.listen();
    const { world } = sandbox;
    port = await freePort();
    const owner = addOrganization(world, "acme");
    const app = addStagewright(world, owner, `http://127.0.0.1:${port}`, SECRET);
    repository = addRepository(world, asUser(owner), { owner, name: "widget", files: { "README.md": "# widget\n" } });
    env = {
      APP_ID: `${app.id}`,
      PRIVATE_KEY: app.privateKey ?? "",
      WEBHOOK_SECRET: SECRET,
      GHE_HOST: new URL(url).host,
      GHE_PROTOCOL: "http",
      HOST: "127.0.0.1",
      PORT: `${port}`,
      DATABASE_URL: `sqlite:${join(directory, "app.db")}`,
      STAGEWRIGHT_WRITE_INTERVAL_MS: "10",
      STAGEWRIGHT_RETRY_PAUSE_MS: "20",
    };
    install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  });
  afterEach(async () => {
    await sandbox.close();
  });

  it("is not ready with another app's private key, and says once which settings do not fit", async () => {
    const app = start({ ...env, PRIVATE_KEY, LOG_LEVEL: "info" });
    const deadline = Date.now() + 30_000;
    let told = "";
    while (!told.startsWith("503") && Date.now() < deadline && app.child.exitCode === null) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      told = answer === null ? "" : `${answer.status} ${await answer.text()}`;
      await sleep(20);
    }
    expect(told, app.output()).toMatch(/^503 .*does not accept PRIVATE_KEY for APP_ID \d+ .*app's settings on GitHub/);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    app.child.kill("SIGTERM");
    await once(app.child, "exit");
    expect(app.output().match(/does not accept PRIVATE_KEY/g)).toHaveLength(1);
    expect(app.output()).not.toMatch(/ {4}at |\\n *at /);
  });

  it("gives every delivery that it has accepted its effect after a restart", async () => {
    const { world } = sandbox;
    const rex = addUser(world, "rex");
    const cleo = addUser(world, "cleo");
    for (const person of [rex, cleo]) {
      setCollaborator(world, asUser(cleo), repository, person, "write");
    }
    let app = start(env);
    await healthy(port, app);
    const pulls: PullRequest[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (let each = 0; each < 3; each += 1) {
        const branch = `gadget-${round}-${each}`;
        commitFiles(world, asUser(rex), repository, { branch, message: "Add", files: { [`${branch}.txt`]: "1\n" } });
        const pull = openPull(world, asUser(rex), repository, { title: branch, head: branch, base: "main" });
        pulls.push(pull);
        addLabelsByName(world, asUser(cleo), pull, ["ready-for-qa"]);
      }
      // Now while it takes deliveries in, now while it waits for an answer, now while it has nothing to do.
      await sleep([5, 30, 60, 120, 250, 500][round] ?? 0);
      app.child.kill("SIGKILL");
      await once(app.child, "exit");
      app = start(env);
      await healthy(port, app);
      // GitHub does not redeliver by itself: what was not accepted is sent again by hand, as its page lets one do.
      await sandbox.webhooks.idle();
      for (const delivery of [...world.deliveries.values()]) {
        if (delivery.statusCode < 200 || delivery.statusCode > 299) {
          delivery.statusCode = 299;
          sandbox.webhooks.redeliver(delivery);
        }
      }
      await sandbox.webhooks.idle();
    }
    const deadline = Date.now() + 30_000;
    const stages = () =>
      pulls.map((pull) =>
        labelsOn(world, pull)
          .map((label) => label.name)
          .sort()
          .join(),
      );
    while (stages().some((labels) => labels !== "ready-for-qa,stage/ready-for-qa") && Date.now() < deadline) {
      await sleep(50);
    }
    expect(new Set(stages())).toEqual(new Set(["ready-for-qa,stage/ready-for-qa"]));
    // What the app's own writes have caused is still on its way, and what is not handled when it stops stays stored.
    await sandbox.webhooks.idle();
    while ((await backlog(port)) > 0 && Date.now() < deadline) {
      await sleep(50);
    }
    app.child.kill("SIGTERM");
    await once(app.child, "exit");
    const store = await openStore(env.DATABASE_URL);
    try {
      expect(await store.countDeliveries()).toMatchObject({ pending: 0, dead: 0 });
      for (const pull of pulls) {
        const id = { repositoryId: repository.id, number: pull.number };
        const row = await store.pull(id);
        expect(row).toMatchObject({ confirmed: { stage: "ready-for-qa" }, intent: null, blocked: null });
        const moved = (await store.history(id, 100)).items.filter((line) => line.kind === "moved");
        expect(moved.map((line) => line.to)).toEqual(["pr-created", "ready-for-qa"]);
      }
    } finally {
      await store.close();
    }
    for (const pull of pulls) {
      const names = [...world.checkRuns.values()].filter((run) => run.headSha === pull.head.sha).map((run) => run.name);
      expect(names.length, "no check run is there twice").toBe(new Set(names).size);
    }
  }, 120_000);
});

/** How many deliveries are stored and not handled yet. */
async function backlog(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  return z.object({ backlog: z.number() }).parse(await response.json()).backlog;
}
