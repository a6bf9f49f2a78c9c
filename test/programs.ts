/**
 * The tests start some hundred processes of the same few programs, and most of the time of each went into finding and
 * reading its modules, one by one. They are bundled from the source once, as it is when the tests begin.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "rolldown";

const PROGRAMS = [
  "src/cli.ts",
  "src/action.ts",
  "src/post.ts",
  "app/main.ts",
  "app/backup/db.ts",
  "app/demo/start.ts",
] as const;
const ROOT = dirname(import.meta.dirname);
const FOLDER = "STAGEWRIGHT_TEST_PROGRAMS";

/** The file to start: the bundle; the source where nobody bundled it (a bench, a run of the simulation). */
export function program(source: (typeof PROGRAMS)[number]): string {
  const folder = process.env[FOLDER];
  return folder === undefined ? resolve(ROOT, source) : join(folder, source.replace(/\.ts$/u, ".js"));
}

/** For processes that are given an environment of their own, and start them. */
export function bundledPrograms(): Readonly<Record<string, string>> {
  const folder = process.env[FOLDER];
  return folder === undefined ? {} : { [FOLDER]: folder };
}

/** What a module finds beside itself stays beside its source. */
const whereTheSourceIs: Plugin = {
  name: "where-the-source-is",
  transform: {
    filter: { id: /\.ts$/u, code: /import\.meta\.(?:url|dirname)\b/u },
    handler: (code, id) =>
      code
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(id))),
  },
};

/** Called once for each of vitest's projects, which share one folder. */
export default async function bundlePrograms(): Promise<() => void> {
  if (process.env[FOLDER] !== undefined) return () => undefined;
  const { rolldown } = await import("rolldown");
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build", "test-programs-"));
  // Some tests start them as somebody else.
  chmodSync(folder, 0o755);
  process.env[FOLDER] = folder;
  const bundle = await rolldown({
    input: Object.fromEntries(PROGRAMS.map((source) => [source.replace(/\.ts$/u, ""), join(ROOT, source)])),
    platform: "node",
    // It reads its schema from beside itself.
    external: ["@octokit/graphql-schema"],
    plugins: [whereTheSourceIs],
    onLog: (level, log, fallback) => {
      // hdr-histogram-js hides its `require` from bundlers in an eval.
      if (log.code !== "EVAL") fallback(level === "warn" ? "error" : level, log);
    },
  });
  await bundle.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
  });
  await bundle.close();
  return () => rmSync(folder, { recursive: true, force: true });
}
