/**
 * What a plan file may say: one zod schema per key, with its description. It validates (key by key, see `parsing/key-parser.ts`),
 * becomes the JSON Schema (`json-schema.ts`) and the key tables of the guide. What keys mean for one another is not
 * here but in the checks on the tree, which run though a shape is wrong.
 */
import { z } from "zod";
import { PLAN_BOUNDS } from "./bounds.ts";
import { HOST_AND_PORT } from "./parsing/address.ts";
import { preflightChecks } from "./parsing/check-schemas.ts";
import { expectation } from "./parsing/expectation-schemas.ts";
import { lazyShape, once } from "./parsing/lazy.ts";
import { NOT_PRINTABLE, PRINTABLE } from "./parsing/names.ts";
import {
  anyVariable,
  argument,
  durationValue,
  env,
  flag,
  graceOf,
  keptPaths,
  list,
  mapping,
  oneOf,
  paramValue,
  pause,
  ready,
  recordOf,
  ruleValue,
  runsOn,
  share,
  taskKeyValue,
  taskValue,
  text,
  whole,
  word,
  writtenTaskKey,
} from "./parsing/value-schemas.ts";
import { COMPLETIONS, RESUME_RULES, STAGE_TYPES } from "./plan.ts";
import { contextKeys } from "./shapes/context-schema.ts";
import { quorumKeys } from "./shapes/quorum-schema.ts";
import {
  checkpointShape,
  dependencyShape,
  measureShape,
  repeatTrialsShape,
  retryShape,
  thresholdsShape,
  trialsShape,
} from "./shapes/stage-shapes.ts";

export const barrierShape = lazyShape({
  type: () =>
    ruleValue()
      .describe("When the barrier releases: all_or_nothing, majority, best_effort, at_least N, none")
      .optional(),
  at_least: () =>
    share().describe('For `type: at_least`: how many agents, or the share of the roster ("75%")').optional(),
  agent_barrier_timeout: () =>
    durationValue().describe("From the first arrival; default: the stage's remaining time").optional(),
  straggler_grace: () => pause().describe("How long a released majority waits for the others").optional(),
  on_straggler: () => oneOf(["exclude", "rejoin"]).describe("What becomes of an agent that comes too late").optional(),
  heartbeat_interval: () =>
    durationValue().describe("Overrides `liveness.heartbeat_interval` during this stage").optional(),
  missed_threshold: () => whole(1, 1000).describe("Heartbeats missed until an agent counts as silent").optional(),
  query_timeout: () =>
    durationValue().describe("How long a silent agent is asked before it counts as missing").optional(),
  query_retries: () => whole(0, 100).describe("How often it is asked again").optional(),
});

const BARRIER = 'expected a policy ("majority") or a mapping with type, agent_barrier_timeout, …';
const barrier = once(() => z.union([ruleValue(), mapping(barrierShape)], { error: BARRIER }));

const taskOptions = {
  concurrency: () => whole(1, PLAN_BOUNDS.concurrency).describe("Tasks that one agent runs at a time").optional(),
  max_failures: () => whole(0, 1000).describe("How often one task may fail before it has failed for good").optional(),
  max_preemptions: () => whole(0, 100_000).describe("How often one task may be lost with its agent").optional(),
  needs: () =>
    z
      .record(writtenTaskKey(), list(taskKeyValue(), "task keys"), {
        error: "expected a mapping of a task to the tasks it needs",
      })
      .describe("Task -> tasks that must be done before it; a task's key is its value, its `id`, or its index")
      .optional(),
};

const taskValues = once(() => list(taskValue(), "values", PLAN_BOUNDS.tasks));
export const tasksShape = lazyShape({
  values: () => taskValues().describe("The tasks, one for each value").optional(),
  count: () => whole(1, PLAN_BOUNDS.tasks).describe("So many tasks, with the values 0 to N-1").optional(),
  from: () => text("a command").describe("A command that prints one JSON value a line, each a task").optional(),
  from_stage: () => word().describe('An earlier stage: what it told in `{"tasks": [...]}` events').optional(),
  ...taskOptions,
});
const TASKS = "expected a list of values or a mapping with values, count, from or from_stage";
const tasks = once(() => z.union([taskValues(), mapping(tasksShape)], { error: TASKS }));

