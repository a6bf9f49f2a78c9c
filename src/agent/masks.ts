/** Values that must not be shown again: added by `::add-mask::`, replaced in everything that is logged or reported. */
import type { Json } from "../plan/plan.ts";

const SHOWN = "***";

export class Masks {
  readonly #values = new Set<string>();
  #pattern: RegExp | null = null;

  /** Masks a value; of a value with several lines also each line, since output is looked at by lines. */
  add(value: string): void {
    for (const part of [value, ...value.split(/\r?\n/)]) if (part.trim() !== "") this.#values.add(part);
    // The longest first: of two values where one begins with the other, the whole one has to go.
    const alternatives = [...this.#values]
      .sort((a, b) => b.length - a.length)
      .map((each) => each.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    this.#pattern = alternatives.length === 0 ? null : new RegExp(alternatives.join("|"), "g");
  }

  text(text: string): string {
    return this.#pattern === null ? text : text.replace(this.#pattern, SHOWN);
  }

  /** The same value with its texts masked, keys included. */
  json(value: Json): Json {
    if (this.#pattern === null) return value;
    if (typeof value === "string") return this.text(value);
    // A secret number must not slip through for being one.
    if (typeof value === "number") return this.text(String(value)) === String(value) ? value : SHOWN;
    if (value === null || typeof value === "boolean") return value;
    if (Array.isArray(value)) return value.map((each: Json) => this.json(each));
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.json(each)]));
  }
}
