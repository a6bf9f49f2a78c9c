/** Variables: values are text, as written. */
import { PLAN_BOUNDS } from "../bounds.ts";
import type { Scalar } from "../plan.ts";
import type { Place } from "./key-parser.ts";

/** Numbers and booleans keep their spelling (`1.10` is not `1.1`). `place` is that of the `env` mapping. */
export function envOf(
  said: Readonly<Record<string, Scalar>> | undefined,
  place: Place,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(said ?? {}).map(([name, value]) => [name, textOf(value, { ...place, path: [...place.path, name] })]),
  );
}

/** A scalar as text. A placeholder's value stands nowhere in the file: it is spelt as JSON does. */
export function textOf(value: Scalar, place: Place): string {
  if (typeof value === "string") {
    return value;
  }
  const written = place.source.textAt(place.path);
  const isSpelling = written !== null && !written.includes("{{") && written.length <= PLAN_BOUNDS.argumentBytes;
  return isSpelling ? written : String(value);
}
