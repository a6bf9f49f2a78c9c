/** The app's own name, where it is installed, what an owner has granted it, and which environments it guards. */
import { z } from "zod";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";

export interface GrantedPermissions {
  /** `read`, `write` or `admin` by the permission's name (`pull_requests`). */
  readonly permissions: Readonly<Record<string, string>>;
  /** Those that GitHub sends for this installation, less those it always sends. */
  readonly events: readonly string[];
}

export const grantedPermissionsShape = z.object({
  permissions: z.record(z.string(), z.string()),
  events: z.array(z.string()),
});

/** `client` speaks as the app itself. Throws what the client throws. */
export async function readGrantedPermissions(
  client: GitHubClient,
  installationId: number,
  signal: AbortSignal,
): Promise<GrantedPermissions> {
  const answer = await client.request("GET /app/installations/{installation_id}", {
    installation_id: `${installationId}`,
    request: { signal },
  });
  return grantedPermissionsShape.parse(answer.data);
}

const app = z.object({ slug: z.string().min(1) });

/** The login under which the app acts. `client` speaks as the app itself. Throws what the client throws. */
export async function readBotLogin(client: GitHubClient, signal: AbortSignal): Promise<string> {
  const answer = await client.request("GET /app", { request: { signal } });
  return `${app.parse(answer.data).slug}[bot]`;
}

const installed = z.object({ id: smallId });

/** The app's installation on a repository; null: there is none. Throws what the client throws otherwise. */
export async function readInstallationId(
  client: GitHubClient,
  { owner, name }: { readonly owner: string; readonly name: string },
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const answer = await client.request("GET /repos/{owner}/{repo}/installation", {
      owner,
      repo: name,
      request: { signal },
    });
    return installed.parse(answer.data).id;
  } catch (error) {
    if (requestFailure(error, 0).status === 404) {
      return null;
    }
    throw error;
  }
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
