/**
 * One of each message, with everything that it may say. The types hold it: who adds, takes or changes something that
 * agents and coordinator say does not compile here before this is changed, too, and then fails `protocol.test.ts` until
 * the protocol has a new number.
 */
import type { z } from "zod";
import type { JoinRequest, Roster } from "../../../src/coordinator/protocol/port.ts";
import {
  joinBodySchema,
  joinedSchema,
  leaveBodySchema,
  PROTOCOL,
  refusalSchema,
  runTermsSchema,
  syncAnswerSchema,
  syncBodySchema,
} from "../../../src/coordinator/protocol/protocol.ts";
import { REFUSALS } from "../../../src/coordinator/protocol/refusal.ts";
import type { Json, Plan } from "../../../src/plan/plan.ts";
import type { Instruction } from "../../../src/run/instruction.ts";
import { WAIT_REASONS } from "../../../src/run/instruction.ts";
import type { RunSummary } from "../../../src/run/result/record.ts";
import type { AttemptEnd, AttemptReport, Sync } from "../../../src/run/types.ts";
import { RUN_STATUSES } from "../../../src/run/types.ts";
import { EVERYTHING, keyOf, planOf } from "../builders.ts";

/** With what may be left out. */
type Whole<T> = Json extends T
  ? T
  : T extends readonly (infer U)[]
    ? readonly Whole<U>[]
    : T extends object
      ? { readonly [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
      : T;

const plan = planOf(`
name: all
agents: [{ id: a, address: "node1:7761", env: { A: "1" } }, { id: b }]
params: { epochs: { type: integer, default: 3 } }
secrets: [TOKEN]
deadline: 2h
stages:
  - { name: look, checks: [{ disk: { path: /, free: 1GB } }, { memory: 1GB }, { tool: a }, { tool: { name: b, version: ">= 1.2" } },
      { variable: A }, { reachable: "a:1" }, { port: 80 }, { clock: 1s }], completion: validation_passed, type: validation }
  - { name: serve, gathers_context: true, context: [{ pattern: "a.*", required: true }], runs_on: first, run: ./serve, background: true, ready: { port: 5432 }, resume: rerun }
  - { name: list, tasks: { from: ./list }, run: ./one, concurrency: 2, max_failures: 2 }
  - { name: shards, tasks: [1, { id: a }], needs: { a: [1] }, run: ./shard }
  - { name: ask, run: "true", checkpoint: { by: [ann, "@acme/qa"], timeout: 1h, on_timeout: go_on } }
  - { name: epoch, duration: 1h, run: ./train, soft_fail: [3], trials: { count: 3, discard: 1, max_spread: 5% }, measure: { warmup: 1s, cooldown: 2s }, stop_grace: 1m, collect: [log], barrier: { type: majority, heartbeat_interval: 2m, missed_threshold: 3 } }
  - { name: save, command: /bin/save, args: ["--now"], depends_on: [{ stage: shards, even_if: [failed] }],
      retry: { max_attempts: 3, attempt_timeout: 1m, on_exit_codes: [1] }, thresholds: { max_errors: 3, min_samples: 9 }, expect: { loss: "< 3", rate: { baseline: { from: results, better: bigger } } } }
  - { name: told, tasks: { from_stage: save }, run: ./one }
  - { name: review, type: quorum, validators: [{ name: lint, run: ./lint, weight: 2, timeout: 1m }], retry_stages: [save] }
`);
const key = keyOf(plan);

const ends: { [K in AttemptEnd["kind"]]: Whole<Extract<AttemptEnd, { kind: K }>> } = {
  no_command: { kind: "no_command" },
  exited: { kind: "exited", code: 1 },
  signalled: { kind: "signalled", signal: "SIGSEGV" },
  time_over: { kind: "time_over", limit: "duration", killed: true },
  stopped: { kind: "stopped", why: "the group is no longer in this stage" },
  reset: { kind: "reset" },
  not_started: { kind: "not_started", message: "no such file" },
  checks_failed: { kind: "checks_failed", message: "1 of 2 checks failed: port 80: something listens there" },
  bad_tasks: { kind: "bad_tasks", message: "line 2 is not JSON" },
  threshold: { kind: "threshold", threshold: "max_errors", message: "4 errors" },
};

const deficiency = { validator: "lint", deficiency: "no tests" };
const ballot: Whole<AttemptReport>["ballot"] = { decision: "RETRY", confidence: 0.7, deficiencies: ["no tests"] };

const report: Whole<AttemptReport> = {
  stage: 4,
  attempt: "4.0.1",
  task: "a",
  startedAt: 1_800_000_000_000,
  endedAt: 1_800_000_000_500,
  end: ends.exited,
  progress: { done: 3, total: 10, errors: 1 },
  metrics: [{ name: "loss", value: 0.5, unit: "1", agg: "mean", count: 3 }],
  histograms: {},
  outputs: { port: 7_000 },
  annotations: [{ path: "a.ts", line: 3, level: "warning", title: "slow", message: "took 3 s" }],
  tail: "done",
  ballot,
  laterTasks: [1, { id: "b", needs: ["1"] }],
};

const UNREADABLE: Whole<AttemptReport>["ballot"] = { unreadable: "nothing was printed" };
const sync: Whole<Omit<Sync, "session" | "agent">> = {
  doing: "running save",
  status: "running",
  stage: 4,
  progress: { done: 3, total: null, errors: 0 },
  finished: Object.values(ends).map((end, at) => ({ ...report, end, ...(at === 0 ? { ballot: UNREADABLE } : {}) })),
  wants: 2,
  addTasks: [1, { id: "b" }],
  ready: [0],
  outputs: { port: 7_000 },
  attempts: ["4.2.0.1"],
};

/** Of the plan the wire's schema holds each key. */
const request: Whole<Omit<JoinRequest, "plan">> & { readonly plan: Plan } = {
  key,
  plan,
  selection: EVERYTHING,
  agentCount: 2,
  agent: "a",
  role: "server",
  index: 0,
  address: "node1:7761",
  machine: {
    cores: 64,
    memoryBytes: 274_877_906_944,
    cpu: "EPYC",
    os: "linux",
    kernel: "6.8.0",
    arch: "x64",
    runner: "bench-1",
    host: "bench-1",
  },
  resume: true,
};

const quorum: Whole<RunSummary>["phases"][number]["quorum"] = {
  decision: "RETRY",
  confidence: 0.7,
  weights: { pass: 0, retry: 2, fail: 0 },
  votes: [{ validator: "lint", weight: 2, decision: "RETRY", confidence: 0.7, agent: "a", reason: null }],
  deficiencies: [deficiency],
  leftOut: 0,
  exhausted: null,
};

const taskRecords: NonNullable<Whole<RunSummary>["phases"][number]["tasks"]>["records"] = [
  {
    task: "a",
    status: "failed",
    agent: "a",
    attempts: 2,
    failures: 1,
    preemptions: 1,
    startedAt: 1,
    endedAt: 2,
    end: ends.exited,
    reason: "exit code 1",
    outputs: { port: 7_000 },
  },
];

const summary: Whole<RunSummary> = {
  status: "failed",
  verdict: "failure",
  message: "save failed on a",
  failedStage: "save",
  machines: [{ agent: "a", index: 0, role: "server", machine: request.machine }],
  phases: [
    {
      stage: 4,
      name: "save",
      description: null,
      order: 5,
      line: 9,
      column: 5,
      optional: false,
      status: "failure",
      reason: "a: exit code 1",
      worked: false,
      startedAt: 1,
      completedAt: 2,
      retryCount: 1,
      progress: { done: 3, total: 10, errors: 1 },
      metrics: [{ name: "loss", value: 0.5, unit: "1", agg: "mean", count: 3, expected: "< 3", met: true }],
      histograms: {},
      outputs: { port: 7_000 },
      annotations: [{ path: "a.ts", line: 3, level: "failure", title: null, message: "no", agent: "a" }],
      agents: [
        {
          agent: "a",
          index: 0,
          status: "failure",
          startedAt: 1,
          endedAt: 2,
          attempts: 2,
          reason: "exit code 1",
          tail: "no",
          end: ends.exited,
          measured: [{ name: "loss", value: 0.5, unit: "1", agg: "mean", count: 3 }],
        },
      ],
      tasks: { done: 1, failed: 1, skipped: 0, total: 2, records: taskRecords },
      quorum,
      trial: {
        of: "save",
        number: 2,
        count: 2,
        discarded: false,
        spreads: [{ metric: "loss", values: [0.5, null], median: 0.5, min: 0.5, max: 0.5, spread: 0 }],
      },
      approval: { by: null, why: "no person answered within 1h before it", at: 5 },
      earlier: [
        {
          approval: { by: "ann", why: "fine", at: 4 },
          status: "success",
          worked: true,
          reason: "sent back: not yet",
          startedAt: 1,
          completedAt: 2,
          retryCount: 0,
          progress: { done: 10, total: 10, errors: 0 },
          metrics: [],
          agents: [],
          tasks: { done: 2, failed: 0, skipped: 0, total: 2, records: [] },
          quorum,
        },
      ],
    },
  ],
};

const instructions: { [K in Instruction["do"]]: Whole<Extract<Instruction, { do: K }>> } = {
  wait: {
    do: "wait",
    reason: "barrier",
    stage: 3,
    who: [{ agent: "b", lastSeenAt: 1, lastDoing: "running epoch" }],
    since: 1,
    until: 2,
    more: 3,
  },
  execute: {
    do: "execute",
    stage: 2,
    attempt: "2.0.1",
    attemptNumber: 1,
    startAt: 1,
    until: { at: 2, limit: "timeout" },
    partition: { start: 0, end: 5 },
    leases: [{ task: "a", value: { id: "a" }, attempt: "2.t1.1" }],
    tasksOnly: false,
    because: { stage: "review", round: 1, deficiencies: [deficiency] },
  },
  stop: { do: "stop", stage: 3, why: "its time is over" },
  abort: { do: "abort", why: "b was lost" },
  exclude: { do: "exclude", why: "it came too late" },
  finish: { do: "finish", summary },
};

const roster: Whole<Roster> = {
  agents: [{ name: "a", index: 0, role: "server", roleIndex: 0, address: "node1:7761" }],
};
const answer = {
  now: 1_800_000_000_000,
  roster: { version: "v1", from: null, pieces: [roster.agents] },
  outputs: { version: "v2", from: "v1", pieces: [{ save: { port: 7_000 } }] },
  more: false,
  notices: ["b joined again"],
  notice: 3,
};

const protocol = PROTOCOL;
const MESSAGES = {
  join: { schema: joinBodySchema, examples: [{ protocol, nonce: "0123456789abcdef", ...request }] },
  sync: {
    schema: syncBodySchema,
    examples: [
      { protocol, seq: 1, holdMs: 2_000, reset: null, sync, known: { roster: "v1", outputs: null, notice: 2 } },
      { protocol, seq: 2, holdMs: 0, reset: "SIGHUP", sync, known: { roster: null, outputs: "v2", notice: 0 } },
    ],
  },
  leave: { schema: leaveBodySchema, examples: [{ protocol, seq: 3, why: "cancelled" }] },
  joined: { schema: joinedSchema, examples: [{ protocol, run: "r".repeat(22), session: "s.t", now: 1 }] },
  synced: {
    schema: syncAnswerSchema,
    examples: Object.values(instructions).map((instruction) => ({ instruction, ...answer })),
  },
  terms: { schema: runTermsSchema, examples: [{ key, plan, selection: EVERYTHING, agentCount: 2 }] },
  refused: {
    schema: refusalSchema,
    examples: [
      { error: { code: "held", message: "held by another process" } },
      { error: { code: "ended", message: "this run is over" }, ended: { member: true, summary } },
    ],
  },
} satisfies Record<string, { readonly schema: z.ZodType; readonly examples: readonly unknown[] }>;

export type MessageKind = keyof typeof MESSAGES;
export const schemaOf = (kind: MessageKind): z.ZodType => MESSAGES[kind].schema;
export const KINDS = Object.keys(MESSAGES) as readonly MessageKind[];
/** What they say besides: closed lists of words. */
export const WORDS = { refusals: REFUSALS, waits: WAIT_REASONS, runs: RUN_STATUSES };
/** Keys, at any depth, that the number before the present one does not have. */
const NEW_KEYS: ReadonlySet<string> = new Set([
  "approval",
  "minSamples",
  "trial",
  "measure",
  "checks",
  "collect",
  "host",
  "ballot",
  "baselines",
  "because",
  "contextRequired",
  "gathersContext",
  "records",
  "laterTasks",
  "killed",
  "machine",
  "machines",
  "measured",
  "resume",
  "quorum",
  "softFail",
  "stopGraceMs",
]);
/** As they are said where this number is spoken: without what it does not know. */
export function examplesOf(kind: MessageKind, number: number = PROTOCOL): readonly unknown[] {
  const { examples } = MESSAGES[kind];
  return number === PROTOCOL ? examples : examples.map((example) => withoutNewKeys(example));
}

/** Ends of attempts that only come of such keys. */
const NEW_ENDS: ReadonlySet<string> = new Set(["checks_failed"]);

function isNewEnd(value: { readonly end?: { readonly kind?: string } } | null): boolean {
  return NEW_ENDS.has(value?.end?.kind ?? "");
}

function withoutNewKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => !isNewEnd(one)).map(withoutNewKeys);
  if (typeof value !== "object" || value === null) return value;
  // A source of tasks that it does not know.
  if ("kind" in value && value.kind === "stage") return { kind: "list", values: [] };
  const known = Object.entries(value).filter(([name]) => !NEW_KEYS.has(name));
  return Object.fromEntries(known.map(([name, inner]) => [name, withoutNewKeys(inner)]));
}
