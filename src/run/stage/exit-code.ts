/** The exit code that a command's end counts as where a plan lists exit codes. */
import type { AttemptEnd } from "../types.ts";

/** Linux's numbers of signals: what a shell adds to 128 when it tells how a command died. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGIOT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPOLL: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

/**
 * A death by a signal that we did not cause counts as 128 + its number: whether a shell stood between the command and
 * us, and told so itself, is nothing that a plan should have to know. Null: the end has no exit code.
 */
export function exitCodeOf(end: AttemptEnd): number | null {
  if (end.kind === "exited") return end.code;
  if (end.kind !== "signalled") return null;
  const number = Object.hasOwn(SIGNALS, end.signal) ? SIGNALS[end.signal] : undefined;
  return number === undefined ? null : 128 + number;
}
