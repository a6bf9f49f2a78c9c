/** Values that several actions take. */
import { z } from "zod";
import { templateProblems } from "../templates.ts";

/** A text in which only names of the closed list may stand in double braces. */
export function template(what: string, longest: number) {
  const error = `expected ${what} of at most ${longest} characters`;
  return z
    .string({ error })
    .min(1, { error })
    .max(longest, { error })
    .superRefine((value, context) => {
      for (const message of templateProblems(value)) {
        context.addIssue({ code: "custom", message });
      }
    });
}

/** Names of inputs or of a payload's members -> templates. Numbers and truth values are taken as text. */
export function templates(what: string, most: number) {
  const error = `expected ${what}: at most ${most} names with their values`;
  const value = z.union(
    [template("a value", 10_000), z.number().transform(String), z.boolean().transform(String), z.literal("")],
    { error: "expected text, a number, true or false" },
  );
  const key = z
    .string()
    .max(100)
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, { error: 'expected a name of letters, digits, "_" and "-"' });
  return z.record(key, value, { error }).refine((record) => Object.keys(record).length <= most, { error });
}
