/** People, organizations, teams, apps and installations, as REST and webhooks show them. */
import { type Account, type App, account, app, type Installation, type Team, type World } from "../world/index.ts";
import { api, iso, isoOrNull, pageUrl } from "./urls.ts";

export function simpleUser(world: World, who: Account) {
  const url = api(world, `/users/${encodeURIComponent(who.login)}`);
  const page = who.type === "Bot" ? `/apps/${who.login.replace(/\[bot\]$/, "")}` : `/${who.login}`;
  return {
    login: who.login,
    id: who.id,
    node_id: who.nodeId,
    avatar_url: pageUrl(world, `/_avatars/${who.id}`),
    gravatar_id: "",
    url,
    html_url: pageUrl(world, page),
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: who.type,
    user_view_type: "public",
    site_admin: false,
  };
}

export function userById(world: World, id: number) {
  return simpleUser(world, account(world, id));
}

/** `GET /users/{username}` and `GET /user`. */
export function publicUser(world: World, who: Account) {
  return {
    ...simpleUser(world, who),
    name: who.name,
    company: null,
    blog: "",
    location: null,
    email: who.email,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: [...world.repositories.values()].filter((repo) => repo.ownerId === who.id && !repo.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: iso(who.createdAt),
    updated_at: iso(who.createdAt),
  };
}

/** The `organization` of webhook payloads. */
export function organizationSimple(world: World, organization: Account) {
  const url = api(world, `/orgs/${organization.login}`);
  return {
    login: organization.login,
    id: organization.id,
    node_id: organization.nodeId,
    url,
    html_url: pageUrl(world, `/${organization.login}`),
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: pageUrl(world, `/_avatars/${organization.id}`),
    description: "",
  };
}

export function team(world: World, shown: Team) {
  const organization = account(world, shown.organizationId);
  const url = api(world, `/organizations/${organization.id}/team/${shown.id}`);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    name: shown.name,
    slug: shown.slug,
    description: shown.description,
    privacy: "closed",
    notification_setting: "notifications_enabled",
    url,
    html_url: pageUrl(world, `/orgs/${organization.login}/teams/${shown.slug}`),
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    permission: "pull",
    type: "organization",
    organization_id: organization.id,
    parent: null,
  };
}

/** `GET /orgs/{org}/teams/{team_slug}`. */
export function teamFull(world: World, shown: Team) {
  const organization = account(world, shown.organizationId);
  return {
    ...team(world, shown),
    members_count: shown.members.size,
    repos_count: [...world.repositories.values()].filter((repo) => repo.teams.has(shown.id)).length,
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.createdAt),
    organization: {
      ...organizationSimple(world, organization),
      type: "Organization",
      has_organization_projects: true,
      has_repository_projects: true,
      public_repos: 0,
      public_gists: 0,
      followers: 0,
      following: 0,
      created_at: iso(organization.createdAt),
      updated_at: iso(organization.createdAt),
      archived_at: null,
    },
  };
}

export function appShape(world: World, shown: App) {
  return {
    id: shown.id,
    slug: shown.slug,
    client_id: shown.clientId,
    node_id: shown.nodeId,
    owner: userById(world, shown.ownerId),
    name: shown.name,
    description: "",
    external_url: pageUrl(world, `/apps/${shown.slug}`),
    html_url: pageUrl(world, `/apps/${shown.slug}`),
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    permissions: { metadata: "read", ...shown.permissions },
    events: [...shown.events],
  };
}

/** `GET /app`: what an app may know of itself. */
export function ownApp(world: World, shown: App) {
  const installations = [...world.installations.values()].filter((one) => one.appId === shown.id).length;
  return { ...appShape(world, shown), installations_count: installations };
}

export function appById(world: World, id: number) {
  return appShape(world, app(world, id));
}

export function installation(world: World, shown: Installation) {
  const owner = account(world, shown.accountId);
  return {
    id: shown.id,
    client_id: app(world, shown.appId).clientId,
    account: simpleUser(world, owner),
    repository_selection: shown.repositorySelection,
    access_tokens_url: api(world, `/app/installations/${shown.id}/access_tokens`),
    repositories_url: api(world, "/installation/repositories"),
    html_url: pageUrl(world, `/organizations/${owner.login}/settings/installations/${shown.id}`),
    app_id: shown.appId,
    app_slug: app(world, shown.appId).slug,
    target_id: shown.accountId,
    target_type: owner.type,
    permissions: { metadata: "read", ...shown.permissions },
    events: [...shown.events],
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: isoOrNull(shown.suspendedAt),
  };
}
