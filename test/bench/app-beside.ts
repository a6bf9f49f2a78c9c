/** The sandbox here, and the app in a process of its own: what each of them costs can be told apart. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import {
  type Account,
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
import { addStagewright } from "../app/add-stagewright.ts";
import { freePort } from "./redis.ts";

export type Question =
  | { readonly ask: "idle" | "latencies" | "heap" | "cpu" | "pending" }
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
  /** Deliveries that are stored and not handled. */
  readonly pending?: number;
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

/**
 * `installations`: each with one repository. `databaseUrl`: default a file of its own, which goes with it. `replicas`: on
 * a database that several may share, webhooks in turns; questions are put to the first of them.
 */
export async function appBeside(
  installations: number,
  pullsEach: number,
  databaseUrl?: string,
  replicas = 1,
): Promise<AppBeside> {
  const folder = await mkdtemp(path.join(tmpdir(), "stagewright-bench-"));
  const databaseFile = path.join(folder, "bench.db");
  const sandbox = createSandbox({ limits: { installation: 10_000_000 } as never, report: () => undefined });
  const { world } = sandbox;
  const [url, port] = [await sandbox.listen(), await freePort()];
  const registered = addStagewright(world, addOrganization(world, "vendor"), `http://127.0.0.1:${port}`, SECRET);
  const ports = await Promise.all(Array.from({ length: replicas }, freePort));
  const children = ports.map((own) =>
    fork(fileURLToPath(new URL("app-child.ts", import.meta.url)), {
      env: {
        ...process.env,
        APP_ID: `${registered.id}`,
        PRIVATE_KEY: registered.privateKey ?? "",
        WEBHOOK_SECRET: SECRET,
        GHE_HOST: new URL(url).host,
        GHE_PROTOCOL: "http",
        PORT: `${own}`,
        DATABASE_URL: databaseUrl ?? `sqlite:${databaseFile}`,
      },
    }),
  );
  const askers = children.map(asker);
  await Promise.all(askers.map(({ ready }) => ready));
  const front = inTurns(ports);
  front.listen(port, "127.0.0.1");
  const ask = askers[0];
  if (ask === undefined) throw new Error("There is no app.");
  const [rex, cleo] = [addUser(world, "rex"), addUser(world, "cleo")];
  const settled = async (): Promise<void> => {
    for (let before = -1, pending = 1; pending > 0 || before !== world.deliveries.size; ) {
      before = world.deliveries.size;
      await sandbox.webhooks.idle();
      await Promise.all(askers.map((each) => each({ ask: "idle" })));
      // Another replica may not have heard of it yet.
      pending = (await ask({ ask: "pending" })).pending ?? 0;
      if (pending > 0) await sleep(5);
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
      for (const child of children) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await gone;
      }
      front.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Each connection to the next of the ports, as a balancer would. */
function inTurns(ports: readonly number[]): Server {
  let turn = 0;
  return createServer((client) => {
    turn += 1;
    const replica = connect(ports[turn % ports.length] ?? 0, "127.0.0.1");
    client.pipe(replica).pipe(client);
    client.on("error", () => replica.destroy());
    replica.on("error", () => client.destroy());
  });
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
