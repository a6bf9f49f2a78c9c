/**
 * A plan file as a tree of plain values in which every value still knows its line and column. Bounds come first: size
 * before parsing, depth while parsing, so that no file costs more than about a second or overflows the stack.
 */
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  type YAMLMap,
} from "yaml";
import { PLAN_BOUNDS } from "../bounds.ts";
import { type Position, type Problems, quote, START } from "./problems.ts";

export const LARGEST_FILE_BYTES = PLAN_BOUNDS.fileBytes;
/** Words, signs and runs of white space: they, not bytes, are what reading takes time for (about 5 µs each). */
const MOST_LEXEMES = 80_000;

export type Path = readonly (string | number)[];

/** What a file says (`value`: plain JSON values), and where it says it. */
export interface Source {
  readonly value: unknown;
  /** Where the value at this path stands; for a path that is not there, its nearest ancestor. */
  at(path: Path): Position;
  /** Where the key at the end of this path stands. */
  keyAt(path: Path): Position;
  /** A scalar exactly as written (`1.10` stays `1.10`); null when there is none. */
  textAt(path: Path): string | null;
}

/** What an empty file should have held. */
const A_PLAN = 'a plan with "stages" or "workload"';

/** Null when the file cannot be read as one YAML mapping; `problems` then says why, and that `expected` was. */
export function readSource(content: string | Uint8Array, problems: Problems, expected = A_PLAN): Source | null {
  const text = decode(content, problems, expected);
  if (text === null) {
    return null;
  }
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const root = compose(text, lines, position, problems, expected);
  if (root === null) {
    return null;
  }
  const value = plainValue(root, position, problems);
  if (!isMap(root)) {
    problems.error(position(root.range[0]), `expected a mapping with keys such as "stages", got ${quote(value)}`);
    return null;
  }
  return {
    value,
    at: (path) => position(find(root, path).node.range?.[0] ?? 0),
    keyAt: (path) => position(find(root, path).key?.range?.[0] ?? 0),
    textAt: (path) => {
      const { node, whole } = find(root, path);
      return whole && isScalar(node) ? (node.source ?? null) : null;
    },
  };
}

function decode(content: string | Uint8Array, problems: Problems, expected: string): string | null {
  const bytes = typeof content === "string" ? Buffer.byteLength(content) : content.byteLength;
  if (bytes > LARGEST_FILE_BYTES) {
    problems.error(START, `the file has ${bytes} bytes, expected at most ${LARGEST_FILE_BYTES} (1 MiB)`);
    return null;
  }
  const text = typeof content === "string" ? content.replace(/^\ufeff/, "") : decodeUtf8(content);
  if (text === null || text.includes("\0")) {
    problems.error(START, "the file is not text in UTF-8, expected a YAML file");
    return null;
  }
  if (text.trim() === "") {
    problems.error(START, `the file is empty, expected ${expected}`);
    return null;
  }
  return text;
}

function decodeUtf8(content: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

/** The one document of the file, or null with the syntax errors told. */
function compose(
  text: string,
  lines: LineCounter,
  position: (offset: number) => Position,
  problems: Problems,
  expected: string,
): ParsedNode | null {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  // Keys are compared in `plainValue`: the library compares each with each, which is quadratic.
  const composer = new Composer({ uniqueKeys: false, strict: true, version: "1.2" });
  const documents = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > MOST_LEXEMES) {
      const where = position(parser.offset);
      problems.error(where, `the file has more than ${MOST_LEXEMES} words and signs, expected fewer up to here`);
      return null;
    }
    for (const token of parser.next(lexeme)) {
      documents.push(...composer.next(token));
    }
    if (parser.stack.length > PLAN_BOUNDS.nesting) {
      const where = position(parser.offset);
      problems.error(where, `lists and mappings stand more than ${PLAN_BOUNDS.nesting - 2} deep in one another here`);
      return null;
    }
  }
  for (const token of parser.end()) {
    documents.push(...composer.next(token));
  }
  documents.push(...composer.end(false, text.length));

  const [first, second] = documents;
  for (const document of documents) {
    for (const error of [...document.errors, ...document.warnings]) {
      problems.error(position(error.pos[0]), `not valid YAML: ${oneLine(error.message)}${remedy(error.code)}`);
    }
  }
  if (second !== undefined) {
    problems.error(position(second.range[0]), "a second document begins here, expected one in a file");
  }
  if (problems.hasErrors) {
    return null;
  }
  if (first === undefined || first.contents === null || (isScalar(first.contents) && first.contents.value === null)) {
    problems.error(START, `the file says nothing, expected ${expected}`);
    return null;
  }
  return first.contents;
}

