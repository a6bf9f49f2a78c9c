/** What the owner of an account has granted the app, and which environments it guards. */
import { z } from "zod";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";

export interface Grants {
  /** `read`, `write` or `admin` by the permission's name (`pull_requests`). */
  readonly permissions: Readonly<Record<string, string>>;
  /** Those that GitHub sends for this installation, less those it always sends. */
  readonly events: readonly string[];
}

export const grantsShape = z.object({
  permissions: z.record(z.string(), z.string()),
  events: z.array(z.string()),
});

/** `client` speaks as the app itself. Throws what the client throws. */
export async function readGrants(client: GitHubClient, installationId: number, signal: AbortSignal): Promise<Grants> {
  const answer = await client.request("GET /app/installations/{installation_id}", {
    installation_id: `${installationId}`,
    request: { signal },
  });
  return grantsShape.parse(answer.data);
}

const rules = z.object({
  custom_deployment_protection_rules: z
    .array(z.object({ enabled: z.boolean().nullish(), app: z.object({ id: smallId }).nullish() }))
    .nullish(),
});

/**
 * Whether this app holds the jobs of an environment. `missing`: there is no such environment, or the repository's plan
 * has none; `hidden`: the app may not read its rules. Throws what the client throws otherwise.
 */
export async function readGuard(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  environment: string,
  appId: number,
  signal: AbortSignal,
): Promise<"ours" | "not_ours" | "missing" | "hidden"> {
  try {
    const answer = await client.request(
      "GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules",
      { owner: repository.owner, repo: repository.name, environment_name: environment, request: { signal } },
    );
    const found = rules.parse(answer.data).custom_deployment_protection_rules ?? [];
    return found.some(({ app, enabled }) => app?.id === appId && enabled !== false) ? "ours" : "not_ours";
  } catch (error) {
    const { kind, status } = requestFailure(error, 0);
    if (status === 404) {
      return "missing";
    }
    if (kind === "permission" && status === 403) {
      return "hidden";
    }
    throw error;
  }
}
