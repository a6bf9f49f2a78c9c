/** `npm run app`: starts the app for real, with Probot's environment variables; without APP_ID its setup page. */
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import { createNodeMiddleware, createProbot, type Probot } from "probot";
import { collectDefaultMetrics, Registry } from "prom-client";
import { VERSION } from "../src/cli/version.ts";
import { boundServer, SERVER_OPTIONS } from "../src/coordinator/server/bounds.ts";
import { registeredApp } from "../src/github/app-manifest.ts";
import { ProxyError, useProxies } from "../src/proxy.ts";
import { createApp } from "./app.ts";
import { boundErrors } from "./audit/private-log.ts";
import {
  apiUrl,
  type Config,
  ConfigError,
  githubUrl,
  type ListenAddress,
  listensAt,
  misspelt,
  readConfig,
  readSettings,
  type Settings,
  WEBHOOK_PATH,
} from "./config.ts";
import type { AppTokens } from "./github-cache/app-token.ts";
import { fetchWithin, Octokit, octokitWithTokens } from "./github-cache/octokit.ts";
import { monitoringServer } from "./http/monitoring.ts";
import { setupPages } from "./http/setup.ts";
import { appKey } from "./settings/app-key.ts";
import { addToDotEnv, checkDotEnv, readDotEnv } from "./settings/dot-env.ts";
import { OpenToOthers } from "./store/database/private-files.ts";
import { DatabaseInUse, holdDatabase, type ProcessLock } from "./store/database/process-lock.ts";
import type { Store } from "./store/model.ts";
import { DatabaseUnusable, DatabaseUrlError, databaseName, isPostgresUrl, openStore, unusable } from "./store/open.ts";
import { openRequests, shutDown } from "./work/shutdown.ts";
import { DEFAULT_TIMINGS } from "./work/timings.ts";

/** A bad setting; nothing was started. */
const BAD_USAGE = 2;
const FAILED = 1;
const HELP = `Usage: npm run app

Starts the Stagewright app. It takes no arguments: its settings are environment variables, or lines of \`.env\` in this
directory. Without APP_ID it shows a page that makes the app on GitHub and writes its secrets into \`.env\`.
docs/app.md tells of each: APP_ID, PRIVATE_KEY or PRIVATE_KEY_PATH, WEBHOOK_SECRET, PUBLIC_URL, DATABASE_URL, HOST, PORT,
LOG_LEVEL, LOG_FORMAT and others.
`;
/** For the last line of the log to be written. */
const LAST_LINE_MS = 500;

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
  for (const line of misspelt(env)) {
    process.stderr.write(`stagewright: ${line}\n`);
  }
  const proxies = await useProxies(env).catch((error: unknown) => {
    throw error instanceof ProxyError ? new ConfigError(error.message) : error;
  });
  if (proxies !== null) process.stderr.write(`stagewright: ${proxies}\n`);
  const settings = readSettings(env);
  if (settings.APP_ID === undefined) {
    if (env.NODE_ENV === "production") {
      throw new ConfigError(
        "APP_ID is missing: set it and PRIVATE_KEY (or PRIVATE_KEY_PATH) from the app's settings on GitHub, or start without NODE_ENV=production to make an app in the browser.",
      );
    }
    await setUp(settings);
    return;
  }
  const config = readConfig(env);
  const appId = settings.APP_ID;
  const key = appKey(env, settings, () => probot.log);
  const probot = await loadProbot(config, appId, key.tokens, settings);
  const { store, sole } = await openDatabase(config.databaseUrl, (error) =>
    probot.log.warn({ err: error }, "a connection to the database was lost"),
  );
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // A file is one process's own; a server's database may have several.
  const shared = isPostgresUrl(config.databaseUrl);
  const app = createApp({
    config,
    store,
    appId,
    registry,
    signing: () => key.tokens.failure,
    ...(shared ? { replica: { id: randomUUID(), address: config.replicaAddress, version: VERSION } } : {}),
  });
  const middleware = await createNodeMiddleware(app.load, { probot, webhooksPath: config.webhookPath }).catch(
    async (error: unknown) => {
      // It may have gone away since it was opened: said as what it is, and no fault of the app's.
      await store.ping().catch((gone: unknown) => Promise.reject(unusable(config.databaseUrl, gone)));
      throw error;
    },
  );
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    void middleware(request, response, () => {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"There is nothing here."}\n');
    });
  });
  boundServer(server, config.connections);
  const open = openRequests(server);
  const port = await listen(server, config);
  config.webhookSecrets.file?.watch(probot.log);
  key.file?.watch(probot.log, () => {
    key.tokens.forget();
    app.keyChanged();
  });
  if (config.metricsAddress !== null) {
    const { host } = config.metricsAddress;
    const metricsPort = await listen(monitoringServer(app.monitoring), config.metricsAddress, "METRICS_ADDRESS");
    probot.log.info({ host, port: metricsPort }, `metrics at http://${host}:${metricsPort}/metrics`);
  }
  if (settings.WEBHOOK_PROXY_URL !== undefined) {
    const target = `http://${config.host}:${port}${config.webhookPath}`;
    probot.log.warn(
      `WEBHOOK_PROXY_URL is set: webhooks come only while somebody passes them on, such as npx smee-client --url ${settings.WEBHOOK_PROXY_URL} --target ${target}`,
    );
  }
  probot.log.info(
    {
      host: config.host,
      port,
      database: databaseName(config.databaseUrl),
      // What other replicas are told: a wrong one is found here.
      ...(shared ? { replicaAddress: config.replicaAddress } : {}),
    },
    `listening on http://${config.host}:${port}`,
  );

  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      // Whoever says it twice does not want to wait.
      process.exit(FAILED);
    }
    stopping = true;
    probot.log.info({ signal }, "stopping");
    config.webhookSecrets.file?.stop();
    key.file?.stop();
    const inOrder = await shutDown({
      server,
      open,
      stopWork: () => app.stop(),
      release: async () => {
        await store.close();
        sole.release();
      },
      log: probot.log,
      // Not before the line that says so is out.
      cut: () => setTimeout(() => process.exit(FAILED), LAST_LINE_MS),
    });
    if (!inOrder) {
      process.exitCode = FAILED;
    }
    probot.log.info("stopped");
    setTimeout(() => process.exit(process.exitCode ?? 0), LAST_LINE_MS).unref();
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));
}

