/** Writes down how an agent fared: in its stage's results and counts, so that no count needs a look at all agents. */
import { jsonBytes, RUN_BOUNDS, TOLD_BOUNDS } from "../../plan/bounds.ts";
import type { Json } from "../../plan/plan.ts";
import type { Draft } from "../draft.ts";
import { acrossAgents } from "../measurement/metrics.ts";
import { itemsOf } from "../persistent-array.ts";
import type { AgentPhase } from "../result/record.ts";
import { isAssigned, type StageHistogram, type StageRun, type StopReason, type TaskRecord } from "../state.ts";
import type { AttemptEnd, AttemptReport, Metric } from "../types.ts";
import { quorumOf } from "./barriers.ts";

const KEPT = RUN_BOUNDS;

export interface Outcome {
  readonly status: AgentPhase["status"];
  readonly reason: string | null;
  readonly end: AttemptEnd | null;
  readonly tail: string;
  readonly endedAt: number;
}

/** An outcome that no report told. */
export function outcome(draft: Draft, status: AgentPhase["status"], reason: string | null): Outcome {
  return { status, reason, end: null, tail: "", endedAt: draft.now };
}

/** What an agent's part comes to that was ended with its stage: it is done, unless the run is aborted. */
export function stopOutcome(draft: Draft, { why }: StopReason): Outcome {
  return outcome(draft, draft.head.stopping === null ? "success" : "stopped", why);
}

/** Makes the outcome of an agent's present assignment final. Nothing when it is final already. */
export function recordResult(draft: Draft, slot: number, { status, reason, end, tail, endedAt }: Outcome): void {
  const agent = draft.agent(slot);
  const { assignment } = agent;
  if (assignment === null || assignment.finished) return;
  const { measured } = assignment;
  const planned = draft.planned(assignment.stage);
  draft.setResult(assignment.stage, slot, {
    agent: agent.name,
    index: agent.index,
    status,
    startedAt: assignment.startedAt,
    endedAt: assignment.startedAt === null ? null : endedAt,
    attempts: assignment.attempts,
    reason,
    tail: status === "success" ? tail.slice(-KEPT.tailOfSuccess) : tail.slice(-TOLD_BOUNDS.tail),
    end,
    ...(measured === undefined ? {} : { measured }),
  });
  draft.editAssignment(slot, { finished: true, leases: [], wants: 0, queued: false });
  draft.countPending(assignment.stage, slot, -1);
  if (status === "success" || (status === "failure" && planned.optional)) countArrival(draft, assignment.stage);
  if (status === "failure") draft.remark(assignment.stage, "failures", `${agent.name}: ${reason ?? ""}`);
}

/** The same for the stages that it would have come to without a barrier in between. */
export function recordRemaining(draft: Draft, slot: number, result: Outcome): void {
  recordResult(draft, slot, result);
  const { segment } = draft.head;
  const agent = draft.agent(slot);
  if (segment === null) return;
  for (let stage = segment.first; stage <= segment.last; stage++) {
    if (!isStillToCome(draft, stage, slot)) continue;
    const { status, reason, end, tail } = result;
    draft.setResult(stage, slot, { ...unreached(agent), status, reason, end, tail });
    draft.countPending(stage, slot, -1);
  }
}

/** The result of a stage that an agent is going to take part in, but has not begun. */
export function unreached(agent: { readonly name: string; readonly index: number }): AgentPhase {
  const nothing = { startedAt: null, endedAt: null, attempts: 0, tail: "", end: null };
  return { agent: agent.name, index: agent.index, status: "skipped", reason: "not reached", ...nothing };
}

export function isStillToCome(draft: Draft, stage: number, slot: number): boolean {
  return draft.results(stage).at(slot)?.status === "skipped";
}

function countArrival(draft: Draft, stage: number): void {
  const run = draft.stage(stage);
  const arrived = run.arrived + 1;
  const quorum = quorumOf(draft.planned(stage).barrier.rule, run.electorate);
  draft.editStage(stage, {
    arrived,
    firstArrivalAt: run.firstArrivalAt ?? draft.now,
    metAt: run.metAt ?? (quorum !== null && arrived >= quorum ? draft.now : null),
  });
}

