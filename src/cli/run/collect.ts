/** Where the files go that stages keep (`collect`). */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { safeFileName } from "../../agent/collect/file-name.ts";
import { KEPT_FOLDER } from "../../agent/collect/find-files.ts";
import type { Plan } from "../../plan/plan.ts";
import { UsageError } from "../exit.ts";

/**
 * `--collect-to`, else a folder of this run's where it was started: absolute; null: the plan keeps none. Nothing is made
 * before there is something to keep. @throws UsageError
 */
export function collectFolder(plan: Plan, given: string | undefined, run: string): string | null {
  if (plan.stages.some(({ collect }) => collect !== undefined)) {
    return given === undefined ? resolve(join(KEPT_FOLDER, safeFileName(run))) : resolve(given);
  }
  if (given === undefined) return null;
  throw new UsageError(`--collect-to ${given}: no stage of the plan says which files it keeps ("collect")`);
}

/** What lies there already would be mixed up with this run's. @throws UsageError */
export function refuseUsedFolder(given: string | undefined): void {
  if (given === undefined) return;
  let found: readonly string[];
  try {
    found = readdirSync(given);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw new UsageError(`--collect-to ${given}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (found.length > 0) throw new UsageError(`--collect-to ${given}: expected a folder that is empty or not there`);
}
