/** Check runs: written by apps, re-requested by people. */
import { invalid } from "../errors.ts";
import type {
  Actor,
  Annotation,
  App,
  CheckAction,
  CheckRun,
  CheckStatus,
  CheckSuite,
  Conclusion,
  Repository,
} from "../model/index.ts";
import { emit, register, repository, required, type World } from "../world.ts";
import { makeSuite, refreshSuite, suiteOf } from "./suites.ts";

export const annotationsPerRequest = 50;
export const outputLimit = 65_535;

export interface CheckFields {
  readonly name?: string;
  readonly externalId?: string;
  readonly detailsUrl?: string;
  readonly status?: CheckStatus;
  readonly conclusion?: Conclusion;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly output?: {
    readonly title?: string;
    readonly summary?: string;
    readonly text?: string;
    readonly annotations?: readonly Annotation[];
  };
  readonly actions?: readonly CheckAction[];
}

export interface NewCheckRun extends CheckFields {
  readonly repository: Repository;
  readonly app: App;
  readonly headSha: string;
  readonly name: string;
  /** A workflow run's suite; default: the app's own on this commit. */
  readonly suite?: CheckSuite;
  readonly jobId?: number;
  /** Taken from `ids.next("CheckRun")` before, where it had to be known. */
  readonly id?: number;
}

/** @throws WorldError invalid: unknown commit, or beyond GitHub's limits */
export function createCheckRun(world: World, actor: Actor, input: NewCheckRun): CheckRun {
  if (!world.commits.has(input.headSha)) throw invalid(`No commit found for SHA: ${input.headSha}`);
  checkLimits(input);
  const suite =
    input.suite ??
    suiteOf(world, input.repository, input.app.id, input.headSha) ??
    makeSuite(world, {
      repository: input.repository,
      appId: input.app.id,
      sha: input.headSha,
      branch: branchAt(input.repository, input.headSha),
    });
  const id = input.id ?? world.ids.next("CheckRun");
  const run: CheckRun = {
    id,
    nodeId: world.ids.node("CheckRun", id),
    repositoryId: input.repository.id,
    suiteId: suite.id,
    appId: input.app.id,
    headSha: input.headSha,
    name: input.name,
    externalId: "",
    detailsUrl: null,
    status: "queued",
    conclusion: null,
    startedAt: null,
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
    actions: [],
    jobId: input.jobId ?? null,
    createdAt: world.now(),
  };
  world.checkRuns.set(id, run);
  register(world, { type: "CheckRun", value: run });
  apply(world, run, input);
  emit(world, {
    kind: "check_run",
    action: "created",
    actor,
    repository: input.repository,
    run,
    suite,
    identifier: null,
  });
  afterwards(world, actor, run, suite, false);
  return run;
}

export function updateCheckRun(world: World, actor: Actor, run: CheckRun, fields: CheckFields): CheckRun {
  checkLimits(fields);
  const wasCompleted = run.status === "completed";
  apply(world, run, fields);
  afterwards(world, actor, run, suiteOfRun(world, run), wasCompleted);
  return run;
}

export function suiteOfRun(world: World, run: CheckRun): CheckSuite {
  return required(world.suites.get(run.suiteId));
}

function afterwards(world: World, actor: Actor, run: CheckRun, suite: CheckSuite, wasCompleted: boolean): void {
  const repo = repository(world, run.repositoryId);
  if (run.status === "completed" && !wasCompleted) {
    emit(world, { kind: "check_run", action: "completed", actor, repository: repo, run, suite, identifier: null });
  }
  refreshSuite(world, suite);
  if (run.status === "completed") world.follows.commit(world, repo, run.headSha);
}

