/** Values that must not be shown again: added by `::add-mask::`, replaced in everything that is logged or reported. */
import { Literals } from "../literals.ts";
import type { Json } from "../plan/plan.ts";

const SHOWN = "***";

/** What one agent masks at most; the characters are UTF-16 code units of all values together. */
export const MOST_MASKS = { count: 20_000, characters: 1_048_576 } as const;
export const TOO_MANY_MASKS =
  `more than ${MOST_MASKS.count} values, or ${MOST_MASKS.characters} characters of them, are to be masked: ` +
  "from here on nothing that commands say is shown";

export class Masks {
  readonly #values = new Literals(MOST_MASKS);
  #isFull = false;

  /**
   * Masks a value; of a value with several lines also each line, since output is looked at by lines. Where there is no
   * room for it, nothing is shown at all from then on, since it could be what was to be hidden.
   */
  add(value: string): "masked" | "just full" | "full" {
    if (this.#isFull) return "full";
    for (const part of [value, ...value.split(/\r?\n/)]) {
      if (part.trim() !== "" && !this.#values.add(part)) this.#isFull = true;
    }
    return this.#isFull ? "just full" : "masked";
  }

  text(text: string): string {
    if (this.#isFull) return text.trim() === "" ? text : SHOWN;
    return this.#values.replaceIn(text, SHOWN);
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
}
