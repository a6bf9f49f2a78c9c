/** A group of real agent processes on one coordinator, and what can happen to one of them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunHost } from "../../src/coordinator/hosting/host.ts";
import { runIdOf } from "../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../src/coordinator/server/serve.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { itemsOf } from "../../src/run/persistent-array.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { keyOf, SECRET } from "../coordinator/builders.ts";
import { program } from "../programs.ts";
import { until } from "./builders.ts";

/** One agent's process: `stagewright agent`, as somebody joins by hand. */
export interface AgentProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** What it has logged so far. */
  log(): string;
}

/** A run of its own on the coordinator, in a directory of its own. */
export class Group {
  readonly directory = mkdtempSync(join(tmpdir(), "stagewright-group-"));
  readonly plan: Plan;
  readonly host: RunHost;
  readonly #run: string;
  readonly #coordinator: string;
  readonly #processes: AgentProcess[] = [];

  private constructor(plan: Plan, host: RunHost, run: string, coordinator: string) {
    this.plan = plan;
    this.host = host;
    this.#run = run;
    this.#coordinator = coordinator;
  }

  static async open(serving: Serving, plan: Plan, agentCount: number, runId: string): Promise<Group> {
    const key = keyOf(plan, { runId });
    const selection = { only: null, skip: [], stopAfter: null };
    const request = { key, plan, selection, agentCount, agent: "", role: null, index: null, address: null };
    const { host } = await serving.runs.open(request);
    return new Group(plan, host, runIdOf(key), serving.address);
  }

  start(name: string, options: { readonly through?: string; readonly more?: readonly string[] } = {}): AgentProcess {
    const at = `http://${options.through ?? this.#coordinator}`;
    const args = ["agent", "--coordinator", at, "--run", this.#run, "--agent-name", name, ...(options.more ?? [])];
    const child = spawn(process.execPath, [program("src/cli.ts"), ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, TMPDIR: this.directory, STAGEWRIGHT_COORDINATOR_SECRET: SECRET, ...COMPILE_CACHE },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (chunk) => {
      log += chunk;
    });
    const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
    const started = { name, child, ended, log: () => log };
    this.#processes.push(started);
    return started;
  }

  /** Lines that commands have written into a file of the group's directory. */
  lines(file: string): readonly string[] {
    const path = join(this.directory, file);
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
  }

  touch(file: string): void {
    writeFileSync(join(this.directory, file), "");
  }

  /** What the coordinator holds of one agent. */
  seen(name: string): { readonly presence: string; readonly membership: string } {
    const row = [...itemsOf(this.host.state.agents)].find((agent) => agent.name === name);
    return { presence: row?.presence ?? "nobody", membership: row?.membership ?? "nobody" };
  }

  /** Waits; when that takes too long, says what everybody has logged. */
  async until(what: string, holds: () => boolean, ms = 30_000): Promise<void> {
    await until(what, holds, ms).catch((error: unknown) => {
      throw new Error([String(error), ...this.#told()].join("\n"), { cause: error });
    });
  }

  /** Waits for all processes. @returns how each ended, in the order of their starts */
  async ends(): Promise<readonly (readonly [name: string, end: number | string])[]> {
    await this.until("all agents to end", () => this.#processes.every(({ child }) => isOver(child)));
    return await Promise.all(this.#processes.map(async ({ name, ended }) => [name, await ended] as const));
  }

  /** Command lines of everything that was started from here and still lives, however it left. */
  processes(): readonly string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
          if (!environment.includes(`TMPDIR=${this.directory}`)) return [];
          return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
        } catch {
          return [];
        }
      });
  }

  /** Ends what a failed test has left, and fails when a test that went well has left anything. */
  async close(): Promise<void> {
    for (const { child } of this.#processes) {
      if (isOver(child)) continue;
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await this.until("every process of the group to be gone", () => this.processes().length === 0, 15_000);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #told(): readonly string[] {
    const { status, message } = this.host.summary();
    return [`run: ${status} ${message}`, ...this.#processes.map(({ name, log }) => `--- ${name}\n${log()}`)];
  }
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A network between one agent and its coordinator, which can be lost. */
export class Network {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #address = "";

  private constructor(target: string) {
    const [host = "", port = ""] = target.split(":");
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(Number(port), host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => undefined);
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async to(target: string): Promise<Network> {
    const network = new Network(target);
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    const address = network.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    network.#address = `127.0.0.1:${address.port}`;
    return network;
  }

  /** host:port */
  get address(): string {
    return this.#address;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