/** Updates add annotations to those that are there, and leave out what they do not name. */
function apply(world: World, run: CheckRun, fields: CheckFields): void {
  if (fields.name !== undefined) run.name = fields.name;
  if (fields.externalId !== undefined) run.externalId = fields.externalId;
  if (fields.detailsUrl !== undefined) run.detailsUrl = fields.detailsUrl;
  if (fields.actions !== undefined) run.actions = fields.actions;
  if (fields.output !== undefined) {
    run.output = {
      title: fields.output.title ?? run.output.title,
      summary: fields.output.summary ?? run.output.summary,
      text: fields.output.text ?? run.output.text,
    };
    run.annotations.push(...(fields.output.annotations ?? []));
  }
  if (fields.startedAt !== undefined) run.startedAt = fields.startedAt;
  const status = fields.conclusion !== undefined ? "completed" : fields.status;
  if (status === undefined) return;
  run.status = status;
  if (status === "completed") {
    run.conclusion = fields.conclusion ?? run.conclusion;
    run.startedAt ??= world.now();
    run.completedAt = fields.completedAt ?? world.now();
  } else {
    run.conclusion = null;
    run.completedAt = null;
    if (status === "in_progress") run.startedAt ??= world.now();
  }
}

function checkLimits(fields: CheckFields): void {
  const custom = (field: string, message: string) =>
    invalid(`Invalid request.\n\n${message}`, { resource: "CheckRun", code: "custom", field, message });
  if (fields.status === "completed" && fields.conclusion === undefined)
    throw custom("conclusion", "conclusion is required when status is completed.");
  if ((fields.output?.annotations?.length ?? 0) > annotationsPerRequest) {
    throw custom("annotations", `No more than ${annotationsPerRequest} annotations are allowed in one request.`);
  }
  for (const field of ["summary", "text"] as const) {
    if ((fields.output?.[field]?.length ?? 0) > outputLimit)
      throw custom(field, `Only ${outputLimit} characters are allowed; ${field} is too long.`);
  }
  for (const annotation of fields.output?.annotations ?? []) {
    if (annotation.endLine < annotation.startLine)
      throw custom("annotations", "end_line must not be before start_line.");
    if (Buffer.byteLength(annotation.message) > 64 * 1024)
      throw custom("annotations", "message must be 64 KB or less.");
    if ((annotation.title?.length ?? 0) > 255) throw custom("annotations", "title must be 255 characters or less.");
  }
  if ((fields.actions?.length ?? 0) > 3) throw custom("actions", "No more than 3 actions are allowed.");
  for (const action of fields.actions ?? []) {
    if (action.label.length > 20 || action.description.length > 40 || action.identifier.length > 20) {
      throw custom("actions", "label and identifier are limited to 20 characters, description to 40.");
    }
  }
}

/** Re-run pressed on one check run: its app is told, nothing else happens. */
export function rerequestCheckRun(world: World, actor: Actor, run: CheckRun): void {
  const suite = suiteOfRun(world, run);
  emit(world, {
    kind: "check_run",
    action: "rerequested",
    actor,
    repository: repository(world, run.repositoryId),
    run,
    suite,
    identifier: null,
  });
}

export function rerequestSuite(world: World, actor: Actor, suite: CheckSuite): void {
  suite.status = "queued";
  suite.conclusion = null;
  suite.updatedAt = world.now();
  emit(world, {
    kind: "check_suite",
    action: "rerequested",
    actor,
    repository: repository(world, suite.repositoryId),
    suite,
  });
}

/** One of the app's buttons was pressed. */
export function requestAction(world: World, actor: Actor, run: CheckRun, identifier: string): void {
  if (!run.actions.some((action) => action.identifier === identifier))
    throw invalid(`this check run has no action ${identifier}`);
  const suite = suiteOfRun(world, run);
  emit(world, {
    kind: "check_run",
    action: "requested_action",
    actor,
    repository: repository(world, run.repositoryId),
    run,
    suite,
    identifier,
  });
}

export function checkRunsOn(world: World, repo: Repository, sha: string): CheckRun[] {
  return [...world.checkRuns.values()].filter((run) => run.repositoryId === repo.id && run.headSha === sha);
}

function branchAt(repo: Repository, sha: string): string | null {
  for (const [ref, at] of repo.refs)
    if (at === sha && ref.startsWith("refs/heads/")) return ref.slice("refs/heads/".length);
  return null;
}
