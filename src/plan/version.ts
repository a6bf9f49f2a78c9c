/** Versions, as numbers with dots between them. */
import { comparesAs } from "./comparison.ts";
import type { VersionBound } from "./plan.ts";

/** The first thing in a text that looks like a version: `fio-3.35` -> [3, 35]; null: there is none. */
export function versionIn(text: string): readonly number[] | null {
  const found = /[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}/.exec(text);
  return found === null ? null : found[0].split(".").map(Number);
}

/** Whether a version is as it should be. What it does not say counts as 0: 3 is 3.0. */
export function isVersion(found: readonly number[], { comparison, numbers }: VersionBound): boolean {
  return comparesAs(compareVersions(found, numbers), comparison, 0);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
