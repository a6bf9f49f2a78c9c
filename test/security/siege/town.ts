/** What is besieged: the real app as a process of its own over real HTTP, and GitHub's stand-in with its people. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import { createOidcIssuer, ISSUER_PATH, type OidcIssuer } from "../../../src/sandbox/oidc.ts";
import {
  type Account,
  type App,
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  install,
  type Repository,
  setCollaborator,
} from "../../../src/sandbox/world/index.ts";
import { MANIFEST } from "../../convergence/manifest.ts";
import { KEYS } from "../../keys.ts";

export const SECRET = "a webhook secret of this siege, long enough";
const START_MS = 60_000;
const STOP_MS = 30_000;
const MIB = 1024 * 1024;

export interface Town {
  readonly sandbox: Sandbox;
  readonly issuer: OidcIssuer;
  readonly app: App;
  readonly people: Readonly<Record<"acme" | "evil" | "rex" | "cleo" | "tess" | "mallory", Account>>;
  /** Where people work; all of acme, one installation. */
  readonly repositories: readonly Repository[];
  /** Of the attackers' own organisation, which has installed the app, too. */
  readonly hostile: Repository;
  readonly url: string;
  /** MiB of memory that the app holds now, and the most it ever held; null: it is not there. */
  memory(): { readonly now: number; readonly peak: number } | null;
  /** What the app said last. */
  output(): string;
  close(): Promise<void>;
}

/** @throws when the app does not start. `quiet` repositories of acme; `directory` is made and removed. */
export async function openTown(quiet: number): Promise<Town> {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-siege-"));
  const sandbox = createSandbox({ limits: { installation: 10_000_000, app: 10_000_000, user: 10_000_000 } as never });
  const { world } = sandbox;
  const issuer = await createOidcIssuer(() => sandbox.url);
  sandbox.mount(ISSUER_PATH, (request) => issuer.handle(request));
  await sandbox.listen();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [acme, evil] = [addOrganization(world, "acme"), addOrganization(world, "evil")];
  const [rex, cleo, tess, mallory] = [
    addUser(world, "rex"),
    addUser(world, "cleo"),
    addUser(world, "tess"),
    addUser(world, "mallory"),
  ];
  const app = addApp(world, {
    ...MANIFEST,
    slug: "stagewright",
    owner: acme,
    webhook: { url: `${url}/api/github/webhooks`, secret: SECRET },
    keys: KEYS,
  });
  const repositories = Array.from({ length: quiet }, (_, index) => {
    const files = { "README.md": "# It\n" };
    const repository = addRepository(world, asUser(acme), { owner: acme, name: `quiet-${index}`, files });
    for (const person of [rex, cleo, tess]) {
      setCollaborator(world, asUser(acme), repository, person, "write");
    }
    return repository;
  });
  const hostile = addRepository(world, asUser(evil), {
    owner: evil,
    name: "hostile",
    files: { "README.md": "# It\n" },
  });
  setCollaborator(world, asUser(evil), hostile, mallory, "admin");
  const child = spawn(process.execPath, [resolve("app/main.ts")], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      NODE_ENV: "production",
      LOG_LEVEL: "warn",
      APP_ID: `${app.id}`,
      PRIVATE_KEY: KEYS.privateKey,
      WEBHOOK_SECRET: SECRET,
      GHE_HOST: new URL(sandbox.url).host,
      GHE_PROTOCOL: "http",
      OIDC_ISSUER: issuer.issuer(),
      HOST: "127.0.0.1",
      PORT: `${port}`,
      PUBLIC_URL: url,
      DATABASE_URL: `sqlite:${join(directory, "app.db")}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-20_000);
    });
  }
  await answers(child, url, () => said);
  install(world, asUser(acme), { app, account: acme, repositories });
  install(world, asUser(evil), { app, account: evil, repositories: [hostile] });
  return {
    sandbox,
    issuer,
    app,
    people: { acme, evil, rex, cleo, tess, mallory },
    repositories,
    hostile,
    url,
    memory: () => memoryOf(child),
    output: () => said,
    close: async () => {
      await end(child);
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, url: string, said: () => string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok === true) {
      return;
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`The app does not answer: ${said()}`);
    }
    await sleep(50);
  }
}

function memoryOf(child: ChildProcess): { readonly now: number; readonly peak: number } | null {
  try {
    const text = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "mu").exec(text)?.[1] ?? 0);
    return { now: (kib("VmRSS") * 1024) / MIB, peak: (kib("VmHWM") * 1024) / MIB };
  } catch {
    return null;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(late);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address !== null ? address.port : 0;
}
