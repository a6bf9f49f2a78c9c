/**
 * The same with nothing simulated but GitHub: the real server as a process of its own over real HTTP, killed again and
 * again, many stories at a time, each in a repository of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Octokit } from "@octokit/rest";
import type { Policies } from "../../app/policies/policy.ts";
import type { Store } from "../../app/store/model.ts";
import { openStore } from "../../app/store/open.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import type { Post } from "../../src/sandbox/webhooks/sender.ts";
import {
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type Delivery,
  install,
  mintInstallationToken,
  setCollaborator,
} from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import { Random } from "../simulation/random.ts";
import { type People, type Scene, UNREAD_FIELDS } from "./github.ts";
import { violationsOf, watchChecks } from "./invariants.ts";
import { MANIFEST } from "./manifest.ts";
import { TEAM_POLICY, teamPolicy } from "./policies.ts";
import { Rules } from "./rules.ts";
import { Shadow } from "./shadow.ts";
import { addCi, Story } from "./story.ts";

const SECRET = "a secret of forty-two characters, at least";
/** GitHub dates by whole seconds: what happens to one pull request is further apart than that. */
const ROUND_MS = 1_200;
const ROUNDS = 14;
/** Every so many rounds the server is killed. */
const KILL_EVERY = 4;
const START_MS = 60_000;
/** Two sweeps, a minute each, after a minute in which events are given time to come. */
const PATIENCE_MS = 4 * 60_000;
const LOOK_EVERY_MS = 5_000;

export interface Ended {
  readonly violations: readonly string[];
  readonly acts: number;
  readonly kills: number;
  readonly webhooks: { readonly sent: number; readonly lost: number; readonly doubled: number; readonly late: number };
  /** From the last thing that happened until everything was right. */
  readonly seconds: number;
}

