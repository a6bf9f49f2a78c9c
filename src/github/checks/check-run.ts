/** Check runs over REST: the requests that read and write them. What is shown on pull requests' heads goes by GraphQL. */
import { z } from "zod";
import { githubId, smallId } from "../id.ts";
import type { GitHubClient } from "../port.ts";

export interface CheckRepository {
  readonly owner: string;
  readonly repo: string;
}

export interface CheckCommit extends CheckRepository {
  readonly headSha: string;
}

export interface CheckTarget extends CheckCommit {
  readonly name: string;
  /** Tells this check run from others of its name on the commit. */
  readonly externalId: string;
  readonly detailsUrl: string | null;
}

export interface CheckText {
  readonly title: string;
  /** Markdown, escaped and bounded. */
  readonly summary: string;
  readonly text: string | null;
  /** In place of those that are there; left out: they stay. */
  readonly actions?: readonly CheckAction[];
}

/** A button, within GitHub's limits: at most three, of 20, 40 and 20 characters. */
export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export type CheckConclusion = "success" | "failure" | "cancelled" | "neutral" | "timed_out" | "action_required";

export type CheckAnnotation = Readonly<Record<string, string | number>>;

/** What a write says; what it does not name stays as it is. Times are milliseconds since the epoch. */
export interface CheckRunWrite {
  readonly status?: "queued" | "in_progress" | "completed";
  /** Only of one that is completed; null: not yet. */
  readonly conclusion?: CheckConclusion | null;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly text: CheckText;
  /** Added to those that are there. */
  readonly annotations?: readonly CheckAnnotation[];
}

/** A check run as GitHub tells of it; null: it does not say. */
export interface CheckRunSeen {
  readonly id: string;
  readonly url: string | null;
  readonly name: string | null;
  readonly headSha: string | null;
  readonly externalId: string | null;
  readonly status: string | null;
  readonly appId: number | null;
  readonly annotationsCount: number | null;
}

/** Which check runs of a commit are listed, in GitHub's words. */
export interface CheckRunFilter {
  readonly check_name: string;
  readonly app_id?: string;
  readonly status?: "in_progress";
  /** Without it, GitHub lists the newest of each name and app. */
  readonly filter?: "all";
}

/** GitHub ends a request itself after 10 s. */
const REQUEST_TIMEOUT_MS = 15_000;

const seen = z
  .object({
    id: githubId,
    html_url: z.string().nullish(),
    name: z.string().nullish(),
    head_sha: z.string().nullish(),
    external_id: z.string().nullish(),
    status: z.string().nullish(),
    app: z.object({ id: smallId }).nullish(),
    output: z.object({ annotations_count: z.number().nullish() }).nullish(),
  })
  .transform(
    (run): CheckRunSeen => ({
      id: run.id,
      url: run.html_url ?? null,
      name: run.name ?? null,
      headSha: run.head_sha ?? null,
      externalId: run.external_id ?? null,
      status: run.status ?? null,
      appId: run.app?.id ?? null,
      annotationsCount: run.output?.annotations_count ?? null,
    }),
  );
const listed = z.object({ check_runs: z.array(seen) });

/** At most a hundred. */
export async function listCheckRuns(
  client: GitHubClient,
  { owner, repo, headSha }: CheckCommit,
  filter: CheckRunFilter,
  signal: AbortSignal,
): Promise<readonly CheckRunSeen[]> {
  const answer = await client.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    owner,
    repo,
    ref: headSha,
    ...filter,
    per_page: 100,
    request: bounded(signal),
  });
  return listed.parse(answer.data).check_runs;
}

export async function getCheckRun(
  client: GitHubClient,
  { owner, repo }: CheckRepository,
  id: string,
  signal: AbortSignal,
): Promise<CheckRunSeen> {
  const answer = await client.request("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    owner,
    repo,
    check_run_id: id,
    request: bounded(signal),
  });
  return seen.parse(answer.data);
}

export async function createCheckRun(
  client: GitHubClient,
  { owner, repo, headSha, name, externalId, detailsUrl }: CheckTarget,
  write: CheckRunWrite,
  signal: AbortSignal,
): Promise<CheckRunSeen> {
  const answer = await client.request("POST /repos/{owner}/{repo}/check-runs", {
    owner,
    repo,
    name,
    head_sha: headSha,
    external_id: externalId,
    ...(detailsUrl === null ? {} : { details_url: detailsUrl }),
    ...fields(write),
    request: bounded(signal),
  });
  return seen.parse(answer.data);
}

/** `detailsUrl`: where it leads to from now on, if that is to change. */
export async function updateCheckRun(
  client: GitHubClient,
  { owner, repo }: CheckRepository,
  id: string,
  { detailsUrl = null, ...write }: CheckRunWrite & { readonly detailsUrl?: string | null },
  signal: AbortSignal,
): Promise<void> {
  await client.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    owner,
    repo,
    check_run_id: id,
    ...(detailsUrl === null ? {} : { details_url: detailsUrl }),
    ...fields(write),
    request: bounded(signal),
  });
}

function fields({
  status,
  conclusion = null,
  startedAt,
  completedAt,
  text,
  annotations = [],
}: CheckRunWrite): Record<string, unknown> {
  return {
    ...(status === undefined ? {} : { status }),
    ...(conclusion === null ? {} : { conclusion }),
    ...(text.actions === undefined ? {} : { actions: text.actions }),
    ...(startedAt === undefined ? {} : { started_at: new Date(startedAt).toISOString() }),
    ...(completedAt === undefined ? {} : { completed_at: new Date(completedAt).toISOString() }),
    output: {
      title: text.title,
      summary: text.summary,
      ...(text.text === null ? {} : { text: text.text }),
      ...(annotations.length === 0 ? {} : { annotations }),
    },
  };
}

/** A request ends with the signal, and by itself when GitHub does not answer. */
function bounded(signal: AbortSignal): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]) };
}
