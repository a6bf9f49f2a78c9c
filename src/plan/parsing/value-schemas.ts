/**
 * Kinds of values that keys of a plan have: durations, names, shares of a group, comparisons, lists and mappings, each
 * with its bounds and with a message that says what is expected. Which key takes which is in `schema.ts`.
 *
 * Every message begins with "expected", because the reader adds what it got.
 */
import { z } from "zod";
import { COLLECT_BOUNDS, jsonBytes, PLAN_BOUNDS } from "../bounds.ts";
import type { Comparison, Json } from "../plan.ts";
import { DURATION_PATTERN, formatDuration, parseDuration } from "./duration.ts";
import { once } from "./lazy.ts";
import { NOT_PRINTABLE, PRINTABLE } from "./names.ts";
import { quote, suggestion } from "./problems.ts";

const DURATION = 'expected a duration such as 90 (seconds), "90s", "5m" or "1h30m"';
const BARE_SECONDS = "^[0-9]+(?:\\.[0-9]+)?$";

function durationOf(least: number) {
  const message = least > 0 ? `${DURATION}, longer than 0` : DURATION;
  const bound = `expected at most ${formatDuration(PLAN_BOUNDS.durationMs)}`;
  return z
    .union(
      [
        z.number({ error: message }).min(0, { error: message }),
        z
          .string({ error: message })
          .regex(new RegExp(`${BARE_SECONDS}|${DURATION_PATTERN.source}`), { error: message }),
      ],
      { error: message },
    )
    .transform((value, context) => {
      const ms = parseDuration(value);
      if (ms === null || ms < least || ms > PLAN_BOUNDS.durationMs) {
        context.addIssue({ code: "custom", message: ms !== null && ms > PLAN_BOUNDS.durationMs ? bound : message });
        return z.NEVER;
      }
      return ms;
    });
}

export const durationValue = once(() => durationOf(1));
export const pause = once(() => durationOf(0));
/** From 0 to a bound of its own, in milliseconds. */
export function graceOf(most: number) {
  return durationOf(0).refine((ms) => ms <= most, { error: `expected at most ${formatDuration(most)}` });
}

export function whole(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: (issue) => `expected ${values.join(" | ")}${guess(issue.input, values)}` });
}

/** What other languages call a type. */
const TYPES: Readonly<Record<string, string>> = {
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
  str: "string",
  text: "string",
};

function guess(input: unknown, values: readonly string[]): string {
  const type = typeof input === "string" && Object.hasOwn(TYPES, input) ? TYPES[input] : undefined;
  if (type !== undefined && values.includes(type)) return ` (did you mean "${type}")`;
  return typeof input === "string" ? suggestion(input, values).replace(/^; (.*)\?$/, " ($1)") : "";
}

export function text(what: string, longest: number = PLAN_BOUNDS.fileBytes) {
  const error = `expected ${what}`;
  return z
    .string({ error })
    .min(1, { error })
    .max(longest, { error: `${error} of at most ${longest} characters` });
}

export function list<T extends z.ZodType>(of: T, what: string, most: number = PLAN_BOUNDS.list) {
  const error = `expected a list of ${what}`;
  return z.array(of, { error }).max(most, { error: `${error}, at most ${most}` });
}

export const flag = once(() => z.boolean({ error: "expected true or false" }));
export const scalar = once(() =>
  z.union([z.string(), z.number(), z.boolean()], { error: "expected text, a number, true or false" }),
);

/** A scalar that a process can be given as one argument or variable. */
export const argument = once(() =>
  scalar().refine((value) => Buffer.byteLength(String(value)) <= PLAN_BOUNDS.argumentBytes, {
    error: `expected at most ${PLAN_BOUNDS.argumentBytes} bytes, which is what a process can be given`,
  }),
);
/** The value of a parameter. */
export const paramValue = once(() =>
  scalar().refine((value) => String(value).length <= PLAN_BOUNDS.param, {
    error: `expected text of at most ${PLAN_BOUNDS.param} characters`,
  }),
);

/** A mapping that refuses unknown keys: one line for each, which `key-parser.ts` takes apart again. */
export function mapping<S extends z.ZodRawShape>(shape: S, what = "a mapping") {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => `unknown key ${quote(key)}${suggestion(key, Object.keys(shape))}`).join("\n")
        : `expected ${what} with ${Object.keys(shape).join(", ")}`,
  });
}

export function recordOf<T extends z.ZodType>(key: z.ZodString, value: T, what: string) {
  return z.record(key, value, { error: `expected a mapping of ${what}` });
}

const NAME = 'expected letters, digits, ".", "_" and "-", beginning with a letter';
export const word = once(() =>
  z
    .string({ error: NAME })
    .regex(/^[A-Za-z][A-Za-z0-9._-]*$/, { error: NAME })
    .max(PLAN_BOUNDS.name, { error: `${NAME}, at most ${PLAN_BOUNDS.name} characters` }),
);

const VARIABLE = 'expected the name of a variable (letters, digits, "_"; names in STAGEWRIGHT_ are ours)';
const variable = once(() =>
  z
    .string()
    .regex(/^(?!STAGEWRIGHT_)[A-Za-z_][A-Za-z0-9_]*$/, { error: VARIABLE })
    .max(PLAN_BOUNDS.variable, { error: `${VARIABLE}, at most ${PLAN_BOUNDS.variable} characters` }),
);
const ANY_VARIABLE = 'expected the name of a variable (letters, digits, "_")';
/** One that may be ours: `STAGEWRIGHT_PARAM_TOKEN` can hold a secret, too. */
export const anyVariable = once(() =>
  z.string({ error: ANY_VARIABLE }).regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, { error: ANY_VARIABLE }),
);
export const env = once(() => recordOf(variable(), argument(), "variables to values"));

