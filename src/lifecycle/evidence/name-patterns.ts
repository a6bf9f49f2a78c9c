/**
 * Patterns of names that others give, of labels and of checks: `*` stands for any text, also for none and for slashes,
 * `\*` for itself, and nothing else is special, since checks are called `build (ubuntu, 18)` and labels `[bug]`.
 * Every text is a pattern that can be read.
 */

/** Whether it may stand for more than one name. */
export function isPattern(pattern: string): boolean {
  return piecesOf(pattern).length > 1;
}

/** The one name that it stands for, where it is no pattern. */
export function literalName(pattern: string): string {
  return piecesOf(pattern).join("*");
}

/** A function that says whether the pattern stands for a name. Its time grows as pattern and name do. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const [first = "", ...rest] = piecesOf(pattern);
  const last = rest.pop();
  if (last === undefined) {
    return (name) => name === first;
  }
  return (name) => {
    if (!name.startsWith(first)) {
      return false;
    }
    let from = first.length;
    for (const piece of rest) {
      const at = name.indexOf(piece, from);
      if (at < 0) {
        return false;
      }
      from = at + piece.length;
    }
    return name.length - last.length >= from && name.endsWith(last);
  };
}

/** The same for labels, whose names GitHub does not tell apart by case. */
export function labelMatcher(pattern: string): (label: string) => boolean {
  const matches = nameMatcher(pattern.toLowerCase());
  return (label) => matches(label.toLowerCase());
}

/** What stands between the wildcards, as it is meant. */
function piecesOf(pattern: string): string[] {
  const pieces = [""];
  let at = 0;
  for (let found = pattern.indexOf("*"); found >= 0; found = pattern.indexOf("*", at)) {
    const itself = found > at && pattern[found - 1] === "\\";
    pieces[pieces.length - 1] += itself ? `${pattern.slice(at, found - 1)}*` : pattern.slice(at, found);
    if (!itself) {
      pieces.push("");
    }
    at = found + 1;
  }
  pieces[pieces.length - 1] += pattern.slice(at);
  return pieces;
}
