/** Check suites: one per app and commit (and per workflow run), summing up their check runs. */

import type { Actor, CheckRun, CheckSuite, Conclusion, Repository } from "../model/index.ts";
import { asApp } from "../people/accounts.ts";
import { actionsApp, installationsFor, permits } from "../people/apps.ts";
import { app, emit, register, type World } from "../world.ts";

export interface NewSuite {
  readonly repository: Repository;
  readonly appId: number;
  readonly sha: string;
  readonly branch: string | null;
  readonly before?: string | null;
  readonly workflowRunId?: number;
}

export function makeSuite(world: World, input: NewSuite): CheckSuite {
  const id = world.ids.next("CheckSuite");
  const suite: CheckSuite = {
    id,
    nodeId: world.ids.node("CheckSuite", id),
    repositoryId: input.repository.id,
    appId: input.appId,
    headSha: input.sha,
    headBranch: input.branch,
    before: input.before ?? null,
    after: input.sha,
    status: "queued",
    conclusion: null,
    workflowRunId: input.workflowRunId ?? null,
    createdAt: world.now(),
    updatedAt: world.now(),
  };
  world.suites.set(id, suite);
  register(world, { type: "CheckSuite", value: suite });
  return suite;
}

/** A push opens a suite for every installed app that may write checks. */
export function openSuitesFor(
  world: World,
  actor: Actor,
  repo: Repository,
  push: { readonly sha: string; readonly branch: string; readonly before: string | null },
): void {
  for (const installation of installationsFor(world, repo)) {
    if (!permits(installation.permissions, "checks", "write") || installation.suspendedAt !== null) continue;
    if (suiteOf(world, repo, installation.appId, push.sha) !== null) continue;
    const suite = makeSuite(world, { repository: repo, appId: installation.appId, ...push });
    emit(world, { kind: "check_suite", action: "requested", actor, repository: repo, suite });
  }
}

/** The app's own suite of a commit; workflow runs have suites of their own and are not meant. */
export function suiteOf(world: World, repo: Repository, appId: number, sha: string): CheckSuite | null {
  for (const suite of world.suites.values()) {
    if (
      suite.repositoryId === repo.id &&
      suite.appId === appId &&
      suite.headSha === sha &&
      suite.workflowRunId === null
    )
      return suite;
  }
  return null;
}

export function suitesOn(world: World, repo: Repository, sha: string): CheckSuite[] {
  return [...world.suites.values()].filter((suite) => suite.repositoryId === repo.id && suite.headSha === sha);
}

export function runsOfSuite(world: World, suite: CheckSuite): CheckRun[] {
  return [...world.checkRuns.values()].filter((run) => run.suiteId === suite.id);
}

/** Of runs with the same name in one suite only the newest counts. */
export function latestRuns(runs: readonly CheckRun[]): CheckRun[] {
  const latest = new Map<string, CheckRun>();
  for (const run of runs) latest.set(`${run.suiteId}:${run.name}`, run);
  return [...latest.values()];
}

/** Worst first. */
const severity: readonly Conclusion[] = [
  "startup_failure",
  "failure",
  "timed_out",
  "action_required",
  "cancelled",
  "stale",
  "success",
  "neutral",
  "skipped",
];

export function worstConclusion(found: readonly (Conclusion | null)[]): Conclusion | null {
  return severity.find((conclusion) => found.includes(conclusion)) ?? null;
}

/** Sums a suite up anew after one of its runs changed; says when it is complete. Workflow runs set theirs themselves. */
export function refreshSuite(world: World, suite: CheckSuite): void {
  if (suite.workflowRunId !== null) return;
  const runs = latestRuns(runsOfSuite(world, suite));
  const complete = runs.length > 0 && runs.every((run) => run.status === "completed");
  const started = runs.some((run) => run.status !== "queued");
  setSuite(
    world,
    suite,
    complete ? "completed" : started ? "in_progress" : "queued",
    complete ? worstConclusion(runs.map((r) => r.conclusion)) : null,
  );
}

export function setSuite(
  world: World,
  suite: CheckSuite,
  status: CheckSuite["status"],
  conclusion: Conclusion | null,
): void {
  if (suite.status === status && suite.conclusion === conclusion) return;
  const repo = world.repositories.get(suite.repositoryId);
  suite.status = status;
  suite.conclusion = conclusion;
  suite.updatedAt = world.now();
  if (status !== "completed" || repo === undefined) return;
  emit(world, {
    kind: "check_suite",
    action: "completed",
    actor: asApp(world, app(world, suite.appId)),
    repository: repo,
    suite,
  });
}

export function actionsActor(world: World): Actor {
  return { ...asApp(world, actionsApp(world)), via: "job" };
}
