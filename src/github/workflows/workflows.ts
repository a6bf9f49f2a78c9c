/** Workflows that we start: asking for a run, finding out which one it became, following it, cancelling it. */
import { z } from "zod";
import { githubId, smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import { requestFailure } from "../request-failure.ts";
import { user } from "../webhooks/payloads.ts";

export interface RepositoryPlace {
  readonly owner: string;
  readonly name: string;
}

export interface Dispatch {
  /** The name of the workflow's file. */
  readonly workflow: string;
  /** The default branch: the workflow's own code is never the pull request's. */
  readonly branch: string;
  readonly inputs: Readonly<Record<string, string>>;
}

export interface RunSeen {
  readonly id: string;
  readonly url: string | null;
  /** `queued`, `waiting`, `in_progress`, `completed`, …: as GitHub says. */
  readonly status: string;
  readonly conclusion: string | null;
  readonly attempt: number;
  readonly path: string;
  readonly event: string;
  readonly headSha: string;
  /** Null: GitHub does not say, or it is gone. */
  readonly headRepositoryId: number | null;
  readonly headBranch: string | null;
  readonly title: string;
  readonly by: { readonly id: number; readonly login: string; readonly bot: boolean } | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const date = z.string().transform((text) => Date.parse(text));
const run = z
  .object({
    id: githubId,
    html_url: z.string().nullish(),
    status: z.string().nullish(),
    conclusion: z.string().nullish(),
    run_attempt: z.number().int().nullish(),
    path: z.string(),
    event: z.string(),
    head_sha: z.string(),
    head_branch: z.string().nullish(),
    head_repository: z.object({ id: smallId }).nullish(),
    display_title: z.string().nullish(),
    actor: user.nullish(),
    created_at: date,
    updated_at: date,
  })
  .transform(
    (each): RunSeen => ({
      id: each.id,
      url: each.html_url ?? null,
      status: each.status ?? "queued",
      conclusion: each.conclusion ?? null,
      attempt: each.run_attempt ?? 1,
      // A reusable workflow's path carries the ref it was taken from.
      path: each.path.split("@", 1)[0] ?? each.path,
      event: each.event,
      headSha: each.head_sha,
      headRepositoryId: each.head_repository?.id ?? null,
      headBranch: each.head_branch ?? null,
      title: each.display_title ?? "",
      by: each.actor == null ? null : { id: each.actor.id, login: each.actor.login, bot: each.actor.type === "Bot" },
      createdAt: each.created_at,
      updatedAt: each.updated_at,
    }),
  );

/** Servers that do not know `return_run_details` answer without a body. */
const dispatched = z.object({ workflow_run_id: githubId, html_url: z.string().nullish() });

/**
 * Asks for a run. Resolves with which one it is, or null: it was taken, but GitHub does not say which. Throws what the
 * client throws; without an answer it may have been taken all the same.
 */
export async function dispatchWorkflow(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  { workflow, branch, inputs }: Dispatch,
  signal: AbortSignal,
): Promise<{ readonly runId: string; readonly url: string | null } | null> {
  const answer = await client.request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
    owner,
    repo: name,
    workflow_id: workflow,
    ref: branch,
    inputs,
    return_run_details: true,
    request: { signal },
  });
  const read = dispatched.safeParse(answer.data);
  return read.success ? { runId: read.data.workflow_run_id, url: read.data.html_url ?? null } : null;
}

/** Of runs in one list. */
const PER_PAGE = 100;
const listed = z.object({ workflow_runs: z.array(run) });

/** Runs of this workflow that were asked for since then (at most a hundred), oldest first. */
export async function dispatchedRuns(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  workflow: string,
  since: number,
  signal: AbortSignal,
): Promise<readonly RunSeen[]> {
  const answer = await client.request("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", {
    owner,
    repo: name,
    workflow_id: workflow,
    event: "workflow_dispatch",
    created: `>=${new Date(since).toISOString().slice(0, 19)}Z`,
    per_page: PER_PAGE,
    request: { signal },
  });
  return listed.parse(answer.data).workflow_runs.toReversed();
}

const head = z.object({ head_sha: z.string(), html_url: z.string().nullish() });

/**
 * The commit that a run is for, and the run's page. Of a pull request this is its head, which the job's own commit (the
 * merge) is not. Throws what the client throws.
 */
export async function readRunHead(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  runId: string,
): Promise<{ readonly sha: string; readonly url: string | null }> {
  const answer = await client.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", {
    owner,
    repo: name,
    run_id: runId,
  });
  const { head_sha: sha, html_url: url } = head.parse(answer.data);
  return { sha, url: url ?? null };
}

/** Null: there is no such run (any more). */
export async function readRun(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  runId: string,
  signal: AbortSignal,
): Promise<RunSeen | null> {
  try {
    const answer = await client.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}", {
      owner,
      repo: name,
      run_id: runId,
      request: { signal },
    });
    return run.parse(answer.data);
  } catch (error) {
    if (requestFailure(error, 0).status === 404) {
      return null;
    }
    throw error;
  }
}

/** Asks for the run's end. One that has ended, or is gone, is no failure. */
export async function cancelRun(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  runId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.request("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", {
      owner,
      repo: name,
      run_id: runId,
      request: { signal },
    });
  } catch (error) {
    const { status } = requestFailure(error, 0);
    if (status !== 404 && status !== 409) {
      throw error;
    }
  }
}

/** At most this many pages of runs that wait. */
const MOST_PAGES = 5;

/** Runs that wait for an environment, newest first; of very many, the first five hundred. */
export async function waitingRuns(
  client: GitHubClient,
  { owner, name }: RepositoryPlace,
  signal: AbortSignal,
): Promise<readonly RunSeen[]> {
  const found: RunSeen[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await client.request("GET /repos/{owner}/{repo}/actions/runs", {
      owner,
      repo: name,
      status: "waiting",
      per_page: PER_PAGE,
      page,
      request: { signal },
    });
    const { workflow_runs: runs } = listed.parse(answer.data);
    found.push(...runs);
    if (runs.length < PER_PAGE) {
      break;
    }
  }
  return found;
}
