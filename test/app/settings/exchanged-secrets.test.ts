/** Secrets are exchanged while the app runs: it is one process from beginning to end, and no webhook is lost. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { createSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import { addApp, addOrganization, addRepository, asUser, install } from "../../../src/sandbox/world/index.ts";
import { KEYS } from "../../keys.ts";
import { endAll, freePort, PRIVATE_KEY, type Started, startServer } from "../server-process.ts";

const OLD = "4f0c6e7a8b1d2c3f4e5d6a7b8c9d0e1f";
const NEW = "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d";

let directory: string;
let sandbox: Sandbox;
let port: number;
let key: string;
let env: Record<string, string>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-secrets-"));
  sandbox = createSandbox();
  const url = await sandbox.listen();
  const { world } = sandbox;
  port = await freePort();
  const manifest = parse(readFileSync("app/app.yml", "utf8"));
  const owner = addOrganization(world, "acme");
  const app = addApp(world, {
    keys: KEYS,
    slug: "stagewright",
    name: "Stagewright",
    owner,
    permissions: manifest.default_permissions,
    events: manifest.default_events,
    webhook: { url: `http://127.0.0.1:${port}/api/github/webhooks`, secret: OLD },
  });
  const repository = addRepository(world, asUser(owner), { owner, name: "widget", files: { "README.md": "# w\n" } });
  install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  key = app.privateKey ?? "";
  env = {
    APP_ID: `${app.id}`,
    GHE_HOST: new URL(url).host,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: `${port}`,
    LOG_LEVEL: "info",
    DATABASE_URL: `sqlite:${join(directory, "app.db")}`,
  };
});
afterEach(async () => {
  await endAll();
  await sandbox.close();
  rmSync(directory, { recursive: true, force: true });
});

let deliveries = 0;
async function send(secret: string): Promise<number> {
  deliveries += 1;
  const body = JSON.stringify({ zen: "Keep it logically awesome." });
  const answer = await fetch(`http://127.0.0.1:${port}/api/github/webhooks`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-github-delivery": `delivery-${deliveries}`,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
    body,
  });
  return answer.status;
}

async function readiness(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
  return answer === null ? "" : `${answer.status} ${await answer.text()}`;
}

async function until(app: Started, what: RegExp, ask: () => Promise<string | number>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (let told = ""; !what.test(told); told = `${await ask()}`) {
    if (Date.now() > deadline || app.child.exitCode !== null) {
      throw new Error(`${what} was not told, but ${told}: ${app.output()}`);
    }
    await sleep(20);
  }
}

/** As Kubernetes puts a new content into a mounted secret: the link is swapped. */
function swap(link: string, content: string): void {
  deliveries += 1;
  const file = join(directory, `content-${deliveries}`);
  writeFileSync(file, content);
  symlinkSync(file, `${link}.new`);
  renameSync(`${link}.new`, link);
}

it("takes webhook secrets and the private key from their files as they change, and keeps what it has of one that is wrong", async () => {
  const [secrets, pem] = [join(directory, "secrets"), join(directory, "key.pem")];
  swap(secrets, `${OLD}\n`);
  swap(pem, PRIVATE_KEY);
  const app = startServer(directory, { ...env, WEBHOOK_SECRET_FILE: secrets, PRIVATE_KEY_PATH: pem });
  await until(app, /^503 .*does not accept PRIVATE_KEY/, readiness);
  swap(pem, key);
  await until(app, /^200/, readiness);
  expect(app.output()).toMatch(/"bot":"stagewright\[bot\]"/);
  swap(pem, "no key");
  await until(app, /PRIVATE_KEY_PATH: .* cannot be used as it is now/, async () => app.output());

  expect([await send(OLD), await send(NEW)]).toEqual([202, 400]);
  swap(secrets, `${NEW}\n${OLD}\n`);
  await until(app, /^202$/, () => send(NEW));
  expect(await send(OLD)).toBe(202);
  swap(secrets, `${NEW}\n`);
  await until(app, /^400$/, () => send(OLD));
  swap(secrets, "short\n");
  await until(app, /WEBHOOK_SECRET_FILE: .* cannot be used as it is now \(has 5 characters/, async () => app.output());
  expect([await send(NEW), await send("short")]).toEqual([202, 400]);
  // It was looked at again and again meanwhile.
  await sleep(2_500);
  expect(app.output().match(/cannot be used as it is now/g)).toHaveLength(2);
  expect(await readiness()).toMatch(/^200/);
  for (const secret of [OLD, NEW, "short", "PRIVATE KEY"]) expect(app.output()).not.toContain(secret);
  app.child.kill("SIGTERM");
  const [code] = await once(app.child, "exit");
  expect(code, app.output()).toBe(0);
}, 90_000);

it("has its tokens signed by a command, without a key of its own, and says in /readyz when that fails", async () => {
  const [command, pem] = [join(directory, "sign"), join(directory, "kept elsewhere.pem")];
  writeFileSync(
    command,
    `#!${process.execPath}\nconst { readFileSync } = require("node:fs");
     process.stderr.write("the vault is sealed");
     const input = readFileSync(0);
     if (process.env.WEBHOOK_SECRET) process.exit(9);
     process.stdout.write(require("node:crypto").sign("RSA-SHA256", input, readFileSync(process.argv[2])).toString("base64"));`,
  );
  chmodSync(command, 0o755);
  const settings = { ...env, WEBHOOK_SECRET: `${NEW}\n${OLD}`, SIGN_COMMAND: JSON.stringify([command, pem]) };
  const failing = startServer(directory, settings);
  await until(failing, /^503 .*"SIGN_COMMAND ended with exit code 1"/, readiness);
  expect(await readiness()).not.toContain("sealed");
  expect(failing.output()).toMatch(/"problem":"failed","said":"the vault is sealed/);
  expect([await send(OLD), await send(NEW), await send("other")]).toEqual([202, 202, 400]);
  failing.child.kill("SIGKILL");
  await once(failing.child, "exit");

  writeFileSync(pem, key);
  const app = startServer(directory, settings);
  await until(app, /"bot":"stagewright\[bot\]"/, async () => app.output());
  await until(app, /^200/, readiness);
  // A token of the installation is one that the app's own token was shown for.
  await until(app, /access_tokens/, async () => Object.keys(sandbox.requests.counts().routes).join(" "));
  app.child.kill("SIGTERM");
  const [code] = await once(app.child, "exit");
  expect(code, app.output()).toBe(0);
}, 90_000);
