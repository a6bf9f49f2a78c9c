/** Pull requests, reviews and comments, as REST and webhooks show them. */
import {
  account,
  type Comment,
  commitsBetween,
  filesBetween,
  labelsOn,
  lineCounts,
  mergeBase,
  mergeState,
  type PullRequest,
  type Reaction,
  type Repository,
  type Review,
  reactionContents,
  repository as repositoryOf,
  required,
  type World,
} from "../world/index.ts";
import { appById, team, userById } from "./people.ts";
import { label, pullRepository } from "./repositories.ts";
import { iso, isoOrNull, ownerLogin, repoApi, repoHtml } from "./urls.ts";

export type Association = "OWNER" | "MEMBER" | "COLLABORATOR" | "NONE";

export function association(world: World, repo: Repository, accountId: number): Association {
  if (repo.ownerId === accountId) return "OWNER";
  if (world.organizationMembers.get(repo.ownerId)?.has(accountId)) return "MEMBER";
  return repo.collaborators.has(accountId) ? "COLLABORATOR" : "NONE";
}

function side(world: World, at: { readonly repositoryId: number; readonly ref: string; readonly sha: string }) {
  const repo = repositoryOf(world, at.repositoryId);
  return {
    label: `${ownerLogin(world, repo)}:${at.ref}`,
    ref: at.ref,
    sha: at.sha,
    user: userById(world, repo.ownerId),
    repo: pullRepository(world, repo),
  };
}

/** As lists show it. */
export function pullSimple(world: World, pull: PullRequest) {
  const repo = repositoryOf(world, pull.repositoryId);
  const url = repoApi(world, repo, `/pulls/${pull.number}`);
  const issue = repoApi(world, repo, `/issues/${pull.number}`);
  const page = repoHtml(world, repo, `/pull/${pull.number}`);
  const statuses = repoApi(world, repo, `/statuses/${pull.head.sha}`);
  const assignees = [...pull.assigneeIds].map((id) => userById(world, id));
  const users = pull.requestedReviewers.flatMap((r) => (r.kind === "user" ? [userById(world, r.accountId)] : []));
  const teams = pull.requestedReviewers.flatMap((r) =>
    r.kind === "team" ? [team(world, required(world.teams.get(r.teamId)))] : [],
  );
  return {
    url,
    id: pull.id,
    node_id: pull.nodeId,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issue,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: userById(world, pull.authorId),
    body: pull.body,
    created_at: iso(pull.createdAt),
    updated_at: iso(pull.updatedAt),
    closed_at: isoOrNull(pull.closedAt),
    merged_at: isoOrNull(pull.mergedAt),
    merge_commit_sha: pull.mergeCommitSha,
    assignee: assignees[0] ?? null,
    assignees,
    requested_reviewers: users,
    requested_teams: teams,
    labels: labelsOn(world, pull).map((one) => label(world, one)),
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: repoApi(world, repo, "/pulls/comments{/number}"),
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    head: side(world, pull.head),
    base: side(world, pull.base),
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: repoApi(world, repo, "/pulls/comments{/number}") },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
    author_association: association(world, repo, pull.authorId),
    auto_merge:
      pull.autoMerge === null
        ? null
        : {
            enabled_by: userById(world, pull.autoMerge.enabledById),
            merge_method: pull.autoMerge.method,
            commit_title: pull.autoMerge.title,
            commit_message: pull.autoMerge.message,
          },
    active_lock_reason: null,
  };
}

/** Where the pull request's own changes start. */
export function pullOrigin(world: World, pull: PullRequest): string {
  return mergeBase(world, pull.base.sha, pull.head.sha) ?? pull.base.sha;
}

/** For a merged one, what its head had that the base had not when it was merged. */
export function pullCommits(world: World, pull: PullRequest) {
  return commitsBetween(world, pull.merged ? mergedFrom(world, pull) : pull.base.sha, pull.head.sha);
}

export function pullFiles(world: World, pull: PullRequest) {
  return filesBetween(world, pull.merged ? mergedFrom(world, pull) : pullOrigin(world, pull), pull.head.sha);
}

function mergedFrom(world: World, pull: PullRequest): string {
  return mergeBase(world, pull.base.sha, pull.head.sha) === pull.head.sha ? pull.base.sha : pullOrigin(world, pull);
}

