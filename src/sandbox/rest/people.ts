/** Users, organizations and teams. */
import { judge } from "../auth/access.ts";
import { publicUser, simpleUser, team, teamFull } from "../shapes/people.ts";
import { api } from "../shapes/urls.ts";
import {
  account,
  accountByLogin,
  addTeamMember,
  notFound,
  type Repository,
  type RepositoryPermission,
  removeTeamMember,
  repositoryByName,
  required,
  setTeamPermission,
  type Team,
  teamBySlug,
  type World,
  WorldError,
} from "../world/index.ts";
import { type Access, anybody, list, noContent, ok, type Route, type RouteContext, route } from "./route.ts";

const members: Access = { kind: "organization", permission: "members" };
const teamOfRepository: Access = { kind: "organization", permission: "members:write" };

function found(world: World, org: string, slug: string): Team {
  return required(teamBySlug(world, org, slug));
}

function membership(world: World, of: Team, username: string) {
  const user = accountByLogin(world, username);
  const role = user === null ? undefined : of.members.get(user.id);
  if (role === undefined) throw notFound();
  const organization = account(world, of.organizationId);
  return {
    url: api(world, `/organizations/${organization.id}/team/${of.id}/memberships/${username}`),
    role,
    state: "active",
  };
}

/** A repository that the caller may see, whatever else it may do there. */
function visible(call: RouteContext, owner: string, name: string): Repository {
  const repo = required(repositoryByName(call.world, owner, name));
  const may = judge(call.world, call.caller, repo, { permissions: ["metadata"], level: "read", person: "read" });
  if (may !== "allowed") throw notFound();
  return repo;
}

/** What these routes call them. */
const levels = new Map<string, RepositoryPermission>([
  ["pull", "read"],
  ["triage", "triage"],
  ["push", "write"],
  ["maintain", "maintain"],
  ["admin", "admin"],
]);

function levelOf(given: string): RepositoryPermission {
  const level = levels.get(given);
  if (level === undefined)
    throw new WorldError("not_implemented", "not implemented in the sandbox: roles of an organization's own");
  return level;
}

export const peopleRoutes: readonly Route[] = [
  route("GET /user", { kind: "signed_in" }, (call) => {
    if (call.caller.kind !== "user") throw new WorldError("forbidden", "Resource not accessible by integration");
    return ok(publicUser(call.world, call.caller.account));
  }),
  route("GET /users/{username}", anybody, (call) =>
    ok(publicUser(call.world, required(accountByLogin(call.world, call.path.username)))),
  ),
  route("GET /orgs/{org}/teams/{team_slug}", members, (call) =>
    ok(teamFull(call.world, found(call.world, call.path.org, call.path.team_slug))),
  ),
  route("GET /orgs/{org}/teams", members, (call) => {
    const owner = required(accountByLogin(call.world, call.path.org));
    // There are no teams of enterprises here.
    const any = call.query.team_type !== "enterprise";
    const teams = [...call.world.teams.values()].filter((one) => any && one.organizationId === owner.id);
    return list(call, teams, (one) => team(call.world, one));
  }),
  route("GET /orgs/{org}/teams/{team_slug}/members", members, (call) => {
    const of = found(call.world, call.path.org, call.path.team_slug);
    const { role = "all" } = call.query;
    const members = [...of.members].filter(([, has]) => role === "all" || has === role);
    return list(call, members, ([id]) => simpleUser(call.world, account(call.world, id)));
  }),
  route("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", members, (call) =>
    ok(membership(call.world, found(call.world, call.path.org, call.path.team_slug), call.path.username)),
  ),
  route(
    "PUT /orgs/{org}/teams/{team_slug}/memberships/{username}",
    { kind: "organization", permission: "members:write" },
    (call) => {
      const of = found(call.world, call.path.org, call.path.team_slug);
      addTeamMember(
        call.world,
        call.actor,
        of,
        required(accountByLogin(call.world, call.path.username)),
        call.body?.role ?? "member",
      );
      return ok(membership(call.world, of, call.path.username));
    },
  ),
  route(
    "DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}",
    { kind: "organization", permission: "members:write" },
    (call) => {
      removeTeamMember(
        call.world,
        call.actor,
        found(call.world, call.path.org, call.path.team_slug),
        required(accountByLogin(call.world, call.path.username)),
      );
      return noContent;
    },
  ),
  route("GET /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", members, (call) => {
    const of = found(call.world, call.path.org, call.path.team_slug);
    if (!visible(call, call.path.owner, call.path.repo).teams.has(of.id)) throw notFound();
    return noContent;
  }),
  route("PUT /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", teamOfRepository, (call) => {
    const of = found(call.world, call.path.org, call.path.team_slug);
    const repo = visible(call, call.path.owner, call.path.repo);
    setTeamPermission(call.world, call.actor, of, repo, levelOf(call.body?.permission ?? "pull"));
    return noContent;
  }),
  route("DELETE /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", teamOfRepository, (call) => {
    const of = found(call.world, call.path.org, call.path.team_slug);
    setTeamPermission(call.world, call.actor, of, visible(call, call.path.owner, call.path.repo), null);
    return noContent;
  }),
];
