/** Check suites, check runs, and the workflow runs behind some of them. */

import { workflowRun as workflowRunShape, workflow as workflowShape } from "../../shapes/actions.ts";
import { checkRun as runShape } from "../../shapes/checks.ts";
import { iso, isoOrNull, repoHtml } from "../../shapes/urls.ts";
import {
  type Annotation,
  type CheckRun,
  commit,
  latestRuns,
  repository,
  required,
  runsOfSuite,
  type WorkflowRun,
} from "../../world/index.ts";
import { connection, type Defined, define, int, type Optional, type PageArgs, reading, upper } from "../define.ts";
import {
  CheckRunType,
  CheckSuiteType,
  CommitType,
  PullRequestType,
  RepositoryType,
  WorkflowRunType,
  WorkflowType,
} from "../entities.ts";
import { isRequired } from "./commit.ts";
import { appNodeById, userNodeById } from "./people.ts";
import { filterPulls, type PullFilter, refOrNull } from "./repository.ts";

interface RunFilter {
  readonly appId?: Optional<number>;
  readonly checkName?: Optional<string>;
  readonly checkType?: Optional<"ALL" | "LATEST">;
  readonly status?: Optional<string>;
  readonly statuses?: Optional<readonly string[]>;
  readonly conclusions?: Optional<readonly string[]>;
}

function filtered(runs: readonly CheckRun[], by: RunFilter): CheckRun[] {
  const statuses = by.statuses ?? (by.status ? [by.status] : null);
  // GitHub's own default here is the latest of each name.
  const chosen = by.checkType === "ALL" ? [...runs] : latestRuns(runs);
  return chosen.filter(
    (run) =>
      (!by.appId || run.appId === by.appId) &&
      (!by.checkName || run.name === by.checkName) &&
      (statuses === null || statuses.includes(upper(run.status))) &&
      (!by.conclusions || (run.conclusion !== null && by.conclusions.includes(upper(run.conclusion)))),
  );
}

const checkSuiteFields = define(CheckSuiteType, {
  id: (suite) => suite.nodeId,
  databaseId: (suite) => int(suite.id),
  status: (suite) => upper(suite.status),
  conclusion: (suite) => (suite.conclusion === null ? null : upper(suite.conclusion)),
  createdAt: (suite) => iso(suite.createdAt),
  updatedAt: (suite) => iso(suite.updatedAt),
  app: (suite, _args: never, context) => appNodeById(context, suite.appId),
  creator: (suite, _args: never, context) => {
    const run = suite.workflowRunId === null ? undefined : context.world.runs.get(suite.workflowRunId);
    return run === undefined ? null : userNodeById(context, run.actorId);
  },
  branch: (suite, _args: never, context) =>
    suite.headBranch === null
      ? null
      : refOrNull(context, repository(context.world, suite.repositoryId), `refs/heads/${suite.headBranch}`),
  commit: (suite, _args: never, { world }) =>
    CommitType({ repo: repository(world, suite.repositoryId), commit: commit(world, suite.headSha) }),
  repository: (suite, _args: never, { world }) => RepositoryType(repository(world, suite.repositoryId)),
  url: (suite, _args: never, { world }) =>
    repoHtml(
      world,
      repository(world, suite.repositoryId),
      `/commit/${suite.headSha}/checks?check_suite_id=${suite.id}`,
    ),
  checkRuns: (suite, args: PageArgs & { filterBy?: Optional<RunFilter> }, context) => {
    reading(context, repository(context.world, suite.repositoryId), "checks");
    return connection(
      "checkRuns",
      filtered(runsOfSuite(context.world, suite), args.filterBy ?? {}),
      args,
      CheckRunType,
    );
  },
  matchingPullRequests: (suite, args: PullFilter, context) => {
    const repo = repository(context.world, suite.repositoryId);
    reading(context, repo, "pull_requests");
    const found = [...repo.pulls.values()].filter((pull) => pull.head.sha === suite.headSha);
    return connection("matchingPullRequests", filterPulls(repo, found, args), args, PullRequestType);
  },
  workflowRun: (suite, _args: never, { world }) => {
    const run = suite.workflowRunId === null ? undefined : world.runs.get(suite.workflowRunId);
    return run === undefined ? null : WorkflowRunType(run);
  },
});

const checkRunFields = define(CheckRunType, {
  id: (run) => run.nodeId,
  databaseId: (run) => int(run.id),
  name: (run) => run.name,
  status: (run) => upper(run.status),
  conclusion: (run) => (run.conclusion === null ? null : upper(run.conclusion)),
  externalId: (run) => run.externalId,
  detailsUrl: (run, _args: never, { world }) => runShape(world, run).details_url,
  url: (run, _args: never, { world }) => runShape(world, run).html_url,
  permalink: (run, _args: never, { world }) => runShape(world, run).html_url,
  resourcePath: (run, _args: never, { world }) => runShape(world, run).html_url.slice(world.baseUrl.length),
  startedAt: (run) => isoOrNull(run.startedAt),
  completedAt: (run) => isoOrNull(run.completedAt),
  title: (run) => run.output.title,
  summary: (run) => run.output.summary,
  text: (run) => run.output.text,
  checkSuite: (run, _args: never, { world }) => CheckSuiteType(required(world.suites.get(run.suiteId))),
  repository: (run, _args: never, { world }) => RepositoryType(repository(world, run.repositoryId)),
  annotations: (run, args: PageArgs) => connection("annotations", run.annotations, args, annotation),
  isRequired: (run, args: { pullRequestNumber?: Optional<number> }, { world }) =>
    isRequired(repository(world, run.repositoryId), run.name, run.appId, args.pullRequestNumber),
});

function annotation(one: Annotation) {
  return {
    annotationLevel: upper(one.level),
    path: one.path,
    message: one.message,
    title: one.title,
    rawDetails: one.rawDetails,
    location: {
      start: { line: one.startLine, column: one.startColumn },
      end: { line: one.endLine, column: one.endColumn },
    },
  };
}

const workflowRunFields = define(WorkflowRunType, {
  id: (run) => run.nodeId,
  databaseId: (run) => int(run.id),
  runNumber: (run) => run.runNumber,
  event: (run) => run.event,
  createdAt: (run) => iso(run.createdAt),
  updatedAt: (run) => iso(run.updatedAt),
  url: (run, _args: never, { world }) => workflowRunShape(world, run).html_url,
  resourcePath: (run, _args: never, { world }) => workflowRunShape(world, run).html_url.slice(world.baseUrl.length),
  checkSuite: (run, _args: never, { world }) => CheckSuiteType(required(world.suites.get(run.checkSuiteId))),
  workflow: (run, _args: never, { world }) => WorkflowType(required(world.workflows.get(run.workflowId))),
  file: (run) => WorkflowRunFileType(run),
});

export const WorkflowRunFileType: Defined<WorkflowRun> = define("WorkflowRunFile", {
  id: (run, _args: never, { world }) => world.ids.node("WorkflowRun", `file:${run.id}`),
  path: (run, _args: never, { world }) => required(world.workflows.get(run.workflowId)).path,
  run: (run) => WorkflowRunType(run),
});

const workflowFields = define(WorkflowType, {
  id: (one) => one.nodeId,
  databaseId: (one) => one.id,
  name: (one) => one.name,
  state: () => "ACTIVE",
  createdAt: (one) => iso(one.createdAt),
  updatedAt: (one) => iso(one.createdAt),
  url: (one, _args: never, { world }) => workflowShape(world, one).html_url,
});

export const checkTypes = [checkSuiteFields, checkRunFields, workflowRunFields, WorkflowRunFileType, workflowFields];
