/** States of runs in GitHub's cache: where the attempts of a workflow run find them that no app coordinates. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { SAVED_RUN_BYTES } from "../../run/resume/read-saved-run.ts";
import type { CacheRequest } from "./work.ts";

/** An entry is found by its path, too: it has to be the same on each machine. */
const HOME = "/tmp";
const ANSWER_MS = 60_000;
const LONGEST_PROBLEM = 300;
/** What the cache's client reads. */
const NEEDED =
  /^(?:ACTIONS_(?:RUNTIME_TOKEN|RESULTS_URL|CACHE_URL|CACHE_SERVICE_V2|CACHE_MODE)|GITHUB_REF|RUNNER_(?:OS|TEMP)|PATH|HOME|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy)$/u;

const answerSchema = z.object({
  id: z.number(),
  found: z.string().nullable(),
  error: z.string().nullable(),
  said: z.string(),
});

export interface StateCacheOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What tells the run from all others, its attempts aside. */
  readonly about: readonly string[];
  readonly attempt: number;
}

/** Null: this job has none. */
export function stateCache(options: StateCacheOptions): StateCache | null {
  const { ACTIONS_RUNTIME_TOKEN: token, ACTIONS_RESULTS_URL: results, ACTIONS_CACHE_URL: older } = options.env;
  return token && (results || older) ? new StateCache(options) : null;
}

export class StateCache {
  readonly #options: StateCacheOptions;
  readonly #name: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<string | null>>();
  #worker: Promise<Worker> | null = null;
  #requests = 0;
  #entries = 0;
  /** What the client said of its failures, which it tells nobody else. */
  #said = "";

  constructor(options: StateCacheOptions) {
    this.#options = options;
    const digest = createHash("sha256").update(JSON.stringify(options.about)).digest("hex");
    this.#name = `stagewright-state-${digest.slice(0, 32)}`;
  }

  /** The newest that an attempt has kept; null: none has. @throws why it cannot be looked for */
  async newest(): Promise<Uint8Array | null> {
    const prefix = `${this.#name}-`;
    // Nothing is kept under this key: what is looked for begins like it.
    const key = `${prefix}${this.#options.attempt}-0`;
    const found = await this.#ask({ key, prefix });
    const why = this.#problem;
    if (found === null && why !== "") throw new Error(why);
    if (found === null) return null;
    if (statSync(this.#file).size > SAVED_RUN_BYTES) throw new Error("what was found is too large for a state");
    return readFileSync(this.#file);
  }

  /** @throws why it was not taken */
  async keep(text: Uint8Array): Promise<void> {
    this.#entries += 1;
    this.#makeDirectory();
    writeFileSync(this.#file, text, { mode: 0o600 });
    const kept = await this.#ask({ key: `${this.#name}-${this.#options.attempt}-${this.#entries}` });
    if (kept === null) throw new Error(this.#problem || "it was not taken");
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => null);
    await worker?.terminate();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** What its client said last of what went wrong; empty: nothing. */
  get #problem(): string {
    const said = this.#said.split("\n").findLast((line) => /^(?:::(?:warning|error)::|Failed to )/u.test(line));
    return said === undefined
      ? ""
      : said
          .replace(/^::\w+::/u, "")
          .replace(/%0A.*/u, "")
          .slice(0, LONGEST_PROBLEM);
  }

  get #directory(): string {
    return join(HOME, this.#name);
  }

  get #file(): string {
    return join(this.#directory, "state.json");
  }

  /** Nobody else's: it has a name that others can guess. */
  #makeDirectory(): void {
    try {
      mkdirSync(this.#directory, { mode: 0o700 });
    } catch {
      const found = lstatSync(this.#directory);
      if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
        throw new Error(`${this.#directory} is not ours`);
    }
  }

  async #ask(request: Omit<CacheRequest, "id" | "file">): Promise<string | null> {
    this.#makeDirectory();
    this.#worker ??= this.#start();
    const worker = await this.#worker;
    this.#requests += 1;
    this.#said = "";
    const id = this.#requests;
    const answer = Promise.withResolvers<string | null>();
    this.#waiting.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Error("GitHub's cache does not answer")), ANSWER_MS);
    worker.postMessage({ id, file: this.#file, ...request } satisfies CacheRequest);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async #start(): Promise<Worker> {
    const { CACHE_THREAD, workUrl } = await import("./work.ts");
    const env = Object.fromEntries(Object.entries(this.#options.env).filter(([name]) => NEEDED.test(name)));
    const worker = new Worker(`import(${JSON.stringify(workUrl)})`, {
      eval: true,
      workerData: CACHE_THREAD,
      env: { ...env, GITHUB_WORKSPACE: HOME, GITHUB_SERVER_URL: serverUrl(this.#options.env.GITHUB_SERVER_URL) },
      stdout: true,
      stderr: true,
    });
    const ready = Promise.withResolvers<Worker>();
    worker.once("message", () => ready.resolve(worker));
    worker.on("message", (message) => {
      const told = answerSchema.safeParse(message);
      if (!told.success) return;
      const { id, found, error, said } = told.data;
      this.#said = said;
      if (error === null) this.#waiting.get(id)?.resolve(found);
      else this.#waiting.get(id)?.reject(new Error(error));
    });
    const failed = (error: Error): void => {
      ready.reject(error);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    };
    worker.on("error", failed);
    worker.on("exit", () => failed(new Error("the cache's thread has ended")));
    // Until then nothing else keeps the process: it would end as if all were done.
    await ready.promise;
    worker.unref();
    return worker;
  }
}

/** Its client takes an unknown server for GitHub Enterprise Server, whose cache is another: a stand-in on this machine is none. */
function serverUrl(given: string | undefined): string {
  const server = given || "https://github.com";
  return new URL(server).hostname === "127.0.0.1" ? "http://stagewright.localhost" : server;
}
