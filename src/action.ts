/**
 * Entry of the action: the step, and its post step, which the runner starts after everything else. Which of them this is
 * is told by the file that was started (`post.ts` imports this one): whatever the environment says, commands of earlier
 * steps may have had a hand in it.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Entry } from "./action/entry.ts";
import { heldTokens } from "./action/input/secrets.ts";
import { runMain } from "./action/main.ts";
import { RunnerConsole, RunnerFiles } from "./action/runner.ts";
import { Masks } from "./agent/masking/masks.ts";
import { isWithheld } from "./agent/process/environment.ts";
import { FileWriter } from "./file-writer.ts";
import { refuseDebugger, takeEnvironment } from "./private-environment.ts";
import { ProxyError, useProxies } from "./proxy.ts";

const STDOUT = 1;
const here = dirname(fileURLToPath(import.meta.url));
const bundled = join(here, "cli", "index.js");

const isPost = /^post\.[jt]s$/u.test(basename(process.argv[1] ?? ""));
refuseDebugger();
const { env, trouble } = takeEnvironment(process.env, isWithheld);
const masks = new Masks();
for (const token of heldTokens(env)) masks.hold(token);
const masked = (text: string): string => masks.text(text);
const output = new FileWriter(STDOUT, (error) => {
  // As of an error of the stream that nobody listens to: whoever ran us does not any more.
  process.nextTick(() => {
    throw error;
  });
});
const runnerConsole = new RunnerConsole((text) => output.write(text), masked);
const entry: Entry = {
  env,
  console: runnerConsole,
  masks,
  files: new RunnerFiles(env, (text) => runnerConsole.text(`⚠ ${text}`), masked),
  pace: { now: Date.now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
  workspace: process.cwd(),
  temporary: tmpdir(),
  commandLine: [process.execPath, existsSync(bundled) ? bundled : join(here, "cli.ts")],
  exit: (code) => {
    runnerConsole.resume();
    process.exit(code);
  },
};

// Whatever waits for something that cannot come any more leaves nothing to do, and Node ends with 0.
process.once("beforeExit", () => {
  runnerConsole.error("stagewright ended before its work was done, which is a fault of its own");
  process.exit(1);
});

// Not awaited here: a module that waits cannot be joined with others when it is bundled, and the start-up takes a tenth
// longer. `exit` ends the process in either case.
void run();

async function run(): Promise<never> {
  try {
    if (trouble !== null) runnerConsole.text(`⚠ commands can read this step's tokens in /proc: ${trouble}`);
    const proxies = await useProxies(env);
    if (proxies !== null && !isPost) runnerConsole.text(proxies);
    return entry.exit(isPost ? await (await import("./action/post.ts")).runPost(entry) : await runMain(entry));
  } catch (error) {
    if (error instanceof ProxyError) {
      runnerConsole.error(error.message);
      return entry.exit(2);
    }
    // Ours: whatever users can do wrong has been answered before. The trace is for the report of the bug.
    runnerConsole.error(`stagewright failed: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof Error && error.stack !== undefined) runnerConsole.text(error.stack);
    return entry.exit(1);
  }
}
