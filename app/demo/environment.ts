/** Everything that the demo needs, started in order and ended in reverse: sandbox, runners, app, scene. */
import { randomBytes } from "node:crypto";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createSandbox } from "../../src/sandbox/index.ts";
import { startActions } from "../../src/sandbox/workflows/start.ts";
import { fullName, type World } from "../../src/sandbox/world/index.ts";
import type { Store } from "../store/model.ts";
import { openStore } from "../store/open.ts";
import { type Child, startChild } from "./child.ts";
import { registerApp, type Scene, setScene } from "./scene.ts";
import { waitFor } from "./waiting.ts";

export interface DemoEnvironment {
  readonly world: World;
  readonly scene: Scene;
  readonly url: string;
  readonly appUrl: string;
  readonly repositoryName: string;
  readonly app: Child;
  /** How often the app sent a request that puts labels on. */
  labelRequests(): number;
  /** The app's memory, opened beside it. */
  store(): Promise<Store>;
  /** Why nothing can go on any more; null: all live. */
  doomed(): string | null;
  /** What may explain a failure: the app's last lines, and the sandbox's own faults. */
  diagnosis(): readonly string[];
  close(): Promise<void>;
}

/** Something that must be there first is not; the message says what to do. */
export class NotReady extends Error {
  override readonly name = "NotReady";
}

/** The project's directory. */
const ROOT = resolve(import.meta.dirname, "../..");
const RUNNERS = 4;
const APP_START_MS = 60_000;
/** Characters of a line of the app's log that a diagnosis shows. */
const LINE_LIMIT = 500;
/** A cancelled job's cleanup gets this long when the demo ends. */
const GRACE_MS = 8_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", done);
  });
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** What the app's process sees: nothing of the caller's but where programs and the home directory are. */
function appEnvironment(
  caller: NodeJS.ProcessEnv,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const inherited = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "NODE_COMPILE_CACHE"].flatMap((name) => {
    const value = caller[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(inherited), ...values };
}

export interface DemoEnvironmentOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Of this process. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Starts everything. What was started is ended again when something later fails. */
export async function openDemoEnvironment(options: DemoEnvironmentOptions): Promise<DemoEnvironment> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  /** The sandbox's own faults -> how often. */
  const faults = new Map<string, number>();
  const report = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    faults.set(text, (faults.get(text) ?? 0) + 1);
  };
  try {
    await access(join(ROOT, "dist", "index.js")).catch((cause: unknown) => {
      throw new NotReady("dist/index.js is missing: run `npm run build`", { cause });
    });
    const directory = await mkdtemp(join(tmpdir(), "stagewright-demo-"));
    closers.push(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const sandbox = createSandbox({ report });
    const { world } = sandbox;
    const url = await sandbox.listen(options.port).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new NotReady(`the sandbox cannot listen on port ${options.port}: ${why}`, { cause });
    });
    closers.push(() => sandbox.close());
    const actions = await startActions(sandbox, { root: ROOT, runners: RUNNERS, report });
    closers.push(() => actions.close(GRACE_MS));

    const port = await freePort();
    const appUrl = `http://127.0.0.1:${port}`;
    const secret = randomBytes(20).toString("hex");
    const registered = await registerApp(world, ROOT, { url: `${appUrl}/api/github/webhooks`, secret });
    const database = `sqlite:${join(directory, "stagewright.db")}`;
    const app = startChild({
      name: "the app",
      file: join(ROOT, "app", "main.ts"),
      directory,
      env: appEnvironment(options.env, {
        APP_ID: String(registered.id),
        PRIVATE_KEY: registered.privateKey ?? "",
        WEBHOOK_SECRET: secret,
        GHE_HOST: new URL(url).host,
        GHE_PROTOCOL: "http",
        HOST: "127.0.0.1",
        PORT: String(port),
        PUBLIC_URL: appUrl,
        ...(actions.issuer === null ? {} : { OIDC_ISSUER: actions.issuer.issuer() }),
        DATABASE_URL: database,
        NODE_ENV: "production",
        LOG_LEVEL: "info",
      }),
    });
    closers.push(() => app.stop());
    const healthy = (): Promise<readonly string[]> =>
      fetch(`${appUrl}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
        (answer) => (answer.ok ? [] : [`a healthy app (${appUrl}/healthz answers ${answer.status})`]),
        () => [`an answer of the app at ${appUrl}/healthz`],
      );
    const doomed = (): string | null => app.ended();
    try {
      await waitFor({ missing: healthy, doomed, deadlineMs: APP_START_MS, signal: options.signal });
    } catch (error) {
      options.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      throw new NotReady([`the app did not start: ${why}`, ...app.tail()].join("\n"), { cause: error });
    }
    const scene = await setScene(world, ROOT, registered);
    let opened: Promise<Store> | undefined;
    closers.push(async () => (await opened)?.close());
    return {
      world,
      scene,
      url,
      appUrl,
      repositoryName: fullName(world, scene.repository),
      app,
      labelRequests: () =>
        sandbox.requests.entries().filter((entry) => entry.graphql?.fields.includes("addLabelsToLabelable") === true)
          .length,
      store: () => {
        opened ??= openStore(database);
        return opened;
      },
      doomed,
      diagnosis: () => [
        ...[...faults].map(([text, count]) => `sandbox (${count} times): ${text}`),
        ...app.tail().map((line) => `app: ${line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}…` : line}`),
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
