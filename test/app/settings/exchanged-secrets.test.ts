/** Secrets are exchanged while the app runs: it is one process from beginning to end, and no webhook is lost. */
import { once } from "node:events";
import { chmodSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RegisteredApp, registerApp, told } from "../registered-app.ts";
import { endAll, PRIVATE_KEY } from "../server-process.ts";

const OLD = "4f0c6e7a8b1d2c3f4e5d6a7b8c9d0e1f";
const NEW = "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d";

let registered: RegisteredApp;
beforeEach(async () => {
  registered = await registerApp();
});
afterEach(async () => {
  await endAll();
  await registered.close();
});

let contents = 0;
/** As Kubernetes puts a new content into a mounted secret: the link is swapped. */
function swap(link: string, content: string): void {
  contents += 1;
  const file = `${link}-${contents}`;
  writeFileSync(file, content);
  symlinkSync(file, `${link}.new`);
  renameSync(`${link}.new`, link);
}

it("takes webhook secrets and the private key from their files as they change, and keeps what it has of one that is wrong", async () => {
  const { directory, ping, readiness } = registered;
  const [secrets, pem] = [join(directory, "secrets"), join(directory, "key.pem")];
  swap(secrets, `${OLD}\n`);
  swap(pem, PRIVATE_KEY);
  const app = registered.start({ WEBHOOK_SECRET: "", WEBHOOK_SECRET_FILE: secrets, PRIVATE_KEY_PATH: pem });
  await told(app, /^503 .*does not accept PRIVATE_KEY/, readiness);
  swap(pem, registered.privateKey);
  await told(app, /^200/, readiness);
  await told(app, /"bot":"stagewright\[bot\]"/, app.output);
  swap(pem, "no key");
  await told(app, /PRIVATE_KEY_PATH: .* cannot be used as it is now/, app.output);

  expect([await ping(OLD), await ping(NEW)]).toEqual([202, 400]);
  swap(secrets, `${NEW}\n${OLD}\n`);
  await told(app, /^202$/, () => ping(NEW));
  expect(await ping(OLD)).toBe(202);
  swap(secrets, `${NEW}\n`);
  await told(app, /^400$/, () => ping(OLD));
  swap(secrets, "short\n");
  await told(app, /WEBHOOK_SECRET_FILE: .* cannot be used as it is now \(has 5 characters/, app.output);
  expect([await ping(NEW), await ping("short")]).toEqual([202, 400]);
  // It was looked at again and again meanwhile.
  await sleep(2_500);
  expect(app.output().match(/cannot be used as it is now/g)).toHaveLength(2);
  expect(await readiness()).toMatch(/^200/);
  for (const secret of [OLD, NEW, "short", "PRIVATE KEY"]) expect(app.output()).not.toContain(secret);
  app.child.kill("SIGTERM");
  const [code] = await once(app.child, "exit");
  expect(code, app.output()).toBe(0);
}, 240_000);

it("has its tokens signed by a command, without a key of its own, and says in /readyz when that fails", async () => {
  const { directory, ping, readiness, sandbox } = registered;
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
  const settings = { WEBHOOK_SECRET: `${NEW}\n${OLD}`, SIGN_COMMAND: JSON.stringify([command, pem]) };
  const failing = registered.start(settings);
  await told(failing, /^503 .*"SIGN_COMMAND ended with exit code 1"/, readiness);
  expect(await readiness()).not.toContain("sealed");
  expect(failing.output()).toMatch(/"problem":"failed","said":"the vault is sealed/);
  expect([await ping(OLD), await ping(NEW), await ping("other")]).toEqual([202, 202, 400]);
  failing.child.kill("SIGKILL");
  await once(failing.child, "exit");

  writeFileSync(pem, registered.privateKey);
  const app = registered.start(settings);
  await told(app, /"bot":"stagewright\[bot\]"/, app.output);
  await told(app, /^200/, readiness);
  // A token of the installation is one that the app's own token was shown for.
  await told(app, /access_tokens/, () => Object.keys(sandbox.requests.counts().routes).join(" "));
  app.child.kill("SIGTERM");
  const [code] = await once(app.child, "exit");
  expect(code, app.output()).toBe(0);
}, 240_000);
