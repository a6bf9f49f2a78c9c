/** A run's state as it is saved after each stage, for a later run of the same plan to go on from. Plain JSON. */
import { createHash } from "node:crypto";
import { canonicalJson, type PlanPrint } from "../../plan/canonical.ts";
import type { Json } from "../../plan/plan.ts";
import { itemAt, itemsOf } from "../persistent-array.ts";
import type { RunState, StageRun } from "../state.ts";
import { laterTasksOf } from "../tasks/generated.ts";
import type { RoundReason } from "../types.ts";
import type { Carried, FinishedStage } from "./carried.ts";

/** Rises when a saved state takes another form. */
export const SAVED_RUN_VERSION = 1;

export interface SavedRun {
  readonly version: typeof SAVED_RUN_VERSION;
  readonly plan_digest: string;
  /** What the plan is made of, part by part: by it is said what another plan has otherwise. */
  readonly plan_parts: PlanPrint["parts"];
  /** Where it was saved: repository, workflow run, group, and the attempt that saved it. */
  readonly run: {
    readonly repository_id: string;
    readonly run_id: string;
    readonly group: string;
    readonly attempt: number;
  };
  readonly agent_count: number;
  /** Agent -> the machine that it was on. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Names of the stages that are finished, in the plan's order. */
  readonly phases_executed: readonly string[];
  /** What each of them came to. */
  readonly phase_records: Readonly<Record<string, SavedPhase>>;
  /** The first that is not finished: where a run goes on. Null: all are. */
  readonly current_phase: string | null;
  /** Stage -> key -> value. */
  readonly global_context: Carried["outputs"];
  /** The last one; null: there was none. */
  readonly quorum_result: Json;
  /** Stages that a quorum has sent back, and that have not been run since -> why. */
  readonly sent_back: Readonly<Record<string, RoundReason>>;
  /** Stage -> the tasks that it told. */
  readonly tasks_data: Readonly<Record<string, readonly Json[]>>;
  /** Stage that is not finished -> the tasks that a person gave it instead of its own; not there: nobody did. */
  readonly tasks_given?: Readonly<Record<string, readonly Json[]>> | undefined;
  /** Of the run's input: its `prompt`, where it has one. */
  readonly user_prompt: string | null;
  /** What the run was given to work on; null: nothing. */
  readonly input: Json;
  /** Of the input before anything in it was masked. */
  readonly input_digest: string | null;
  /** ISO 8601, UTC. */
  readonly saved_at: string;
}

export interface SavedPhase {
  readonly status: FinishedStage["status"];
  readonly success: boolean;
  readonly completed_at: string | null;
}

/** Hides what must not be read in it. */
export interface SavedRunMask {
  text(text: string): string;
  json(value: Json): Json;
}

/** What is to be saved of a run as it stands. @param print its plan's @param input what it was given to work on */
export function savedRun(
  state: RunState,
  print: PlanPrint,
  at: number,
  mask: SavedRunMask,
  input: Json = null,
): SavedRun {
  const { key, agentCount } = state;
  const finished = finishedStages(state);
  const names = new Set(finished.map(({ name }) => name));
  const sentBack = sentBackStages(state, names, mask);
  // What was found wanting is there for those that are sent back.
  const told = new Set([...names, ...Object.values(sentBack).map(({ stage }) => stage)]);
  return {
    version: SAVED_RUN_VERSION,
    plan_digest: print.digest,
    plan_parts: print.parts,
    run: { repository_id: key.repositoryId, run_id: key.runId, group: key.group, attempt: key.attempt },
    agent_count: agentCount,
    hosts: hostsOf(state),
    phases_executed: finished.map(({ name }) => name),
    phase_records: Object.fromEntries(
      finished.map(({ name, status, worked, completedAt }) => [
        name,
        { status, success: worked, completed_at: completedAt === null ? null : new Date(completedAt).toISOString() },
      ]),
    ),
    current_phase: state.plan.stages.find(({ name, when }) => when === "on_success" && !names.has(name))?.name ?? null,
    global_context: Object.fromEntries(
      Object.entries(state.outputs).flatMap(([stage, values]) =>
        told.has(stage) ? [[stage, masked(values, mask)]] : [],
      ),
    ),
    quorum_result: quorumResult(state, mask),
    sent_back: sentBack,
    tasks_data: Object.fromEntries(
      state.plan.stages.flatMap(({ name, index }) => {
        const told = names.has(name) ? toldBy(state, name, index) : [];
        return told.length === 0 ? [] : [[name, told.map((task) => mask.json(task))]];
      }),
    ),
    ...givenTasks(state, names, mask),
    ...savedInput(input, mask),
    saved_at: new Date(at).toISOString(),
  };
}

/**
 * What went to its end while the run had not failed, in this run or, where it was not run again, before. A cleanup that
 * ran because the run failed is not finished: what comes next has to be cleaned up, too.
 */
