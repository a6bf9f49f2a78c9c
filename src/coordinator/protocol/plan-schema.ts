/**
 * A plan as it comes over the wire: every default filled in, every list and text bounded, so that a coordinator can
 * rely on its shape whoever sent it. What a plan *file* may say is `plan/schema.ts`'s business.
 */
import { z } from "zod";
import { COLLECT_BOUNDS, jsonBytes, PLAN_BOUNDS } from "../../plan/bounds.ts";
import { ADDRESS, NOT_AN_ADDRESS } from "../../plan/parsing/address.ts";
import { NOT_PRINTABLE, PRINTABLE } from "../../plan/parsing/names.ts";
import {
  ACCEPTABLE,
  BASELINE_TESTS,
  BETTER,
  COMPLETIONS,
  type Json,
  RESUME_RULES,
  RETRY_REASONS,
  STAGE_TYPES,
} from "../../plan/plan.ts";

const json: z.ZodType<Json> = z.json();
/** What comes back in logs, pages and refusals. */
export const printable = (most: number) => z.string().max(most).regex(PRINTABLE, NOT_PRINTABLE);
/** Where an agent is reached: it gets into every other agent's host file. */
export const agentAddress = z.string().max(300).regex(ADDRESS, NOT_AN_ADDRESS);
/** Names that repetitions number are longer than those that a file may say. */
const name = printable(PLAN_BOUNDS.longName);
const text = z.string().max(2 * PLAN_BOUNDS.fileBytes);
const path = z.string().max(PLAN_BOUNDS.path);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const ms = z.number().min(0).max(PLAN_BOUNDS.durationMs);
const env = z.record(z.string().min(1).max(PLAN_BOUNDS.variable), text);
const dependencies = z
  .array(z.strictObject({ stage: name, evenIf: z.array(z.enum(ACCEPTABLE)).max(ACCEPTABLE.length) }))
  .max(PLAN_BOUNDS.list);
/** A task's value, and its key: what stands for it, or its number. */
export const wireTaskValue = json.refine(
  (value) => jsonBytes(value) <= PLAN_BOUNDS.taskBytes,
  `expected at most ${PLAN_BOUNDS.taskBytes} bytes`,
);
export const wireTaskKey = z.string().max(PLAN_BOUNDS.taskBytes);
const exitCodes = z.array(z.number().int().min(0).max(255)).max(256);

const command = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("script"), script: text }),
  z.strictObject({ kind: z.literal("program"), file: path, args: z.array(text).max(PLAN_BOUNDS.list) }),
]);

const version = z.strictObject({
  comparison: z.enum([">", ">=", "<", "<=", "==", "!="]),
  numbers: z.array(count).min(1).max(6),
});
const check = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("disk"), path, freeBytes: count }),
  z.strictObject({ kind: z.literal("memory"), availableBytes: count }),
  z.strictObject({ kind: z.literal("tool"), name: path, version: version.nullable() }),
  z.strictObject({ kind: z.literal("variable"), name }),
  z.strictObject({ kind: z.literal("reachable"), address: agentAddress }),
  z.strictObject({ kind: z.literal("port"), port: z.number().int().min(1).max(65_535) }),
  z.strictObject({ kind: z.literal("clock"), mostMs: ms }),
]);

const runsOn = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z.strictObject({ kind: z.literal("first") }),
  z.strictObject({ kind: z.literal("agents"), agents: z.array(z.union([name, count])).max(PLAN_BOUNDS.agents) }),
]);

const barrierRule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all_or_nothing") }),
  z.strictObject({ kind: z.literal("majority") }),
  z.strictObject({ kind: z.literal("best_effort") }),
  z.strictObject({ kind: z.literal("at_least"), count: z.number().int().min(1).max(PLAN_BOUNDS.agents) }),
  z.strictObject({ kind: z.literal("at_least_percent"), percent: z.number().gt(0).max(100) }),
  z.strictObject({ kind: z.literal("none") }),
]);

const barrier = z.strictObject({
  rule: barrierRule,
  timeoutMs: ms.nullable(),
  stragglerGraceMs: ms,
  onStraggler: z.enum(["exclude", "rejoin"]),
  heartbeatIntervalMs: ms.gt(0).nullable(),
  missedThreshold: count.nullable(),
  queryTimeoutMs: ms.nullable(),
  queryRetries: count.nullable(),
});

const taskSource = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("list"), values: z.array(wireTaskValue).max(PLAN_BOUNDS.tasks) }),
  z.strictObject({ kind: z.literal("count"), count: count.max(PLAN_BOUNDS.tasks) }),
  z.strictObject({ kind: z.literal("from"), command: text }),
  z.strictObject({ kind: z.literal("stage"), stage: name }),
]);

const tasks = z.strictObject({
  source: taskSource,
  concurrency: z.number().int().min(1).max(PLAN_BOUNDS.concurrency),
  maxFailures: count,
  maxPreemptions: count,
  needs: z.record(wireTaskKey, z.array(wireTaskKey).max(PLAN_BOUNDS.list)),
});

const quorum = z.strictObject({
  validators: z
    .array(z.strictObject({ name, run: text, weight: z.number().gt(0).max(1_000_000), timeoutMs: ms.gt(0).nullable() }))
    .min(1)
    .max(PLAN_BOUNDS.validators),
  passAt: z.number().gt(0).max(100),
  retryAt: z.number().gt(0).max(100),
  retryStages: z.array(name).max(PLAN_BOUNDS.stages),
  maxRetries: count.max(PLAN_BOUNDS.retries),
  backoffMs: ms,
  onExhausted: z.enum(["warn", "fail"]),
});

