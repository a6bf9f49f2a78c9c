/** The step itself: reads what is asked, runs the plan as one agent, shows the result. Returns the exit code. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAgent } from "../agent/agent.ts";
import type { AgentEvent } from "../agent/log.ts";
import { NoTemporaryFiles } from "../agent/process/directory.ts";
import { unseenWarning } from "../agent/process/process-groups.ts";
import type { GroupView } from "../agent/work.ts";
import { type Connection, connect } from "../coordinator/client/connect.ts";
import type { RunHost } from "../coordinator/hosting/host.ts";
import { Refusal } from "../coordinator/protocol/refusal.ts";
import { beaconsOf } from "../github/checks/beacon-place.ts";
import { jobClient } from "../github/client.ts";
import type { Plan } from "../plan/plan.ts";
import { isSelected, select } from "../plan/select.ts";
import { platformRefusal } from "../platform.ts";
import { unguessable } from "../random.ts";
import { NO_COLOURS, verdictLines } from "../report/log.ts";
import { maskedSummary } from "../report/masked.ts";
import type { RunReport } from "../report/report.ts";
import { AgentSummary } from "../run/result/agent-summary.ts";
import type { RunSummary } from "../run/result/record.ts";
import { SummaryByAgent } from "../run/result/summary-by-agent.ts";
import { cleanupStages } from "../run/stage/participants.ts";
import type { RunKey, Selection } from "../run/types.ts";
import type { Entry } from "./entry.ts";
import { groupSizeOf, type MeetingPlace, meetingPlaceOf, placeProblems } from "./input/coordinator-location.ts";
import { type Inputs, readInputs } from "./input/inputs.ts";
import { type Job, readJob } from "./input/job.ts";
import { type PlanFile, readPlanInput } from "./input/plan-file.ts";
import { planProblems } from "./input/plan-problems.ts";
import { type Abandoned, endAbandoned, leaderMayBeGone } from "./output/abandoned.ts";
import { CollectedFiles } from "./output/collected.ts";
import { Display } from "./output/display.ts";
import { Publisher } from "./output/publish.ts";
import { annotateProblems, BAD_INPUT, failStep, refuseInputs, refusePlan, UnusableState } from "./output/refuse.ts";
import { StepResult } from "./output/result.ts";
import { heldAgainstBaselines, runReport } from "./output/run-report.ts";
import { checkExternalId, runSummaryOf } from "./output/run-summary.ts";
import { Tracker } from "./output/tracker.ts";
import { SavedState } from "./post-state.ts";
import type { KeptState } from "./run-state.ts";
import { Interruption, interruptible, type RunningStep } from "./signals.ts";

/** Everything that one run needs, read and found in order. */
interface Task {
  readonly inputs: Inputs;
  readonly job: Job;
  readonly source: PlanFile;
  readonly plan: Plan;
  readonly selection: Selection;
  readonly key: RunKey;
  readonly agentName: string;
  /** Agents of the group. */
  readonly size: number;
  readonly place: MeetingPlace;
  readonly state: SavedState;
}

export async function runMain(entry: Entry): Promise<number> {
  const task = prepare(entry);
  return typeof task === "number" ? task : await carryOut(task, entry);
}

/** The task, or the exit code of what was refused. */
function prepare(entry: Entry): Task | number {
  const refusal = platformRefusal(process.platform);
  if (refusal !== null) {
    failStep(refusal, entry);
    return BAD_INPUT;
  }
  const read = readInputs(entry.env);
  if ("problems" in read) return refuseInputs(read.problems, entry);
  const { inputs } = read;
  const server = entry.env.GITHUB_SERVER_URL ?? "";
  if (server !== "" && !URL.canParse(server)) {
    return failStep(
      `GITHUB_SERVER_URL: expected GitHub's address, as the runner sets it, got ${JSON.stringify(server)}`,
      entry,
    );
  }
  const job = readJob(entry.env, entry);
  const source = readPlanInput(inputs.plan, job.workspace, inputs.params);
  const { plan, file, problems } = source;
  if (plan === null) return refusePlan(file, problems, entry);
  const wanted = {
    only: inputs.onlyStages,
    skip: inputs.skipStages,
    stopAfter: inputs.stopAfterStage ?? undefined,
  };
  // What a state holds is known where the run is hosted.
  const selected = inputs.resume ? select(plan, wanted, null) : select(plan, wanted);
  if ("problems" in selected) return refuseInputs(selected.problems, entry);
  const beyond = [...placeProblems(plan, inputs, job, entry.env), ...planProblems(plan, selected.selection, inputs)];
  if (beyond.length > 0) return refuseInputs(beyond, entry);
  annotateProblems(problems, entry);
  const key = {
    repositoryId: job.repositoryId,
    runId: job.runId,
    attempt: job.attempt,
    group: inputs.group ?? job.id,
    plan: plan.name,
  };
  const size = groupSizeOf(plan, inputs);
  if (size > 1 && inputs.failFast === true) {
    entry.console.warning(
      "fail-fast: GitHub would cancel all agents of the group as soon as one job fails; add `fail-fast: false` under strategy",
    );
  }
  const agentName = inputs.agentName ?? plan.agents[inputs.agentIndex]?.id ?? `${job.id}-${inputs.agentIndex}`;
  const state = new SavedState(entry.files, { token: inputs.githubToken, job });
  const place = meetingPlaceOf(key, plan, inputs, job, entry, state);
  return { inputs, job, source, plan, selection: selected.selection, key, agentName, size, place, state };
}

