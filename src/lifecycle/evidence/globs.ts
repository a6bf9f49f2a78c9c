/**
 * Globs over paths and branches: `*` and `?` within a segment, `**` across segments, `[a-z]`, `{a,b}`. Names of files
 * come from outside and matching by backtracking (as regular expressions do) can be made to take for ever; here all
 * ways are followed at once, so a match costs at most the length of the name times that of the glob.
 */

type Token =
  /** `text`: where it is this one character alone. */
  | { readonly kind: "character"; readonly is: (character: string) => boolean; readonly text?: string }
  /** Any number of characters but the slash; `across`: the slash, too. */
  | { readonly kind: "many"; readonly across: boolean; readonly text?: never }
  /** Any number of whole directories: before the first character, or after a slash. */
  | { readonly kind: "directories"; readonly text?: never };

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

/** A function that says whether any of the globs matches the whole of a path or branch; one for each list. */
export function matcher(globs: readonly string[]): (path: string) => boolean {
  const known = MATCHERS.get(globs);
  if (known !== undefined) {
    return known;
  }
  const compiled = globs.flatMap((glob) => (expandBraces(glob) ?? []).map(globMatcher));
  const matches = (path: string): boolean => compiled.some((one) => one(path));
  MATCHERS.set(globs, matches);
  return matches;
}

/** A policy's lists stay the same objects, and are asked about at each event. */
const MATCHERS = new WeakMap<readonly string[], (path: string) => boolean>();

/** What a name has to begin and end with is compared first: of most names nothing more is looked at. */
function globMatcher(glob: string): (path: string) => boolean {
  const tokens = compile(glob);
  const isPlain = ({ kind, text = "" }: Token): boolean => kind === "character" && /^[^\uD800-\uDFFF]$/.test(text);
  const firstOther = tokens.findIndex((token) => !isPlain(token));
  if (firstOther < 0) {
    const name = textOf(tokens);
    return (path) => path === name;
  }
  const lastOther = tokens.findLastIndex((token) => !isPlain(token));
  const [first, last] = [textOf(tokens.slice(0, firstOther)), textOf(tokens.slice(lastOther + 1))];
  const between = tokens.slice(firstOther, lastOther + 1);
  const [only] = between;
  const anything = between.length === 1 && only?.kind === "many" && only.across;
  const matches = follow(between);
  return (path) =>
    path.length >= first.length + last.length &&
    path.startsWith(first) &&
    path.endsWith(last) &&
    (anything || matches(path.slice(first.length, path.length - last.length)));
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ text = "" }) => text).join("");
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
      tokens.push({ kind: "character", is: (character) => character === plain, text: plain ?? "" });
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

/** Positions in a glob that some characters can have led to; `inside`: in the midst of a directory's name. */
interface State {
  readonly here: ReadonlySet<number>;
  readonly inside: ReadonlySet<number>;
  /** By the next character, as far as it was met. */
  readonly next: Map<string, State>;
}

/** Steps that are remembered of one glob: of ordinary names there are some hundreds. */
const MOST_STEPS = 4_096;

/**
 * Follows every way at once. Steps that were taken once are looked up, as names have much in common; a new one costs at
 * most the length of the glob.
 */
function follow(tokens: readonly Token[]): (path: string) => boolean {
  const start: State = { here: close(tokens, new Set([0])), inside: new Set(), next: new Map() };
  const states = new Map([[keyOf(start), start]]);
  let steps = 0;
  const take = (state: State, character: string): State => {
    if (steps >= MOST_STEPS) {
      states.clear();
      states.set(keyOf(start), start);
      start.next.clear();
      steps = 0;
    }
    steps += 1;
    const reached = advance(tokens, state, character);
    const known = states.get(keyOf(reached)) ?? reached;
    states.set(keyOf(known), known);
    state.next.set(character, known);
    return known;
  };
  return (path) => {
    let state = start;
    for (const character of path) {
      state = state.next.get(character) ?? take(state, character);
      if (state.here.size === 0 && state.inside.size === 0) {
        return false;
      }
    }
    return state.here.has(tokens.length);
  };
}

function keyOf({ here, inside }: State): string {
  const list = (positions: ReadonlySet<number>): string => [...positions].sort((a, b) => a - b).join(" ");
  return `${list(here)}/${list(inside)}`;
}

function advance(tokens: readonly Token[], { here, inside }: State, character: string): State {
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
  return { here: close(tokens, next), inside: nextInside, next: new Map() };
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
