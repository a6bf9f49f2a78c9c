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
  if (process.platform !== "linux") return [group];
  return processIds().filter((pid) => {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === null) return false;
    // "pid (name) state ppid pgrp …", where the name may hold spaces and brackets.
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state !== "Z" && state !== "X" && Number(pgrp) === group;
  });
}

/** The ids of the processes that have `STAGEWRIGHT_MARK=mark` in their environment: Linux only, elsewhere none. */
export function markedProcesses(mark: string): readonly number[] {
  if (process.platform !== "linux") return [];
  const wanted = `${MARK}=${mark}`;
  return processIds().filter(
    (pid) => pid !== process.pid && (read(`/proc/${pid}/environ`)?.split("\0").includes(wanted) ?? false),
  );
}

/** A short description of a process, for a log line: its command line, else its id alone. */
export function describeProcess(pid: number): string {
  const line = read(`/proc/${pid}/cmdline`)?.split("\0").join(" ").trim() ?? "";
  return line === "" ? String(pid) : `${pid} (${line.slice(0, 80)})`;
}

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Gone in the meantime, or another user's.
    return null;
  }
}
