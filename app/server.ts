/** `npm run app`: starts the app for real, with Probot's environment variables; without APP_ID its setup page. */
import { createPrivateKey } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { getPrivateKey } from "@probot/get-private-key";
import { createNodeMiddleware, createProbot, type Probot, run } from "probot";
import { collectDefaultMetrics, Registry } from "prom-client";
import { boundServer, SERVER_OPTIONS } from "../src/coordinator/server-bounds.ts";
import { writePrivateFile } from "../src/private-file.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { createApp } from "./index.ts";
import { fetchWithin, Octokit } from "./octokit.ts";
import { DatabaseUrlError, openStore } from "./store/open.ts";
import { OpenToOthers } from "./store/private-files.ts";
import { DatabaseInUse, holdDatabase } from "./store/sole.ts";

/** A bad setting; nothing was started. */
const BAD_USAGE = 2;
const FAILED = 1;
const HELP = `Usage: npm run app

Starts the Stagewright app. It takes no arguments: its settings are environment variables, or lines of \`.env\` in this
directory. Without APP_ID it shows a page that makes the app on GitHub and writes its secrets into \`.env\`.
docs/app.md tells of each: APP_ID, PRIVATE_KEY or PRIVATE_KEY_PATH, WEBHOOK_SECRET, PUBLIC_URL, DATABASE_URL, HOST, PORT,
LOG_LEVEL, LOG_FORMAT and others.
`;
/** What is being sent when the app is told to stop gets this long; what waits is stored anyway. */
const STOP_MS = 20_000;

async function main(words: readonly string[]): Promise<void> {
  if (words.length > 0) {
    if (words.every((word) => word === "--help" || word === "-h")) {
      process.stdout.write(HELP);
      return;
    }
    throw new ConfigError(`unknown argument ${JSON.stringify(words[0])}: settings come from the environment (--help)`);
  }
  loadDotEnv();
  const { env } = process;
  const production = env.NODE_ENV === "production";
  if (empty(env.APP_ID)) {
    if (production) {
      throw new ConfigError(
        "APP_ID is missing: set it and PRIVATE_KEY (or PRIVATE_KEY_PATH) from the app's settings on GitHub, or start without NODE_ENV=production to make an app in the browser.",
      );
    }
    await setUp();
    return;
  }
  const appId = Number(env.APP_ID);
  if (!Number.isInteger(appId) || appId <= 0) {
    throw new ConfigError(`APP_ID is “${env.APP_ID}”; expected the number in the app's settings on GitHub.`);
  }
  const config = readConfig(env);
  const level = logLevel(env.LOG_LEVEL);
  const probot = await loadProbot(config, appId, privateKey(env), { level, production });
  const sole = holdDatabase(config.databaseUrl, Date.now());
  const store = await openStore(config.databaseUrl);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const app = createApp({ config, store, appId, registry });
  const middleware = await createNodeMiddleware(app.load, { probot, webhooksPath: config.webhookPath });
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    void middleware(request, response, () => {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"There is nothing here."}\n');
    });
  });
  boundServer(server, config.connections);
  const port = await listen(server, config);
  probot.log.info(
    { host: config.host, port, database: config.databaseUrl.split(":", 1)[0] },
    `listening on http://${config.host}:${port}`,
  );

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      return;
    }
    stopping = true;
    probot.log.info({ signal }, "stopping");
    setTimeout(() => process.exit(FAILED), STOP_MS).unref();
    server.closeIdleConnections();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    setTimeout(() => server.closeAllConnections(), STOP_MS / 4).unref();
    closed
      .then(() => app.stop())
      .then(() => store.close())
      .then(() => sole.release())
      .then(
        () => probot.log.info("stopped"),
        (error: unknown) => {
          probot.log.error({ err: error }, "could not stop in order");
          process.exitCode = FAILED;
        },
      );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