export const rate = once(() =>
  z
    .number({ error: "expected a number from 0 to 1" })
    .min(0, { error: "expected a number from 0 to 1" })
    .max(1, { error: "expected a number from 0 to 1" }),
);

const COMPARISON = 'expected a comparison with a number, such as ">= 3"';
export const comparison = once(() =>
  z
    .string({ error: COMPARISON })
    .regex(/^\s{0,9}(?:>=|<=|==|!=|>|<)\s{0,9}-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\s{0,9}$/, {
      error: COMPARISON,
    })
    .refine((value) => Number.isFinite(Number(value.replace(/^[\s<>=!]+/, ""))), {
      error: "expected a comparison with a number below 1.8e308",
    })
    .transform((value): { comparison: Comparison; value: number } => {
      const [, sign = "", number = ""] = /^\s*([<>=!]{1,2})\s*(.*)$/.exec(value) ?? [];
      return { comparison: comparisonOf(sign), value: Number(number) };
    }),
);

export function comparisonOf(sign: string): Comparison {
  switch (sign) {
    case ">":
    case ">=":
    case "<":
    case "<=":
    case "!=":
      return sign;
    default:
      return "==";
  }
}

export const exitCodes = once(() => list(whole(0, 255), "exit codes (0 to 255)", 256));

const SHARE = 'expected a whole number of agents or a share such as "75%"';
export const share = once(() =>
  z.union([z.int().min(1).max(PLAN_BOUNDS.agents), z.string().regex(/^(?:[1-9][0-9]?|100)%$/, { error: SHARE })], {
    error: SHARE,
  }),
);
const SPREAD = 'expected a share such as "5%" or 0.05';
/** 0.05 for "5%". */
export const spread = once(() =>
  z
    .union(
      [
        z.number({ error: SPREAD }).min(0, { error: SPREAD }).max(100, { error: SPREAD }),
        z.string({ error: SPREAD }).regex(/^[0-9]{1,4}(?:\.[0-9]{1,3})?%$/, { error: SPREAD }),
      ],
      { error: SPREAD },
    )
    .transform((value) => (typeof value === "number" ? value : Number(value.slice(0, -1)) / 100)),
);
const RULE = 'expected all_or_nothing, majority, best_effort, none, "at_least 3" or "at_least 75%"';
export const ruleValue = once(() =>
  z
    .string({ error: RULE })
    .regex(
      /^(?:all_or_nothing|majority|best_effort|none|at_least|at_least (?:[1-9][0-9]{0,4}|(?:[1-9][0-9]?|100)%))$/,
      {
        error: (issue) => RULE + guess(issue.input, ["all_or_nothing", "majority", "best_effort", "none"]),
      },
    )
    .refine((value) => !(Number(value.slice("at_least ".length)) > PLAN_BOUNDS.agents), {
      error: `expected at_least ${PLAN_BOUNDS.agents} or fewer`,
    }),
);

const RUNS_ON = "expected all, first or a list of agents (names or indexes)";
export const runsOn = once(() =>
  z.union(
    [
      oneOf(["all", "first"]),
      list(
        z.union(
          [
            whole(0, PLAN_BOUNDS.agents - 1),
            text("a name", PLAN_BOUNDS.name).regex(PRINTABLE, { error: NOT_PRINTABLE }),
          ],
          { error: RUNS_ON },
        ),
        "agents",
      ),
    ],
    { error: RUNS_ON },
  ),
);

const READY =
  'expected {port: 5432} or {run: "curl -sf localhost:8080/healthz"}, a command that succeeds once it is ready';
export const ready = once(() =>
  z.union([z.strictObject({ port: whole(1, 65_535) }), z.strictObject({ run: text("a command") })], {
    error: READY,
  }),
);

const pattern = once(() => text("a pattern", PLAN_BOUNDS.description));
const PATTERN = "expected a pattern such as build.* or a mapping such as {pattern: build.*, required: true}";
const contextPattern = once(() =>
  z.union([pattern(), z.strictObject({ pattern: pattern(), required: z.boolean().optional() })], { error: PATTERN }),
);
export const patterns = once(() =>
  z.union([contextPattern(), list(contextPattern(), "patterns", PLAN_BOUNDS.patterns)], {
    error: "expected a pattern or a list of patterns",
  }),
);

const KEPT = 'expected a path or pattern inside the working directory, without "..", such as "results/*.json"';
const keptPath = once(() =>
  text("a path or pattern", PLAN_BOUNDS.description).refine(
    (path) => !/^[/!]|\0/u.test(path) && path.split("/").every((part) => part !== ".."),
    { error: KEPT },
  ),
);
/** Of files that are kept. */
export const keptPaths = once(() =>
  list(keptPath(), "paths and patterns", COLLECT_BOUNDS.patterns).min(1, { error: "expected at least one path" }),
);

export const json = once((): z.ZodType<Json> => z.json());
const TASK_KEY = `expected the key of a task, at most ${PLAN_BOUNDS.taskBytes} characters`;
export const writtenTaskKey = once(() => z.string().max(PLAN_BOUNDS.taskBytes, { error: TASK_KEY }));
export const taskKeyValue = once(() =>
  scalar().refine((value) => String(value).length <= PLAN_BOUNDS.taskBytes, { error: TASK_KEY }),
);
/** A task's value: it reaches its command as one variable. */
export const taskValue = once(() =>
  json().refine((value) => jsonBytes(value) <= PLAN_BOUNDS.taskBytes, {
    error: `expected at most ${PLAN_BOUNDS.taskBytes} bytes as JSON`,
  }),
);
