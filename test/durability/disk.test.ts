/** A disk that is full, one that is read-only, and a database that somebody else keeps: what GitHub and an operator see. */
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort, PRIVATE_KEY, SECRET } from "../app/server-process.ts";
import { openBeside } from "../beside.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";

/** The largest file that the process may write, in blocks of 1 KiB: the database gets full like a disk. */
const FULL_AT = 3_000;
const PATIENCE_MS = 45_000;
const LARGE = "x".repeat(200_000);
/** Repeated: what happens to all of them has one cause. */
const SENT_IN_VAIN = 30;

let directory = "";
let port = 0;
let log = "";
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-disk-"));
  log = join(directory, "app.log");
  port = await freePort();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(directory, { recursive: true, force: true });
});

/** The real app. `blocks`: how large its files may become; null: as large as they like. */
async function start(blocks: number | null): Promise<() => Promise<void>> {
  const output = openSync(log, "a");
  // What a shell ignores its programs ignore: a write beyond the limit is refused, as on a full disk.
  const limit = blocks === null ? "" : `trap '' XFSZ; ulimit -f ${blocks};`;
  const words = ["-c", `${limit} exec "$0" "$1"`, process.execPath, program("app/main.ts")];
  const child = spawn("bash", words, {
    cwd: directory,
    env: {
      ...{ PATH: process.env.PATH ?? "", HOME: directory, NODE_ENV: "production", LOG_LEVEL: "info", ...COMPILE_CACHE },
      ...{ APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: SECRET, HOST: "127.0.0.1", PORT: `${port}` },
      ...{ GHE_HOST: "127.0.0.1:9", GHE_PROTOCOL: "http", DATABASE_URL: `sqlite:${join(directory, "app.db")}` },
    },
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  ends.push(end);
  await until("the app to answer", async () => (await ask("/healthz")) === 200);
  return end;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${readFileSync(log, "utf8")}`);
    await sleep(50);
  }
}

async function ask(path: string): Promise<number | null> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.status ?? null;
}

async function reason(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

/** A signed webhook. */
async function send(id: string, text: string): Promise<number> {
  const body = JSON.stringify({ zen: text });
  const answer = await fetch(`http://127.0.0.1:${port}/api/github/webhooks`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    },
    body,
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** Lines of the log that say this. */
function lines(text: string): number {
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.includes(text)).length;
}

function stored(): Set<string> {
  const database = openBeside(join(directory, "app.db"));
  const ids = database
    .prepare("SELECT id FROM deliveries")
    .all()
    .map(({ id }) => String(id));
  database.close();
  return new Set(ids);
}

it(
  "refuses with 503 what it cannot store on a full disk, is not ready, says so once, and goes on when there is room",
  async () => {
    const end = await start(FULL_AT);
    const taken: string[] = [];
    await until("the disk to be full", async () => {
      const id = randomUUID();
      const status = await send(id, LARGE);
      if (status === 202) taken.push(id);
      else expect(status).toBe(503);
      return status === 503;
    });
    const refused = Array.from({ length: SENT_IN_VAIN }, () => randomUUID());
    for (const id of refused) expect(await send(id, LARGE)).toBe(503);
    expect(await reason()).toMatch(/^503 .*(?:disk|full)/u);
    expect(lines("deliveries cannot be stored")).toBe(1);
    await end();
    expect(taken.length).toBeGreaterThan(2);
    await start(null);
    const again = refused[0] ?? "";
    expect(await send(again, LARGE)).toBe(202);
    const there = stored();
    for (const id of [...taken, again]) expect(there.has(id)).toBe(true);
  },
  3 * PATIENCE_MS,
);

it(
  "refuses with 503 while somebody else keeps the database, and goes on afterwards",
  async () => {
    await start(null);
    expect(await send(randomUUID(), "before")).toBe(202);
    const other = openBeside(join(directory, "app.db"));
    other.exec("BEGIN IMMEDIATE;");
    const late = randomUUID();
    expect(await send(late, "meanwhile")).toBe(503);
    expect(await reason()).toMatch(/^503 .*locked/u);
    other.exec("ROLLBACK;");
    other.close();
    // GitHub shows it as failed, and it is sent again.
    expect(await send(late, "meanwhile")).toBe(202);
    expect(await ask("/readyz")).not.toBe(null);
    expect(lines("deliveries cannot be stored")).toBe(1);
    expect(lines("deliveries can be stored again")).toBe(1);
  },
  2 * PATIENCE_MS,
);
