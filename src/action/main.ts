/** The step itself: reads what is asked, runs the plan as one agent, shows the result. Returns the exit code. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAgent } from "../agent/agent.ts";
import type { AgentEvent } from "../agent/log.ts";
import type { LoopEnd } from "../agent/loop.ts";
import { RunHost } from "../coordinator/host.ts";
import { LocalCoordinator } from "../coordinator/local.ts";
import { needsGroup } from "../plan/needs-group.ts";
import type { Plan, Problem } from "../plan/plan.ts";
import { isSelected, select } from "../plan/select.ts";
import { clip, oneLine } from "../report/escape.ts";
import { resultJson } from "../report/json.ts";
import { NO_COLOURS, verdictLines } from "../report/log.ts";
import type { RunReport } from "../report/report.ts";
import type { RunKey, RunSummary, Selection } from "../run/types.ts";
import { Display } from "./display.ts";
import type { Entry } from "./entry.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { type Job, readJob } from "./job.ts";
import { type PlanFile, readPlanFile } from "./plan-file.ts";
import { Publisher } from "./publish.ts";
import { annotateProblems, refuseInputs, refusePlan } from "./refuse.ts";
import { Interruption } from "./signals.ts";
import { SavedState } from "./state.ts";
import { Tracker } from "./tracker.ts";

/** Everything that one run needs, read and found in order. */
interface Task {
  readonly inputs: Inputs;
  readonly job: Job;
  readonly source: PlanFile;
  readonly plan: Plan;
  readonly selection: Selection;
  readonly key: RunKey;
  readonly agentName: string;
}

export async function runMain(entry: Entry): Promise<number> {
  const state = new SavedState(entry.files);
  state.main();
  const task = prepare(entry);
  return typeof task === "number" ? task : await carryOut(task, entry, state);
}

/** The task, or the exit code of what was refused. */
function prepare(entry: Entry): Task | number {
  const read = readInputs(entry.env);
  if ("problems" in read) return refuseInputs(read.problems, entry);
  const { inputs } = read;
  const job = readJob(entry.env, entry);
  const source = readPlanFile(inputs.plan, job.workspace, inputs.params);
  const { plan, file, problems } = source;
  if (plan === null) return refusePlan(file, problems, entry);
  const beyond = groupProblems(source, plan, inputs);
  if (beyond.length > 0) return refusePlan(file, [...problems, ...beyond], entry);
  const selected = select(plan, {
    only: inputs.onlyStages,
    skip: inputs.skipStages,
    stopAfter: inputs.stopAfterStage ?? undefined,
  });
  if ("problems" in selected) return refuseInputs(selected.problems, entry);
  annotateProblems(problems, entry);
  const key = {
    repositoryId: job.repositoryId,
    runId: job.runId,
    attempt: job.attempt,
    group: job.id,
    plan: plan.name,
  };
  const agentName = inputs.agentName ?? `${job.id}-${inputs.agentIndex}`;
  return { inputs, job, source, plan, selection: selected.selection, key, agentName };
}

/** What needs more than this one agent is refused before anything runs. */
function groupProblems({ keys, file }: PlanFile, plan: Plan, inputs: Inputs): readonly Problem[] {
  const problem = (line: number, column: number, message: string): Problem => {
    return { severity: "error", file, line, column, message };
  };
  const needs = needsGroup(plan, keys).map(({ line, column, reason }) =>
    problem(line, column, `${reason}: groups of agents are not built yet`),
  );
  const count = plan.agentCount ?? inputs.agentCount ?? 1;
  if (needs.length > 0 || count === 1) return needs;
  const matrix = `this job is one of ${count} of a matrix, which would be a group of ${count} agents`;
  return [problem(1, 1, `${matrix}: groups are not built yet; with agent-count: 1 each job runs the plan on its own`)];
}