/** Adds what an accepted attempt told to its stage's result. `rank`: whose it is, for outputs of the same key. */
export function contribute(draft: Draft, stage: number, rank: number, agent: string, report: AttemptReport): void {
  const run = draft.stage(stage);
  const earlier = lastsOf(draft, stage, agent, report);
  const metrics = report.metrics.map((told) => (told.agg === "last" ? { ...told, count: 1 } : told));
  keepMeasured(draft, stage, agent, metrics);
  draft.editStage(stage, {
    metrics: metrics.reduce((known, told) => withMetric(known, told, earlier.get(told.name) ?? null), run.metrics),
    histograms: Object.entries(report.histograms).reduce<Histograms>(
      (histograms, [name, encoded]) => withHistogram(histograms, name, { agent, encoded }),
      run.histograms,
    ),
    ...annotated(run, agent, report),
  });
  tellLeftOut(draft, run, stage);
  addOutputs(draft, rank, report);
  addLaterTasks(draft, stage, rank, report.laterTasks ?? []);
}

/** Adds what an attempt told as tasks of a later stage. */
function addLaterTasks(draft: Draft, stage: number, rank: number, tasks: readonly Json[]): void {
  if (tasks.length === 0) return;
  const known = draft.stage(stage).laterTasks ?? [];
  // Agents that all tell the same are counted once: there may be thousands of them.
  const text = JSON.stringify(tasks);
  if (known.some((one) => one.rank <= rank && JSON.stringify(one.tasks) === text)) return;
  const laterTasks = [...known, { rank, tasks }];
  if (jsonBytes(laterTasks) <= KEPT.laterTaskBytes) draft.editStage(stage, { laterTasks });
  else draft.editStage(stage, { error: `more than ${KEPT.laterTaskBytes / 1_048_576} MiB of tasks were told` });
}

