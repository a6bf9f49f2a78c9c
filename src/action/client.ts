/** GitHub's API with the job's token. Loaded only when something is asked of it: it is most of the bundle. */
import type { GitHubClient } from "../github/port.ts";

/** Speaks to GITHUB_API_URL and through the proxies that the environment names, as the runner does. */
export async function githubClient(token: string): Promise<GitHubClient> {
  const { getOctokit } = await import("@actions/github");
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return getOctokit(token, { userAgent: "stagewright", log: silent });
}
