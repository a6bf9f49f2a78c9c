/** The app in this process, connected over real HTTP to a sandbox with one repository and a few people. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, pino } from "pino";
import { createNodeMiddleware, createProbot } from "probot";
import { type App, createApp } from "../../app/app.ts";
import { readConfig } from "../../app/config.ts";
import { fetchWithin, Octokit } from "../../app/github-cache/octokit.ts";
import { YamlReader } from "../../app/policies/reader.ts";
import type { History, Pull, Store } from "../../app/store/model.ts";
import { openStore } from "../../app/store/open.ts";
import type { Timings } from "../../app/work/timings.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import { ISSUER_PATH } from "../../src/sandbox/oidc.ts";
import {
  type Account,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type CheckRun,
  commitFiles,
  install,
  labelsOn,
  openPull,
  type PullRequest,
  type Repository,
  type App as SandboxApp,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { addStagewright, type StagewrightOptions } from "./add-stagewright.ts";
import { openMemoryStore } from "./store/memory.ts";

/** One thread for all houses of a process: it takes a second to start. */
const YAML_READER = new YamlReader();
export const SECRET = "the secret of the tests";

export interface House {
  readonly sandbox: Sandbox;
  readonly store: Store;
  /** The one that runs now: `killed` puts another in its place. */
  readonly app: App;
  readonly url: string;
  readonly repository: Repository;
  readonly registered: SandboxApp;
  readonly owner: Account;
  /** All may write: rex is the author, cleo says that it may be tested, tess approves. */
  readonly rex: Account;
  readonly cleo: Account;
  readonly tess: Account;
  /** May only read. */
  readonly mallory: Account;
  open(overrides?: { readonly draft?: boolean; readonly branch?: string; readonly title?: string }): PullRequest;
  push(pull: PullRequest, by?: Account): void;
  labels(pull: PullRequest): string[];
  stageLabels(pull: PullRequest): string[];
  /** Our newest check run of each name on the head commit: status or conclusion. */
  checks(pull: PullRequest): Record<string, string>;
  row(pull: PullRequest): Promise<Pull | null>;
  history(pull: PullRequest): Promise<readonly History[]>;
  /**
   * Resolves when the sandbox has delivered what it had to and the app has nothing to do, nor will have after one of
   * its short pauses. What it tries or asks again and again is not waited for: that is what `until` is for.
   */
  settled(): Promise<void>;
  /**
   * The process ends, and another comes up on the same database, with what a kill at some other moment would have left
   * there: `left` writes it while nobody works, for a living worker may save over it. GitHub's clock must not be ten
   * minutes ahead: the new process has no token yet, and asks for one with a date of its own clock.
   */
  killed(left: (store: Store) => Promise<void>): Promise<void>;
  /** Lets GitHub's clock go on: its dates are of whole seconds, and what happens in one second has no order. */
  later(seconds?: number): void;
  /** GraphQL requests since the last call, by the operation's name. */
  requests(): Record<string, number>;
  /** Waits until it is so; fails with what is missing after some seconds. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

export interface HouseOptions extends StagewrightOptions {
  readonly timings?: Partial<Timings>;
  readonly files?: Readonly<Record<string, string>>;
  readonly databaseUrl?: string;
  /** The repository is private. */
  readonly private?: boolean;
  /** Told what the app says. */
  readonly log?: Logger;
  /** In place of the store, for what watches it. */
  readonly store?: (store: Store) => Store;
  /** The app's clock goes on with GitHub's when a test says `later`; else it stays behind. */
  readonly oneClock?: boolean;
  /** It hosts runs of groups, for jobs with tokens of this issuer (default: the sandbox's own). */
  readonly hosts?: boolean | { readonly issuer: string };
  /** What there is on GitHub before the app is installed, and before its database is opened. */
  readonly before?: (
    github: Pick<House, "sandbox" | "repository" | "registered" | "owner" | "rex" | "cleo" | "tess">,
  ) => void;
}

