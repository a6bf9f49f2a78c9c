/** What is said of a configuration that becomes a plan: a line for each key, at its place. */
import { isMapping } from "../parsing/key-parser.ts";
import { type Position, quote } from "../parsing/problems.ts";
import type { Path, Source } from "../parsing/source.ts";

/** What became of a key. `changed`: it is in the plan, though not quite as it was. */
export const NOTE_KINDS = ["mapped", "changed", "needs a command", "no meaning here", "unknown key"] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

export interface Note {
  readonly kind: NoteKind;
  readonly line: number;
  readonly column: number;
  /** One line. */
  readonly message: string;
}

/** More are counted: nobody reads them. */
const MOST_NOTES = 1_000;

export class Notes {
  readonly #notes: Note[] = [];
  #more = 0;

  add(kind: NoteKind, { line, column }: Position, message: string): void {
    if (this.#notes.length < MOST_NOTES) this.#notes.push({ kind, line, column, message });
    else this.#more += 1;
  }

  /** By position; the last one tells how many there would be beyond those. */
  list(): readonly Note[] {
    const sorted = this.#notes.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (last === undefined || this.#more === 0) return sorted;
    return [...sorted, { ...last, message: `and ${this.#more} more notes` }];
  }
}

/** `file:line:column: mapped: message`, as the problems of a plan are printed. */
export function formatNote(file: string, { kind, line, column, message }: Note): string {
  return `${file}:${line}:${column}: ${kind}: ${message}`;
}

/** What is to be said of a key that is known, and not in the plan. */
export type About = readonly [kind: NoteKind, why: string];

/** One mapping of the configuration, which knows what of it has been looked at. */
export class Section {
  readonly source: Source;
  readonly notes: Notes;
  readonly path: Path;
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #seen = new Set<string>();

  constructor(source: Source, notes: Notes, path: Path, value: Readonly<Record<string, unknown>>) {
    this.source = source;
    this.notes = notes;
    this.path = path;
    this.#value = value;
  }

  /** The same for a look ahead: what is asked of it counts as not looked at, and nothing is told. */
  lookAhead(): Section {
    return new Section(this.source, new Notes(), this.path, this.#value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key);
  }

  keys(): readonly string[] {
    return Object.keys(this.#value);
  }

  get(key: string): unknown {
    this.#seen.add(key);
    return this.#value[key];
  }

  /** The mapping below a key; null where there is none, which is said if something else stands there. */
  section(key: string): Section | null {
    const value = this.get(key);
    if (isMapping(value)) return new Section(this.source, this.notes, [...this.path, key], value);
    if (value !== undefined && value !== null) this.tell("unknown key", key, `expected a mapping, got ${quote(value)}`);
    return null;
  }

  /** The mappings of the list below a key; what is no mapping among them is said and left out. */
  sections(key: string): readonly Section[] {
    const value = this.get(key);
    if (!Array.isArray(value)) {
      if (value !== undefined && value !== null) this.tell("unknown key", key, `expected a list, got ${quote(value)}`);
      return [];
    }
    return value.flatMap((each: unknown, index) => {
      const path = [...this.path, key, index];
      if (isMapping(each)) return [new Section(this.source, this.notes, path, each)];
      this.notes.add("unknown key", this.source.at(path), `${key}.${index}: expected a mapping, got ${quote(each)}`);
      return [];
    });
  }

  /** A scalar as it is written; null for anything else. */
  text(key: string): string | null {
    const value = this.get(key);
    switch (typeof value) {
      case "string":
        return value;
      case "number":
      case "boolean":
        return this.source.textAt([...this.path, key]) ?? String(value);
      default:
        return null;
    }
  }

  tell(kind: NoteKind, key: string, message: string): void {
    const at = this.has(key) ? this.source.keyAt([...this.path, key]) : this.source.at(this.path);
    this.notes.add(kind, at, `${this.name(key)}: ${message}`);
  }

  /** Says of each key that nobody has looked at what becomes of it. */
  rest(known: Readonly<Record<string, About>>): void {
    for (const key of this.keys()) {
      if (this.#seen.has(key)) continue;
      const about = Object.hasOwn(known, key) ? known[key] : undefined;
      if (about === undefined) this.tell("unknown key", key, "left out");
      else this.tell(about[0], key, about[1]);
    }
  }

  /** `distributed.agents.0.id`, for messages: one line, whatever the keys are made of. */
  name(key: string): string {
    return [...this.path, key].map((step) => (typeof step === "number" ? step : quote(step).slice(1, -1))).join(".");
  }
}
