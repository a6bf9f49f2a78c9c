/** An app that is registered and installed in a sandbox, for tests that run it as a process of its own. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import {
  type Account,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  install,
  type Repository,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { addStagewright } from "./add-stagewright.ts";
import { freePort, SECRET, type Started, startServer } from "./server-process.ts";

export interface RegisteredApp {
  /** Its own, with its database. */
  readonly directory: string;
  readonly sandbox: Sandbox;
  readonly repository: Repository;
  /** Who may write to it. */
  readonly rex: Account;
  readonly port: number;
  readonly privateKey: string;
  /** What it is started with: all but a key. */
  readonly env: Readonly<Record<string, string>>;
  start(env?: Readonly<Record<string, string>>): Started;
  /** Sends it a ping that is signed with this secret. Resolves with the answer's status. */
  ping(secret?: string): Promise<number>;
  /** What /readyz says: status and text; empty: nobody answers. */
  readiness(): Promise<string>;
  close(): Promise<void>;
}

export async function registerApp(): Promise<RegisteredApp> {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-process-"));
  const sandbox = createSandbox();
  const url = await sandbox.listen();
  const { world } = sandbox;
  const port = await freePort();
  const owner = addOrganization(world, "acme");
  const app = addStagewright(world, owner, `http://127.0.0.1:${port}`, SECRET);
  const repository = addRepository(world, asUser(owner), { owner, name: "widget", files: { "README.md": "# w\n" } });
  const rex = addUser(world, "rex");
  setCollaborator(world, asUser(owner), repository, rex, "write");
  install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  const env = {
    APP_ID: `${app.id}`,
    WEBHOOK_SECRET: SECRET,
    GHE_HOST: new URL(url).host,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: `${port}`,
    LOG_LEVEL: "info",
    DATABASE_URL: `sqlite:${join(directory, "app.db")}`,
    STAGEWRIGHT_WRITE_INTERVAL_MS: "10",
    STAGEWRIGHT_RETRY_PAUSE_MS: "20",
  };
  let pings = 0;
  return {
    directory,
    sandbox,
    repository,
    rex,
    port,
    privateKey: app.privateKey ?? "",
    env,
    start: (own = { PRIVATE_KEY: app.privateKey ?? "" }) => startServer(directory, { ...env, ...own }),
    ping: async (secret = SECRET) => {
      pings += 1;
      const body = JSON.stringify({ zen: "Keep it logically awesome." });
      const answer = await fetch(`http://127.0.0.1:${port}/api/github/webhooks`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": "ping",
          "x-github-delivery": `ping-${pings}`,
          "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        },
        body,
      });
      return answer.status;
    },
    readiness: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      return answer === null ? "" : `${answer.status} ${await answer.text()}`;
    },
    close: async () => {
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer is such; fails with what the app has said when that takes too long, or when it has ended. */
export async function told(app: Started, what: RegExp, ask: () => Promise<string | number> | string): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (let answer = `${await ask()}`; !what.test(answer); answer = `${await ask()}`) {
    if (Date.now() > deadline || app.child.exitCode !== null) {
      throw new Error(`${what} was not told, but ${answer}: ${app.output()}`);
    }
    await sleep(20);
  }
}
