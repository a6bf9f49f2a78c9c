/** Reads users' files, bounded, with errors that say what is wrong with them. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { LARGEST_FILE_BYTES } from "../plan/parsing/source.ts";
import type { Plan } from "../plan/plan.ts";
import { formatProblem, type ReadPlan, readPlan } from "../plan/read.ts";
import { UsageError } from "./exit.ts";

/**
 * A file's bytes: at most one more than `most`, so that its reader can tell it is too large.
 * @throws UsageError when it cannot be read
 */
export function readBounded(file: string, most: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw new UsageError(`${file}: ${openError(error)}`);
  }
  try {
    if (fstatSync(descriptor).isDirectory()) throw new UsageError(`${file}: is a directory, expected a file`);
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file}: could not be read: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    closeSync(descriptor);
  }
}

/** A plan and what is wrong with it. @throws UsageError when the file cannot be read */
export function readPlanFile(file: string, params: Readonly<Record<string, string>>): ReadPlan {
  return readPlan(readBounded(file, LARGEST_FILE_BYTES), file, { params });
}

/** A plan without errors; warnings go to `warn`. @throws UsageError with every problem of the file */
export function loadPlan(
  file: string,
  params: Readonly<Record<string, string>>,
  warn: (line: string) => void,
): { readonly plan: Plan; readonly keys: ReadPlan["keys"] } {
  const { plan, problems, keys } = readPlanFile(file, params);
  if (plan === null) throw new UsageError(...problems.map(formatProblem));
  for (const problem of problems) warn(formatProblem(problem));
  return { plan, keys };
}

function openError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "may not be read by this user";
    case "ENOTDIR":
      return "there is no such file (a part of its path is not a directory)";
    case "ENAMETOOLONG":
      return "there is no such file (the name is too long)";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
