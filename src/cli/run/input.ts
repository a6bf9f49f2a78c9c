/** `--input-file`: what a run's commands are given to work on. They read it as JSON, whatever it was written in. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoTemporaryFiles } from "../../agent/process/directory.ts";
import { Problems } from "../../plan/parsing/problems.ts";
import { LARGEST_FILE_BYTES, readSource } from "../../plan/parsing/source.ts";
import { formatProblem } from "../../plan/read.ts";
import { UsageError } from "../exit.ts";
import { readBounded } from "../files.ts";

const EXPECTED = 'an input such as {"prompt": …, "tasks": […]}';
/** As `--input-file`. */
export const STANDARD_INPUT = "-";

/** The input as JSON. @throws UsageError with all that is wrong with it, each at its place */
export function readInput(file: string): string {
  const isStandard = file === STANDARD_INPUT;
  if (isStandard && process.stdin.isTTY) throw new UsageError("--input-file -: standard input is a terminal");
  const bytes = readBounded(isStandard ? "/dev/stdin" : file, LARGEST_FILE_BYTES);
  const problems = new Problems(isStandard ? "standard input" : file);
  const source = readSource(bytes, problems, EXPECTED);
  if (source === null || problems.hasErrors) throw new UsageError(...problems.list().map(formatProblem));
  return `${JSON.stringify(source.value)}\n`;
}

/**
 * Writes it where agents of this machine find it (`STAGEWRIGHT_INPUT` in `env`), readable for this user alone. That of a
 * run around this one is not passed on.
 */
export function giveInput(json: string | null, env: NodeJS.ProcessEnv): { readonly remove: () => void } | null {
  delete env.STAGEWRIGHT_INPUT;
  if (json === null) return null;
  const parent = env.RUNNER_TEMP ?? tmpdir();
  let folder: string;
  try {
    folder = mkdtempSync(join(parent, "stagewright-input-"));
    const path = join(folder, "input.json");
    writeFileSync(path, json, { mode: 0o600 });
    env.STAGEWRIGHT_INPUT = path;
  } catch (error) {
    throw new NoTemporaryFiles(parent, env, error);
  }
  return { remove: () => rmSync(folder, { recursive: true, force: true }) };
}
