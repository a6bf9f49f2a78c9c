/** The app as a process of its own, as `npm run app` starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";

const SERVER = program("app/main.ts");
export const SECRET = "a secret of forty-two characters, at least";
export const { privateKey: PRIVATE_KEY } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const children: ChildProcess[] = [];

/** Kills those that are still there. */
export async function endAll(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

export function startServer(
  directory: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Started {
  const child = spawn(process.execPath, [SERVER, ...words], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      NODE_ENV: "production",
      LOG_LEVEL: "warn",
      ...COMPILE_CACHE,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address !== null ? address.port : 0;
}

export async function healthy(port: number, { child, output }: Started): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.ok === true) {
      return;
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`The app does not answer: ${output()}`);
    }
    await sleep(20);
  }
}
