/** Workflow runs and their jobs. Whoever interprets the workflow files drives them with these functions. */

import { type CheckFields, createCheckRun, updateCheckRun } from "../checks/checks.ts";
import { actionsActor, makeSuite, setSuite, worstConclusion } from "../checks/suites.ts";
import { invalid, WorldError } from "../errors.ts";
import type { Actor, Annotation, Conclusion, JobStep, Repository, WorkflowJob, WorkflowRun } from "../model/index.ts";
import { actionsApp } from "../people/apps.ts";
import { account, emit, fullName, register, repository, required, type World } from "../world.ts";
import { workflowFor } from "./workflows.ts";

export interface NewRun {
  readonly repository: Repository;
  /** The workflow file. */
  readonly path: string;
  readonly event: string;
  /** GITHUB_REF */
  readonly ref: string;
  /** GITHUB_SHA: the file and the checkout are taken from here. */
  readonly sha: string;
  /** Where it is shown; pull requests: the head commit. */
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly pullNumbers?: readonly number[];
  readonly inputs?: Readonly<Record<string, string>>;
  /** What `github.event` will hold. */
  readonly payload: unknown;
  readonly displayTitle?: string;
}

/** A run without jobs, queued. */
export function createRun(world: World, actor: Actor, input: NewRun): WorkflowRun {
  const repo = input.repository;
  const workflow = workflowFor(world, repo, input.path, input.sha);
  const id = world.ids.next("WorkflowRun");
  const suite = makeSuite(world, {
    repository: repo,
    appId: actionsApp(world).id,
    sha: input.headSha,
    branch: input.headBranch,
    workflowRunId: id,
  });
  const run: WorkflowRun = {
    id,
    nodeId: world.ids.node("WorkflowRun", id),
    repositoryId: repo.id,
    workflowId: workflow.id,
    path: workflow.path,
    name: workflow.name,
    displayTitle: input.displayTitle ?? workflow.name,
    runNumber: 1 + [...world.runs.values()].filter((other) => other.workflowId === workflow.id).length,
    attempt: 1,
    event: input.event,
    ref: input.ref,
    headBranch: input.headBranch,
    headSha: input.headSha,
    sha: input.sha,
    status: "queued",
    conclusion: null,
    actorId: actor.account.id,
    triggeringActorId: actor.account.id,
    pullNumbers: input.pullNumbers ?? [],
    inputs: input.inputs ?? {},
    payload: input.payload,
    checkSuiteId: suite.id,
    createdAt: world.now(),
    updatedAt: world.now(),
    startedAt: world.now(),
  };
  world.runs.set(id, run);
  register(world, { type: "WorkflowRun", value: run });
  emit(world, { kind: "workflow_run", action: "requested", actor, repository: repo, run, workflow });
  return run;
}

export interface NewJob {
  readonly key: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly environment?: string | null;
  /** `waiting`: held by its environment. */
  readonly status?: "queued" | "waiting";
}

/** A job of the run's current attempt, with the check run that shows it. */
export function addJob(world: World, run: WorkflowRun, input: NewJob): WorkflowJob {
  const repo = repository(world, run.repositoryId);
  const actor = actionsActor(world);
  // A job and its check run share one id, as on GitHub.
  const id = world.ids.next("CheckRun");
  const status = input.status ?? "queued";
  const check = createCheckRun(world, actor, {
    repository: repo,
    app: actionsApp(world),
    headSha: run.headSha,
    name: input.name,
    suite: required(world.suites.get(run.checkSuiteId)),
    id,
    jobId: id,
    externalId: world.ids.guid(),
    detailsUrl: `${world.baseUrl}/${fullName(world, repo)}/actions/runs/${run.id}/job/${id}`,
    status: status === "waiting" ? "waiting" : "queued",
  });
  const job: WorkflowJob = {
    id,
    nodeId: check.nodeId,
    repositoryId: repo.id,
    runId: run.id,
    attempt: run.attempt,
    key: input.key,
    name: input.name,
    labels: input.labels,
    environment: input.environment ?? null,
    status,
    conclusion: null,
    steps: [],
    runner: null,
    createdAt: world.now(),
    startedAt: null,
    completedAt: null,
    checkRunId: check.id,
    log: [],
    summaries: [],
  };
  world.jobs.set(id, job);
  emit(world, { kind: "workflow_job", action: status, actor, repository: repo, job, run });
  return job;
}

export interface JobUpdate {
  readonly status?: WorkflowJob["status"];
  readonly conclusion?: Conclusion;
  readonly steps?: readonly JobStep[];
  readonly runner?: WorkflowJob["runner"];
}

