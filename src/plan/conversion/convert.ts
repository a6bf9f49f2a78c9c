/**
 * A sai3-bench configuration becomes a plan. What it says of agents, stages and barriers is mapped; what its own program
 * did is left to commands, which the plan names and somebody writes; every key is told of at its line, and none stops it.
 */
import { stringify } from "yaml";
import { isMapping } from "../parsing/key-parser.ts";
import { withoutUnprintable } from "../parsing/names.ts";
import { Problems, quote, START } from "../parsing/problems.ts";
import { readSource } from "../parsing/source.ts";
import type { Problem } from "../plan.ts";
import { readPlan } from "../read.ts";
import type { WorkloadPhase } from "../stages/completion-rules.ts";
import { agentsOf, endpointsOf } from "./agents.ts";
import { barrierSyncOf, mostMissed } from "./barriers.ts";
import { type About, type Note, Notes, Section } from "./notes.ts";
import {
  type ConvertedStages,
  impliedStages,
  optional,
  type SharedByStages,
  type WrittenAt,
  writtenStages,
} from "./stages.ts";
import { durationAt, flagAt, isVariableValue, wholeAt, wordAt } from "./values.ts";

export interface Conversion {
  /** A plan file; null when there is an error. */
  readonly plan: string | null;
  readonly notes: readonly Note[];
  /** Why there is no plan. */
  readonly problems: readonly Problem[];
}

const A_CONFIGURATION = 'a sai3-bench configuration with "workload", "prepare" or "distributed"';
/** One of them at least stands in every configuration. */
const OWN_KEYS = ["workload", "prepare", "distributed", "target", "multi_endpoint"];

const ITS_PROGRAM = "a matter of the benchmark's own program";
const ROOT_KEYS: Readonly<Record<string, About>> = {
  ...Object.fromEntries(
    [
      "range_engine",
      "page_cache_mode",
      "io_rate",
      "processes",
      "processing_mode",
      "op_log_path",
      "perf_log",
      "cache_checkpoint_interval_secs",
      "enable_metadata_cache",
      "s3dlio_optimization",
      "dynamic_put_pool",
      "autotune",
    ].map((key): [string, About] => [key, ["needs a command", ITS_PROGRAM]]),
  ),
  distributed_env: ["no meaning here", "credentials come from the workflow's secrets; name them under `secrets`"],
};
const PREPARE_KEYS: Readonly<Record<string, About>> = Object.fromEntries(
  [
    "ensure_objects",
    "cleanup",
    "cleanup_only",
    "cleanup_mode",
    "directory_structure",
    "prepare_strategy",
    "skip_verification",
    "force_overwrite",
    "post_prepare_delay",
    "key_prefix_shards",
  ].map((key): [string, About] => [key, ["needs a command", ITS_PROGRAM]]),
);
const DISTRIBUTED_KEYS: Readonly<Record<string, About>> = {
  ssh: ["no meaning here", "agents are jobs: GitHub starts them"],
  deployment: ["no meaning here", "a job says its own container and image"],
  start_delay: ["no meaning here", "a stage starts at one instant on all agents, once all are there"],
  grpc_keepalive_interval: ["no meaning here", "see `liveness` of the plan"],
  grpc_keepalive_timeout: ["no meaning here", "see `liveness` of the plan"],
  partition_overlap: ["no meaning here", "agents keep to their shares"],
  kv_cache_dir: ["needs a command", ITS_PROGRAM],
};

const COMMANDS: Readonly<Record<WorkloadPhase, { readonly does: string; readonly flags: string }>> = {
  preflight: { does: "checks that the work can be done", flags: "--dry-run" },
  prepare: { does: "makes what the workload needs", flags: "--prepare-only" },
  execute: { does: "carries the workload out", flags: "--skip-prepare --no-cleanup" },
  cleanup: { does: "takes away what was made", flags: "--cleanup-only" },
};

/**
 * Never throws on any content; answers within about a second for any file.
 * @param file its name: for messages and the plan's first lines, and its stem is the plan's name
 */
export function convertBench(content: string | Uint8Array, file: string): Conversion {
  const problems = new Problems(file);
  const source = readSource(content, problems, A_CONFIGURATION);
  if (source === null || !isMapping(source.value) || problems.hasErrors) {
    return { plan: null, notes: [], problems: problems.list() };
  }
  const value = source.value;
  if (!OWN_KEYS.some((key) => Object.hasOwn(value, key))) {
    problems.error(START, `nothing here is known, expected ${A_CONFIGURATION}`);
    return { plan: null, notes: [], problems: problems.list() };
  }
  const notes = new Notes();
  const text = planText(planOf(new Section(source, notes, [], value), file), file);
  const read = readPlan(text, `${file} (as a plan)`);
  return { plan: read.plan === null ? null : text, notes: notes.list(), problems: errorsOf(read.problems) };
}

function errorsOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === "error");
}

function planOf(root: Section, file: string): Readonly<Record<string, unknown>> {
  const distributed = root.section("distributed");
  const prepare = root.section("prepare");
  const env = rootVariables(root);
  const execute = { thresholds: thresholdsOf(root), warmup: warmupOf(root) };
  const missed = distributed === null ? 0 : mostMissed(distributed);
  const group = distributed === null ? {} : groupOf(distributed, missed);
  const written = distributed?.sections("stages") ?? [];
  const converted =
    written.length === 0 ? impliedStages(root, prepare, execute) : stagesOf(root, written, { ...execute, missed });
  const workload = commandsOf(converted, { root, prepare }, file);
  prepare?.rest(PREPARE_KEYS);
  root.rest(ROOT_KEYS);
  return optional({
    ...group,
    env: Object.keys(env).length === 0 ? null : env,
    workload: Object.keys(workload).length === 0 ? null : workload,
    stages: converted.stages,
  });
}

