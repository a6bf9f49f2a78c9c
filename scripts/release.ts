/**
 * `node scripts/release.ts v1.2.3 [--notes]`: exits with 1 unless the tag is the version of package.json and CHANGELOG.md has a
 * section for it; with `--notes` prints that section.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TAG = /^v(?<version>\d+\.\d+\.\d+)$/u;

export interface ReleaseFiles {
  readonly packageJson: string;
  readonly changelog: string;
}

/** What CHANGELOG says of this version; null: it has no section for it. */
export function notesOf(version: string, changelog: string): string | null {
  const sections = changelog.split(/^## /mu).slice(1);
  const found = sections.find((section) => section.split(/[\s(]/u, 1)[0] === version);
  return found === undefined ? null : found.slice(found.indexOf("\n") + 1).trim();
}

/** Lines that say why this tag cannot be released; none: it can. */
export function releaseProblems(tag: string, { packageJson, changelog }: ReleaseFiles): readonly string[] {
  const version = TAG.exec(tag)?.groups?.version;
  if (version === undefined) {
    return [`${tag} is no tag of a release: expected v1.2.3`];
  }
  const { version: own } = JSON.parse(packageJson) as { readonly version: string };
  const notes = notesOf(version, changelog);
  return [
    ...(own === version ? [] : [`the tag is ${tag}, package.json says ${own}`]),
    ...(notes === null ? [`CHANGELOG.md has no section "## ${version}"`] : []),
    ...(notes === "" ? [`the section of ${version} in CHANGELOG.md is empty`] : []),
  ];
}

/** Versions of ours that a text names, as a package, an action or an image. */
export function versionsNamed(text: string): readonly string[] {
  return [...text.matchAll(/\bstagewright(?:@|:)v?(?<version>\d+(?:\.\d+){0,2})\b/gu)].map(
    (match) => match.groups?.version ?? "",
  );
}

/** Those of which there is no release: neither package.json nor a section of CHANGELOG has them. */
export function unknownVersions(text: string, { packageJson, changelog }: ReleaseFiles): readonly string[] {
  const { version: own } = JSON.parse(packageJson) as { readonly version: string };
  const known = [
    own,
    ...[...changelog.matchAll(/^## (?<version>\d+\.\d+\.\d+)\b/gmu)].map((m) => m.groups?.version ?? ""),
  ];
  return versionsNamed(text).filter((named) => !known.some((each) => `${each}.`.startsWith(`${named}.`)));
}

function main(): void {
  const [tag = "", flag] = process.argv.slice(2);
  const read = (file: string) => readFileSync(join(import.meta.dirname, "..", file), "utf8");
  const files = { packageJson: read("package.json"), changelog: read("CHANGELOG.md") };
  const problems = releaseProblems(tag, files);
  for (const problem of problems) console.error(problem);
  if (problems.length === 0 && flag === "--notes") console.log(notesOf(tag.slice(1), files.changelog));
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
