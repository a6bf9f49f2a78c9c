/** A check run of ours that is written now and then, by whoever remembers its id. */
import { z } from "zod";
import { newestId } from "../../ids.ts";
import { githubId } from "../id.ts";
import type { GitHubClient } from "../port.ts";
import type { Place } from "../workflows/workflows.ts";

export interface CheckRunShown {
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  /** Only when completed. */
  readonly conclusion: "success" | "failure" | "cancelled" | null;
  readonly title: string;
  /** Markdown, escaped and bounded. */
  readonly summary: string;
  readonly detailsUrl: string | null;
}

export interface CheckRunPlace extends Place {
  readonly sha: string;
  /** Tells it from others of its name on the commit. */
  readonly externalId: string;
}

const created = z.object({ id: githubId });
const listed = z.object({
  check_runs: z.array(created.extend({ external_id: z.string().nullish(), status: z.string() })),
});

/** The newest of ours with this name and external id that has not ended; null: there is none. */
export async function findCheckRun(
  client: GitHubClient,
  { owner, name: repo, sha, externalId }: CheckRunPlace,
  checkName: string,
  appId: number,
  signal: AbortSignal,
): Promise<string | null> {
  const answer = await client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    owner,
    repo,
    ref: sha,
    check_name: checkName,
    app_id: `${appId}`,
    filter: "all",
    per_page: 100,
    request: { signal },
  });
  const own = listed
    .parse(answer.data)
    .check_runs.filter((each) => each.external_id === externalId && each.status !== "completed");
  return newestId(own.map((each) => each.id));
}

/** Resolves with its id. */
export async function createCheckRun(
  client: GitHubClient,
  { owner, name: repo, sha, externalId }: CheckRunPlace,
  shown: CheckRunShown,
  signal: AbortSignal,
): Promise<string> {
  const answer = await client.request("POST /repos/{owner}/{repo}/check-runs", {
    owner,
    repo,
    head_sha: sha,
    external_id: externalId,
    ...fields(shown),
    request: { signal },
  });
  return created.parse(answer.data).id;
}

export async function updateCheckRun(
  client: GitHubClient,
  { owner, name: repo }: Place,
  id: string,
  shown: CheckRunShown,
  signal: AbortSignal,
): Promise<void> {
  await client.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    owner,
    repo,
    check_run_id: id,
    ...fields(shown),
    request: { signal },
  });
}

function fields({ name, status, conclusion, title, summary, detailsUrl }: CheckRunShown): Record<string, unknown> {
  return {
    name,
    status,
    ...(conclusion === null ? {} : { conclusion }),
    ...(detailsUrl === null ? {} : { details_url: detailsUrl }),
    output: { title, summary },
  };
}
