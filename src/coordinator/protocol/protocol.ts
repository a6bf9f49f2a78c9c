/**
 * What agents and coordinator say to each other, as schemas that both ends parse with.
 *
 * Versioned by `protocol`: a coordinator serves its own version and the one before. Every list and text is bounded
 * here, so that nothing behind this file meets an unbounded value.
 */
import { z } from "zod";
import { jsonBytes, PLAN_BOUNDS, TOLD_BOUNDS, WIRE_BOUNDS } from "../../plan/bounds.ts";
import type { Json } from "../../plan/plan.ts";
import { LARGEST_METRIC } from "../../run/measurement/metrics.ts";
import { AGENT_STATUSES, AGGREGATIONS, DECISIONS, TIME_LIMITS } from "../../run/types.ts";
import { isHistogram } from "../hosting/histograms.ts";
import { agentAddress, planSchema, printable, wireTaskKey, wireTaskValue } from "./plan-schema.ts";

/** Newest first. */
export const PROTOCOLS = [4, 3] as const;
export const PROTOCOL = PROTOCOLS[0];

const time = z.number().finite();
const name = printable(PLAN_BOUNDS.longName);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const json: z.ZodType<Json> = z.json();
const version = z.string().max(64);
const outputs = z
  .record(name, json)
  .refine(
    (values) => jsonBytes(values) <= TOLD_BOUNDS.outputBytes,
    `expected at most ${TOLD_BOUNDS.outputBytes} bytes`,
  );

export const runKeySchema = z.strictObject({
  repositoryId: printable(64),
  runId: printable(64),
  attempt: z.number().int().min(1).max(1_000_000),
  group: name,
  plan: name,
});

const selectionSchema = z.strictObject({
  only: z.array(count).max(PLAN_BOUNDS.stages).nullable(),
  skip: z.array(count).max(PLAN_BOUNDS.stages),
  stopAfter: count.nullable(),
});

const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const progressSchema = z.strictObject({ done: amount, total: amount.nullable(), errors: amount });

const reason = z.string().max(TOLD_BOUNDS.reason);
const attemptEndSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("no_command") }),
  z.strictObject({ kind: z.literal("exited"), code: z.number().int() }),
  z.strictObject({ kind: z.literal("signalled"), signal: z.string().max(32) }),
  z.strictObject({ kind: z.literal("time_over"), limit: z.enum(TIME_LIMITS), killed: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal("stopped"), why: reason }),
  z.strictObject({ kind: z.literal("reset") }),
  z.strictObject({ kind: z.literal("not_started"), message: reason }),
  z.strictObject({ kind: z.literal("bad_tasks"), message: reason }),
  z.strictObject({ kind: z.literal("checks_failed"), message: reason }),
  z.strictObject({
    kind: z.literal("threshold"),
    threshold: z.enum(["max_errors", "max_error_rate", "max_consecutive_errors"]),
    message: reason,
  }),
]);

const metricSchema = z.strictObject({
  name,
  value: z.number().min(-LARGEST_METRIC).max(LARGEST_METRIC),
  unit: z.string().max(TOLD_BOUNDS.unit),
  agg: z.enum(AGGREGATIONS),
  count,
});

const histogramSchema = z
  .base64()
  .max(TOLD_BOUNDS.histogramBytes)
  .refine(isHistogram, "expected an HdrHistogram of 3 significant digits, V2 compressed, base64");

const annotationSchema = z.strictObject({
  path: z.string().max(PLAN_BOUNDS.path),
  line: z.number().int().min(1),
  level: z.enum(["notice", "warning", "failure"]),
  title: z.string().max(TOLD_BOUNDS.annotationTitle).nullable(),
  message: z.string().max(TOLD_BOUNDS.annotationMessage),
});

const ballotSchema = z.union([
  z.strictObject({
    decision: z.enum(DECISIONS),
    confidence: z.number().min(0).max(1).nullable(),
    deficiencies: z
      .array(json)
      .max(TOLD_BOUNDS.deficiencies)
      .refine((values) => jsonBytes(values) <= TOLD_BOUNDS.deficiencyBytes),
  }),
  z.strictObject({ unreadable: reason }),
]);

const attemptReportSchema = z.strictObject({
  stage: count,
  attempt: name,
  task: wireTaskKey.nullable(),
  startedAt: time,
  endedAt: time,
  end: attemptEndSchema,
  progress: progressSchema.nullable(),
  metrics: z.array(metricSchema).max(TOLD_BOUNDS.metrics),
  histograms: z.record(name, histogramSchema),
  outputs,
  annotations: z.array(annotationSchema).max(TOLD_BOUNDS.annotations),
  tail: z.string().max(TOLD_BOUNDS.tail),
  ballot: ballotSchema.exactOptional(),
  laterTasks: z.array(wireTaskValue).max(TOLD_BOUNDS.laterTasks).exactOptional(),
});