/** Sends `workflow_job` when the status changes, and moves the run to in_progress with its first job. Steps alone send nothing. */
export function updateJob(world: World, job: WorkflowJob, update: JobUpdate): void {
  const run = required(world.runs.get(job.runId));
  if (job.status === "completed") throw invalid(`job ${job.id} is completed`);
  if (update.status === "completed" && update.conclusion === undefined)
    throw invalid("a completed job needs a conclusion");
  if (update.steps !== undefined) job.steps = update.steps;
  if (update.runner !== undefined) job.runner = update.runner;
  if (update.status === undefined || update.status === job.status) return;
  job.status = update.status;
  if (update.status === "in_progress") job.startedAt ??= world.now();
  if (update.status === "completed") {
    job.conclusion = update.conclusion ?? null;
    job.startedAt ??= world.now();
    job.completedAt = world.now();
  }
  const actor = actionsActor(world);
  const fields: CheckFields =
    update.conclusion === undefined ? { status: update.status } : { conclusion: update.conclusion };
  updateCheckRun(world, actor, required(world.checkRuns.get(job.checkRunId)), fields);
  emit(world, {
    kind: "workflow_job",
    action: update.status,
    actor,
    repository: repository(world, job.repositoryId),
    job,
    run,
  });
  if (update.status === "in_progress") markStarted(world, run);
}

function markStarted(world: World, run: WorkflowRun): void {
  if (run.status === "in_progress" || run.status === "completed") return;
  run.status = "in_progress";
  run.updatedAt = world.now();
  setSuite(world, required(world.suites.get(run.checkSuiteId)), "in_progress", null);
  emitRun(world, run, "in_progress");
}

function emitRun(world: World, run: WorkflowRun, action: "requested" | "in_progress" | "completed"): void {
  const workflow = required(world.workflows.get(run.workflowId));
  const actor: Actor = { account: account(world, run.triggeringActorId), app: null, via: "job" };
  emit(world, { kind: "workflow_run", action, actor, repository: repository(world, run.repositoryId), run, workflow });
}

export function appendLog(job: WorkflowJob, text: string): void {
  job.log.push(text);
}

/** Markdown of one step's GITHUB_STEP_SUMMARY. */
export function addSummary(job: WorkflowJob, markdown: string): void {
  job.summaries.push(markdown);
}

/** Annotations from workflow commands: they stand on the job's check run. */
export function annotateJob(world: World, job: WorkflowJob, annotations: readonly Annotation[]): void {
  updateCheckRun(world, actionsActor(world), required(world.checkRuns.get(job.checkRunId)), {
    output: { annotations },
  });
}

/** The jobs of one attempt (default: the current), in the order of their making. */
export function jobsOf(world: World, run: WorkflowRun, attempt: number = run.attempt): WorkflowJob[] {
  return [...world.jobs.values()].filter((job) => job.runId === run.id && job.attempt === attempt);
}

/** Ends the run. Default conclusion: the worst of its jobs. Jobs still open are an error. */
export function completeRun(world: World, run: WorkflowRun, conclusion?: Conclusion): void {
  if (run.status === "completed") return;
  const jobs = jobsOf(world, run);
  const open = jobs.filter((job) => job.status !== "completed");
  if (open.length > 0) throw invalid(`jobs are still open: ${open.map((job) => job.name).join(", ")}`);
  run.status = "completed";
  run.conclusion = conclusion ?? worstConclusion(jobs.map((job) => job.conclusion)) ?? "skipped";
  run.updatedAt = world.now();
  setSuite(world, required(world.suites.get(run.checkSuiteId)), "completed", run.conclusion);
  emitRun(world, run, "completed");
}

const attemptLimit = 51;

/** Starts the next attempt: queued, without jobs. Who interprets the workflow adds those that run again. */
export function rerun(
  world: World,
  actor: Actor,
  run: WorkflowRun,
  only: "all" | "failed" | { readonly jobId: number },
): void {
  if (run.status !== "completed") throw new WorldError("forbidden", "This workflow is already running");
  if (run.attempt >= attemptLimit)
    throw new WorldError("forbidden", "This workflow run cannot be re-run: it was re-run 50 times");
  if (
    only === "failed" &&
    !jobsOf(world, run).some((job) => job.conclusion !== "success" && job.conclusion !== "skipped")
  ) {
    throw new WorldError("forbidden", "This workflow run has no failed jobs");
  }
  run.attempt += 1;
  run.status = "queued";
  run.conclusion = null;
  run.triggeringActorId = actor.account.id;
  run.startedAt = world.now();
  run.updatedAt = world.now();
  setSuite(world, required(world.suites.get(run.checkSuiteId)), "queued", null);
  const repo = repository(world, run.repositoryId);
  const workflow = required(world.workflows.get(run.workflowId));
  emit(world, { kind: "workflow_run", action: "requested", actor, repository: repo, run, workflow });
  emit(world, { kind: "rerun_wanted", actor, repository: repo, run, only });
}

/** Asks for the run's end; who runs it ends it. */
export function cancelRun(world: World, actor: Actor, run: WorkflowRun, force = false): void {
  if (run.status === "completed") throw new WorldError("conflict", "Cannot cancel a workflow run that is completed.");
  emit(world, { kind: "cancel_wanted", actor, repository: repository(world, run.repositoryId), run, force });
}

export function runsOf(world: World, repo: Repository): WorkflowRun[] {
  return [...world.runs.values()].filter((run) => run.repositoryId === repo.id).reverse();
}
