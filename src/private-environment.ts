/**
 * Keeps what this process was given from the commands that it starts. Leaving a variable out of their environment is
 * not enough: whoever runs as the same user reads the block that a process was started with in /proc/<pid>/environ,
 * for as long as the process lives, whatever it does with its own variables.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

/** A block of variables is bounded by the system (a quarter of the stack's limit); beyond this something is wrong. */
const LARGEST_BLOCK = 64 * 1024 * 1024;

export interface TakenEnvironment {
  /** All variables, those that were taken included. */
  readonly env: Readonly<Record<string, string>>;
  /** Why /proc still shows the values; null: it does not (or there is no /proc). */
  readonly trouble: string | null;
}

/**
 * Takes the variables that are named out of this process: out of `process.env` and, on Linux, out of the block that
 * /proc/<pid>/environ shows, by writing over it.
 */
export function takeEnvironment(env: NodeJS.ProcessEnv, isPrivate: (name: string) => boolean): TakenEnvironment {
  const all: Record<string, string> = {};
  let found = false;
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    all[name] = value;
    if (!isPrivate(name) || value === "") continue;
    found = true;
    delete env[name];
  }
  if (!found || process.platform !== "linux") return { env: all, trouble: null };
  try {
    wipe(isPrivate);
    return { env: all, trouble: null };
  } catch (error) {
    return { env: all, trouble: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Without this, SIGUSR1 makes Node listen for a debugger on 127.0.0.1:9229: any command could send it and then run code
 * of its own in this process. A listener takes the signal's place.
 */
export function refuseDebugger(): void {
  process.on("SIGUSR1", () => undefined);
}

function wipe(isPrivate: (name: string) => boolean): void {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // Behind "pid (name)", where the name may hold spaces and brackets: fields 3 and up, env_start and env_end are 50, 51.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fields[47]);
  const length = Number(fields[48]) - start;
  if (!(start > 0 && length > 0 && length <= LARGEST_BLOCK))
    throw new Error("/proc/self/stat does not say where it is");
  const memory = openSync("/proc/self/mem", "r+");
  try {
    const block = Buffer.alloc(length);
    // Nothing is written that does not begin with its own name where the block is said to be.
    readSync(memory, block, 0, length, start);
    for (let at = 0; at < length; ) {
      const end = nextEnd(block, at);
      const equals = block.indexOf("=", at);
      if (equals > at && equals < end && isPrivate(block.toString("latin1", at, equals))) {
        writeSync(memory, Buffer.alloc(end - equals - 1), 0, end - equals - 1, start + equals + 1);
      }
      at = end + 1;
    }
  } finally {
    closeSync(memory);
  }
}

function nextEnd(block: Buffer, from: number): number {
  const end = block.indexOf(0, from);
  return end === -1 ? block.length : end;
}
