/** JSON that a command tells and that would not come to the others as it was told. */
import { isDeeper, TOLD_BOUNDS } from "../../plan/bounds.ts";

/** In words, to follow what has it; null: nothing keeps it from being told. */
export function unfitJson(value: unknown): string | null {
  if (isDeeper(value, TOLD_BOUNDS.nesting)) {
    return `has lists and mappings that stand more than ${TOLD_BOUNDS.nesting} deep in one another`;
  }
  return hasPrototypeKey(value) ? 'has the key "__proto__", which is not allowed' : null;
}

/** Schemas leave that key out, and say nothing of it. */
function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey);
}
