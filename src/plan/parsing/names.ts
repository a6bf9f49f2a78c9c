/**
 * What a name may be made of. Names (of plans, groups, agents, roles, metrics, outputs) come back in logs, pages and
 * refusals: a character there that is not seen, ends a line or reorders the text makes one name read as another.
 */

/** Control characters, halves of characters, line separators, marks that reorder text, the byte order mark. */
const UNPRINTABLE = String.raw`\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF`;
const EACH_UNPRINTABLE = new RegExp(`[${UNPRINTABLE}]`, "gu");

/** Text that is what it looks like, on one line; at least one character. */
export const PRINTABLE = new RegExp(`^[^${UNPRINTABLE}]+$`, "u");
export const NOT_PRINTABLE = "expected text on one line, without control characters and marks that reorder text";

/** The text with whatever is not printable written as an escape (`\u202e`), to be shown to somebody. */
export function escapeUnprintable(text: string): string {
  return text.replace(EACH_UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text without what is not printable. */
export function withoutUnprintable(text: string): string {
  return text.replace(EACH_UNPRINTABLE, "");
}
