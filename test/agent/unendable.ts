/** Processes that this user may not end, as under sudo: for tests that run as root, their programs as nobody. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const NOBODY = { uid: 65_534, gid: 65_534 } as const;

/**
 * Where this machine allows it, a command prefix that runs what follows as root, whoever calls it; else null. It lies in
 * a directory of its own, which `remove` removes.
 */
export function rootPrefix(): { readonly prefix: string; remove(): void } | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return null;
  const directory = mkdtempSync(join(tmpdir(), "unendable-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const program = join(directory, "as-root");
  try {
    copyFileSync("/usr/bin/setpriv", program);
    chmodSync(directory, 0o755);
    chmodSync(program, 0o4755);
  } catch {
    remove();
    return null;
  }
  const args = ["--reuid=0", "--regid=0", "--clear-groups"];
  const tried = spawnSync(program, [...args, "id", "-ru"], { ...NOBODY, encoding: "utf8" });
  if (tried.stdout?.trim() === "0") return { prefix: [program, ...args].join(" "), remove };
  remove();
  return null;
}
