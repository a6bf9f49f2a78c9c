/** Pull requests: read, opened, edited, merged, and asked to be reviewed. */
import { commitShape, diffEntry } from "../shapes/commits.ts";
import { issue, pullCommits, pullFiles, pullSimple, pull as shape } from "../shapes/pulls.ts";
import { timelineItem } from "../shapes/timeline.ts";
import {
  account,
  accountByLogin,
  closePull,
  editPull,
  mergePull,
  openPull,
  type PullEdits,
  type PullRequest,
  type Repository,
  type Reviewer,
  removeReviewers,
  reopenPull,
  repositoryByName,
  requestReviewers,
  required,
  setAssignee,
  teamBySlug,
  type World,
  WorldError,
} from "../world/index.ts";
import { created, list, ok, type Route, type RouteContext, reads, repoRoute, writes } from "./route.ts";

const reading = reads("pull_requests");
const writing = writes("read", "pull_requests");
const triaging = writes("triage", "pull_requests");

export function pullAt(repo: Repository, number: number): PullRequest {
  return required(repo.pulls.get(number));
}

/** `branch`, or `owner:branch` of a fork. */
function headOf(
  world: World,
  repo: Repository,
  head: string,
  headRepo: string | undefined,
): { head: string; headRepository: Repository } {
  const [owner, ref] = head.includes(":") ? head.split(":", 2) : [account(world, repo.ownerId).login, head];
  const named = repositoryByName(world, owner ?? "", headRepo ?? repo.name);
  if (named === null || ref === undefined)
    throw new WorldError("invalid", "Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
  return { head: ref, headRepository: named };
}

function reviewersOf(
  world: World,
  repo: Repository,
  body: { reviewers?: string[]; team_reviewers?: string[] } | undefined,
): Reviewer[] {
  const unknown = () =>
    new WorldError(
      "invalid",
      "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator.",
    );
  const users = (body?.reviewers ?? []).map((login): Reviewer => {
    const found = accountByLogin(world, login);
    if (found === null) throw unknown();
    return { kind: "user", accountId: found.id };
  });
  const teams = (body?.team_reviewers ?? []).map((slug): Reviewer => {
    const found = teamBySlug(world, account(world, repo.ownerId).login, slug);
    if (found === null) throw unknown();
    return { kind: "team", teamId: found.id };
  });
  return [...users, ...teams];
}

type Sort = "created" | "updated" | "popularity" | "long-running";

function sorted(pulls: readonly PullRequest[], sort: Sort, direction: "asc" | "desc"): PullRequest[] {
  const key = (pull: PullRequest): number => {
    if (sort === "updated") return pull.updatedAt;
    return sort === "popularity" ? pull.comments.length : pull.number;
  };
  return [...pulls].sort((a, b) => (direction === "asc" ? key(a) - key(b) : key(b) - key(a)));
}

function edit(
  call: RouteContext & { readonly actor: Parameters<typeof editPull>[1] },
  pull: PullRequest,
  body: PullEdits & { state?: "open" | "closed" },
): void {
  const { title, base } = body;
  editPull(call.world, call.actor, pull, {
    ...(title === undefined ? {} : { title }),
    ...(body.body === undefined ? {} : { body: body.body }),
    ...(base === undefined ? {} : { base }),
  });
  if (body.state === "closed") closePull(call.world, call.actor, pull);
  if (body.state === "open") reopenPull(call.world, call.actor, pull);
}

export const pullRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}/pulls", reading, (call, repo) => {
    const { state = "open", base, head, sort = "created" } = call.query;
    const found = [...repo.pulls.values()].filter((pull) => {
      if (state !== "all" && pull.state !== state) return false;
      if (base !== undefined && pull.base.ref !== base) return false;
      if (head === undefined) return true;
      const owner = account(call.world, required(call.world.repositories.get(pull.head.repositoryId)).ownerId).login;
      return `${owner}:${pull.head.ref}` === head;
    });
    const direction = call.query.direction ?? (sort === "created" ? "desc" : "asc");
    return list(call, sorted(found, sort, direction), (pull) => pullSimple(call.world, pull));
  }),
  repoRoute("POST /repos/{owner}/{repo}/pulls", writing, (call, repo) => {
    const { title, base, body = null, draft = false } = call.body;
    if (title === undefined)
      throw new WorldError("invalid", "Validation Failed", [
        { resource: "PullRequest", field: "title", code: "missing_field" },
      ]);
    const made = openPull(call.world, call.actor, repo, {
      title,
      base,
      body,
      draft,
      ...headOf(call.world, repo, call.body.head, call.body.head_repo),
    });
    return created(shape(call.world, made));
  }),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}", reading, (call, repo) =>
    ok(shape(call.world, pullAt(repo, call.path.pull_number))),
  ),
  repoRoute("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", triaging, (call, repo) => {
    const pull = pullAt(repo, call.path.pull_number);
    edit(call, pull, call.body ?? {});
    return ok(shape(call.world, pull));
  }),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", reading, (call, repo) => {
    const pull = pullAt(repo, call.path.pull_number);
    return list(call, pullFiles(call.world, pull), (change) => diffEntry(call.world, repo, pull.head.sha, change));
  }),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/commits", reading, (call, repo) =>
    list(call, pullCommits(call.world, pullAt(repo, call.path.pull_number)), (one) =>
      commitShape(call.world, repo, one),
    ),
  ),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/merge", reading, (_call, repo) => {
    if (!pullAt(repo, _call.path.pull_number).merged) throw new WorldError("not_found", "Not Found");
    return { status: 204 };
  }),
  repoRoute("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", writes("write", "contents"), (call, repo) => {
    const { sha, commit_title: title, commit_message: message, merge_method: method } = call.body ?? {};
    const made = mergePull(call.world, call.actor, pullAt(repo, call.path.pull_number), {
      ...(sha === undefined ? {} : { sha }),
      ...(title === undefined ? {} : { title }),
      ...(message === undefined ? {} : { message }),
      ...(method === undefined ? {} : { method }),
    });
    return ok({ sha: made.sha, merged: true, message: "Pull Request successfully merged" });
  }),
  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", reading, (call, repo) => {
    const shown = pullSimple(call.world, pullAt(repo, call.path.pull_number));
    return ok({ users: shown.requested_reviewers, teams: shown.requested_teams });
  }),
  repoRoute("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", triaging, (call, repo) => {
    const pull = pullAt(repo, call.path.pull_number);
    requestReviewers(call.world, call.actor, pull, reviewersOf(call.world, repo, call.body));
    return created(pullSimple(call.world, pull));
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", triaging, (call, repo) => {
    const pull = pullAt(repo, call.path.pull_number);
    removeReviewers(call.world, call.actor, pull, reviewersOf(call.world, repo, call.body));
    return ok(pullSimple(call.world, pull));
  }),
  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}", reads("issues", "pull_requests"), (call, repo) =>
    ok({ ...issue(call.world, pullAt(repo, call.path.issue_number)), closed_by: null }),
  ),
  repoRoute(
    "GET /repos/{owner}/{repo}/issues/{issue_number}/timeline",
    reads("issues", "pull_requests"),
    (call, repo) => {
      const pull = pullAt(repo, call.path.issue_number);
      const left = new Set(call.query.exclude?.split(","));
      const shown = pull.timeline.filter((one) => !left.has(one.event));
      return list(call, shown, (one) => timelineItem(call.world, pull, one));
    },
  ),
  repoRoute(
    "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
    writes("triage", "issues", "pull_requests"),
    (call, repo) => {
      const pull = pullAt(repo, call.path.issue_number);
      for (const assignee of call.body?.assignees ?? []) {
        const who = accountByLogin(call.world, typeof assignee === "string" ? assignee : assignee.login);
        if (who !== null) setAssignee(call.world, call.actor, pull, who, true);
      }
      return created(issue(call.world, pull));
    },
  ),
  repoRoute(
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/assignees",
    writes("triage", "issues", "pull_requests"),
    (call, repo) => {
      const pull = pullAt(repo, call.path.issue_number);
      for (const assignee of call.body?.assignees ?? []) {
        const who = accountByLogin(call.world, assignee);
        if (who !== null) setAssignee(call.world, call.actor, pull, who, false);
      }
      return ok(issue(call.world, pull));
    },
  ),
];
