/** GitHub in this process: the sandbox without sockets, a client that is Octokit's own, and its webhooks in our hands. */
import { sign } from "node:crypto";
import { Octokit } from "@octokit/rest";
import type { GitHubClient } from "../../src/github/port.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import {
  type Account,
  addApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type Delivery,
  type Installation,
  install,
  mintInstallationToken,
  type Repository,
  type App as SandboxApp,
  setCollaborator,
  uninstall,
} from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import { addBot } from "./bots.ts";
import type { Freezable, VirtualClock } from "./clock.ts";
import { MANIFEST } from "./manifest.ts";

const BASE = "http://github.test";
/** Of the same app in all worlds. */
const TOKEN_LIFE_MS = 30 * 60_000;
/** How far GitHub's copies lie behind at most: less than the first pause after a lost answer, which is there for that. */
const LAG_MS = 4_000;
const JWT_LIFE_MS = 9 * 60_000;

export interface People {
  readonly owner: Account;
  readonly rex: Account;
  readonly cleo: Account;
  readonly tess: Account;
  readonly mallory: Account;
}

/** Where a story happens. */
export interface Scene {
  readonly sandbox: Sandbox;
  readonly people: People;
  readonly repository: Repository;
  readonly app: SandboxApp;
}

/** Fields of which GitHub fails to read all values now and then. */
export const UNREAD_FIELDS = ["labels", "timelineItems", "reviews", "statusCheckRollup", "checkRuns"] as const;

/** What goes wrong with one request. `unread`: GitHub fails to read all that was asked, or one of these fields. */
export type Trouble =
  | ("502" | "500" | "cut" | "lost answer" | "429" | "403" | "stale" | "unread")
  | `unread ${(typeof UNREAD_FIELDS)[number]}`;

/** A request that has just been sent. */
export interface SentRequest {
  readonly url: string;
  readonly body: string;
  readonly writes: boolean;
  /** Null: nobody that can be frozen. */
  readonly by: Freezable | null;
}

export class SimulatedGitHub implements Scene {
  readonly sandbox: Sandbox;
  readonly people: People;
  readonly repository: Repository;
  readonly app: SandboxApp;
  installation: Installation;
  /** Webhooks on their way, oldest first. The scheduler takes them out. */
  readonly underway: Delivery[] = [];
  readonly faults: unknown[] = [];
  readonly #clock: VirtualClock;
  #signed: { readonly text: string; readonly until: number } | null = null;
  /** By installation. */
  readonly #tokens = new Map<number, { readonly text: string; readonly until: number }>();
  /** By request: what was answered last, and when. */
  readonly #answers = new Map<string, { readonly answer: Answer; readonly at: number }>();
  /** Asked for each request. */
  trouble: () => Trouble | null = () => null;
  /** Asked for each request when it is sent: how long it is on its way before GitHub takes it. Milliseconds. */
  slow: (request: SentRequest) => number = () => 0;

  /** `bots`: rex, cleo and tess are apps. */
  constructor(clock: VirtualClock, seed: number, files: Readonly<Record<string, string>>, bots = false) {
    this.#clock = clock;
    this.sandbox = createSandbox({
      now: clock.now,
      seed: `${seed}`,
      report: (error) => this.faults.push(error),
      limits: { installation: 1_000_000, app: 1_000_000 } as never,
      post: async (delivery) => {
        this.underway.push(delivery);
        return { status: 200, statusText: "OK", headers: {}, body: "" };
      },
    });
    const { world } = this.sandbox;
    world.baseUrl = BASE;
    const owner = addOrganization(world, "acme");
    this.app = addApp(world, {
      slug: "stagewright",
      owner,
      permissions: MANIFEST.permissions,
      events: MANIFEST.events,
      webhook: { url: "http://app.test/", secret: "secret" },
      keys: KEYS,
    });
    this.repository = addRepository(world, asUser(owner), {
      owner,
      name: "widget",
      files: { "README.md": "# widget\n", ...files },
    });
    const member = (name: string): Account => {
      if (bots) {
        return addBot(world, owner, this.repository, name);
      }
      const person = addUser(world, name);
      // Where the policy names no operators, maintainers hold the repository.
      setCollaborator(world, asUser(owner), this.repository, person, name === "cleo" ? "maintain" : "write");
      return person;
    };
    const [rex, cleo, tess] = [member("rex"), member("cleo"), member("tess")];
    this.people = { owner, rex, cleo, tess, mallory: addUser(world, "mallory") };
    this.installation = install(world, asUser(owner), {
      app: this.app,
      account: owner,
      repositories: [this.repository],
    });
  }

  /**
   * As the app itself, or as one of its installations. `alive`: false once the process that asks has been killed; it
   * hears nothing any more. Throws as fetching a token does where the installation is gone.
   */
  client(as: "app" | number, alive: () => boolean, troubled = true): GitHubClient {
    if (as !== "app" && !this.sandbox.world.installations.has(as)) {
      const url = `${BASE}/api/v3/app/installations/${as}/access_tokens`;
      throw Object.assign(new Error("Not Found"), { status: 404, request: { method: "POST", url, headers: {} } });
    }
    const fetch = (url: string, init: Init): Promise<FetchAnswer> => this.#fetch(as, url, init, alive, troubled);
    return new Octokit({ baseUrl: `${BASE}/api/v3`, request: { fetch }, log: SILENT });
  }

