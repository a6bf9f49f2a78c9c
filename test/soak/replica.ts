/** The app's processes: each is started again when it was killed, on the same port. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";

const START_MS = 90_000;
const STOP_MS = 30_000;
/** What it says at its start before it ends; others of its parts may have something to say after that. */
const DATABASE_AWAY = /^stagewright: The database .+ cannot be used: /mu;
/** More often it does not end by mischance. */
const MOST_ACCIDENTS = 3;
const START_AGAIN_MS = 500;
const KIB_IN_MIB = 1_024;

export interface ReplicaOptions {
  readonly name: string;
  readonly port: number;
  /** Where its log is written. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

export class Replica {
  readonly port: number;
  readonly log: string;
  readonly #options: ReplicaOptions;
  #child: ChildProcess | null = null;
  #wanted = false;
  #frozen = false;
  /** Of all its lives. MiB. */
  #peak = 0;
  /** Deaths that nobody asked for. */
  readonly accidents: string[] = [];

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.port = options.port;
    this.log = join(options.directory, `${options.name}.log`);
  }

  get running(): boolean {
    return this.#wanted && this.#child !== null;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  get peak(): number {
    this.#measure();
    return this.#peak;
  }

  /** MiB now. */
  get memory(): number {
    return this.#status("VmRSS");
  }

  /** Claims that it took, in all of its lives, from whoever had not released them. */
  get takeovers(): number {
    const lines = readFileSync(this.log, "utf8").split("\n");
    return lines.filter((line) => line.includes('"unreleased":true') && line.includes('"msg":"claimed"')).length;
  }

  start(): void {
    const { name, directory, env } = this.#options;
    const output = openSync(this.log, "a", 0o600);
    const before = readFileSync(this.log, "utf8").length;
    const child = spawn(process.execPath, [program("app/main.ts")], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? "", HOME: directory, ...COMPILE_CACHE, ...env, PORT: `${this.port}` },
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    this.#child = child;
    this.#wanted = true;
    // However whoever started it ends.
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    child.once("exit", (code, signal) => {
      if (this.#child !== child || !this.#wanted) return;
      this.#child = null;
      const said = readFileSync(this.log, "utf8").slice(before);
      if (!DATABASE_AWAY.test(said)) this.accidents.push(`${name} ended by itself: ${code ?? signal}`);
      // As whatever runs it in production does.
      setTimeout(() => this.#wanted && this.#child === null && this.start(), START_AGAIN_MS);
    });
  }

  /** @throws when it does not come to be ready */
  async ready(): Promise<void> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => null,
      );
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.ok === true) return;
      if (this.accidents.length > MOST_ACCIDENTS || Date.now() > deadline)
        throw new Error(`The app is not ready: see ${this.log}`);
      await sleep(50);
    }
  }

  async kill(): Promise<void> {
    this.#measure();
    await this.#end("SIGKILL");
  }

  /** In order. */
  async stop(): Promise<void> {
    this.#measure();
    this.thaw();
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), STOP_MS);
    await this.#end("SIGTERM");
    clearTimeout(late);
  }

  freeze(): void {
    this.#frozen = this.#child?.kill("SIGSTOP") === true;
  }

  thaw(): void {
    if (this.#frozen) this.#child?.kill("SIGCONT");
    this.#frozen = false;
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#wanted = false;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    this.#child = null;
    this.#frozen = false;
  }

  #measure(): void {
    this.#peak = Math.max(this.#peak, this.#status("VmHWM"));
  }

  #status(name: string): number {
    try {
      const text = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8");
      return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "mu").exec(text)?.[1] ?? 0) / KIB_IN_MIB;
    } catch {
      return 0;
    }
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((done) => server.close(done));
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
}
