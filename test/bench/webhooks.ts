/** Signed webhooks a second until they are stored and answered, against a Probot app that does nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, median, milliseconds } from "./bench.ts";
import { freePort } from "./redis.ts";

const DELIVERIES = 3_000;
const CONCURRENCY = 32;
const ROUNDS = 3;
const SECRET = "the webhook secret of this bench";

interface RunningApp {
  readonly port: number;
  readonly child: ChildProcess;
}

export const bench: Bench = {
  what: `${DELIVERIES} signed webhooks, ${CONCURRENCY} at a time, against a Probot app that does nothing`,
  async *run() {
    const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      APP_ID: "1",
      PRIVATE_KEY: privateKey,
      WEBHOOK_SECRET: SECRET,
      LOG_LEVEL: "fatal",
      NODE_ENV: "production",
      // Nothing may be asked of GitHub for these events; if it is, it fails at once.
      GHE_HOST: "127.0.0.1:1",
      GHE_PROTOCOL: "http",
      DATABASE_URL: `sqlite:${path.join(folder, "bench.db")}`,
    };
    const apps: RunningApp[] = [];
    try {
      const ours = await startApp("app/main.ts", env);
      apps.push(ours);
      const theirs = await startApp("test/bench/noop-app.ts", env);
      apps.push(theirs);
      const body = unrelatedCheckRun();
      const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
      const costs: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
      for (const app of apps) await deliver(app.port, body, 300);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [who, app] of [["ours", ours] as const, ["theirs", theirs] as const]) {
          const before = cpuOf(app.child);
          rates[who].push(await deliver(app.port, body, DELIVERIES));
          costs[who].push((cpuOf(app.child) - before) / DELIVERIES);
        }
      }
      const ratio = median(rates.ours.map((rate, n) => rate / (rates.theirs[n] ?? Number.NaN)));
      yield `stored and answered ${median(rates.ours).toFixed(0)}/s | answered only ${median(rates.theirs).toFixed(0)}/s | ratio ${ratio.toFixed(2)} (aim ≥ 0.7)`;
      yield `CPU of the app for each: ${milliseconds(median(costs.ours))} | ${milliseconds(median(costs.theirs))}, which the disk has no part in`;
    } finally {
      for (const app of apps) await stop(app.child);
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Milliseconds that a process has used so far, as Linux counts them in hundredths of a second; NaN elsewhere. */
function cpuOf({ pid }: ChildProcess): number {
  if (process.platform !== "linux") return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
  return ((user ?? 0) + (system ?? 0)) * 10;
}

/** A real payload of a check run on a commit of no pull request that we know. */
function unrelatedCheckRun(): Buffer {
  const examples: { name: string; examples: Record<string, unknown>[] }[] = createRequire(import.meta.url)(
    "@octokit/webhooks-examples",
  );
  const example = examples
    .find((each) => each.name === "check_run")
    ?.examples.find((each) => each.action === "created");
  if (example === undefined) throw new Error("there is no example of a check_run event");
  return Buffer.from(JSON.stringify(example));
}

async function startApp(file: string, env: NodeJS.ProcessEnv): Promise<RunningApp> {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    env: { ...env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr?.on("data", (chunk) => {
    errors = (errors + chunk).slice(-2000);
  });
  const deadline = performance.now() + 20_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${errors}`);
    try {
      await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(1_000) });
      return { port, child };
    } catch {
      if (performance.now() > deadline) throw new Error(`${file} does not listen: ${errors}`);
      await sleep(100);
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exit;
}

/** @returns webhooks a second. @throws when one is not answered with 2xx. */
async function deliver(port: number, body: Buffer, count: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const status = await post(port, agent, body, signature);
      if (status < 200 || status > 299) throw new Error(`a webhook was answered with ${status}`);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return count / seconds;
}

async function post(port: number, agent: http.Agent, body: Buffer, signature: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        path: "/api/github/webhooks",
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          "content-length": body.length,
          "x-github-event": "check_run",
          "x-github-delivery": randomUUID(),
          "x-hub-signature-256": signature,
        },
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
      },
    );
    request.once("error", reject);
    request.end(body);
  });
}
