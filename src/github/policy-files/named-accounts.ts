/**
 * Whether those whom a policy names are there: users, apps and teams. A question or two each; of a team that was not
 * given a private repository some more, for what its members see.
 */
import { z } from "zod";
import type { AccountState } from "../../lifecycle/policy/named-accounts.ts";
import { readIdentity, readPermission } from "../permissions.ts";
import type { GitHubClient } from "../port.ts";
import { requestFailure } from "../request-failure.ts";
import { user } from "../webhooks/payloads.ts";
import { actorOf } from "../webhooks/webhook.ts";

type Place = { readonly owner: string; readonly name: string; readonly private: boolean };

/** So many of a team are asked about: an organization that shows all its repositories shows them to each member. */
const MEMBERS_ASKED = 3;

/** Throws what the client throws, unless it says that there is nobody, or that the app may not know. */
export async function readNamedAccount(
  client: GitHubClient,
  repository: Place,
  name: string,
  signal: AbortSignal,
): Promise<AccountState> {
  if (name.startsWith("@")) {
    return await readTeam(client, repository, name.slice(1), signal);
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

async function readTeam(
  client: GitHubClient,
  repository: Place,
  team: string,
  signal: AbortSignal,
): Promise<AccountState> {
  const [org = "", slug = ""] = team.split("/", 2);
  const asked = { org, team_slug: slug, request: { signal } };
  try {
    await client.request("GET /orgs/{org}/teams/{team_slug}", asked);
  } catch (error) {
    const { kind, status } = requestFailure(error, 0);
    if (kind !== "permission" || status === 401) {
      throw error;
    }
    return status === 404 ? "missing" : "hidden";
  }
  try {
    const { owner, name: repo } = repository;
    await client.request("GET /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", { ...asked, owner, repo });
    return "there";
  } catch (error) {
    const { kind, status } = requestFailure(error, 0);
    if (kind !== "permission" || status === 401) {
      throw error;
    }
    if (status !== 404) {
      // What the app may not know is not said.
      return "there";
    }
  }
  return !repository.private || (await someMemberSees(client, repository, asked, signal)) ? "not_given" : "blind";
}

async function someMemberSees(
  client: GitHubClient,
  repository: Place,
  team: { readonly org: string; readonly team_slug: string },
  signal: AbortSignal,
): Promise<boolean> {
  const route = "GET /orgs/{org}/teams/{team_slug}/members";
  const answer = await client.request(route, { ...team, per_page: MEMBERS_ASKED, request: { signal } });
  for (const member of z.array(user).parse(answer.data)) {
    if ((await readPermission(client, repository, actorOf(member), signal)) !== "none") {
      return true;
    }
  }
  return false;
}
