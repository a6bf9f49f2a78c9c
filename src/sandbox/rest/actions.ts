/** Workflows, their runs and jobs, and the deployments that hold them. */
import { workflow, workflowJob, workflowRun } from "../shapes/actions.ts";
import {
  deployment,
  deploymentStatuses,
  environmentShape,
  pendingDeployments,
  protectionRule,
} from "../shapes/checks.ts";
import {
  answerProtection,
  cancelRun,
  type Deployment,
  deploymentsOf,
  dispatchWorkflow,
  findWorkflow,
  jobsOf,
  notFound,
  type Repository,
  required,
  rerun,
  runsOf,
  setDeploymentState,
  type WorkflowJob,
  type WorkflowRun,
  type World,
  WorldError,
  workflowsOf,
} from "../world/index.ts";
import {
  counted,
  created,
  list,
  noContent,
  ok,
  type Route,
  type RouteContext,
  reads,
  repoRoute,
  writes,
} from "./route.ts";

const reading = reads("actions");
const writing = writes("write", "actions");

function runAt(world: World, repo: Repository, id: number): WorkflowRun {
  const found = world.runs.get(id);
  if (found === undefined || found.repositoryId !== repo.id) throw notFound();
  return found;
}

function jobAt(world: World, repo: Repository, id: number): WorkflowJob {
  const found = world.jobs.get(id);
  if (found === undefined || found.repositoryId !== repo.id) throw notFound();
  return found;
}

function deploymentAt(world: World, repo: Repository, id: number): Deployment {
  const found = world.deployments.get(id);
  if (found === undefined || found.repositoryId !== repo.id) throw notFound();
  return found;
}

interface RunFilter {
  actor?: string | undefined;
  branch?: string | undefined;
  event?: string | undefined;
  status?: string | undefined;
  head_sha?: string | undefined;
  created?: string | undefined;
  check_suite_id?: number | undefined;
}

/** `2026-11-21`, `>=2026-11-21T10:00:00Z`, `a..b`: as GitHub's search takes dates. */
function within(at: number, range: string | undefined): boolean {
  if (range === undefined) return true;
  const [from, to] = range.split("..");
  if (from !== undefined && to !== undefined)
    return (from === "*" || at >= Date.parse(from)) && (to === "*" || at <= Date.parse(to));
  const match = /^(>=|<=|>|<)?(.+)$/.exec(range);
  const day = Date.parse(match?.[2] ?? "");
  switch (match?.[1]) {
    case ">=":
      return at >= day;
    case "<=":
      return at <= day;
    case ">":
      return at > day;
    case "<":
      return at < day;
    default:
      return at >= day && at < day + 86_400_000;
  }
}

function filtered(world: World, runs: readonly WorkflowRun[], by: RunFilter): WorkflowRun[] {
  const { actor, branch, event, status, head_sha: sha, created: range, check_suite_id: suite } = by;
  return runs.filter(
    (run) =>
      (actor === undefined || world.accounts.get(run.actorId)?.login === actor) &&
      (branch === undefined || run.headBranch === branch) &&
      (event === undefined || run.event === event) &&
      (status === undefined || run.status === status || run.conclusion === status) &&
      (sha === undefined || run.headSha === sha) &&
      (suite === undefined || run.checkSuiteId === suite) &&
      within(run.createdAt, range),
  );
}

/** Runs as they are asked for: with their pull requests or without. */
function shown(call: RouteContext & { readonly query: { exclude_pull_requests?: boolean | undefined } }) {
  const { exclude_pull_requests: bare = false } = call.query;
  return (run: WorkflowRun) => {
    const whole = workflowRun(call.world, run);
    return bare ? { ...whole, pull_requests: [] } : whole;
  };
}

function jobs(call: RouteContext & { readonly query: object }, world: World, run: WorkflowRun, attempt: number | null) {
  const found =
    attempt === null ? [...world.jobs.values()].filter((job) => job.runId === run.id) : jobsOf(world, run, attempt);
  return counted(call, "jobs", found, (job) => workflowJob(world, job));
}

