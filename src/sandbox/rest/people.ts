/** Users, organizations and teams. */
import { publicUser, simpleUser, team, teamFull } from "../shapes/people.ts";
import { api } from "../shapes/urls.ts";
import {
  account,
  accountByLogin,
  addTeamMember,
  notFound,
  removeTeamMember,
  required,
  type Team,
  teamBySlug,
  type World,
  WorldError,
} from "../world/index.ts";
import { type Access, anybody, list, noContent, ok, type Route, route } from "./route.ts";

const members: Access = { kind: "organization", permission: "members" };

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
];
