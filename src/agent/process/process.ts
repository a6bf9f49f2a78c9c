/**
 * Starts a command in a process group of its own and ends that group whole: TERM, a grace, KILL.
 *
 * A `Processes` holds what one agent has started. None of it outlives the agent: what a command leaves behind in its
 * group is ended when the command exits, what has left the group when the agent ends (`endAll`, by its mark in /proc,
 * on Linux), and the watchdog does both when the agent is killed.
 *
 * What even KILL does not end (another user's process, by sudo; one that hangs in the kernel) is named and left: nobody
 * waits for it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../../plan/plan.ts";
import { unguessable } from "../../random.ts";
import { LineSplitter } from "../output/lines.ts";
import { type Ending, endingFrom, GRACE_MS } from "./ending.ts";
import { describeProcess, groupMembers, MARK, markedProcesses, signalGroup } from "./process-groups.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

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
  /** What could not be ended and goes on: nobody waits for it any more. */
  readonly onRemaining: (processes: readonly string[]) => void;
}

type SignalGroup = (group: number, signal: NodeJS.Signals) => boolean;

export interface ProcessesOptions {
  /** Where this machine's own programs are found, whatever PATH a plan gives its commands. Default: where they usually are. */
  readonly path?: string | undefined;
  /** How a signal reaches a group: replaced where a test needs processes that nothing ends. */
  readonly signalGroup?: SignalGroup;
}

/** One that could not be ended counts as killed. */
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
  /** Whether TERM was not enough. */
  wasKilled(): boolean;
}

export class Processes {
  readonly mark = unguessable();
  readonly #groups = new Set<number>();
  readonly #running = new Set<RunningProcess>();
  readonly #warn: (message: string) => void;
  readonly #path: string | undefined;
  readonly #signalGroup: SignalGroup;
  #watchdog: Watchdog | null = null;
  readonly #onExit = (): void => {
    for (const group of this.#groups) this.#signalGroup(group, "SIGKILL");
    if (this.#watchdog !== null) for (const pid of markedProcesses(this.mark)) killProcess(pid, "SIGKILL");
  };

  constructor(warn: (message: string) => void, options: ProcessesOptions = {}) {
    this.#warn = warn;
    this.#path = options.path;
    this.#signalGroup = options.signalGroup ?? signalGroup;
  }

  start(options: StartOptions): RunningProcess {
    if (this.#watchdog === null) {
      this.#watchdog = startWatchdog(this.mark, this.#path, this.#warn);
      process.once("exit", this.#onExit);
    }
    const running = startProcess(options, this.mark, {
      signal: this.#signalGroup,
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
   * Ends everything that still runs, then whoever bears our mark, within one grace and a little; what is left then is
   * named. Afterwards the watchdog is dismissed.
   */
  async endAll(graceMs = GRACE_MS): Promise<void> {
    const { killAt, giveUpAt } = endingFrom(performance.now(), graceMs);
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
      await until(() => markedProcesses(this.mark).length === 0, killAt);
      for (const pid of markedProcesses(this.mark)) killProcess(pid, "SIGKILL");
      await until(() => markedProcesses(this.mark).length === 0, giveUpAt);
      const remaining = markedProcesses(this.mark).map(describeProcess);
      if (remaining.length > 0) this.#warn(remainingText(remaining));
    }
    this.#watchdog.dismiss();
    this.#watchdog = null;
    process.removeListener("exit", this.#onExit);
  }
}

/** Who goes on although it was killed, in words. */
export function remainingText(processes: readonly string[]): string {
  return `could not be ended and is left to go on (another user's, or it hangs in the kernel): ${processes.join(", ")}`;
}

interface GroupBook {
  readonly signal: SignalGroup;
  add(group: number): void;
  remove(group: number): void;
}

function startProcess(options: StartOptions, mark: string, book: GroupBook): RunningProcess {
  const spawned = trySpawn(options, mark);
  if (spawned instanceof Error) {
    const end: ProcessEnd = { kind: "not_started", message: startError(spawned, options) };
    return { pid: null, ended: Promise.resolve(end), end: () => undefined, wasKilled: () => false };
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
  const givenUp = Promise.withResolvers<ProcessEnd>();
  const giveUp = (): void => givenUp.resolve({ kind: "signalled", signal: "SIGKILL" });
  let ending: Ending | null = null;
  let wasKilled = false;
  let timers: readonly NodeJS.Timeout[] = [];
  const end = (graceMs = GRACE_MS): void => {
    if (pid === null || exited) return;
    if (ending === null) book.signal(pid, "SIGTERM");
    const now = performance.now();
    ending = endingFrom(now, graceMs, ending);
    for (const timer of timers) clearTimeout(timer);
    timers = [
      setTimeout(() => {
        wasKilled = true;
        // Who may not even be sent a signal does not end for it.
        if (!book.signal(pid, "SIGKILL") && groupMembers(pid).length > 0) giveUp();
      }, ending.killAt - now),
      setTimeout(giveUp, ending.giveUpAt - now),
    ];
  };

  const ended = (async (): Promise<ProcessEnd> => {
    const outputClosed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const exit = new Promise<ProcessEnd>((resolve) => {
      child.once("error", (error) => {
        // Also emitted when a signal could not be sent; only a child without an id has not been started.
        if (child.pid === undefined) resolve({ kind: "not_started", message: startError(error, options) });
      });
      child.once("exit", (code, signal) =>
        resolve(signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "signalled", signal }),
      );
    });
    const result = await Promise.race([exit, givenUp.promise]);
    exited = true;
    for (const timer of timers) clearTimeout(timer);
    if (pid !== null) {
      // What we ended ourselves may take its grace; only what a command leaves of its own accord is worth a word.
      const tell = ending === null ? options.onLeftBehind : () => undefined;
      const hasExited = child.exitCode !== null || child.signalCode !== null;
      const how = ending ?? endingFrom(performance.now(), GRACE_MS);
      let members = groupMembers(pid);
      if (hasExited && members.length > 0) {
        tell(members.map(describeProcess));
        wasKilled = (await endLeftBehind(pid, how, book.signal)) || wasKilled;
        members = groupMembers(pid);
      }
      if (members.length > 0) options.onRemaining(members.map(describeProcess));
      book.remove(pid);
      if (hasExited) await Promise.race([outputClosed, sleep(OUTPUT_AFTER_EXIT_MS, undefined, { ref: false })]);
    }
    child.stdout?.destroy();
    child.stderr?.destroy();
    // What goes on does not keep this process.
    child.unref();
    for (const splitter of splitters) splitter.end();
    return result;
  })();
  return { pid, ended, end, wasKilled: () => wasKilled };
}

/** Ends what is still in the group after its first process has exited. @returns whether TERM was not enough */
async function endLeftBehind(group: number, { killAt, giveUpAt }: Ending, signal: SignalGroup): Promise<boolean> {
  const isGone = (): boolean => groupMembers(group).length === 0;
  if (signal(group, "SIGTERM")) await until(isGone, killAt);
  if (isGone()) return false;
  if (signal(group, "SIGKILL")) await until(isGone, giveUpAt);
  return true;
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

/** @param deadline performance.now() */
async function until(holds: () => boolean, deadline: number): Promise<void> {
  for (let pause = 5; !holds() && performance.now() < deadline; pause = Math.min(100, pause * 2)) await sleep(pause);
}