async function carryOut(task: Task, entry: Entry): Promise<number> {
  const { inputs, job, source, plan, selection, key, agentName, size, place, state } = task;
  const startedAt = entry.pace.now();
  const planCopy = join(job.temporary, `stagewright-plan-${unguessable()}.yml`);
  try {
    writeFileSync(planCopy, source.bytes, { mode: 0o600 });
  } catch (error) {
    rmSync(planCopy, { force: true });
    return failStep(new NoTemporaryFiles(job.temporary, entry.env, error).message, entry);
  }
  const collected = new CollectedFiles(plan, job.temporary, entry);
  const collectTo = collected.folder;
  state.run({ planCopy, planFile: source.file, agent: agentName, startedAt, collectTo }, source.bytes);
  const leaves = collectTo !== null || cleanupStages(plan).some(({ command }) => command !== null);

  const stages = plan.stages.filter(({ index }) => isSelected(selection, index)).map(({ name }) => name);
  const tracker = new Tracker({ planName: plan.name, stages, startedAt });
  const publisher = new Publisher({
    where: place.reports ? inputs.report : "commands",
    token: inputs.githubToken,
    client: () => jobClient(inputs.githubToken),
    job,
    checkName: checkName(task),
    externalId: checkExternalId(key, inputs.agentIndex),
    console: entry.console,
    files: entry.files,
    masks: entry.masks,
    state,
    pace: entry.pace,
  });
  const own = new AgentSummary({ agent: agentName, index: size === 1 ? 0 : inputs.agentIndex });
  const display = new Display(entry.console, entry.pace.now);
  const group = ({ member, roster }: Pick<GroupView, "member" | "roster">, leftOut: boolean): void =>
    state.group({ skip: [...selection.skip], member, roster: [...roster], leftOut });
  const log = (event: AgentEvent): void => {
    if (event.kind === "assembled") group(event, false);
    if (event.kind === "started" && leaves) state.started();
    collected.follow(event);
    if (event.kind === "ended") own.add(event.stage, event.report);
    display.show(event);
    if (tracker.follow(event)) publisher.progress(tracker.progress(entry.pace.now()));
  };
  let kept: KeptState | null = null;
  let steps = 0;
  const told = new WeakSet<object>();
  const onChange = (host: RunHost): void => {
    kept?.follow(host.state);
    // What a stage came to is put together once, and only when there can be something new: there may be many agents.
    if (host.state.steps === steps) return;
    steps = host.state.steps;
    const phases = host.newPhases(told);
    display.judged(phases, false);
    if (tracker.judged(phases)) publisher.progress(tracker.progress(entry.pace.now()));
  };
  const running: RunningStep = { agent: null, host: null, connecting: new AbortController() };
  const result = new StepResult(job.temporary, entry);
  const reportNow = (summary: RunSummary): RunReport => {
    const whole = maskedSummary(summary, entry.masks);
    const shown = place.reports ? whole : new SummaryByAgent(whole, 0).of(agentName);
    const times = { startedAt, completedAt: entry.pace.now() };
    return { ...runReport(task, shown, entry.masks, times), collected: collected.parts.all() };
  };
  const tellKnown = (why: string): void => {
    // Once the run is over, only its reports are cut short.
    const report = result.told ?? reportNow(runSummaryOf({ kind: "left", why, told: false }, running.host, own));
    if (result.told === null) result.tell(report, null);
    kept?.tell();
    publisher.known(report);
    entry.console.text(`${why}: what is known is written; ending what runs`);
  };
  const interruption = new Interruption(
    interruptible(running, tellKnown),
    (text) => entry.console.text(text),
    entry.exit,
  );
  let connection: Connection | null = null;
  try {
    const incomplete = size > 1 ? await incompleteBecause(task, entry) : null;
    if (incomplete !== null) return failStep(incomplete, entry);
    const say = (text: string): void => entry.console.text(text);
    kept = await keptState(task, entry);
    const carried = kept === null ? {} : { carried: await kept.take() };
    const about = { location: place.location, key, plan, selection, agentCount: size, ...carried, say };
    connection = await connect({ ...about, onChange }, running.connecting.signal);
    running.host = connection.host;
    const agent = createAgent({
      plan,
      planFile: source.file,
      key,
      name: agentName,
      role: inputs.role,
      // A group of one: its only place is the first, wherever the job stands in its matrix.
      index: size === 1 ? 0 : inputs.agentIndex,
      address: place.address,
      workingDirectory: job.workspace,
      environment: entry.env,
      ownSecrets: [],
      masks: entry.masks,
      secrets: inputs.secrets,
      tellsOutput: inputs.reportOutput === "tail",
      commandLine: entry.commandLine,
      ...(collectTo === null ? {} : { collectTo }),
      log,
      coordinator: connection.coordinator,
      selection,
      agentCount: size,
      silenceMs: connection.silenceMs,
      // Elsewhere the app keeps the states.
      resume: inputs.resume && place.location.kind === "url",
    });
    running.agent = agent;
    const unseen = unseenWarning();
    if (unseen !== null) entry.console.text(`⚠ ${unseen}`);
    publisher.start(tracker.progress(startedAt));
    const end = await agent.run();
    // Cut off from its coordinator, it does not know what the others do.
    if (end.kind === "unreachable") group(agent.group(), true);
    const known = reportNow(runSummaryOf(end, connection.host, own));
    const report = await heldAgainstBaselines(known, task, say);
    const { summary } = report;
    display.closeGroup();
    display.judged(summary.phases, true);
    // Only a run that came to its own end has had its cleanup.
    if (end.kind === "finished" && summary.verdict !== "cancelled") state.finished(summary.verdict);
    const excluded = end.kind === "finished" ? end.excluded : null;
    for (const line of verdictLines(report, NO_COLOURS)) entry.console.text(line);
    result.tell(report, excluded);
    collected.tell();
    kept?.tell();
    const { checkRunUrl } = await publisher.finish(report, interruption.deadline);
    entry.files.output("check-run-url", checkRunUrl ?? "");
    await kept?.settled(interruption.deadline);
    const gone = place.location.kind === "follower" ? leaderMayBeGone(end) : null;
    if (gone !== null) await endAbandoned(abandonedOf(task, connection), gone, entry, interruption.deadline);
    return interruption.exitCode ?? (summary.verdict === "success" ? 0 : 1);
  } catch (error) {
    if (interruption.exitCode !== null) return interruption.exitCode;
    if (error instanceof UnusableState) return refuseInputs(error.lines, entry);
    if (error instanceof Refusal || error instanceof NoTemporaryFiles || connection === null) {
      return failStep(error instanceof Error ? error.message : String(error), entry);
    }
    throw error;
  } finally {
    // A leader stays until the others know the end; a signal still ends it.
    await connection?.close();
    interruption.stopListening();
  }
}

