/**
 * Many literal texts, found in one pass over a text (Aho and Corasick, 1975): the time depends on the text's length and
 * on that of the literals, never on their product, whatever they are.
 *
 * Literals may come one by one, with texts to look at between them. So that each one does not cost building everything
 * anew, they are kept in groups of doubling size (Bentley and Saxe, 1980): a literal is built into a larger group a
 * logarithmic number of times, and a text is looked at once for each group.
 */

/** A stretch of a text: [start, end). */
export type Span = [start: number, end: number];

/** Characters with a direct entry at the root, where a text without any literal is all the time. */
const DIRECT = 256;

/** The literals of one group. Nodes are numbered by depth, so that the children of one stand side by side, in order. */
class Automaton {
  readonly literals: readonly string[];
  readonly characters: number;
  /** The character that leads to each node. */
  readonly #character: Uint16Array;
  readonly #firstChild: Int32Array;
  readonly #children: Int32Array;
  /** The node of the longest true suffix that some literal begins with. */
  readonly #suffix: Int32Array;
  /** The length of the longest literal that ends here; 0: none does. */
  readonly #longest: Int32Array;
  readonly #direct = new Int32Array(DIRECT);
  /** The first node of each depth. */
  readonly #levels: number[] = [0];

  constructor(literals: readonly string[]) {
    this.literals = literals.toSorted();
    this.characters = literals.reduce((sum, { length }) => sum + length, 0);
    const most = this.characters + 1;
    this.#character = new Uint16Array(most);
    this.#firstChild = new Int32Array(most);
    this.#children = new Int32Array(most);
    this.#suffix = new Int32Array(most);
    this.#longest = new Int32Array(most);
    this.#build();
  }

  /** All literals grow by one character at a time: what a suffix leads to is shallower and so there already. */
  #build(): void {
    let nodes = 1;
    let growing = this.literals.map((literal) => ({ literal, node: 0 }));
    for (let depth = 0; growing.length > 0; depth += 1) {
      this.#levels.push(nodes);
      for (const each of growing) {
        const parent = each.node;
        const character = each.literal.charCodeAt(depth);
        // Sorted: the child that a literal shares with another is the one that was made last.
        const last = nodes - 1;
        const shares =
          at(this.#children, parent) > 0 &&
          at(this.#firstChild, parent) + at(this.#children, parent) - 1 === last &&
          at(this.#character, last) === character;
        if (!shares) {
          if (at(this.#children, parent) === 0) this.#firstChild[parent] = nodes;
          this.#children[parent] = at(this.#children, parent) + 1;
          this.#character[nodes] = character;
          const suffix = depth === 0 ? 0 : this.#step(at(this.#suffix, parent), character);
          this.#suffix[nodes] = suffix;
          this.#longest[nodes] = at(this.#longest, suffix);
          if (depth === 0 && character < DIRECT) this.#direct[character] = nodes;
          nodes += 1;
        }
        each.node = nodes - 1;
        if (each.literal.length === depth + 1) this.#longest[each.node] = depth + 1;
      }
      growing = growing.filter(({ literal }) => literal.length > depth + 1);
    }
  }

  #step(from: number, character: number): number {
    for (let node = from; ; node = at(this.#suffix, node)) {
      const child = node === 0 && character < DIRECT ? at(this.#direct, character) : this.#child(node, character);
      if (child !== 0 || node === 0) return child;
    }
  }

  /** 0: there is none. */
  #child(node: number, character: number): number {
    let low = at(this.#firstChild, node);
    let high = low + at(this.#children, node) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = at(this.#character, middle);
      if (found === character) return middle;
      if (found < character) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }

  /**
   * Adds what is found, each place with its longest literal.
   * @returns the length of the longest end of the text that a literal begins with
   */
  find(text: string, found: Span[]): number {
    let node = 0;
    for (let index = 0; index < text.length; index += 1) {
      node = this.#step(node, text.charCodeAt(index));
      const length = at(this.#longest, node);
      if (length > 0) found.push([index + 1 - length, index + 1]);
    }
    return this.#depth(node);
  }

  #depth(node: number): number {
    let low = 0;
    let high = this.#levels.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#levels[middle] ?? 0) <= node) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

export class Literals {
  readonly #known = new Set<string>();
  readonly #most: { readonly count: number; readonly characters: number };
  /** The larger ones first, each at least twice as large as the next. */
  readonly #groups: Automaton[] = [];
  #pending: string[] = [];
  #characters = 0;

  /** At most so many literals, with so many UTF-16 code units together. */
  constructor(most: { readonly count: number; readonly characters: number }) {
    this.#most = most;
  }

  get size(): number {
    return this.#known.size;
  }

  /** False: there is no room for it. The empty text is found nowhere. */
  add(literal: string): boolean {
    if (literal === "" || this.#known.has(literal)) return true;
    if (this.#known.size >= this.#most.count || this.#characters + literal.length > this.#most.characters) return false;
    this.#known.add(literal);
    this.#pending.push(literal);
    this.#characters += literal.length;
    return true;
  }

  /** Adds where literals stand. @returns the length of the longest end of the text that a literal begins with */
  find(text: string, found: Span[]): number {
    this.#build();
    return this.#groups.reduce((longest, group) => Math.max(longest, group.find(text, found)), 0);
  }

  /** The text with each stretch that literals cover replaced; literals that overlap make one stretch. */
  replaceIn(text: string, replacement: string): string {
    const found: Span[] = [];
    this.find(text, found);
    return replaceSpans(text, found, replacement);
  }

  #build(): void {
    if (this.#pending.length === 0) return;
    let literals = this.#pending;
    let characters = literals.reduce((sum, { length }) => sum + length, 0);
    this.#pending = [];
    for (let last = this.#groups.at(-1); last !== undefined && last.characters < 2 * characters; ) {
      this.#groups.pop();
      literals = literals.concat(last.literals);
      characters += last.characters;
      last = this.#groups.at(-1);
    }
    this.#groups.push(new Automaton(literals));
  }
}

/** The text with each stretch replaced, those that overlap as one. */
export function replaceSpans(text: string, spans: readonly Span[], replacement: string): string {
  if (spans.length === 0) return text;
  let replaced = "";
  let from = 0;
  for (const [start, end] of merged(spans)) {
    replaced += text.slice(from, start) + replacement;
    from = end;
  }
  return replaced + text.slice(from);
}

/** Without overlaps, in order. */
export function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const [start, end] of spans.toSorted(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}

/** An entry of an array whose bounds the caller keeps. */
function at(array: Int32Array | Uint16Array, index: number): number {
  return array[index] ?? 0;
}
