/**
 * Exported names are unique, so that a search for one finds one thing. The sandbox is a program of its own: there
 * GitHub's names mean GitHub's things.
 */
import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const EXPORTED =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (?<name>\w+)/gmu;

/** Modules by the names that they export, of those that several do. */
function doubled(modules: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, Set<string>>();
  for (const path of modules) {
    for (const { groups } of readFileSync(path, "utf8").matchAll(EXPORTED)) {
      const name = groups?.name ?? "";
      byName.set(name, (byName.get(name) ?? new Set()).add(path));
    }
  }
  return new Map([...byName].filter(([, paths]) => paths.size > 1).map(([name, paths]) => [name, [...paths]]));
}

const isSandbox = (path: string): boolean => path.startsWith("src/sandbox/");
const modules = globSync(["src/**/*.ts", "app/**/*.ts"]).sort();

/** Those that mean the same. None is to be added; those that are gone are to be taken out. */
const KNOWN = {
  // Each migration exports one of its own.
  program: new Set(["migration"]),
  sandbox: new Set<string>([]),
};

it.each([
  ["program", modules.filter((path) => !isSandbox(path)), KNOWN.program],
  ["sandbox", modules.filter(isSandbox), KNOWN.sandbox],
] as const)("no further name is exported by several modules of the %s", (_, files, known) => {
  const found = doubled(files);
  expect([...found].filter(([name]) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => !found.has(name))).toEqual([]);
});
