/** Runs the command at a real terminal: util-linux's script gives it a pseudo-terminal, and types into it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { program } from "../programs.ts";
import type { Bench } from "./cli.ts";

/** What is answered to each question, in their order. */
export type Dialogue = readonly (readonly [question: string, answer: string])[];

/** Runs the command at a terminal. @returns its exit code and all that the terminal showed */
export function talk(
  bench: Bench,
  args: readonly string[],
  dialogue: Dialogue,
): Promise<{ code: number | null; screen: string }> {
  const quoted = [process.execPath, program("src/cli.ts"), ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qefc", quoted, "/dev/null"], {
    cwd: bench.directory,
    env: {
      ...{ PATH: process.env.PATH, HOME: bench.directory, TMPDIR: bench.directory, TERM: "xterm" },
      ...{ EDITOR: join(bench.directory, "editor"), SHELL: "/bin/sh", ...COMPILE_CACHE },
    },
  });
  let screen = "";
  let read = 0;
  const left = [...dialogue];
  child.stdout.on("data", (data) => {
    screen += data;
    const [next] = left;
    if (next === undefined) return;
    const at = screen.indexOf(next[0], read);
    if (at < 0) return;
    read = at + next[0].length;
    left.shift();
    child.stdin.write(`${next[1]}\n`);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (left.length === 0) resolve({ code, screen });
      else reject(new Error(`never asked ${left[0]?.[0]}:\n${screen}`));
    });
  });
}
