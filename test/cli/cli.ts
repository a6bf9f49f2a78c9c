/** Runs the command as a user does: as a process of its own, with files in a directory of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";

const CLI = program("src/cli.ts");

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

interface Circumstances {
  /** Where its output goes instead of to the outcome. */
  readonly stdout?: string;
  readonly stderr?: string;
  /** What a shell does first, in the process that then becomes it. */
  readonly before?: string;
  /** Whose process it is. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), "stagewright-cli-"));

  file(name: string, content: string | Buffer): string {
    writeFileSync(join(this.directory, name), content);
    return name;
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), "utf8");
  }

  start(
    args: readonly string[],
    env: Record<string, string> = {},
    how: Circumstances = {},
  ): { child: ChildProcess; outcome: Promise<Outcome> } {
    const began = performance.now();
    const output = (path: string | undefined): number | "pipe" => (path === undefined ? "pipe" : openSync(path, "w"));
    const stdio = [output(how.stdout), output(how.stderr)] as const;
    const command = [process.execPath, CLI, ...args];
    const { before } = how;
    const [program = "", ...words] =
      before === undefined ? command : ["bash", "-c", `${before}; exec "$@"`, "bash", ...command];
    const child = spawn(program, words, {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: this.directory, TMPDIR: this.directory, ...COMPILE_CACHE, ...env },
      stdio: ["ignore", ...stdio],
      ...how.user,
    });
    for (const end of stdio) if (end !== "pipe") closeSync(end);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (data) => {
      stdout += data;
    });
    child.stderr?.on("data", (data) => {
      stderr += data;
    });
    const outcome = new Promise<Outcome>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr, ms: performance.now() - began }));
    });
    return { child, outcome };
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    return this.start(args, env).outcome;
  }

  /** Of the process among these whose command line contains this; its words end with NUL. */
  pidOf(part: string): number {
    const found = this.#pids().find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(part));
    if (found === undefined) throw new Error(`there is no process with ${part}`);
    return Number(found);
  }

  /** What runs anywhere with this directory as its TMPDIR: everything that was started from here, however it left. */
  processes(): readonly string[] {
    return this.#pids().flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
      } catch {
        return [];
      }
    });
  }

  #pids(): readonly string[] {
    return readdirSync("/proc").filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").includes(`TMPDIR=${this.directory}`);
      } catch {
        return false;
      }
    });
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
