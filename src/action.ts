/** Entry of the action: the step and, started again by the runner after everything else, its post step. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Entry } from "./action/entry.ts";
import { runMain } from "./action/main.ts";
import { runPost } from "./action/post.ts";
import { RunnerConsole, RunnerFiles } from "./action/runner.ts";
import { readState } from "./action/state.ts";

const here = dirname(fileURLToPath(import.meta.url));
const bundled = join(here, "cli", "index.js");

const runnerConsole = new RunnerConsole((text) => process.stdout.write(text));
const entry: Entry = {
  env: process.env,
  console: runnerConsole,
  files: new RunnerFiles(process.env, (text) => runnerConsole.text(`⚠ ${text}`)),
  pace: { now: Date.now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
  workspace: process.cwd(),
  temporary: tmpdir(),
  commandLine: [process.execPath, existsSync(bundled) ? bundled : join(here, "cli.ts")],
  exit: (code) => {
    runnerConsole.resume();
    process.exit(code);
  },
};

// Not awaited here: a module that waits cannot be joined with others when it is bundled, and the start-up takes a tenth
// longer. `exit` ends the process in either case.
void run();

async function run(): Promise<never> {
  try {
    const left = readState(process.env);
    return entry.exit(left === null ? await runMain(entry) : await runPost(left, entry));
  } catch (error) {
    // Ours: whatever users can do wrong has been answered before. The trace is for the report of the bug.
    runnerConsole.error(`stagewright failed: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof Error && error.stack !== undefined) runnerConsole.text(error.stack);
    return entry.exit(1);
  }
}
