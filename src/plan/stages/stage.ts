/** One stage as written -> one stage as the house sees it: inferred, completed, checked on its own. */

import { PLAN_BOUNDS } from "../bounds.ts";
import { approvalOf } from "../checkpoints.ts";
import { formatDuration } from "../parsing/duration.ts";
import { envOf, textOf } from "../parsing/env.ts";
import type { Place } from "../parsing/key-parser.ts";
import { quote } from "../parsing/problems.ts";
import type { Command, Completion, Dependency, Plan, PlanStage, Retry, RunsOn, StageType } from "../plan.ts";
import { type BarrierSync, barrierOf } from "./barriers.ts";
import {
  COMPLETION_KEYS,
  completionRules,
  completionsWith,
  defaultCompletion,
  INSTEAD_OF_KEY,
  LEGAL_COMPLETIONS,
  TYPE_BY_NAME,
  type WorkloadPhase,
  workloadPhase,
} from "./completion-rules.ts";
import { expectationsOf } from "./expectations.ts";
import { quorumOfStage } from "./quorum.ts";
import { pausesOf, retryOf } from "./retry.ts";
import { tasksOf } from "./tasks.ts";
import { checkTrials } from "./trials.ts";
import type { Expanded, Written } from "./written.ts";

/** A stage that does not say its timeout has at least so long, and each attempt so long beyond its duration. */
const LEAST_TIMEOUT_MS = 6 * 3_600_000;
const TIMEOUT_AFTER_DURATION_MS = 5 * 60_000;
const CONTEXT_LIMIT_BYTES = 1_048_576;

/** What the plan says for all its stages. */
export interface StageDefaults {
  readonly barrierSync: BarrierSync;
  readonly treeCreationMode: Plan["treeCreationMode"];
  readonly workload: { readonly [phase in WorkloadPhase]?: string | undefined };
  /** Notes that a stage takes this command of the workload. */
  readonly useWorkload: (phase: WorkloadPhase) => void;
}

type Place0 = Omit<Place, "path">;

/**
 * The stage, with `index`, `order` and `background.until` still to be settled between stages (`sequence.ts`). What is
 * wrong is told; the stage is whole anyway, so that what concerns several stages can be checked, too.
 */
