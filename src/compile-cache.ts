/** Keeps compiled code between starts of the command: a third of its start-up. */
import { mkdirSync, statSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Keeps it in a folder that only this user can write to: what lies there is run. Node's own default is a name in the
 * shared temporary directory that anybody can make first. Where there is no such folder nothing is kept.
 */
export function keepCompiledCode(env: Readonly<Record<string, string | undefined>>): void {
  // Not in Node before 22.8.
  if (module.enableCompileCache === undefined) return;
  try {
    const cache = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : join(homedir(), ".cache");
    const folder = join(cache, "stagewright", "compiled");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    const othersMayWrite = (mode & 0o022) !== 0;
    if (uid === process.getuid?.() && !othersMayWrite) module.enableCompileCache(folder);
  } catch {
    // No home, or one that cannot be written to: the command starts a little slower.
  }
}
