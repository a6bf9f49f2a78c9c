/** Where a text ceases to be JSON: what `JSON.parse` says of it only sometimes. */
import type { Position } from "../../plan/parsing/problems.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** Of a mapping; of a list it is the same without the bit of 0x20. */
const OPENING = 0x7b;
const CLOSING = 0x7d;
const WORDS = ["true", "false", "null"];

/** The place of the first character that cannot stand there; the end, where more was expected. */
export function jsonErrorAt(text: string): Position {
  return positionAt(text, errorOffset(text));
}

export interface JsonBounds {
  /** Lists and mappings in one another. */
  readonly depth: number;
  readonly values: number;
  /** Of one list or mapping: a million different names in one cost seconds to be read. */
  readonly members: number;
}

/**
 * Where a text holds more than so many values, in all or in one list or mapping, or has lists and mappings deeper in one
 * another than that: cheap to be found before they are made. Reads what is no JSON, too. Null: nowhere.
 */
export function excessAt(
  text: string,
  most: JsonBounds,
): { readonly what: keyof JsonBounds; readonly at: Position } | null {
  let depth = 0;
  let values = 1;
  // By depth, of what is open there.
  const members = new Uint32Array(most.depth + 1);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at);
    else if (code === COMMA) {
      values += 1;
      const own = (members[depth] ?? 0) + 1;
      members[depth] = own;
      if (values > most.values) return { what: "values", at: positionAt(text, at) };
      if (own >= most.members) return { what: "members", at: positionAt(text, at) };
    } else if ((code | 0x20) === OPENING) {
      depth += 1;
      if (depth > most.depth) return { what: "depth", at: positionAt(text, at) };
      members[depth] = 0;
    } else if ((code | 0x20) === CLOSING) depth -= 1;
  }
  return null;
}

/** Of the string that begins there; where it breaks off, that. Asks nothing else of it: large texts are mostly strings. */
function closingQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || code < 0x20) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/** Line and column of an offset, both from 1. Looks at each character: a text may be nothing but ends of lines. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let at = 0; at < offset && at < text.length; at += 1) {
    if (text.charCodeAt(at) !== NEWLINE) continue;
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Goes through the text once. What is open is a list, so that no depth is too deep. */
function errorOffset(text: string): number {
  const open: string[] = [];
  let at = 0;
  let expected: "value" | "value or end" | "name" | "name or end" | "colon" | "comma or end" = "value";
  for (;;) {
    while (isBlank(text.charCodeAt(at))) at += 1;
    const character = text[at];
    if (character === undefined) return at;
    if (expected === "comma or end") {
      const inside = open.at(-1);
      if (character === "," && inside !== undefined) expected = inside === "{" ? "name" : "value";
      else if (character === (inside === "{" ? "}" : "]") && inside !== undefined) open.pop();
      else return at;
      at += 1;
    } else if (expected === "colon") {
      if (character !== ":") return at;
      expected = "value";
      at += 1;
    } else if (
      (character === "]" && expected === "value or end") ||
      (character === "}" && expected === "name or end")
    ) {
      open.pop();
      expected = "comma or end";
      at += 1;
    } else if (expected === "name" || expected === "name or end") {
      if (character !== '"') return at;
      const { end, isWhole } = stringEnd(text, at);
      if (!isWhole) return end;
      at = end;
      expected = "colon";
    } else if (character === "{" || character === "[") {
      open.push(character);
      expected = character === "{" ? "name or end" : "value or end";
      at += 1;
    } else {
      const { end, isWhole } = character === '"' ? stringEnd(text, at) : (wordEnd(text, at) ?? numberEnd(text, at));
      if (!isWhole) return end;
      at = end;
      expected = "comma or end";
    }
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

interface End {
  /** Behind it; or where it breaks off. */
  readonly end: number;
  readonly isWhole: boolean;
}

/** Null: it begins as no word does. */
function wordEnd(text: string, from: number): End | null {
  const word = WORDS.find((each) => each[0] === text[from]);
  if (word === undefined) return null;
  let length = 1;
  while (length < word.length && text[from + length] === word[length]) length += 1;
  return { end: from + length, isWhole: length === word.length };
}

function numberEnd(text: string, from: number): End {
  const digitsEnd = (at: number): number => {
    let end = at;
    while (text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end += 1;
    return end;
  };
  const begin = text[from] === "-" ? from + 1 : from;
  let end = text[begin] === "0" ? begin + 1 : digitsEnd(begin);
  if (end === begin) return { end, isWhole: false };
  for (const part of [".", "eE"]) {
    if (!part.includes(text[end] ?? " ")) continue;
    const sign = part === "eE" && "+-".includes(text[end + 1] ?? " ") ? 1 : 0;
    const digits = end + 1 + sign;
    end = digitsEnd(digits);
    if (end === digits) return { end, isWhole: false };
  }
  return { end, isWhole: true };
}

function stringEnd(text: string, quote: number): End {
  for (let at = quote + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { end: at + 1, isWhole: true };
    if (code < 0x20) return { end: at, isWhole: false };
    if (code !== BACKSLASH) continue;
    at += 1;
    const escaped = text[at] ?? "";
    if (escaped === "u") {
      for (let digit = 1; digit <= 4; digit += 1) {
        if (!isHexDigit(text.charCodeAt(at + digit))) return { end: at + digit, isWhole: false };
      }
    } else if (!'"\\/bfnrt'.includes(escaped)) return { end: at, isWhole: false };
  }
  return { end: text.length, isWhole: false };
}

/** By its code: texts of millions of them are looked through. */
function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}
