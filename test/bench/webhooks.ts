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
import { startPostgres } from "../postgres/postgres.ts";
import { type Bench, median, milliseconds, percentile } from "./bench.ts";
import { freePort } from "./redis.ts";

const DELIVERIES = 3_000;
const CONCURRENCY = 32;
const ROUNDS = 5;
const STEADY_RATE = 200;
const STEADY_SECONDS = 10;
const SECRET = "the webhook secret of this bench";

interface RunningApp {
  readonly port: number;
  readonly child: ChildProcess;
}

export const bench: Bench = {
  what: `${DELIVERIES} signed webhooks, ${CONCURRENCY} at a time, against a Probot app that does nothing`,
  async *run() {
    const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
    const postgres = await startPostgres({ durable: true });
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
    };
    const apps: RunningApp[] = [];
    const start = async (file: string, url: string): Promise<RunningApp> => {
      const app = await startApp(file, { ...env, DATABASE_URL: url });
      apps.push(app);
      return app;
    };
    try {
      const contestants = {
        SQLite: await start("app/main.ts", `sqlite:${path.join(folder, "bench.db")}`),
        PostgreSQL: await start("app/main.ts", await postgres.database()),
        nothing: await start("test/bench/noop-app.ts", ""),
      };
      yield* sideBySide(contestants);
      for (const [name, app] of Object.entries(contestants)) {
        const { rate, times } = await steady(app.port, unrelatedCheckRun());
        const [middle, most] = [50, 99].map((percent) => milliseconds(percentile(times, percent)));
        yield `${name}: at ${rate.toFixed(0)}/s answered in ${middle}, p99 ${most} (aim 50 ms)`;
      }
    } finally {
      for (const app of apps) await stop(app.child);
      await postgres.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Contestants = Readonly<Record<"SQLite" | "PostgreSQL" | "nothing", RunningApp>>;

/** In turns, so that a drift of the machine hits all alike. */
async function* sideBySide(contestants: Contestants): AsyncIterable<string> {
  const body = unrelatedCheckRun();
  const names = ["SQLite", "PostgreSQL", "nothing"] as const;
  const rates = { SQLite: [] as number[], PostgreSQL: [] as number[], nothing: [] as number[] };
  const costs = { SQLite: [] as number[], PostgreSQL: [] as number[], nothing: [] as number[] };
  for (const name of names) await deliver(contestants[name].port, body, 300);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) {
      const { port, child } = contestants[name];
      const before = cpuOf(child);
      rates[name].push(await deliver(port, body, DELIVERIES));
      costs[name].push((cpuOf(child) - before) / DELIVERIES);
    }
  }
  yield `answered only: ${median(rates.nothing).toFixed(0)}/s, ${milliseconds(median(costs.nothing))} of CPU each`;
  for (const [name, aim] of [["SQLite", 0.7] as const, ["PostgreSQL", 0.4] as const]) {
    const ratios = rates[name].map((rate, n) => rate / (rates.nothing[n] ?? Number.NaN));
    const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
    yield `stored in ${name} and answered: ${median(rates[name]).toFixed(0)}/s | ratio ${median(ratios).toFixed(2)} (${spread}; aim ≥ ${aim}) | ${milliseconds(median(costs[name]))} of the app's CPU each`;
  }
}

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

/** At a steady pace, whether or not those before were answered. `times`: milliseconds until each was answered. */
async function steady(port: number, body: Buffer): Promise<{ readonly rate: number; readonly times: number[] }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
  const times: number[] = [];
  const sent: Promise<void>[] = [];
  const started = performance.now();
  for (let n = 0; n < STEADY_RATE * STEADY_SECONDS; n += 1) {
    const due = started + (n * 1_000) / STEADY_RATE;
    if (performance.now() < due) await sleep(due - performance.now());
    // From when it was due: what is late because the machine was busy has waited, too.
    sent.push(
      post(port, agent, body, signature).then((status) => {
        if (status < 200 || status > 299) throw new Error(`a webhook was answered with ${status}`);
        times.push(performance.now() - due);
      }),
    );
  }
  const rate = sent.length / ((performance.now() - started) / 1_000);
  await Promise.all(sent);
  agent.destroy();
  return { rate, times };
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
