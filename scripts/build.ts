/**
 * Builds what is shipped (docs/decisions/action-0002-what-dist-is.md): dist/index.js (the action; dist/post.js is its post step) and dist/cli/index.js (the
 * command), with their chunks and the licences of what is in them. The same source gives the same bytes, wherever it lies.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type OutputChunk, type Plugin, type PreRenderedChunk, rolldown } from "rolldown";
import { z } from "zod";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds both bundles into `target`, replacing what is there. Throws with the bundler's own words when one fails. */
export async function buildInto(target: string): Promise<void> {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const work = mkdtempSync(join(ROOT, "build", "work-"));
  try {
    // Apart from each other: chunks of one entry alone hold nothing that only the other one needs.
    const packed = await pack(work);
    const [action, command] = await Promise.all([bundle(work, "action", packed), bundle(work, "cli", packed)]);
    makeExecutable(join(command, "index.js"));
    renameSync(command, join(action, "cli"));
    // Its name alone says that it is the post step (src/post.ts).
    writeFileSync(join(action, "post.js"), 'import "./index.js";\n');
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(action, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Bundles one entry; returns the folder with index.js, its chunks, package.json and licenses.txt. */
async function bundle(work: string, entry: "action" | "cli", packed: ReadonlyMap<string, Packed>): Promise<string> {
  const out = join(work, entry);
  const build = await rolldown({
    input: join(ROOT, "src", `${entry}.ts`),
    platform: "node",
    plugins: [builtinsOnUse, asciiOnly],
    resolve: {
      alias: {
        // The ES modules of the same release: Node's condition names CommonJS, of which nothing can be left out.
        yaml: join(ROOT, "node_modules", "yaml", "browser", "index.js"),
        ...Object.fromEntries([...packed].map(([name, { file }]) => [name, file])),
      },
    },
    // Neither says so of itself in a way that is found: importing them does nothing but define.
    treeshake: { moduleSideEffects: (id) => !/\/node_modules\/(?:yaml|zod)\//u.test(id) },
    onLog: (level, log, fallback) => {
      // hdr-histogram-js hides its `require` from bundlers in an eval.
      if (log.code !== "EVAL") fallback(level === "warn" ? "error" : level, log);
    },
  });
  try {
    const { output } = await build.write({
      dir: out,
      format: "esm",
      minify: true,
      entryFileNames: "index.js",
      chunkFileNames: (chunk) => `${placeOf(chunk, packed)}.js`,
      // What several chunks need in few files, not in one each: finding a file costs more than reading it.
      codeSplitting: {
        groups: [{ name: "node", test: /^\0(?:builtin:|rolldown)/u }, ...(entry === "cli" ? [PLANS] : [])],
      },
    });
    // Beside no package.json that says so it would not be read as modules.
    writeFileSync(join(out, "package.json"), '{"type":"module"}\n');
    const chunks = output.filter((file) => file.type === "chunk");
    writeFileSync(join(out, "licenses.txt"), licences(chunks, packed));
    return out;
  } finally {
    await build.close();
  }
}

/** All that most commands need. (The action is one command: what it needs at its start is in index.js.) */
const PLANS = {
  name: "plans",
  test: /\/node_modules\/(?:zod|yaml)\/|\/src\/(?:agent|plan|report|run)\//u,
  minShareCount: 2,
};

/**
 * What a chunk is called: by the place of what it is loaded for, else of the last that it holds, which needs the others.
 * A number, or a digest of what is in it, would be another one with each change, and two branches would collide by that
 * alone.
 */
function placeOf({ facadeModuleId, moduleIds, name }: PreRenderedChunk, packed: ReadonlyMap<string, Packed>): string {
  if (name === PLANS.name) return name;
  const source = `${join(ROOT, "src")}${sep}`;
  const module = facadeModuleId ?? moduleIds.findLast((id) => id.startsWith(source)) ?? moduleIds.at(-1) ?? name;
  const late = [...packed].find(([, { file }]) => file === module)?.[0];
  const place = late ?? packageOf(module) ?? (module.startsWith(source) ? module.slice(source.length) : name);
  return place.replace(/^@|\.ts$/gu, "").replaceAll(/[\\/]/gu, "-");
}

/** The name of the package that a file is of; null: it is of none. */
function packageOf(file: string): string | null {
  return /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/u.exec(file)?.[1] ?? null;
}

/** Packages that are loaded only when something is asked of them, of which nothing can be left out. */
const LATE = ["@actions/cache", "@actions/github", "@octokit/rest", "selfsigned"];

interface Packed {
  /** All that the package is and needs, as one module. */
  readonly file: string;
  /** The packages in it. */
  readonly folders: readonly string[];
}

/** Packs each of those with all that it needs, CommonJS and others' build tricks included, which is what ncc is for. */
async function pack(work: string): Promise<ReadonlyMap<string, Packed>> {
  // From here all paths are the same wherever the project lies: modules are numbered by them.
  const home = dirname(realpathSync(join(ROOT, "node_modules")));
  const packed = await Promise.all(
    LATE.map(async (name) => {
      const out = join(work, "packed", name);
      const stats = join(out, "stats.json");
      mkdirSync(out, { recursive: true });
      const args = ["build", fileURLToPath(import.meta.resolve(name)), "-o", out, "--no-cache", "--target", "es2022"];
      await run("@vercel/ncc/dist/ncc/cli.js", [...args, "--stats-out", stats], home);
      // Where its assets would be: it has none.
      const file = join(out, "index.js");
      writeFileSync(file, readFileSync(file, "utf8").replace(/__nccwpck_require__\.ab = __dirname \+ "\/"/u, ""));
      const folders = packagesIn(readFileSync(stats, "utf8").match(/node_modules\/[^"!|, ]+/gu) ?? []);
      return [name, { file, folders }] as const;
    }),
  );
  return new Map(packed);
}

/** The folders of packages in which these files are. */
function packagesIn(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(file)?.[0] ?? []);
  return [...new Set(folders)];
}

const VIRTUAL = "\0builtin:";

/**
 * Takes Node's own modules by `process.getBuiltinModule`, at the first use of anything in them. An `import` of one loads it at the start,
 * makes a namespace of all that it exports, and with that loads the parts that Node itself loads on use: 25 ms of the
 * start-up in all, of which a plan without commands needs a fifth.
 */
const builtinsOnUse: Plugin = {
  name: "builtins-on-use",
  resolveId: {
    filter: { id: /^node:(?!module$)/u },
    handler: (id, importer, { kind }) =>
      importer?.startsWith(VIRTUAL) === true || kind !== "import-statement" ? null : `${VIRTUAL}${id}`,
  },
  load: {
    filter: { id: /^\0builtin:/u },
    handler: (id) => {
      const name = JSON.stringify(id.slice(VIRTUAL.length));
      return `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule(${name})[key] });`;
    },
  },
};

/**
 * Writes code in ASCII alone: Node keeps a file with any other character in two bytes each, which takes longer to decode
 * and to compile. What is left of others after minifying stands in strings, templates and patterns.
 */
const asciiOnly: Plugin = {
  name: "ascii-only",
  generateBundle: (_options, files) => {
    for (const file of Object.values(files)) {
      if (file.type !== "chunk") continue;
      if (/\\[^\0-\x7f]/u.test(file.code))
        throw new Error(`${file.fileName}: a backslash before a character to escape`);
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }
  },
};

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/** Name, version, licence and its text of every package that is in a bundle. */
function licences(chunks: readonly OutputChunk[], packed: ReadonlyMap<string, Packed>): string {
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  const own = packagesIn(modules.map((module) => relative(ROOT, module).replaceAll("\\", "/")));
  const others = [...packed.values()].filter(({ file }) => modules.includes(file)).flatMap(({ folders }) => folders);
  const folders = new Set([...own, ...others]);
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
const outputSchema = z.object({ stdout: z.string(), stderr: z.string() });

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

function makeExecutable(file: string): void {
  const code = readFileSync(file, "utf8");
  if (!code.startsWith("#!")) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

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
