/**
 * Builds what is shipped: dist/index.js (the action) and dist/cli/index.js (the command), with their chunks and the
 * licences of what is in them. The same source gives the same bytes, wherever it lies.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { minify } from "terser";
import { z } from "zod";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds both bundles into `target`, replacing what is there. Throws with the tool's own words when one fails. */
export async function buildInto(target: string): Promise<void> {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const work = mkdtempSync(join(ROOT, "build", "work-"));
  try {
    const compiled = join(work, "js");
    await run("typescript/bin/tsc", ["-p", "tsconfig.build.json", "--outDir", compiled], ROOT);
    // Bundled as modules, though this folder lies beside no package.json that says so.
    writeFileSync(join(compiled, "package.json"), '{"type":"module"}\n');
    // Apart from each other: in one folder two bundles would overwrite each other's numbered chunks.
    const [action, command] = await Promise.all([bundle(work, "action"), bundle(work, "cli")]);
    makeExecutable(join(command, "index.js"));
    renameSync(command, join(action, "cli"));
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(action, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Bundles one entry; returns the folder with index.js, its chunks, package.json and licenses.txt. */
async function bundle(work: string, entry: "action" | "cli"): Promise<string> {
  const out = join(work, `bundle-${entry}`);
  const stats = join(work, `stats-${entry}.json`);
  if (!existsSync(join(work, "js", `${entry}.js`))) throw new Error(`src/${entry}.ts is missing`);
  // Run in `work`, whose name is random: chunks are numbered by their modules' paths from here.
  await run(
    "@vercel/ncc/dist/ncc/cli.js",
    ["build", `js/${entry}.js`, "-o", out, "-m", "--no-cache", "--target", "es2022", "--stats-out", stats],
    work,
  );
  for (const file of readdirSync(out)) {
    if (/^\d+\.index\.js$/u.test(file)) await minified(join(out, file));
  }
  writeFileSync(join(out, "licenses.txt"), licences(stats));
  return out;
}

/** ncc minifies only the main file. */
async function minified(file: string): Promise<void> {
  const { code } = await minify(readFileSync(file, "utf8"), { module: true, format: { comments: false } });
  if (code === undefined) throw new Error(`terser returned nothing for ${file}`);
  writeFileSync(file, `${code}\n`);
}

function makeExecutable(file: string): void {
  const code = readFileSync(file, "utf8");
  if (!code.startsWith("#!")) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

interface Module {
  readonly name?: string | null | undefined;
  readonly modules?: readonly Module[] | undefined;
}
const moduleSchema: z.ZodType<Module> = z.object({
  name: z.string().nullish(),
  get modules() {
    return z.array(moduleSchema).optional();
  },
});
const statsSchema = z.object({ modules: z.array(moduleSchema) });
const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/** Name, version, licence and its text of every package that is in a bundle. */
function licences(statsFile: string): string {
  const folders = new Set<string>();
  const visit = (module: Module): void => {
    const path = /node_modules\/.*$/u.exec(module.name ?? "")?.[0] ?? "";
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/ ]+/u.exec(path)?.[0];
    if (folder !== undefined) folders.add(folder);
    module.modules?.forEach(visit);
  };
  statsSchema.parse(JSON.parse(readFileSync(statsFile, "utf8"))).modules.forEach(visit);
  const entries = [...folders].map((folder) => {
    const path = join(ROOT, folder);
    const { name, version, license } = packageSchema.parse(
      JSON.parse(readFileSync(join(path, "package.json"), "utf8")),
    );
    const files = readdirSync(path).filter((file) => /^(?:licen[cs]e|copying|notice)/iu.test(file));
    const texts = files.sort().map((file) => readFileSync(join(path, file), "utf8").trim().replaceAll("\r\n", "\n"));
    return `${name} ${version} (${license ?? "see its text"})\n\n${texts.join("\n\n")}`.trimEnd();
  });
  return `${[...new Set(entries)].sort().join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

const execute = promisify(execFile);

/** Runs a package's program with this Node. */
async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await execute(process.execPath, [join(ROOT, "node_modules", program), ...args], {
      cwd,
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const said = outputSchema.safeParse(error);
    const words = said.success ? `${said.data.stdout}${said.data.stderr}`.trim() : String(error);
    throw new Error(`${program} failed:\n${words}`, { cause: error });
  }
}

const outputSchema = z.object({ stdout: z.string(), stderr: z.string() });

if (import.meta.main) {
  const started = performance.now();
  const target = process.argv[2] ?? join(ROOT, "dist");
  try {
    await buildInto(target);
    console.log(`built ${target} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