const DEPENDENCY = "expected the name of a stage or a mapping such as {stage: warm, even_if: [failed]}";
const dependency = once(() => z.union([word(), mapping(dependencyShape)], { error: DEPENDENCY }));

const CHECKPOINT = "expected true or false, or a mapping with by, timeout and on_timeout";
const checkpoint = once(() => z.union([flag(), mapping(checkpointShape)], { error: CHECKPOINT }));

export const stageShape = lazyShape({
  name: () => word().describe("Unique in the plan; what `--only-stage` and `depends_on` mean"),
  description: () =>
    text("text", PLAN_BOUNDS.description).describe("What the stage is for, as reports show it").optional(),
  order: () => whole(0, 1_000_000).describe("Place in the sequence; on all stages or on none").optional(),
  type: () =>
    oneOf(STAGE_TYPES).describe("What kind of work it is; inferred from name and duration when left out").optional(),
  completion: () => oneOf(COMPLETIONS).describe("When the stage of an agent ends, and what is success").optional(),
  run: () => text("a shell script").describe("A shell script").optional(),
  command: () => text("a program", PLAN_BOUNDS.path).describe("A program, started without a shell").optional(),
  args: () => list(argument(), "arguments").describe("Arguments of `command`").optional(),
  env: () => env().describe("Variables for this stage's command").optional(),
  working_directory: () =>
    text("a path", PLAN_BOUNDS.path)
      .describe(
        "Where the command runs; relative to where the run was started (in a job: its workspace), which is the default",
      )
      .optional(),
  duration: () => durationValue().describe("How long the work goes on (`completion: duration`)").optional(),
  max_duration: () =>
    durationValue().describe("The longest it may take (`validation_passed`, `duration_or_tasks`)").optional(),
  timeout: () =>
    durationValue()
      .describe(
        "The longest it may take on an agent, over all attempts; default: 6h, or what the attempts may take if that is more",
      )
      .optional(),
  timeout_secs: () => durationValue().describe("The same as `timeout`").optional(),
  optional: () => flag().describe("A failure is a warning").optional(),
  when: () =>
    oneOf(["on_success", "on_failure", "always"])
      .describe("Whether it runs after a failure; default: always for cleanup, else on_success")
      .optional(),
  runs_on: () => runsOn().describe("Which agents run it").optional(),
  role: () => word().describe("Only agents of this role run it").optional(),
  stop_grace: () =>
    graceOf(PLAN_BOUNDS.stopGraceMs)
      .describe("Between TERM and KILL when its command is ended; default 5s, at most 10m")
      .optional(),
  soft_fail: () =>
    list(whole(1, 255), "exit codes (1 to 255)", 255)
      .min(1, { error: "expected at least one exit code" })
      .describe("Exit codes that are a warning: outputs are kept, and what depends on the stage goes on")
      .optional(),
  retry: () =>
    mapping(retryShape).describe("How often, and after what pauses, a failed command is tried again").optional(),
  barrier: () => barrier().describe("Where the group waits for each other at the end of this stage").optional(),
  depends_on: () => list(dependency(), "stage names").describe("Stages whose results this one needs").optional(),
  expected_objects: () =>
    whole(0, Number.MAX_SAFE_INTEGER).describe("The group must report at least so many done").optional(),
  expected_tasks: () =>
    whole(0, Number.MAX_SAFE_INTEGER).describe("The group must report at least so many done").optional(),
  thresholds: () =>
    mapping(thresholdsShape)
      .describe("Errors told by all its agents and tasks, above which the stage fails while it runs")
      .optional(),
  expect: () =>
    z
      .record(z.string().min(1).max(PLAN_BOUNDS.longName).regex(PRINTABLE, { error: NOT_PRINTABLE }), expectation(), {
        error: 'expected a mapping such as {throughput: ">= 3"}',
      })
      .refine((value) => Object.keys(value).length <= PLAN_BOUNDS.expectations, {
        error: `expected at most ${PLAN_BOUNDS.expectations} metrics`,
      })
      .describe("Metric -> what it must be in the end: a comparison, or `baseline: {from, better, …}`")
      .optional(),
  checkpoint: () =>
    checkpoint()
      .describe(
        "Wait for a person before this stage: at the terminal of `run`. A job has nobody to ask, and refuses it",
      )
      .optional(),
  trials: () => mapping(trialsShape).describe("Run it several times, and compare the metrics").optional(),
  measure: () => mapping(measureShape).describe("The time in which its metrics count").optional(),
  checks: () =>
    preflightChecks()
      .describe("What each agent must have before the command: disk, memory, tool, variable, reachable, port, clock")
      .optional(),
  collect: () =>
    keptPaths()
      .describe("Files that each agent keeps when its part is over, however that ended: paths and patterns")
      .optional(),
  ...contextKeys,
  tasks: () => tasks().describe("Units of work shared out to the agents").optional(),
  ...taskOptions,
  background: () => flag().describe("The command keeps running across later stages").optional(),
  ready: () => ready().describe("When others may rely on the background command").optional(),
  until: () => word().describe("The last stage that needs it; default: the last before cleanup").optional(),
  resume: () =>
    oneOf(RESUME_RULES)
      .describe(
        "Whether a run that goes on from a saved state runs it again, though it is done; default: by its type, and where the run goes on",
      )
      .optional(),
  ...quorumKeys,
});