  /** Whoever it is now: for those whom nothing can surprise. */
  everywhere(): GitHubClient {
    const now = (): GitHubClient => this.client(this.installation.id, () => true, false);
    return {
      request: (route, parameters) => now().request(route, parameters),
      graphql: (query, variables) => now().graphql(query, variables),
    };
  }

  /** The owner takes the app off and installs it again: another installation of the same repository. */
  reinstall(): void {
    const { world } = this.sandbox;
    const { owner } = this.people;
    uninstall(world, asUser(owner), this.installation);
    this.installation = install(world, asUser(owner), {
      app: this.app,
      account: owner,
      repositories: [this.repository],
    });
  }

  async #fetch(as: "app" | number, url: string, init: Init, alive: () => boolean, troubled: boolean) {
    await died(alive);
    const asking = this.#clock.owner;
    const { method, body = "" } = init;
    const late = troubled ? this.slow({ url, body, writes: !isRead(method, body), by: asking }) : 0;
    if (late > 0) {
      // It is on its way, whatever becomes of whoever sent it.
      await this.#clock.as(null, () => new Promise<void>((resolve) => setTimeout(resolve, late)));
    }
    const answer = await this.#answer(as, url, init, alive, troubled);
    while (asking?.frozen === true) {
      await this.#clock.as(asking, () => new Promise<void>((resolve) => setTimeout(resolve, 1)));
    }
    return answer;
  }

  async #answer(as: "app" | number, url: string, init: Init, alive: () => boolean, troubled: boolean) {
    const body = init.body ?? "";
    const key = `${init.method} ${url} ${body}`;
    const trouble = troubled ? this.trouble() : null;
    if (trouble === "502" || trouble === "500") {
      return fetchAnswer(
        { status: Number(trouble), headers: { "content-type": "text/html" }, body: "<html></html>" },
        url,
      );
    }
    if (trouble === "429" || trouble === "403") {
      const message = "You have exceeded a secondary rate limit.";
      const headers = { "content-type": "application/json", "retry-after": "7" };
      return url.endsWith("/graphql")
        ? fetchAnswer(
            { status: 200, headers, body: JSON.stringify({ data: null, errors: [{ type: "RATE_LIMITED", message }] }) },
            url,
          )
        : fetchAnswer({ status: Number(trouble), headers, body: JSON.stringify({ message }) }, url);
    }
    if (trouble === "cut") {
      throw new TypeError("fetch failed");
    }
    const stale = this.#answers.get(key);
    const fresh = stale !== undefined && this.#clock.now() - stale.at <= LAG_MS;
    if (trouble === "stale" && fresh && isRead(init.method, body)) {
      return fetchAnswer(stale.answer, url);
    }
    if (trouble?.startsWith("unread") === true && url.endsWith("/graphql")) {
      this.sandbox.faults.place({ kind: "unread", field: trouble.split(" ")[1] ?? null });
    }
    const headers = lowerCase(init.headers);
    headers.authorization = as === "app" ? `bearer ${this.#jwt()}` : `token ${this.#installationToken(as)}`;
    const outcome = await this.#clock.outside(
      this.sandbox.answer({ method: init.method, url: new URL(url), headers, body }),
    );
    await died(alive);
    if (outcome === "cut" || trouble === "lost answer") {
      throw new TypeError("fetch failed");
    }
    this.#answers.set(key, { answer: outcome, at: this.#clock.now() });
    return fetchAnswer(outcome, url);
  }

  /** Of an installation that is gone: the last one, which GitHub does not take any more. */
  #installationToken(id: number): string {
    const known = this.#tokens.get(id);
    const installation = this.sandbox.world.installations.get(id);
    if (installation === undefined || (known !== undefined && known.until > this.#clock.now())) {
      return known?.text ?? "gone";
    }
    const { token } = mintInstallationToken(this.sandbox.world, installation);
    this.#tokens.set(id, { text: token, until: this.#clock.now() + TOKEN_LIFE_MS });
    return token;
  }

  #jwt(): string {
    if (this.#signed === null || this.#signed.until <= this.#clock.now()) {
      this.#signed = { text: this.#sign(), until: this.#clock.now() + JWT_LIFE_MS };
    }
    return this.#signed.text;
  }

  #sign(): string {
    const at = Math.floor(this.#clock.now() / 1_000);
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: at, exp: at + 600, iss: this.app.id })}`;
    return `${text}.${sign("sha256", Buffer.from(text), KEYS.privateKey).toString("base64url")}`;
  }
}

interface Init {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** As much of a fetch's answer as Octokit reads, without streams. */
function fetchAnswer({ status, headers, body: sent }: Answer, url: string) {
  const body = typeof sent === "string" ? sent : Buffer.from(sent).toString();
  return {
    status,
    url,
    ok: status < 400,
    headers: new Headers(headers),
    text: async () => body,
    json: async (): Promise<unknown> => JSON.parse(body),
  };
}
type FetchAnswer = ReturnType<typeof fetchAnswer>;

function isRead(method: string, body: string): boolean {
  return method === "GET" || (method === "POST" && body.startsWith('{"query":"query'));
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Never resolves for the dead. */
export async function died(alive: () => boolean): Promise<void> {
  if (!alive()) {
    await new Promise<never>(() => {});
  }
}
