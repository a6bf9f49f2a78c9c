/** What each bench is, and the few figures they share. */
import { spawn } from "node:child_process";

export interface Bench {
  readonly what: string;
  /** Yields lines to print as they become known. */
  run(): AsyncIterable<string>;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest-rank percentile; NaN for none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** `12.3 ms`, `1.2 s` */
export function milliseconds(value: number): string {
  return value < 1000 ? `${value.toFixed(value < 10 ? 2 : 1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Wall time of one run of a command, which must exit with 0. Milliseconds. */
export async function timeCommand(command: Command): Promise<number> {
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command.file, command.args, {
      // As a runner reads it: what writes to a pipe loads more than what writes to /dev/null.
      stdio: ["ignore", "pipe", "pipe"],
      env: command.env ?? process.env,
      cwd: command.cwd,
    });
    child.stdout.resume();
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors = (errors + chunk).slice(-2000);
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command.file} ended with ${code ?? signal}: ${errors}`)),
    );
  });
  return performance.now() - started;
}

/** Runs both in turn, A B A B …, after one warm-up of each, so that a drift of the machine hits both alike. */
export async function sideBySide(a: Command, b: Command, times: number): Promise<{ a: number[]; b: number[] }> {
  const result = { a: [] as number[], b: [] as number[] };
  await timeCommand(a);
  await timeCommand(b);
  for (let n = 0; n < times; n += 1) {
    result.a.push(await timeCommand(a));
    result.b.push(await timeCommand(b));
  }
  return result;
}

/** One line: ours against theirs, the median of the pairs' ratios, and the aim. */
export function ratioLine(options: {
  ours: string;
  theirs: string;
  a: readonly number[];
  b: readonly number[];
  aim: string;
}): string {
  const ratios = options.a.map((value, n) => value / (options.b[n] ?? Number.NaN));
  const ours = `${options.ours} ${milliseconds(median(options.a))}`;
  const theirs = `${options.theirs} ${milliseconds(median(options.b))}`;
  return `${ours} | ${theirs} | ratio ${median(ratios).toFixed(2)} (aim ${options.aim})`;
}
