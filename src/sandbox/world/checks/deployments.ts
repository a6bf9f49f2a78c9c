/** Environments, deployments to them, and the apps that hold them. */

import { jobsOf } from "../actions/runs.ts";
import { invalid, WorldError } from "../errors.ts";
import type {
  Actor,
  App,
  Deployment,
  DeploymentState,
  Environment,
  ProtectionRequest,
  Repository,
  WorkflowJob,
  WorkflowRun,
} from "../model/index.ts";
import { asApp } from "../people/accounts.ts";
import { emit, register, repository, required, type World } from "../world.ts";
import { actionsActor } from "./suites.ts";

const commentsPerDeployment = 10;
const commentLimit = 1024;

/** Makes it if it is new. */
export function environment(world: World, repo: Repository, name: string): Environment {
  const known = repo.environments.get(name);
  if (known !== undefined) return known;
  const id = world.ids.next("Environment");
  const made: Environment = {
    id,
    nodeId: world.ids.node("Environment", id),
    repositoryId: repo.id,
    name,
    createdAt: world.now(),
    rules: [],
  };
  repo.environments.set(name, made);
  register(world, { type: "Environment", value: made });
  return made;
}

/** Lets an app hold this environment's jobs. */
export function addProtectionRule(world: World, repo: Repository, name: string, guard: App): void {
  const target = environment(world, repo, name);
  if (target.rules.some((rule) => rule.appId === guard.id)) return;
  const id = world.ids.next("ProtectionRule");
  target.rules.push({ id, nodeId: world.ids.node("ProtectionRule", id), appId: guard.id });
}

export function createDeployment(
  world: World,
  actor: Actor,
  repo: Repository,
  input: {
    readonly sha: string;
    readonly ref: string;
    readonly environment: string;
    readonly state: DeploymentState;
    readonly description?: string;
    readonly runId?: number;
    readonly jobId?: number;
  },
): Deployment {
  const id = world.ids.next("Deployment");
  environment(world, repo, input.environment);
  const made: Deployment = {
    id,
    nodeId: world.ids.node("Deployment", id),
    repositoryId: repo.id,
    sha: input.sha,
    ref: input.ref,
    environment: input.environment,
    creatorId: actor.account.id,
    description: input.description ?? null,
    createdAt: world.now(),
    updatedAt: world.now(),
    statuses: [],
    runId: input.runId ?? null,
    jobId: input.jobId ?? null,
  };
  world.deployments.set(id, made);
  register(world, { type: "Deployment", value: made });
  emit(world, { kind: "deployment", action: "created", actor, repository: repo, deployment: made });
  setDeploymentState(world, actor, made, input.state);
  return made;
}

export function setDeploymentState(
  world: World,
  actor: Actor,
  deployment: Deployment,
  state: DeploymentState,
  description = "",
): void {
  if (deployment.statuses.at(-1)?.state === state) return;
  const id = world.ids.next("DeploymentStatus");
  deployment.statuses.push({
    id,
    nodeId: world.ids.node("DeploymentStatus", id),
    state,
    description,
    creatorId: actor.account.id,
    at: world.now(),
  });
  deployment.updatedAt = world.now();
  emit(world, {
    kind: "deployment_status",
    action: "created",
    actor,
    repository: repository(world, deployment.repositoryId),
    deployment,
  });
}

/**
 * A job with an environment is about to start: makes its deployment, and asks the apps that guard the environment.
 * Returns the open requests: with none the job may start at once; else `gate_decided` follows on the change feed.
 */
export function deployJob(
  world: World,
  run: WorkflowRun,
  job: WorkflowJob,
): { deployment: Deployment; requests: ProtectionRequest[] } {
  const repo = repository(world, run.repositoryId);
  const name = required(job.environment, "the job has no environment");
  const { rules } = environment(world, repo, name);
  const actor = actionsActor(world);
  const state = rules.length === 0 ? "in_progress" : "waiting";
  const deployment = createDeployment(world, actor, repo, {
    sha: run.sha,
    ref: run.ref.replace(/^refs\/heads\//, ""),
    environment: name,
    state,
    runId: run.id,
    jobId: job.id,
  });
  const requests = rules.map((rule) => {
    const request: ProtectionRequest = {
      id: world.ids.next("ProtectionRequest"),
      repositoryId: repo.id,
      deploymentId: deployment.id,
      environment: name,
      runId: run.id,
      attempt: run.attempt,
      jobId: job.id,
      appId: rule.appId,
      state: "pending",
      comments: [],
    };
    world.protectionRequests.set(request.id, request);
    return request;
  });
  // With nothing else to do the run as a whole waits.
  const idle = jobsOf(world, run).every((each) => each.status === "waiting" || each.status === "completed");
  if (requests.length > 0 && idle && run.status === "queued") run.status = "waiting";
  for (const request of requests) {
    emit(world, {
      kind: "deployment_protection_rule",
      action: "requested",
      actor,
      repository: repo,
      request,
      deployment,
      run,
    });
  }
  return { deployment, requests };
}

/** Open requests of this app for this environment of a run's current attempt. */
export function pendingRequests(world: World, run: WorkflowRun, name: string, guard: App): ProtectionRequest[] {
  return [...world.protectionRequests.values()].filter(
    (request) =>
      request.runId === run.id &&
      request.attempt === run.attempt &&
      request.environment === name &&
      request.appId === guard.id &&
      request.state === "pending",
  );
}

/**
 * An app's verdict, or (without one) a comment on why it waits.
 * @throws WorldError invalid: nothing waits there for this app, or beyond the limits
 */
export function answerProtection(
  world: World,
  guard: App,
  run: WorkflowRun,
  input: {
    readonly environment: string;
    readonly verdict: "approved" | "rejected" | null;
    readonly comment: string | null;
  },
): void {
  const requests = pendingRequests(world, run, input.environment, guard);
  if (requests.length === 0) throw new WorldError("invalid", "No pending deployment requests to approve or reject");
  if ((input.comment?.length ?? 0) > commentLimit)
    throw invalid(`comment is too long (maximum is ${commentLimit} characters)`);
  for (const request of requests) {
    if (input.comment !== null && input.comment !== "") {
      if (request.comments.length >= commentsPerDeployment)
        throw invalid(`no more than ${commentsPerDeployment} comments are allowed on a deployment`);
      request.comments.push({ at: world.now(), text: input.comment });
    }
    if (input.verdict === null) continue;
    request.state = input.verdict;
    decide(world, run, request, asApp(world, guard));
  }
}

function decide(world: World, run: WorkflowRun, request: ProtectionRequest, actor: Actor): void {
  const all = [...world.protectionRequests.values()].filter((other) => other.deploymentId === request.deploymentId);
  const rejected = request.state === "rejected";
  if (!rejected && all.some((other) => other.state !== "approved")) return;
  const deployment = required(world.deployments.get(request.deploymentId));
  const job = required(world.jobs.get(request.jobId));
  if (job.status === "completed") return;
  setDeploymentState(world, actionsActor(world), deployment, rejected ? "failure" : "queued");
  if (run.status === "waiting") run.status = "queued";
  emit(world, {
    kind: "gate_decided",
    actor,
    repository: repository(world, request.repositoryId),
    job,
    run,
    verdict: rejected ? "rejected" : "approved",
  });
}

export function deploymentsOf(world: World, repo: Repository): Deployment[] {
  return [...world.deployments.values()].filter((deployment) => deployment.repositoryId === repo.id);
}
