/** Repositories and their labels as REST shows them. */
import {
  type Account,
  atLeast,
  fullName,
  type Label,
  permissionOf,
  type Repository,
  type RepositoryPermission,
  type World,
} from "../world/index.ts";
import { userById } from "./people.ts";
import { iso, repoApi, repoHtml } from "./urls.ts";

/** What a full repository object says; webhook payloads and pull requests carry the same. */
export function repositoryObject(world: World, repo: Repository) {
  const url = repoApi(world, repo);
  const open = [...repo.pulls.values()].filter((pull) => pull.state === "open").length;
  const forks = [...world.repositories.values()].filter((other) => other.parentId === repo.id).length;
  return {
    id: repo.id,
    node_id: repo.nodeId,
    name: repo.name,
    full_name: fullName(world, repo),
    private: repo.private,
    owner: userById(world, repo.ownerId),
    html_url: repoHtml(world, repo),
    description: repo.description,
    fork: repo.parentId !== null,
    url,
    forks_url: `${url}/forks`,
    keys_url: `${url}/keys{/key_id}`,
    collaborators_url: `${url}/collaborators{/collaborator}`,
    teams_url: `${url}/teams`,
    hooks_url: `${url}/hooks`,
    issue_events_url: `${url}/issues/events{/number}`,
    events_url: `${url}/events`,
    assignees_url: `${url}/assignees{/user}`,
    branches_url: `${url}/branches{/branch}`,
    tags_url: `${url}/tags`,
    blobs_url: `${url}/git/blobs{/sha}`,
    git_tags_url: `${url}/git/tags{/sha}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    trees_url: `${url}/git/trees{/sha}`,
    statuses_url: `${url}/statuses/{sha}`,
    languages_url: `${url}/languages`,
    stargazers_url: `${url}/stargazers`,
    contributors_url: `${url}/contributors`,
    subscribers_url: `${url}/subscribers`,
    subscription_url: `${url}/subscription`,
    commits_url: `${url}/commits{/sha}`,
    git_commits_url: `${url}/git/commits{/sha}`,
    comments_url: `${url}/comments{/number}`,
    issue_comment_url: `${url}/issues/comments{/number}`,
    contents_url: `${url}/contents/{+path}`,
    compare_url: `${url}/compare/{base}...{head}`,
    merges_url: `${url}/merges`,
    archive_url: `${url}/{archive_format}{/ref}`,
    downloads_url: `${url}/downloads`,
    issues_url: `${url}/issues{/number}`,
    pulls_url: `${url}/pulls{/number}`,
    milestones_url: `${url}/milestones{/number}`,
    notifications_url: `${url}/notifications{?since,all,participating}`,
    labels_url: `${url}/labels{/name}`,
    releases_url: `${url}/releases{/id}`,
    deployments_url: `${url}/deployments`,
    created_at: iso(repo.createdAt),
    updated_at: iso(repo.updatedAt),
    pushed_at: iso(repo.pushedAt),
    git_url: `${repoHtml(world, repo)}.git`,
    ssh_url: `git@sandbox:${fullName(world, repo)}.git`,
    clone_url: `${repoHtml(world, repo)}.git`,
    svn_url: repoHtml(world, repo),
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: forks,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: open,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repo.private ? "private" : "public",
    forks,
    open_issues: open,
    watchers: 0,
    default_branch: repo.defaultBranch,
    custom_properties: {},
  };
}

/** Repositories inside pull requests say how they may be merged into. */
export function pullRepository(world: World, repo: Repository) {
  return {
    ...repositoryObject(world, repo),
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    allow_auto_merge: true,
    delete_branch_on_merge: false,
    allow_update_branch: false,
    use_squash_pr_title_as_default: false,
    squash_merge_commit_message: "COMMIT_MESSAGES",
    squash_merge_commit_title: "COMMIT_OR_PR_TITLE",
    merge_commit_message: "PR_TITLE",
    merge_commit_title: "MERGE_MESSAGE",
  };
}

/** The old names of the levels, which `permissions` objects still use. */
export function permissionFlags(has: RepositoryPermission) {
  return {
    admin: atLeast(has, "admin"),
    maintain: atLeast(has, "maintain"),
    push: atLeast(has, "write"),
    triage: atLeast(has, "triage"),
    pull: atLeast(has, "read"),
  };
}

/** `GET /repos/{owner}/{repo}`. */
export function fullRepository(world: World, repo: Repository, viewer: Account | null) {
  const parent = repo.parentId === null ? undefined : world.repositories.get(repo.parentId);
  return {
    ...pullRepository(world, repo),
    ...(viewer === null ? {} : { permissions: permissionFlags(permissionOf(world, repo, viewer)) }),
    ...(parent === undefined
      ? {}
      : { parent: repositoryObject(world, parent), source: repositoryObject(world, parent) }),
    network_count: 0,
    subscribers_count: 0,
  };
}

/** The short form inside `installation` payloads. */
export function tinyRepository(world: World, repo: Repository) {
  return {
    id: repo.id,
    node_id: repo.nodeId,
    name: repo.name,
    full_name: fullName(world, repo),
    private: repo.private,
  };
}

export function label(world: World, shown: Label) {
  const repo = world.repositories.get(shown.repositoryId);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    url: repo === undefined ? "" : repoApi(world, repo, `/labels/${encodeURIComponent(shown.name)}`),
    name: shown.name,
    color: shown.color,
    default: false,
    description: shown.description,
  };
}
