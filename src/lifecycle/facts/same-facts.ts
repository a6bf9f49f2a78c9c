/** Whether two states of what is known of a pull request are the same. */
import type { Facts } from "./facts.ts";

/** True when a change told nothing new. What was not told anew is the same object, and looked at no further. */
export function sameFacts(a: Facts, b: Facts): boolean {
  return isSame(a, b);
}

/** As JSON has it: the order of members does not matter, and those that are undefined are not there. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) {
    return true;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]))
    );
  }
  return isRecord(a) && isRecord(b) && hasSame(a, b) && hasSame(b, a, false);
}

/** Whether all members of `a` are in `b`; `deep` false: whatever they hold. */
function hasSame(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>, deep = true): boolean {
  for (const key of Object.keys(a)) {
    if (a[key] !== undefined && (b[key] === undefined || (deep && !isSame(a[key], b[key])))) {
      return false;
    }
  }
  return true;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