export function stageOf(expanded: Expanded, defaults: StageDefaults, { source, problems }: Place0): PlanStage {
  const { written } = expanded;
  const { keys, path } = written;
  const place: Place = { source, problems, path };
  const error = (key: string, message: string): void => {
    problems.error(has(written, key) ? source.keyAt([...path, key]) : source.at(path), message);
  };
  if (!has(written, "name")) {
    error("name", 'a stage has no name, expected "name"');
  }
  const type = keys.type ?? TYPE_BY_NAME.get(keys.name ?? "") ?? (has(written, "duration") ? "execute" : "custom");
  const completion = completionOf(written, type, place);
  checkKeysOfCompletion(written, type, completion, place);
  const command = commandOf(written, type, defaults, place);
  const durationMs = keys.duration ?? null;
  const maxDurationMs = keys.max_duration ?? null;
  const retry = retryOf(written, place);
  const voting = quorumOfStage(expanded, type, place);

  const { needs: needed } = completionRules(completion);
  if (needed === "duration" && !has(written, "duration")) {
    error("completion", `completion: ${completion} needs how long, expected "duration"`);
  }
  if (needed === "command" && command === null && !has(written, "run") && !has(written, "command")) {
    const said = `completion: ${completion}`;
    const why = has(written, "completion") ? said : `a ${type} stage (${said})`;
    error("completion", `${why} needs a command, expected "run" or "command"`);
  }
  if (has(written, "tasks") && command === null) {
    error("tasks", 'tasks need a command that carries them out, expected "run" or "command"');
  }
  if (command === null && !has(written, "run") && !has(written, "command")) warnOfNothingToReport(written, place);
  checkTrials(written, place);
  if (has(written, "checks") && has(written, "tasks")) {
    error("checks", "checks: they are made once, not for each task, expected them on a stage before this one");
  }
  const at = source.at(path);
  const { concurrency, max_failures, max_preemptions, needs } = keys;
  const options = { concurrency, max_failures, max_preemptions, needs };
  return {
    name: expanded.name ?? `(stage at line ${at.line})`,
    description: keys.description ?? null,
    index: 0,
    order: keys.order ?? 0,
    type,
    completion,
    line: at.line,
    column: at.column,
    command,
    env: envOf(keys.env, { ...place, path: [...path, "env"] }),
    workingDirectory: keys.working_directory ?? null,
    durationMs,
    maxDurationMs,
    timeoutMs: timeoutOf(written, completion, retry, place),
    optional: keys.optional ?? false,
    when: keys.when ?? (type === "cleanup" ? "always" : "on_success"),
    runsOn: runsOnOf(written, type, defaults),
    role: keys.role ?? null,
    retry,
    barrier: barrierOf(keys.barrier, type, defaults.barrierSync, { ...place, path: [...path, "barrier"] }),
    dependsOn: dependenciesOf(expanded),
    expectedObjects: keys.expected_objects ?? null,
    expectedTasks: keys.expected_tasks ?? null,
    thresholds: has(written, "thresholds")
      ? {
          maxErrors: keys.thresholds?.max_errors ?? null,
          maxErrorRate: keys.thresholds?.max_error_rate ?? null,
          maxConsecutiveErrors: keys.thresholds?.max_consecutive_errors ?? null,
          ...(keys.thresholds?.min_samples === undefined ? {} : { minSamples: keys.thresholds.min_samples }),
        }
      : null,
    ...expectationsOf(isWarmUp(expanded) ? undefined : keys.expect, place),
    checkpoint: keys.checkpoint !== undefined && keys.checkpoint !== false,
    ...(typeof keys.checkpoint === "object" ? { approval: approvalOf(keys.checkpoint) } : {}),
    ...contextOfStage(keys.context),
    contextLimit: keys.context_limit ?? CONTEXT_LIMIT_BYTES,
    tasks: voting?.tasks ?? tasksOf(keys.tasks, options, has(written, "tasks"), place, expanded.resolve),
    background: backgroundOf(expanded, command, place),
    ...(keys.soft_fail === undefined ? {} : { softFail: [...new Set(keys.soft_fail)] }),
    ...(expanded.trial === null ? {} : { trial: expanded.trial }),
    ...measureOf(written, place),
    ...(keys.checks === undefined ? {} : { checks: keys.checks }),
    ...(keys.collect === undefined ? {} : { collect: [...new Set(keys.collect)] }),
    ...(keys.stop_grace === undefined ? {} : { stopGraceMs: keys.stop_grace }),
    ...resumeOf(written, place),
    ...(keys.gathers_context === true ? { gathersContext: true } : {}),
    ...(voting === null ? {} : { quorum: voting.quorum }),
  };
}

/** Keys that judge what a command tells: where there is none, 0 is too few. */
const JUDGES_REPORTS = ["expected_objects", "expected_tasks", "expect"] as const;

function warnOfNothingToReport(written: Written, { source, problems, path }: Place): void {
  const { keys } = written;
  for (const key of JUDGES_REPORTS) {
    const expected = keys[key];
    if (expected === undefined || expected === 0) continue;
    const message = `${key}: without a command nothing is ever told, so the stage can only fail, expected "run" or "command"`;
    problems.warning(source.keyAt([...path, key]), message);
  }
}

/** A trial of which nothing is expected yet. */
function isWarmUp({ trial }: Expanded): boolean {
  return trial !== null && trial.number <= trial.discard;
}

function measureOf({ keys }: Written, { source, problems, path }: Place): Pick<PlanStage, "measure"> {
  const { measure, duration } = keys;
  if (measure === undefined) return {};
  const { warmup: warmupMs = 0, cooldown: cooldownMs = 0 } = measure;
  const at = source.keyAt([...path, "measure"]);
  if (cooldownMs > 0 && duration === undefined) {
    problems.error(at, "measure: cooldown is counted from the end of a duration, which the stage does not have");
  } else if (duration !== undefined && warmupMs + cooldownMs >= duration) {
    problems.error(at, `measure: warmup and cooldown leave nothing of the duration (${formatDuration(duration)})`);
  }
  return { measure: { warmupMs, cooldownMs } };
}