const machineSchema = z.strictObject({
  cores: z.number().int().min(1).max(1_000_000),
  memoryBytes: count,
  cpu: z.string().max(PLAN_BOUNDS.longName),
  os: printable(PLAN_BOUNDS.longName),
  kernel: printable(PLAN_BOUNDS.longName),
  arch: printable(PLAN_BOUNDS.longName),
  runner: name.nullable(),
  host: name.optional(),
});

export const joinBodySchema = z.strictObject({
  protocol: z.number().int(),
  /** Chosen by the agent, the same on each repetition of one join: a lost answer is given again. */
  nonce: z.string().min(16).max(128),
  key: runKeySchema,
  /** The whole plan; its digest is computed by the coordinator, never believed. */
  plan: planSchema,
  selection: selectionSchema,
  agentCount: z.number().int().min(1).max(1_000_000),
  agent: name,
  role: name.nullable(),
  index: count.nullable(),
  address: agentAddress.nullable(),
  machine: machineSchema.optional(),
  resume: z.boolean().optional(),
});

export const syncBodySchema = z.strictObject({
  protocol: z.number().int(),
  seq: z.number().int().min(1),
  holdMs: z.number().int().min(0).max(WIRE_BOUNDS.holdMs),
  /** Non-null: the agent dropped what it was doing and is idle again. */
  reset: reason.nullable(),
  sync: z.strictObject({
    doing: printable(WIRE_BOUNDS.doing),
    status: z.enum(AGENT_STATUSES),
    stage: count.nullable(),
    progress: progressSchema.nullable(),
    finished: z.array(attemptReportSchema).max(WIRE_BOUNDS.reports),
    wants: z.number().int().min(0).max(PLAN_BOUNDS.concurrency),
    addTasks: z.array(wireTaskValue).max(WIRE_BOUNDS.tasks),
    ready: z.array(count).max(PLAN_BOUNDS.stages),
    outputs,
    attempts: z
      .array(name)
      .max(PLAN_BOUNDS.stages + 1)
      .exactOptional(),
  }),
  known: z.strictObject({
    /** Versions of what the agent was told before: what has not changed since is not told again. */
    roster: version.nullable(),
    outputs: version.nullable(),
    /** The newest notice that it has. */
    notice: count,
  }),
});
export type SyncBody = z.infer<typeof syncBodySchema>;

export const leaveBodySchema = z.strictObject({
  protocol: z.number().int(),
  seq: z.number().int().min(1),
  why: reason,
});

export const joinedSchema = z.object({ protocol: z.number(), run: name, session: z.string(), now: time });

/** What `GET /api/runs/{run}/plan` answers. */
export const runTermsSchema = z.strictObject({
  key: runKeySchema,
  plan: planSchema,
  selection: selectionSchema,
  agentCount: z.number().int().min(1).max(PLAN_BOUNDS.agents),
});

/** What an agent does not know yet. `from`: the version that the pieces follow on; null: on nothing. */
const growth = <T extends z.ZodType>(piece: T) =>
  z.object({ version, from: version.nullable(), pieces: z.array(piece) }).nullable();

/** Answers come from a coordinator that the agent has already authenticated: their frame is checked, not each leaf. */
export const syncAnswerSchema = z.object({
  instruction: z.looseObject({ do: z.enum(["wait", "execute", "stop", "abort", "exclude", "finish"]) }),
  now: time,
  /** Null: there is none yet, or it is the one that the agent knows. Pieces: agents, in order. */
  roster: growth(
    z.array(
      z.object({
        name: z.string(),
        index: z.number(),
        role: z.string().nullable(),
        roleIndex: z.number(),
        // A coordinator of another version may pass on what this one would have refused.
        address: agentAddress.nullable().catch(null),
      }),
    ),
  ),
  /** Null: they are those that the agent knows. Pieces: stage -> key -> value. */
  outputs: growth(z.record(z.string(), z.record(z.string(), z.unknown()))),
  /** There is more of them: to be asked for at once, and nothing to be done before it has come. */
  more: z.boolean(),
  notices: z.array(z.string()),
  /** The newest of all notices. */
  notice: count,
});

export const refusalSchema = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
  /** To a join that comes when the run is over: what came of it, as its agents were told. */
  ended: z
    .object({
      member: z.boolean(),
      summary: z.looseObject({
        status: z.string(),
        verdict: z.enum(["success", "failure", "cancelled"]),
        message: z.string(),
        failedStage: z.string().nullable(),
        phases: z.array(z.looseObject({ name: z.string() })),
      }),
    })
    .optional(),
});
