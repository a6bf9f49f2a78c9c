/**
 * Builds what is shipped: dist/index.js (the action) and dist/cli/index.js (the command), with their chunks and the
 * licences of what is in them. The same source gives the same bytes, wherever it lies.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is bundled, and where to. Two bundles in one folder would overwrite each other's numbered chunks. */
const BUNDLES = [
  { entry: "action.js", folder: "." },
  { entry: "cli.js", folder: "cli" },
] as const;

/** Builds both bundles into `target`, replacing what is there. Throws with the tool's own words when one fails. */
export function buildInto(target: string): void {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const work = mkdtempSync(join(ROOT, "build", "work-"));
  try {
    const compiled = join(work, "js");
    run("typescript/bin/tsc", ["-p", "tsconfig.build.json", "--outDir", compiled]);
    // Bundled as modules, though this folder lies beside no package.json that says so.
    writeFileSync(join(compiled, "package.json"), '{"type":"module"}\n');
    const out = join(work, "dist");
    for (const { entry, folder } of BUNDLES) {
      const input = join(compiled, entry);
      if (!existsSync(input)) throw new Error(`src/${entry.replace(".js", ".ts")} is missing`);
      const made = join(work, `bundle-${entry}`);
      run("@vercel/ncc/dist/ncc/cli.js", ["build", input, "-o", made, "-m", "--no-cache", "--license", "licenses.txt"]);
      if (folder === ".") renameSync(made, out);
      else renameSync(made, join(out, folder));
    }
    const command = join(out, "cli", "index.js");
    const code = readFileSync(command, "utf8");
    if (!code.startsWith("#!")) writeFileSync(command, `#!/usr/bin/env node\n${code}`);
    chmodSync(command, 0o755);
    rmSync(target, { recursive: true, force: true });
    renameSync(out, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Runs a package's program with this Node. */
function run(program: string, args: readonly string[]): void {
  const done = spawnSync(process.execPath, [join(ROOT, "node_modules", program), ...args], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (done.status !== 0) {
    throw new Error(`${program} failed (${done.status ?? done.signal}):\n${done.stdout}${done.stderr}`.trimEnd());
  }
}

if (import.meta.main) {
  const started = performance.now();
  const target = process.argv[2] ?? join(ROOT, "dist");
  try {
    buildInto(target);
    console.log(`built ${target} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