/** As one alone is shown, and in webhooks. */
export function pull(world: World, shown: PullRequest) {
  const files = pullFiles(world, shown).map(lineCounts);
  return {
    ...pullSimple(world, shown),
    merged: shown.merged,
    mergeable: shown.state === "closed" ? null : shown.mergeCommitSha !== null,
    rebaseable: shown.state === "closed" ? null : shown.mergeCommitSha !== null,
    mergeable_state: shown.state === "closed" ? "unknown" : mergeState(world, shown),
    merged_by: shown.mergedById === null ? null : userById(world, shown.mergedById),
    comments: shown.comments.length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: pullCommits(world, shown).length,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

/** The short form inside check runs, suites and workflow runs. */
export function pullMinimal(world: World, shown: PullRequest) {
  const part = (at: PullRequest["head"] | PullRequest["base"]) => {
    const repo = repositoryOf(world, at.repositoryId);
    return { ref: at.ref, sha: at.sha, repo: { id: repo.id, url: repoApi(world, repo), name: repo.name } };
  };
  const url = repoApi(world, repositoryOf(world, shown.repositoryId), `/pulls/${shown.number}`);
  return { url, id: shown.id, number: shown.number, head: part(shown.head), base: part(shown.base) };
}

/** Open pull requests of the repository whose head is this commit; forks' are left out, as GitHub does. */
export function pullsAt(world: World, repo: Repository, sha: string) {
  return [...repo.pulls.values()]
    .filter((pull) => pull.state === "open" && pull.head.sha === sha && pull.head.repositoryId === repo.id)
    .map((pull) => pullMinimal(world, pull));
}

export function review(world: World, shown: Review) {
  const repo = repositoryOf(world, shown.repositoryId);
  const pullUrl = repoApi(world, repo, `/pulls/${shown.pullNumber}`);
  const page = repoHtml(world, repo, `/pull/${shown.pullNumber}#pullrequestreview-${shown.id}`);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    user: userById(world, shown.authorId),
    body: shown.body,
    state: shown.state,
    html_url: page,
    pull_request_url: pullUrl,
    author_association: association(world, repo, shown.authorId),
    _links: { html: { href: page }, pull_request: { href: pullUrl } },
    submitted_at: iso(shown.submittedAt),
    commit_id: shown.commitSha,
  };
}

function reactionRollup(reactions: readonly Reaction[], url: string) {
  const counts = Object.fromEntries(
    reactionContents.map((content) => [content, reactions.filter((r) => r.content === content).length]),
  );
  return { url, total_count: reactions.length, ...counts };
}

export function comment(world: World, shown: Comment) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/issues/comments/${shown.id}`);
  return {
    id: shown.id,
    node_id: shown.nodeId,
    url,
    html_url: repoHtml(world, repo, `/pull/${shown.pullNumber}#issuecomment-${shown.id}`),
    issue_url: repoApi(world, repo, `/issues/${shown.pullNumber}`),
    user: userById(world, shown.authorId),
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    author_association: association(world, repo, shown.authorId),
    body: shown.body,
    reactions: reactionRollup(shown.reactions, `${url}/reactions`),
    performed_via_github_app: shown.appId === null ? null : appById(world, shown.appId),
  };
}

export function reaction(world: World, shown: Reaction) {
  const { id, nodeId, content } = shown;
  return { id, node_id: nodeId, user: userById(world, shown.accountId), content, created_at: iso(shown.createdAt) };
}

/** A pull request seen as an issue. */
export function issue(world: World, shown: PullRequest) {
  const repo = repositoryOf(world, shown.repositoryId);
  const url = repoApi(world, repo, `/issues/${shown.number}`);
  const page = repoHtml(world, repo, `/pull/${shown.number}`);
  const assignees = [...shown.assigneeIds].map((id) => userById(world, id));
  return {
    url,
    repository_url: repoApi(world, repo),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: page,
    id: shown.issueId,
    node_id: shown.nodeId,
    number: shown.number,
    title: shown.title,
    user: userById(world, shown.authorId),
    labels: labelsOn(world, shown).map((one) => label(world, one)),
    state: shown.state,
    locked: false,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments: shown.comments.length,
    created_at: iso(shown.createdAt),
    updated_at: iso(shown.updatedAt),
    closed_at: isoOrNull(shown.closedAt),
    author_association: association(world, repo, shown.authorId),
    active_lock_reason: null,
    draft: shown.draft,
    pull_request: {
      url: repoApi(world, repo, `/pulls/${shown.number}`),
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: isoOrNull(shown.mergedAt),
    },
    body: shown.body,
    reactions: reactionRollup([], `${url}/reactions`),
    timeline_url: `${url}/timeline`,
    performed_via_github_app:
      account(world, shown.authorId).appId === null ? null : appById(world, account(world, shown.authorId).appId ?? 0),
    state_reason: null,
  };
}
