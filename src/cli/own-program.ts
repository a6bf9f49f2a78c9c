/**
 * `stagewright db`, `stagewright sandbox`: programs of their own, started as they are where they lie. The app's is of no use
 * without the app, and the sandbox is larger than all else that is delivered.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve, sep } from "node:path";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";

/** From src/cli and from dist/cli alike. */
const ROOT = resolve(import.meta.dirname, "../..");

/** The app's program for its database. @throws UsageError where the app is not */
export async function db(words: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const where = "stagewright db runs where the app runs: in its checkout or its image";
  const child = spawn(process.execPath, [programAt("app/backup/db.ts", where), ...words], { stdio: "inherit", env });
  return await codeOf(child);
}

/** The stand-in for GitHub: ends when this process does, however that ended. @throws UsageError where it cannot run */
export async function sandbox(words: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const where =
    "stagewright sandbox runs in a checkout of its repository (npm ci, then npx stagewright sandbox): installed as a package it cannot be started";
  const child = spawn(process.execPath, [programAt("src/sandbox/main.ts", where), ...words], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env,
  });
  let isInterrupted = false;
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const handler = (): void => {
      isInterrupted ||= signal === "SIGINT";
      if (child.connected) child.disconnect();
    };
    process.on(signal, handler);
    return () => process.removeListener(signal, handler);
  });
  try {
    const code = await codeOf(child);
    return isInterrupted ? EXIT.interrupted : code;
  } finally {
    for (const remove of handlers) remove();
  }
}

function programAt(path: string, where: string): string {
  const program = resolve(ROOT, path);
  // Node runs no TypeScript below node_modules.
  if (!existsSync(program) || program.includes(`${sep}node_modules${sep}`)) throw new UsageError(where);
  return program;
}

async function codeOf(child: ChildProcess): Promise<ExitCode> {
  const [code] = await once(child, "exit");
  return code === EXIT.success || code === EXIT.usage ? code : EXIT.failure;
}
