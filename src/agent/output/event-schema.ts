/** What a line of `$STAGEWRIGHT_EVENTS` may say. */
import { z } from "zod";
import { jsonBytes, PLAN_BOUNDS, TOLD_BOUNDS } from "../../plan/bounds.ts";
import { escapeUnprintable, NOT_PRINTABLE, PRINTABLE } from "../../plan/parsing/names.ts";
import type { Json } from "../../plan/plan.ts";
import { LARGEST_METRIC } from "../../run/measurement/metrics.ts";
import { AGGREGATIONS } from "../../run/types.ts";
import { unfitJson } from "./unfit-json.ts";

const name = z.string().min(1).max(PLAN_BOUNDS.longName).regex(PRINTABLE, NOT_PRINTABLE);
/** Characters of what is said about one line. */
const LONGEST_REASON = 1_000;
const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const json: z.ZodType<Json> = z.json();
const task = json.refine(
  (value) => jsonBytes(value) <= PLAN_BOUNDS.taskBytes,
  `a task may have at most ${PLAN_BOUNDS.taskBytes} bytes as JSON`,
);

export const eventSchema = z
  .strictObject({
    progress: z.strictObject({
      done: amount.describe("Done so far in this attempt: a running total, not what is new"),
      total: amount.nullish().describe("Of how many, where that is known"),
      errors: amount.optional().describe("Errors so far, for `thresholds`"),
    }),
    metric: z.strictObject({
      name: name.describe("What `expect` means, at most 200 characters"),
      value: z.number().min(-LARGEST_METRIC).max(LARGEST_METRIC).describe("What was measured"),
      unit: z.string().max(TOLD_BOUNDS.unit).optional().describe("As reports show it"),
      agg: z.enum(AGGREGATIONS).optional().describe("How all that is told becomes one number; default mean"),
      count: z.number().int().min(1).optional().describe("How many samples `value` stands for; default 1"),
    }),
    /** `values` (or one `value`): whole numbers ≥ 0; `encoded`: an HdrHistogram, V2 compressed, base64. */
    histogram: z.union([
      z.strictObject({ name, value: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) }),
      z.strictObject({ name, values: z.array(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)).min(1) }),
      z.strictObject({ name, encoded: z.base64().min(1) }),
    ]),
    annotation: z.strictObject({
      path: z.string().min(1).max(PLAN_BOUNDS.path).optional().describe("A file in the repository; default: the plan"),
      line: z.number().int().min(1).optional().describe("Its line; default: that of the stage"),
      level: z.enum(["notice", "warning", "failure", "error"]).optional().describe("Default notice; error is failure"),
      // Longer ones are cut when they are reported.
      title: z.string().optional().describe("Its heading"),
      message: z.string().min(1).describe("What is to be said"),
    }),
    output: z.record(name, json),
    tasks: z.array(task).max(TOLD_BOUNDS.tasks),
  })
  .partial();

/** One line, understood. Several keys in one line are taken one after the other. */
export type CommandEvent = z.infer<typeof eventSchema>;

/** Reads a line; a string says what is wrong with it. */
export function readEvent(line: string): CommandEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "is not JSON";
  }
  const unfit = unfitJson(value);
  if (unfit !== null) return unfit;
  const parsed = eventSchema.safeParse(value);
  if (parsed.success) {
    return Object.keys(parsed.data).length > 0 ? parsed.data : "says nothing (an empty object)";
  }
  const issue = parsed.error.issues[0];
  if (issue === undefined) return "is not an event";
  const at = issue.path.join(".");
  // A key that was not expected is part of it, whatever it is made of.
  return escapeUnprintable(`${at === "" ? "" : `${at}: `}${issue.message}`).slice(0, LONGEST_REASON);
}
