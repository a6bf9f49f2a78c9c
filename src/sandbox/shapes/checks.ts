/** Checks, statuses and deployments, as REST and webhooks show them. */
import {
  type Annotation,
  account,
  type CheckRun,
  type CheckSuite,
  type Deployment,
  type Environment,
  type Repository,
  repository as repositoryOf,
  required,
  runsOfSuite,
  type Status,
  type WorkflowRun,
  type World,
} from "../world/index.ts";
import { simpleCommit } from "./commits.ts";
import { appById, appShape, userById } from "./people.ts";
import { pullsAt } from "./pulls.ts";
import { repositoryObject } from "./repositories.ts";
import { iso, isoOrNull, pageUrl, repoApi, repoHtml } from "./urls.ts";

export function checkRun(world: World, shown: CheckRun) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/check-runs/${shown.id}`);
  const page = repoHtml(world, repo, `/runs/${shown.id}`);
  return {
    id: shown.id,
    name: shown.name,
    node_id: shown.nodeId,
    head_sha: shown.headSha,
    external_id: shown.externalId,
    url,
    html_url: page,
    details_url: shown.detailsUrl ?? page,
    status: shown.status,
    conclusion: shown.conclusion,
    started_at: isoOrNull(shown.startedAt),
    completed_at: isoOrNull(shown.completedAt),
    output: {
      ...shown.output,
      annotations_count: shown.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: shown.suiteId },
    app: appById(world, shown.appId),
    pull_requests: pullsAt(world, repo, shown.headSha),
  };
}

/** Webhooks carry the suite whole. */
export function checkRunInPayload(world: World, shown: CheckRun, suite: CheckSuite) {
  return { ...checkRun(world, shown), check_suite: suiteInRun(world, suite) };
}

function suiteInRun(world: World, shown: CheckSuite) {
  const repo = repositoryOf(world, shown.repositoryId);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    head_branch: shown.headBranch,
    head_sha: shown.headSha,
    status: shown.status,
    conclusion: shown.conclusion,
    url: repoApi(world, repo, `/check-suites/${shown.id}`),
    before: shown.before,
    after: shown.after,
    pull_requests: pullsAt(world, repo, shown.headSha),
    app: appById(world, shown.appId),
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
  };
}

export function checkSuiteInPayload(world: World, shown: CheckSuite) {
  const repo = repositoryOf(world, shown.repositoryId);
  return {
    ...suiteInRun(world, shown),
    latest_check_runs_count: runsOfSuite(world, shown).length,
    check_runs_url: repoApi(world, repo, `/check-suites/${shown.id}/check-runs`),
    head_commit: simpleCommit(world, shown.headSha),
    rerequestable: true,
    runs_rerequestable: true,
  };
}

export function checkSuite(world: World, shown: CheckSuite) {
  return {
    ...checkSuiteInPayload(world, shown),
    repository: repositoryObject(world, repositoryOf(world, shown.repositoryId)),
  };
}

export function annotation(world: World, repo: Repository, sha: string, shown: Annotation) {
  return {
    path: shown.path,
    start_line: shown.startLine,
    end_line: shown.endLine,
    start_column: shown.startColumn,
    end_column: shown.endColumn,
    annotation_level: shown.level,
    title: shown.title,
    message: shown.message,
    raw_details: shown.rawDetails,
    blob_href: repoHtml(world, repo, `/blob/${sha}/${shown.path}`),
  };
}

export function status(world: World, shown: Status) {
  const repo = repositoryOf(world, shown.repositoryId);
  return {
    url: repoApi(world, repo, `/statuses/${shown.sha}`),
    avatar_url: pageUrl(world, `/_avatars/${shown.creatorId}`),
    id: shown.id,
    node_id: shown.nodeId,
    state: shown.state,
    description: shown.description,
    target_url: shown.targetUrl,
    context: shown.context,
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.createdAt),
    creator: userById(world, shown.creatorId),
  };
}

/** The worst of the newest statuses, as `GET …/commits/{ref}/status` sums them up. */
export function combinedState(statuses: readonly Status[]): "success" | "failure" | "pending" {
  if (statuses.some((one) => one.state === "failure" || one.state === "error")) return "failure";
  return statuses.length === 0 || statuses.some((one) => one.state === "pending") ? "pending" : "success";
}

export function deployment(world: World, shown: Deployment) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/deployments/${shown.id}`);
  return {
    url,
    id: shown.id,
    node_id: shown.nodeId,
    sha: shown.sha,
    ref: shown.ref,
    task: "deploy",
    payload: {},
    original_environment: shown.environment,
    environment: shown.environment,
    description: shown.description,
    creator: userById(world, shown.creatorId),
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    statuses_url: `${url}/statuses`,
    repository_url: repoApi(world, repo),
    transient_environment: false,
    production_environment: false,
    performed_via_github_app: performedBy(world, shown.creatorId),
  };
}

