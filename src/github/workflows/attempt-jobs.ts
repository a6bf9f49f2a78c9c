/** The jobs of one attempt of a workflow run, as GitHub lists them. Needs `actions: read`. */
import { z } from "zod";
import { githubId, idAtEnd } from "../id.ts";
import type { GitHubClient } from "../port.ts";

const PER_PAGE = 100;
const PAGES = 10;
const ASK_MS = 20_000;

const listed = z.object({
  jobs: z.array(
    z
      .object({
        id: githubId,
        check_run_url: z.string().nullish(),
        name: z.string(),
        status: z.string(),
        conclusion: z.string().nullish(),
        run_attempt: z.number().optional(),
        started_at: z.string().nullish(),
        runner_name: z.string().nullish(),
      })
      // Of its check run, as the job's OIDC token says it. On github.com that is the job's own.
      .transform(({ check_run_url: url, ...job }) => ({ ...job, id: idAtEnd(url) ?? job.id })),
  ),
});
export type AttemptJob = z.infer<typeof listed>["jobs"][number];

export interface RunAttempt {
  readonly owner: string;
  readonly repo: string;
  readonly runId: string;
  readonly attempt: number;
}

const begun = z.object({ run_started_at: z.string().nullish() });

/** When the attempt began, in milliseconds since the epoch; NaN: GitHub does not say. @throws what GitHub's API says */
export async function attemptBeganAt(
  client: GitHubClient,
  { owner, repo, runId, attempt }: RunAttempt,
  signal: AbortSignal,
): Promise<number> {
  const answer = await client.request("GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}", {
    owner,
    repo,
    run_id: runId,
    attempt_number: attempt,
    request: { signal },
  });
  return Date.parse(begun.parse(answer.data).run_started_at ?? "");
}

/** Lists them again and again; a page that has not changed costs no rate limit. */
export class AttemptJobs {
  readonly #client: GitHubClient;
  readonly #attempt: RunAttempt;
  #pages: { readonly etag: string | null; readonly jobs: readonly AttemptJob[] }[] = [];

  constructor(client: GitHubClient, attempt: RunAttempt) {
    this.#client = client;
    this.#attempt = attempt;
  }

  /** At most the first thousand. @throws what GitHub's API says */
  async list(signal: AbortSignal): Promise<readonly AttemptJob[]> {
    let page = 1;
    while ((await this.#read(page, signal)) && page < PAGES) page += 1;
    this.#pages.length = page;
    return this.#pages.flatMap(({ jobs }) => jobs);
  }

  /** @returns whether there may be more pages */
  async #read(page: number, signal: AbortSignal): Promise<boolean> {
    const { owner, repo, runId, attempt } = this.#attempt;
    const before = this.#pages[page - 1];
    const etag = before?.etag ?? null;
    try {
      const answer = await this.#client.request(
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        {
          ...{ owner, repo, run_id: runId, attempt_number: attempt, per_page: PER_PAGE, page },
          headers: etag === null ? {} : { "if-none-match": etag },
          request: { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]) },
        },
      );
      const found = answer.headers.etag;
      const { jobs } = listed.parse(answer.data);
      this.#pages[page - 1] = { etag: typeof found === "string" ? found : null, jobs };
      return jobs.length >= PER_PAGE;
    } catch (error) {
      if (before === undefined || !isNotModified(error)) throw error;
      return before.jobs.length >= PER_PAGE;
    }
  }
}

/** Octokit throws on 304, as on every status that is no success. */
export function isNotModified(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 304;
}