function rootVariables(root: Section): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const [key, name] of [
    ["target", "BENCH_TARGET"],
    ["concurrency", "BENCH_CONCURRENCY"],
  ] as const) {
    const text = root.text(key);
    if (text === null) continue;
    if (isVariableValue(text)) {
      env[name] = text;
      root.tell("needs a command", key, `commands read it as ${name}`);
    } else root.tell("changed", key, "cannot be the value of a variable, left out");
  }
  return { ...env, ...endpointsOf(root) };
}

function thresholdsOf(root: Section): Readonly<Record<string, unknown>> | null {
  const handling = root.section("error_handling");
  if (handling === null) return null;
  const most = wholeAt(handling, "max_total_errors", 0, Number.MAX_SAFE_INTEGER);
  const about: About = ["needs a command", ITS_PROGRAM];
  if (most !== null) {
    handling.tell("mapped", "max_total_errors", `thresholds: { max_errors: ${most} } of stages of type execute`);
  }
  handling.rest(Object.fromEntries(handling.keys().map((key) => [key, about])));
  return most === null ? null : { max_errors: most };
}

function warmupOf(root: Section): string | null {
  const warmup = durationAt(root, "warmup_period");
  if (warmup !== null) root.tell("mapped", "warmup_period", `measure: { warmup: ${warmup} } of stages of type execute`);
  else if (root.has("warmup_period")) root.tell("mapped", "warmup_period", "none");
  return warmup;
}

function groupOf(distributed: Section, missed: number): Readonly<Record<string, unknown>> {
  const template = distributed.text("path_template");
  if (template !== null) {
    distributed.tell("needs a command", "path_template", "each agent's command reads its own as BENCH_PATH_PREFIX");
  }
  const { agents, count, secrets } = agentsOf(distributed, template);
  const shared = flagAt(distributed, "shared_filesystem");
  if (shared !== null) distributed.tell("mapped", "shared_filesystem", `shared_filesystem: ${shared}`);
  const wanted = wordAt(distributed, "tree_creation_mode", ["isolated", "coordinator", "concurrent"]);
  const isAlone = shared === false && wanted === "coordinator";
  if (isAlone) {
    distributed.tell(
      "changed",
      "tree_creation_mode",
      "isolated: without a shared file system one agent's tree is its own",
    );
  } else if (wanted !== null) distributed.tell("mapped", "tree_creation_mode", `tree_creation_mode: ${wanted}`);
  const selection = wordAt(distributed, "path_selection", ["partitioned", "exclusive", "random", "weighted"]);
  if (selection === "weighted") {
    distributed.tell("changed", "path_selection", "partitioned: an agent keeps to its share");
  } else if (selection !== null) distributed.tell("mapped", "path_selection", `path_selection: ${selection}`);
  const ready = durationAt(distributed, "agent_ready_timeout");
  if (ready !== null) distributed.tell("mapped", "agent_ready_timeout", `assembly: { timeout: ${ready} }`);
  const mode = isAlone ? "isolated" : wanted;
  const barriers = barrierSyncOf(distributed, mode === "coordinator" && count > 1, missed);
  distributed.rest({ ...DISTRIBUTED_KEYS, stages: ["mapped", "stages"] });
  return {
    agents,
    shared_filesystem: shared,
    tree_creation_mode: mode,
    path_selection: selection === "weighted" ? "partitioned" : selection,
    secrets: secrets.length === 0 ? null : secrets.slice(0, 100),
    assembly: ready === null ? null : { timeout: ready },
    barrier_sync: barriers !== null && Object.keys(barriers).length === 0 ? null : barriers,
  };
}

function stagesOf(root: Section, written: readonly Section[], shared: SharedByStages): ConvertedStages {
  if (root.has("duration")) {
    root.get("duration");
    root.tell("no meaning here", "duration", "the stages have their own");
  }
  return writtenStages(written, shared);
}

/** The workload's commands: scripts that somebody writes. A plan whose script is not there fails, and says so. */
function commandsOf(
  { commands }: ConvertedStages,
  { root, prepare }: { readonly root: Section; readonly prepare: Section | null },
  file: string,
): Readonly<Record<string, string>> {
  const written: Partial<Record<WorkloadPhase, WrittenAt>> = {
    ...(prepare?.has("ensure_objects") === true ? { prepare: { section: prepare, key: "ensure_objects" } } : {}),
    ...(root.has("workload") ? { execute: { section: root, key: "workload" } } : {}),
  };
  for (const { section, key } of Object.values(written)) section.get(key);
  if (!commands.has("execute")) written.execute?.section.tell("no meaning here", "workload", "no stage executes it");
  return Object.fromEntries(
    (["preflight", "prepare", "execute", "cleanup"] as const).flatMap((phase) => {
      const stage = commands.get(phase);
      if (stage === undefined) return [];
      const place = written[phase] ?? stage;
      const { does, flags } = COMMANDS[phase];
      const how = `sai3-bench run --config ${quote(file).slice(1, -1)} ${flags}`;
      place.section.tell("needs a command", place.key, `./${phase}.sh, which ${does}; such as: ${how}`);
      return [[phase, `./${phase}.sh`]];
    }),
  );
}

function planText(plan: Readonly<Record<string, unknown>>, file: string): string {
  const name = withoutUnprintable(file).slice(0, 200);
  const head = [
    `# Made by \`stagewright convert\` from ${name}`,
    "# Its commands are scripts that have to be written: each does its part on one agent, reads what it has to know from",
    "# BENCH_… variables, and tells in $STAGEWRIGHT_EVENTS how far it is.",
  ];
  return `${head.join("\n")}\n${stringify(plan, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
