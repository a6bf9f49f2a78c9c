/** The keys of quorum stages, in which validators vote on what stages before them did. */
import { z } from "zod";
import { PLAN_BOUNDS } from "../bounds.ts";
import { lazyShape } from "../parsing/lazy.ts";
import { durationValue, list, mapping, oneOf, pause, text, whole, word } from "../parsing/value-schemas.ts";

const WEIGHT = "expected a number above 0 and up to 1000000, with at most three decimals";
const PERCENT = 'expected a share of the weight such as "60%"';

const share = () =>
  z
    .string({ error: PERCENT })
    .regex(/^(?:100|[1-9][0-9]?|0\.[0-9]{0,1}[1-9]|[1-9][0-9]?\.[0-9]{1,2}) ?%$/, { error: PERCENT })
    .transform((value) => Number(value.slice(0, -1)));

export const validatorShape = lazyShape({
  name: () => word().describe("Unique in its stage"),
  run: () => text("a shell script").describe("A shell script that prints its verdict as JSON on standard output"),
  weight: () =>
    z
      .number({ error: WEIGHT })
      .gt(0, { error: WEIGHT })
      .max(1_000_000, { error: WEIGHT })
      .refine((value) => Number.isInteger(Math.round(value * 1e6) / 1e3), { error: WEIGHT })
      .describe("Of its vote beside the others'; default 1")
      .optional(),
  timeout: () => durationValue().describe("Over it, its vote is FAIL; default: the stage's remaining time").optional(),
});

export const quorumKeys = {
  validators: () =>
    list(mapping(validatorShape, "a validator"), "validators", PLAN_BOUNDS.validators)
      .min(1, { error: "expected at least one validator" })
      .describe("Of a quorum stage: who votes, each one of its tasks")
      .optional(),
  pass_at: () => share().describe("Of a quorum stage: PASS from this share of the weight on; default 60%").optional(),
  retry_at: () => share().describe("Of a quorum stage: RETRY from this share of the weight on; default 40%").optional(),
  retry_stages: () =>
    list(word(), "stage names")
      .min(1, { error: "expected at least one stage" })
      .describe("Of a quorum stage: the stages before it that begin a new round after RETRY, with what depends on them")
      .optional(),
  max_retries: () =>
    whole(0, PLAN_BOUNDS.retries).describe("Of a quorum stage: how often it may say RETRY; default 3").optional(),
  backoff: () =>
    pause()
      .describe("Of a quorum stage: pause before the first new round; doubles each time, up to 10m; default 1s")
      .optional(),
  on_exhausted: () =>
    oneOf(["warn", "fail"])
      .describe("Of a quorum stage: what one RETRY more than `max_retries` comes to; default warn, and go on")
      .optional(),
};