/** The patterns, and those among them that are required. */
function contextOfStage(said: Written["keys"]["context"]): Pick<PlanStage, "context" | "contextRequired"> {
  if (said === undefined) return { context: null };
  const entries = (Array.isArray(said) ? said : [said]).map((entry) =>
    typeof entry === "string" ? { pattern: entry, required: false } : { required: false, ...entry },
  );
  const required = entries.filter((entry) => entry.required === true).map(({ pattern }) => pattern);
  const context = entries.map(({ pattern }) => pattern);
  return required.length === 0 ? { context } : { context, contextRequired: required };
}

/** A stage whose tasks another one tells needs that one's result, said or not. */
function dependenciesOf({ written, resolve }: Expanded): readonly Dependency[] {
  const said = (written.keys.depends_on ?? []).map((said) =>
    typeof said === "string"
      ? { stage: resolve(said), evenIf: [] }
      : { stage: resolve(said.stage), evenIf: [...new Set(said.even_if)] },
  );
  const { tasks } = written.keys;
  const from = tasks === undefined || !("from_stage" in tasks) ? undefined : tasks.from_stage;
  if (from === undefined || said.some(({ stage }) => stage === resolve(from))) return said;
  return [...said, { stage: resolve(from), evenIf: [] }];
}

/** Whether the key stands there, be its value right or wrong. */
export function has(written: Written, key: string): boolean {
  return Object.hasOwn(written.value, key);
}

function completionOf(written: Written, type: StageType, { source, problems, path }: Place): Completion {
  const present = { duration: has(written, "duration"), tasks: has(written, "tasks") };
  const completion = written.keys.completion ?? defaultCompletion(type, present);
  const legal: readonly Completion[] = LEGAL_COMPLETIONS[type];
  if (!legal.includes(completion)) {
    const at = source.at([...path, "completion"]);
    problems.error(
      at,
      `completion: a stage of type ${type} cannot end by ${completion}, expected ${legal.join(" or ")}`,
    );
    return legal[0] ?? completion;
  }
  return completion;
}

function checkKeysOfCompletion(written: Written, type: StageType, completion: Completion, place: Place): void {
  const { keys } = completionRules(completion);
  for (const key of COMPLETION_KEYS) {
    if (!has(written, key) || keys.includes(key)) continue;
    const allowed = completionsWith(key).join(" or ");
    const message = `${key}: it has no effect with completion: ${completion} (type ${type}), expected ${allowed}; or use ${INSTEAD_OF_KEY[key]}`;
    place.problems.error(place.source.keyAt([...place.path, key]), message);
  }
}

function commandOf(written: Written, type: StageType, defaults: StageDefaults, place: Place): Command | null {
  const { keys } = written;
  const { source, problems, path } = place;
  if (has(written, "run") && has(written, "command")) {
    problems.error(source.keyAt([...path, "command"]), 'command: the stage has "run", too, expected one of them');
  }
  if (has(written, "args") && !has(written, "command")) {
    problems.error(source.keyAt([...path, "args"]), 'args: they belong to "command", which is not here');
  }
  if (keys.run !== undefined) {
    return { kind: "script", script: keys.run };
  }
  if (keys.command !== undefined) {
    const args = (keys.args ?? []).map((value, index) => textOf(value, { ...place, path: [...path, "args", index] }));
    return { kind: "program", file: keys.command, args };
  }
  if (has(written, "run") || has(written, "command")) {
    return null;
  }
  const phase = workloadPhase(keys.name ?? "", type);
  const script = phase === null ? undefined : defaults.workload[phase];
  if (phase === null || script === undefined) {
    return null;
  }
  defaults.useWorkload(phase);
  return { kind: "script", script };
}

