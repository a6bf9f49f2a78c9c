/** `stagewright db`: the app's own program for its database, which is started as it is: it lies beside the app. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve, sep } from "node:path";
import { EXIT, type ExitCode, UsageError } from "./exit.ts";

/** From src/cli and from dist/cli alike. */
const PROGRAM = resolve(import.meta.dirname, "../../app/backup/db.ts");

/** @throws UsageError where the app is not */
export async function db(words: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  // Node runs no TypeScript below node_modules, so the app does not run there either.
  if (!existsSync(PROGRAM) || PROGRAM.includes(`${sep}node_modules${sep}`)) {
    throw new UsageError("stagewright db runs where the app runs: in its checkout or its image");
  }
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: "inherit", env });
  const [code] = await once(child, "exit");
  return code === EXIT.success || code === EXIT.usage ? code : EXIT.failure;
}
