/** Workflows, runs and jobs, as REST and webhooks show them. */
import {
  repository as repositoryOf,
  required,
  type Workflow,
  type WorkflowJob,
  type WorkflowRun,
  type World,
} from "../world/index.ts";
import { simpleCommit } from "./commits.ts";
import { userById } from "./people.ts";
import { pullMinimal } from "./pulls.ts";
import { repositoryObject } from "./repositories.ts";
import { iso, isoOrNull, repoApi, repoHtml } from "./urls.ts";

export function workflow(world: World, shown: Workflow) {
  const repo = repositoryOf(world, shown.repositoryId);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    name: shown.name,
    path: shown.path,
    state: "active",
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.createdAt),
    url: repoApi(world, repo, `/actions/workflows/${shown.id}`),
    html_url: repoHtml(world, repo, `/blob/${repo.defaultBranch}/${shown.path}`),
    badge_url: repoHtml(world, repo, `/workflows/${encodeURIComponent(shown.name)}/badge.svg`),
  };
}

export function workflowRun(world: World, shown: WorkflowRun) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/actions/runs/${shown.id}`);
  const suite = required(world.suites.get(shown.checkSuiteId));
  const pulls = shown.pullNumbers.map((number) => pullMinimal(world, required(repo.pulls.get(number))));
  return {
    id: shown.id,
    name: shown.name,
    node_id: shown.nodeId,
    head_branch: shown.headBranch,
    head_sha: shown.headSha,
    path: shown.path,
    display_title: shown.displayTitle,
    run_number: shown.runNumber,
    event: shown.event,
    status: shown.status,
    conclusion: shown.conclusion,
    workflow_id: shown.workflowId,
    check_suite_id: suite.id,
    check_suite_node_id: suite.nodeId,
    url,
    html_url: repoHtml(world, repo, `/actions/runs/${shown.id}`),
    pull_requests: pulls,
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    actor: userById(world, shown.actorId),
    run_attempt: shown.attempt,
    referenced_workflows: [],
    run_started_at: iso(shown.startedAt),
    triggering_actor: userById(world, shown.triggeringActorId),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: repoApi(world, repo, `/check-suites/${suite.id}`),
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: shown.attempt > 1 ? `${url}/attempts/${shown.attempt - 1}` : null,
    workflow_url: repoApi(world, repo, `/actions/workflows/${shown.workflowId}`),
    head_commit: simpleCommit(world, shown.headSha),
    repository: repositoryObject(world, repo),
    // Of several pull requests with this head all are of one repository.
    head_repository: repositoryObject(world, headRepository(world, shown)),
  };
}

/** A fork's, where the run is for a pull request from one. */
function headRepository(world: World, { repositoryId, pullNumbers }: WorkflowRun) {
  const repo = repositoryOf(world, repositoryId);
  const pull = repo.pulls.get(pullNumbers[0] ?? 0);
  return pull === undefined ? repo : repositoryOf(world, pull.head.repositoryId);
}

export function workflowJob(world: World, shown: WorkflowJob) {
  const repo = repositoryOf(world, shown.repositoryId);
  const run = required(world.runs.get(shown.runId));
  return {
    id: shown.id,
    run_id: shown.runId,
    workflow_name: run.name,
    head_branch: run.headBranch,
    run_url: repoApi(world, repo, `/actions/runs/${run.id}`),
    run_attempt: shown.attempt,
    node_id: shown.nodeId,
    head_sha: run.headSha,
    url: repoApi(world, repo, `/actions/jobs/${shown.id}`),
    html_url: repoHtml(world, repo, `/actions/runs/${run.id}/job/${shown.id}`),
    status: shown.status,
    conclusion: shown.conclusion,
    created_at: iso(shown.createdAt),
    started_at: iso(shown.startedAt ?? shown.createdAt),
    completed_at: isoOrNull(shown.completedAt),
    name: shown.name,
    steps: shown.steps.map((step) => ({
      name: step.name,
      status: step.status,
      conclusion: step.conclusion,
      number: step.number,
      started_at: isoOrNull(step.startedAt),
      completed_at: isoOrNull(step.completedAt),
    })),
    check_run_url: repoApi(world, repo, `/check-runs/${shown.checkRunId}`),
    labels: [...shown.labels],
    runner_id: shown.runner?.id ?? null,
    runner_name: shown.runner?.name ?? null,
    runner_group_id: shown.runner?.groupId ?? null,
    runner_group_name: shown.runner?.groupName ?? null,
  };
}
