/**
 * The JSON result of a run, as a schema: what `json.ts` writes (tests hold the two together), what `stagewright report`
 * and baselines read, and what `stagewright schema result` prints.
 */
import { z } from "zod";
import { COLLECT_BOUNDS, RUN_BOUNDS } from "../../plan/bounds.ts";
import type { Json } from "../../plan/plan.ts";
import { AGGREGATIONS, DECISIONS } from "../../run/types.ts";
import { RESULT_VERSION } from "./provenance.ts";

export const RESULT_SCHEMA_ID = "urn:stagewright:schema:result";

const MOST_TEXT = 1_048_576;
const MOST_AGENTS = 10_000;
const text = z.string().max(MOST_TEXT);
const count = z.int().min(0);
const number = z.number();
const json: z.ZodType<Json> = z.json();
const time = z.iso.datetime().describe("UTC");
const status = z.enum(["success", "warning", "failure", "skipped", "cancelled"]);

const progress = z.object({ done: number, total: number.nullable(), errors: number });
const measured = z.object({ name: text, value: number, unit: text, agg: z.enum(AGGREGATIONS), count });
const metric = measured.extend({
  expected: text.nullable().describe("What `expect` said; null: nothing"),
  met: z.boolean().nullable().describe("Null: nothing was expected, or there is no verdict"),
  baseline: z
    .object({
      verdict: z.enum(["within", "worse", "no_verdict"]),
      samples: count.describe("Earlier runs that it was compared with"),
      median: number.nullable(),
      bound: number.nullable().describe("The last value that is not worse"),
    })
    .optional()
    .describe("Only of a metric that is held against earlier runs"),
});

const agent = z.object({
  agent: text,
  index: count,
  status: z.enum(["success", "failure", "skipped", "excluded", "lost", "stopped"]),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  duration_ms: number.nullable(),
  attempts: count,
  reason: text.nullable(),
  exit_code: z.int().nullable(),
  metrics: z.array(measured).optional().describe("Its own part of the stage's metrics; not there: none"),
});
const agents = z.array(agent).max(MOST_AGENTS);

const decision = z.enum(DECISIONS);
const quorum = z.object({
  decision,
  confidence: number.nullable().describe("Of those who voted so, weighed; null: none of them says"),
  weights: z.object({ pass: number, retry: number, fail: number }),
  votes: z.array(
    z.object({
      validator: text,
      weight: number,
      decision,
      confidence: number.nullable(),
      agent: text.nullable(),
      reason: text.nullable().describe("Why it counts as FAIL though it did not say so"),
    }),
  ),
  deficiencies: z.array(z.object({ validator: text, deficiency: json })),
  deficiencies_left_out: count,
  exhausted: text.nullable().describe("Why RETRY did not lead back; null: it did, or was not decided"),
});

const round = z.object({
  status,
  success: z.boolean(),
  duration_ms: number,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  reason: text.nullable(),
  retry_count: count,
  metrics: z.array(metric),
  agents,
  approval: z
    .object({
      by: text.nullable().describe("Null: nobody answered in time, and on_timeout is go_on"),
      why: text.nullable(),
      at: time.nullable(),
    })
    .optional()
    .describe("Who let it begin; only of a stage with a checkpoint"),
  quorum: quorum.optional().describe("Only of a quorum stage that came to a decision"),
});

const figures = z
  .object({
    count: count.describe("How many values were told"),
    min: number,
    max: number,
    mean: number,
    p50: number,
    p90: number,
    p95: number,
    p99: number,
    p99_9: number,
  })
  .describe("To three significant digits");

const task = z.object({
  task: text.describe("Its key, shortened"),
  status: z.enum(["done", "failed", "skipped", "unfinished"]),
  agent: text.nullable().describe("Who worked on it last"),
  attempts: count,
  failures: count,
  preemptions: count.describe("How often it was lost with its agent"),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  exit_code: z.int().nullable(),
  reason: text.nullable(),
  output_data: z.record(z.string(), json),
});

