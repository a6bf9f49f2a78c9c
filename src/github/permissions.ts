/** Questions about people: what may they do here, which team are they in, who bears this login. One request each. */
import { z } from "zod";
import { actorKey } from "../lifecycle/evaluation/permissions.ts";
import type { Actor, Lookup, Permissions } from "../lifecycle/facts/facts.ts";
import { smallId } from "./id.ts";
import type { GitHubClient } from "./port.ts";
import { requestFailure } from "./request-failure.ts";
import { user } from "./webhooks/payloads.ts";
import { actorOf } from "./webhooks/webhook.ts";

export type Permission = NonNullable<Permissions["levels"][string]>;

const LEVELS: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];
const permissionAnswer = z.object({
  permission: z.string(),
  role_name: z.string().nullish(),
  user: z.object({ id: smallId }).nullish(),
});
const membershipAnswer = z.object({ state: z.string() });

/**
 * The permission on a repository. A login can pass to somebody else: an answer about another id is no permission.
 * Throws what the client throws, unless it says that there is nobody.
 */
export async function readPermission(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  actor: Actor,
  signal: AbortSignal,
): Promise<Permission> {
  const answer = await orNobody(
    client.request("GET /repos/{owner}/{repo}/collaborators/{username}/permission", {
      owner: repository.owner,
      repo: repository.name,
      username: actor.login,
      request: { signal },
    }),
  );
  if (answer === null) {
    return "none";
  }
  const { permission, role_name: role, user: about } = permissionAnswer.parse(answer.data);
  if (about?.id !== actor.id) {
    return "none";
  }
  // `permission` knows neither triage nor maintain; `role_name` may be a role of the organization's own.
  return LEVELS.find((level) => level === role) ?? LEVELS.find((level) => level === permission) ?? "none";
}

/** Whether somebody is an active member of a team (`org/team`), child teams included. */
export async function readMembership(
  client: GitHubClient,
  team: string,
  actor: Actor,
  signal: AbortSignal,
): Promise<boolean> {
  const [org = "", slug = ""] = team.split("/", 2);
  const answer = await orNobody(
    client.request("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", {
      org,
      team_slug: slug,
      username: actor.login,
      request: { signal },
    }),
  );
  return answer !== null && membershipAnswer.parse(answer.data).state === "active";
}

/** Who bears this login now, apps with their `[bot]`; null: nobody. */
export async function readIdentity(client: GitHubClient, login: string, signal: AbortSignal): Promise<Actor | null> {
  const answer = await orNobody(client.request("GET /users/{username}", { username: login, request: { signal } }));
  return answer === null ? null : actorOf(user.parse(answer.data));
}

export type PermissionLookup = Exclude<Lookup, { kind: "files" | "run" | "timeline" | "suites" }>;

/** GitHub's answer to a question of the evaluation: plain JSON, to be kept and given to `withAnswer`. */
export async function askPermission(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  lookup: PermissionLookup,
  signal: AbortSignal,
): Promise<unknown> {
  switch (lookup.kind) {
    case "permission":
      return await readPermission(client, repository, lookup.actor, signal);
    case "team":
      return await readMembership(client, lookup.team, lookup.actor, signal);
    case "identity":
      return await readIdentity(client, lookup.login, signal);
  }
}

/** In place of an answer: GitHub does not let the app ask, or (an identity) nobody is known by that login. */
export const UNDISCLOSED = null;

const ofToken = z.object({ request: z.object({ url: z.string().regex(/\/access_tokens(?:\?|$)/u) }) });

/**
 * Whether GitHub refused the question itself: the app lacks a permission, or is not installed in the team's
 * organization. Trying again is no use then. A refused token is another matter: it says nothing about people.
 */
export function isUndisclosed(error: unknown): boolean {
  const { kind, status } = requestFailure(error, 0);
  return kind === "permission" && status === 403 && !ofToken.safeParse(error).success;
}

/** `answer` comes from `askPermission` or is `UNDISCLOSED`, perhaps by way of the app's own store. */
export function withAnswer(permissions: Permissions, lookup: PermissionLookup, answer: unknown): Permissions {
  switch (lookup.kind) {
    case "permission": {
      const permission = answer as Permission | null;
      return { ...permissions, levels: { ...permissions.levels, [actorKey(lookup.actor)]: permission } };
    }
    case "team": {
      const members = { ...permissions.teams[lookup.team], [actorKey(lookup.actor)]: answer as boolean | null };
      return { ...permissions, teams: { ...permissions.teams, [lookup.team]: members } };
    }
    case "identity": {
      const identity = answer as Actor | null;
      return { ...permissions, identities: { ...permissions.identities, [lookup.login]: identity } };
    }
  }
}

const files = z.array(z.object({ filename: z.string(), previous_filename: z.string().nullish() }));
const FILES_PER_PAGE = 100;
/** GitHub lists no more than 3,000 files of a pull request. */
const MOST_PAGES = 30;

/** Paths of all files that a pull request changes; of renamed ones both. */
export async function readFiles(
  client: GitHubClient,
  repository: { readonly owner: string; readonly name: string },
  number: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const paths = new Set<string>();
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await client.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", {
      owner: repository.owner,
      repo: repository.name,
      pull_number: number,
      per_page: FILES_PER_PAGE,
      page,
      request: { signal },
    });
    const listed = files.parse(answer.data);
    for (const file of listed) {
      paths.add(file.filename);
      if (file.previous_filename != null) {
        paths.add(file.previous_filename);
      }
    }
    if (listed.length < FILES_PER_PAGE) {
      break;
    }
  }
  return [...paths];
}

async function orNobody<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (requestFailure(error, 0).status === 404) {
      return null;
    }
    throw error;
  }
}
