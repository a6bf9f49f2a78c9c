/** The sandbox here, and the app in a process of its own: what each of them costs can be told apart. */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import {
  type Account,
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  commitFiles,
  install,
  openPull,
  type PullRequest,
  type Repository,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import { freePort } from "./redis.ts";

export type Question =
  | { readonly ask: "idle" | "latencies" | "heap" | "cpu" }
  | { readonly ask: "sweep"; readonly repositoryId: number }
  | {
      readonly ask: "copies";
      readonly of: { readonly repositoryId: number; readonly number: number };
      readonly from: number;
      readonly count: number;
    };

export interface Answer {
  readonly ready?: boolean;
  readonly swept?: { readonly open: number; readonly unchanged: number };
  /** Milliseconds from an event to the evaluation that contains it. */
  readonly latencies?: readonly number[];
  /** Bytes. */
  readonly heap?: number;
  /** Milliseconds since the start. */
  readonly cpu?: number;
}

/** What one installation has. */
export interface Place {
  readonly repository: Repository;
  readonly pulls: readonly PullRequest[];
}

export interface AppBeside {
  readonly sandbox: Sandbox;
  readonly places: readonly Place[];
  readonly cleo: Account;
  readonly databaseFile: string;
  ask(question: Question): Promise<Answer>;
  /** Resolves when every event was delivered and nothing is left to do. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const SECRET = "the webhook secret of this bench";

/** `installations`: each with one repository. `databaseUrl`: default a file of its own, which goes with it. */
export async function appBeside(installations: number, pullsEach: number, databaseUrl?: string): Promise<AppBeside> {
  const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
  const databaseFile = path.join(folder, "bench.db");
  const sandbox = createSandbox({ limits: { installation: 10_000_000 } as never, report: () => undefined });
  const { world } = sandbox;
  const [url, port] = [await sandbox.listen(), await freePort()];
  const manifest = parse(readFileSync("app/app.yml", "utf8"));
  const registered = addApp(world, {
    keys: KEYS,
    slug: "stagewright",
    name: "Stagewright",
    owner: addOrganization(world, "vendor"),
    permissions: manifest.default_permissions,
    events: manifest.default_events,
    webhook: { url: `http://127.0.0.1:${port}/api/github/webhooks`, secret: SECRET },
  });
  const child = fork(fileURLToPath(new URL("app-child.ts", import.meta.url)), {
    env: {
      ...process.env,
      APP_ID: `${registered.id}`,
      PRIVATE_KEY: registered.privateKey ?? "",
      WEBHOOK_SECRET: SECRET,
      GHE_HOST: new URL(url).host,
      GHE_PROTOCOL: "http",
      PORT: `${port}`,
      DATABASE_URL: databaseUrl ?? `sqlite:${databaseFile}`,
    },
  });
  const ask = asker(child);
  await ask.ready;
  const [rex, cleo] = [addUser(world, "rex"), addUser(world, "cleo")];
  const settled = async (): Promise<void> => {
    for (let before = -1; before !== world.deliveries.size; ) {
      before = world.deliveries.size;
      await sandbox.webhooks.idle();
      await ask({ ask: "idle" });
    }
  };
  const places: Place[] = [];
  for (let index = 0; index < installations; index += 1) {
    const owner = addOrganization(world, `acme-${index}`);
    const by = asUser(owner);
    const repository = addRepository(world, by, { owner, name: "widget", files: { "README.md": "# widget\n" } });
    for (const person of [rex, cleo]) setCollaborator(world, by, repository, person, "write");
    install(world, by, { app: registered, account: owner, repositories: [repository] });
    const pulls = Array.from({ length: pullsEach }, (_, n) => {
      const head = `bench-${n}`;
      commitFiles(world, asUser(rex), repository, { branch: head, message: "Add", files: { [head]: "gadget\n" } });
      return openPull(world, asUser(rex), repository, { title: "Add a gadget", head, base: "main", draft: false });
    });
    places.push({ repository, pulls });
  }
  await settled();
  return {
    sandbox,
    places,
    cleo,
    databaseFile,
    ask,
    settled,
    close: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One question at a time, in their order. */
function asker(child: ChildProcess): ((question: Question) => Promise<Answer>) & { readonly ready: Promise<Answer> } {
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  const next = (): Promise<Answer> => new Promise((resolve, reject) => void waiting.push({ resolve, reject }));
  child.on("message", (answer: Answer) => waiting.shift()?.resolve(answer));
  child.on("exit", (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the app ended with ${code}`));
  });
  const ready = next();
  return Object.assign(
    (question: Question) => {
      const told = next();
      child.send(question);
      return told;
    },
    { ready },
  );
}
