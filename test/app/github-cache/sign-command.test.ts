/** The program that signs in the app's place: real ones, each wrong in its own way. */
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppTokens, keySigner } from "../../../app/github-cache/app-token.ts";
import { commandSigner, readSignCommand } from "../../../app/github-cache/sign-command.ts";
import { webhookSecretsOf } from "../../../app/settings/webhook-secrets.ts";

/** The app's own, of which the command sees none. */
const SECRETS = { WEBHOOK_SECRET: "s3cret", PRIVATE_KEY: "s3cret", DATABASE_URL: "s3cret", METRICS_TOKEN: "s3cret" };
const PRINT_SECRETS = `printf "%s" ${Object.keys(SECRETS)
  .map((name) => `"$${name}"`)
  .join(" ")}`;

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-sign-"));
  writeFileSync(join(directory, "key.pem"), privateKey);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lines: unknown[] = [];
const log = { error: (...line: unknown[]) => lines.push(line), info: (...line: unknown[]) => lines.push(line) };
const shell = (script: string, deadlineMs = 60_000) => {
  lines.length = 0;
  const command = ["/bin/sh", "-c", script, "sign", directory] as const;
  return commandSigner({ command, env: { ...process.env, ...SECRETS }, log: () => log, deadlineMs });
};
const SIGN = `"${process.execPath}" -e 'const { readFileSync } = require("fs");
  process.stdout.write(require("crypto").sign("RSA-SHA256", readFileSync(0), readFileSync(process.argv[1])))' "$1/key.pem"`;
const good = (input: string, signature: Buffer) =>
  verify("RSA-SHA256", Buffer.from(input), createPublicKey(publicKey), signature);

describe("a command that signs", () => {
  it.each([
    ["bytes", SIGN],
    ["base64", `${SIGN} | base64`],
    ["base64url", `${SIGN} | base64 -w0 | tr '+/' '-_' | tr -d '='`],
  ])("may print its signature as %s", async (_, script) => {
    expect(good("a.b", await shell(script)("a.b"))).toBe(true);
  });

  it.each([
    ["failed", "echo sealed >&2; exit 3", "SIGN_COMMAND ended with exit code 3"],
    ["failed", "kill -9 $$", "SIGN_COMMAND was ended by SIGKILL"],
    ["too_much", "yes", "SIGN_COMMAND printed more than 8192 bytes"],
    ["no_signature", "echo nothing", "SIGN_COMMAND printed no RSA signature (8 bytes)"],
    ["no_signature", PRINT_SECRETS, "SIGN_COMMAND printed no RSA signature (0 bytes)"],
  ])("that is wrong is told as %s: %s", async (problem, script, message) => {
    await expect(shell(script)("a.b")).rejects.toMatchObject({ problem, message: expect.stringContaining(message) });
    expect(lines).toHaveLength(1);
  });

  it("that is none is told as not_started", async () => {
    const signer = commandSigner({ command: [join(directory, "absent")], env: {}, log: () => log });
    await expect(signer("a.b")).rejects.toMatchObject({
      problem: "not_started",
      message: expect.stringMatching("ENOENT"),
    });
  });

  it("that hangs is ended with what it has started, and its failure is said once until it signs again", async () => {
    const signer = shell(`if [ -e "$1/open" ]; then ${SIGN}; else (sleep 1; touch "$1/late") & sleep 60; fi`, 200);
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(signer("a.b")).rejects.toMatchObject({ problem: "timed_out" });
    }
    expect(lines).toHaveLength(1);
    await sleep(1_500);
    expect(existsSync(join(directory, "late"))).toBe(false);
  });

  it("is named as JSON or as one path, never as a line for a shell", () => {
    expect(readSignCommand('["sign", "--key", "a b"]')).toEqual(["sign", "--key", "a b"]);
    expect(readSignCommand("/usr/bin/sign")).toEqual(["/usr/bin/sign"]);
    for (const text of ["sign --key x", '["sign", 1]', "[]", '[""]', "[", '"sign"']) {
      expect(readSignCommand(text), text).toBeUndefined();
    }
  });
});

describe("the app's tokens", () => {
  const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

  it("are signed once in five minutes, anew with another key, and after the clock was set back", async () => {
    let now = 1_000_000_000;
    let signed = 0;
    const tokens = new AppTokens(
      async (input) => {
        signed += 1;
        return keySigner(() => privateKey)(input);
      },
      () => now,
    );
    const { jwt } = await tokens.create(7);
    const at = jwt.lastIndexOf(".");
    expect(good(jwt.slice(0, at), Buffer.from(jwt.slice(at + 1), "base64url"))).toBe(true);
    expect(claims(jwt)).toEqual({ iat: 999_970, exp: 1_000_570, iss: "7" });
    await Promise.all([tokens.create(7), tokens.create(7)]);
    expect(signed).toBe(1);
    now += 5 * 60_000;
    await Promise.all([tokens.create(7), tokens.create(7)]);
    expect(signed).toBe(2);
    tokens.forget();
    await tokens.create(7);
    expect(signed).toBe(3);
    now -= 1_000;
    expect(claims((await tokens.create(7)).jwt).iat).toBe(1_000_269);
    expect(claims((await tokens.create(7, 90)).jwt).iat).toBe(1_000_359);
  });
});

describe("webhook secrets", () => {
  it("are one a line, two at most, each as good as one alone", () => {
    const [one, two] = ["4f0c6e7a8b1d2c3f4e5d6a7b8c9d0e1f", "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d"];
    expect(webhookSecretsOf(`\n${one}\r\n  ${two}\n\n`)).toEqual([one, two]);
    expect(() => webhookSecretsOf("\n \n")).toThrow("holds no secret");
    expect(() => webhookSecretsOf([one, two, one].join("\n"))).toThrow("holds 3 secrets");
    expect(() => webhookSecretsOf(`${one}\nchangeme`)).toThrow("(line 2) is made of words");
  });
});
