/** Repositories, commits, branches, files and labels, as REST and webhooks show them. */
import {
  type Account,
  account,
  atLeast,
  blobSha,
  type Commit,
  commit,
  type Directory,
  directoryOf,
  emailOf,
  type File,
  type FileChange,
  fullName,
  type Label,
  lineCounts,
  permissionOf,
  type Repository,
  type RepositoryPermission,
  treeSha,
  type World,
} from "../world/index.ts";
import { userById } from "./people.ts";
import { iso, repoApi, repoHtml } from "./urls.ts";

/** What a full repository object says; webhook payloads and pull requests carry the same. */
export function repository(world: World, repo: Repository) {
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
    ...repository(world, repo),
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
    ...(parent === undefined ? {} : { parent: repository(world, parent), source: repository(world, parent) }),
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

function gitUser(world: World, id: number) {
  const who = account(world, id);
  return { name: who.name ?? who.login, email: emailOf(who) };
}

const unverified = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

/** A commit with its GitHub accounts: `GET …/commits/{ref}`. */
export function commitShape(world: World, repo: Repository, shown: Commit) {
  return {
    sha: shown.sha,
    node_id: shown.nodeId,
    commit: {
      author: { ...gitUser(world, shown.authorId), date: iso(shown.at) },
      committer: { ...gitUser(world, shown.committerId), date: iso(shown.at) },
      message: shown.message,
      tree: { sha: shown.treeSha, url: repoApi(world, repo, `/git/trees/${shown.treeSha}`) },
      url: repoApi(world, repo, `/git/commits/${shown.sha}`),
      comment_count: 0,
      verification: unverified,
    },
    url: repoApi(world, repo, `/commits/${shown.sha}`),
    html_url: repoHtml(world, repo, `/commit/${shown.sha}`),
    comments_url: repoApi(world, repo, `/commits/${shown.sha}/comments`),
    author: userById(world, shown.authorId),
    committer: userById(world, shown.committerId),
    parents: shown.parents.map((sha) => ({
      sha,
      url: repoApi(world, repo, `/commits/${sha}`),
      html_url: repoHtml(world, repo, `/commit/${sha}`),
    })),
  };
}

/** With its files: `GET …/commits/{ref}` for one commit. */
export function commitWithFiles(world: World, repo: Repository, shown: Commit, changes: readonly FileChange[]) {
  const files = changes.map((change) => diffEntry(world, repo, shown.sha, change));
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return { ...commitShape(world, repo, shown), stats: { total: additions + deletions, additions, deletions }, files };
}

/** Git's own view: `GET …/git/commits/{sha}`. */
export function gitCommit(world: World, repo: Repository, shown: Commit) {
  const full = commitShape(world, repo, shown);
  return {
    sha: full.sha,
    node_id: full.node_id,
    url: full.commit.url,
    html_url: full.html_url,
    author: full.commit.author,
    committer: full.commit.committer,
    tree: full.commit.tree,
    message: full.commit.message,
    parents: full.parents,
    verification: unverified,
  };
}

/** The short form in check suites, workflow runs and merge groups. */
export function simpleCommit(world: World, sha: string) {
  const shown = commit(world, sha);
  return {
    id: shown.sha,
    tree_id: shown.treeSha,
    message: shown.message,
    timestamp: iso(shown.at),
    author: gitUser(world, shown.authorId),
    committer: gitUser(world, shown.committerId),
  };
}

/** The form in push payloads. */
export function pushCommit(world: World, repo: Repository, shown: Commit, changes: readonly FileChange[]) {
  const named = (id: number) => {
    const who = account(world, id);
    return { ...gitUser(world, id), date: iso(shown.at), username: who.login };
  };
  const paths = (status: FileChange["status"]) =>
    changes.filter((change) => change.status === status).map((change) => change.path);
  return {
    id: shown.sha,
    tree_id: shown.treeSha,
    distinct: true,
    message: shown.message,
    timestamp: iso(shown.at),
    url: repoHtml(world, repo, `/commit/${shown.sha}`),
    author: named(shown.authorId),
    committer: named(shown.committerId),
    added: paths("added"),
    removed: paths("removed"),
    modified: paths("modified"),
  };
}

/** One file of a pull request or commit. The sandbox makes no textual patches. */
export function diffEntry(world: World, repo: Repository, sha: string, change: FileChange) {
  const path = change.path.split("/").map(encodeURIComponent).join("/");
  const counts = lineCounts(change);
  const kept = change.after ?? change.before;
  return {
    sha: kept === null ? null : blobSha(kept),
    filename: change.path,
    status: change.status,
    ...counts,
    changes: counts.additions + counts.deletions,
    blob_url: repoHtml(world, repo, `/blob/${sha}/${path}`),
    raw_url: repoHtml(world, repo, `/raw/${sha}/${path}`),
    contents_url: repoApi(world, repo, `/contents/${path}?ref=${sha}`),
  };
}

function refObject(world: World, repo: Repository, sha: string) {
  return { type: "commit", sha, url: repoApi(world, repo, `/git/commits/${sha}`) };
}

export function gitRef(world: World, repo: Repository, ref: string, sha: string) {
  const url = repoApi(world, repo, `/git/${ref}`);
  return { ref, node_id: world.ids.node("Ref", `${repo.id}:${ref}`), url, object: refObject(world, repo, sha) };
}

export function shortBranch(world: World, repo: Repository, name: string, sha: string) {
  return {
    name,
    commit: { sha, url: repoApi(world, repo, `/commits/${sha}`) },
    protected: repo.protections.has(name),
    protection: protectionOf(repo, name),
    protection_url: repoApi(world, repo, `/branches/${name}/protection`),
  };
}

function protectionOf(repo: Repository, name: string) {
  const protection = repo.protections.get(name);
  const checks = protection?.requiredChecks ?? [];
  return {
    enabled: protection !== undefined,
    required_status_checks: {
      enforcement_level: protection === undefined ? "off" : "non_admins",
      contexts: checks.map((check) => check.context),
      checks: checks.map((check) => ({ context: check.context, app_id: check.appId })),
    },
  };
}

export function branch(world: World, repo: Repository, name: string, sha: string) {
  const self = repoApi(world, repo, `/branches/${name}`);
  return {
    ...shortBranch(world, repo, name, sha),
    commit: commitShape(world, repo, commit(world, sha)),
    _links: { html: repoHtml(world, repo, `/tree/${name}`), self },
  };
}

function contentLinks(world: World, repo: Repository, path: string, ref: string, type: "file" | "dir", sha: string) {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = repoApi(world, repo, `/contents/${encoded}?ref=${encodeURIComponent(ref)}`);
  const gitUrl = repoApi(world, repo, `/git/${type === "file" ? "blobs" : "trees"}/${sha}`);
  const page = repoHtml(world, repo, `/${type === "file" ? "blob" : "tree"}/${ref}/${encoded}`);
  return {
    url,
    git_url: gitUrl,
    html_url: page,
    download_url: type === "file" ? repoHtml(world, repo, `/raw/${ref}/${encoded}`) : null,
    _links: { self: url, git: gitUrl, html: page },
  };
}

export function contentFile(world: World, repo: Repository, path: string, ref: string, file: File) {
  const sha = blobSha(file);
  return {
    type: "file",
    encoding: "base64",
    size: file.bytes.length,
    name: path.split("/").at(-1) ?? path,
    path,
    content: file.bytes.toString("base64").replace(/.{60}/g, "$&\n"),
    sha,
    ...contentLinks(world, repo, path, ref, "file", sha),
  };
}

export function contentDirectory(world: World, repo: Repository, path: string, ref: string, directory: Directory) {
  return [...directory].map(([name, entry]) => {
    const full = path === "" ? name : `${path}/${name}`;
    const isDirectory = entry instanceof Map;
    const sha = isDirectory ? treeSha(entry) : blobSha(entry);
    const type = isDirectory ? "dir" : "file";
    return {
      type,
      size: isDirectory ? 0 : entry.bytes.length,
      name,
      path: full,
      sha,
      ...contentLinks(world, repo, full, ref, type, sha),
    };
  });
}

/** Null: there is no such directory. */
export function findDirectory(at: Commit, path: string): Directory | null {
  let here = directoryOf(at.files);
  for (const part of path.split("/").filter((piece) => piece !== "")) {
    const next = here.get(part);
    if (!(next instanceof Map)) return null;
    here = next;
  }
  return here;
}
