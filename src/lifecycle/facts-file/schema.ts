/** The form of a file of facts: what may be written there, each with the words for what is wrong. */
import { z } from "zod";
import { strictMapping } from "../policy/value-schemas.ts";
import { peopleShape } from "./people.ts";

/** Whose checks those are that a file gives no app. */
export const DEFAULT_CHECKS_APP = "github-actions";
const MOST_ACTS = 1_000;
const MOST_CHECKS = 200;
const MOST_FILES = 3_000;
const MOST_EVENTS = 100;

export const DATE = 'expected a date such as "2026-03-02T09:00:00Z", or the time since the opening such as "90m"';
const bounded = (what: string, most: number) => {
  const error = `expected ${what} of at most ${most} characters`;
  return z.string({ error }).max(most, { error });
};
const LOGIN = 'expected a user ("alice") or an app ("rex[bot]")';
const login = z
  .string({ error: LOGIN })
  .max(100, { error: LOGIN })
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*(?:\[bot\])?$/, { error: LOGIN });
const sha = z
  .string({ error: "expected a commit: hexadecimal digits" })
  .regex(/^[0-9a-f]{4,64}$/, { error: "expected a commit: 4 to 64 hexadecimal digits" });
const id = z.int({ error: "expected a whole number" }).min(1, { error: "expected a whole number from 1" });
const when = z.union([z.string({ error: DATE }).max(40, { error: DATE }), z.number({ error: DATE })], { error: DATE });
const RESULTS = ["success", "failure", "cancelled"] as const;
const result = z.enum(RESULTS, { error: "expected success | failure | cancelled" });
const label = bounded("a label", 50).min(1, { error: "expected a label" });

const done = { at: when, by: login };
/** Of a run: `origin`: who wrote what it executed; default: the app started it. */
const ofRun = {
  result,
  sha: sha.optional(),
  origin: z
    .enum(["started", "default_branch", "unchanged", "changed", "untold"], {
      error: "expected started | default_branch | unchanged | changed | untold",
    })
    .optional(),
};
/** The workflow file that a plan ran in. */
const plansWorkflow = bounded("a workflow", 255).optional();
const actShape = z.discriminatedUnion(
  "do",
  [
    strictMapping({ do: z.literal("labeled"), ...done, label }),
    strictMapping({ do: z.literal("unlabeled"), ...done, label }),
    strictMapping({
      do: z.literal("review"),
      ...done,
      state: z.enum(["approved", "changes_requested", "commented"], {
        error: "expected approved | changes_requested | commented",
      }),
      id: id.optional(),
      sha: sha.optional(),
    }),
    strictMapping({ do: z.literal("review_dismissed"), ...done, id }),
    strictMapping({ do: z.literal("pushed"), ...done, sha }),
    strictMapping({ do: z.literal("drafted"), ...done }),
    strictMapping({ do: z.literal("readied"), ...done }),
    strictMapping({ do: z.literal("closed"), ...done, merged: z.boolean().optional() }),
    strictMapping({ do: z.literal("reopened"), ...done }),
    strictMapping({ do: z.literal("base_changed"), ...done, to: bounded("a branch", 255) }),
    strictMapping({
      do: z.literal("command"),
      ...done,
      command: bounded("a command's name", 40),
      argument: bounded("an argument", 200).optional(),
    }),
    strictMapping({ do: z.literal("workflow"), ...done, ...ofRun, workflow: bounded("a workflow", 255) }),
    strictMapping({ do: z.literal("plan"), ...done, ...ofRun, plan: bounded("a plan", 255), workflow: plansWorkflow }),
  ],
  {
    error:
      "expected do: labeled | unlabeled | review | review_dismissed | pushed | drafted | readied | closed | reopened | base_changed | command | workflow | plan",
  },
);

const checkShape = strictMapping({
  name: bounded("a check's name", 255),
  at: when.optional(),
  app: bounded("an app's slug", 100).optional(),
  status: z
    .enum(["queued", "in_progress", "completed"], { error: "expected queued | in_progress | completed" })
    .optional(),
  conclusion: bounded("a conclusion such as success", 40).optional(),
  sha: sha.optional(),
});

const suiteShape = strictMapping({
  app: bounded("an app's slug", 100).optional(),
  workflow: bounded("a workflow", 255).optional(),
  finished: z.boolean({ error: "expected true or false" }),
});

const acts = z.array(actShape, { error: "expected a list of acts" }).max(MOST_ACTS, {
  error: `expected at most ${MOST_ACTS} acts`,
});
const checks = z.array(checkShape, { error: "expected a list of checks" }).max(MOST_CHECKS, {
  error: `expected at most ${MOST_CHECKS} checks`,
});
const suites = z.array(suiteShape, { error: "expected a list of check suites" }).max(MOST_CHECKS, {
  error: `expected at most ${MOST_CHECKS} check suites`,
});
const files = z.array(bounded("a path", 4_096), { error: "expected a list of paths" }).max(MOST_FILES, {
  error: `expected at most ${MOST_FILES} paths`,
});

/** What an event adds: acts, checks, or both. */
const eventShape = strictMapping({
  acts: acts.optional(),
  checks: checks.optional(),
  suites: suites.optional(),
  files: files.optional(),
});

export const factsFileShape = strictMapping({
  pull: strictMapping({
    number: id,
    author: login,
    head: sha,
    opened_at: z.string({ error: DATE }).max(40, { error: DATE }).optional(),
    title: bounded("a title", 1_024).optional(),
    body: bounded("a description", 65_536).optional(),
    draft: z.boolean({ error: "expected true or false" }).optional(),
    branch: bounded("a branch", 255).optional(),
    base: bounded("a branch", 255).optional(),
    labels: z.array(label, { error: "expected a list of labels" }).max(100).optional(),
    fork: z.boolean({ error: "expected true or false" }).optional(),
  }),
  people: peopleShape.optional(),
  acts: acts.optional(),
  checks: checks.optional(),
  suites: suites.optional(),
  files: files.optional(),
  events: z
    .record(z.string().max(100), eventShape, { error: "expected events by their names" })
    .refine((all) => Object.keys(all).length <= MOST_EVENTS, { error: `expected at most ${MOST_EVENTS} events` })
    .optional(),
});
export type FactsFile = z.infer<typeof factsFileShape>;
export type WrittenEvent = z.infer<typeof eventShape>;
export type WrittenAct = z.infer<typeof actShape>;
export type WrittenSuite = z.infer<typeof suiteShape>;
