/** Plans that say everything a plan may say, with values at and around its bounds. As JSON, which is YAML. */
import fc from "fast-check";
import { PLAN_BOUNDS } from "../../../src/plan/bounds.ts";

/** Mostly small, sometimes at a bound, seldom beyond it. */
const around = (bound: number, least = 1) =>
  fc.oneof(
    { weight: 60, arbitrary: fc.integer({ min: least, max: Math.min(bound, least + 5) }) },
    { weight: 15, arbitrary: fc.constant(bound) },
    { weight: 1, arbitrary: fc.constant(bound + 1) },
  );
const long = (bound: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("true", "echo a", 'echo "{\\"a\\":1}"', "\u0001\u2028ü😀", "-x", "0") },
    { weight: 1, arbitrary: fc.constantFrom("a", "ü", "\u0001", '"').map((c) => c.repeat(bound)) },
    { weight: 1, arbitrary: fc.constant("b".repeat(Math.floor(bound / 3))) },
  );
const maybe = <T>(of: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: of });
const duration = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(1, "90s", "5m", "1h", "250ms", 0.001) },
  { weight: 30, arbitrary: fc.constantFrom("120s", "300s", "24d", "2d", "1ms") },
  { weight: 1, arbitrary: fc.constantFrom("25d", 0) },
);
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "prepare", "execute", "cleanup") },
  { weight: 1, arbitrary: fc.constant("n".repeat(PLAN_BOUNDS.name)) },
);
const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }), long(2_000));
const env = fc.dictionary(
  fc.constantFrom("A", "B", "C".repeat(PLAN_BOUNDS.variable), "D".repeat(1_000)),
  fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 1, arbitrary: long(PLAN_BOUNDS.argumentBytes) }),
  { maxKeys: 2 },
);
const barrier = fc.oneof(
  fc.constantFrom("majority", "none", "best_effort", "all_or_nothing", "at_least 1", "at_least 50%"),
  fc.record(
    {
      type: fc.constantFrom("majority", "best_effort"),
      agent_barrier_timeout: duration,
      straggler_grace: duration,
      heartbeat_interval: duration,
      missed_threshold: around(1_000),
      query_timeout: duration,
      query_retries: around(100, 0),
    },
    { requiredKeys: [] },
  ),
);
const json = fc.oneof(
  scalar,
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({ id: scalar }),
  long(PLAN_BOUNDS.taskBytes - 2),
  long(PLAN_BOUNDS.taskBytes),
);
const tasks = fc.oneof(
  fc.record({ count: around(PLAN_BOUNDS.tasks) }),
  fc.uniqueArray(json, { maxLength: 4, selector: (value) => JSON.stringify(value) }),
  fc.record({ from: long(5_000) }),
);
const metric = fc.constantFrom("loss", "m".repeat(PLAN_BOUNDS.longName), "ü", "a b");

const common = {
  timeout: maybe(duration),
  env: maybe(env),
  optional: maybe(fc.boolean()),
  when: maybe(fc.constantFrom("always", "on_failure", "on_success")),
  runs_on: maybe(fc.oneof(fc.constantFrom("all", "first"), fc.constantFrom([0], [1], [0, 1], ["x"]))),
  retry: maybe(
    fc.record(
      {
        max_attempts: around(PLAN_BOUNDS.attempts),
        backoff: duration,
        attempt_timeout: duration,
        not_on_exit_codes: fc.constant([0, 255]),
      },
      { requiredKeys: ["max_attempts"] },
    ),
  ),
  barrier: maybe(barrier),
  description: maybe(long(PLAN_BOUNDS.description)),
  working_directory: maybe(long(PLAN_BOUNDS.path)),
  expect: maybe(
    fc.dictionary(
      metric,
      fc.constantFrom<unknown>(">= 3", "< 1e308", "!= -2", {
        baseline: { from: ["a", "b"], better: "smaller", limit: 0.5 },
      }),
      { maxKeys: 3 },
    ),
  ),
  thresholds: maybe(fc.record({ max_errors: around(1_000, 0) })),
  context: maybe(fc.oneof(long(PLAN_BOUNDS.description), fc.constant(["a.*"]))),
  context_limit: maybe(around(104_857_600)),
  soft_fail: maybe(fc.constantFrom([1], [255, 7])),
  stop_grace: maybe(fc.constantFrom(0, "10m")),
  collect: maybe(fc.array(long(PLAN_BOUNDS.description), { minLength: 1, maxLength: 2 })),
  // Nobody is there who could answer.
  checkpoint: maybe(
    fc
      .array(fc.constantFrom("ann", "@acme/qa", `${"x".repeat(100)}[bot]`), { minLength: 1, maxLength: 100 })
      .map((by) => ({
        by,
        timeout: "1ms",
        on_timeout: "go_on",
      })),
  ),
  resume: maybe(fc.constantFrom("rerun", "reuse")),
};
/** Of each kind of work one; keys that have no effect with another are errors, and would leave little that is accepted. */
const work = fc.oneof(
  { weight: 3, arbitrary: fc.record({ run: long(20_000) }) },
  { weight: 1, arbitrary: fc.record({ command: long(PLAN_BOUNDS.path), args: fc.array(scalar, { maxLength: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ run: fc.constant("true"), tasks, concurrency: around(PLAN_BOUNDS.concurrency) }),
  },
  { weight: 1, arbitrary: fc.record({ run: fc.constant("true"), duration }) },
  {
    weight: 1,
    arbitrary: fc.record({ run: fc.constant("true"), type: fc.constant("validation"), max_duration: duration }),
  },
);
const stage = fc.tuple(name, work, fc.record(common)).map(([name, work, rest]) => ({ name, ...work, ...rest }));
const repeated = fc.record({
  repeat: around(PLAN_BOUNDS.stages, 0),
  stages: fc.array(stage, { minLength: 1, maxLength: 1 }),
});
const stages = fc.uniqueArray(fc.oneof({ weight: 5, arbitrary: stage }, { weight: 1, arbitrary: repeated }), {
  minLength: 1,
  maxLength: 3,
  selector: (entry) => ("name" in entry ? entry.name : entry.stages[0]?.name),
});

export const plans = fc.record(
  {
    name: fc.constantFrom("p", "n".repeat(PLAN_BOUNDS.name), "ü 😀"),
    agents: fc.constantFrom(2, 2, [{ id: "x" }, { id: "y", address: "node1:7761" }]),
    env: maybe(env),
    params: fc.dictionary(fc.constantFrom("p", "q".repeat(64)), fc.record({ default: fc.string() }), { maxKeys: 1 }),
    deadline: maybe(duration),
    assembly: maybe(fc.record({ timeout: duration })),
    liveness: maybe(fc.record({ heartbeat_interval: duration })),
    barrier_sync: maybe(fc.record({ default_heartbeat_interval: duration })),
    stages,
  },
  { requiredKeys: ["agents", "stages"] },
);

export const planTexts = plans.map((plan) => JSON.stringify(plan));
