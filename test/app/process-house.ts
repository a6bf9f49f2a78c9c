/** The app as a process of its own, connected over real HTTP to a sandbox with a repository and a few people. */
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
  commitFiles,
  install,
  labelsOn,
  openPull,
  type PullRequest,
  type Repository,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { addStagewright } from "./add-stagewright.ts";
import { endAll, freePort, healthy, SECRET, type Started, startServer } from "./server-process.ts";

const PATIENCE_MS = 40_000;

export interface ProcessHouse {
  readonly sandbox: Sandbox;
  readonly started: Started;
  readonly url: string;
  readonly repository: Repository;
  readonly rex: Account;
  readonly cleo: Account;
  readonly tess: Account;
  open(title: string, body?: string): PullRequest;
  labels(pull: PullRequest): string[];
  /** Fails with what is missing after some seconds, with what the app said. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

export async function openProcessHouse(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<ProcessHouse> {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-process-"));
  const sandbox = createSandbox();
  const { world } = sandbox;
  const github = new URL(await sandbox.listen());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const owner = addOrganization(world, "acme");
  const app = addStagewright(world, owner, url, env.WEBHOOK_SECRET ?? SECRET);
  const [rex, cleo, tess] = [addUser(world, "rex"), addUser(world, "cleo"), addUser(world, "tess")];
  const repository = addRepository(world, asUser(owner), {
    owner,
    name: "widget",
    files: { "README.md": "# widget\n", ...files },
  });
  for (const person of [rex, cleo, tess]) {
    setCollaborator(world, asUser(owner), repository, person, "write");
  }
  const started = startServer(directory, {
    APP_ID: `${app.id}`,
    PRIVATE_KEY: app.privateKey ?? "",
    WEBHOOK_SECRET: SECRET,
    GHE_HOST: github.host,
    GHE_PROTOCOL: "http",
    HOST: "127.0.0.1",
    PORT: `${port}`,
    PUBLIC_URL: url,
    STAGEWRIGHT_WRITE_INTERVAL_MS: "0",
    ...env,
  });
  await healthy(port, started);
  install(world, asUser(owner), { app, account: owner, repositories: [repository] });
  let branches = 0;
  return {
    sandbox,
    started,
    url,
    repository,
    rex,
    cleo,
    tess,
    open: (title, body) => {
      branches += 1;
      const head = `gadget-${branches}`;
      commitFiles(world, asUser(rex), repository, { branch: head, message: "Add", files: { [`${head}.txt`]: "it\n" } });
      return openPull(world, asUser(rex), repository, {
        title,
        head,
        base: "main",
        draft: false,
        ...(body === undefined ? {} : { body }),
      });
    },
    labels: (pull) => labelsOn(world, pull).map((label) => label.name),
    until: async (what, holds) => {
      const deadline = Date.now() + PATIENCE_MS;
      while (!(await holds())) {
        if (Date.now() > deadline) {
          throw new Error(`It never came to this: ${what}. ${started.output().slice(-2_000)}`);
        }
        await sleep(20);
      }
    },
    close: async () => {
      await endAll();
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