export const repeatShape = lazyShape({
  repeat: () => whole(0, 1000).describe("How often the stages are repeated; their names get -1, -2, …"),
  trials: () => mapping(repeatTrialsShape).describe("Compare the metrics of the repetitions").optional(),
  stages: (): z.ZodType => stages(),
});

export const stageSchema = once(() => mapping(stageShape, "a stage").meta({ id: "stage", title: "Stage" }));
const repeatSchema = once(() => z.strictObject(repeatShape).meta({ id: "repeat", title: "Repeated stages" }));
const stages = once(() => z.array(z.union([stageSchema(), repeatSchema()])).min(1));

export const paramShape = lazyShape({
  type: () => oneOf(["string", "integer", "number", "boolean"]).describe("Default: string").optional(),
  default: () => paramValue().describe("Without it the parameter must be given").optional(),
  enum: () =>
    list(paramValue(), "values", 1000)
      .min(1, { error: "expected at least one value" })
      .describe("The values it may have")
      .optional(),
  description: () => text("text", PLAN_BOUNDS.description).describe("What it is for").optional(),
});

const EXPECTED_ADDRESS = 'expected host:port, such as "node1:7761"';
export const agentShape = lazyShape({
  address: () =>
    z
      .string({ error: EXPECTED_ADDRESS })
      .regex(HOST_AND_PORT, { error: EXPECTED_ADDRESS })
      .describe("host:port at which others reach it")
      .optional(),
  id: () => word().describe("Its name; default agent-<index>").optional(),
  env: () => env().describe("Variables for every command on this agent").optional(),
});

const agents = once(() =>
  z.union(
    [
      whole(1, PLAN_BOUNDS.agents),
      list(mapping(agentShape), "agents", PLAN_BOUNDS.agents).min(1, { error: "expected at least one agent" }),
    ],
    {
      error: "expected a number of agents or a list of {address, id, env}",
    },
  ),
);

const prefixed = {
  default_type: () => barrierShape.type,
  default_at_least: () => barrierShape.at_least,
  default_agent_barrier_timeout: () => barrierShape.agent_barrier_timeout,
  default_straggler_grace: () => barrierShape.straggler_grace,
  default_on_straggler: () => barrierShape.on_straggler,
  default_heartbeat_interval: () => barrierShape.heartbeat_interval,
  default_missed_threshold: () => barrierShape.missed_threshold,
  default_query_timeout: () => barrierShape.query_timeout,
  default_query_retries: () => barrierShape.query_retries,
};

