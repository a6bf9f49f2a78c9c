/** What the conditions about changed files share. Not a condition itself. */
import { matcher } from "./globs.ts";

export interface MatchedFiles {
  /** The first that matches; undefined: none does. */
  readonly matching: string | undefined;
  /** The first that does not match; undefined: all do. */
  readonly other: string | undefined;
}

/** Each list of files is matched once against the same globs, however often an event has it evaluated. */
export function firstByGlobs(files: readonly string[], globs: readonly string[]): MatchedFiles {
  const known = MATCHED.get(files) ?? new Map<string, MatchedFiles>();
  MATCHED.set(files, known);
  const key = JSON.stringify(globs);
  const before = known.get(key);
  if (before !== undefined) {
    return before;
  }
  const matches = matcher(globs);
  let [matching, other]: [string | undefined, string | undefined] = [undefined, undefined];
  for (const file of files) {
    if (matches(file)) matching ??= file;
    else other ??= file;
    if (matching !== undefined && other !== undefined) break;
  }
  const found = { matching, other };
  known.set(key, found);
  return found;
}

const MATCHED = new WeakMap<readonly string[], Map<string, MatchedFiles>>();
