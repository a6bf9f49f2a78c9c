/** Clients for a token. Loaded when something is asked of GitHub: they are most of the action's bundle. */
import type { GitHubClient } from "./port.ts";

/** Whoever gave the token is told what it was refused for. */
const OPTIONS = {
  userAgent: "stagewright",
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
};

/** For the job's own token: speaks to GITHUB_API_URL and through the proxies that the environment names, as the runner does. */
export async function jobClient(token: string): Promise<GitHubClient> {
  const { getOctokit } = await import("@actions/github");
  return getOctokit(token, OPTIONS);
}

/** For a person's token. `api`: of the REST API, without a slash at the end. */
export async function tokenClient(token: string, api: string): Promise<GitHubClient> {
  const { Octokit } = await import("@octokit/rest");
  return new Octokit({ ...OPTIONS, auth: token, baseUrl: api });
}