async function loadProbot(
  config: Config,
  appId: number,
  key: string,
  { level, production }: { readonly level: Level; readonly production: boolean },
): Promise<Probot> {
  const { env } = process;
  const pretty = env.LOG_FORMAT === "pretty" || (empty(env.LOG_FORMAT) && !production);
  const probot = createProbot({
    env,
    overrides: {
      appId,
      privateKey: key,
      Octokit,
      request: { fetch: fetchWithin(config.timings.requestTimeout) },
      secret: config.webhookSecret,
      logFormat: pretty ? "pretty" : "json",
      logLevel: level,
    },
  });
  return await probot.ready();
}

/** In PEM form, found where Probot looks for it. A key that GitHub could not know is told now, not at the first webhook. */
function privateKey(env: NodeJS.ProcessEnv): string {
  try {
    const key = getPrivateKey({ env }) ?? "";
    createPrivateKey(key);
    return key;
  } catch (error) {
    const path = env.PRIVATE_KEY_PATH ?? "";
    if (empty(env.PRIVATE_KEY) && !empty(path)) {
      const why = existsSync(path) ? "this file holds no private key in PEM form" : "there is no such file";
      throw new ConfigError(`PRIVATE_KEY_PATH is ${path}: ${why}.`, { cause: error });
    }
    const remedy = "set it (or PRIVATE_KEY_PATH) to the app's private key in PEM form";
    throw new ConfigError(`PRIVATE_KEY is missing or not a key: ${remedy}.`, { cause: error });
  }
}

/** Probot's page makes an app on GitHub from the manifest beside this file, and writes its secrets to `.env`. */
async function setUp(): Promise<void> {
  const dotEnv = join(process.cwd(), ".env");
  // Probot looks for `app.yml` in the working directory.
  const directory = mkdtempSync(join(tmpdir(), "stagewright-setup-"));
  copyFileSync(join(import.meta.dirname, manifestFile(process.env.STAGEWRIGHT_MANIFEST)), join(directory, "app.yml"));
  process.chdir(directory);
  await run(() => undefined, {
    env: process.env,
    updateEnv: (values) => {
      const known = readDotEnv(dotEnv);
      const all = { ...known, ...values };
      const lines = Object.entries(all).map(([key, value]) => `${key}=${(value ?? "").replaceAll("\n", "\\n")}`);
      writePrivateFile(dotEnv, `${lines.join("\n")}\n`);
      Object.assign(process.env, all);
      return all;
    },
  });
}

/** `full`: with what optional actions of a policy need. */
function manifestFile(choice: string | undefined): string {
  switch (empty(choice) ? "minimal" : choice) {
    case "minimal":
      return "app.yml";
    case "full":
      return "app-full.yml";
    default:
      throw new ConfigError(`STAGEWRIGHT_MANIFEST is “${choice}”; expected minimal or full.`);
  }
}

function listen(server: Server, config: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE" ? `Port ${config.port} is taken: set PORT to another one.` : null;
      reject(taken === null ? error : new ConfigError(taken));
    });
    server.listen(config.port, config.host, () => resolve((server.address() as AddressInfo).port));
  });
}

function loadDotEnv(): void {
  // What is set already goes before the file.
  for (const [key, value] of Object.entries(readDotEnv(".env"))) {
    process.env[key] ??= value;
  }
}

function empty(value: string | undefined): boolean {
  return value === undefined || value.trim() === "";
}

function readDotEnv(file: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return {};
    }
    throw error;
  }
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

type Level = (typeof LEVELS)[number];

function logLevel(given: string | undefined): Level {
  const level = LEVELS.find((each) => each === (empty(given) ? "info" : given));
  if (level === undefined) {
    throw new ConfigError(`LOG_LEVEL is “${given}”; expected ${LEVELS.join(", ")}.`);
  }
  return level;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof DatabaseUrlError) {
    process.stderr.write(`stagewright: ${error.message}\n`);
    process.exit(BAD_USAGE);
  }
  if (error instanceof DatabaseInUse || error instanceof OpenToOthers) {
    process.stderr.write(`stagewright: ${error.message}\n`);
    process.exit(FAILED);
  }
  process.stderr.write(
    `stagewright: the app could not be started.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(FAILED);
});