function timeoutOf(written: Written, completion: Completion, retry: Retry, { source, problems, path }: Place): number {
  const { keys } = written;
  if (has(written, "timeout") && has(written, "timeout_secs")) {
    problems.error(
      source.keyAt([...path, "timeout_secs"]),
      'timeout_secs: the stage has "timeout", too, expected one of them',
    );
  }
  const said = keys.timeout ?? keys.timeout_secs;
  if (said === undefined) {
    const attempt = Math.max(keys.duration ?? keys.max_duration ?? 0, retry.attemptTimeoutMs ?? 0);
    const all = retry.maxAttempts * (attempt + TIMEOUT_AFTER_DURATION_MS) + pausesOf(retry);
    return Math.min(PLAN_BOUNDS.durationMs, Math.max(LEAST_TIMEOUT_MS, all));
  }
  if (retry.maxAttempts > 1 && retry.attemptTimeoutMs === null) {
    const message = `retry: timeout (${formatDuration(said)}) bounds all ${retry.maxAttempts} attempts together`;
    problems.warning(source.keyAt([...path, "retry"]), `${message}, expected "attempt_timeout" to bound one`);
  }
  const at = source.at([...path, keys.timeout === undefined ? "timeout_secs" : "timeout"]);
  if (completionRules(completion).needs === "duration" && keys.duration !== undefined && said <= keys.duration) {
    const message = `timeout (${formatDuration(said)}) ends the stage before its duration (${formatDuration(keys.duration)}) is over`;
    problems.error(at, `${message}, expected a longer one`);
  } else if (keys.max_duration !== undefined && said <= keys.max_duration) {
    const message = `timeout (${formatDuration(said)}) fails the stage before its max_duration (${formatDuration(keys.max_duration)})`;
    problems.warning(at, `${message} can end it`);
  }
  return said;
}

function runsOnOf({ keys }: Written, type: StageType, defaults: StageDefaults): RunsOn {
  switch (keys.runs_on) {
    case "all":
    case "first":
      return { kind: keys.runs_on };
    case undefined: {
      // One agent alone makes and wipes the tree.
      const alone = defaults.treeCreationMode === "coordinator" && (type === "prepare" || type === "cleanup");
      return { kind: alone ? "first" : "all" };
    }
    default:
      return { kind: "agents", agents: keys.runs_on };
  }
}

function resumeOf({ keys }: Written, { source, problems, path }: Place): Pick<PlanStage, "resume"> {
  if (keys.resume === "reuse" && keys.background === true) {
    const message = 'resume: a background command ends with its run, so there is nothing to reuse, expected "rerun"';
    problems.error(source.at([...path, "resume"]), message);
  }
  return keys.resume === undefined ? {} : { resume: keys.resume };
}

/** Keys that judge how a command ended: one that is meant to go on has no end to judge. */
const NOT_IN_BACKGROUND = [
  "completion",
  "duration",
  "max_duration",
  "retry",
  "tasks",
  "expected_objects",
  "expected_tasks",
  "soft_fail",
  "expect",
];

function backgroundOf(expanded: Expanded, command: Command | null, place: Place): PlanStage["background"] {
  const { written } = expanded;
  const { keys } = written;
  const { source, problems, path } = place;
  if (keys.background !== true) {
    for (const key of ["ready", "until"].filter((key) => has(written, key))) {
      if (!has(written, "background") || keys.background === false) {
        problems.error(source.keyAt([...path, key]), `${key}: it belongs to "background: true", which is not here`);
      }
    }
    return null;
  }
  const at = source.keyAt([...path, "background"]);
  if (
    command === null &&
    !has(written, "run") &&
    !has(written, "command") &&
    keys.type !== undefined &&
    keys.type !== "custom"
  ) {
    problems.error(at, 'background: there is nothing to keep running, expected "run" or "command"');
  }
  for (const key of NOT_IN_BACKGROUND.filter((key) => has(written, key))) {
    problems.error(
      source.keyAt([...path, key]),
      `${key}: it has no effect on a background command, which ends after "until" (${quote(keys.until ?? "the last stage before cleanup")})`,
    );
  }
  return { ready: keys.ready ?? null, until: keys.until === undefined ? "" : expanded.resolve(keys.until) };
}
