/** A client of GitHub for commands that read from it: which server, and by whose token. */
import { tokenClient } from "../github/client.ts";
import type { GitHubClient } from "../github/port.ts";
import { UsageError } from "./exit.ts";

export interface PullAddress {
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
  /** Of the REST API, without a slash at the end. */
  readonly api: string;
}

const NAME = /^[A-Za-z0-9_.-]{1,100}$/u;

/**
 * `https://github.com/owner/name/pull/7`. `GITHUB_API_URL` stands in for the API's address, as in a workflow.
 * @throws UsageError when it is no pull request's address
 */
export function pullAddress(text: string, env: Readonly<Record<string, string | undefined>>): PullAddress {
  const expected = new UsageError(
    "--pr: expected a pull request's address, such as https://github.com/owner/name/pull/7",
  );
  if (!URL.canParse(text)) throw expected;
  const url = new URL(text);
  const [, owner = "", repo = "", kind, number = ""] = url.pathname.split("/");
  const ok =
    (url.protocol === "https:" || url.protocol === "http:") && kind === "pull" && /^[1-9]\d{0,8}$/u.test(number);
  if (!ok || !NAME.test(owner) || !NAME.test(repo)) throw expected;
  return { owner, repo, number: Number(number), api: apiOf(url, env) };
}

function apiOf(url: URL, env: Readonly<Record<string, string | undefined>>): string {
  const told = env.GITHUB_API_URL;
  if (told !== undefined && told !== "") {
    if (!URL.canParse(told)) throw new UsageError("GITHUB_API_URL: expected an address");
    return told.replace(/(?<!\/)\/+$/u, "");
  }
  // The token goes to no server that nobody has named as GitHub's.
  if (url.protocol === "https:" && url.host === "github.com") return "https://api.github.com";
  throw new UsageError(
    `--pr: for ${url.host}, set GITHUB_API_URL (GitHub Enterprise Server: https://${url.host}/api/v3)`,
  );
}

/** Of the REST API: GITHUB_API_URL, as in a workflow, else github.com's. @throws UsageError when it is none */
export function apiAddress(env: Readonly<Record<string, string | undefined>>): string {
  return apiOf(new URL("https://github.com"), env);
}

/** @throws UsageError without a token */
export async function githubClient(
  api: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GitHubClient> {
  const token = [env.GITHUB_TOKEN, env.GH_TOKEN].find((each) => each !== undefined && each !== "");
  if (token === undefined) throw new UsageError("GITHUB_TOKEN: expected a token that may read the repository");
  return await tokenClient(token, api);
}
