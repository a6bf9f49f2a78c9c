/** Collects what is wrong with a file, and says it in one line each: where, what, what was expected. */
import { distance } from "fastest-levenshtein";
import type { Problem } from "../plan.ts";

/** Line and column count from 1; a column is a UTF-16 code unit, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export const START: Position = { line: 1, column: 1 };

/** More are counted, not listed: nobody reads them, and a hostile file must not flood a log. */
export const MOST_PROBLEMS_SHOWN = 100;
/** Longest excerpt of a user's text in a message. */
const LONGEST_QUOTE = 60;
const MOST_CANDIDATES = 1_000;
/** A longer key is no misspelling, and the distance costs length × length. */
const LONGEST_GUESS = 64;

export class Problems {
  readonly file: string;
  private readonly found: Problem[] = [];
  private readonly seen = new Set<string>();

  constructor(file: string) {
    this.file = file;
  }

  /** The same message at the same place is told once (stages that a `repeat` copies share their place). */
  error(at: Position, message: string): void {
    this.add("error", at, message);
  }

  warning(at: Position, message: string): void {
    this.add("warning", at, message);
  }

  /** As `suggestion`, among a user's own names; none once more is found than is shown: each costs a comparison. */
  suggest(word: string, known: Iterable<string>): string {
    return this.found.length > MOST_PROBLEMS_SHOWN ? "" : suggestion(word, [...known].slice(0, MOST_CANDIDATES));
  }

  get hasErrors(): boolean {
    return this.found.some((problem) => problem.severity === "error");
  }

  /** By position; at most `MOST_PROBLEMS_SHOWN`, errors before warnings when some must go, the rest as a count. */
  list(): Problem[] {
    const errors = this.found.filter((problem) => problem.severity === "error");
    const warnings = this.found.filter((problem) => problem.severity === "warning");
    const all = [...errors.sort(byPosition), ...warnings.sort(byPosition)];
    const shown = all.slice(0, MOST_PROBLEMS_SHOWN).sort(byPosition);
    const last = shown.at(-1);
    if (last !== undefined && all.length > shown.length) {
      const severity = errors.length > shown.length ? "error" : "warning";
      shown.push({ ...last, severity, message: `and ${all.length - shown.length} more problems in this file` });
    }
    return shown;
  }

  private add(severity: Problem["severity"], at: Position, message: string): void {
    const key = `${at.line}:${at.column}:${message}`;
    if (!this.seen.has(key)) {
      this.seen.add(key);
      this.found.push({ severity, file: this.file, line: at.line, column: at.column, message });
    }
  }
}

function byPosition(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1);
}

/** `file:line:column: error: message`, as compilers print it and editors read it. */
export function formatProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.severity}: ${problem.message}`;
}

/** A user's value for a message: on one line, bounded, control characters escaped. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string": {
      const text = value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE - 1)}…` : value;
      return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeCharacter);
    }
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "undefined":
      return "nothing";
    case "object":
      return value === null
        ? "nothing"
        : Array.isArray(value)
          ? value.length === 0
            ? "an empty list"
            : "a list"
          : "a mapping";
    case "function":
    case "symbol":
      return typeof value;
  }
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** `; did you mean "stages"?` when one of the known words is near enough to be a slip of the keyboard, else "". */
export function suggestion(word: string, known: Iterable<string>): string {
  if (word.length > LONGEST_GUESS) {
    return "";
  }
  const plain = normal(word);
  let best: string | null = null;
  let least = Math.max(word.length < 2 ? 0 : word.length < 4 ? 1 : 2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const other = normal(candidate);
    // Two letters swapped are one slip, but two edits.
    const swapped = plain.length === other.length && letters(plain) === letters(other);
    const far = swapped ? Math.min(1, distance(plain, other)) : distance(plain, other);
    if (far < least) {
      [best, least] = [candidate, far];
    }
  }
  return best === null ? "" : `; did you mean ${JSON.stringify(best)}?`;
}

function normal(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

function letters(word: string): string {
  return [...word].sort().join("");
}
