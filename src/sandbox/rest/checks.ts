/** Check runs, check suites and commit statuses. */
import { appOf } from "../auth/caller.ts";
import { annotation, checkRun, checkSuite, combinedState, status } from "../shapes/checks.ts";
import { repositoryObject as repositoryShape } from "../shapes/repositories.ts";
import { repoApi } from "../shapes/urls.ts";
import {
  type Annotation,
  type App,
  type CheckFields,
  type CheckRun,
  type CheckStatus,
  type Conclusion,
  checkRunsOn,
  createCheckRun,
  createStatus,
  latestRuns,
  latestStatuses,
  makeSuite,
  notFound,
  type Repository,
  rerequestCheckRun,
  rerequestSuite,
  runsOfSuite,
  statusesOn,
  suiteOf,
  suitesOn,
  updateCheckRun,
  type World,
  WorldError,
} from "../world/index.ts";
import { commitAt } from "./repositories.ts";
import { counted, created, list, ok, page, type Route, type RouteContext, reads, repoRoute, writes } from "./route.ts";

const reading = reads("checks");
const writing = writes(null, "checks");

function writingApp(call: RouteContext): App {
  const found = appOf(call.world, call.caller);
  if (found === null) throw new WorldError("forbidden", "You must authenticate via a GitHub App.");
  return found;
}

interface WireAnnotation {
  path: string;
  start_line: number;
  end_line: number;
  start_column?: number;
  end_column?: number;
  annotation_level: "notice" | "warning" | "failure";
  message: string;
  title?: string;
  raw_details?: string;
}

interface WireCheck {
  name?: string;
  details_url?: string;
  external_id?: string;
  status?: CheckStatus;
  started_at?: string;
  conclusion?: Conclusion;
  completed_at?: string;
  output?: { title?: string; summary?: string; text?: string; annotations?: WireAnnotation[] };
  actions?: { label: string; description: string; identifier: string }[];
}

export function annotationOf(wire: WireAnnotation): Annotation {
  return {
    path: wire.path,
    startLine: wire.start_line,
    endLine: wire.end_line,
    startColumn: wire.start_column ?? null,
    endColumn: wire.end_column ?? null,
    level: wire.annotation_level,
    message: wire.message,
    title: wire.title ?? null,
    rawDetails: wire.raw_details ?? null,
  };
}

function timeOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new WorldError("invalid", `Invalid request.\n\n${JSON.stringify(text)} is not a valid date-time.`);
  return at;
}

function fieldsOf(body: WireCheck): CheckFields {
  const { output } = body;
  return {
    ...(body.details_url === undefined ? {} : { detailsUrl: body.details_url }),
    ...(body.external_id === undefined ? {} : { externalId: body.external_id }),
    ...(body.status === undefined ? {} : { status: body.status }),
    ...(body.conclusion === undefined ? {} : { conclusion: body.conclusion }),
    ...(body.started_at === undefined ? {} : { startedAt: timeOf(body.started_at) }),
    ...(body.completed_at === undefined ? {} : { completedAt: timeOf(body.completed_at) }),
    ...(body.actions === undefined ? {} : { actions: body.actions }),
    ...(output === undefined
      ? {}
      : {
          output: {
            ...(output.title === undefined ? {} : { title: output.title }),
            ...(output.summary === undefined ? {} : { summary: output.summary }),
            ...(output.text === undefined ? {} : { text: output.text }),
            annotations: (output.annotations ?? []).map(annotationOf),
          },
        }),
  };
}

function runAt(world: World, repo: Repository, id: number): CheckRun {
  const found = world.checkRuns.get(id);
  if (found === undefined || found.repositoryId !== repo.id) throw notFound();
  return found;
}

function suiteAt(world: World, repo: Repository, id: number) {
  const found = world.suites.get(id);
  if (found === undefined || found.repositoryId !== repo.id) throw notFound();
  return found;
}

/** Of a check run only its own app may change anything. */
function ownRun(call: RouteContext, repo: Repository, id: number): CheckRun {
  const found = runAt(call.world, repo, id);
  if (found.appId !== writingApp(call).id)
    throw new WorldError(
      "forbidden",
      `Invalid app_id \`${writingApp(call).id}\` - check run can only be modified by the GitHub App that created it.`,
    );
  return found;
}

interface RunFilter {
  check_name?: string | undefined;
  status?: string | undefined;
  filter?: "latest" | "all" | undefined;
  app_id?: number | undefined;
}

function filtered(runs: readonly CheckRun[], by: RunFilter): CheckRun[] {
  const { filter, check_name: name, status: state, app_id: appId } = by;
  return (filter === "all" ? [...runs] : latestRuns(runs))
    .filter((run) => name === undefined || run.name === name)
    .filter((run) => state === undefined || run.status === state)
    .filter((run) => appId === undefined || run.appId === appId)
    .reverse();
}