async function carryOut(task: Task, entry: Entry, state: SavedState): Promise<number> {
  const { inputs, job, source, plan, selection, key, agentName } = task;
  const startedAt = entry.pace.now();
  const planCopy = join(job.temporary, `stagewright-plan-${randomUUID()}.yml`);
  writeFileSync(planCopy, source.bytes, { mode: 0o600 });
  state.run({ planCopy, planFile: source.file, agent: agentName, startedAt });

  const stages = plan.stages.filter(({ index }) => isSelected(selection, index)).map(({ name }) => name);
  const tracker = new Tracker({ planName: plan.name, stages, startedAt });
  const publisher = new Publisher({
    where: inputs.report,
    token: inputs.githubToken,
    job,
    checkName: checkName(task),
    externalId: [key.repositoryId, key.runId, key.attempt, key.group, inputs.agentIndex, key.plan].join("/"),
    console: entry.console,
    files: entry.files,
    state,
    pace: entry.pace,
  });
  const display = new Display(entry.console, entry.pace.now);
  const log = (event: AgentEvent): void => {
    if (event.kind === "started") state.started();
    display.show(event);
    if (tracker.follow(event)) publisher.progress(tracker.progress(entry.pace.now()));
  };
  const host = new RunHost({
    created: { type: "created", at: startedAt, key, plan, selection, agentCount: 1 },
    onChange: (changed) => {
      const { phases } = changed.summary();
      display.judged(phases, false);
      if (tracker.judged(phases)) publisher.progress(tracker.progress(entry.pace.now()));
    },
  });
  const agent = createAgent({
    plan,
    planFile: source.file,
    key,
    name: agentName,
    role: null,
    // A group of one: its only place is the first, wherever the job stands in its matrix.
    index: 0,
    address: null,
    workingDirectory: job.workspace,
    environment: entry.env,
    ownSecrets: [],
    commandLine: entry.commandLine,
    log,
    coordinator: new LocalCoordinator(host),
    selection,
    agentCount: 1,
  });
  publisher.start(tracker.progress(startedAt));
  const interruption = new Interruption(agent, (why) => host.cancel("the runner", why), entry.exit);
  try {
    const end = await agent.run();
    const summary = summaryOf(end, host);
    display.closeGroup();
    display.judged(summary.phases, true);
    const report = reportOf(task, summary, startedAt, entry.pace.now());
    // Only a run that came to its own end has had its cleanup.
    if (end.kind === "finished" && summary.verdict !== "cancelled") state.finished(summary.verdict);
    await show(report, task, entry, publisher, interruption);
    return interruption.exitCode ?? (summary.verdict === "success" ? 0 : 1);
  } finally {
    interruption.stopListening();
    host.close();
  }
}

/** The result in every place: log, file, outputs, GitHub. */
async function show(
  report: RunReport,
  { job }: Task,
  { console, files }: Entry,
  publisher: Publisher,
  interruption: Interruption,
): Promise<void> {
  const { summary } = report;
  for (const line of verdictLines(report, NO_COLOURS)) console.text(line);
  const resultsFile = join(job.temporary, `stagewright-results-${randomUUID()}.json`);
  writeFileSync(resultsFile, resultJson(report), { mode: 0o600 });
  files.output("result", summary.verdict);
  files.output("message", clip(oneLine(summary.message), 4000));
  files.output("failed-stage", summary.failedStage ?? "");
  files.output("results-file", resultsFile);
  const { checkRunUrl } = await publisher.finish(report, interruption.deadline);
  files.output("check-run-url", checkRunUrl ?? "");
}

function reportOf(task: Task, summary: RunSummary, startedAt: number, completedAt: number): RunReport {
  const { selection, plan, source, job } = task;
  const last = selection.stopAfter === null ? undefined : plan.stages[selection.stopAfter];
  const reached = summary.phases.some(({ stage, status }) => stage === last?.index && status !== "skipped");
  return {
    summary,
    planName: plan.name,
    planFile: source.file,
    workspace: job.workspace,
    startedAt,
    completedAt,
    stoppedAfter: last !== undefined && reached && summary.verdict === "success" ? last.name : null,
  };
}

/** Jobs of a matrix that run a plan each on their own need names of their own. */
function checkName({ plan, job, inputs }: Task): string {
  return `plan / ${plan.name} (${inputs.agentIndex === 0 ? job.id : `${job.id}-${inputs.agentIndex}`})`;
}

function summaryOf(end: LoopEnd, host: RunHost): RunSummary {
  switch (end.kind) {
    case "finished":
      return end.summary;
    case "left":
      return { ...host.summary(), verdict: "cancelled", status: "cancelled", message: end.why };
    case "unreachable":
      return { ...host.summary(), verdict: "failure", status: "failed", message: end.why };
  }
}