/** What a task told beside its stage's outputs, as far as there is room. */
export function keptOutputs(
  draft: Draft,
  stage: number,
  task: string,
  told: AttemptReport["outputs"],
): AttemptReport["outputs"] {
  const kept: [string, Json][] = [];
  for (const [key, value] of Object.entries(told)) {
    const bytes = sizeOf(`${task}.${key}`, value);
    const { outputBytes } = draft.stage(stage);
    if (outputBytes + bytes > KEPT.stageOutputBytes || draft.head.outputBytes + bytes > KEPT.outputBytes) {
      const { name } = draft.planned(stage);
      draft.notice(`outputs of single tasks of ${name} were left out: there is no room for more`);
      break;
    }
    draft.head.outputBytes += bytes;
    draft.editStage(stage, { outputBytes: outputBytes + bytes });
    kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}

/** Adds the outputs that an attempt told, whatever its end. */
export function addOutputs(draft: Draft, rank: number, { stage, outputs }: AttemptReport): void {
  for (const [key, value] of Object.entries(outputs)) addOutput(draft, stage, rank, key, value);
}

/** The same by agent: of tasks, and of what is told again, as one value each. */
function keepMeasured(draft: Draft, stage: number, name: string, metrics: readonly Metric[]): void {
  const slot = draft.slotOf(name);
  const assignment = slot === undefined ? null : draft.agent(slot).assignment;
  if (slot === undefined || metrics.length === 0 || !isAssigned(assignment, draft.stage(stage))) return;
  const before = assignment.measured ?? [];
  const kept = draft.head.measured ?? 0;
  const room = before.length + Math.max(0, KEPT.agentMetrics - kept);
  const measured = metrics.reduce((known, told) => withMetric(known, told, null, room), before);
  if (measured.length === before.length && kept >= KEPT.agentMetrics) return;
  draft.head.measured = kept + measured.length - before.length;
  if (draft.head.measured >= KEPT.agentMetrics)
    draft.notice(`the values of single agents fill the result (${KEPT.agentMetrics}): further ones are left out of it`);
  draft.editAssignment(slot, { measured });
}

/** Says once per stage that there is no more room: what comes then is left out. */
function tellLeftOut(draft: Draft, before: StageRun, stage: number): void {
  const now = draft.stage(stage);
  const { name } = draft.planned(stage);
  if (now.metrics.length >= KEPT.metrics && before.metrics.length < KEPT.metrics) {
    draft.notice(`${name} has ${KEPT.metrics} metrics, which is the most: further ones are left out of its result`);
  }
  if (now.annotationsLeftOut > 0 && before.annotationsLeftOut === 0) {
    draft.notice(`${name} has more annotations than a result holds: further ones are left out of it`);
  }
}

/** The annotations alone: what failed may still say where. */
export function annotate(draft: Draft, stage: number, agent: string, report: AttemptReport): void {
  const run = draft.stage(stage);
  draft.editStage(stage, annotated(run, agent, report));
  tellLeftOut(draft, run, stage);
}

type Annotated = Pick<StageRun, "annotations" | "annotationBytes" | "annotationsLeftOut">;

function annotated(run: StageRun, agent: string, report: AttemptReport): Annotated {
  const added: StageRun["annotations"][number][] = [];
  let bytes = run.annotationBytes;
  for (const annotation of report.annotations) {
    const size = jsonBytes(annotation);
    if (run.annotations.length + added.length >= KEPT.annotations || bytes + size > KEPT.annotationBytes) break;
    added.push({ ...annotation, agent });
    bytes += size;
  }
  return {
    annotations: [...run.annotations, ...added],
    annotationBytes: bytes,
    annotationsLeftOut: run.annotationsLeftOut + report.annotations.length - added.length,
  };
}

export function addOutput(draft: Draft, stage: number, rank: number, key: string, value: Json): void {
  const run = draft.stage(stage);
  const before = run.outputs.find((output) => output.key === key);
  if (before !== undefined && before.rank < rank) return;
  const bytes = sizeOf(key, value) - (before === undefined ? 0 : sizeOf(key, before.value));
  const { name } = draft.planned(stage);
  if (run.outputBytes + bytes > KEPT.stageOutputBytes) {
    const most = KEPT.stageOutputBytes / 1024;
    draft.notice(`output ${key} of ${name} was left out: a stage's outputs may have ${most} KiB`);
    return;
  }
  if (draft.head.outputBytes + bytes > KEPT.outputBytes) {
    const most = KEPT.outputBytes / 1_048_576;
    draft.notice(`output ${key} of ${name} was left out: the outputs of a run may have ${most} MiB`);
    return;
  }
  draft.head.outputBytes += bytes;
  const others = run.outputs.filter((output) => output !== before);
  draft.editStage(stage, { outputs: [...others, { key, value, rank }], outputBytes: run.outputBytes + bytes });
}

export function sizeOf(key: string, value: Json): number {
  return jsonBytes(key) + jsonBytes(value) + 2;
}

/** What an agent told earlier of the metrics of which only its last value counts; from now on that is this report's. */
function lastsOf(draft: Draft, stage: number, name: string, { metrics }: AttemptReport): ReadonlyMap<string, number> {
  const told = metrics.filter(({ agg }) => agg === "last");
  const slot = draft.slotOf(name);
  if (told.length === 0 || slot === undefined) return new Map();
  const { lasts } = draft.agent(slot);
  const earlier = new Map<string, number>();
  for (const { stage: of, metric, value } of lasts) if (of === stage) earlier.set(metric, value);
  const kept = lasts.filter((one) => one.stage !== stage || !told.some((metric) => metric.name === one.metric));
  const now = told.map(({ name: metric, value }) => ({ stage, metric, value }));
  draft.editAgent(slot, { lasts: [...kept, ...now].slice(-KEPT.metrics) });
  return earlier;
}

function withMetric(
  metrics: readonly Metric[],
  metric: Metric,
  earlier: number | null,
  room: number = KEPT.metrics,
): readonly Metric[] {
  const at = metrics.findIndex(({ name }) => name === metric.name);
  const before = metrics[at];
  if (before === undefined) return metrics.length < Math.min(room, KEPT.metrics) ? [...metrics, metric] : metrics;
  return metrics.with(at, acrossAgents(before, metric, earlier));
}

type Histograms = StageRun["histograms"];

function withHistogram(histograms: Histograms, name: string, part: StageHistogram["parts"][number]): Histograms {
  const at = histograms.findIndex((histogram) => histogram.name === name);
  const before = histograms[at];
  if (before === undefined) return [...histograms, { name, parts: [part] }];
  return histograms.with(at, { name, parts: [...before.parts, part] });
}

/** Shows its outputs to all: those of its tasks under the task's key, too. */
export function publishOutputs(draft: Draft, stage: number): void {
  const planned = draft.planned(stage);
  const run = draft.whole(stage);
  const ofTasks = run.pool === null ? [] : [...itemsOf(run.pool.records)].flatMap(outputsOfTask);
  if (run.outputs.length === 0 && ofTasks.length === 0) return;
  const own = Object.fromEntries([...ofTasks, ...run.outputs.map(({ key, value }) => [key, value] as const)]);
  draft.head.outputs = { ...draft.head.outputs, [planned.name]: own };
}

function outputsOfTask({ key: task, outputs = {} }: TaskRecord): readonly (readonly [string, Json])[] {
  return Object.entries(outputs).map(([key, value]) => [`${task}.${key}`, value]);
}