export async function endToEnd(seed: number, stories: number, say: (line: string) => void): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-convergence-"));
  const city = new City(seed, directory);
  try {
    return await city.play(stories, say);
  } finally {
    await city.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

class City {
  readonly #random: Random;
  readonly #database: string;
  readonly #sandbox: Sandbox;
  readonly #counts = { sent: 0, lost: 0, doubled: 0, late: 0 };
  readonly #faults: unknown[] = [];
  /** By repository. */
  readonly #rules = new Map<number, Rules>();
  #shadow: Shadow | null = null;
  #mischief = false;
  #child: ChildProcess | null = null;
  #output = "";
  #port = 0;
  #store: Store | null = null;

  constructor(seed: number, directory: string) {
    this.#random = new Random(seed);
    this.#database = join(directory, "app.db");
    this.#sandbox = createSandbox({
      report: (error) => this.#faults.push(error),
      limits: { installation: 1_000_000, app: 1_000_000 } as never,
      post: (delivery, signal) => this.#post(delivery, signal),
    });
  }

  async play(count: number, say: (line: string) => void): Promise<Ended> {
    const random = this.#random;
    await this.#sandbox.listen();
    this.#port = await freePort();
    const { scenes, violations } = this.#build(count);
    const [scene] = scenes;
    if (scene === undefined) {
      throw new Error("expected at least one story");
    }
    await this.#start(scene.app.id);
    const stories = await this.#install(scene, scenes);
    // The installation itself is heard of.
    await this.#sandbox.webhooks.idle();
    this.#mischief = true;
    let acts = 0;
    let kills = 0;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const until = Date.now() + ROUND_MS;
      for (const story of stories) {
        const rules = this.#rulesOf(story.repository.id);
        acts += random.chance(0.8) && (rules.act(story.pulls) ?? story.act()) !== null ? 1 : 0;
      }
      this.#troubles();
      if (round % KILL_EVERY === 0) {
        kills += 1;
        await this.#kill();
        await sleep(random.between(0, 500));
        await this.#start(scene.app.id);
      }
      await sleep(Math.max(0, until - Date.now()));
    }
    say(`${stories.length} stories, ${acts} acts, ${kills} kills; nothing happens any more`);
    this.#mischief = false;
    this.#sandbox.faults.clear();
    const began = Date.now();
    let found: string[] = [];
    do {
      await sleep(LOOK_EVERY_MS);
      const before = found.length;
      found = await this.#wrong(scenes, stories);
      if (found.length !== before) {
        say(`after ${Math.round((Date.now() - began) / 1_000)} s: ${found.length} wrong`);
      }
    } while (found.length > 0 && Date.now() - began < PATIENCE_MS);
    if (found.length > 0) {
      say(this.#output);
    }
    const seconds = Math.round((Date.now() - began) / 1_000);
    const own = this.#faults.map((fault) => `a fault: ${fault instanceof Error ? fault.stack : String(fault)}`);
    return { violations: [...own, ...violations, ...found], acts, kills, webhooks: this.#counts, seconds };
  }

  async close(): Promise<void> {
    await this.#kill();
    await this.#store?.close();
    await this.#sandbox.close();
  }

  #build(count: number) {
    const { world } = this.#sandbox;
    const owner = addOrganization(world, "acme");
    const [rex, cleo, tess, mallory] = ["rex", "cleo", "tess", "mallory"].map((name) => addUser(world, name));
    if (rex === undefined || cleo === undefined || tess === undefined || mallory === undefined) {
      throw new Error("four people");
    }
    const people: People = { owner, rex, cleo, tess, mallory };
    const url = `http://127.0.0.1:${this.#port}/api/github/webhooks`;
    const app = addApp(world, {
      ...MANIFEST,
      slug: "stagewright",
      owner,
      webhook: { url, secret: SECRET },
      keys: KEYS,
    });
    const scenes: Scene[] = [];
    const violations: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const files = index % 2 === 0 ? { "README.md": "# It\n" } : { ".github/stagewright.yml": TEAM_POLICY };
      const repository = addRepository(world, asUser(owner), { owner, name: `story-${index}`, files });
      for (const person of [rex, cleo, tess]) {
        setCollaborator(world, asUser(owner), repository, person, person === cleo ? "maintain" : "write");
      }
      const scene: Scene = { sandbox: this.#sandbox, people, repository, app };
      watchChecks(scene, (violation) => violations.push(violation));
      this.#rules.set(repository.id, new Rules(scene, this.#random, index % 2 === 0 ? [] : [TEAM_POLICY]));
      scenes.push(scene);
    }
    return { scenes, violations };
  }

  #rulesOf(repositoryId: number): Rules {
    const rules = this.#rules.get(repositoryId);
    if (rules === undefined) {
      throw new Error(`nobody tells of the repository ${repositoryId}`);
    }
    return rules;
  }

  /** The app is there by now: a pull request that was open before is none of its business. */
  async #install({ app, people }: Scene, scenes: readonly Scene[]): Promise<Story[]> {
    const { world } = this.#sandbox;
    const { owner } = people;
    const repositories = scenes.map((scene) => scene.repository);
    const installation = install(world, asUser(owner), { app, account: owner, repositories });
    const ci = addCi(world, owner, repositories);
    const { token } = mintInstallationToken(world, installation);
    const of: Policies["of"] = async ({ name }) =>
      Number(name.split("-")[1]) % 2 === 0 ? DEFAULT_POLICY : teamPolicy();
    const policies: Policies = {
      of,
      known: of,
      mayHaveChanged: async () => false,
      namedMayHaveChanged: async () => undefined,
    };
    this.#shadow = await Shadow.open({
      now: Date.now,
      appId: app.id,
      client: new Octokit({ auth: token, baseUrl: `${this.#sandbox.url}/api/v3` }),
      policies,
      word: (repositoryId) => this.#rulesOf(repositoryId).word,
    });
    return scenes.map((scene) => new Story(scene, this.#random, { byWhatIsShown: false, ci }));
  }

  /** Requests that will fail, some after they were applied. */
  #troubles(): void {
    const { faults } = this.#sandbox;
    const times = this.#random.between(1, 3);
    faults.place(
      this.#random.pick([
        { kind: "status", status: 502, times },
        { kind: "status", status: 500, times },
        { kind: "dropAnswer", how: "cut", times },
        { kind: "dropAnswer", how: "502", times },
        { kind: "rateLimited", retryAfter: 1, times: 1 },
        { kind: "unread", times },
        { kind: "unread", field: this.#random.pick(UNREAD_FIELDS), times },
      ]),
    );
  }

  /** On their way webhooks are lost, doubled and overtaken; the shadow hears each as it happened. */
  readonly #post: Post = async (delivery, signal) => {
    this.#counts.sent += 1;
    if (!delivery.redelivery) {
      this.#shadow?.hear(delivery);
    }
    const fate = this.#mischief ? this.#random.next() : 1;
    const fine = { status: 200, statusText: "OK", headers: {}, body: "" };
    if (fate < 0.08) {
      this.#counts.lost += 1;
      return fine;
    }
    if (fate < 0.25) {
      this.#counts.late += 1;
      setTimeout(() => void carry(delivery, signal).catch(() => undefined), this.#random.between(1, 2_500));
      return fine;
    }
    if (fate < 0.35) {
      this.#counts.doubled += 1;
      await carry(delivery, signal);
    }
    return await carry(delivery, signal);
  };

  async #wrong(scenes: readonly Scene[], stories: readonly Story[]): Promise<string[]> {
    this.#store ??= await openStore(`sqlite:${this.#database}`);
    const shadow = this.#shadow;
    const found: string[] = [];
    for (const [index, scene] of scenes.entries()) {
      for (const pull of stories[index]?.pulls ?? []) {
        const rules = this.#rulesOf(scene.repository.id);
        const violations = await violationsOf(scene, this.#store, shadow, pull, rules);
        found.push(...violations.map((each) => `${scene.repository.name}: ${each}`));
      }
    }
    return found;
  }

  async #start(appId: number): Promise<void> {
    const child = spawn(process.execPath, [resolve("app/main.ts")], {
      env: {
        PATH: process.env.PATH ?? "",
        NODE_ENV: "production",
        LOG_LEVEL: "warn",
        APP_ID: `${appId}`,
        PRIVATE_KEY: KEYS.privateKey,
        WEBHOOK_SECRET: SECRET,
        GHE_HOST: new URL(this.#sandbox.url).host,
        GHE_PROTOCOL: "http",
        HOST: "127.0.0.1",
        PORT: `${this.#port}`,
        DATABASE_URL: `sqlite:${this.#database}`,
        STAGEWRIGHT_WRITE_INTERVAL_MS: "50",
        STAGEWRIGHT_RETRY_PAUSE_MS: "500",
        STAGEWRIGHT_SWEEP_MINUTES: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output = `${this.#output}${text}`.slice(-20_000);
      });
    }
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => null);
      if (answer?.ok === true) {
        return;
      }
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The app does not answer: ${this.#output}`);
      }
      await sleep(50);
    }
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

async function carry(delivery: Delivery, signal: AbortSignal) {
  const { url, request } = delivery;
  const response = await fetch(url, { method: "POST", headers: request.headers, body: request.body, signal });
  const { status, statusText } = response;
  return { status, statusText, headers: Object.fromEntries(response.headers), body: await response.text() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address !== null ? address.port : 0;
}