async function openDatabase(
  url: string,
  onError: (error: Error) => void,
): Promise<{ readonly store: Store; readonly sole: ProcessLock }> {
  try {
    const sole = holdDatabase(url, Date.now());
    return { sole, store: await openStore(url, { onError }) };
  } catch (error) {
    const said = [DatabaseUrlError, DatabaseInUse, OpenToOthers].some((kind) => error instanceof kind);
    throw said ? error : unusable(url, error);
  }
}

async function loadProbot(config: Config, appId: number, tokens: AppTokens, settings: Settings): Promise<Probot> {
  const { env } = process;
  const probot = createProbot({
    env,
    overrides: {
      appId,
      // Its client never sees it: `tokens` sign.
      privateKey: "none",
      Octokit: octokitWithTokens(tokens.create),
      request: { fetch: fetchWithin(config.timings.requestTimeout) },
      // Our own endpoint takes all webhooks: nothing gets past it to Probot's with a secret that does not count any more.
      secret: randomBytes(32).toString("hex"),
      ...logging(settings),
    },
  });
  const ready = await probot.ready();
  boundErrors(ready.log);
  return ready;
}

function logging({ LOG_FORMAT, LOG_LEVEL }: Settings) {
  const usual = process.env.NODE_ENV === "production" ? "json" : "pretty";
  return { logFormat: LOG_FORMAT ?? usual, logLevel: LOG_LEVEL ?? "info" } as const;
}

/** A page makes an app on GitHub from the manifest beside this file; its secrets go into `.env`. */
async function setUp(settings: Settings): Promise<void> {
  const dotEnv = join(process.cwd(), ".env");
  // Not to find out when GitHub has handed out what it hands out once.
  checkDotEnv(dotEnv);
  const log = pino();
  const say = (line: string): void => {
    // Somebody sits before it: the app is not running yet.
    if (settings.LOG_FORMAT === "json") {
      log.info(line);
    } else {
      process.stdout.write(`stagewright: ${line}\n`);
    }
  };
  const { requestTimeout } = DEFAULT_TIMINGS;
  const octokit = new Octokit({ baseUrl: apiUrl(settings), request: { fetch: fetchWithin(requestTimeout) } });
  const handler = setupPages({
    file: readFileSync(join(import.meta.dirname, MANIFESTS[settings.STAGEWRIGHT_MANIFEST ?? "minimal"]), "utf8"),
    githubUrl: githubUrl(settings),
    organization: settings.GH_ORG ?? null,
    publicUrl: settings.PUBLIC_URL ?? null,
    webhookPath: settings.WEBHOOK_PATH ?? WEBHOOK_PATH,
    webhookProxy: settings.WEBHOOK_PROXY_URL ?? null,
    say,
    register: (code) => registeredApp(octokit, code, AbortSignal.timeout(requestTimeout)),
    keep: (credentials) => {
      addToDotEnv(dotEnv, credentials);
      return dotEnv;
    },
  });
  const address = listensAt(settings);
  const server = createServer(SERVER_OPTIONS, (request, response) => void handler(request, response));
  boundServer(server, SETUP_CONNECTIONS);
  const port = await listen(server, address);
  say(`there is no app yet: open http://${address.host}:${port} to register one on GitHub`);
}

/** A browser or two, and who asks whether it lives. */
const SETUP_CONNECTIONS = 100;

/** `full`: with what optional actions of a policy need. */
const MANIFESTS = { minimal: "app.yml", full: "app-full.yml" } as const;

/** `setting`: of what is not the app's own listener, the setting that says where it listens. */
function listen(server: Server, { host, port }: ListenAddress, setting?: string): Promise<number> {
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is taken: set ${setting ?? "PORT"} to another one.`,
    EACCES: `Port ${port} is not for this user: set ${setting ?? "PORT"} to another one.`,
    EADDRNOTAVAIL: `${setting ?? "HOST"} is “${host}”, which is no address of this machine.`,
    ENOTFOUND: `${setting ?? "HOST"} is “${host}”, which is no name of this machine.`,
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const remedy = remedies[error.code ?? ""];
      reject(remedy === undefined ? error : new ConfigError(remedy, { cause: error }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function loadDotEnv(): void {
  // What is set already goes before the file.
  for (const [key, value] of Object.entries(readDotEnv(".env"))) {
    process.env[key] ??= value;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof DatabaseUrlError) {
    process.stderr.write(`stagewright: ${error.message.replaceAll("\n", "\nstagewright: ")}\n`);
    process.exit(BAD_USAGE);
  }
  if ([DatabaseInUse, DatabaseUnusable, OpenToOthers].some((kind) => error instanceof kind) && error instanceof Error) {
    process.stderr.write(`stagewright: ${error.message}\n`);
    process.exit(FAILED);
  }
  process.stderr.write(
    `stagewright: the app could not be started.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(FAILED);
});
