/**
 * Values that must not be shown again, replaced in everything that is logged or reported: what the process holds for
 * itself, what `secrets` names, and what commands add by `::add-mask::`.
 */
import { Literals, merged, replaceSpans, type Span } from "../../literals.ts";
import type { Json } from "../../plan/plan.ts";
import {
  bareView,
  compactView,
  continued,
  decodedViews,
  plainView,
  rawView,
  type View,
  withoutQuotes,
} from "./mask-views.ts";

const SHOWN = "***";

/** What one agent masks at most; the characters are UTF-16 code units of all values together. */
export const MOST_MASKS = { count: 20_000, characters: 1_048_576 } as const;
export const TOO_MANY_MASKS =
  `more than ${MOST_MASKS.count} values, or ${MOST_MASKS.characters} characters of them, are to be masked: ` +
  "from here on nothing that commands say is shown";

/**
 * A shorter value is masked as it is and in no other spelling, and a shorter line of a value not by itself: the brackets
 * of a key's JSON would hide half a report.
 */
const SHORTEST = 3;
const SHORTEST_TOKEN = 8;

/** So much of a value at the end of a line is masked at once: the next line may bring the rest. */
const SHOWN_BEGINNING = 8;
/** Four characters of base64 make three bytes: so many are looked at again with what follows. */
const QUANTUM = 4;
/** Of what is remembered, characters at most: each line is looked at together with it. */
const LONGEST_BEGINNING = 4_096;

const BLANKS = /[ \t]/u;

interface Found {
  readonly spans: Span[];
  /** The longest end of the text that a value begins with. */
  readonly open: { readonly start: number; readonly length: number };
}

export class Masks {
  readonly #values = new Literals(MOST_MASKS);
  #isFull = false;
  #haveBlanks = false;
  #haveQuotes = false;
  /** The length of the shortest value, of those that are looked for in other spellings. */
  #shortest = Number.POSITIVE_INFINITY;

  /**
   * Masks a value; of a value with several lines also each line, since output is looked at by lines. Where there is no
   * room for it, nothing is shown at all from then on, since it could be what was to be hidden.
   */
  add(value: string): "masked" | "just full" | "full" {
    if (this.#isFull) return "full";
    const forms = value.trim() === "" ? [] : formsOf(value);
    if (!forms.every((form) => this.#values.add(form))) this.#isFull = true;
    for (const { length } of forms) if (length >= SHORTEST) this.#shortest = Math.min(this.#shortest, length);
    this.#haveBlanks ||= BLANKS.test(value.trim());
    this.#haveQuotes ||= withoutQuotes(value) !== value;
    return this.#isFull ? "just full" : "masked";
  }

  /** Masks a token that this process holds for itself. Nothing as short as a word is one. */
  hold(token: string | undefined): void {
    if (token !== undefined && token.length >= SHORTEST_TOKEN) this.add(token);
  }

  text(text: string): string {
    if (this.#isFull) return text.trim() === "" ? text : SHOWN;
    if (this.#values.size === 0) return text;
    const { spans } = this.#find(plainView(text), text);
    return replaceSpans(text, byLines(text, merged(spans)), SHOWN);
  }

  /** The same value with its texts masked, keys included. */
  json(value: Json): Json {
    if (this.#values.size === 0 && !this.#isFull) return value;
    if (typeof value === "string") return this.text(value);
    // A secret number must not slip through for being one.
    if (typeof value === "number") return this.text(String(value)) === String(value) ? value : SHOWN;
    if (value === null || typeof value === "boolean") return value;
    if (Array.isArray(value)) return value.map((each: Json) => this.json(each));
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.json(each)]));
  }

  /** For texts that come line by line: a value may begin in one and go on in the next. */
  lines(): (line: string) => string {
    let before = "";
    return (line) => {
      if (this.#isFull || this.#values.size === 0) return this.text(line);
      const view = continued(before, plainView(line));
      const { spans, open } = this.#find(view, line);
      if (open.length >= SHOWN_BEGINNING) spans.push([open.start, line.length]);
      const kept = Math.min(open.length + QUANTUM, LONGEST_BEGINNING);
      before = view.text.slice(Math.max(0, view.text.length - kept));
      const own = spans.flatMap(([start, end]): Span[] => (end > 0 ? [[Math.max(0, start), end]] : []));
      return replaceSpans(line, own, SHOWN);
    };
  }

  /** Looks at a text in all its views; `plain` is the one without what a reader does not see. */
  #find(plain: View, text: string): Found {
    const spans: Span[] = [];
    const last = plain.text.length - 1;
    const end = last < 0 ? 0 : plain.end(last);
    let open = end;
    const look = (view: View, shortest: number): void => {
      const found: Span[] = [];
      const beginning = this.#values.find(view.text, found);
      for (const [from, to] of found) if (to - from >= shortest) spans.push([view.start(from), view.end(to - 1)]);
      const { length } = view.text;
      if (beginning > 0 && view.end(length - 1) + QUANTUM > end) open = Math.min(open, view.start(length - beginning));
    };
    const isPlain = plain.text === text;
    if (!isPlain) look(rawView(text), 1);
    look(plain, isPlain ? 1 : SHORTEST);
    for (const decoded of decodedViews(plain, this.#shortest)) look(decoded, SHORTEST);
    const compact = this.#haveBlanks && !isPlain ? compactView(plain) : null;
    if (compact !== null) look(compact, SHORTEST);
    const bare = this.#haveQuotes ? bareView(plain) : null;
    if (bare !== null) look(bare, SHORTEST_TOKEN);
    return { spans, open: { start: open, length: end - open } };
  }
}

/** What a value is looked for as: itself, its lines, without what views leave out, and as bytes. */
function formsOf(value: string): readonly string[] {
  const parts = new Set([value]);
  const plain = plainView(value).text;
  for (const part of [plain, plain.replaceAll(/[ \t]/gu, ""), value.trim(), ...value.split(/\r?\n/)])
    if (part.trim().length >= SHORTEST) parts.add(part);
  for (const part of [...parts]) {
    const bare = withoutQuotes(part);
    if (bare.length >= SHORTEST_TOKEN) parts.add(bare);
  }
  for (const part of [...parts]) {
    const bytes = Buffer.from(part, "utf8").toString("latin1");
    if (bytes.length >= SHORTEST) parts.add(bytes);
  }
  return [...parts];
}

/** Each line's part of a stretch by itself, so that what is shown has the lines of what there was. */
function byLines(text: string, spans: readonly Span[]): readonly Span[] {
  if (!text.includes("\n")) return spans;
  return spans.flatMap(([start, end]) => {
    const parts: Span[] = [];
    let from = start;
    for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", from)) {
      if (at > from) parts.push([from, at]);
      from = at + 1;
    }
    if (from < end) parts.push([from, end]);
    return parts;
  });
}
