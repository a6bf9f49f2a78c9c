/** Orders ids of GitHub's, which are kept as text: its younger things have larger ones. Of digits without leading zeros. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || compareText(a, b);
}

/** Orders keys and names by their characters, the same everywhere: where any order will do that is one. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Null: there are none. */
export function newestId(ids: readonly string[]): string | null {
  return ids.toSorted(compareIds).at(-1) ?? null;
}