export const barrierSyncShape = lazyShape({
  ...prefixed,
  validation: () => barrier().describe("The barrier of stages of this type").optional(),
  prepare: () => barrier().describe("The barrier of stages of this type").optional(),
  execute: () => barrier().describe("The barrier of stages of this type").optional(),
  cleanup: () => barrier().describe("The barrier of stages of this type").optional(),
});

export const livenessShape = lazyShape({
  heartbeat_interval: () => durationValue().describe("How often an agent is heard from; default 2s").optional(),
  warn_after: () => durationValue().describe("Silence after which a warning is shown; default 5s").optional(),
  lost_after: () => durationValue().describe("Silence after which an agent is lost; default 30s").optional(),
});

const script = once(() => text("a shell script"));
export const workloadShape = lazyShape({
  preflight: () => script().describe("The command of stages of type validation, or named preflight").optional(),
  prepare: () => script().describe("The command of stages of type prepare").optional(),
  execute: () => script().describe("The command of stages of type execute").optional(),
  cleanup: () => script().describe("The command of stages of type cleanup").optional(),
});

export const assemblyShape = lazyShape({
  timeout: () => durationValue().describe("How long the group may take to come together; default 20m").optional(),
  at_least: () => whole(1, PLAN_BOUNDS.agents).describe("So many are enough once the time is over").optional(),
});

export const planShape = lazyShape({
  name: () =>
    text("text", PLAN_BOUNDS.name)
      .regex(PRINTABLE, { error: NOT_PRINTABLE })
      .describe("Default: the file's name without its ending")
      .optional(),
  description: () => text("text", PLAN_BOUNDS.description).describe("What the plan is for").optional(),
  params: () =>
    z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), mapping(paramShape), {
        error: "expected a mapping of names to {type, default}",
      })
      .describe(
        "Values given from outside: {{params.name}} in fields that are not commands, STAGEWRIGHT_PARAM_<NAME> in commands",
      )
      .optional(),
  agents: () =>
    agents().describe("Size of the group, or its agents; default --agents, else the size of the matrix").optional(),
  roles: () =>
    recordOf(word(), whole(1, PLAN_BOUNDS.agents), "roles to numbers of agents")
      .describe("Role -> how many agents")
      .optional(),
  shared_filesystem: () =>
    flag()
      .describe("Whether the agents see one file system; default false with tree_creation_mode isolated, else true")
      .optional(),
  tree_creation_mode: () =>
    oneOf(["isolated", "coordinator", "concurrent"])
      .describe("Who runs prepare and cleanup: each its own tree, the first agent alone, or all on one tree")
      .optional(),
  path_selection: () =>
    oneOf(["partitioned", "exclusive", "random"])
      .describe("Fixed shares, or one queue from which whoever is free takes (random)")
      .optional(),
  env: () => env().describe("Variables for every command").optional(),
  secrets: () =>
    list(anyVariable(), "names of variables", 100)
      .describe("Names of variables whose values are masked in logs and reports, in every spelling")
      .optional(),
  workload: () => mapping(workloadShape).describe("Commands for stages that have none of their own").optional(),
  assembly: () => mapping(assemblyShape).describe("How the group comes together").optional(),
  deadline: () =>
    durationValue()
      .describe(
        "From the run's first moment: work that is not done by then fails the run, cleanup still has its own time",
      )
      .optional(),
  liveness: () => mapping(livenessShape).describe("When a silent agent is lost").optional(),
  barrier_sync: () => mapping(barrierSyncShape).describe("Barriers plan-wide, and by stage type").optional(),
  stages: () =>
    stages()
      .describe("The stages; left out: preflight, prepare, execute, cleanup with the workload's commands")
      .optional(),
});
