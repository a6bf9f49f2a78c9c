/**
 * Parses a mapping key by key, so that what is right of it is known though another key is wrong, and says what is
 * wrong in words, at its place.
 */
import { safeParse, type z } from "zod";
import { type Problems, quote, suggestion } from "./problems.ts";
import type { Path, Source } from "./source.ts";

export interface Place {
  readonly source: Source;
  readonly problems: Problems;
  readonly path: Path;
}

export type Keys<S extends z.ZodRawShape> = Partial<z.output<z.ZodObject<S>>>;

/**
 * The keys of `value` that are as `shape` says, parsed. Every other key is a problem: unknown (with a suggestion), of
 * another shape. `hints`: what is said of some unknown ones instead; `known`: what is suggested.
 */
export function parseKeys<S extends z.ZodRawShape>(
  shape: S,
  value: Readonly<Record<string, unknown>>,
  place: Place,
  hints: ReadonlyMap<string, string> = new Map(),
  known: readonly string[] = Object.keys(shape),
): Keys<S> {
  const parsed: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const path = [...place.path, key];
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) {
      const what = hints.get(key) ?? `unknown key ${quote(key)}${suggestion(key, known)}`;
      place.problems.error(place.source.keyAt(path), what);
    } else {
      const result = parseValue(schema, member, { ...place, path }, key);
      if (result !== undefined) {
        parsed[key] = result;
      }
    }
  }
  // Each member came out of the schema of the same key.
  return parsed as Keys<S>;
}

/** The parsed value; undefined when it is not as the schema says, which is then told. */
export function parseValue<T>(schema: z.core.$ZodType<T>, value: unknown, place: Place, label: string): T | undefined {
  const result = safeParse(schema, value);
  if (result.success) {
    return result.data;
  }
  for (const issue of result.error.issues) {
    tell(issue, value, place, label);
  }
  return undefined;
}

function tell(issue: z.core.$ZodIssue, root: unknown, place: Place, label: string): void {
  const branch = issue.code === "invalid_union" ? nearestBranch(issue.errors) : null;
  if (branch !== null) {
    for (const inner of branch) {
      tell({ ...inner, path: [...issue.path, ...inner.path] }, root, place, label);
    }
    return;
  }
  const steps = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  const path = [...place.path, ...steps];
  // The user's own names may hold anything: the message is one line.
  const name = [label, ...steps.map((step) => (typeof step === "string" ? quote(step).slice(1, -1) : step))].join(".");
  if (issue.code === "unrecognized_keys") {
    // `mapping` in schema.ts says one line for each key.
    const messages = issue.message.split("\n");
    issue.keys.forEach((key, index) => {
      const at = place.source.keyAt([...path, key]);
      place.problems.error(at, `${name}: ${messages[index] ?? `unknown key ${quote(key)}`}`);
    });
    return;
  }
  if (issue.code === "invalid_key") {
    place.problems.error(place.source.keyAt(path), `${name}: ${issue.issues[0]?.message ?? issue.message}`);
    return;
  }
  place.problems.error(place.source.at(path), `${name}: ${issue.message}, got ${quote(valueAt(root, steps))}`);
}

/** Of a union's branches the one that the value was meant for: its outer shape fits, and least of it is wrong. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | null {
  const fitting = branches.filter((issues) => !issues.some(isOfAnotherShape));
  const nearest = fitting.sort((a, b) => a.length - b.length)[0] ?? null;
  // A mapping with other keys than any branch has, none of them a slip of the keyboard, was meant for none of them.
  const isForeign = (nearest?.length ?? 0) > 1 && nearest?.some(isForeignKey);
  return isForeign ? null : nearest;
}

function isForeignKey({ code, path, message }: z.core.$ZodIssue): boolean {
  return code === "unrecognized_keys" && path.length === 0 && !message.includes("did you mean");
}

function isOfAnotherShape(issue: z.core.$ZodIssue): boolean {
  return (
    issue.path.length === 0 &&
    (issue.code === "invalid_union"
      ? issue.errors.every((branch) => branch.some(isOfAnotherShape))
      : ["invalid_type", "invalid_value"].includes(issue.code))
  );
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const step of path) {
    value = isMapping(value) ? value[step] : Array.isArray(value) ? value[Number(step)] : undefined;
  }
  return value;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
