/** Values that several keys, conditions and actions of a policy take. Every message begins with "expected". */
import { z } from "zod";
import { parseDuration } from "../../plan/parsing/duration.ts";
import { quote, suggestion } from "../../plan/parsing/problems.ts";
import { COMMAND_WORD } from "../command-names.ts";
import { globProblem } from "../evidence/globs.ts";
import { templateProblems } from "./templates.ts";

/** Waits for people are longer than those of plans, and no timer runs for them. */
const LONGEST_AGE_DAYS = 365;
const LARGEST_LABEL = 50;

/** A mapping that refuses unknown keys, with a suggestion for each. */
export function strictMapping<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => `unknown key ${quote(key)}${suggestion(key, Object.keys(shape))}`).join("\n")
        : `expected a mapping with ${Object.keys(shape).join(", ")}`,
  });
}

export function shortText(what: string, longest = 255) {
  const error = `expected ${what}`;
  const bounded = `${error} of at most ${longest} characters`;
  return z.string({ error }).trim().min(1, { error }).max(longest, { error: bounded });
}

export function wholeNumber(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A condition that needs no value: its name alone, `true`, or nothing after the colon. */
export const bare = z.union([z.literal(true), z.null()], { error: "expected true" });

export const booleanValue = z.boolean({ error: "expected true or false" });

/** One value, or a list of at least one. */
export function oneOrMore<T extends z.ZodType>(value: T, what: string, most = 100) {
  const error = `expected ${what}, or a list of at most ${most}`;
  return z.union([value.transform((one) => [one]), z.array(value, { error }).min(1, { error }).max(most, { error })], {
    error,
  });
}

const NAME = 'expected a user ("alice"), an app ("rex[bot]") or a team ("@org/team")';
/** A user, an app or a team. */
export const name = z
  .string({ error: NAME })
  .max(120, { error: NAME })
  .regex(/^(?:[A-Za-z0-9][A-Za-z0-9_-]*(?:\[bot\])?|@[A-Za-z0-9][A-Za-z0-9_-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*)$/, {
    error: NAME,
  });
export const names = oneOrMore(name, "the name of a user, an app or a team", 50);

const glob = shortText("a glob", 200).superRefine((value, context) => {
  const message = globProblem(value);
  if (message !== null) {
    context.addIssue({ code: "custom", message });
  }
});
export const globPatterns = oneOrMore(glob, "a glob");

const LABEL = `expected a label of at most ${LARGEST_LABEL} characters`;
/** A label that is not one of ours, which show where a pull request is and decide nothing. */
export const labelName = z
  .string({ error: LABEL })
  .trim()
  .min(1, { error: LABEL })
  .max(LARGEST_LABEL, { error: LABEL })
  .refine((value) => !value.toLowerCase().startsWith("stage/"), {
    error: "expected another label: those that begin with stage/ are Stagewright's own",
  });

const LABEL_PATTERN = `expected a label of at most ${LARGEST_LABEL} characters; "*" stands for any text, "\\*" for itself`;
/** Of labels that a condition looks at; `name-patterns.ts` says what it stands for. Never for one of ours. */
export const labelPattern = z
  .string({ error: LABEL_PATTERN })
  .trim()
  .min(1, { error: LABEL_PATTERN })
  .refine((value) => value.replaceAll("\\*", "*").length <= LARGEST_LABEL, { error: LABEL_PATTERN })
  .refine((value) => !value.toLowerCase().startsWith("stage/"), {
    error: "expected another label: those that begin with stage/ are Stagewright's own",
  });

/** Of checks; `name-patterns.ts` says what each stands for. */
export const checkPatterns = oneOrMore(shortText("the name of a check"), "the name of a check");

const COMMAND = 'expected a command\'s name without its slash: lower-case letters, digits and "-"';
export const commandName = z
  .string({ error: COMMAND })
  .regex(COMMAND_WORD, { error: COMMAND })
  .refine((value) => value !== "stage", { error: "expected another name: /stage is Stagewright's own" });

const AGE = `expected a duration such as "90m", "24h" or "3d", longer than 0 and at most ${LONGEST_AGE_DAYS}d`;
export const age = z
  .union([z.number({ error: AGE }), z.string({ error: AGE })], { error: AGE })
  .transform((value, context) => {
    const ms = parseDuration(value);
    if (ms === null || ms <= 0 || ms > LONGEST_AGE_DAYS * 86_400_000) {
      context.addIssue({ code: "custom", message: AGE });
      return z.NEVER;
    }
    return ms;
  });

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
  const keyError = 'expected a name of letters, digits, "_" and "-"';
  const key = z
    .string()
    .max(100, { error: keyError })
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, { error: keyError });
  return z.record(key, value, { error }).refine((record) => Object.keys(record).length <= most, { error });
}