function finishedStages({ carried, plan, stages }: RunState): readonly FinishedStage[] {
  const before = new Map(carried.resumed?.finished.map((stage) => [stage.name, stage]));
  return plan.stages.flatMap(({ name, index }) => {
    const run = itemAt(stages, index);
    if (run === undefined || run.startAt === null) return run?.round === 1 ? (before.get(name) ?? []) : [];
    const { status, worked, cleanupMode, closedAt } = run;
    if (cleanupMode || (status !== "success" && status !== "warning")) return [];
    return { name, status, worked: worked === true, completedAt: closedAt };
  });
}

function givenTasks(
  { plan, stages }: RunState,
  finished: ReadonlySet<string>,
  mask: SavedRunMask,
): Pick<SavedRun, "tasks_given"> {
  const given = plan.stages.flatMap(({ name, index }) => {
    const tasks = finished.has(name) ? undefined : itemAt(stages, index)?.given;
    return tasks === undefined ? [] : [[name, tasks.map((task) => mask.json(task))] as const];
  });
  return given.length === 0 ? {} : { tasks_given: Object.fromEntries(given) };
}

/** What a stage told as tasks of a later one, in this run or the one before it. */
function toldBy({ stages, carried }: RunState, name: string, index: number): readonly Json[] {
  const run = itemAt(stages, index);
  if (run === undefined || run.startAt === null) return carried.tasks?.[name] ?? [];
  const told = laterTasksOf(run);
  return "problem" in told ? [] : told;
}

/** The decision that was made last. */
function quorumResult({ plan, stages }: RunState, mask: SavedRunMask): Json {
  const lastOf = (index: number): StageRun | undefined => {
    const run = itemAt(stages, index);
    return [run, run?.earlier.at(-1)].find((round) => round?.quorum !== undefined);
  };
  const decided = plan.stages.findLast(({ index }) => lastOf(index) !== undefined);
  const run = decided === undefined ? undefined : lastOf(decided.index);
  if (decided === undefined || run?.quorum === undefined) return null;
  const { decision, confidence, deficiencies } = run.quorum;
  const found = deficiencies.map(({ validator, deficiency }) => ({ validator, deficiency: mask.json(deficiency) }));
  return { stage: decided.name, round: run.round, decision, confidence, deficiencies: found };
}

function sentBackStages(
  { plan, stages, carried }: RunState,
  finished: ReadonlySet<string>,
  mask: SavedRunMask,
): SavedRun["sent_back"] {
  return Object.fromEntries(
    plan.stages.flatMap(({ name, index }) => {
      const reason = itemAt(stages, index)?.because ?? carried.resumed?.sentBack[name];
      if (reason === undefined || finished.has(name)) return [];
      const deficiencies = reason.deficiencies.map((one) => ({ ...one, deficiency: mask.json(one.deficiency) }));
      return [[name, { ...reason, deficiencies }]];
    }),
  );
}

/** The roster's, as far as they said it; until there is one those of the state that this run goes on from. */
function hostsOf({ agents, roster, carried }: RunState): Readonly<Record<string, string>> {
  if (roster === null) return carried.resumed?.hosts ?? {};
  return Object.fromEntries(
    [...itemsOf(agents)].flatMap(({ name, machine }) => (machine?.host === undefined ? [] : [[name, machine.host]])),
  );
}

function masked(values: Carried["outputs"][string], mask: SavedRunMask): Carried["outputs"][string] {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [mask.text(key), mask.json(value)]));
}

function savedInput(input: Json, mask: SavedRunMask): Pick<SavedRun, "user_prompt" | "input" | "input_digest"> {
  if (input === null) return { user_prompt: null, input: null, input_digest: null };
  const hidden = mask.json(input);
  const prompt = typeof input === "object" && !Array.isArray(input) && "prompt" in input ? input.prompt : null;
  return {
    user_prompt: typeof prompt === "string" ? mask.text(prompt) : null,
    input: hidden,
    input_digest: inputDigest(input),
  };
}

export function inputDigest(input: Json): string {
  return createHash("sha256").update(canonicalJson(input)).digest("hex");
}

/** What a run with this plan goes on from. */
export function carriedOf(saved: SavedRun): Carried {
  const finished = saved.phases_executed.flatMap((name): FinishedStage[] => {
    const record = saved.phase_records[name];
    if (record === undefined) return [];
    const completedAt = record.completed_at === null ? null : Date.parse(record.completed_at);
    return [{ name, status: record.status, worked: record.success, completedAt }];
  });
  return {
    succeeded: finished.filter(({ worked }) => worked).map(({ name }) => name),
    outputs: saved.global_context,
    ...(Object.keys(saved.tasks_data).length === 0 ? {} : { tasks: saved.tasks_data }),
    ...(saved.tasks_given === undefined ? {} : { given: saved.tasks_given }),
    resumed: {
      savedAt: Date.parse(saved.saved_at),
      finished,
      hosts: saved.hosts,
      sentBack: saved.sent_back,
      quorumResult: saved.quorum_result,
      reused: null,
    },
  };
}
