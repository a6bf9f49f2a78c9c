/** Payloads about repositories, their refs, labels and people. */
import { pushCommit } from "../shapes/commits.ts";
import { installation, organizationSimple, simpleUser, team, userById } from "../shapes/people.ts";
import { label, permissionFlags, repositoryObject, tinyRepository } from "../shapes/repositories.ts";
import { api, repoHtml } from "../shapes/urls.ts";
import { type Change, commit, emailOf, filesBetween, repositoriesOf, type World, zeroSha } from "../world/index.ts";

type Of<K extends Change["kind"]> = Extract<Change, { kind: K }>;

export function push(world: World, change: Of<"push">) {
  const { repository: repo } = change;
  const shown = change.commits.map((sha) => {
    const made = commit(world, sha);
    return pushCommit(world, repo, made, filesBetween(world, made.parents[0] ?? null, sha));
  });
  const head = change.after === zeroSha ? null : commit(world, change.after);
  const shape = repositoryObject(world, repo);
  const pusher = change.actor.account;
  const base = change.before === zeroSha ? change.after : change.before;
  return {
    ref: change.ref,
    before: change.before,
    after: change.after,
    // Pushes alone write these times as numbers, and name the default branch a second time.
    repository: {
      ...shape,
      created_at: Math.floor(repo.createdAt / 1000),
      pushed_at: Math.floor(repo.pushedAt / 1000),
      stargazers: 0,
      master_branch: repo.defaultBranch,
      ...(world.organizationMembers.has(repo.ownerId) ? { organization: shape.owner.login } : {}),
      owner: { ...shape.owner, name: shape.owner.login, email: world.accounts.get(repo.ownerId)?.email ?? null },
    },
    pusher: { name: pusher.login, email: emailOf(pusher) },
    created: change.before === zeroSha,
    deleted: change.after === zeroSha,
    forced: change.forced,
    base_ref: null,
    compare: repoHtml(world, repo, `/compare/${base.slice(0, 12)}...${change.after.slice(0, 12)}`),
    commits: shown.slice(-2048),
    head_commit:
      head === null ? null : pushCommit(world, repo, head, filesBetween(world, head.parents[0] ?? null, head.sha)),
  };
}

export function refCreated(change: Of<"create" | "delete">) {
  const common = { ref: change.ref, ref_type: change.refType };
  if (change.kind === "delete") return { ...common, pusher_type: "user" };
  const { defaultBranch, description } = change.repository;
  return { ...common, master_branch: defaultBranch, description, pusher_type: "user" };
}

export function labelPayload(world: World, change: Of<"label">) {
  const changes = Object.fromEntries(Object.entries(change.from).map(([field, from]) => [field, { from }]));
  return {
    action: change.action,
    label: label(world, change.label),
    ...(change.action === "edited" ? { changes } : {}),
  };
}

export function repositoryPayload(world: World, change: Of<"repository">) {
  switch (change.action) {
    case "created":
      return { action: change.action };
    case "renamed":
      return { action: change.action, changes: { repository: { name: { from: change.fromName } } } };
    case "transferred": {
      const from =
        change.fromOwner.type === "Organization"
          ? { organization: organizationSimple(world, change.fromOwner) }
          : { user: simpleUser(world, change.fromOwner) };
      return { action: change.action, changes: { owner: { from } } };
    }
  }
}

export function teamPayload(world: World, change: Of<"team">) {
  const shown = { action: change.action, team: team(world, change.team) };
  if (!("repository" in change)) return shown;
  const has = change.repository.teams.get(change.team.id) ?? "none";
  const permissions = permissionFlags(has);
  const told = { ...shown, repository: { ...repositoryObject(world, change.repository), permissions, role_name: has } };
  if (change.action !== "edited") return told;
  const { admin, push: write, pull } = permissionFlags(change.from ?? "none");
  return { ...told, changes: { repository: { permissions: { from: { admin, push: write, pull } } } } };
}

export function membership(world: World, change: Of<"membership">) {
  return {
    action: change.action,
    scope: "team",
    member: simpleUser(world, change.member),
    team: team(world, change.team),
  };
}

export function organizationPayload(world: World, change: Of<"organization">) {
  const { organization, member: who, role } = change;
  const url = api(world, `/orgs/${organization.login}`);
  const membership = {
    url: `${url}/memberships/${who.login}`,
    state: "inactive",
    role,
    organization_url: url,
    user: simpleUser(world, who),
  };
  return { action: change.action, membership };
}

export function member(world: World, change: Of<"member">) {
  const { from, to } = change;
  const common = { action: change.action, member: simpleUser(world, change.member) };
  if (change.action === "removed") return common;
  return change.action === "added"
    ? { ...common, changes: { permission: { to }, role_name: { to } } }
    : { ...common, changes: { old_permission: { from }, permission: { from, to } } };
}

export function installationPayload(world: World, change: Of<"installation">) {
  const seen = repositoriesOf(world, change.installation).map((repo) => tinyRepository(world, repo));
  const repositories = change.action === "suspend" || change.action === "unsuspend" ? {} : { repositories: seen };
  const { suspendedAt } = change.installation;
  const suspended = suspendedAt === null ? {} : { suspended_by: userById(world, change.actor.account.id) };
  return {
    action: change.action,
    installation: { ...installation(world, change.installation), ...suspended },
    ...repositories,
  };
}

export function installationRepositories(world: World, change: Of<"installation_repositories">) {
  const shown = change.repositories.map((repo) => tinyRepository(world, repo));
  return {
    action: change.action,
    installation: installation(world, change.installation),
    repository_selection: change.installation.repositorySelection,
    repositories_added: change.action === "added" ? shown : [],
    repositories_removed: change.action === "removed" ? shown : [],
    requester: null,
  };
}
