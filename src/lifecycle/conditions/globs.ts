/** Globs of the policy, as picomatch reads them. Not a condition itself. */
import picomatch from "picomatch";

const OPTIONS = { dot: true, nonegate: true, maxExtglobRecursion: 0 } as const;

/** A function that says whether any of the patterns matches a path or branch. */
export function matcher(patterns: readonly string[]): (path: string) => boolean {
  return picomatch([...patterns], OPTIONS);
}