function performedBy(world: World, accountId: number) {
  const { appId } = account(world, accountId);
  return appId === null ? null : appShape(world, required(world.apps.get(appId)));
}

/** The statuses of a deployment, newest first, as webhooks show them. REST's description knows no `waiting`. */
export function deploymentStatuses(world: World, shown: Deployment) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/deployments/${shown.id}`);
  const page = shown.runId === null ? "" : repoHtml(world, repo, `/actions/runs/${shown.runId}/job/${shown.jobId}`);
  return [...shown.statuses].reverse().map((one) => ({
    url: `${url}/statuses/${one.id}`,
    id: one.id,
    node_id: one.nodeId,
    state: one.state,
    creator: userById(world, one.creatorId),
    description: one.description,
    environment: shown.environment,
    target_url: page,
    created_at: iso(one.at),
    updated_at: iso(one.at),
    deployment_url: url,
    repository_url: repoApi(world, repo),
    environment_url: "",
    log_url: page,
    performed_via_github_app: performedBy(world, one.creatorId),
  }));
}

export function environmentShape(world: World, shown: Environment) {
  const repo = repositoryOf(world, shown.repositoryId);
  const name = encodeURIComponent(shown.name);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    name: shown.name,
    url: repoApi(world, repo, `/environments/${name}`),
    html_url: repoHtml(world, repo, `/deployments/activity_log?environments_filter=${name}`),
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.createdAt),
    protection_rules: shown.rules.map((rule) => ({
      id: rule.id,
      node_id: rule.nodeId,
      type: "custom_deployment_protection_rule",
    })),
    deployment_branch_policy: null,
  };
}

/** `GET …/runs/{id}/pending_deployments`: environments that jobs of the run's current attempt wait for. */
export function pendingDeployments(world: World, repo: Repository, run: WorkflowRun) {
  const names = [...world.protectionRequests.values()]
    .filter((one) => one.runId === run.id && one.attempt === run.attempt && one.state === "pending")
    .filter((one) => world.jobs.get(one.jobId)?.status !== "completed")
    .map((one) => one.environment);
  return [...new Set(names)].map((name) => {
    const { id, node_id, name: shown, url, html_url } = environmentShape(world, required(repo.environments.get(name)));
    return {
      environment: { id, node_id, name: shown, url, html_url },
      wait_timer: 0,
      wait_timer_started_at: null,
      current_user_can_approve: false,
      reviewers: [],
    };
  });
}

/** `GET …/environments/{name}/deployment_protection_rules`. */
export function protectionRule(world: World, rule: Environment["rules"][number]) {
  const guard = required(world.apps.get(rule.appId));
  return {
    id: rule.id,
    node_id: rule.nodeId,
    enabled: true,
    app: {
      id: guard.id,
      slug: guard.slug,
      integration_url: pageUrl(world, `/api/v3/apps/${guard.slug}`),
      node_id: guard.nodeId,
    },
  };
}
