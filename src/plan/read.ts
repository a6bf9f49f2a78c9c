/** A plan file -> a plan, or everything that is wrong with it. Pure: the file's text comes in. */

import { jsonBytes, PLAN_BOUNDS } from "./bounds.ts";
import { checkPlacement, groupOf } from "./group.ts";
import { envOf } from "./parsing/env.ts";
import { wrongKind } from "./parsing/file-kind.ts";
import { isMapping, type Keys, type Place, parseKeys } from "./parsing/key-parser.ts";
import { withoutUnprintable } from "./parsing/names.ts";
import { PLAN_WORDS, warnOfExpressions } from "./parsing/other-words.ts";
import { readParams, substitute } from "./parsing/params.ts";
import { type Position, Problems, quote, START, suggestion } from "./parsing/problems.ts";
import { readSource } from "./parsing/source.ts";
import type { Plan, Problem } from "./plan.ts";
import { planShape } from "./schema.ts";
import { barrierOf, livenessOf, withMissedThreshold } from "./stages/barriers.ts";
import type { WorkloadPhase } from "./stages/completion-rules.ts";
import { expandStages } from "./stages/repeat.ts";
import { sequenceOf } from "./stages/sequence.ts";
import { type StageDefaults, stageOf } from "./stages/stage.ts";
import type { Expanded } from "./stages/written.ts";

export { formatProblem } from "./parsing/problems.ts";

const ASSEMBLY_TIMEOUT_MS = 20 * 60_000;

export interface ReadOptions {
  /** Values given from outside, as text: parsed by each parameter's type. */
  readonly params?: Readonly<Record<string, string>>;
}

export interface ReadPlan {
  /** Null when there is at least one error. */
  readonly plan: Plan | null;
  /** By position; at most 100, the rest counted. */
  readonly problems: readonly Problem[];
  /** Where the plan's own keys stand (`agents`, `stages`, …). */
  readonly keys: Readonly<Record<string, Position>>;
}

/**
 * Reads a plan. Never throws on any content; answers within about a second for any file.
 * @param text the file as bytes (checked to be UTF-8) or as text
 * @param file its name: for messages, and its stem is the plan's default name
 */
export function readPlan(text: string | Uint8Array, file: string, options: ReadOptions = {}): ReadPlan {
  const problems = new Problems(file);
  const source = readSource(text, problems);
  if (source === null || !isMapping(source.value)) {
    return { plan: null, problems: problems.list(), keys: {} };
  }
  const outer: Place = { source, problems, path: [] };
  const wrong = wrongKind(source.value, "plan");
  if (wrong !== null) {
    problems.error(START, wrong);
    return { plan: null, problems: problems.list(), keys: {} };
  }
  warnOfExpressions(source.value, outer);
  const nested = Object.hasOwn(source.value, "distributed");
  const place: Place = nested ? { ...outer, path: ["distributed"] } : outer;
  const written = nested ? unwrap(source.value, outer) : source.value;
  const keys = Object.fromEntries(Object.keys(written).map((key) => [key, source.keyAt([...place.path, key])]));

  const params = readParams(written.params, options.params ?? {}, { ...place, path: [...place.path, "params"] });
  const substituted = substitute(written, params, place);
  const { params: _, stages, ...others } = isMapping(substituted) ? substituted : {};
  // The shape whole, though two of its keys have been read: taking it apart would make all its schemas.
  const said = parseKeys(planShape, others, place, PLAN_WORDS);
  const used = new Set<WorkloadPhase>();
  const treeCreationMode = said.tree_creation_mode ?? "isolated";
  const defaults: StageDefaults = {
    barrierSync: said.barrier_sync ?? {},
    treeCreationMode,
    workload: said.workload ?? {},
    useWorkload: (phase) => used.add(phase),
  };
  const expanded = Object.hasOwn(written, "stages")
    ? expandStages(stages, { ...place, path: [...place.path, "stages"] })
    : defaultStages(said, place);
  const steps = expanded.map((entry) => ({ expanded: entry, stage: stageOf(entry, defaults, place) }));
  const sequence = sequenceOf(steps, place);

  const group = groupOf(said.agents, said.roles, place);
  for (const { written: stage } of expanded) {
    checkPlacement(stage.keys, group, { ...place, path: stage.path });
  }
  const barriers = steps.map(({ expanded: { written: stage }, stage: { barrier } }) => ({
    barrier,
    place: { ...place, path: [...stage.path, "barrier"] },
  }));
  checkGroup(said, group.agentCount, barriers, place);
  checkBarrierSync(defaults.barrierSync, place);
  checkWorkload(said.workload ?? {}, used, place);
  const liveness = livenessOf(said.liveness ?? {}, barriers, { ...place, path: [...place.path, "liveness"] });
  if (problems.hasErrors) {
    return { plan: null, problems: problems.list(), keys };
  }
  const plan: Plan = {
    name: said.name ?? stem(file),
    ...group,
    sharedFilesystem: said.shared_filesystem ?? treeCreationMode !== "isolated",
    treeCreationMode,
    pathSelection: said.path_selection ?? "partitioned",
    env: envOf(said.env, { ...place, path: [...place.path, "env"] }),
    ...(said.secrets === undefined || said.secrets.length === 0 ? {} : { secrets: said.secrets }),
    params: Object.fromEntries(params),
    deadlineMs: said.deadline ?? null,
    assembly: { timeoutMs: said.assembly?.timeout ?? ASSEMBLY_TIMEOUT_MS, atLeast: said.assembly?.at_least ?? null },
    liveness,
    stages: sequence.map((stage) => ({ ...stage, barrier: withMissedThreshold(stage.barrier, said.liveness ?? {}) })),
  };
  checkSize(plan, place);
  return { plan: problems.hasErrors ? null : plan, problems: problems.list(), keys };
}