/** What keeps the state of the run, where it is hosted here; null: nothing does, or nothing was asked for. */
async function keptState(task: Task, entry: Entry): Promise<KeptState | null> {
  const { inputs, place } = task;
  const isHost = place.location.kind === "solo" || place.location.kind === "leader";
  if (!isHost || (!inputs.resume && inputs.stateFile === null)) return null;
  const { KeptState: Kept } = await import("./run-state.ts");
  return new Kept(task, entry);
}

/** Why the group cannot be complete in this attempt; null: it can, or GitHub does not say. */
async function incompleteBecause({ job, inputs, size }: Task, { env, console }: Entry): Promise<string | null> {
  const { owner, repo, runId, attempt } = job;
  if (attempt === 1 || owner === null || repo === null) return null;
  try {
    const runner = env.RUNNER_NAME ?? null;
    const { whyIncomplete } = await import("./input/rerun.ts");
    return await whyIncomplete(await jobClient(inputs.githubToken), {
      owner,
      repo,
      runId,
      attempt,
      size,
      resumes: inputs.resume,
      runner,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.text(`⚠ the jobs of attempt ${attempt} could not be listed (\`actions: read\` lets them be): ${why}`);
    return null;
  }
}

/** What the leader alone would have concluded: where it is, and the group's result. */
function abandonedOf(task: Task, { leaderIsOver }: Connection): Abandoned {
  const { job, inputs, key, place, agentName } = task;
  const { owner, repo, headSha } = job;
  const result =
    owner === null || repo === null || headSha === null
      ? []
      : [{ owner, repo, headSha, name: checkName(task), externalId: checkExternalId(key, 0) }];
  const checks = [...(place.beacon === null ? [] : [beaconsOf(place.beacon)]), ...result];
  const client = inputs.githubToken === "" ? null : () => jobClient(inputs.githubToken);
  return { checks, client, index: inputs.agentIndex, agent: agentName, leaderIsOver };
}

/** Jobs of a matrix that run a plan each on their own need names of their own. */
function checkName({ plan, job, inputs, key, size }: Task): string {
  if (size > 1) return `plan / ${plan.name} (${key.group})`;
  return `plan / ${plan.name} (${inputs.agentIndex === 0 ? job.id : `${job.id}-${inputs.agentIndex}`})`;
}
