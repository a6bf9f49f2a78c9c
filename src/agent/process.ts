/**
 * Starts a command in a process group of its own and ends that group whole: TERM, a grace, KILL.
 *
 * A `Processes` holds what one agent has started. None of it outlives the agent: what a command leaves behind in its
 * group is ended when the command exits, what has left the group when the agent ends (`endAll`, by its mark in /proc,
 * on Linux), and the watchdog does both when the agent is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../plan/plan.ts";
import { unguessable } from "../random.ts";
import { LineSplitter } from "./lines.ts";
import { describeProcess, groupMembers, MARK, markedProcesses, signalGroup } from "./process-groups.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** Between TERM and KILL. */
export const GRACE_MS = 5_000;
/** The same while the agent itself is being ended. */
export const SHUTDOWN_GRACE_MS = 2_500;
/** How long output is still read after the command and its group are gone: someone outside the group may hold it. */
const OUTPUT_AFTER_EXIT_MS = 1_000;
/** Linux refuses a longer single argument (MAX_ARG_STRLEN is 128 KiB). */
const LONGEST_ARGUMENT = 100_000;

export interface StartOptions {
  readonly command: Command;
  /** Further arguments: `$1`… of a script. */
  readonly args: readonly string[];
  /** What a script is called in its own error messages (`$0`). */
  readonly name: string;
  /** The whole environment; `STAGEWRIGHT_MARK` is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
  /** What the command left behind in its group, and was ended. */
  readonly onLeftBehind: (processes: readonly string[]) => void;
}

export type ProcessEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  | { readonly kind: "not_started"; readonly message: string };

export interface RunningProcess {
  readonly pid: number | null;
  /** Resolves once the command, its group and its output are at an end. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** TERM now, KILL after the grace. Again with a shorter grace: the shorter one holds. */
  end(graceMs?: number): void;
}

