/** The `github` context of a run, and the claims of its jobs' OIDC tokens. */
import type { OidcClaims } from "../oidc.ts";
import type { Value } from "../runner/expressions.ts";
import type { PullRequest, WorkflowJob, WorkflowRun } from "../world/model/index.ts";
import { account, fullName, repository, type World } from "../world/world.ts";

/** Where the sandbox is reached, as jobs are told. */
export interface ServerUrls {
  /** GITHUB_SERVER_URL */
  readonly server: string;
  readonly api: string;
  readonly graphql: string;
}

export type GitHubContext = Readonly<Record<string, Value>>;

const jsonValue = (value: unknown): Value => JSON.parse(JSON.stringify(value ?? {})) as Value;

function pullOf(world: World, run: WorkflowRun): PullRequest | null {
  const [number] = run.pullNumbers;
  return number === undefined ? null : (repository(world, run.repositoryId).pulls.get(number) ?? null);
}

/** All that is known before a job is placed: `GITHUB_*` variables are made from it too. */
export function githubContext(world: World, run: WorkflowRun, urls: ServerUrls): GitHubContext {
  const repo = repository(world, run.repositoryId);
  const owner = account(world, repo.ownerId);
  const actor = account(world, run.actorId);
  const pull = pullOf(world, run);
  const name = fullName(world, repo);
  const branch = run.ref.replace(/^refs\/(heads|tags|pull)\//, "");
  return {
    event_name: run.event,
    event: jsonValue(run.payload),
    ref: run.ref,
    ref_name: branch,
    ref_type: run.ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: repo.protections.has(branch),
    sha: run.sha,
    head_ref: pull?.head.ref ?? "",
    base_ref: pull?.base.ref ?? "",
    repository: name,
    repository_id: String(repo.id),
    repository_owner: owner.login,
    repository_owner_id: String(owner.id),
    repositoryUrl: `git://${new URL(urls.server).host}/${name}.git`,
    repository_visibility: repo.private ? "private" : "public",
    run_id: String(run.id),
    run_number: String(run.runNumber),
    run_attempt: String(run.attempt),
    retention_days: "90",
    actor: actor.login,
    actor_id: String(actor.id),
    triggering_actor: account(world, run.triggeringActorId).login,
    workflow: run.name,
    workflow_ref: `${name}/${run.path}@${run.ref}`,
    workflow_sha: run.sha,
    server_url: urls.server,
    api_url: urls.api,
    graphql_url: urls.graphql,
    secret_source: "Actions",
  };
}

/** What a job's OIDC tokens say. `jobWorkflowRef`: the file that defines the job, with its ref. */
export function oidcClaims(world: World, run: WorkflowRun, job: WorkflowJob, jobWorkflowRef: string): OidcClaims {
  const repo = repository(world, run.repositoryId);
  const owner = account(world, repo.ownerId);
  const actor = account(world, run.actorId);
  const pull = pullOf(world, run);
  const name = fullName(world, repo);
  const subject = job.environment === null ? `ref:${run.ref}` : `environment:${job.environment}`;
  return {
    // The format for repositories made after 2026-07-15: ids beside the names.
    sub: `repo:${owner.login}@${owner.id}/${repo.name}@${repo.id}:${pull === null ? subject : "pull_request"}`,
    repository: name,
    repository_id: String(repo.id),
    repository_owner: owner.login,
    repository_owner_id: String(owner.id),
    repository_visibility: repo.private ? "private" : "public",
    run_id: String(run.id),
    run_number: String(run.runNumber),
    run_attempt: String(run.attempt),
    workflow: run.name,
    workflow_ref: `${name}/${run.path}@${run.ref}`,
    workflow_sha: run.sha,
    job_workflow_ref: jobWorkflowRef,
    job_workflow_sha: run.sha,
    runner_environment: "self-hosted",
    ref: run.ref,
    ref_type: run.ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: String(repo.protections.has(run.ref.replace("refs/heads/", ""))),
    head_ref: pull?.head.ref ?? "",
    base_ref: pull?.base.ref ?? "",
    sha: run.sha,
    actor: actor.login,
    actor_id: String(actor.id),
    event_name: run.event,
    check_run_id: String(job.checkRunId),
    ...(job.environment === null ? {} : { environment: job.environment }),
  };
}
