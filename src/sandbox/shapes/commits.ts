/** Commits as REST and webhooks show them. */
import {
  account,
  blobSha,
  type Commit,
  commit,
  emailOf,
  type FileChange,
  lineCounts,
  type Repository,
  type World,
} from "../world/index.ts";
import { userById } from "./people.ts";
import { iso, repoApi, repoHtml } from "./urls.ts";

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
