/** How app/ and src/ may be laid out: what is read in one sitting, and found by its folder's name. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const MOST_FILES = 15;
const MOST_LINES = 350;
/** A file for each thing of one kind, and the list of them: these grow with what a user can say, and with time. */
const COLLECTIONS: ReadonlySet<string> = new Set([
  "app/commands",
  "app/effects/handlers",
  "app/store/migrations",
  "src/lifecycle/actions",
  "src/lifecycle/conditions",
]);
const ROOT_OF_APP = ["app/app.ts", "app/config.ts", "app/main.ts"];
/** Both lists may only become shorter, and their numbers smaller. */
const STILL_FULL: Readonly<Record<string, number>> = {};
const STILL_LONG: Readonly<Record<string, number>> = {};

/** @param files path from the project's root -> lines */
export function layoutProblems(
  files: ReadonlyMap<string, number>,
  { full = STILL_FULL, long = STILL_LONG }: { full?: typeof STILL_FULL; long?: typeof STILL_LONG } = {},
): readonly string[] {
  const folders = new Map<string, number>();
  for (const file of files.keys()) {
    if (!COLLECTIONS.has(dirname(file))) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
  }
  return [
    ...tooMuch(files, MOST_LINES, long, "lines; divide it by what it is about"),
    ...tooMuch(folders, MOST_FILES, full, "files; give it subfolders by subject"),
    ...[...files.keys()].flatMap((file) =>
      dirname(file) === "app" && !ROOT_OF_APP.includes(file)
        ? [`${file}: the root of app/ holds only ${ROOT_OF_APP.join(", ")}: put it into the folder of its subject`]
        : [],
    ),
    // biome.jsonc tells by the depth what a pure room imports.
    ...[...files.keys()].flatMap((file) =>
      /^src\/(?:plan|run|lifecycle|report)\/[^/]+\/[^/]+\//u.test(file)
        ? [`${file}: a pure room has one level of folders`]
        : [],
    ),
  ];
}

function tooMuch(
  counts: ReadonlyMap<string, number>,
  most: number,
  still: Readonly<Record<string, number>>,
  what: string,
): readonly string[] {
  return [...new Set([...counts.keys(), ...Object.keys(still)])].sort().flatMap((name) => {
    const count = counts.get(name) ?? 0;
    const allowed = still[name] ?? most;
    if (count > allowed) return [`${name}: ${count} of at most ${allowed} ${what}`];
    return name in still && count <= most ? [`scripts/layout.ts: ${name} needs no exception any more`] : [];
  });
}

/** All code files below `root`'s app/ and src/, with their lines. */
export function filesOf(root: string): ReadonlyMap<string, number> {
  const files = globSync(["{app,src}/**/*.{ts,cjs}"], { cwd: root }).map((file) => file.replaceAll("\\", "/"));
  return new Map(files.sort().map((file) => [file, readFileSync(join(root, file), "utf8").split("\n").length - 1]));
}
