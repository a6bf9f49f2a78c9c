/** A process that belongs to the demo: started, watched, and certainly ended. */
import { spawn } from "node:child_process";

export interface Child {
  readonly name: string;
  /** How it ended; null while it lives. */
  ended(): string | null;
  /** The last lines that it printed. */
  tail(): readonly string[];
  /** SIGTERM, and SIGKILL for who does not go in time. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Process id, for tests that kill it. */
  readonly pid: number | null;
}

const WATCHDOG = new URL("watchdog.ts", import.meta.url).href;
const TAIL_LINES = 20;
const STOP_MS = 5_000;

/** Starts a TypeScript or JavaScript file with this Node. */
export function startChild(options: {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
}): Child {
  // A session of its own: Ctrl-C in the terminal reaches it through us, in order, and only once.
  const child = spawn(process.execPath, ["--import", WATCHDOG, options.file], {
    cwd: options.directory,
    env: { ...options.env },
    // The fourth is a pipe to us: when we are gone, it closes, and the child ends itself.
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true,
  });
  let end: string | null = null;
  let lines: string[] = [];
  let pending = "";
  const read = (chunk: Buffer): void => {
    const parts = (pending + chunk.toString("utf8")).split("\n");
    pending = parts.pop() ?? "";
    lines = [...lines, ...parts].slice(-TAIL_LINES);
  };
  child.stdout?.on("data", read);
  child.stderr?.on("data", read);
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end ??= `${options.name} could not be started: ${error.message}`;
      resolve();
    });
    child.once("close", (code, signal) => {
      if (pending !== "") lines = [...lines, pending].slice(-TAIL_LINES);
      end ??= `${options.name} ended ${code === null ? `by ${signal}` : `with exit code ${code}`}`;
      resolve();
    });
  });
  return {
    name: options.name,
    pid: child.pid ?? null,
    ended: () => end,
    tail: () => lines,
    async stop() {
      if (end === null) child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}