/** A parser's sentence, whole: it quotes at most a word of the file. */
function oneLine(message: string): string {
  const words = message.replaceAll(/\s+/g, " ").split(" ");
  return words.map((word) => quote(word).slice(1, -1)).join(" ");
}

/** What to do about a mistake that is easily made; "" where the parser's sentence says it. */
function remedy(code: string): string {
  switch (code) {
    case "TAB_AS_INDENT":
      return "; indent with spaces";
    case "BAD_INDENT":
      return "; is a ] or } missing before?";
    default:
      return "";
  }
}

/** Plain values of a tree whose depth is bounded by the parser. What cannot be said in JSON is told and left out. */
function plainValue(node: Node | null, position: (offset: number) => Position, problems: Problems): unknown {
  const at = position(node?.range?.[0] ?? 0);
  if (node === null) {
    return null;
  }
  if (isAlias(node)) {
    problems.error(at, "aliases (*name) are not allowed, expected the value itself");
    return null;
  }
  if (isSeq<Node | null>(node)) {
    return node.items.map((item) => plainValue(item, position, problems));
  }
  if (isMap<Node | null, Node | null>(node)) {
    const members: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      const keyAt = position(key?.range?.[0] ?? 0);
      const plain = isScalar(key) ? (typeof key.value === "number" ? (key.source ?? key.value) : key.value) : null;
      if (typeof plain !== "string") {
        problems.error(keyAt, "expected a key that is plain text");
      } else if (plain === "__proto__") {
        problems.error(keyAt, 'the key "__proto__" is not allowed');
      } else if (Object.hasOwn(members, plain)) {
        problems.error(keyAt, `the key ${quote(plain)} stands here twice, expected it once`);
      } else {
        members[plain] = plainValue(value, position, problems);
      }
    }
    return members;
  }
  if (isScalar(node)) {
    return scalarValue(node.value, at, problems);
  }
  return null;
}

function scalarValue(value: unknown, at: Position, problems: Problems): unknown {
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) {
        problems.error(at, "a NUL character cannot be passed to any command");
      }
      return value;
    case "number":
      if (!Number.isFinite(value)) {
        problems.error(at, `expected a finite number, got ${value}`);
        return 0;
      }
      return value;
    case "boolean":
      return value;
    default:
      return null;
  }
}

/** The node at a path, the key that leads to it, and whether the path could be followed to its end. */
function find(root: Node, path: Path): { node: Node; key: Node | null; whole: boolean } {
  let node = root;
  let key: Node | null = null;
  for (const step of path) {
    let next: Node | null = null;
    if (isMap<Node, Node | null>(node)) {
      const pair = pairsOf(node).get(String(step));
      key = pair?.key ?? key;
      next = pair?.value ?? null;
      if (pair !== undefined && next === null) {
        return { node: pair.key, key: pair.key, whole: false };
      }
    } else if (isSeq<Node | null>(node) && typeof step === "number") {
      next = node.items[step] ?? null;
    }
    if (next === null) {
      return { node, key, whole: false };
    }
    node = next;
  }
  return { node, key, whole: true };
}

type Pairs = ReadonlyMap<string, { readonly key: Node; readonly value: Node | null }>;
/** A mapping may have 100,000 keys, each with a problem: looked for one by one they would take minutes. */
const indexes = new WeakMap<object, Pairs>();

function pairsOf(node: YAMLMap<Node, Node | null>): Pairs {
  const known = indexes.get(node);
  if (known !== undefined) {
    return known;
  }
  const pairs = new Map<string, { readonly key: Node; readonly value: Node | null }>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? (typeof key.value === "number" ? (key.source ?? "") : String(key.value)) : "";
    if (!pairs.has(name)) {
      pairs.set(name, { key, value });
    }
  }
  indexes.set(node, pairs);
  return pairs;
}
