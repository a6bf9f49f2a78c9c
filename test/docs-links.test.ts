/** What a page refers to is there, and so is the heading. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const PAGES = globSync(["*.md", "docs/**/*.md", "deploy/**/*.md", "examples/**/*.md"]);

/** Names that GitHub gives the headings of a page. */
function anchorsOf(file: string): ReadonlySet<string> {
  const text = readFileSync(file, "utf8").replaceAll(/^```[\s\S]*?^```/gmu, "");
  const headings = [...text.matchAll(/^#{1,6} (?<heading>.+)$/gmu)].map((match) => match.groups?.heading ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

it.each(PAGES)("%s refers to nothing that is not there", (page) => {
  const text = readFileSync(page, "utf8").replaceAll(/^```[\s\S]*?^```/gmu, "");
  const missing = [...text.matchAll(/\]\((?<target>[^()\s]+)\)/gu)].flatMap(({ groups }) => {
    const [path = "", anchor] = (groups?.target ?? "").split("#", 2);
    if (/^[a-z]+:/u.test(path)) return [];
    const file = path === "" ? page : join(dirname(page), path);
    const found = existsSync(file) && (anchor === undefined || !file.endsWith(".md") || anchorsOf(file).has(anchor));
    return found ? [] : [groups?.target];
  });
  expect(missing).toEqual([]);
});
