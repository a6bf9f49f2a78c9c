/** People, organizations, teams, and who may do what in a repository. */
import { invalid } from "../errors.ts";
import type { Account, AccountType, Actor, App, Repository, RepositoryPermission, Team } from "../model/index.ts";
import { account, accountByLogin, app, emit, register, required, type World } from "../world.ts";

export function addAccount(
  world: World,
  type: AccountType,
  login: string,
  extra: { readonly name?: string; readonly email?: string; readonly appId?: number } = {},
): Account {
  if (accountByLogin(world, login) !== null) throw invalid(`login ${login} is taken`);
  const id = world.ids.next("Account");
  const made: Account = {
    type,
    id,
    nodeId: world.ids.node(type, id),
    login,
    name: extra.name ?? null,
    email: extra.email ?? null,
    createdAt: world.now(),
    appId: extra.appId ?? null,
  };
  world.accounts.set(id, made);
  if (type === "Organization") world.organizationMembers.set(id, new Map());
  register(world, { type: "Account", value: made });
  return made;
}

export function addUser(
  world: World,
  login: string,
  extra: { readonly name?: string; readonly email?: string } = {},
): Account {
  return addAccount(world, "User", login, extra);
}

export function addOrganization(world: World, login: string, extra: { readonly name?: string } = {}): Account {
  return addAccount(world, "Organization", login, extra);
}

export function addOrganizationMember(
  world: World,
  organization: Account,
  member: Account,
  role: "member" | "admin" = "member",
): void {
  required(world.organizationMembers.get(organization.id), `${organization.login} is no organization`).set(
    member.id,
    role,
  );
}

/** He leaves its teams, too. What he was given on repositories himself he keeps, as an outside collaborator. */
export function removeOrganizationMember(world: World, actor: Actor, organization: Account, member: Account): void {
  const members = required(world.organizationMembers.get(organization.id), `${organization.login} is no organization`);
  const role = members.get(member.id);
  if (role === undefined) return;
  members.delete(member.id);
  for (const team of world.teams.values()) if (team.organizationId === organization.id) team.members.delete(member.id);
  emit(world, { kind: "organization", action: "member_removed", actor, organization, member, role });
}

/** A person acting by hand. */
export function asUser(user: Account): Actor {
  return { account: user, app: null, via: "user" };
}

/** An app acting with an installation's token: its bot is the author. */
export function asApp(world: World, acting: App): Actor {
  return { account: account(world, acting.botId), app: acting, via: "app" };
}

export function addTeam(world: World, actor: Actor, organization: Account, slug: string, name = slug): Team {
  const id = world.ids.next("Team");
  const team: Team = {
    id,
    nodeId: world.ids.node("Team", id),
    organizationId: organization.id,
    slug,
    name,
    description: null,
    createdAt: world.now(),
    members: new Map(),
  };
  world.teams.set(id, team);
  register(world, { type: "Team", value: team });
  emit(world, { kind: "team", action: "created", actor, team, organization });
  return team;
}

export function teamBySlug(world: World, organization: string, slug: string): Team | null {
  const owner = accountByLogin(world, organization);
  if (owner === null) return null;
  for (const team of world.teams.values()) {
    if (team.organizationId === owner.id && team.slug.toLowerCase() === slug.toLowerCase()) return team;
  }
  return null;
}

export function addTeamMember(
  world: World,
  actor: Actor,
  team: Team,
  member: Account,
  role: "member" | "maintainer" = "member",
): void {
  const organization = account(world, team.organizationId);
  const members = required(world.organizationMembers.get(organization.id));
  if (!members.has(member.id)) members.set(member.id, "member");
  if (team.members.get(member.id) === role) return;
  team.members.set(member.id, role);
  emit(world, { kind: "membership", action: "added", actor, team, organization, member });
}

export function removeTeamMember(world: World, actor: Actor, team: Team, member: Account): void {
  if (!team.members.delete(member.id)) return;
  emit(world, {
    kind: "membership",
    action: "removed",
    actor,
    team,
    organization: account(world, team.organizationId),
    member,
  });
}

/** What a team may do in a repository of its organization; null: nothing of its own. */
export function setTeamPermission(
  world: World,
  actor: Actor,
  team: Team,
  repo: Repository,
  permission: RepositoryPermission | null,
): void {
  if (repo.ownerId !== team.organizationId) throw invalid("The repository is not owned by the team's organization.");
  const from = repo.teams.get(team.id) ?? null;
  if (from === permission) return;
  if (permission === null) repo.teams.delete(team.id);
  else repo.teams.set(team.id, permission);
  const told = { actor, team, organization: account(world, team.organizationId), repository: repo };
  if (permission === null) emit(world, { kind: "team", action: "removed_from_repository", from, ...told });
  else if (from === null) {
    emit(world, { kind: "team_add", ...told });
    emit(world, { kind: "team", action: "added_to_repository", from, ...told });
  } else emit(world, { kind: "team", action: "edited", from, ...told });
}

const ranks: readonly RepositoryPermission[] = ["none", "read", "triage", "write", "maintain", "admin"];

export function atLeast(has: RepositoryPermission, wanted: RepositoryPermission): boolean {
  return ranks.indexOf(has) >= ranks.indexOf(wanted);
}

/** The highest of what an account has itself and by its teams. Apps have no level: their bots get `none`, or `read` in public. */
export function permissionOf(world: World, repo: Repository, who: Account): RepositoryPermission {
  const found: RepositoryPermission[] = [repo.private ? "none" : "read"];
  if (repo.ownerId === who.id) found.push("admin");
  if (world.organizationMembers.get(repo.ownerId)?.get(who.id) === "admin") found.push("admin");
  if (who.type === "User") {
    found.push(repo.collaborators.get(who.id) ?? "none");
    for (const [teamId, permission] of repo.teams)
      if (world.teams.get(teamId)?.members.has(who.id)) found.push(permission);
  }
  return found.reduce((best, next) => (atLeast(next, best) ? next : best));
}

export function setCollaborator(
  world: World,
  actor: Actor,
  repo: Repository,
  member: Account,
  permission: RepositoryPermission,
): void {
  const from = repo.collaborators.get(member.id) ?? null;
  if (from === permission) return;
  repo.collaborators.set(member.id, permission);
  emit(world, {
    kind: "member",
    action: from === null ? "added" : "edited",
    actor,
    repository: repo,
    member,
    from,
    to: permission,
  });
}

export function removeCollaborator(world: World, actor: Actor, repo: Repository, member: Account): void {
  const from = repo.collaborators.get(member.id);
  if (from === undefined) return;
  repo.collaborators.delete(member.id);
  emit(world, { kind: "member", action: "removed", actor, repository: repo, member, from, to: null });
}

export function botOf(world: World, appId: number): Account {
  return account(world, app(world, appId).botId);
}