export const actionRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}/actions/workflows", reading, (call, repo) =>
    counted(call, "workflows", workflowsOf(call.world, repo), (one) => workflow(call.world, one)),
  ),
  repoRoute("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}", reading, (call, repo) =>
    ok(workflow(call.world, required(findWorkflow(call.world, repo, String(call.path.workflow_id))))),
  ),
  repoRoute("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", writing, (call, repo) => {
    const found = required(findWorkflow(call.world, repo, String(call.path.workflow_id)));
    const run = dispatchWorkflow(call.world, call.actor, repo, found, {
      ref: call.body.ref,
      inputs: call.body.inputs ?? {},
    });
    if (call.body.return_run_details !== true) return noContent;
    const { url, html_url: page } = workflowRun(call.world, run);
    return ok({ workflow_run_id: run.id, run_url: url, html_url: page });
  }),
  repoRoute("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", reading, (call, repo) => {
    const found = required(findWorkflow(call.world, repo, String(call.path.workflow_id)));
    const runs = filtered(call.world, runsOf(call.world, repo), call.query).filter(
      (run) => run.workflowId === found.id,
    );
    return counted(call, "workflow_runs", runs, shown(call));
  }),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs", reading, (call, repo) =>
    counted(call, "workflow_runs", filtered(call.world, runsOf(call.world, repo), call.query), shown(call)),
  ),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}", reading, (call, repo) =>
    ok(shown(call)(runAt(call.world, repo, call.path.run_id))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", reading, (call, repo) => {
    const run = runAt(call.world, repo, call.path.run_id);
    return jobs(call, call.world, run, call.query.filter === "all" ? null : run.attempt);
  }),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}", reading, (call, repo) => {
    const run = runAt(call.world, repo, call.path.run_id);
    const number: number = call.path.attempt_number;
    if (number > run.attempt || number < 1) throw notFound();
    if (number < run.attempt) throw new WorldError("not_implemented", "the sandbox remembers the newest attempt only");
    return ok(shown(call)(run));
  }),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs", reading, (call, repo) =>
    jobs(call, call.world, runAt(call.world, repo, call.path.run_id), call.path.attempt_number),
  ),
  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", writing, (call, repo) => {
    cancelRun(call.world, call.actor, runAt(call.world, repo, call.path.run_id));
    return { status: 202, body: {} };
  }),
  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/force-cancel", writing, (call, repo) => {
    cancelRun(call.world, call.actor, runAt(call.world, repo, call.path.run_id), true);
    return { status: 202, body: {} };
  }),
  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun", writing, (call, repo) => {
    rerun(call.world, call.actor, runAt(call.world, repo, call.path.run_id), "all");
    return created({});
  }),
  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs", writing, (call, repo) => {
    rerun(call.world, call.actor, runAt(call.world, repo, call.path.run_id), "failed");
    return created({});
  }),
  repoRoute("GET /repos/{owner}/{repo}/actions/jobs/{job_id}", reading, (call, repo) =>
    ok(workflowJob(call.world, jobAt(call.world, repo, call.path.job_id))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", reading, (call, repo) => {
    const job = jobAt(call.world, repo, call.path.job_id);
    return { status: 302, headers: { location: `${call.world.baseUrl}/_logs/${job.id}` } };
  }),
  repoRoute("POST /repos/{owner}/{repo}/actions/jobs/{job_id}/rerun", writing, (call, repo) => {
    const job = jobAt(call.world, repo, call.path.job_id);
    rerun(call.world, call.actor, required(call.world.runs.get(job.runId)), { jobId: job.id });
    return created({});
  }),
  repoRoute(
    "POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule",
    writes(null, "deployments"),
    (call, repo) => {
      const run = runAt(call.world, repo, call.path.run_id);
      const { caller } = call;
      if (caller.kind !== "installation") throw new WorldError("forbidden", "You must authenticate via a GitHub App.");
      const { body } = call;
      answerProtection(call.world, caller.app, run, {
        environment: body.environment_name,
        verdict: "state" in body ? body.state : null,
        comment: body.comment ?? null,
      });
      return noContent;
    },
  ),
  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments", reading, (call, repo) => {
    const run = runAt(call.world, repo, call.path.run_id);
    return ok(pendingDeployments(call.world, repo, run));
  }),
  repoRoute("GET /repos/{owner}/{repo}/environments", reading, (call, repo) =>
    counted(call, "environments", [...repo.environments.values()], (one) => environmentShape(call.world, one)),
  ),
  repoRoute("GET /repos/{owner}/{repo}/environments/{environment_name}", reading, (call, repo) =>
    ok(environmentShape(call.world, required(repo.environments.get(call.path.environment_name)))),
  ),
  repoRoute(
    "GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules",
    reading,
    (call, repo) => {
      const { rules } = required(repo.environments.get(call.path.environment_name));
      return counted(call, "custom_deployment_protection_rules", rules, (rule) => protectionRule(call.world, rule));
    },
  ),
  repoRoute("GET /repos/{owner}/{repo}/deployments", reads("deployments"), (call, repo) => {
    const { sha, ref, environment: name, task } = call.query;
    const found = deploymentsOf(call.world, repo)
      .filter((one) => sha === undefined || one.sha === sha)
      .filter((one) => ref === undefined || one.ref === ref)
      .filter((one) => name === undefined || name === null || one.environment === name)
      .filter((one) => task === undefined || deployment(call.world, one).task === task);
    return list(call, found.reverse(), (one) => deployment(call.world, one));
  }),
  repoRoute("GET /repos/{owner}/{repo}/deployments/{deployment_id}", reads("deployments"), (call, repo) =>
    ok(deployment(call.world, deploymentAt(call.world, repo, call.path.deployment_id))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses", reads("deployments"), (call, repo) =>
    list(call, deploymentStatuses(call.world, deploymentAt(call.world, repo, call.path.deployment_id)), (one) => ({
      ...one,
      state: one.state === "waiting" ? "pending" : one.state,
    })),
  ),
  repoRoute(
    "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    writes("write", "deployments"),
    (call, repo) => {
      const found = deploymentAt(call.world, repo, call.path.deployment_id);
      setDeploymentState(call.world, call.actor, found, call.body.state, call.body.description ?? "");
      return created(deploymentStatuses(call.world, found)[0]);
    },
  ),
];