/** The mapping under `distributed:`. Beside it only the file's own name may stand. */
function unwrap(value: Readonly<Record<string, unknown>>, place: Place): Readonly<Record<string, unknown>> {
  const { distributed, name, ...others } = value;
  for (const key of Object.keys(others)) {
    const inside = Object.hasOwn(planShape, key)
      ? `, expected ${quote(key)} inside "distributed"`
      : suggestion(key, ["name"]);
    place.problems.error(place.source.keyAt([key]), `${quote(key)} stands beside "distributed"${inside}`);
  }
  if (!isMapping(distributed)) {
    place.problems.error(
      place.source.at(["distributed"]),
      `distributed: expected a mapping with keys such as "stages", got ${quote(distributed)}`,
    );
    return {};
  }
  if (name === undefined) {
    return distributed;
  }
  if (Object.hasOwn(distributed, "name")) {
    place.problems.error(place.source.keyAt(["name"]), 'name: it stands inside "distributed", too, expected it once');
    return distributed;
  }
  return { ...distributed, name };
}

/** Without `stages`: preflight, prepare, execute and cleanup, with the workload's commands. */
function defaultStages(said: Keys<typeof planShape>, place: Place): Expanded[] {
  if (said.workload === undefined) {
    place.problems.warning(place.source.at(place.path), 'the plan does nothing, expected "stages" or "workload"');
  }
  const path = said.workload === undefined ? place.path : [...place.path, "workload"];
  return (["preflight", "prepare", "execute", "cleanup"] as const).map((name) => ({
    written: { keys: { name }, value: { name }, path: said.workload?.[name] === undefined ? path : [...path, name] },
    name,
    repeated: false,
    trial: null,
    resolve: (other) => other,
  }));
}

function checkGroup(
  said: Keys<typeof planShape>,
  agentCount: number | null,
  barriers: readonly { readonly barrier: Plan["stages"][number]["barrier"]; readonly place: Place }[],
  { source, problems, path }: Place,
): void {
  if (said.shared_filesystem === false && said.tree_creation_mode === "coordinator") {
    const message = "tree_creation_mode: coordinator needs a tree that all agents see, but shared_filesystem is false";
    problems.error(source.at([...path, "tree_creation_mode"]), message);
  }
  if (agentCount === null) {
    return;
  }
  const least = said.assembly?.at_least;
  if (least !== undefined && least > agentCount) {
    problems.error(
      source.at([...path, "assembly", "at_least"]),
      `assembly.at_least: the group has only ${agentCount} agents`,
    );
  }
  for (const { barrier, place } of barriers) {
    if (barrier.rule.kind === "at_least" && barrier.rule.count > agentCount) {
      problems.error(
        source.at(place.path),
        `barrier: at_least ${barrier.rule.count}, but the group has only ${agentCount} agents`,
      );
    }
  }
}

/** Whether anything is left to do, and whether the whole can be sent to a coordinator. */
function checkSize({ stages, ...others }: Plan, { source, problems, path }: Place): void {
  const at = source.keyAt([...path, "stages"]);
  if (stages.length === 0) {
    problems.error(at, "stages: none is left once they are repeated, expected at least one");
  }
  // Each stage comes with a comma but for the last.
  let bytes = jsonBytes({ ...others, stages: [] }) - 1;
  for (const stage of stages) {
    if (bytes > PLAN_BOUNDS.planBytes) break;
    bytes += jsonBytes(stage) + 1;
  }
  if (bytes > PLAN_BOUNDS.planBytes) {
    const most = `${PLAN_BOUNDS.planBytes / 1_048_576} MiB`;
    problems.error(
      at,
      `stages: with all that is repeated the plan has more than ${most}, expected long values in files`,
    );
  }
}

/** Each barrier of `barrier_sync` on its own, so that a mistake is told where it stands, used or not. */
function checkBarrierSync(sync: StageDefaults["barrierSync"], place: Place): void {
  for (const type of ["validation", "prepare", "execute", "cleanup"] as const) {
    barrierOf(sync[type], "custom", {}, { ...place, path: [...place.path, "barrier_sync", type] });
  }
}

function checkWorkload(workload: StageDefaults["workload"], used: ReadonlySet<WorkloadPhase>, place: Place): void {
  for (const phase of ["preflight", "prepare", "execute", "cleanup"] as const) {
    if (workload[phase] !== undefined && !used.has(phase)) {
      const at = place.source.keyAt([...place.path, "workload", phase]);
      place.problems.warning(at, `workload.${phase}: no stage uses this command`);
    }
  }
}

/** `plans/multi-epoch.yml` -> `multi-epoch`. */
function stem(file: string): string {
  const base = file.split(/[/\\]/).at(-1) ?? "";
  // Shortened first: the cut may leave half a character.
  const name = withoutUnprintable(base.replace(/\.[^.]*$/, "").slice(0, PLAN_BOUNDS.name));
  return name === "" ? "plan" : name;
}
