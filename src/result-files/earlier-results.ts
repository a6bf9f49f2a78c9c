/** Results of earlier runs, read from where a plan's baselines say they are. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Baseline } from "../plan/plan.ts";
import { formatProblem } from "../plan/read.ts";
import { LARGEST_RESULT_BYTES, readResult } from "../report/record/read-result.ts";
import type { Result } from "../report/record/result-schema.ts";

/** Of one folder, the newest. */
const MOST_FILES = 500;

/**
 * Reads each place once, when it is asked for.
 * @param base what paths are relative to
 * @param warn told of each file that could not be read, and of folders with more than are read
 */
export function earlierResults(base: string, warn: (line: string) => void): (baseline: Baseline) => readonly Result[] {
  const known = new Map<string, readonly Result[]>();
  return ({ from }) =>
    from.flatMap((path) => {
      const results = known.get(path) ?? readPlace(resolve(base, path), warn);
      known.set(path, results);
      return results;
    });
}

function readPlace(path: string, warn: (line: string) => void): readonly Result[] {
  try {
    const files = statSync(path).isDirectory() ? newestIn(path, warn) : [path];
    return files.flatMap((file) => readOne(file, warn));
  } catch (error) {
    warn(`baseline: ${messageOf(error)}`);
    return [];
  }
}

function newestIn(folder: string, warn: (line: string) => void): readonly string[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(folder, name))
    .map((file) => ({ file, at: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at || (a.file < b.file ? 1 : -1));
  if (files.length > MOST_FILES)
    warn(`baseline: of the ${files.length} results in ${folder} the newest ${MOST_FILES} are read`);
  return files.slice(0, MOST_FILES).map(({ file }) => file);
}

function readOne(file: string, warn: (line: string) => void): readonly Result[] {
  try {
    const about = statSync(file);
    if (!about.isFile() || about.size > LARGEST_RESULT_BYTES) {
      warn(`baseline: ${file}: is no file of at most ${LARGEST_RESULT_BYTES / 1_048_576} MiB`);
      return [];
    }
    const { result, problems } = readResult(readFileSync(file), file);
    const [problem] = problems;
    if (problem !== undefined) warn(`baseline: ${formatProblem(problem)}`);
    return result === null ? [] : [result];
  } catch (error) {
    warn(`baseline: ${messageOf(error)}`);
    return [];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
