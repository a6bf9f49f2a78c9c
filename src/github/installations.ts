/** Where the app is installed, and on which repositories. */
import { z } from "zod";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";
import { payloadDate } from "./webhooks/payloads.ts";

export interface InstallationSeen {
  readonly id: number;
  readonly createdAt: number;
  readonly suspended: boolean;
}

export interface InstalledRepository {
  readonly id: number;
  readonly nodeId: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly private: boolean;
}

const PER_PAGE = 100;
/** 100,000 of each: a bound, not a limit that anybody meets. */
const MOST_PAGES = 1_000;

const installations = z.array(z.object({ id: smallId, created_at: payloadDate, suspended_at: z.string().nullish() }));
const repositories = z.object({
  repositories: z.array(
    z.object({
      id: smallId,
      node_id: z.string(),
      name: z.string(),
      owner: z.object({ login: z.string() }),
      default_branch: z.string(),
      private: z.boolean(),
    }),
  ),
});

/** All installations of the app. `client`: the app's own. */
export async function listInstallations(client: GitHubClient, signal: AbortSignal): Promise<InstallationSeen[]> {
  const all: InstallationSeen[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await client.request("GET /app/installations", { per_page: PER_PAGE, page, request: { signal } });
    const found = installations.parse(answer.data);
    all.push(
      ...found.map((each) => ({ id: each.id, createdAt: each.created_at, suspended: each.suspended_at != null })),
    );
    if (found.length < PER_PAGE) {
      break;
    }
  }
  return all;
}

/** All repositories of an installation. `client`: the installation's. */
export async function listRepositories(client: GitHubClient, signal: AbortSignal): Promise<InstalledRepository[]> {
  const all: InstalledRepository[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await client.request("GET /installation/repositories", {
      per_page: PER_PAGE,
      page,
      request: { signal },
    });
    const found = repositories.parse(answer.data).repositories;
    all.push(
      ...found.map((each) => ({
        id: each.id,
        nodeId: each.node_id,
        owner: each.owner.login,
        name: each.name,
        defaultBranch: each.default_branch,
        private: each.private,
      })),
    );
    if (found.length < PER_PAGE) {
      break;
    }
  }
  return all;
}
