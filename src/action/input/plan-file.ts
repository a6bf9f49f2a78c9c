/** Finds, bounds and reads the plan file. */
import { readFileSync, type Stats, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Problem } from "../../plan/plan.ts";
import { type ReadPlan, readPlan } from "../../plan/read.ts";
import { repositoryPath } from "../../report/annotations.ts";

/** Larger files are refused before anything reads them. */
const MOST_BYTES = 1024 * 1024;

export interface PlanFile extends ReadPlan {
  /** Relative to the workspace where it lies inside: what annotations name. */
  readonly file: string;
  readonly bytes: Buffer;
}

/** Reads the plan at `path` (relative to `workspace`). What is wrong is in `problems`, a missing file too. */
export function readPlanInput(path: string, workspace: string, params: Readonly<Record<string, string>>): PlanFile {
  const absolute = resolve(workspace, path);
  const file = repositoryPath(absolute, workspace) ?? basename(absolute);
  const refused = (message: string): PlanFile => {
    const problem: Problem = { severity: "error", file, line: 1, column: 1, message };
    return { plan: null, problems: [problem], keys: {}, file, bytes: Buffer.alloc(0) };
  };
  let stats: Stats;
  let bytes: Buffer;
  try {
    stats = statSync(absolute);
    if (stats.isDirectory()) return refused("this is a directory, expected a plan file");
    if (!stats.isFile()) return refused("this is not a regular file, expected a plan file");
    if (stats.size > MOST_BYTES) return refused(`the file has ${stats.size} bytes, expected at most ${MOST_BYTES}`);
    bytes = readFileSync(absolute);
  } catch (error) {
    return refused(why(error, path));
  }
  return { ...readPlan(bytes, file, { params }), file, bytes };
}

function why(error: unknown, path: string): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return `there is no file ${JSON.stringify(path)} in the workspace; is it checked out?`;
  if (code === "EACCES") return `the file ${JSON.stringify(path)} may not be read`;
  return error instanceof Error ? error.message : String(error);
}
