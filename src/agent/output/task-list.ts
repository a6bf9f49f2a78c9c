/**
 * What a task generator prints, line by line: each a task, or the reason why the list as a whole is none.
 *
 * A list that is half understood would be work left undone by a run that says it succeeded, so the first line that
 * cannot be taken fails the listing, as it does for a list that stands in the plan. Only one output is looked at: what
 * an earlier one listed (before its agent was lost) are the same tasks.
 */
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import { escapeUnprintable } from "../../plan/parsing/names.ts";
import type { Json } from "../../plan/plan.ts";
import { taskKey } from "../../plan/stages/tasks.ts";
import { unfitJson } from "./unfit-json.ts";

/** Characters of a line or a key that are quoted. */
const QUOTED = 80;
const TOO_LONG = `has more than the ${PLAN_BOUNDS.taskBytes} bytes that a task may have`;

export class Listing {
  readonly #masked: (text: string) => string;
  /** Key -> the line it stands in. */
  readonly #lines = new Map<string, number>();
  #line = 0;
  #values = 0;
  #trouble: string | null = null;

  /** `masked`: what may be shown of a line's text. */
  constructor(masked: (text: string) => string) {
    this.#masked = masked;
  }

  /** What is wrong with the list, the first of it only; null: nothing so far. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The next line. @returns the task in it, in an array of one; empty: the line is blank or cannot be taken */
  take(line: string): readonly Json[] {
    this.#line += 1;
    if (line.trim() === "") return [];
    // Of a longer line there may be no more than its beginning.
    if (Buffer.byteLength(line) > PLAN_BOUNDS.taskBytes) {
      this.#trouble ??= `line ${this.#line} ${TOO_LONG}`;
      return [];
    }
    const value = jsonOf(line);
    if (value === undefined) {
      this.#trouble ??= `line ${this.#line} is not JSON: ${this.#quote(line)}; print one JSON value a line, for example through jq -R .`;
      return [];
    }
    const why = unfit(value);
    if (why !== null) {
      this.#trouble ??= `line ${this.#line} ${why}`;
      return [];
    }
    const key = taskKey(value, this.#values);
    this.#values += 1;
    const before = this.#lines.get(key);
    if (before !== undefined) {
      this.#trouble ??= `lines ${before} and ${this.#line}: two tasks have the key ${this.#quote(key)}, expected distinct values or ids`;
      return [];
    }
    // Further ones are refused by the run.
    if (this.#lines.size <= PLAN_BOUNDS.tasks) this.#lines.set(key, this.#line);
    return [value];
  }

  /** Masked before it is clipped or escaped: what is left of a secret would not be recognized. */
  #quote(text: string): string {
    const shown = this.#masked(text);
    return escapeUnprintable(JSON.stringify(shown.length > QUOTED ? `${shown.slice(0, QUOTED - 1)}…` : shown));
  }
}

/** Why no task can be of this value, which is JSON; null: it can. */
function unfit(value: Json): string | null {
  const why = unfitJson(value);
  if (why !== null) return why;
  let isHeld = true;
  const text = JSON.stringify(value, (_key, part: unknown) => {
    // `1e400`, which would be told as null.
    if (part === Number.POSITIVE_INFINITY || part === Number.NEGATIVE_INFINITY) isHeld = false;
    return part;
  });
  if (!isHeld) return "has a number that is too large to be held";
  // Numbers grow when they are written out: `1e20` to 21 digits.
  return Buffer.byteLength(text) > PLAN_BOUNDS.taskBytes ? TOO_LONG : null;
}

function jsonOf(line: string): Json | undefined {
  try {
    const value: Json = JSON.parse(line);
    return value;
  } catch {
    return undefined;
  }
}
