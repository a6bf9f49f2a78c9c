/** What the job that we are a step of is, as the runner's variables and the event say it. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { parseExactly } from "../../github/exact-json.ts";
import { githubId } from "../../github/id.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Job {
  /** Null outside GitHub. */
  readonly owner: string | null;
  readonly repo: string | null;
  readonly repositoryId: string;
  readonly runId: string;
  readonly attempt: number;
  /** The job's id in its workflow. */
  readonly id: string;
  /** The commit that check runs belong to: of a pull request its head, not the merge commit that is checked out. */
  readonly headSha: string | null;
  /** True: the head is in another repository, so the token can only read. */
  readonly fork: boolean;
  readonly workspace: string;
  readonly temporary: string;
  readonly runUrl: string | null;
}

const event = z.object({
  pull_request: z
    .object({
      head: z.object({ sha: z.string(), repo: z.object({ id: githubId }).nullish() }),
      base: z.object({ repo: z.object({ id: githubId }) }).optional(),
    })
    .optional()
    .catch(undefined),
});

/** Reads the job from the environment; `fallback` directories serve outside a runner. */
export function readJob(env: Environment, fallback: { readonly workspace: string; readonly temporary: string }): Job {
  const { pull_request: pull } = readEvent(env.GITHUB_EVENT_PATH);
  const [owner, repo] = (env.GITHUB_REPOSITORY ?? "").split("/");
  const attempt = Number(env.GITHUB_RUN_ATTEMPT ?? "1");
  const runId = env.GITHUB_RUN_ID || "local";
  const headId = pull?.head.repo?.id ?? null;
  return {
    owner: owner || null,
    repo: repo || null,
    repositoryId: env.GITHUB_REPOSITORY_ID || env.GITHUB_REPOSITORY || "local",
    runId,
    attempt: Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 1,
    id: env.GITHUB_JOB || "local",
    headSha: pull?.head.sha ?? (env.GITHUB_SHA || null),
    fork: pull !== undefined && headId !== (pull.base?.repo.id ?? headId),
    workspace: env.GITHUB_WORKSPACE || fallback.workspace,
    temporary: env.RUNNER_TEMP || fallback.temporary,
    runUrl:
      env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY
        ? `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${runId}`
        : null,
  };
}

/** The event's file is GitHub's own; one that cannot be read says nothing, and the commit of the job is taken. */
function readEvent(path: string | undefined): z.infer<typeof event> {
  if (path === undefined || path === "") return {};
  try {
    const parsed = event.safeParse(parseExactly(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
