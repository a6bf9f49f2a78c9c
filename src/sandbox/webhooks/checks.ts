/** Payloads about checks, statuses, deployments and the rules that hold them. */

import { workflow, workflowJob, workflowRun } from "../shapes/actions.ts";
import { checkRunInPayload, checkSuiteInPayload, deployment, deploymentStatuses, status } from "../shapes/checks.ts";
import { shortBranch } from "../shapes/code.ts";
import { commitShape, simpleCommit } from "../shapes/commits.ts";
import { pull } from "../shapes/pulls.ts";
import { repoApi } from "../shapes/urls.ts";
import { ancestors, type Change, commit, type Deployment, fullName, required, type World } from "../world/index.ts";

type Of<K extends Change["kind"]> = Extract<Change, { kind: K }>;

export function checkRunPayload(world: World, change: Of<"check_run">) {
  return {
    action: change.action,
    check_run: checkRunInPayload(world, change.run, change.suite),
    ...(change.identifier === null ? {} : { requested_action: { identifier: change.identifier } }),
  };
}

export function checkSuitePayload(world: World, change: Of<"check_suite">) {
  return { action: change.action, check_suite: checkSuiteInPayload(world, change.suite) };
}

export function statusPayload(world: World, change: Of<"status">) {
  const { status: shown, repository: repo } = change;
  const on = [...repo.refs].filter(
    ([ref, sha]) => ref.startsWith("refs/heads/") && ancestors(world, sha).has(shown.sha),
  );
  const { id, avatar_url, context, description, state, target_url, created_at, updated_at } = status(world, shown);
  return {
    id,
    sha: shown.sha,
    name: fullName(world, repo),
    avatar_url,
    target_url,
    context,
    description,
    state,
    commit: commitShape(world, repo, commit(world, shown.sha)),
    branches: on.slice(0, 10).map(([ref, sha]) => {
      const {
        name,
        commit: at,
        protected: isProtected,
      } = shortBranch(world, repo, ref.slice("refs/heads/".length), sha);
      return { name, commit: at, protected: isProtected };
    }),
    created_at,
    updated_at,
  };
}

function runOf(world: World, shown: Deployment) {
  const run = shown.runId === null ? undefined : world.runs.get(shown.runId);
  if (run === undefined) return { workflow: null, workflow_run: null };
  return {
    workflow: workflow(world, required(world.workflows.get(run.workflowId))),
    workflow_run: workflowRun(world, run),
  };
}

export function deploymentPayload(world: World, change: Of<"deployment">) {
  return {
    action: change.action,
    deployment: deployment(world, change.deployment),
    ...runOf(world, change.deployment),
  };
}

export function deploymentStatus(world: World, change: Of<"deployment_status">) {
  return {
    action: change.action,
    deployment_status: required(deploymentStatuses(world, change.deployment)[0]),
    deployment: deployment(world, change.deployment),
    check_run: null,
    ...runOf(world, change.deployment),
  };
}

export function protectionRulePayload(world: World, change: Of<"deployment_protection_rule">) {
  const { repository: repo, run } = change;
  return {
    action: change.action,
    environment: change.request.environment,
    event: run.event,
    sha: run.sha,
    ref: run.ref.replace(/^refs\/heads\//, ""),
    deployment_callback_url: repoApi(world, repo, `/actions/runs/${run.id}/deployment_protection_rule`),
    deployment: deployment(world, change.deployment),
    pull_requests: run.pullNumbers.map((number) => pull(world, required(repo.pulls.get(number)))),
  };
}

export function workflowRunPayload(world: World, change: Of<"workflow_run">) {
  return {
    action: change.action,
    workflow: workflow(world, change.workflow),
    workflow_run: workflowRun(world, change.run),
  };
}

export function workflowJobPayload(world: World, change: Of<"workflow_job">) {
  return { action: change.action, workflow_job: workflowJob(world, change.job) };
}

export function mergeGroup(world: World, change: Of<"merge_group">) {
  const { group } = change;
  return {
    action: change.action,
    ...(change.reason === null ? {} : { reason: change.reason }),
    merge_group: {
      head_sha: group.headSha,
      head_ref: group.headRef,
      base_sha: group.baseSha,
      base_ref: group.baseRef,
      head_commit: simpleCommit(world, group.headSha),
    },
  };
}