export class Processes {
  readonly mark = unguessable();
  readonly #groups = new Set<number>();
  readonly #running = new Set<RunningProcess>();
  readonly #warn: (message: string) => void;
  #watchdog: Watchdog | null = null;
  readonly #onExit = (): void => {
    for (const group of this.#groups) signalGroup(group, "SIGKILL");
    if (this.#watchdog !== null) for (const pid of markedProcesses(this.mark)) killProcess(pid, "SIGKILL");
  };

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  start(options: StartOptions): RunningProcess {
    if (this.#watchdog === null) {
      this.#watchdog = startWatchdog(this.mark, this.#warn);
      process.once("exit", this.#onExit);
    }
    const running = startProcess(options, this.mark, {
      add: (group) => {
        this.#groups.add(group);
        this.#watchdog?.watch(group);
      },
      remove: (group) => {
        this.#groups.delete(group);
        this.#watchdog?.forget(group);
      },
    });
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /**
   * Ends everything that still runs, then whoever bears our mark. Resolves when nothing is left; afterwards the watchdog
   * is dismissed. Takes at most twice the grace and a little.
   */
  async endAll(graceMs = GRACE_MS): Promise<void> {
    const running = [...this.#running];
    for (const each of running) each.end(graceMs);
    await Promise.all(running.map((each) => each.ended));
    if (this.#watchdog === null) return;
    const escaped = markedProcesses(this.mark);
    if (escaped.length > 0) {
      this.#warn(
        `ended ${escaped.length} process(es) that had left their group: ${escaped.map(describeProcess).join(", ")}`,
      );
      for (const pid of escaped) killProcess(pid, "SIGTERM");
      await until(() => markedProcesses(this.mark).length === 0, graceMs);
      for (const pid of markedProcesses(this.mark)) killProcess(pid, "SIGKILL");
      await until(() => markedProcesses(this.mark).length === 0, 1_000);
    }
    this.#watchdog.dismiss();
    this.#watchdog = null;
    process.removeListener("exit", this.#onExit);
  }
}

interface GroupBook {
  add(group: number): void;
  remove(group: number): void;
}

function startProcess(options: StartOptions, mark: string, book: GroupBook): RunningProcess {
  const spawned = trySpawn(options, mark);
  if (spawned instanceof Error) {
    const end: ProcessEnd = { kind: "not_started", message: startError(spawned, options) };
    return { pid: null, ended: Promise.resolve(end), end: () => undefined };
  }
  const child = spawned;
  const pid = child.pid ?? null;
  if (pid !== null) book.add(pid);

  const splitters = (["stdout", "stderr"] as const).map((name) => {
    const splitter = new LineSplitter((line) => options.onLine(line, name));
    child[name]?.on("data", (chunk: Buffer) => splitter.push(chunk));
    // A broken pipe of a child's output says nothing that its exit does not.
    child[name]?.on("error", () => undefined);
    return splitter;
  });

  let exited = false;
  let killer: NodeJS.Timeout | null = null;
  let killAt = Number.POSITIVE_INFINITY;
  const end = (graceMs = GRACE_MS): void => {
    if (pid === null || exited) return;
    if (killer === null) signalGroup(pid, "SIGTERM");
    const at = performance.now() + graceMs;
    if (at >= killAt) return;
    killAt = at;
    if (killer !== null) clearTimeout(killer);
    killer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  };

  const ended = (async (): Promise<ProcessEnd> => {
    const outputClosed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const result = await new Promise<ProcessEnd>((resolve) => {
      child.once("error", (error) => {
        // Also emitted when a signal could not be sent; only a child without an id has not been started.
        if (child.pid === undefined) resolve({ kind: "not_started", message: startError(error, options) });
      });
      child.once("exit", (code, signal) =>
        resolve(signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "signalled", signal }),
      );
    });
    exited = true;
    const remaining = killAt - performance.now();
    if (killer !== null) clearTimeout(killer);
    if (pid !== null) {
      // What we ended ourselves may take its grace; only what a command leaves of its own accord is worth a word.
      const tell = killer === null ? options.onLeftBehind : () => undefined;
      await endLeftBehind(pid, Number.isFinite(remaining) ? Math.max(0, remaining) : GRACE_MS, tell);
      book.remove(pid);
      await Promise.race([outputClosed, sleep(OUTPUT_AFTER_EXIT_MS, undefined, { ref: false })]);
    }
    child.stdout?.destroy();
    child.stderr?.destroy();
    for (const splitter of splitters) splitter.end();
    return result;
  })();
  return { pid, ended, end };
}

/** Ends what is still in the group after its first process has exited. `graceMs` 0: KILL at once. */
async function endLeftBehind(
  group: number,
  graceMs: number,
  tell: (processes: readonly string[]) => void,
): Promise<void> {
  const members = groupMembers(group);
  if (members.length === 0) return;
  tell(members.map(describeProcess));
  if (signalGroup(group, "SIGTERM")) await until(() => groupMembers(group).length === 0, graceMs);
  if (groupMembers(group).length === 0) return;
  signalGroup(group, "SIGKILL");
  await until(() => groupMembers(group).length === 0, 1_000);
}

function trySpawn(options: StartOptions, mark: string): ChildProcess | Error {
  const [file, args] = programOf(options);
  try {
    return spawn(file, args, {
      cwd: options.workingDirectory,
      env: { ...options.env, [MARK]: mark },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    // Thrown, not emitted, for what cannot even be handed to the system (a NUL byte in an argument).
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A script goes to the shell as one argument, never spliced into other text; a program gets no shell at all. */
function programOf(options: StartOptions): readonly [string, readonly string[]] {
  const { command } = options;
  switch (command.kind) {
    case "program":
      return [command.file, [...command.args, ...options.args]];
    case "script":
      return [shell(options.env.PATH), ["-e", "-c", command.script, options.name, ...options.args]];
    default:
      return command satisfies never;
  }
}

const shells = new Map<string, string>();

/**
 * `bash` where there is one, else `sh`, both with -e: what a `run:` step of a workflow gets. By its whole path, so that
 * the system need not look for it in every directory each time.
 */
function shell(path: string | undefined): string {
  const directories = path ?? "/usr/bin:/bin";
  const known = shells.get(directories);
  if (known !== undefined) return known;
  const directory = directories.split(delimiter).find((each) => isExecutable(join(each, "bash")));
  // A relative directory means another one wherever a command runs: that is the system's to find.
  const found = directory === undefined ? "sh" : isAbsolute(directory) ? join(directory, "bash") : "bash";
  shells.set(directories, found);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a command could not be started, in words that name the thing to put right. */
function startError(error: Error, options: StartOptions): string {
  const code = "code" in error ? String(error.code) : "";
  const { command, workingDirectory } = options;
  const what = command.kind === "program" ? `"${command.file}"` : "the shell";
  if (!statSync(workingDirectory, { throwIfNoEntry: false })?.isDirectory()) {
    return `${what}: the working directory ${workingDirectory} is not there`;
  }
  switch (code) {
    case "ENOENT":
      return `${what}: no such program (or its interpreter) on this machine`;
    case "EACCES":
      return `${what}: it is not executable`;
    case "E2BIG":
      return `${what}: its arguments and environment are too large${
        command.kind === "script" && command.script.length > LONGEST_ARGUMENT ? "; put the script into a file" : ""
      }`;
    default:
      return `${what}: ${error.message}`;
  }
}

function killProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}

async function until(holds: () => boolean, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (let pause = 5; !holds() && performance.now() < deadline; pause = Math.min(100, pause * 2)) await sleep(pause);
}
