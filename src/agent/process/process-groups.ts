/** What the system knows of processes beyond the one that we started: its group, and those that bear our mark. */
import { readdirSync, readFileSync } from "node:fs";

/** Every command gets this variable with a value of its agent's own: whoever has it in /proc was started by us. */
export const MARK = "STAGEWRIGHT_MARK";

/** Sends a signal to a process group; false when there is none any more. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Why processes that leave their group are not found on this machine, and outlive a run; null: they are found. What
 * stays in its command's group is ended in any case.
 */
export function whyUnseen(): string | null {
  if (process.platform !== "linux") return "only Linux tells what a process was started by";
  if (isProcShown(processIds())) return null;
  return "/proc does not show this machine's processes (it is not mounted, or hidden)";
}

/** The same, as a warning for whoever starts a run; null: nothing to warn of. */
export function unseenWarning(): string | null {
  const why = whyUnseen();
  return why === null
    ? null
    : `${why}: what a command puts into a session of its own (setsid, a daemon) is not ended with it and outlives the run`;
}

/**
 * The ids of the processes that live in a group. On Linux from /proc, so that zombies that nobody reaps (as in a
 * container without an init) do not count; elsewhere only whether there is any: `[group]` or `[]`.
 */
export function groupMembers(group: number): readonly number[] {
  try {
    process.kill(-group, 0);
  } catch (error) {
    // EPERM: it is there, but has become another user's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return [];
  }
  const ids = process.platform === "linux" ? processIds() : [];
  if (!isProcShown(ids)) return [group];
  return ids.filter((pid) => {
    const [state, , pgrp] = statOf(pid) ?? ["X"];
    return state !== "Z" && state !== "X" && Number(pgrp) === group;
  });
}

/** The ids of the processes that have `STAGEWRIGHT_MARK=mark` in their environment: Linux only, elsewhere none. */
export function markedProcesses(mark: string): readonly number[] {
  if (process.platform !== "linux") return [];
  const wanted = `${MARK}=${mark}`;
  const marked: number[] = [];
  let unclear = processIds().filter((pid) => pid !== process.pid);
  for (let tries = 0; unclear.length > 0; tries += 1) {
    const again: number[] = [];
    for (const pid of unclear) {
      const environment = read(`/proc/${pid}/environ`);
      if (environment?.split("\0").includes(wanted)) marked.push(pid);
      // One that is just starting a program shows no environment until that stands.
      else if (environment === "" && tries < EXEC_TRIES && isProgram(pid)) again.push(pid);
    }
    unclear = again;
    if (unclear.length > 0) Atomics.wait(PAUSE, 0, 0, EXEC_MS);
  }
  return marked;
}

/** Not asynchronous, since the last look is taken while this process exits. */
const EXEC_MS = 2;
const EXEC_TRIES = 25;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** Neither a zombie nor a thread of the kernel (PF_KTHREAD): those never show an environment. */
function isProgram(pid: number): boolean {
  const stat = statOf(pid);
  const [state, , , , , , flags] = stat ?? [];
  return stat !== null && state !== "Z" && state !== "X" && (Number(flags) & 0x00200000) === 0;
}

/** A short description of a process, for a log line: its command line, else its id alone. */
export function describeProcess(pid: number): string {
  const line = read(`/proc/${pid}/cmdline`)?.split("\0").join(" ").trim() ?? "";
  return line === "" ? String(pid) : `${pid} (${line.slice(0, 80)})`;
}

/** What /proc tells from "state ppid pgrp session tty_nr tpgid flags …" on; null: it is gone. */
function statOf(pid: number): readonly string[] | null {
  const stat = read(`/proc/${pid}/stat`);
  // Before that "pid (name)", where the name may hold spaces and brackets.
  return stat === null ? null : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function processIds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    // Not mounted.
    return [];
  }
}

function isProcShown(ids: readonly number[]): boolean {
  return ids.includes(process.pid) && statOf(process.pid) !== null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Gone in the meantime, or another user's.
    return null;
  }
}
