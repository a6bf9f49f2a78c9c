/** Whether those whom a policy names are there: users, apps and teams. One question each, two in private repositories. */
import type { NameSeen } from "../../lifecycle/policy/named.ts";
import { readIdentity, readPermission } from "../permissions.ts";
import type { GitHubClient } from "../port.ts";
import { requestFailure } from "../request-failure.ts";

/** Throws what the client throws, unless it says that there is nobody, or that the app may not know. */
export async function readName(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string; readonly private: boolean },
  name: string,
  signal: AbortSignal,
): Promise<NameSeen> {
  if (name.startsWith("@")) {
    return await readTeam(client, name.slice(1), signal);
  }
  const actor = await readIdentity(client, name, signal);
  if (actor === null) {
    return "missing";
  }
  // Which repositories another app sees is told to nobody.
  const blind =
    repository.private && actor.kind === "user" && (await readPermission(client, repository, actor, signal)) === "none";
  return blind ? "blind" : "there";
}

async function readTeam(client: GitHubClient, team: string, signal: AbortSignal): Promise<NameSeen> {
  const [org = "", slug = ""] = team.split("/", 2);
  try {
    await client.request("GET /orgs/{org}/teams/{team_slug}", { org, team_slug: slug, request: { signal } });
    return "there";
  } catch (error) {
    const { kind, status } = requestFailure(error, 0);
    if (kind !== "permission" || status === 401) {
      throw error;
    }
    return status === 404 ? "missing" : "hidden";
  }
}
