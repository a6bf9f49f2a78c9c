/**
 * The tests start some hundred processes of the same few programs: what Node has compiled for one is kept for the next,
 * as long as the tests run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Called once for each of vitest's projects, which share one folder. */
export default function keepCompiledCode(): () => void {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), "stagewright-compiled-"));
  process.env.NODE_COMPILE_CACHE = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** For processes that are given an environment of their own. */
export const COMPILE_CACHE: Readonly<Record<string, string>> =
  process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
