/**
 * Ends our commands when this process dies without being able to (KILL, out of memory).
 *
 * One small `sh` for all commands of an agent. It reads the ids of their process groups from a pipe that only we hold
 * open; when we die the pipe closes, and it ends the groups and, on Linux, everything else that bears our mark.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { MARK } from "./process-groups.ts";

const SCRIPT = `
mark=$1
groups=
while read -r word group; do
  case $word in
    add) groups="$groups $group" ;;
    remove)
      rest=
      for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done
      groups=$rest ;;
    bye) exit 0 ;;
  esac
done
for signal in TERM KILL; do
  for group in $groups; do kill -s "$signal" -- "-$group" 2>/dev/null; done
  for file in $(grep -lszxF "${MARK}=$mark" /proc/[0-9]*/environ 2>/dev/null); do
    process=\${file#/proc/}
    kill -s "$signal" -- "\${process%/environ}" 2>/dev/null
  done
  [ "$signal" = KILL ] || sleep 2
done
`;

/**
 * What may be forgotten is told with the next group to watch, as a rule in the same moment; alone after so long, which is
 * too soon for a process id to be given anew.
 */
const FORGET_MS = 20;

export interface Watchdog {
  watch(group: number): void;
  /** Told soon. */
  forget(group: number): void;
  /** Everything has been ended: it may go. */
  dismiss(): void;
}

/** Starts the watchdog. Where there is no `sh` it says so through `warn`, and commands run without one. */
export function startWatchdog(mark: string, path: string | undefined, warn: (message: string) => void): Watchdog {
  // Its own session: neither a terminal's Ctrl-C nor the end of our group reaches it. Its environment is bare, so that
  // it does not bear the mark itself.
  const child: ChildProcess = spawn("sh", ["-c", SCRIPT, "stagewright-watchdog", mark], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    env: { PATH: path ?? "/usr/bin:/bin" },
  });
  let usable = true;
  const fail = (error: Error): void => {
    if (!usable) return;
    usable = false;
    warn(`commands would outlive this process if it were killed: their watchdog is gone (${error.message})`);
  };
  child.on("error", fail);
  child.stdin?.on("error", fail);
  child.unref();
  const stdin = child.stdin;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  let untold = "";
  let timer: NodeJS.Timeout | null = null;
  const tell = (lines: string): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (usable) stdin?.write(`${untold}${lines}`);
    untold = "";
  };
  return {
    watch: (group) => tell(`add ${group}\n`),
    forget: (group) => {
      untold += `remove ${group}\n`;
      timer ??= setTimeout(() => tell(""), FORGET_MS).unref();
    },
    dismiss: () => {
      tell("bye\n");
      usable = false;
      stdin?.end();
    },
  };
}
