/** What keys of a stage may say that are mappings of their own: one zod schema per key, as in `schema.ts`. */
import { z } from "zod";
import { PLAN_BOUNDS } from "../bounds.ts";
import { APPROVERS } from "../checkpoints.ts";
import { lazyShape } from "../parsing/lazy.ts";
import {
  durationValue,
  exitCodes,
  list,
  oneOf,
  pause,
  rate,
  spread,
  text,
  whole,
  word,
} from "../parsing/value-schemas.ts";
import { ACCEPTABLE, RETRY_REASONS } from "../plan.ts";

export const retryShape = lazyShape({
  max_attempts: () => whole(1, PLAN_BOUNDS.attempts).describe("Attempts in all, the first included").optional(),
  attempt_timeout: () =>
    durationValue()
      .describe("After this one attempt has failed (the stage's own `timeout` bounds all of them)")
      .optional(),
  backoff: () => pause().describe("Pause before the second attempt; doubles each time").optional(),
  max_backoff: () => pause().describe("The longest pause").optional(),
  on: () =>
    list(oneOf(RETRY_REASONS), RETRY_REASONS.join(" or "))
      .min(1, { error: `expected ${RETRY_REASONS.join(" or ")}` })
      .describe("What is tried again: `failure`, `timeout` (of `attempt_timeout`); default both")
      .optional(),
  on_exit_codes: () => exitCodes().describe("Of failures only these exit codes are tried again").optional(),
  not_on_exit_codes: () => exitCodes().describe("Failures with these exit codes are final").optional(),
});

export const thresholdsShape = lazyShape({
  max_errors: () => whole(0, Number.MAX_SAFE_INTEGER).describe("Errors that are still borne").optional(),
  max_error_rate: () => rate().describe("Errors / (done + errors) that is still borne").optional(),
  min_samples: () =>
    whole(1, Number.MAX_SAFE_INTEGER)
      .describe("Successes and errors from which on the rate counts; default 1")
      .optional(),
  max_consecutive_errors: () =>
    whole(0, Number.MAX_SAFE_INTEGER).describe("Errors in a row that are still borne").optional(),
});

const comparedTrials = {
  discard: () => whole(0, 998).describe("The first so many only warm up; default 0").optional(),
  between: () =>
    text("a shell script").describe("Run before each trial but the first (dropping caches, say)").optional(),
  max_spread: () =>
    spread()
      .describe("(largest - smallest) / median that metrics may have over the trials; more is unstable, a failure")
      .optional(),
};

export const trialsShape = lazyShape({
  count: () => whole(2, 1_000).describe("How often the stage is run; its name gets -trial-1, -trial-2, …").optional(),
  ...comparedTrials,
});

/** Of a repetition, which says how many there are. */
export const repeatTrialsShape = lazyShape(comparedTrials);

const APPROVER = 'expected a user ("ann"), an app ("deployer[bot]") or a team ("@acme/qa")';

export const checkpointShape = lazyShape({
  by: () =>
    list(z.string({ error: APPROVER }).regex(APPROVERS, { error: APPROVER }), "users, apps or teams", 100)
      .min(1, { error: APPROVER })
      .describe("For whom the run waits; default: for anybody")
      .optional(),
  timeout: () => durationValue().describe("How long it waits for them; default 6h").optional(),
  on_timeout: () => oneOf(["fail", "go_on"]).describe("What an unanswered wait comes to; default fail").optional(),
});

export const measureShape = lazyShape({
  warmup: () => pause().describe("Metrics told before the group has worked so long do not count").optional(),
  cooldown: () => pause().describe("Nor do those told so shortly before its `duration` is over").optional(),
});

export const dependencyShape = lazyShape({
  stage: () => word().describe("The stage whose result is needed"),
  even_if: () =>
    list(oneOf(ACCEPTABLE), ACCEPTABLE.join(" or "))
      .min(1, { error: `expected ${ACCEPTABLE.join(" or ")}` })
      .describe("What may have become of it all the same: `failed` (it was optional), `skipped` (it was left out)")
      .optional(),
});