const PATIENCE_MS = 20_000;
/** The pauses between a test's tries (`retryPauses`, `reevaluationPause`) are shorter. */
const SOON_MS = 100;
/** As many as there are `retryPauses`, and one more. */
const MOST_PAUSES = 4;
/** What has been due for so long is held up by something: GitHub asked to wait, or the app is not installed. */
const HELD_MS = 50;

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const faults: unknown[] = [];
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const sandbox = createSandbox({
    now,
    report: (error) => faults.push(error),
    limits: { installation: 1_000_000 } as never,
  });
  const { world } = sandbox;
  const sandboxUrl = await sandbox.listen();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const owner = addOrganization(world, "acme");
  const registered = addStagewright(world, owner, url, SECRET, options);
  const [rex, cleo, tess, mallory] = ["rex", "cleo", "tess", "mallory"].map((name) => addUser(world, name)) as [
    Account,
    Account,
    Account,
    Account,
  ];
  const repository = addRepository(world, asUser(owner), {
    owner,
    name: "widget",
    private: options.private ?? false,
    files: { "README.md": "# widget\n", ...options.files },
  });
  for (const person of [rex, cleo, tess]) {
    setCollaborator(world, asUser(owner), repository, person, "write");
  }
  setCollaborator(world, asUser(owner), repository, mallory, "read");
  options.before?.({ sandbox, repository, registered, owner, rex, cleo, tess });

  const opened = await (options.databaseUrl === undefined ? openMemoryStore() : openStore(options.databaseUrl));
  const store = options.store?.(opened) ?? opened;
  const env = {
    APP_ID: `${registered.id}`,
    PRIVATE_KEY: registered.privateKey ?? "",
    WEBHOOK_SECRET: SECRET,
    GHE_HOST: new URL(sandboxUrl).host,
    GHE_PROTOCOL: "http",
    ...(options.hosts === undefined || options.hosts === false
      ? {}
      : {
          PUBLIC_URL: url,
          OIDC_ISSUER: options.hosts === true ? `${sandboxUrl}${ISSUER_PATH}` : options.hosts.issuer,
        }),
  };
  const config = readConfig(env);
  const log = options.log ?? pino({ level: process.env.TEST_LOG_LEVEL ?? "silent" });
  const request = { fetch: fetchWithin(options.timings?.requestTimeout ?? config.timings.requestTimeout) };
  const appNow = options.oneClock === true ? now : Date.now;
  const begin = async () => {
    const probot = createProbot({ env, overrides: { appId: registered.id, secret: SECRET, Octokit, request, log } });
    const app = createApp({
      reader: YAML_READER,
      now: appNow,
      store,
      appId: registered.id,
      config: {
        ...config,
        timings: {
          ...config.timings,
          writeInterval: 0,
          retryPauses: [20, 40, 80],
          reevaluationPause: 20,
          // What runs by itself would come between what a test counts: it asks for it when it wants it.
          reconcileDelay: 3_600_000,
          sweepPause: 0,
          ...options.timings,
        },
      },
    });
    return { app, middleware: await createNodeMiddleware(app.load, { probot, webhooksPath: config.webhookPath }) };
  };
  let running = await begin();
  server.on(
    "request",
    (request, response) => void running.middleware(request, response, () => response.writeHead(404).end()),
  );
  install(world, asUser(owner), { app: registered, account: owner, repositories: [repository] });

  let branches = 0;
  const house: House = {
    sandbox,
    store,
    get app() {
      return running.app;
    },
    url,
    repository,
    registered,
    owner,
    rex,
    cleo,
    tess,
    mallory,
    open: ({ draft = false, branch, title = "Add a gadget" } = {}) => {
      branches += 1;
      const head = branch ?? `gadget-${branches}`;
      commitFiles(world, asUser(rex), repository, {
        branch: head,
        message: "Add",
        files: { [`${head}.txt`]: "gadget\n" },
      });
      return openPull(world, asUser(rex), repository, { title, head, base: "main", draft });
    },
    push: (pull, by = rex) => {
      branches += 1;
      commitFiles(world, asUser(by), repository, {
        branch: pull.head.ref,
        message: "More",
        files: { "more.txt": `${branches}\n` },
      });
    },
    labels: (pull) => labelsOn(world, pull).map((label) => label.name),
    stageLabels: (pull) => house.labels(pull).filter((name) => name.startsWith("stage/")),
    checks: (pull) => ourChecks(sandbox, registered, pull),
    row: (pull) => store.pull({ repositoryId: repository.id, number: pull.number }),
    history: async (pull) => (await store.history({ repositoryId: repository.id, number: pull.number }, 1_000)).items,
    settled: async () => {
      let before = "";
      let pauses = 0;
      let soon: number | null = null;
      for (let now = activity(sandbox); soon !== null || now !== before; now = activity(sandbox)) {
        before = now;
        await sandbox.webhooks.idle();
        await running.app.engine().idle();
        await sleep(2);
        soon = pauses < MOST_PAUSES ? await pauseOf(store, appNow()) : null;
        if (soon !== null) {
          pauses += 1;
          await sleep(soon);
        }
      }
    },
    killed: async (left) => {
      await running.app.stop();
      await left(store);
      running = await begin();
      await house.settled();
    },
    later: (seconds = 2) => {
      ahead += seconds * 1_000;
    },
    requests: () => {
      const { operations } = sandbox.requests.counts().graphql;
      sandbox.requests.clear();
      return { ...operations };
    },
    until: async (what, holds) => {
      const deadline = Date.now() + PATIENCE_MS;
      while (!(await holds())) {
        if (Date.now() > deadline) {
          throw new Error(`It never came to this: ${what}. ${faults.map(String).join("; ")}`);
        }
        await sleep(5);
      }
    },
    close: async () => {
      await closeServer(server);
      await running.app.stop();
      await store.close();
      await sandbox.close();
      if (faults.length > 0) {
        throw new AggregateError(faults, "The sandbox had faults of its own.");
      }
    },
  };
  return house;
}

function ourChecks(sandbox: Sandbox, app: SandboxApp, pull: PullRequest): Record<string, string> {
  const shown: Record<string, CheckRun> = {};
  for (const run of sandbox.world.checkRuns.values()) {
    if (run.appId === app.id && run.headSha === pull.head.sha && (shown[run.name]?.id ?? 0) < run.id) {
      shown[run.name] = run;
    }
  }
  return Object.fromEntries(Object.values(shown).map((run) => [run.name, run.conclusion ?? run.status]));
}

/** Changes with every request and every webhook. */
function activity({ requests, world }: Sandbox): string {
  return `${requests.counts().total} ${requests.entries().length} ${world.deliveries.size}`;
}

/** For how long the app only waits for what is due soon; null: nothing is. */
async function pauseOf({ due }: Store, now: number): Promise<number | null> {
  const queues = [due.pulls, due.transitions, due.effects, due.starts, due.gates, due.policies];
  const outlooks = await Promise.all(queues.map((queue) => queue.outlook(now - HELD_MS)));
  const next = Math.min(...outlooks.map(({ nextAt }) => nextAt ?? Number.POSITIVE_INFINITY));
  return next <= now + SOON_MS ? Math.max(next - now, 0) + 1 : null;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
