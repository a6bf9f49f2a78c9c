/** Results of earlier runs, read from where a plan's baselines say they are. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Baseline } from "../../plan/plan.ts";
import { LARGEST_RESULT_BYTES, readResult } from "../../report/read-result.ts";
import type { Result } from "../../report/result-schema.ts";
import { UsageError } from "../exit.ts";
import { readBounded } from "../files.ts";

/** Of one folder, the newest. */
const MOST_FILES = 500;

/** Reads each place once. `warn`: what could not be read. */
export function recordsIn(warn: (line: string) => void): (baseline: Baseline) => readonly Result[] {
  const known = new Map<string, readonly Result[]>();
  return ({ from }) =>
    from.flatMap((path) => {
      const read = known.get(path) ?? readPlace(path, warn);
      known.set(path, read);
      return read;
    });
}

function readPlace(path: string, warn: (line: string) => void): readonly Result[] {
  try {
    const files = statSync(path).isDirectory() ? filesIn(path, warn) : [path];
    return files.flatMap((file) => readRecord(file, warn));
  } catch (error) {
    warn(`baseline: ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function filesIn(folder: string, warn: (line: string) => void): readonly string[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(folder, name))
    .map((file) => ({ file, at: statSync(file).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  if (files.length > MOST_FILES)
    warn(`baseline: ${folder}: of ${files.length} results the newest ${MOST_FILES} are read`);
  return files.slice(0, MOST_FILES).map(({ file }) => file);
}

function readRecord(file: string, warn: (line: string) => void): readonly Result[] {
  try {
    const { result, problems } = readResult(readBounded(file, LARGEST_RESULT_BYTES), file);
    const [problem] = problems;
    if (problem !== undefined) warn(`baseline: ${file}:${problem.line}:${problem.column}: ${problem.message}`);
    return result === null ? [] : [result];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    for (const line of error.lines) warn(`baseline: ${line}`);
    return [];
  }
}
