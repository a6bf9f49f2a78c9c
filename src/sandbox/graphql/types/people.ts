/** Users, bots, organizations, teams and apps. */
import { simpleUser, team as teamShape } from "../../shapes/people.ts";
import { iso, pageUrl } from "../../shapes/urls.ts";
import { type Account, type App, account, app, type Reviewer, required, type Team } from "../../world/index.ts";
import {
  type Context,
  connection,
  type Defined,
  define,
  type Entity,
  failure,
  type Optional,
  type PageArgs,
} from "../define.ts";

const common = {
  id: (who: Account) => who.nodeId,
  databaseId: (who: Account) => who.id,
  url: (who: Account, _args: never, { world }: Context) => simpleUser(world, who).html_url,
  resourcePath: (who: Account, _args: never, { world }: Context) =>
    simpleUser(world, who).html_url.slice(world.baseUrl.length),
  avatarUrl: (who: Account, _args: never, { world }: Context) => simpleUser(world, who).avatar_url,
  createdAt: (who: Account) => iso(who.createdAt),
  updatedAt: (who: Account) => iso(who.createdAt),
};

export const User: Defined<Account> = define("User", {
  ...common,
  login: (who) => who.login,
  name: (who) => who.name,
  email: (who) => who.email ?? "",
  isViewer: (who, _args: never, { caller }) => caller.kind === "user" && caller.account.id === who.id,
});

/** GraphQL writes a bot's login without the `[bot]` that REST appends. */
export const Bot: Defined<Account> = define("Bot", { ...common, login: (who) => who.login.replace(/\[bot\]$/, "") });

export const Organization: Defined<Account> = define("Organization", {
  ...common,
  login: (who) => who.login,
  name: (who) => who.name ?? who.login,
  team: (who, args: { slug: string }, context) => {
    readTeams(who, context);
    const found = [...context.world.teams.values()].find(
      (one) => one.organizationId === who.id && one.slug === args.slug,
    );
    return found === undefined ? null : TeamType(found);
  },
  teams: (who, args: PageArgs & { query?: Optional<string> }, context) => {
    readTeams(who, context);
    const found = [...context.world.teams.values()].filter(
      (one) => one.organizationId === who.id && (!args.query || one.slug.includes(args.query)),
    );
    return connection("teams", found, args, TeamType);
  },
});

/** Teams need `members: read` on the organization, or membership. */
function readTeams(organization: Account, { world, caller }: Context): void {
  const allowed =
    caller.kind === "user"
      ? world.organizationMembers.get(organization.id)?.has(caller.account.id) === true
      : caller.kind === "installation" &&
        caller.installation.accountId === organization.id &&
        caller.token.permissions.members !== undefined;
  if (!allowed) throw failure("FORBIDDEN", "Resource not accessible by integration");
}

export const TeamType: Defined<Team> = define("Team", {
  id: (team) => team.nodeId,
  databaseId: (team) => team.id,
  slug: (team) => team.slug,
  name: (team) => team.name,
  description: (team) => team.description,
  combinedSlug: (team, _args: never, { world }) => `${account(world, team.organizationId).login}/${team.slug}`,
  organization: (team, _args: never, { world }) => Organization(account(world, team.organizationId)),
  url: (team, _args: never, { world }) => teamShape(world, team).html_url,
  members: (team, args: PageArgs & { query?: Optional<string>; role?: Optional<"MEMBER" | "MAINTAINER"> }, context) => {
    readTeams(account(context.world, team.organizationId), context);
    const members = [...team.members]
      .filter(([, role]) => !args.role || role.toUpperCase() === args.role)
      .map(([id, role]) => ({ who: account(context.world, id), role }))
      .filter(({ who }) => !args.query || who.login.toLowerCase().includes(args.query.toLowerCase()));
    return connection(
      "members",
      members,
      args,
      ({ who }) => User(who),
      {},
      ({ role }) => ({ role: role.toUpperCase() }),
    );
  },
});

export const AppType: Defined<App> = define("App", {
  id: (one) => one.nodeId,
  databaseId: (one) => one.id,
  clientId: (one) => one.clientId,
  name: (one) => one.name,
  slug: (one) => one.slug,
  url: (one, _args: never, { world }) => pageUrl(world, `/apps/${one.slug}`),
  description: () => null,
  createdAt: (one) => iso(one.createdAt),
  updatedAt: (one) => iso(one.updatedAt),
});

export function actorEntity(who: Account): Entity<Account> {
  switch (who.type) {
    case "User":
      return User(who);
    case "Bot":
      return Bot(who);
    case "Organization":
      return Organization(who);
  }
}

export function actorById({ world }: Context, id: number): Entity<Account> {
  return actorEntity(account(world, id));
}

/** `creator: User`: GraphQL shows no bots there. */
export function userNodeById({ world }: Context, id: number): Entity<Account> | null {
  const who = account(world, id);
  return who.type === "User" ? User(who) : null;
}

export function appNodeById({ world }: Context, id: number): Entity<App> {
  return AppType(app(world, id));
}

export function reviewerEntity(context: Context, reviewer: Reviewer) {
  return reviewer.kind === "user"
    ? actorById(context, reviewer.accountId)
    : TeamType(required(context.world.teams.get(reviewer.teamId)));
}

export const peopleTypes = [User, Bot, Organization, TeamType, AppType];