const stage = z.strictObject({
  name,
  description: text.nullable(),
  index: count,
  order: z.number(),
  type: z.enum(STAGE_TYPES),
  completion: z.enum(COMPLETIONS),
  line: count,
  column: count,
  command: command.nullable(),
  env,
  workingDirectory: path.nullable(),
  durationMs: ms.nullable(),
  maxDurationMs: ms.nullable(),
  timeoutMs: ms,
  optional: z.boolean(),
  when: z.enum(["on_success", "on_failure", "always"]),
  runsOn,
  role: name.nullable(),
  retry: z.strictObject({
    maxAttempts: z.number().int().min(1).max(PLAN_BOUNDS.attempts),
    attemptTimeoutMs: ms.nullable(),
    on: z.array(z.enum(RETRY_REASONS)).max(RETRY_REASONS.length),
    backoffMs: ms,
    maxBackoffMs: ms,
    onExitCodes: exitCodes.nullable(),
    notOnExitCodes: exitCodes,
  }),
  barrier,
  dependsOn: dependencies,
  expectedObjects: count.nullable(),
  expectedTasks: count.nullable(),
  thresholds: z
    .strictObject({
      maxErrors: count.nullable(),
      maxErrorRate: z.number().min(0).max(1).nullable(),
      maxConsecutiveErrors: count.nullable(),
      minSamples: count.min(1).optional(),
    })
    .nullable(),
  expect: z
    .array(z.strictObject({ metric: name, comparison: z.enum([">", ">=", "<", "<=", "==", "!="]), value: z.number() }))
    .max(PLAN_BOUNDS.expectations),
  baselines: z
    .array(
      z.strictObject({
        metric: name,
        from: z.array(path).min(1).max(100),
        better: z.enum(BETTER),
        runs: count,
        atLeast: count,
        test: z.enum(BASELINE_TESTS),
        limit: z.number(),
        onTooFew: z.enum(["fail", "warn"]),
      }),
    )
    .max(PLAN_BOUNDS.expectations)
    .optional(),
  checkpoint: z.boolean(),
  approval: z
    .strictObject({ by: z.array(name).max(100), timeoutMs: ms.gt(0), onTimeout: z.enum(["fail", "go_on"]) })
    .optional(),
  context: z.array(z.string().max(PLAN_BOUNDS.description)).max(PLAN_BOUNDS.patterns).nullable(),
  contextRequired: z.array(z.string().max(PLAN_BOUNDS.description)).max(PLAN_BOUNDS.patterns).optional(),
  contextLimit: count,
  tasks: tasks.nullable(),
  background: z
    .strictObject({
      ready: z
        .union([z.strictObject({ port: z.number().int().min(1).max(65_535) }), z.strictObject({ run: text })])
        .nullable(),
      until: name,
    })
    .nullable(),
  softFail: z.array(z.number().int().min(1).max(255)).max(255).optional(),
  trial: z
    .strictObject({
      of: name,
      number: count.min(1),
      count: count.min(1).max(PLAN_BOUNDS.stages),
      discard: count,
      maxSpread: z.number().min(0).max(100).nullable(),
    })
    .optional(),
  measure: z.strictObject({ warmupMs: ms, cooldownMs: ms }).optional(),
  checks: z.array(check).max(100).optional(),
  collect: z.array(z.string().max(PLAN_BOUNDS.description)).max(COLLECT_BOUNDS.patterns).optional(),
  stopGraceMs: z.number().min(0).max(PLAN_BOUNDS.stopGraceMs).optional(),
  resume: z.enum(RESUME_RULES).optional(),
  quorum: quorum.optional(),
  gathersContext: z.boolean().optional(),
});

const shape = z.strictObject({
  name,
  agentCount: z.number().int().min(1).max(PLAN_BOUNDS.agents).nullable(),
  agents: z.array(z.strictObject({ id: name, address: agentAddress.nullable(), env })).max(PLAN_BOUNDS.agents),
  roles: z.record(name, z.number().int().min(1).max(PLAN_BOUNDS.agents)),
  sharedFilesystem: z.boolean(),
  treeCreationMode: z.enum(["isolated", "coordinator", "concurrent"]),
  pathSelection: z.enum(["partitioned", "exclusive", "random"]),
  env,
  secrets: z.array(name).max(100).optional(),
  params: z.record(name, z.union([text, z.number(), z.boolean()])),
  deadlineMs: ms.nullable(),
  assembly: z.strictObject({ timeoutMs: ms, atLeast: z.number().int().min(1).max(PLAN_BOUNDS.agents).nullable() }),
  liveness: z.strictObject({ heartbeatIntervalMs: ms.gt(0), warnAfterMs: ms.gt(0), lostAfterMs: ms.gt(0) }),
  stages: z.array(stage).min(1).max(PLAN_BOUNDS.stages),
});

/** The whole plan, and that its stages are numbered and named as everything behind relies on. */
export const planSchema = shape.superRefine((plan, context) => {
  const seen = new Set<string>();
  for (const [position, { name, index }] of plan.stages.entries()) {
    if (index !== position) {
      context.addIssue({ code: "custom", path: ["stages", position, "index"], message: `expected ${position}` });
    }
    if (seen.has(name)) {
      context.addIssue({ code: "custom", path: ["stages", position, "name"], message: "expected a name of its own" });
    }
    seen.add(name);
  }
});