const phase = round.extend({
  phase: text.describe("The stage's name"),
  phase_name: text.describe("Its description, else its name"),
  order: count,
  skipped: z.boolean(),
  optional: z.boolean(),
  output_data: z.record(z.string(), json),
  error: text.nullable().describe("Why its work failed; null: it did not"),
  reason: text.nullable().describe("Why it failed, was skipped, or succeeded only with a warning"),
  progress: progress.nullable(),
  tasks: z.object({ done: count, failed: count, skipped: count, total: count }).nullable(),
  task_records: z
    .array(task)
    .max(RUN_BOUNDS.taskRecords)
    .optional()
    .describe("Only of a stage with tasks: those that were not done first; `tasks.total` counts those beyond, too"),
  histograms: z.record(z.string(), text).describe("Name -> HdrHistogram V2 compressed, base64; of all agents"),
  percentiles: z.record(z.string(), figures).describe("The same in numbers"),
  trial: z
    .object({
      of: text.describe("The name that its trials have in common"),
      number: count,
      count,
      discarded: z.boolean().describe("It only warmed up"),
      spreads: z
        .array(
          z.object({
            metric: text,
            values: z.array(number.nullable()).describe("Of each trial that is compared, in order"),
            median: number,
            min: number,
            max: number,
            spread: number.nullable().describe("(max - min) / median; null: the median is 0, and they differ"),
          }),
        )
        .optional()
        .describe("In the last trial: each metric over those that are compared"),
    })
    .optional()
    .describe("Only of one of several trials"),
  earlier_rounds: z
    .array(round)
    .optional()
    .describe("Only of a stage that was entered again: its rounds before this one, in order"),
});

const machine = z.object({
  cores: count,
  memory_bytes: number,
  cpu: text,
  os: text,
  kernel: text,
  arch: text,
  runner: text.nullable().describe("The runner's name; null: it was no job"),
});

/** What one agent kept of one round of a stage. */
export const collectedPartSchema = z.object({
  agent: text,
  phase: text,
  round: count,
  folder: text.describe("Where it put them, on its own machine"),
  files_total: count,
  bytes_total: count,
  files: z
    .array(z.object({ path: text, bytes: count }))
    .max(COLLECT_BOUNDS.files)
    .describe("By their place below the stage's working directory; fewer than the total where there are very many"),
  left_out_total: count,
  left_out: z.array(z.object({ path: text, why: text })).max(COLLECT_BOUNDS.files),
  complete: z.boolean().describe("False: there was more to look through than there was time or room for"),
});

export const resultSchema = z.object({
  schema_version: z
    .literal(RESULT_VERSION)
    .describe("New keys may come under one version; readers leave out what they do not know"),
  success: z.boolean(),
  verdict: z.enum(["success", "failure", "cancelled"]),
  message: text.describe("One sentence: what failed, where, who"),
  failed_stage: text.nullable(),
  started_at: time,
  completed_at: time,
  plan: z.object({
    name: text,
    file: text.describe("As it was given; in a job: from the repository's root"),
    work_digest: text
      .nullable()
      .describe("The same without what its stages expect: runs with the same one, on one testbed, may be compared"),
    digest: text.nullable().describe("SHA-256 over the plan without comments and positions, its parameters included"),
  }),
  params: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe("Secrets among them are masked"),
  commit: text.nullable().describe("The commit that the job ran for; null: not known"),
  run: z
    .object({ repository_id: text, run_id: text, attempt: count, group: text })
    .nullable()
    .describe("With the plan's name: what tells this run from all others"),
  versions: z.object({ stagewright: text }),
  testbed: text
    .nullable()
    .describe(
      "A fingerprint of the agents' machines (number, roles, processors, memory, system); null: not all are known",
    ),
  agents: z
    .array(z.object({ agent: text, index: count, role: text.nullable(), machine: machine.nullable() }))
    .max(MOST_AGENTS)
    .describe("As far as who writes this knows them: the leader all, a follower itself"),
  phase_results: z.array(phase).max(1_000).describe("Stages in the order of the plan"),
  timing_summary: z.object({
    total_duration_ms: number,
    phases: z.array(
      z.object({
        phase: text,
        success: z.boolean(),
        skipped: z.boolean(),
        duration_ms: number,
        first_done_at: time.nullable().describe("When the first of its agents was done"),
        last_done_at: time.nullable(),
      }),
    ),
  }),
  stopped_after_phase: text.nullable(),
  collected: z
    .array(collectedPartSchema)
    .max(10_000)
    .optional()
    .describe(
      "Files that stages kept (`collect`), by agent: of the agents that who writes this started, so in a job of its own. Not there: none were kept or left out",
    ),
});

export type Result = Readonly<z.infer<typeof resultSchema>>;
export type BaselineVerdict = NonNullable<z.infer<typeof metric>["baseline"]>;
export type PhaseResult = Result["phase_results"][number];
export type RoundResult = z.infer<typeof round>;
export type ResultAgent = z.infer<typeof agent>;

/** As JSON Schema (draft 2020-12). */
export function resultJsonSchema(): Readonly<Record<string, Json>> {
  const schema = z.toJSONSchema(resultSchema, { io: "input", target: "draft-2020-12" });
  const described = { $id: RESULT_SCHEMA_ID, title: "Stagewright result", ...schema };
  return JSON.parse(JSON.stringify(described));
}
