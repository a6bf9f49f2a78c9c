/**
 * Starts a step's process and, when the job is cancelled, ends it as GitHub's runner does: SIGINT, a pause, SIGTERM,
 * a pause, SIGKILL, each to that one process. Its children are its own business, and orphans are found afterwards.
 */
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";

/** GitHub's runner: 7.5 s after SIGINT comes SIGTERM, 2.5 s later SIGKILL. Tests may shorten them. */
export interface CancelTimes {
  readonly interruptMs: number;
  readonly terminateMs: number;
  /** How long output is awaited from those who inherited the pipes, once the process itself is gone. */
  readonly drainMs: number;
}
export const GITHUB_CANCEL_TIMES: CancelTimes = { interruptMs: 7_500, terminateMs: 2_500, drainMs: 5_000 };

/** A longer line is cut into several, so that a step cannot fill the memory with one. */
const LINE_LIMIT = 256 * 1024;

export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  /** Aborted: the cancel sequence begins. */
  readonly signal: AbortSignal;
  readonly cancelTimes: CancelTimes;
}

export type ProcessEnd =
  | { readonly kind: "exited"; readonly code: number; readonly cancelled: boolean }
  | { readonly kind: "signalled"; readonly signal: string; readonly cancelled: boolean }
  | { readonly kind: "not_started"; readonly message: string };

/** Feeds chunks of bytes to `onLine`, a line at a time; `end` gives the last one. */
function lineReader(onLine: (line: string) => void): { feed(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  return {
    feed(chunk) {
      pending += decoder.write(chunk);
      const lines = pending.split(/\r?\n/);
      pending = lines.pop() ?? "";
      for (const line of lines) onLine(line);
      while (pending.length > LINE_LIMIT) {
        onLine(pending.slice(0, LINE_LIMIT));
        pending = pending.slice(LINE_LIMIT);
      }
    },
    end() {
      pending += decoder.end();
      if (pending !== "") onLine(pending);
      pending = "";
    },
  };
}

/** Runs one process to its end. Never rejects: what cannot be started says so in its answer. */
export function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  const { signal, cancelTimes } = request;
  return new Promise((resolve) => {
    const child = spawn(request.file, [...request.args], {
      cwd: request.directory,
      env: { ...request.env },
      stdio: ["ignore", "pipe", "pipe"],
      // Its own session: a Ctrl-C in the sandbox's terminal reaches it by the cancel sequence alone.
      detached: true,
    });
    const timers = new Set<NodeJS.Timeout>();
    const later = (ms: number, act: () => void): void => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        act();
      }, ms);
      timers.add(timer);
    };
    let cancelled = false;
    const cancel = (): void => {
      if (cancelled || child.exitCode !== null || child.signalCode !== null) return;
      cancelled = true;
      child.kill("SIGINT");
      later(cancelTimes.interruptMs, () => {
        child.kill("SIGTERM");
        later(cancelTimes.terminateMs, () => child.kill("SIGKILL"));
      });
    };
    const stdout = lineReader(request.onLine);
    const stderr = lineReader(request.onLine);
    child.stdout.on("data", stdout.feed);
    child.stderr.on("data", stderr.feed);
    let settled = false;
    const settle = (end: ProcessEnd): void => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      stdout.end();
      stderr.end();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(end);
    };
    child.on("error", (error) => {
      if (child.pid === undefined) settle({ kind: "not_started", message: error.message });
    });
    child.on("exit", (code, signalName) => {
      const end: ProcessEnd =
        code === null
          ? { kind: "signalled", signal: signalName ?? "unknown", cancelled }
          : { kind: "exited", code, cancelled };
      child.once("close", () => settle(end));
      later(cancelTimes.drainMs, () => settle(end));
    });
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

/** A process that a job left behind. */
export interface Orphan {
  readonly pid: number;
  readonly command: string;
}

/**
 * The living processes whose environment carries this job's RUNNER_TRACKING_ID: what the job left behind. GitHub's
 * runner finds them the same way. Reads /proc, so it finds none where there is no /proc.
 */
export async function findOrphans(trackingId: string): Promise<readonly Orphan[]> {
  const entries = await readdir("/proc").catch(() => []);
  const wanted = `RUNNER_TRACKING_ID=${trackingId}`;
  const found = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
      .map(async (entry): Promise<Orphan | null> => {
        // A process that ends while we look, or is not ours to read, is no orphan of ours.
        const environment = (await environmentOf(entry)) || (await sleep(EXEC_MS).then(() => environmentOf(entry)));
        if (!environment.split("\0").includes(wanted)) return null;
        const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
        return { pid: Number(entry), command: command.replaceAll("\0", " ").trim() };
      }),
  );
  return found.filter((one) => one !== null);
}

/** A process that is just starting a program shows no environment until that stands. */
const EXEC_MS = 50;

function environmentOf(pid: string): Promise<string> {
  return readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
}
