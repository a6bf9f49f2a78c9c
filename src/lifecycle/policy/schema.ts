/**
 * What a policy file may say: one zod schema per key, with its description. It validates (key by key), becomes the
 * JSON Schema and the key tables of the guide. Conditions and actions have schemas of their own, in their files.
 */
import { z } from "zod";
import { POLICY_STAGE_NAME } from "./policy.ts";
import {
  age,
  booleanValue,
  labelPattern,
  name,
  names,
  shortText,
  strictMapping,
  wholeNumber,
} from "./value-schemas.ts";

/** GitHub's longest label less `stage/`. */
const LONGEST_STAGE_NAME = 44;
export const MOST_STAGES = 30;

const STAGE_NAME = 'expected a stage\'s name: lower-case letters, digits, "-", "_" and ".", beginning with a letter';
export const stageName = z
  .string({ error: STAGE_NAME })
  .max(LONGEST_STAGE_NAME, { error: `${STAGE_NAME}, at most ${LONGEST_STAGE_NAME} characters` })
  .regex(/^[a-z][a-z0-9._-]*$/, { error: STAGE_NAME })
  .refine((stage) => stage !== POLICY_STAGE_NAME, {
    error: `"${POLICY_STAGE_NAME}" is the name of the check run about the policy itself, expected another`,
  });

const REPOSITORY = 'expected a repository, such as "org/.github"';
const PATTERN = 'expected a pattern with one "*" that stands for digits, such as "task-*"';
const pattern = z
  .string({ error: PATTERN })
  .max(100, { error: PATTERN })
  .regex(/^[^*]*\*[^*]*$/, { error: PATTERN })
  .optional();
const COLOR = 'expected six hexadecimal digits in quotes, such as "1d76db"';
const STAGES = `expected a list of 1 to ${MOST_STAGES} stages`;

/** Conditions and actions are read by their own readers: their schema is in their table. */
const condition = z.unknown();
const actions = z.array(z.unknown(), { error: "expected a list of actions" }).max(20, {
  error: "expected a list of at most 20 actions",
});

export const policyShape = {
  version: z.literal(1, { error: "expected 1" }).describe("Version of the policy language: 1."),
  extends: z
    .string({ error: REPOSITORY })
    .max(140, { error: REPOSITORY })
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/, { error: REPOSITORY })
    .describe("A repository whose policy this one builds on: keys given here replace its keys, stages by their name."),
  stages: z
    .array(z.unknown(), { error: STAGES })
    .min(1, { error: STAGES })
    .max(MOST_STAGES, { error: STAGES })
    .describe("The stages, in order."),
  on_push: z
    .union(
      [
        stageName.transform((backTo) => ({ back_to: backTo, cancel: undefined, except: undefined })),
        strictMapping({
          back_to: z
            .union([stageName, z.literal(false)], { error: "expected the name of a stage, or false for none" })
            .optional(),
          cancel: booleanValue.optional(),
          except: strictMapping({ by: names }).optional(),
        }),
      ],
      { error: "expected the name of a stage, or { back_to, cancel, except }" },
    )
    .describe(
      "What a push does: `back_to` a stage (default: the first; `false`: none), `cancel` the runs that were started for the old commit (default: true), `except: {by}`: pushes by these keep everything.",
    ),
  operators: z
    .union([name.transform((one) => [one]), z.array(name, { error: "expected a list of names" }).max(50)], {
      error: "expected names of users, apps and teams",
    })
    .describe("Who may move a pull request past conditions that do not hold (default: nobody)."),
  task_id: strictMapping({ label: pattern, branch: pattern, title: pattern }).describe(
    "Where the ticket's number stands, `*` for its digits; the first of label, branch and title that matches.",
  ),
  max_rounds: wholeNumber(1, 1_000).describe("How often a pull request may be sent back before it is put on hold."),
  checks: z
    .enum(["all", "gates"], { error: "expected all | gates" })
    .describe("Which stages have check runs: all that are reached and the next (default), or gates only."),
  opt_out_label: labelPattern.describe("The label that takes a pull request out (default: stagewright/off)."),
} satisfies z.ZodRawShape;

export const policyStageShape = {
  name: stageName.describe("Lower-case letters, digits, `-`, `_`, `.`; shown as the label `stage/<name>`."),
  enter: condition.describe("The condition for entering it."),
  when: condition.describe("Whether the stage exists for a pull request at all (default: always)."),
  owner: name.describe("Who acts while a pull request is here: `{{owner}}`, and mentioned when it is stuck."),
  description: shortText("a description", 100).describe("Of its label."),
  on_enter: actions.describe("Actions on the way forward."),
  on_back: actions.describe("Actions when a pull request comes back to it."),
  back: strictMapping({ when: condition.optional(), to: stageName }).describe(
    "`when`: a condition on what was done since it was entered; `to`: the earlier stage to which it then goes back.",
  ),
  max_age: age.describe("How long a pull request should be here at most."),
  on_overdue: actions.describe("Actions once `max_age` is over (default: a comment that mentions the owner)."),
  gate: booleanValue.describe("Shows its check run from the start, for branch protection (default: the last stage)."),
  color: z
    .string({ error: COLOR })
    .regex(/^#?[0-9a-fA-F]{6}$/, { error: COLOR })
    .transform((value) => value.replace("#", "").toLowerCase())
    .describe("Of its label: six hexadecimal digits."),
} satisfies z.ZodRawShape;
