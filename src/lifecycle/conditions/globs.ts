/**
 * Globs over paths and branches: `*` and `?` within a segment, `**` across segments, `[a-z]`, `{a,b}`. Names of files
 * come from outside and matching by backtracking (as regular expressions do) can be made to take for ever; here all
 * ways are followed at once, so a match costs at most the length of the name times that of the glob.
 */

type Token =
  | { readonly kind: "character"; readonly is: (character: string) => boolean }
  /** Any number of characters but the slash; `across`: the slash, too. */
  | { readonly kind: "many"; readonly across: boolean }
  /** Any number of whole directories: before the first character, or after a slash. */
  | { readonly kind: "directories" };

/** What one glob with braces may stand for. */
const MOST_ALTERNATIVES = 64;

/** Null: it can be used. Else why not. */
export function globProblem(glob: string): string | null {
  if (/[\\()!]/.test(glob)) {
    return 'expected a glob without parentheses, "!" and "\\"';
  }
  const globs = expandBraces(glob);
  if (globs === null) {
    return `expected a glob whose braces are closed, not nested, and stand for at most ${MOST_ALTERNATIVES} globs`;
  }
  // Of those that the braces stand for: a comma within brackets would tear them apart.
  if (globs.some((each) => /[[\]]/.test(each.replace(SETS, "")))) {
    return "expected a glob whose brackets are closed, not nested, and hold something";
  }
  const backwards = globs
    .flatMap((each) => [...each.matchAll(SETS)].flatMap(([set]) => rangesOf(set.slice(1, -1)).ranges))
    .find(([from, to]) => from > to);
  return backwards === undefined
    ? null
    : `expected a glob whose ranges go upwards, so "${backwards[1]}-${backwards[0]}" for "${backwards[0]}-${backwards[1]}"`;
}

/** What stands in brackets is one character of a set. */
const SETS = /\[\^?[^[\]^][^[\]]*\]/gu;

/** A function that says whether any of the globs matches the whole of a path or branch. */
export function matcher(globs: readonly string[]): (path: string) => boolean {
  const compiled = globs.flatMap((glob) => (expandBraces(glob) ?? []).map(compile));
  return (path) => compiled.some((tokens) => matches(tokens, path));
}

function expandBraces(glob: string): string[] | null {
  if (/[{}]/.test(glob.replace(/\{[^{}]*\}/g, ""))) {
    return null;
  }
  let globs = [""];
  for (const [, before = "", inside] of glob.matchAll(/([^{}]*)(?:\{([^{}]*)\}|$)/g)) {
    const choices = inside?.split(",") ?? [""];
    globs = globs.flatMap((start) => choices.map((choice) => `${start}${before}${choice}`));
    if (globs.length > MOST_ALTERNATIVES) {
      return null;
    }
  }
  return globs;
}

function compile(glob: string): Token[] {
  const tokens: Token[] = [];
  const parts = glob.matchAll(
    /(?<dirs>(?<=^|\/)\*\*\/)|(?<across>\*{2,})|(?<many>\*)|(?<one>\?)|\[(?<set>[^[\]]+)\]|(?<plain>[\s\S])/gu,
  );
  for (const { groups = {} } of parts) {
    const { dirs, across, many, one, set, plain } = groups;
    if (dirs !== undefined) {
      tokens.push({ kind: "directories" });
    } else if (across !== undefined || many !== undefined) {
      tokens.push({ kind: "many", across: across !== undefined });
    } else if (one !== undefined) {
      tokens.push({ kind: "character", is: (character) => character !== "/" });
    } else if (set !== undefined) {
      tokens.push({ kind: "character", is: inSet(set) });
    } else {
      tokens.push({ kind: "character", is: (character) => character === plain });
    }
  }
  return tokens;
}

function inSet(set: string): (character: string) => boolean {
  const { without, ranges } = rangesOf(set);
  return (character) =>
    character !== "/" && ranges.some(([from, to]) => character >= from && character <= to) !== without;
}

function rangesOf(set: string) {
  const without = set.startsWith("^");
  const ranges = [...set.slice(without ? 1 : 0).matchAll(/([\s\S])-([\s\S])|([\s\S])/gu)].map(
    ([, from, to, single = ""]) => [from ?? single, to ?? single] as const,
  );
  return { without, ranges };
}

/** Follows every way at once: the set of positions in the glob that the characters so far can have led to. */
function matches(tokens: readonly Token[], path: string): boolean {
  /** Positions; `inside`: in the midst of a directory's name. */
  let here = close(tokens, new Set([0]));
  let inside = new Set<number>();
  for (const character of path) {
    const next = new Set<number>();
    const nextInside = new Set<number>();
    for (const position of here) {
      const token = tokens[position];
      if (token?.kind === "character" && token.is(character)) {
        next.add(position + 1);
      } else if (token?.kind === "many" && (token.across || character !== "/")) {
        next.add(position);
      } else if (token?.kind === "directories" && character !== "/") {
        nextInside.add(position);
      }
    }
    for (const position of inside) {
      (character === "/" ? next : nextInside).add(position);
    }
    here = close(tokens, next);
    inside = nextInside;
    if (here.size === 0 && inside.size === 0) {
      return false;
    }
  }
  return here.has(tokens.length);
}

/** What may stand for nothing is passed. */
function close(tokens: readonly Token[], positions: Set<number>): Set<number> {
  for (const position of positions) {
    const kind = tokens[position]?.kind;
    if (kind === "many" || kind === "directories") {
      positions.add(position + 1);
    }
  }
  return positions;
}