export const checkRoutes: readonly Route[] = [
  repoRoute("POST /repos/{owner}/{repo}/check-runs", writing, (call, repo) => {
    const { name, head_sha: headSha } = call.body;
    const made = createCheckRun(call.world, call.actor, {
      ...fieldsOf(call.body),
      repository: repo,
      app: writingApp(call),
      headSha,
      name,
    });
    return created(checkRun(call.world, made));
  }),
  repoRoute("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", reading, (call, repo) =>
    ok(checkRun(call.world, runAt(call.world, repo, call.path.check_run_id))),
  ),
  repoRoute("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", writing, (call, repo) => {
    const found = ownRun(call, repo, call.path.check_run_id);
    const { name } = call.body;
    updateCheckRun(call.world, call.actor, found, { ...fieldsOf(call.body), ...(name === undefined ? {} : { name }) });
    return ok(checkRun(call.world, found));
  }),
  repoRoute("GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", reading, (call, repo) => {
    const found = runAt(call.world, repo, call.path.check_run_id);
    return list(call, found.annotations, (one) => annotation(call.world, repo, found.headSha, one));
  }),
  repoRoute(
    "POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest",
    writes("write", "checks"),
    (call, repo) => {
      rerequestCheckRun(call.world, call.actor, runAt(call.world, repo, call.path.check_run_id));
      return created({});
    },
  ),
  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", reading, (call, repo) => {
    const { sha } = commitAt(call.world, repo, call.path.ref);
    return counted(call, "check_runs", filtered(checkRunsOn(call.world, repo, sha), call.query), (run) =>
      checkRun(call.world, run),
    );
  }),
  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/check-suites", reading, (call, repo) => {
    const { sha } = commitAt(call.world, repo, call.path.ref);
    const { app_id: appId, check_name: name } = call.query;
    const found = suitesOn(call.world, repo, sha)
      .filter((suite) => appId === undefined || suite.appId === appId)
      .filter((suite) => name === undefined || runsOfSuite(call.world, suite).some((run) => run.name === name));
    return counted(call, "check_suites", found, (suite) => checkSuite(call.world, suite));
  }),
  repoRoute("POST /repos/{owner}/{repo}/check-suites", writing, (call, repo) => {
    const app = writingApp(call);
    const { sha } = commitAt(call.world, repo, call.body.head_sha);
    const known = suiteOf(call.world, repo, app.id, sha);
    const suite = known ?? makeSuite(call.world, { repository: repo, appId: app.id, sha, branch: null });
    return { status: known === null ? 201 : 200, body: checkSuite(call.world, suite) };
  }),
  repoRoute("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}", reading, (call, repo) =>
    ok(checkSuite(call.world, suiteAt(call.world, repo, call.path.check_suite_id))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", reading, (call, repo) => {
    const runs = runsOfSuite(call.world, suiteAt(call.world, repo, call.path.check_suite_id));
    return counted(call, "check_runs", filtered(runs, call.query), (run) => checkRun(call.world, run));
  }),
  repoRoute(
    "POST /repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest",
    writes("write", "checks"),
    (call, repo) => {
      rerequestSuite(call.world, call.actor, suiteAt(call.world, repo, call.path.check_suite_id));
      return created({});
    },
  ),
  repoRoute("POST /repos/{owner}/{repo}/statuses/{sha}", writes("write", "statuses"), (call, repo) => {
    const { state, context, description, target_url: targetUrl } = call.body;
    const made = createStatus(call.world, call.actor, repo, call.path.sha, {
      state,
      ...(context === undefined ? {} : { context }),
      ...(description === undefined ? {} : { description }),
      ...(targetUrl === undefined ? {} : { targetUrl }),
    });
    return created(status(call.world, made));
  }),
  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/statuses", reads("statuses"), (call, repo) => {
    const { sha } = commitAt(call.world, repo, call.path.ref);
    return list(call, statusesOn(call.world, repo, sha), (one) => status(call.world, one));
  }),
  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/status", reads("statuses"), (call, repo) => {
    const { sha } = commitAt(call.world, repo, call.path.ref);
    const latest = latestStatuses(call.world, repo, sha);
    const { items, headers } = page(call, latest, (one) => status(call.world, one));
    const body = {
      state: combinedState(latest),
      statuses: items,
      sha,
      total_count: latest.length,
      repository: repositoryShape(call.world, repo),
      commit_url: repoApi(call.world, repo, `/commits/${sha}`),
      url: repoApi(call.world, repo, `/commits/${sha}/status`),
    };
    return { status: 200, body, headers };
  }),
];
